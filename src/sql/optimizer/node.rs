//! The logical node: its input plus one column for each lifted call.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use datafusion::common::{DFSchema, DFSchemaRef, Result, internal_datafusion_err};
use datafusion::logical_expr::{Expr, ExprSchemable, Extension, LogicalPlan, UserDefinedLogicalNodeCore};

use super::Cost;

/// A lifted call and the column that holds its values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Call {
    /// The call, in terms of the node's input.
    pub expr: Expr,
    /// Name of the new column.
    pub name: String,
    /// Rows for which the value matters; on all others the column may be NULL. `None`: all rows.
    pub needed: Option<Expr>,
}

/// Evaluates costly calls, once a row, below what uses them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Evaluate {
    /// Rows to evaluate on.
    pub input: LogicalPlan,
    /// Distinct calls, all of one class of cost.
    pub calls: Vec<Call>,
    /// That class.
    pub cost: Cost,
    schema: DFSchemaRef,
}

impl Evaluate {
    /// A node that adds the columns of `calls` to `input`.
    ///
    /// # Errors
    /// A call that does not fit the input, or a name that is taken.
    pub fn try_new(input: LogicalPlan, calls: Vec<Call>, cost: Cost) -> Result<Self> {
        let mut fields: Vec<_> = input.schema().iter().map(|(q, f)| (q.cloned(), Arc::clone(f))).collect();
        for call in &calls {
            let field = call.expr.to_field(input.schema())?.1;
            fields.push((None, Arc::new(field.as_ref().clone().with_name(&call.name).with_nullable(true))));
        }
        let schema = DFSchema::new_with_metadata(fields, input.schema().metadata().clone())?;
        Ok(Self { input, calls, cost, schema: Arc::new(schema) })
    }

    /// As a plan.
    pub fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(self) })
    }

    /// The node in `plan`, if it is one of ours.
    pub fn of(plan: &LogicalPlan) -> Option<&Self> {
        match plan {
            LogicalPlan::Extension(extension) => extension.node.as_any().downcast_ref(),
            _ => None,
        }
    }
}

impl PartialOrd for Evaluate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let order = self.input.partial_cmp(&other.input)?;
        (order != Ordering::Equal || self == other).then_some(order)
    }
}

impl UserDefinedLogicalNodeCore for Evaluate {
    fn name(&self) -> &str {
        match self.cost {
            Cost::Model => "Predict",
            _ => "Compute",
        }
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.calls.iter().flat_map(|call| [Some(&call.expr), call.needed.as_ref()]).flatten().cloned().collect()
    }

    /// Only what compares the new columns must stay above: every other predicate reduces the work if it comes first.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        self.calls.iter().map(|call| call.name.clone()).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: ", self.name())?;
        for (i, call) in self.calls.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{} AS {}", call.expr, call.name)?;
            if let Some(needed) = &call.needed {
                write!(f, " WHERE {needed}")?;
            }
        }
        Ok(())
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let mut exprs = exprs.into_iter();
        let mut next = || exprs.next().ok_or_else(|| internal_datafusion_err!("{} lost an expression", self.name()));
        let mut calls = Vec::with_capacity(self.calls.len());
        for call in &self.calls {
            let expr = next()?.unalias();
            let needed = if call.needed.is_some() { Some(next()?.unalias()) } else { None };
            calls.push(Call { expr, name: call.name.clone(), needed });
        }
        let input = inputs.pop().ok_or_else(|| internal_datafusion_err!("{} lost its input", self.name()))?;
        Self::try_new(input, calls, self.cost)
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let width = self.input.schema().fields().len();
        Some(vec![output_columns.iter().copied().filter(|&i| i < width).collect()])
    }

    /// One row out for each row in.
    fn supports_limit_pushdown(&self) -> bool {
        true
    }
}
