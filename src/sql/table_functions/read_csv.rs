//! `read_csv(path[, delimiter])`: the rows of CSV files.

use std::sync::Arc;

use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{Result, plan_err};
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{TableFunction, files, text};

/// Rows by which the type of a column is found.
const SAMPLE: usize = 20_000;

#[user_doc(
    doc_section(label = "Table Functions"),
    description = "The rows of CSV files, whose first line names the columns. The type of a column is found from the first 20 000 rows. FROM 'file.csv' is short for it, 'file.tsv' for one with tabs.",
    syntax_example = "read_csv(path[, delimiter])",
    sql_example = "SELECT id, my_energy FROM read_csv('measured.csv', ';')",
    argument(name = "path", description = "A file, a folder or a glob pattern, as a constant."),
    argument(name = "delimiter", description = "The character between two values; a comma if omitted.")
)]
/// `read_csv(path[, delimiter])`
#[derive(Debug)]
pub struct ReadCsv;

impl TableFunction for ReadCsv {
    fn name(&self) -> &'static str {
        "read_csv"
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn reads_files(&self) -> bool {
        true
    }
}

impl TableFunctionImpl for ReadCsv {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
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
        files::table(&args, &path, Arc::new(format))
    }
}
