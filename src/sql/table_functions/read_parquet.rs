//! `read_parquet(path)`: the rows of Parquet files.

use std::sync::Arc;

use datafusion::catalog::{TableFunctionArgs, TableProvider};
use datafusion::common::{Result, plan_err};
use datafusion::datasource::file_format::parquet::ParquetFormat;

use super::{Table, files, path, text};
use crate::functions::Function;

pub(super) fn function() -> Function<Table> {
    Function {
        name: "read_parquet",
        text: "The rows of Parquet files, which may contain crystals: a struct with lattice, numbers and frac_coords \
               is one. FROM 'file.parquet' is short for it.",
        parameters: vec![path()],
        unit: None,
        example: "SELECT id, density(structure) FROM read_parquet('exported/*.parquet')",
        kernel: Table { reads_files: true, columns: vec![], call },
    }
}

fn call(args: &TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
    let [path] = args.exprs() else {
        return plan_err!("read_parquet takes a path, found {} arguments", args.exprs().len());
    };
    let path = text("read_parquet", "a path", path)?;
    let options = args.session().table_options().parquet.clone();
    files::table(args, &path, Arc::new(ParquetFormat::default().with_options(options)))
}
