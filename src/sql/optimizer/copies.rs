//! Rows that are short enough to be copied, in a session that is served to others.
//!
//! A join has a row of one side once for each row of the other that it meets, a window and a scalar subquery have one value in every
//! row, and `unnest` has the rest of a row beside each item of a list. No pool of memory counts the copies: a text of 60 MB beside 8192
//! rows is half a terabyte. Constants are looked at in the plan ([`crate::bounded`]); what is computed shows when it is there, and so a
//! node below each operator that copies looks at it.

use std::future::ready;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::unnest::UnnestExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use futures::TryStreamExt;

use super::passing::{Passing, PassingExec};
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
    let given = given(&plan)?;
    let mut children: Vec<Arc<dyn ExecutionPlan>> = Vec::new();
    for (place, child) in plan.children().into_iter().enumerate() {
        let input = of_short_rows(Arc::clone(child))?;
        children.push(match copies || subqueries && place > 0 {
            true => Arc::new(PassingExec { input, work: ShortRows { lists: lists.clone(), given: given.clone() } }),
            false => input,
        });
    }
    plan.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Keep))
}

/// What the functions of a window are given, where they may give it to every row: what they answer is no number.
fn given(plan: &Arc<dyn ExecutionPlan>) -> Result<Vec<Arc<dyn PhysicalExpr>>> {
    let functions = match (plan.downcast_ref::<WindowAggExec>(), plan.downcast_ref::<BoundedWindowAggExec>()) {
        (Some(window), _) => window.window_expr(),
        (_, Some(window)) => window.window_expr(),
        _ => &[],
    };
    let mut given = Vec::new();
    for function in functions {
        if function.field()?.data_type().primitive_width().is_none() {
            given.extend(function.expressions());
        }
    }
    Ok(given)
}

/// # Errors
/// A row that is too long to be copied: beside each item of its `lists`, or into a batch of rows where there are none.
fn check(batch: &RecordBatch, lists: &[usize]) -> Result<()> {
    let length = |of_lists: bool| {
        let columns = batch.columns().iter().enumerate().filter(|(place, _)| lists.contains(place) == of_lists);
        columns.map(|(_, column)| bytes(column.as_ref())).sum::<usize>()
    };
    let copies = if lists.is_empty() { COPIES } else { length(true) };
    if length(false).saturating_mul(copies) <= COPIED {
        return Ok(());
    }
    let rows = batch.num_rows();
    if rows < 2 {
        return Err(too_long());
    }
    let half = rows / 2;
    check(&batch.slice(0, half), lists)?;
    check(&batch.slice(half, rows - half), lists)
}

fn too_long() -> DataFusionError {
    DataFusionError::ResourcesExhausted(format!(
        "a row would be copied into more than {} MB by a join, a window, a subquery or unnest: shorten its texts and lists, or leave them out",
        COPIED >> 20
    ))
}

/// The rows that come to a window. They may all be of one partition, and then each has its copy of the longest value.
struct Windowed {
    given: Vec<Arc<dyn PhysicalExpr>>,
    /// Bytes of the longest value of each.
    longest: Vec<usize>,
    rows: usize,
}

impl Windowed {
    fn new(given: Vec<Arc<dyn PhysicalExpr>>) -> Self {
        Self { longest: vec![0; given.len()], given, rows: 0 }
    }

    /// # Errors
    /// A value that is too long to be copied into all rows that came.
    fn check(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows();
        for (value, longest) in self.given.iter().zip(&mut self.longest) {
            let length = match value.evaluate(batch)? {
                ColumnarValue::Array(values) => {
                    let rows = (0..values.len()).map(|row| bytes(values.slice(row, 1).as_ref()));
                    rows.max().unwrap_or_default()
                }
                ColumnarValue::Scalar(value) => bytes(value.to_array()?.as_ref()),
            };
            *longest = length.max(*longest);
        }
        match self.longest.iter().sum::<usize>().saturating_mul(self.rows) <= COPIED {
            true => Ok(()),
            false => Err(too_long()),
        }
    }
}

/// Fails at the first row that is too long.
#[derive(Debug, Clone)]
struct ShortRows {
    /// The columns that `unnest` takes apart.
    lists: Vec<usize>,
    /// What a window may copy.
    given: Vec<Arc<dyn PhysicalExpr>>,
}

impl Passing for ShortRows {
    const NAME: &'static str = "ShortRowsExec";

    fn again(&self) -> Self {
        self.clone()
    }

    fn execute(
        &self,
        input: &dyn ExecutionPlan,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let (lists, mut windowed) = (self.lists.clone(), Windowed::new(self.given.clone()));
        let rows = input.execute(partition, context)?;
        let schema = rows.schema();
        let short = rows.and_then(move |batch| {
            let checked = check(&batch, &lists).and_then(|()| windowed.check(&batch));
            ready(checked.map(|()| batch))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, short)))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, DictionaryArray, Int64Array, ListArray, StringArray};
    use arrow::datatypes::{Int32Type, Int64Type};
    use datafusion::physical_expr::expressions::Column;

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

        // A word of a dictionary is copied by what makes a text of it.
        let word = |length: usize| {
            let words: DictionaryArray<Int32Type> = [Some("x".repeat(length).as_str())].into_iter().collect();
            RecordBatch::try_from_iter([("word", Arc::new(words) as ArrayRef)]).unwrap()
        };
        check(&word(60_000), &[]).unwrap();
        assert!(check(&word(70_000), &[]).is_err());
    }

    #[test]
    fn a_window_has_as_many_copies_as_rows_came() {
        let rows = |text: usize, rows: usize| {
            let mut texts = vec![String::new(); rows];
            texts[rows / 2] = "x".repeat(text);
            RecordBatch::try_from_iter([("text", Arc::new(StringArray::from(texts)) as ArrayRef)]).unwrap()
        };
        let given: Vec<Arc<dyn PhysicalExpr>> = vec![Arc::new(Column::new("text", 0))];
        let mut short = Windowed::new(given.clone());
        (0..100).for_each(|_| short.check(&rows(500, 8192)).unwrap());
        let mut long = Windowed::new(given);
        long.check(&rows(60_000, 8192)).unwrap();
        assert!(long.check(&rows(0, 8192)).is_err());
        // Numbers are no copies.
        Windowed::new(Vec::new()).check(&rows(60_000, 100_000)).unwrap();
    }
}
