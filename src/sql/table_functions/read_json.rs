//! `read_json(path)`: the rows of files with a JSON object a line.

use std::sync::Arc;

use datafusion::catalog::{TableFunctionArgs, TableProvider};
use datafusion::common::{Result, plan_err};
use datafusion::datasource::file_format::json::JsonFormat;

use super::{Table, files, path, text};
use crate::functions::Function;

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

fn call(args: &TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
    let [path] = args.exprs() else {
        return plan_err!("read_json takes a path, found {} arguments", args.exprs().len());
    };
    let path = text("read_json", "a path", path)?;
    files::table(args, &path, Arc::new(JsonFormat::default()))
}
