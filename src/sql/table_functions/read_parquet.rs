//! `read_parquet(path)`: the rows of Parquet files.

use std::sync::Arc;

use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::datasource::file_format::parquet::ParquetFormat;

use super::files;
use super::table::{Table, path};
use crate::functions::Function;
use crate::functions::kernel::Row;

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

fn call(session: &dyn Session, row: Row) -> Result<Arc<dyn TableProvider>> {
    let options = session.table_options().parquet.clone();
    files::table(session, row.text(0), Arc::new(ParquetFormat::default().with_options(options)))
}
