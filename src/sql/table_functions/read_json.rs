//! `read_json(path)`: the rows of files with a JSON object a line.

use std::sync::Arc;

use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{Result, plan_err};
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{TableFunction, files, text};

#[user_doc(
    doc_section(label = "Table Functions"),
    description = "The rows of files with a JSON object on each line; their keys are the columns. FROM 'file.jsonl' is short for it.",
    syntax_example = "read_json(path)",
    sql_example = "SELECT * FROM read_json('measured.jsonl')",
    argument(name = "path", description = "A file, a folder or a glob pattern, as a constant.")
)]
/// `read_json(path)`
#[derive(Debug)]
pub struct ReadJson;

impl TableFunction for ReadJson {
    fn name(&self) -> &'static str {
        "read_json"
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn reads_files(&self) -> bool {
        true
    }
}

impl TableFunctionImpl for ReadJson {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let [path] = args.exprs() else {
            return plan_err!("read_json takes a path, found {} arguments", args.exprs().len());
        };
        let path = text("read_json", "a path", path)?;
        files::table(&args, &path, Arc::new(JsonFormat::default()))
    }
}
