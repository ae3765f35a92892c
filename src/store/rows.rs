//! The rows of a query go into a table of the lake: `CREATE TABLE AS` and `INSERT` are one snapshot each, or none.
//!
//! The rows are computed first, without the writer's turn, cast to types that the lake keeps, and in a table of crystals the derived
//! columns follow the crystals. Then the turn is taken, and table, files and checksums are committed together.

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::{Result, exec_datafusion_err, plan_datafusion_err, plan_err};
use datafusion::execution::SendableRecordBatchStream;
use datafusion_ducklake::{
    DuckLakeError, DuckLakeTable, DuckLakeTableWriter, SnapshotCommitMetadata, TableWriteOptions, WriteMode,
    WriteResult,
};
use futures::StreamExt;
use parquet::basic::{Compression, ZstdLevel};

use super::derived;
use super::lake::Store;
use super::names::is_reserved;
use super::spool::Spool;
use super::storable::{cast_to, plain, storable, with_types};
use crate::StoreError;

/// Rows of a Parquet row group.
const ROW_GROUP: usize = 8192;
/// Crystals whose columns are computed together.
const CRYSTALS: usize = 256;

/// Whether a table is one of the lake, and no view or file.
pub fn is_of_the_lake(table: &dyn TableProvider) -> bool {
    table.downcast_ref::<DuckLakeTable>().is_some()
}

/// What becomes of the table that rows are written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onto {
    /// It is made; there is none of that name.
    New,
    /// It is there, and gets these columns and rows in place of its own.
    Replaced,
    /// It is there, and keeps its rows.
    Kept,
    /// It is there, and gets these rows in place of its own.
    Emptied,
}

impl Store {
    /// Writes `rows` to a table of the lake in one snapshot, and returns how many there were. No row into a table that keeps its own
    /// makes no snapshot.
    ///
    /// # Errors
    /// A store that may not be written to, rows that cannot be computed or kept, or a table that is there or not, as the case may be.
    pub async fn write_rows(
        &self,
        schema: &str,
        table: &str,
        onto: Onto,
        mut rows: SendableRecordBatchStream,
    ) -> Result<u64> {
        self.writer()?;
        let columns = match onto {
            Onto::New | Onto::Replaced => new_columns(table, &rows.schema())?,
            Onto::Kept | Onto::Emptied => match self.schema_of(schema, table).await? {
                Some(found) => with_types(&found, false, plain),
                None => return plan_err!("there is no table '{table}'"),
            },
        };
        let crystals = derived::holds_crystals(&columns);
        let mut spool = Spool::new(columns.clone());
        while let Some(batch) = rows.next().await.transpose()? {
            let batch = cast_to(&batch, &columns)?;
            if !crystals {
                spool.push(batch)?;
                continue;
            }
            for begin in (0..batch.num_rows()).step_by(CRYSTALS) {
                let part = batch.slice(begin, CRYSTALS.min(batch.num_rows() - begin));
                spool.push(follow(part).await?)?;
            }
        }
        if onto == Onto::Kept && spool.rows() == 0 {
            return Ok(0);
        }
        let _turn = self.lock().await?;
        if onto == Onto::New && self.schema_of(schema, table).await?.is_some() {
            return plan_err!(
                "table '{table}' exists: another process created it; choose another name, or drop it first"
            );
        }
        let count = spool.rows();
        let written = self.commit_rows(schema, table, onto, &columns, spool).await;
        if written.is_err() {
            // A table that was announced for these rows is none.
            self.sweep()?;
        }
        written.map(|_| count)
    }

    async fn commit_rows(
        &self,
        schema: &str,
        table: &str,
        onto: Onto,
        columns: &SchemaRef,
        spool: Spool,
    ) -> Result<WriteResult> {
        let lake = |e: DuckLakeError| refused(table, &e);
        let (mode, message) = match onto {
            Onto::New => (WriteMode::Append, format!("create {table} of {} rows", spool.rows())),
            Onto::Kept => (WriteMode::Append, format!("insert {} rows into {table}", spool.rows())),
            Onto::Replaced | Onto::Emptied => (WriteMode::Replace, format!("replace {table} by {} rows", spool.rows())),
        };
        let commit = SnapshotCommitMetadata::new()
            .with_author(concat!("hollandite ", env!("CARGO_PKG_VERSION")))
            .with_message(message);
        if onto == Onto::New {
            self.reserve_table(table)?;
        }
        let mut session = DuckLakeTableWriter::new(self.writer()?, self.file_system())
            .map_err(lake)?
            .with_compression(Compression::ZSTD(ZstdLevel::default()))
            .with_max_row_group_rows(ROW_GROUP)
            .begin_write(schema, table, columns, mode)
            .map_err(lake)?
            .with_options(&TableWriteOptions::new().with_commit_metadata(commit));
        for batch in spool.drain()? {
            session.write_batch(&batch?).map_err(lake)?;
        }
        session.finish().await.map_err(lake)
    }
}

/// The derived columns of some rows, computed on all cores beside the tasks that wait.
async fn follow(batch: RecordBatch) -> Result<RecordBatch> {
    let done = tokio::task::spawn_blocking(move || derived::follow(&batch)).await;
    let done = done.map_err(|e| exec_datafusion_err!("computing columns of crystals: {e}"))?;
    done.map_err(|why| exec_datafusion_err!("{why}"))
}

/// The columns of a new table for rows of `schema`.
fn new_columns(table: &str, schema: &Schema) -> Result<SchemaRef> {
    if is_reserved(table) {
        return plan_err!("'{table}' is kept for the registry or for features; choose another name");
    }
    if table.contains(['/', '\\']) || table.contains("..") || table.chars().all(|c| c == '.') {
        return plan_err!("'{table}' cannot name a table: it stands in the path of its files");
    }
    let names: Vec<String> = schema.fields().iter().map(|field| field.name().to_lowercase()).collect();
    for (i, name) in names.iter().enumerate() {
        if names[..i].contains(name) {
            return plan_err!("two columns are called '{name}'; give one of them another name with AS");
        }
    }
    Ok(with_types(schema, true, storable))
}

/// What the lake did not take, in our words where we know better.
fn refused(table: &str, error: &DuckLakeError) -> datafusion::error::DataFusionError {
    match error {
        DuckLakeError::UnsupportedTypeChange { column, from, to, .. } => plan_datafusion_err!(
            "column '{column}' of '{table}' is {from} and would become {to}: DROP TABLE {table}, and make it again"
        ),
        DuckLakeError::UnsupportedType(kind) => {
            plan_datafusion_err!("a column of '{table}' cannot be stored ({kind}); leave it out or CAST it")
        }
        other => exec_datafusion_err!("writing {table}: {other}"),
    }
}

impl From<StoreError> for datafusion::error::DataFusionError {
    fn from(error: StoreError) -> Self {
        Self::External(Box::new(error))
    }
}
