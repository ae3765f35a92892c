//! How many rows each step of a screening leaves: by a query that counts them, or by the conditions of the screening itself.

use datafusion::prelude::DataFrame;

use crate::cli::CliError;
use crate::cli::commands::steps;
use crate::cli::queries::{Asked, Query};
use crate::report::page::Funnel;
use crate::report::plots::funnel::Step;
use crate::sql::Session;

/// The rows of the query that counts.
pub(crate) async fn counted(session: &Session, query: &str) -> Result<Funnel, CliError> {
    let (rows, steps) = steps::counted(session, query).await?;
    let source = match Query::of_text(query)? {
        Asked::Stored(query) => format!("Counted by the stored query {}: {rows}.", query.name),
        Asked::Statements(text) => format!("Counted by {}", text.split_whitespace().collect::<Vec<_>>().join(" ")),
    };
    Ok(Funnel { steps, source })
}

/// The conditions of the screening, which has so many rows, where it reads one table.
pub(crate) async fn derived(session: &Session, frame: &DataFrame, rows: u64) -> Result<Option<Funnel>, CliError> {
    let Some(steps) = crate::jobs::steps(session, frame, Some(rows)).await? else { return Ok(None) };
    let steps = steps.into_iter().map(|(what, count)| Step { what, count }).collect();
    Ok(Some(Funnel {
        steps,
        source: "Counted by the conditions of the query, in the order in which they stand.".into(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_page_says_who_counted() {
        let session = Session::without_store();
        let query = "SELECT * FROM (VALUES ('all', 10), ('open', 4))\n AS t(what, oxides) ORDER BY oxides DESC";
        let funnel = counted(&session, query).await.unwrap();
        let steps: Vec<_> = funnel.steps.iter().map(|s| (s.what.as_str(), s.count)).collect();
        assert_eq!(steps, [("all", 10), ("open", 4)]);
        assert!(funnel.source.ends_with("('open', 4)) AS t(what, oxides) ORDER BY oxides DESC"), "{}", funnel.source);
        session.sql("CREATE TABLE t AS SELECT 1 AS x").await.unwrap();
        let frame = session.sql("SELECT x FROM t WHERE x > 1").await.unwrap();
        let funnel = derived(&session, &frame, 0).await.unwrap().unwrap();
        assert_eq!(funnel.steps.iter().map(|s| s.count).collect::<Vec<_>>(), [1, 0]);
    }
}
