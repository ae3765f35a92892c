//! `read_json(path)`: the rows of files with a JSON object a line.

use std::sync::Arc;

use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::datasource::file_format::json::JsonFormat;

use super::files;
use super::table::{Table, path};
use crate::functions::Function;
use crate::functions::kernel::Row;

pub(super) fn function() -> Function<Table> {
    Function {
        name: "read_json",
        text: "The rows of files with one JSON object per line; their keys are the columns. FROM 'file.jsonl' is \
               short for it.",
        parameters: vec![path()],
        unit: None,
        example: "SELECT * FROM read_json('measured.jsonl')",
        kernel: Table { reads_files: true, columns: vec![], call },
    }
}

fn call(session: &dyn Session, row: Row) -> Result<Arc<dyn TableProvider>> {
    files::table(session, row.text(0), Arc::new(JsonFormat::default()))
}
