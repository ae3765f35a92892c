//! Rows whose answer cannot matter. In `void > 0.5 OR predict_ef(structure) < -2` a row with a large void is in whatever
//! the model says, and in `CASE WHEN class = 'binary' THEN predict_ef(structure) END` only binaries are computed.
//!
//! A call is narrowed where its column is used by the operator directly above it and by nothing further up; the cheap
//! conditions around its uses then say for which rows it is needed.

use std::collections::HashSet;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator};

use super::cost::has_calls;
use super::node::{Call, Evaluate};

/// Narrows every call of the plan to the rows that need it.
pub(super) fn narrow(plan: LogicalPlan) -> Result<LogicalPlan> {
    descend(plan, None)
}

/// `required`: the columns of `plan` that are used above; `None`: all of them.
fn descend(plan: LogicalPlan, required: Option<HashSet<Column>>) -> Result<LogicalPlan> {
    // Which columns pass on to the input, beside those that the operator uses itself.
    let passed: Option<HashSet<Column>> = match &plan {
        LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_) => Some(HashSet::new()),
        LogicalPlan::Filter(_) | LogicalPlan::Sort(_) | LogicalPlan::Limit(_) | LogicalPlan::Join(_) => required,
        LogicalPlan::SubqueryAlias(alias) => required.map(|required| {
            let input = alias.input.schema();
            let outer = alias.schema.iter().map(Column::from);
            let inner = input.iter().map(Column::from);
            outer.zip(inner).filter(|(outer, _)| required.contains(outer)).map(|(_, inner)| inner).collect()
        }),
        other => match Evaluate::of(other) {
            Some(_) => required,
            None => None,
        },
    };
    let exprs = plan.expressions();
    let used = passed.clone().map(|mut columns| {
        columns.extend(exprs.iter().flat_map(Expr::column_refs).cloned());
        columns
    });
    plan.map_children(|child| {
        let child = match (Evaluate::of(&child), &passed) {
            (Some(node), Some(passed)) => {
                let calls = node.calls.iter().map(|call| narrowed(call, node, &exprs, passed)).collect();
                Evaluate::try_new(node.input.clone(), calls, node.cost)?.into_plan()
            }
            _ => child,
        };
        descend(child, used.clone()).map(Transformed::yes)
    })
    .data()
}

fn narrowed(call: &Call, node: &Evaluate, users: &[Expr], required: &HashSet<Column>) -> Call {
    let column = Column::new_unqualified(&call.name);
    let need = match required.contains(&column) {
        true => Need::Always,
        false => users.iter().map(|e| need(e, &column, node.input.schema())).fold(Need::Never, Need::or),
    };
    let needed = match need {
        Need::When(condition) => Some(condition),
        Need::Always | Need::Never => None,
    };
    Call { needed, ..call.clone() }
}

/// For which rows an expression looks at a column.
#[derive(Debug, Clone, PartialEq)]
enum Need {
    Never,
    When(Expr),
    Always,
}

impl Need {
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, need) | (need, Self::Never) => need,
            (Self::When(a), Self::When(b)) if a == b => Self::When(a),
            (Self::When(a), Self::When(b)) => Self::When(a.or(b)),
            _ => Self::Always,
        }
    }

    fn and(self, condition: Option<Expr>) -> Self {
        match (self, condition) {
            (Self::When(a), Some(b)) => Self::When(b.and(a)),
            (Self::Always, Some(condition)) => Self::When(condition),
            (need, _) => need,
        }
    }
}

/// For which rows `expr` looks at `column`; conditions are over `input`, below the column.
fn need(expr: &Expr, column: &Column, input: &DFSchema) -> Need {
    let need = |e: &Expr| need(e, column, input);
    // A condition that guards: cheap, and known before the column is.
    let guard = |e: &Expr, wrap: fn(Box<Expr>) -> Expr| {
        let known = e.column_refs().iter().all(|c| input.has_column(c));
        (known && !has_calls(e) && !e.is_volatile() && !has_subquery(e)).then(|| wrap(Box::new(e.clone())))
    };
    match expr {
        Expr::Column(c) if c == column => Need::Always,
        _ if !expr.column_refs().contains(column) => Need::Never,
        Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
            let wrap: fn(Box<Expr>) -> Expr = match op {
                Operator::And => Expr::IsNotFalse,
                _ => Expr::IsNotTrue,
            };
            need(left).and(guard(right, wrap)).or(need(right).and(guard(left, wrap)))
        }
        Expr::Case(case) => {
            // Each branch is reached where its own condition holds and, if that is known, no earlier one did.
            let whole = |when: &Expr| match &case.expr {
                Some(base) => base.as_ref().clone().eq(when.clone()),
                None => when.clone(),
            };
            let mut reached: Option<Expr> = None;
            let mut all = case.expr.as_ref().map_or(Need::Never, |base| need(base));
            for (when, then) in &case.when_then_expr {
                let when = whole(when);
                all = all.or(need(&when).and(reached.clone()));
                let here = match (reached.clone(), guard(&when, Expr::IsTrue)) {
                    (Some(a), Some(b)) => Some(a.and(b)),
                    (a, b) => a.or(b),
                };
                all = all.or(need(then).and(here));
                reached = match (reached, guard(&when, Expr::IsNotTrue)) {
                    (Some(a), Some(b)) => Some(a.and(b)),
                    (a, b) => a.or(b),
                };
            }
            case.else_expr.as_ref().map_or(Need::Never, |e| need(e).and(reached)).or(all)
        }
        Expr::AggregateFunction(AggregateFunction { params, .. }) => {
            let order = params.order_by.iter().map(|sort| need(&sort.expr));
            let arguments = params.args.iter().map(need).chain(order).fold(Need::Never, Need::or);
            match params.filter.as_deref() {
                Some(filter) => arguments.and(guard(filter, Expr::IsTrue)).or(need(filter)),
                None => arguments,
            }
        }
        _ => {
            let mut all = Need::Never;
            // The closure never fails.
            let _ = expr.apply_children(|child| {
                all = std::mem::replace(&mut all, Need::Never).or(need(child));
                Ok(datafusion::common::tree_node::TreeNodeRecursion::Continue)
            });
            all
        }
    }
}

/// A subquery can be planned where it stands, not in a guard.
fn has_subquery(expr: &Expr) -> bool {
    use Expr::{Exists, InSubquery, ScalarSubquery, SetComparison};
    expr.exists(|e| Ok(matches!(e, Exists(_) | InSubquery(_) | ScalarSubquery(_) | SetComparison(_)))).unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::{DataType, Field, Schema};
    use datafusion::functions_aggregate::expr_fn::avg;
    use datafusion::logical_expr::{ExprFunctionExt, col, lit, when};

    use super::*;

    /// Where `expr` looks at the column `e`, over an input with the columns `v` and `w`.
    fn need_of(expr: Expr) -> String {
        let fields = ["v", "w"].map(|name| Field::new(name, DataType::Float64, true));
        let input = DFSchema::try_from(Schema::new(fields.to_vec())).unwrap();
        match need(&expr, &Column::new_unqualified("e"), &input) {
            Need::When(condition) => condition.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn an_or_and_an_and_need_what_the_other_side_leaves_open() {
        let (v, e) = (col("v").gt(lit(1)), col("e").lt(lit(2)));
        assert_eq!(need_of(v.clone().or(e.clone())), "v > Int32(1) IS NOT TRUE");
        assert_eq!(need_of(e.clone().and(v.clone())), "v > Int32(1) IS NOT FALSE");
        assert_eq!(need_of(v.clone().or(e.clone()).and(e.clone())), "Always");
        assert_eq!(need_of(v), "Never");
        assert_eq!(need_of(e.clone().or(col("x").gt(lit(1)))), "Always", "x is not known before e");
        assert_eq!(need_of(e.or(col("w").gt(col("e")))), "Always");
    }

    #[test]
    fn a_case_needs_what_reaches_its_branch() {
        let case = when(col("v").gt(lit(1)), lit(0)).when(col("w").gt(lit(1)), col("e")).otherwise(lit(0)).unwrap();
        assert_eq!(need_of(case), "v > Int32(1) IS NOT TRUE AND w > Int32(1) IS TRUE");
        let first = when(col("e").gt(lit(1)), lit(0)).otherwise(lit(1)).unwrap();
        assert_eq!(need_of(first), "Always");
        let last = when(col("v").gt(lit(1)), lit(0)).otherwise(col("e")).unwrap();
        assert_eq!(need_of(last), "v > Int32(1) IS NOT TRUE");
    }

    #[test]
    fn an_aggregate_needs_what_its_filter_lets_through() {
        let filtered = avg(col("e")).filter(col("v").gt(lit(1))).build().unwrap();
        assert_eq!(need_of(filtered), "v > Int32(1) IS TRUE");
        assert_eq!(need_of(avg(col("e"))), "Always");
    }

    #[test]
    fn a_subquery_is_no_guard() {
        let plan =
            datafusion::logical_expr::LogicalPlanBuilder::empty(true).project([lit(1)]).unwrap().build().unwrap();
        let within = datafusion::logical_expr::in_subquery(col("v"), Arc::new(plan));
        assert_eq!(need_of(within.or(col("e").gt(lit(1)))), "Always");
    }
}
