//! How many rows each step of a screening leaves: by a query that counts them, or by the conditions of the screening itself.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, SchemaRef};
use datafusion::prelude::DataFrame;

use crate::cli::CliError;
use crate::cli::queries::Asked;
use crate::report::page::{Funnel, Step};
use crate::sql::Session;

/// The rows of the query that counts.
pub async fn counted(session: &Session, asked: Asked<'_>, named: &str) -> Result<Funnel, CliError> {
    let frame = super::last(session, asked.sql()).await?;
    let schema = SchemaRef::new(frame.schema().as_arrow().clone());
    let mut steps = Vec::new();
    for batch in frame.collect().await? {
        steps.extend(steps_of(&schema, &batch)?);
    }
    if steps.is_empty() {
        return Err(CliError::Failed(
            "--funnel: the query returns no row; give one that has a row for each step".into(),
        ));
    }
    let source = match asked {
        Asked::Stored(_) => format!("Counted by the stored query {named}."),
        Asked::Statements(_) => format!("Counted by {}", named.split_whitespace().collect::<Vec<_>>().join(" ")),
    };
    Ok(Funnel { steps, source })
}

/// The first text of a row says what the step is, the last whole number how many it leaves.
fn steps_of(schema: &SchemaRef, batch: &RecordBatch) -> Result<Vec<Step>, CliError> {
    let find = |fits: &dyn Fn(&DataType) -> bool| {
        schema.fields().iter().enumerate().filter(|(_, f)| fits(f.data_type())).map(|(i, _)| i).collect::<Vec<_>>()
    };
    let is_text = |t: &DataType| matches!(t, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let (texts, counts) = (find(&is_text), find(&DataType::is_integer));
    let (Some(&text), Some(&count)) = (texts.first(), counts.last()) else {
        return Err(CliError::Usage(
            "--funnel: expected a query with a text that names the step and a count of what it leaves, as the stored query funnel"
                .into(),
        ));
    };
    let words = cast(batch.column(text), &DataType::Utf8)?;
    let counts = cast(batch.column(count), &DataType::Int64)?;
    let (words, counts) = (words.as_string::<i32>(), counts.as_primitive::<Int64Type>());
    let step = |i: usize| Step { what: words.value(i).to_string(), rows: counts.value(i).unsigned_abs() };
    Ok((0..batch.num_rows()).filter(|&i| words.is_valid(i) && counts.is_valid(i)).map(step).collect())
}

/// The conditions of the screening, where it reads one table.
pub async fn derived(session: &Session, frame: &DataFrame) -> Result<Option<Funnel>, CliError> {
    let Some(steps) = session.steps(frame).await? else { return Ok(None) };
    let steps = steps.into_iter().map(|(what, rows)| Step { what, rows }).collect();
    Ok(Some(Funnel {
        steps,
        source: "Counted by the conditions of the query, in the order in which they stand.".into(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_text_and_the_last_count_make_a_step() {
        let session = Session::without_store();
        let query =
            "SELECT * FROM (VALUES (1, 'all', 10), (2, 'open', 4), (3, NULL, 1)) AS t(step, what, n) ORDER BY step";
        let funnel = counted(&session, Asked::Statements(query), query).await.unwrap();
        let steps: Vec<_> = funnel.steps.iter().map(|s| (s.what.as_str(), s.rows)).collect();
        assert_eq!(steps, [("all", 10), ("open", 4)]);
        for (query, expected) in
            [("SELECT 1 AS n", "expected a query with a text"), ("SELECT 'a', 1 WHERE false", "no row")]
        {
            let error = counted(&session, Asked::Statements(query), query).await.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
