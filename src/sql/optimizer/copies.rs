//! Rows that are short enough to be copied, in a session that is served to others.
//!
//! A join has a row of one side once for each row of the other that it meets, a window and a scalar subquery have one value in every
//! row, and `unnest` has the rest of a row beside each item of a list. No pool of memory counts the copies: a text of 60 MB beside 8192
//! rows is half a terabyte. Constants are looked at in the plan ([`crate::bounded`]); what is computed shows when it is there, and so a
//! node below each operator that copies looks at it.

use std::fmt;
use std::future::ready;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::DataType;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, Statistics, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::{CardinalityEffect, ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::unnest::UnnestExec;
use datafusion::physical_plan::{
    ChildStats, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, StatisticsArgs,
};
use futures::TryStreamExt;

use crate::bounded::bytes;

/// Most that the copies of a row take together, bytes.
const COPIED: usize = 512 << 20;
/// Copies of a row that an operator makes at a time: as many as there are rows in a batch.
const COPIES: usize = 8192;

/// What the names of operators that copy their rows hold.
const COPYING: [&str; 3] = ["Join", "WindowAgg", "Unnest"];
/// One that copies the values of all its inputs but the first.
const SUBQUERIES: &str = "ScalarSubqueryExec";

/// The finished plan, which fails where a row is too long for what an operator makes of it.
pub(super) fn of_short_rows(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    if plan.children().is_empty() {
        return Ok(plan);
    }
    let copies = COPYING.iter().any(|kind| plan.name().contains(kind));
    let subqueries = plan.name() == SUBQUERIES;
    let lists: Vec<usize> = match plan.downcast_ref::<UnnestExec>() {
        Some(unnest) => unnest.list_column_indices().iter().map(|list| list.index_in_input_schema).collect(),
        None => Vec::new(),
    };
    let mut children: Vec<Arc<dyn ExecutionPlan>> = Vec::new();
    for (place, child) in plan.children().into_iter().enumerate() {
        let input = of_short_rows(Arc::clone(child))?;
        children.push(match copies || subqueries && place > 0 {
            true => Arc::new(ShortRowsExec { input, lists: lists.clone() }),
            false => input,
        });
    }
    plan.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Keep))
}

/// # Errors
/// A row that is too long to be copied: beside each item of its `lists`, or into a batch of rows where there are none.
fn check(batch: &RecordBatch, lists: &[usize]) -> Result<()> {
    let length = |of_lists: bool| {
        let columns = batch.columns().iter().enumerate();
        // The values of a dictionary are shared, and not copied.
        let columns = columns.filter(|(place, column)| {
            lists.contains(place) == of_lists && !matches!(column.data_type(), DataType::Dictionary(..))
        });
        columns.map(|(_, column)| bytes(column.as_ref())).sum::<usize>()
    };
    let copies = if lists.is_empty() { COPIES } else { length(true) };
    if length(false).saturating_mul(copies) <= COPIED {
        return Ok(());
    }
    let rows = batch.num_rows();
    if rows < 2 {
        return Err(DataFusionError::ResourcesExhausted(format!(
            "a row would be copied into more than {} MB by a join, a window, a subquery or unnest: shorten its texts and lists, or leave them out",
            COPIED >> 20
        )));
    }
    let half = rows / 2;
    check(&batch.slice(0, half), lists)?;
    check(&batch.slice(half, rows - half), lists)
}

/// Hands on the rows of its input, and fails at the first that is too long.
#[derive(Debug)]
struct ShortRowsExec {
    input: Arc<dyn ExecutionPlan>,
    /// The columns that `unnest` takes apart.
    lists: Vec<usize>,
}

impl DisplayAs for ShortRowsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl ExecutionPlan for ShortRowsExec {
    fn name(&self) -> &str {
        "ShortRowsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return internal_err!("{} has one input", self.name());
        };
        Ok(Arc::new(Self { input, lists: self.lists.clone() }))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let lists = self.lists.clone();
        let rows = self.input.execute(partition, context)?;
        let schema = rows.schema();
        let short = rows.and_then(move |batch| ready(check(&batch, &lists).map(|()| batch)));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, short)))
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(&self, inputs: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        Ok(Arc::clone(&inputs[0]))
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int64Array, ListArray, StringArray};
    use arrow::datatypes::Int64Type;

    use super::*;

    #[test]
    fn single_rows_are_too_long_and_many_short_ones_are_not() {
        let rows = |texts: Vec<String>| {
            let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..texts.len() as i64));
            let texts: ArrayRef = Arc::new(StringArray::from(texts));
            RecordBatch::try_from_iter([("number", numbers), ("text", texts)]).unwrap()
        };
        check(&rows(vec!["x".repeat(60_000); 100]), &[]).unwrap();
        let mut texts = vec![String::new(); 100];
        texts[57] = "x".repeat(70_000);
        assert!(check(&rows(texts), &[]).is_err());
        check(&rows(Vec::new()), &[]).unwrap();

        let beside = |text: usize, items: i64| {
            let list = ListArray::from_iter_primitive::<Int64Type, _, _>([Some((0..items).map(Some))]);
            let text: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(text)]));
            RecordBatch::try_from_iter([("text", text), ("list", Arc::new(list) as ArrayRef)]).unwrap()
        };
        check(&beside(70_000, 10), &[1]).unwrap();
        check(&beside(10, 1_000_000), &[1]).unwrap();
        assert!(check(&beside(1000, 1_000_000), &[1]).is_err());
    }
}
