//! `read_csv(path[, delimiter])`: the rows of CSV files.

use std::sync::Arc;

use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::datasource::file_format::csv::CsvFormat;

use super::files;
use super::table::{Table, path};
use crate::functions::kernel::Row;
use crate::functions::{Function, Kind, Omitted, optional};

/// Rows by which the type of a column is found.
const SAMPLE: usize = 20_000;

pub(super) fn function() -> Function<Table> {
    Function {
        name: "read_csv",
        text: "The rows of CSV files whose first line names the columns. Column types are inferred from the first 20 \
               000 rows. FROM 'file.csv' is short for it, 'file.tsv' for one with tabs.",
        parameters: vec![
            path(),
            optional("delimiter", Kind::Text, Omitted::Text(","), "The character between two values.").parsed(byte),
        ],
        unit: None,
        example: "SELECT id, my_energy FROM read_csv('measured.csv', ';')",
        kernel: Table { reads_files: true, columns: vec![], call },
    }
}

fn call(session: &dyn Session, row: Row) -> Result<Arc<dyn TableProvider>> {
    let format = CsvFormat::default()
        .with_has_header(true)
        .with_delimiter(byte(row.text(1)).unwrap_or(b','))
        .with_newlines_in_values(true)
        .with_schema_infer_max_rec(SAMPLE);
    files::table(session, row.text(0), Arc::new(format))
}

/// The delimiter that a text is.
fn byte(delimiter: &str) -> std::result::Result<u8, String> {
    match delimiter.as_bytes() {
        &[byte] => Ok(byte),
        _ => Err(format!("delimiter = '{delimiter}'; it must be one character")),
    }
}
