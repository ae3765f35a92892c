//! `read_parquet(path)`: the rows of Parquet files.

use std::sync::Arc;

use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{Result, plan_err};
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{TableFunction, files, text};

#[user_doc(
    doc_section(label = "Table Functions"),
    description = "The rows of Parquet files, which may hold crystals: a struct with lattice, numbers and frac_coords is one. FROM 'file.parquet' is short for it.",
    syntax_example = "read_parquet(path)",
    sql_example = "SELECT id, density(structure) FROM read_parquet('exported/*.parquet')",
    argument(name = "path", description = "A file, a folder or a glob pattern, as a constant.")
)]
/// `read_parquet(path)`
#[derive(Debug)]
pub struct ReadParquet;

impl TableFunction for ReadParquet {
    fn name(&self) -> &'static str {
        "read_parquet"
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn reads_files(&self) -> bool {
        true
    }
}

impl TableFunctionImpl for ReadParquet {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let [path] = args.exprs() else {
            return plan_err!("read_parquet takes a path, found {} arguments", args.exprs().len());
        };
        let path = text("read_parquet", "a path", path)?;
        let options = args.session().table_options().parquet.clone();
        files::table(&args, &path, Arc::new(ParquetFormat::default().with_options(options)))
    }
}
