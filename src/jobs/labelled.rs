//! Labelled crystals out of a table, for trainings.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use columns::StructureColumn;
use crystal::content_hash;
use models::train::Sample;
use sql::{Error, quoted_name};

/// The rows of a table that have a structure and a label.
#[derive(Debug, Clone, Copy)]
pub struct Labelled<'a> {
    /// A table with the columns id, formula, split, structure_hash and structure.
    pub table: &'a str,
    /// Its column with the label.
    pub target: &'a str,
    /// A condition of SQL on the rows.
    pub condition: Option<&'a str>,
}

impl Labelled<'_> {
    /// The statement that reads them.
    pub fn query(&self) -> String {
        let filter = self.condition.map(|c| format!(" AND ({c})")).unwrap_or_default();
        let target = quoted_name(self.target);
        format!(
            "SELECT id, formula, split, CAST({target} AS DOUBLE) AS label, structure FROM {} \
             WHERE {target} IS NOT NULL AND structure IS NOT NULL{filter} ORDER BY id, structure_hash",
            quoted_name(self.table)
        )
    }

    /// The statement whose one column is the label, with its unit.
    pub fn label(&self) -> String {
        format!("SELECT {} FROM {}", quoted_name(self.target), quoted_name(self.table))
    }

    /// The crystals among the rows that the statement gives.
    ///
    /// # Errors
    /// No row, or rows that hold something else.
    pub fn samples(&self, rows: &[RecordBatch]) -> Result<Vec<Sample>, Error> {
        let mut samples = Vec::new();
        for batch in rows {
            append(batch, &mut samples)?;
        }
        if samples.is_empty() {
            let met = self.condition.map(|c| format!(", and meets {c}")).unwrap_or_default();
            return Err(Error::Sql(format!(
                "no row of {} has a structure and a {}{met}: import labelled crystals first",
                self.table, self.target
            )));
        }
        Ok(samples)
    }
}

fn append(batch: &RecordBatch, samples: &mut Vec<Sample>) -> Result<(), Error> {
    let [ids, formulas, splits, labels, structures] = batch.columns() else {
        return Err(Error::Sql(format!("{} columns are not those of labelled crystals", batch.num_columns())));
    };
    let text = |column: &ArrayRef| cast(column, &DataType::Utf8);
    let (ids, formulas, splits, labels) =
        (text(ids)?, text(formulas)?, text(splits)?, cast(labels, &DataType::Float64)?);
    let (ids, formulas, splits) = (ids.as_string::<i32>(), formulas.as_string::<i32>(), splits.as_string::<i32>());
    let labels = labels.as_primitive::<Float64Type>();
    let structures =
        StructureColumn::try_new(structures.as_ref()).map_err(|why| Error::Sql(format!("column structure: {why}")))?;
    for i in 0..batch.num_rows() {
        let Some(structure) = structures.get(i) else { continue };
        let structure = structure?;
        samples.push(Sample {
            id: ids.value(i).to_owned(),
            formula: formulas.value(i).to_owned(),
            hash: content_hash(&structure),
            structure,
            target: labels.value(i),
            split: splits.is_valid(i).then(|| splits.value(i).to_owned()),
        });
    }
    Ok(())
}
