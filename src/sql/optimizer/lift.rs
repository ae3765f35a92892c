//! The rule: every costly call in a node of its own, as high in the plan as it may stand.
//!
//! It runs before the engine's own rules, so that to them a prediction is a column like any other: they push cheap
//! predicates below it, limits through it, and cannot push it into a scan. In each further pass of the optimizer the
//! nodes are dissolved and placed again, because by then subqueries have become joins, cross joins have found their keys and
//! limits have moved.

use std::sync::Arc;

use datafusion::common::alias::AliasGenerator;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result, internal_err};
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::logical_plan::builder::build_join_schema;
use datafusion::logical_expr::utils::split_conjunction_owned;
use datafusion::logical_expr::{
    Aggregate, BinaryExpr, DmlStatement, Expr, Filter, Join, JoinType, LogicalPlan, Operator, Projection, Sort,
    Subquery, SubqueryAlias, TableScan, Window, WriteOp,
};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

use super::cost::{calls, has_calls};
use super::guard;
use super::node::Evaluate;
use super::state::{State, named};

/// Lifts costly calls into [`Evaluate`] nodes.
#[derive(Debug, Default)]
pub struct LiftCalls;

impl OptimizerRule for LiftCalls {
    fn name(&self) -> &str {
        "lift_calls"
    }

    /// The whole plan at once: what is taken out below is put back above.
    fn apply_order(&self) -> Option<ApplyOrder> {
        None
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        if !concerns(&plan)? {
            return Ok(Transformed::no(plan));
        }
        let lifter = Lifter { aliases: config.alias_generator() };
        Ok(Transformed::yes(guard::narrow(lifter.settled(plan)?)?))
    }
}

/// Whether the plan holds a call to lift or a node to place again.
fn concerns(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        found |= Evaluate::of(node).is_some() || node.expressions().iter().any(has_calls);
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

struct Lifter<'a> {
    aliases: &'a AliasGenerator,
}

impl Lifter<'_> {
    /// The plan with the same columns and its calls lifted.
    fn settled(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let original = Arc::clone(plan.schema());
        self.lift(plan, false)?.settle(&original, self.aliases)
    }

    /// Lifts the calls of a plan as far as its root. `limited`: an operator above takes only some of the rows.
    fn lift(&self, plan: LogicalPlan, limited: bool) -> Result<State> {
        let plan = self.lift_subqueries(plan)?;
        if is_correlated(&plan) {
            return self.rebuild(plan);
        }
        match plan {
            LogicalPlan::Filter(Filter { predicate, input, .. }) => {
                let mut state = self.lift(Arc::unwrap_or_clone(input), limited)?;
                state.filter(split_conjunction_owned(predicate))?;
                Ok(state)
            }
            LogicalPlan::Projection(Projection { expr, input, schema, .. }) => {
                self.lift(Arc::unwrap_or_clone(input), limited)?.project(expr, &schema, self.aliases)
            }
            LogicalPlan::SubqueryAlias(alias) => self.subquery_alias(alias, limited),
            LogicalPlan::Sort(sort) => self.sort(sort, limited),
            LogicalPlan::Limit(mut limit) => {
                let mut state = self.lift(Arc::unwrap_or_clone(limit.input), true)?;
                state.apply_pending_in_order(self.aliases)?;
                limit.input = Arc::new(std::mem::take(&mut state.plan));
                state.plan = LogicalPlan::Limit(limit);
                Ok(state)
            }
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate),
            LogicalPlan::Window(window) => self.window(window),
            LogicalPlan::TableScan(scan) => self.table_scan(scan),
            // DELETE and UPDATE read their predicate back from the plan: it must stay in one piece.
            LogicalPlan::Dml(DmlStatement {
                op: WriteOp::Delete | WriteOp::Update | WriteOp::MergeInto(_), ..
            }) => Ok(State::new(plan)),
            LogicalPlan::Extension(_) => match Evaluate::of(&plan) {
                Some(node) => self.lift(node.input.clone(), limited)?.dissolve(&node.calls),
                None => self.rebuild(plan),
            },
            other => self.rebuild(other),
        }
    }

    /// Everything else keeps its inputs as they were.
    fn rebuild(&self, plan: LogicalPlan) -> Result<State> {
        let plan = plan.map_children(|child| match is_lateral(&child) {
            true => Ok(Transformed::no(child)),
            false => self.settled(child).map(Transformed::yes),
        })?;
        Ok(State::new(plan.data))
    }

    /// Lifts within the subqueries of the node's expressions, where they stand on their own.
    fn lift_subqueries(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let inner = |subquery: Subquery| -> Result<Subquery> {
            if !subquery.outer_ref_columns.is_empty() {
                return Ok(subquery);
            }
            let plan = self.settled(Arc::unwrap_or_clone(Arc::clone(&subquery.subquery)))?;
            Ok(subquery.with_plan(Arc::new(plan)))
        };
        plan.map_expressions(|expr| {
            expr.transform_up(|e| {
                Ok(match e {
                    Expr::ScalarSubquery(subquery) => Transformed::yes(Expr::ScalarSubquery(inner(subquery)?)),
                    Expr::Exists(Exists { subquery, negated }) => {
                        Transformed::yes(Expr::Exists(Exists { subquery: inner(subquery)?, negated }))
                    }
                    Expr::InSubquery(InSubquery { expr, subquery, negated }) => {
                        Transformed::yes(Expr::InSubquery(InSubquery { expr, subquery: inner(subquery)?, negated }))
                    }
                    other => Transformed::no(other),
                })
            })
        })
        .data()
    }

    fn subquery_alias(&self, node: SubqueryAlias, limited: bool) -> Result<State> {
        let original = Arc::clone(node.input.schema());
        let mut state = self.lift(Arc::unwrap_or_clone(node.input), limited)?;
        let mut names: Vec<&String> = state.plan.schema().fields().iter().map(|f| f.name()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            state = State::new(state.settle(&original, self.aliases)?);
        }
        let alias = node.alias;
        let plan = std::mem::take(&mut state.plan);
        state.plan = LogicalPlan::SubqueryAlias(SubqueryAlias::try_new(Arc::new(plan), alias.clone())?);
        state.rename(|c| Some(Column::new(Some(alias.clone()), &c.name)), true)?;
        Ok(state)
    }

    /// Below a limit a sort may come first, so that predicates above it stop early; otherwise it sorts what is left.
    fn sort(&self, mut sort: Sort, limited: bool) -> Result<State> {
        let original = Arc::clone(sort.input.schema());
        let mut state = self.lift(Arc::unwrap_or_clone(sort.input), limited || sort.fetch.is_some())?;
        if sort.fetch.is_some() {
            state.apply_pending(self.aliases)?;
        } else if !limited {
            state = State::new(state.settle(&original, self.aliases)?);
        }
        for key in &mut sort.expr {
            key.expr = state.resolve(std::mem::take(&mut key.expr))?;
        }
        let keys: Vec<_> = sort.expr.iter().flat_map(|key| calls(&key.expr)).collect();
        if !keys.is_empty() {
            state.apply_pending(self.aliases)?;
            state.materialise(keys, self.aliases)?;
            for key in &mut sort.expr {
                key.expr = state.resolve(std::mem::take(&mut key.expr))?;
            }
        }
        if sort.fetch.is_none() && state.order == sort.expr {
            return Ok(state);
        }
        state.order = if sort.fetch.is_none() { sort.expr.clone() } else { vec![] };
        sort.input = Arc::new(std::mem::take(&mut state.plan));
        state.plan = LogicalPlan::Sort(sort);
        Ok(state)
    }

    /// A join that keeps or drops whole rows of a side lets that side's work wait; one that invents NULLs does not, and
    /// one without a condition multiplies rows.
    fn join(&self, join: Join) -> Result<State> {
        use JoinType::*;
        let (left_schema, right_schema) = (Arc::clone(join.left.schema()), Arc::clone(join.right.schema()));
        let mut left = self.lift(Arc::unwrap_or_clone(join.left), false)?;
        let mut right = self.lift(Arc::unwrap_or_clone(join.right), false)?;
        let conditional = !join.on.is_empty() || join.filter.is_some();
        let inner = join.join_type == Inner && conditional;
        let wait_left = inner || matches!(join.join_type, Left | LeftSemi | LeftAnti | LeftMark);
        let wait_right = inner || matches!(join.join_type, Right | RightSemi | RightAnti | RightMark);
        let clash = build_join_schema(left.plan.schema(), right.plan.schema(), &join.join_type).is_err();
        if !wait_left || clash {
            left = State::new(left.settle(&left_schema, self.aliases)?);
        }
        if !wait_right || clash {
            right = State::new(right.settle(&right_schema, self.aliases)?);
        }

        let mut on = vec![];
        for (l, r) in join.on {
            let (l, r) = (left.resolve(l)?, right.resolve(r)?);
            left.materialise(calls(&l), self.aliases)?;
            right.materialise(calls(&r), self.aliases)?;
            on.push((left.resolve(l)?, right.resolve(r)?));
        }
        let mut conditions = vec![];
        let mut pending = vec![];
        for condition in join.filter.map(split_conjunction_owned).unwrap_or_default() {
            let mut condition = right.resolve(left.resolve(condition)?)?;
            // The condition must be known before the join where the join hangs on it.
            if join.join_type != Inner || is_key(&condition, &left, &right) {
                for call in calls(&condition) {
                    for side in [&mut left, &mut right] {
                        if call.column_refs().iter().all(|c| side.plan.schema().has_column(c)) {
                            side.materialise(vec![call.clone()], self.aliases)?;
                            break;
                        }
                    }
                }
                condition = right.resolve(left.resolve(condition)?)?;
            }
            if join.join_type == Inner && has_calls(&condition) {
                pending.push(condition);
            } else {
                conditions.push(condition);
            }
        }
        let plan = Join::try_new(
            Arc::new(std::mem::take(&mut left.plan)),
            Arc::new(std::mem::take(&mut right.plan)),
            on,
            datafusion::logical_expr::utils::conjunction(conditions),
            join.join_type,
            join.join_constraint,
            join.null_equality,
            join.null_aware,
        )?;
        let mut state = match join.join_type {
            RightSemi | RightAnti | RightMark => right,
            LeftSemi | LeftAnti | LeftMark => left,
            _ => {
                left.absorb(right);
                left
            }
        };
        state.plan = LogicalPlan::Join(plan);
        state.pending.extend(pending);
        Ok(state)
    }

    fn aggregate(&self, node: Aggregate) -> Result<State> {
        let mut state = self.lift(Arc::unwrap_or_clone(node.input), false)?;
        state.apply_pending(self.aliases)?;
        let group = self.ready(&mut state, node.group_expr)?;
        let aggregates = self.ready(&mut state, node.aggr_expr)?;
        // Two outputs that ask the same (`SELECT DISTINCT f(x) AS a, f(x) AS b`) have become one column.
        let (group, groups) = distinct(group);
        let (aggregates, places) = distinct(aggregates);
        let plan = LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(state.plan), group, aggregates)?);
        let columns: Vec<Column> = columns(&plan).collect();
        let of_groups = node.schema.fields().len() - places.len();
        let first = columns.len() - places.iter().max().map_or(0, |last| last + 1);
        // Sets of groups are one expression and many columns.
        let groups = if groups.len() == of_groups { groups } else { (0..of_groups).collect() };
        let places = groups.into_iter().chain(places.into_iter().map(|place| first + place));
        let names: Vec<Expr> = places
            .zip(node.schema.iter())
            .map(|(place, original)| match columns.get(place) {
                Some(column) => Ok(named(Expr::Column(column.clone()), &Column::from(original))),
                None => internal_err!("an aggregate lost its column {place}"),
            })
            .collect::<Result<_>>()?;
        if names.iter().all(|name| matches!(name, Expr::Column(_))) {
            return Ok(State::new(plan));
        }
        Ok(State::new(LogicalPlan::Projection(Projection::try_new(names, Arc::new(plan))?)))
    }

    fn window(&self, node: Window) -> Result<State> {
        let input_schema = Arc::clone(node.input.schema());
        let mut state = self.lift(Arc::unwrap_or_clone(node.input), false)?;
        state.apply_pending(self.aliases)?;
        let exprs = self.ready(&mut state, node.window_expr.clone())?;
        if exprs == node.window_expr {
            let input = std::mem::take(&mut state.plan);
            state.plan = LogicalPlan::Window(Window::try_new(exprs, Arc::new(input))?);
            return Ok(state);
        }
        let deferred: Vec<Expr> = state.originals(&input_schema)?.iter().flat_map(calls).collect();
        state.materialise(deferred, self.aliases)?;
        let mut outputs = state.originals(&input_schema)?;
        let width = state.plan.schema().fields().len();
        let plan = LogicalPlan::Window(Window::try_new(exprs, Arc::new(state.plan))?);
        let renamed = columns(&plan).skip(width).zip(node.schema.iter().skip(input_schema.fields().len()));
        outputs.extend(renamed.map(|(column, original)| named(Expr::Column(column), &Column::from(original))));
        Ok(State::new(LogicalPlan::Projection(Projection::try_new(outputs, Arc::new(plan))?)))
    }

    /// `exprs` over the state's plan, with every call available.
    fn ready(&self, state: &mut State, exprs: Vec<Expr>) -> Result<Vec<Expr>> {
        let resolved: Vec<Expr> = exprs.into_iter().map(|e| state.resolve(e)).collect::<Result<_>>()?;
        state.materialise(resolved.iter().flat_map(calls).collect(), self.aliases)?;
        resolved.into_iter().map(|e| state.resolve(e)).collect()
    }

    /// A scan keeps only cheap filters.
    fn table_scan(&self, mut scan: TableScan) -> Result<State> {
        let (costly, cheap): (Vec<Expr>, Vec<Expr>) =
            std::mem::take(&mut scan.filters).into_iter().partition(has_calls);
        scan.filters = cheap;
        let mut state = State::new(LogicalPlan::TableScan(scan));
        state.filter(costly)?;
        Ok(state)
    }
}

/// The different ones of `exprs`, and for each of `exprs` its place among them.
fn distinct(exprs: Vec<Expr>) -> (Vec<Expr>, Vec<usize>) {
    let mut different: Vec<Expr> = vec![];
    let places = exprs
        .into_iter()
        .map(|expr| {
            different.iter().position(|known| *known == expr).unwrap_or_else(|| {
                different.push(expr);
                different.len() - 1
            })
        })
        .collect();
    (different, places)
}

/// Whether an equality relates the two sides of a join, so that it can find their pairs.
fn is_key(condition: &Expr, left: &State, right: &State) -> bool {
    let Expr::BinaryExpr(BinaryExpr { left: a, op: Operator::Eq, right: b }) = condition else { return false };
    let within = |expr: &Expr, side: &State| {
        let columns = expr.column_refs();
        !columns.is_empty() && columns.iter().all(|c| side.plan.schema().has_column(c))
    };
    (within(a, left) && within(b, right)) || (within(a, right) && within(b, left))
}

fn columns(plan: &LogicalPlan) -> impl Iterator<Item = Column> + '_ {
    plan.schema().iter().map(Column::from)
}

/// Whether a subquery of the node looks at the node's own rows: its columns must then be where it expects them.
fn is_correlated(plan: &LogicalPlan) -> bool {
    let outer = |subquery: &Subquery| !subquery.outer_ref_columns.is_empty();
    let in_expr = |expr: &Expr| {
        expr.exists(|e| {
            Ok(match e {
                Expr::ScalarSubquery(subquery) => outer(subquery),
                Expr::Exists(exists) => outer(&exists.subquery),
                Expr::InSubquery(within) => outer(&within.subquery),
                Expr::SetComparison(comparison) => outer(&comparison.subquery),
                _ => false,
            })
        })
        .unwrap_or(true)
    };
    plan.expressions().iter().any(in_expr)
        || (matches!(plan, LogicalPlan::Join(_)) && plan.inputs().into_iter().any(is_lateral))
}

/// Whether a side of a join looks at the rows of the other side. The engine turns such a join into a common one, if it
/// finds the side as it was written; the next pass then lifts its calls.
fn is_lateral(side: &LogicalPlan) -> bool {
    match side {
        LogicalPlan::Subquery(subquery) => !subquery.outer_ref_columns.is_empty(),
        LogicalPlan::SubqueryAlias(alias) => is_lateral(&alias.input),
        _ => false,
    }
}
