//! The steps of a screening as the rows of a query: what `plot funnel` draws and `report` prints.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, SchemaRef};

use crate::cli::queries::Query;
use crate::cli::{CliError, statements};
use crate::report::plots::funnel::Step;
use crate::sql::Session;

/// What is counted, such as oxides, and the steps, as a query or a stored one of that name has them.
pub async fn counted(session: &Session, query: &str) -> Result<(String, Vec<Step>), CliError> {
    let [statement] = statements::all(Query::of_text(query)?.sql())[..] else {
        return Err(CliError::Usage("a funnel is drawn of one statement, a SELECT".into()));
    };
    let frame = session.sql(statement).await?;
    let schema = SchemaRef::new(frame.schema().as_arrow().clone());
    check(&schema)?;
    let batches = frame.collect().await?;
    super::sql::warn(session);
    let rows = schema.fields().last().map_or("rows", |field| field.name());
    let rows = if rows.contains('(') { "rows" } else { rows };
    Ok((rows.to_owned(), steps(&batches)?))
}

/// That the columns are a text and a number, or those two behind the number of the step.
fn check(schema: &SchemaRef) -> Result<(), CliError> {
    let text = |t: &DataType| matches!(t, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let fits = match schema.fields().iter().map(|field| field.data_type()).collect::<Vec<_>>()[..] {
        [what, count] => text(what) && count.is_numeric(),
        [step, what, count] => step.is_numeric() && text(what) && count.is_numeric(),
        _ => false,
    };
    if fits {
        return Ok(());
    }
    let found: Vec<String> = schema.fields().iter().map(|f| format!("{} ({})", f.name(), f.data_type())).collect();
    Err(CliError::Failed(format!(
        "a funnel has the columns step, what and count, or what and count (a text and a number: SELECT 1 AS step, 'all' AS what, \
         count(*) AS rows FROM tmo UNION ALL ...); this query has {}",
        if found.is_empty() { "none".to_owned() } else { found.join(", ") }
    )))
}

fn steps(batches: &[RecordBatch]) -> Result<Vec<Step>, CliError> {
    let mut steps = Vec::new();
    for batch in batches {
        let columns = batch.num_columns();
        let what = cast(batch.column(columns - 2), &DataType::Utf8)?;
        let counts = cast(batch.column(columns - 1), &DataType::Float64)?;
        let (what, counts) = (what.as_string::<i32>(), counts.as_primitive::<Float64Type>());
        for i in 0..batch.num_rows() {
            let number = steps.len() + 1;
            let what = if what.is_valid(i) { what.value(i).to_owned() } else { format!("step {number}") };
            let wrong = |found: String| {
                Err(CliError::Failed(format!(
                    "row {number}, '{what}', counts {found}: a count is a whole number from 0; write count(*), or \
                     coalesce(..., 0) where there may be none"
                )))
            };
            if counts.is_null(i) {
                return wrong("NULL".into());
            }
            let count = counts.value(i);
            if !(count >= 0.0 && count.fract() == 0.0) {
                return wrong(count.to_string());
            }
            steps.push(Step { what, count: count as u64 });
        }
    }
    if steps.is_empty() {
        return Err(CliError::Failed(
            "the query has no rows, and a funnel has one for each step: join the counts of the steps by UNION ALL"
                .into(),
        ));
    }
    Ok(steps)
}
