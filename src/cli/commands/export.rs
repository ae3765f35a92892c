//! `hollandite export TABLE|QUERY --to FILE|DIR`.

use std::path::Path;

use futures::StreamExt;

use crate::cli::args::{Export, ExportFormat};
use crate::cli::console::note;
use crate::cli::render::{Headings, with_units};
use crate::cli::{CliError, statements};
use crate::report::{Format, exporter};
use crate::sql;

pub async fn run(store: Option<&Path>, export: &Export) -> Result<(), CliError> {
    let format = export.format.map(Format::from).or_else(|| Format::of_path(&export.to)).ok_or_else(|| {
        CliError::Usage(format!(
            "the name {} does not tell a format: use .parquet, .csv, .json, .jsonl, .arrow, .xyz or .db, end a folder of CIFs with /, \
             or add --format",
            export.to.display()
        ))
    })?;
    if export.symprec.is_some() && format != Format::Cif {
        return Err(CliError::Usage(
            "--symprec is the tolerance of symmetry of CIFs: use it with a folder of them".into(),
        ));
    }
    let query = query(&export.what)?;
    let (_, session) = super::session(store, export.at).await?;
    let frame = session.sql(&query).await?;
    let units = sql::units(&session, &frame);
    let mut stream = frame.execute_stream().await?;
    let headings = Headings::of(&stream.schema());
    let mut exporter = exporter(format, export.symprec, &with_units(headings.schema(), &units), &export.to)?;
    let mut rows = 0;
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        rows += batch.num_rows();
        exporter.write(&headings.over(batch)?)?;
    }
    exporter.finish()?;
    note(&format!("wrote {rows} row{} to {}", if rows == 1 { "" } else { "s" }, export.to.display()));
    Ok(())
}

/// A bare name is a table, anything else one query.
fn query(what: &str) -> Result<String, CliError> {
    match statements::all(what).as_slice() {
        [name] if name.chars().all(|c| c.is_alphanumeric() || "_.\"".contains(c)) => {
            Ok(format!("SELECT * FROM {name}"))
        }
        [query] => Ok((*query).to_string()),
        several => {
            Err(CliError::Usage(format!("export takes one table or query, and this is {} statements", several.len())))
        }
    }
}

impl From<ExportFormat> for Format {
    fn from(format: ExportFormat) -> Self {
        match format {
            ExportFormat::Parquet => Self::Parquet,
            ExportFormat::Csv => Self::Csv,
            ExportFormat::Json => Self::Json,
            ExportFormat::Jsonl => Self::Jsonl,
            ExportFormat::Arrow => Self::Arrow,
            ExportFormat::Extxyz => Self::ExtXyz,
            ExportFormat::AseDb => Self::AseDb,
            ExportFormat::Pymatgen => Self::Pymatgen,
            ExportFormat::Cif => Self::Cif,
            ExportFormat::Poscar => Self::Poscar,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_table_and_the_rest_is_a_query() {
        assert_eq!(query("tmo").unwrap(), "SELECT * FROM tmo");
        assert_eq!(query("lake.main.\"Tmo\";").unwrap(), "SELECT * FROM lake.main.\"Tmo\"");
        assert_eq!(query("SELECT 1;").unwrap(), "SELECT 1");
        assert!(query("SELECT 1; SELECT 2").is_err() && query("").is_err());
    }
}
