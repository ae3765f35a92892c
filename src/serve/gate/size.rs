//! How large a short statement may grow while it is planned. A plan shares what is named twice; the optimizer does not: it plans a
//! subquery as often as it is named, and moves a condition to the rows by writing its columns out.

use std::collections::HashMap;

use datafusion::common::Column;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan};

use crate::error::{Kind, Refusal};

/// Most nodes of a plan, each counted as often as it is named.
const NODES: usize = 10_000;
/// Most parts of an expression whose columns are written out: more than a list among the values of a statement has.
const PARTS: usize = 500_000;

/// Before there is a plan: the engine looks at a step as often as it is named while it makes one.
///
/// # Errors
/// A statement that would not end being planned: forty steps that each name the one before twice are a trillion.
pub(super) fn check_named(tables: usize) -> Result<(), Refusal> {
    if tables <= NODES { Ok(()) } else { Err(too_often()) }
}

/// # Errors
/// A plan that would not end being optimised, by its steps or by the length of its expressions.
pub(super) fn check(plan: &LogicalPlan) -> Result<(), Refusal> {
    let mut size = Size { nodes: 0, parts: 0 };
    size.of(plan);
    if size.nodes <= NODES && size.parts <= PARTS { Ok(()) } else { Err(too_often()) }
}

fn too_often() -> Refusal {
    let message = "the steps of the statement name one another too often: name each once, or ask for less at a time";
    Refusal::new(Kind::TooMuch, message)
}

struct Size {
    nodes: usize,
    parts: usize,
}

impl Size {
    /// The parts of each column of a plan, written out.
    fn of(&mut self, plan: &LogicalPlan) -> Vec<usize> {
        let columns = plan.schema().fields().len();
        self.nodes += 1;
        if self.nodes > NODES {
            return vec![1; columns];
        }
        let (mut known, mut inner) = (HashMap::new(), Vec::new());
        for input in plan.inputs() {
            let parts = self.of(input);
            known.extend(input.schema().columns().into_iter().zip(parts.iter().copied()));
            inner.extend(parts);
        }
        // Neither walk fails.
        let _ = plan.apply_subqueries(|subquery| {
            self.of(subquery);
            Ok(TreeNodeRecursion::Continue)
        });
        let mut own = Vec::new();
        let _ = plan.apply_expressions(|expr| {
            own.push(written_out(expr, &known));
            Ok(TreeNodeRecursion::Continue)
        });
        let longest = inner.iter().copied().max().unwrap_or(1);
        self.parts = own.iter().copied().fold(self.parts, usize::max);
        match plan {
            LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_) if own.len() == columns => own,
            LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_) => {
                vec![own.iter().copied().max().unwrap_or(longest); columns]
            }
            _ if inner.len() == columns => inner,
            _ => vec![longest; columns],
        }
    }
}

fn written_out(expr: &Expr, known: &HashMap<Column, usize>) -> usize {
    let mut parts = 0_usize;
    let _ = expr.apply(|part| {
        let own = match part {
            Expr::Column(column) => known.get(column).copied().unwrap_or(1),
            _ => 1,
        };
        parts = parts.saturating_add(own);
        Ok(TreeNodeRecursion::Continue)
    });
    parts
}
