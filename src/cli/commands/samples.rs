//! Labelled crystals out of the store, for `train` and `evaluate`, and the unit of their label.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Float64Type;
use datafusion::prelude::cast;

use crate::cli::CliError;
use crate::columns::StructureColumn;
use crate::crystal::{ContentHash, content_hash};
use crate::models::train::Sample;
use crate::sql::{Session, quoted_name, units};

/// Rows of `table` that have a structure and a label in column `target`, those that satisfy `condition` only.
///
/// # Errors
/// No such table or column, a label that is no number, a condition that is no SQL, or no row left.
pub async fn read(
    session: &Session,
    table: &str,
    target: &str,
    condition: Option<&str>,
) -> Result<Vec<Sample>, CliError> {
    let filter = condition.map(|c| format!(" AND ({c})")).unwrap_or_default();
    let query = format!(
        "SELECT id, formula, split, CAST({} AS DOUBLE) AS label, structure FROM {} \
         WHERE {} IS NOT NULL AND structure IS NOT NULL{filter} ORDER BY id, structure_hash",
        quoted_name(target),
        quoted_name(table),
        quoted_name(target)
    );
    let mut frame = session.sql(&query).await?;
    for name in ["id", "formula", "split"] {
        let text = cast(datafusion::prelude::col(name), arrow::datatypes::DataType::Utf8);
        frame = frame.with_column(name, text)?;
    }
    let mut samples = Vec::new();
    for batch in frame.collect().await? {
        append(&batch, &mut samples)?;
    }
    if samples.is_empty() {
        return Err(CliError::Failed(format!(
            "no row of {table} has a structure and a {target}{}: import labelled crystals first",
            condition.map(|c| format!(", and meets {c}")).unwrap_or_default()
        )));
    }
    Ok(samples)
}

/// The unit of the label in column `target` of `table`, where one is known; empty where none is.
///
/// # Errors
/// No such table or column.
pub async fn unit(session: &Session, table: &str, target: &str) -> Result<String, CliError> {
    let query = format!("SELECT {} FROM {}", quoted_name(target), quoted_name(table));
    let unit = units(session, &session.sql(&query).await?).pop().flatten();
    Ok(unit.unwrap_or_default().into_owned())
}

fn append(batch: &RecordBatch, samples: &mut Vec<Sample>) -> Result<(), CliError> {
    let (ids, formulas, splits) =
        (batch.column(0).as_string::<i32>(), batch.column(1).as_string::<i32>(), batch.column(2).as_string::<i32>());
    let labels = batch.column(3).as_primitive::<Float64Type>();
    let structures = StructureColumn::try_new(batch.column(4).as_ref())
        .map_err(|reason| CliError::Failed(format!("column structure: {reason}")))?;
    for i in 0..batch.num_rows() {
        let Some(structure) = structures.get(i) else { continue };
        let structure = structure.map_err(|e| CliError::Below(e.into()))?;
        let hash: ContentHash = content_hash(&structure);
        samples.push(Sample {
            id: ids.value(i).to_owned(),
            formula: formulas.value(i).to_owned(),
            hash,
            structure,
            target: labels.value(i),
            split: splits.is_valid(i).then(|| splits.value(i).to_owned()),
        });
    }
    Ok(())
}
