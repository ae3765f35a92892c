//! What a screening does, read off the plan of its query: the steps by which it drops rows.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::prelude::DataFrame;
use datafusion::sql::unparser::Unparser;
use sql::{Error, Session};

/// What is asked of a row, in the words of the query, and how many rows pass it and all before it.
pub type Step = (String, u64);

/// The steps of a query that reads one table: what the table holds, and what each condition joined by AND leaves, in the order in
/// which they are written. `None` for a query that joins, aggregates, or has no condition.
///
/// Every condition is asked again of what those before it left, but for the last, the costliest as a rule, where `rows`, the
/// number of rows of the query if it is known, shows what it leaves; a model's answers are remembered.
///
/// # Errors
/// As the query.
pub async fn steps(session: &Session, query: &DataFrame, rows: Option<u64>) -> Result<Option<Vec<Step>>, Error> {
    let (mut filters, mut cut) = (Vec::new(), false);
    let mut plan = query.logical_plan();
    let table = loop {
        plan = match plan {
            LogicalPlan::TableScan(scan) => break scan.table_name.table().to_string(),
            LogicalPlan::Filter(filter) => {
                filters.push(filter);
                &filter.input
            }
            LogicalPlan::Projection(node) => &node.input,
            LogicalPlan::SubqueryAlias(node) => &node.input,
            LogicalPlan::Sort(node) => &node.input,
            LogicalPlan::Window(node) => &node.input,
            // A limit under a condition decides what the condition sees; one above it only cuts the list.
            LogicalPlan::Limit(node) if filters.is_empty() => {
                cut = true;
                &node.input
            }
            _ => return Ok(None),
        };
    };
    if filters.is_empty() {
        return Ok(None);
    }
    let mut steps = vec![(format!("all of {table}"), number_of_rows(session, plan.clone()).await?)];
    let count = filters.len();
    for (i, filter) in filters.into_iter().rev().enumerate() {
        let conditions = split_conjunction(&filter.predicate);
        for k in 1..=conditions.len() {
            let last = !cut && (i + 1, k) == (count, conditions.len());
            let left = match rows.filter(|_| last) {
                Some(rows) => rows,
                None => {
                    let so_far = conjunction(conditions[..k].iter().map(|&e| e.clone())).unwrap_or_else(|| lit(true));
                    let kept = LogicalPlanBuilder::from(filter.input.clone()).filter(so_far)?.build()?;
                    number_of_rows(session, kept).await?
                }
            };
            steps.push((words(conditions[k - 1]), left));
        }
    }
    Ok(Some(steps))
}

async fn number_of_rows(session: &Session, plan: LogicalPlan) -> Result<u64, Error> {
    let counted = LogicalPlanBuilder::from(plan).aggregate(Vec::<Expr>::new(), [count(lit(1))])?.build()?;
    let batches = DataFrame::new(session.context().state(), counted).collect().await?;
    let rows = |batch: &RecordBatch| batch.column(0).as_primitive::<Int64Type>().value(0).unsigned_abs();
    Ok(batches.first().map_or(0, rows))
}

/// An expression as SQL says it, without the names of tables.
fn words(expr: &Expr) -> String {
    let bare = expr.clone().transform_up(|e| {
        Ok(match e {
            Expr::Column(column) => Transformed::yes(Expr::Column(Column::new_unqualified(column.name))),
            other => Transformed::no(other),
        })
    });
    let bare = bare.map_or_else(|_| expr.clone(), |bare| bare.data);
    // What has no text in SQL has a readable one.
    Unparser::default()
        .with_pretty(true)
        .expr_to_sql(&bare)
        .map_or_else(|_| bare.human_display().to_string(), |sql| sql.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn session() -> Session {
        let session = Session::without_store();
        session.sql("CREATE TABLE t AS SELECT x, x % 3 AS y FROM generate_series(1, 30) AS s(x)").await.unwrap();
        session
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn conditions_are_counted_in_the_order_in_which_they_are_written() {
        let session = session().await;
        let query = "WITH low AS (SELECT x, y FROM t WHERE x <= 20) SELECT x + 1 AS z FROM low WHERE y = 0 AND x > 10 ORDER BY z LIMIT 2";
        let found = steps(&session, &session.sql(query).await.unwrap(), Some(2)).await.unwrap().unwrap();
        let [words, counts]: [Vec<String>; 2] =
            [found.iter().map(|s| s.0.clone()).collect(), found.iter().map(|s| s.1.to_string()).collect()];
        assert_eq!(counts, ["30", "20", "6", "3"]);
        assert_eq!(words, ["all of t", "x <= 20", "y = 0", "x > 10"]);
        // Without a limit the rows of the query are what its last condition leaves.
        let whole = session.sql("SELECT x FROM t WHERE x > 5 AND y = 0 ORDER BY x").await.unwrap();
        let found = steps(&session, &whole, Some(77)).await.unwrap().unwrap();
        assert_eq!(found.iter().map(|s| s.1).collect::<Vec<_>>(), [30, 25, 77]);
        let found = steps(&session, &whole, None).await.unwrap().unwrap();
        assert_eq!(found.iter().map(|s| s.1).collect::<Vec<_>>(), [30, 25, 9]);
        for other in [
            "SELECT x FROM t",
            "SELECT count(*) FROM t WHERE x > 1",
            "SELECT a.x FROM t a JOIN t b ON a.x = b.y WHERE a.x > 1",
        ] {
            assert_eq!(steps(&session, &session.sql(other).await.unwrap(), Some(1)).await.unwrap(), None, "{other}");
        }
    }
}
