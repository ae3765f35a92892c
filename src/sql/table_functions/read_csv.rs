//! `read_csv(path[, delimiter])`: the rows of CSV files.

use std::sync::Arc;

use datafusion::catalog::{TableFunctionArgs, TableProvider};
use datafusion::common::{Result, plan_err};
use datafusion::datasource::file_format::csv::CsvFormat;

use super::{Table, files, path, text};
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
            optional("delimiter", Kind::Text, Omitted::Text(","), "The character between two values."),
        ],
        unit: None,
        example: "SELECT id, my_energy FROM read_csv('measured.csv', ';')",
        kernel: Table { reads_files: true, columns: vec![], call },
    }
}

fn call(args: &TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
    let (path, delimiter) = match args.exprs() {
        [path] => (path, ",".to_owned()),
        [path, delimiter] => (path, text("read_csv", "a delimiter", delimiter)?),
        other => {
            return plan_err!("read_csv takes a path, and a delimiter or none, found {} arguments", other.len());
        }
    };
    let path = text("read_csv", "a path", path)?;
    let &[delimiter] = delimiter.as_bytes() else {
        return plan_err!("read_csv needs one character as delimiter, found '{delimiter}'");
    };
    let format = CsvFormat::default()
        .with_has_header(true)
        .with_delimiter(delimiter)
        .with_newlines_in_values(true)
        .with_schema_infer_max_rec(SAMPLE);
    files::table(args, &path, Arc::new(format))
}
