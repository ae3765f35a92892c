//! Subqueries that do not depend on the row: asked once, their answers put in their places.

use std::collections::VecDeque;

use arrow::array::RecordBatch;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue, not_impl_err, plan_err};
use datafusion::logical_expr::expr::{InList, InSubquery};
use datafusion::logical_expr::{Expr, Subquery, lit};
use datafusion::prelude::DataFrame;

use crate::session::Session;

/// `expression` without subqueries.
///
/// # Errors
/// A subquery that depends on the row, or that has more than one answer where one is wanted.
pub(super) async fn answered(session: &Session, expression: Expr) -> Result<Expr> {
    let mut subqueries = Vec::new();
    expression.apply(|expression| {
        match expression {
            Expr::InSubquery(InSubquery { subquery, .. }) | Expr::ScalarSubquery(subquery) => {
                subqueries.push(subquery.clone());
            }
            Expr::Exists(exists) => subqueries.push(exists.subquery.clone()),
            Expr::SetComparison(_) => return not_impl_err!("ANY and ALL in UPDATE and DELETE; use IN, min or max"),
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    let mut answers = VecDeque::new();
    for subquery in subqueries {
        answers.push_back(answer(session, &subquery).await?);
    }
    // From the top down as before, so that the answers come in the same order.
    let replaced = expression.transform_down(|expression| match expression {
        Expr::InSubquery(question) => is_in(question, next(&mut answers)?).map(Transformed::yes),
        Expr::ScalarSubquery(subquery) => one(&subquery, next(&mut answers)?).map(Transformed::yes),
        Expr::Exists(exists) => Ok(Transformed::yes(lit(next(&mut answers)?.is_empty() == exists.negated))),
        other => Ok(Transformed::no(other)),
    });
    Ok(replaced?.data)
}

fn next(answers: &mut VecDeque<Vec<ScalarValue>>) -> Result<Vec<ScalarValue>> {
    match answers.pop_front() {
        Some(answer) => Ok(answer),
        None => plan_err!("a subquery within another is not supported here"),
    }
}

/// The values of the first column of a subquery.
async fn answer(session: &Session, subquery: &Subquery) -> Result<Vec<ScalarValue>> {
    if let Some(outer) = subquery.outer_ref_columns.first() {
        let column = match outer {
            Expr::OuterReferenceColumn(_, column) => column.to_string(),
            other => other.to_string(),
        };
        return not_impl_err!(
            "in UPDATE and DELETE a subquery cannot use a column of the row ({column}): make a table of the rows with CREATE TABLE \
             AS, and ask whether the id is IN it"
        );
    }
    let frame = DataFrame::new(session.context().state(), subquery.subquery.as_ref().clone());
    let batches: Vec<RecordBatch> = frame.collect().await?;
    let values = |batch: &RecordBatch| {
        let column = batch.column(0).clone();
        (0..batch.num_rows()).map(move |i| ScalarValue::try_from_array(&column, i)).collect::<Vec<_>>()
    };
    batches.iter().flat_map(values).collect()
}

fn is_in(InSubquery { expr, negated, .. }: InSubquery, values: Vec<ScalarValue>) -> Result<Expr> {
    // Nothing, not even NULL, is one of none.
    if values.is_empty() {
        return Ok(lit(negated));
    }
    let list = values.into_iter().map(|value| Expr::Literal(value, None)).collect();
    Ok(Expr::InList(InList { expr, list, negated }))
}

fn one(subquery: &Subquery, values: Vec<ScalarValue>) -> Result<Expr> {
    let mut values = values.into_iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(Expr::Literal(value, None)),
        (None, _) => {
            let kind = subquery.subquery.schema().field(0).data_type();
            Ok(Expr::Literal(ScalarValue::try_from(kind)?, None))
        }
        (Some(_), Some(_)) => plan_err!("a subquery that stands for one value returned more than one row"),
    }
}
