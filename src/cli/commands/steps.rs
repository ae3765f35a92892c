//! The steps of a screening as the rows of a query: what `plot funnel` draws and `report` prints.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, SchemaRef};

use crate::cli::queries::Query;
use crate::cli::{CliError, statements};
use crate::report::plots::funnel::Step;
use crate::sql::Session;

/// What is counted, such as oxides, and the steps, as a query or a stored one of that name has them.
pub(crate) async fn counted(session: &Session, query: &str) -> Result<(String, Vec<Step>), CliError> {
    let frame = session.sql(statement(query)?).await?;
    let schema = SchemaRef::new(frame.schema().as_arrow().clone());
    check(&schema)?;
    let batches = frame.collect().await?;
    super::sql::warn(session);
    let counted = schema.fields().last().map_or("rows", |field| field.name());
    Ok((rows(counted).to_owned(), steps(&batches)?))
}

/// What is counted in a column of that name: the name where it is a word for several things, such as oxides. `n`, `count` or
/// `count(*)` is none.
fn rows(column: &str) -> &str {
    let word = column.len() > 3 && column.ends_with('s') && column.chars().all(char::is_alphabetic);
    if word && !column.eq_ignore_ascii_case("counts") { column } else { "rows" }
}

/// That such a query can be run: its names, and the models that it uses.
pub(crate) async fn planned(session: &Session, query: &str) -> Result<(), CliError> {
    session.sql(statement(query)?).await?.create_physical_plan().await?;
    Ok(())
}

/// The one statement of a query, or of a stored one of that name.
fn statement(query: &str) -> Result<&str, CliError> {
    match statements::all(Query::of_text(query)?.sql())[..] {
        [statement] => Ok(statement),
        _ => Err(CliError::Usage("a funnel is drawn of one statement, a SELECT".into())),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_is_no_word_for_what_is_counted() {
        for (column, said) in [
            ("oxides", "oxides"),
            ("candidates", "candidates"),
            ("n", "rows"),
            ("count(*)", "rows"),
            ("cnt", "rows"),
            ("counts", "rows"),
            ("ns", "rows"),
            ("n_rows", "rows"),
        ] {
            assert_eq!(rows(column), said, "{column}");
        }
    }
}
