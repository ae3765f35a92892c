//! `UPDATE` and `DELETE`.
//!
//! The lake's tables take assignments and conditions on the columns of one row. The engine reads them off the optimised plan, in which
//! a condition with a subquery has become a join and an expression that occurs twice a column of its own; so they are read off the
//! plan as it was written, with the answers of subqueries in their places. The writer's turn is taken before the statement is planned:
//! what it changes is what is there.

use std::collections::HashSet;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, Result, not_impl_err, plan_err};
use datafusion::logical_expr::utils::split_conjunction_owned;
use datafusion::logical_expr::{DmlStatement, Expr, LogicalPlan, WriteOp};
use datafusion::physical_plan::collect;
use datafusion::prelude::DataFrame;
use datafusion::sql::parser::Statement as Parsed;
use datafusion::sql::sqlparser::ast::{AssignmentTarget, ObjectNamePart, Statement, Update};

use super::{assigned, is_kept, subqueries, table_of};
use crate::session::Session;
use crate::statements::{self, Next};
use store::{Store, derived, holds_crystals};

/// The column that the others of a table of crystals follow.
const STRUCTURE: &str = "structure";

impl Session {
    /// Carries out the UPDATE or DELETE that `text` is.
    pub(super) async fn change(&self, store: &Store, text: &str) -> Result<DataFrame> {
        let _turn = store.lock().await?;
        let state = self.context().state();
        let plan = match statements::begin(self, text).await? {
            Next::Plan(plan) => *plan,
            Next::Done => return self.counted(0),
        };
        let plan = state.analyzer().execute_and_check(plan, state.config_options(), |_, _| {})?;
        let LogicalPlan::Dml(dml) = plan else { return plan_err!("expected UPDATE or DELETE") };
        if !is_kept(&dml.target) {
            return plan_err!("'{}' was replaced while the statement ran; run it again", dml.table_name);
        }
        let table = table_of(&dml)?;
        let mut conditions = Vec::new();
        for condition in conditions_of(&dml.input)? {
            conditions.push(row_expression(self, condition).await?);
        }
        let plan = match dml.op {
            WriteOp::Update => {
                let assignments = self.assignments(text, &dml).await?;
                table.update(&state, assignments, conditions).await?
            }
            _ => table.delete_from(&state, conditions).await?,
        };
        let changed = collect(plan, self.context().task_ctx()).await?;
        match changed.into_iter().next() {
            Some(count) => self.context().read_batch(count),
            None => self.counted(0),
        }
    }

    /// The new values of an UPDATE, by column. In a table of crystals the derived columns follow a new structure.
    async fn assignments(&self, text: &str, dml: &DmlStatement) -> Result<Vec<(String, Expr)>> {
        let LogicalPlan::Projection(projection) = dml.input.as_ref() else {
            return not_impl_err!("an UPDATE of this kind");
        };
        let mut assignments = Vec::new();
        for expression in &projection.expr {
            let Expr::Alias(alias) = expression else { continue };
            let value = row_expression(self, alias.expr.as_ref().clone()).await?;
            let is_itself = matches!(&value, Expr::Column(column) if column.name == alias.name);
            if !is_itself || alias.name == STRUCTURE {
                assignments.push((alias.name.clone(), value));
            }
        }
        let schema = dml.target.schema();
        let named = self.assigned_columns(text)?;
        let crystal = assignments.iter().position(|(name, _)| name == STRUCTURE).map(|at| assignments.remove(at).1);
        if !holds_crystals(&schema) {
            let changed = crystal.filter(|value| !matches!(value, Expr::Column(column) if column.name == STRUCTURE));
            assignments.extend(changed.map(|value| (STRUCTURE.to_owned(), value)));
            return Ok(assignments);
        }
        if let Some(name) = derived().find(|name| named.contains(*name)) {
            return plan_err!(
                "{name} is computed from the crystal and follows it: set structure. Where {name} is wrong, `UPDATE {} SET \
                 structure = structure WHERE ..` computes it anew",
                dml.table_name
            );
        }
        if let Some(crystal) = crystal.filter(|_| named.contains(STRUCTURE)) {
            assignments.extend(assigned::crystal_columns(&self.context().state(), &schema, crystal)?);
        }
        Ok(assignments)
    }

    /// The columns to which an UPDATE assigns, as it is written.
    fn assigned_columns(&self, text: &str) -> Result<HashSet<String>> {
        let state = self.context().state();
        let parsed = state.sql_to_statement(text, &state.config_options().sql_parser.dialect)?;
        let Parsed::Statement(statement) = parsed else { return Ok(HashSet::new()) };
        let Statement::Update(Update { assignments, .. }) = *statement else { return Ok(HashSet::new()) };
        let name = |target: AssignmentTarget| match target {
            AssignmentTarget::ColumnName(name) => match name.0.into_iter().next_back() {
                Some(ObjectNamePart::Identifier(name)) if name.quote_style.is_some() => Some(name.value),
                Some(ObjectNamePart::Identifier(name)) => Some(name.value.to_lowercase()),
                _ => None,
            },
            AssignmentTarget::Tuple(_) => None,
        };
        Ok(assignments.into_iter().filter_map(|assignment| name(assignment.target)).collect())
    }
}

/// The conditions under which rows are changed: all of them must hold.
fn conditions_of(plan: &LogicalPlan) -> Result<Vec<Expr>> {
    match plan {
        LogicalPlan::Projection(projection) => conditions_of(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => conditions_of(&alias.input),
        LogicalPlan::Filter(filter) => {
            let mut conditions = conditions_of(&filter.input)?;
            conditions.extend(split_conjunction_owned(filter.predicate.clone()));
            Ok(conditions)
        }
        LogicalPlan::TableScan(scan) => Ok(scan.filters.clone()),
        _ => not_impl_err!("UPDATE and DELETE change one table; put what they need of others into subqueries"),
    }
}

/// An expression as one on the columns of a row alone.
async fn row_expression(session: &Session, expression: Expr) -> Result<Expr> {
    let answered = subqueries::answered(session, expression).await?;
    let unqualified = answered.transform(|expression| match expression {
        Expr::Column(column) if column.relation.is_some() => {
            Ok(Transformed::yes(Expr::Column(Column::new_unqualified(column.name))))
        }
        other => Ok(Transformed::no(other)),
    });
    Ok(unqualified?.data)
}
