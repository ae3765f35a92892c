//! `hollandite export TABLE|QUERY --to FILE|DIR`.

use std::collections::BTreeMap;
use std::path::Path;

use datafusion::prelude::DataFrame;
use futures::StreamExt;

use super::place::place;
use crate::cli::args::{Export, ExportFormat, part_file};
use crate::cli::console::note;
use crate::cli::{CliError, statements};
use crate::report::{Format, Headings, exporter, with_units};
use crate::sql;
use crate::store::Shard;

pub(crate) async fn run(store: Option<&Path>, export: &Export) -> Result<(), CliError> {
    let format = export.format.map(Format::from).or_else(|| Format::of_path(&export.to)).ok_or_else(|| {
        CliError::Usage(format!(
            "the name {} does not tell a format: use .parquet, .csv, .json, .jsonl, .arrow, .xyz or .db, end a folder of CIFs with /, \
             or add --format",
            export.to.display()
        ))
    })?;
    if export.symprec.is_some() && !matches!(format, Format::Cif | Format::Optimade) {
        return Err(CliError::Usage(
            "--symprec is the tolerance of symmetry of CIFs and of OPTIMADE: use it with a folder of CIFs, or --format optimade".into(),
        ));
    }
    let query = query(&export.what)?;
    let command = format!("export {query}\nto {} as {format:?}, symprec {:?}", export.to.display(), export.symprec);
    let Some(place) = place(store, export.at, &export.sharded, &command).await? else { return Ok(()) };
    let session = &place.session;
    let frame = match place.shard() {
        None => session.sql(&query).await?,
        Some(shard) => part_of(session.sql(&query).await?, shard)?,
    };
    let to = place.shard().map_or_else(|| export.to.clone(), |shard| part_file(&export.to, shard));
    let units = sql::units(session, &frame);
    let mut stream = frame.execute_stream().await?;
    let headings = Headings::of(&stream.schema());
    let mut exporter = exporter(format, export.symprec, &with_units(headings.schema(), &units), &to)?;
    let mut rows = 0;
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        rows += batch.num_rows();
        exporter.write(&headings.over(batch)?)?;
    }
    exporter.finish()?;
    super::sql::warn(session);
    note(&format!("wrote {rows} row{} to {}", if rows == 1 { "" } else { "s" }, to.display()));
    let whole = std::path::absolute(&to).map_err(|source| CliError::Io { path: to, source })?;
    place.finish(BTreeMap::from([(whole, rows as u64)]))
}

/// The rows of a result that belong to a shard.
fn part_of(frame: DataFrame, shard: Shard) -> Result<DataFrame, CliError> {
    const HASH: &str = "structure_hash";
    if frame.schema().has_column_with_unqualified_name(HASH) {
        let condition = frame.parse_sql_expr(&shard.condition(HASH))?;
        return Ok(frame.filter(condition)?);
    }
    Err(CliError::Usage(format!(
        "a query in shards has the column {HASH}, by which its rows are divided: select it too"
    )))
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
            ExportFormat::Optimade => Self::Optimade,
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
