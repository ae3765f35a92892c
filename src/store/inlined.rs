//! Rows that another client left inside the catalog go to files.
//!
//! DuckDB keeps small inserts in tables of the catalog, one for each version of the columns. datafusion-ducklake reads them by the
//! names that columns have now, so that a column which was renamed since is NULL in them: they are moved before anybody asks.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema};
use arrow::record_batch::RecordBatch;
use datafusion_ducklake::metadata_provider::{DuckLakeInlinedData, DuckLakeTableColumn};
use datafusion_ducklake::{DuckLakeTableWriter, MetadataProvider};
use parquet::basic::{Compression, ZstdLevel};
use rusqlite::{Connection, params};

use super::lake::Store;
use crate::StoreError;

/// What an error here says was attempted.
const DOING: &str = "moving rows from the catalog to files";

/// A table of the lake that has rows inside the catalog.
struct Holder {
    id: i64,
    schema: String,
    table: String,
    /// The tables of the catalog that hold them, each with a snapshot of the version of the columns that it has.
    parts: Vec<(String, i64)>,
}

impl Store {
    /// Moves the rows that are inside the catalog to files, a snapshot for each table, where no writer is active.
    ///
    /// # Errors
    /// A catalog that cannot be read, or a file that cannot be written.
    pub(super) async fn move_inlined(&self) -> Result<(), StoreError> {
        if !self.is_writable() || holders(&self.connect()?)?.is_empty() {
            return Ok(());
        }
        match self.try_lock()? {
            Some(_turn) => self.move_inlined_in_turn().await,
            None => Ok(()),
        }
    }

    /// As [`Store::move_inlined`], for a caller that has the writer's turn.
    pub(super) async fn move_inlined_in_turn(&self) -> Result<(), StoreError> {
        let holders = holders(&self.connect()?)?;
        for holder in holders {
            let now = self.newest_snapshot()?;
            let rows = self.inlined(&holder, now)?;
            DuckLakeTableWriter::new(self.writer()?, self.file_system())
                .map_err(StoreError::lake(DOING))?
                .with_compression(Compression::ZSTD(ZstdLevel::default()))
                .flush_inlined_data(&holder.schema, &holder.table, &rows, now)
                .await
                .map_err(StoreError::lake(DOING))?;
        }
        Ok(())
    }

    /// The rows of a table inside the catalog, under the names that its columns have now.
    fn inlined(&self, holder: &Holder, now: i64) -> Result<Vec<DuckLakeInlinedData>, StoreError> {
        let provider = &self.inner.provider;
        let columns = |snapshot| provider.get_table_structure(holder.id, snapshot).map_err(StoreError::lake(DOING));
        let current = columns(now)?;
        let mut rows = Vec::new();
        for (part, snapshot) in &holder.parts {
            let then = columns(*snapshot)?;
            let asked: Vec<DuckLakeTableColumn> = current.iter().map(|column| as_then(column, &then)).collect();
            let found = provider.get_inlined_data_with_row_ids(holder.id, now, &asked);
            let found = found.map_err(StoreError::lake(DOING))?.into_iter().filter(|data| data.table_name == *part);
            for data in found {
                rows.push(DuckLakeInlinedData { batch: renamed(&data.batch, &current)?, ..data });
            }
        }
        Ok(rows)
    }
}

/// A column under the name that it had, or one that nothing has where it came since.
fn as_then(column: &DuckLakeTableColumn, then: &[DuckLakeTableColumn]) -> DuckLakeTableColumn {
    let mut asked = column.clone();
    let name = then.iter().find(|old| old.column_id == column.column_id).map(|old| old.column_name.clone());
    asked.column_name = name.unwrap_or_else(|| format!("{} (new)", column.column_name));
    asked
}

/// A batch whose columns have the names of now.
fn renamed(batch: &RecordBatch, columns: &[DuckLakeTableColumn]) -> Result<RecordBatch, StoreError> {
    let fields = batch
        .schema()
        .fields()
        .iter()
        .zip(columns)
        .map(|(field, column)| {
            Field::new(&column.column_name, field.data_type().clone(), field.is_nullable())
                .with_metadata(field.metadata().clone())
        })
        .collect::<Vec<_>>();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), batch.columns().to_vec());
    batch.map_err(StoreError::lake(DOING))
}

/// The living tables that have living rows inside the catalog.
fn holders(connection: &Connection) -> Result<Vec<Holder>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT i.table_id, s.schema_name, t.table_name, i.table_name,
                (SELECT begin_snapshot FROM ducklake_schema_versions v
                 WHERE v.table_id = i.table_id AND v.schema_version <= i.schema_version ORDER BY v.schema_version DESC LIMIT 1)
         FROM ducklake_inlined_data_tables i JOIN ducklake_table t USING (table_id) JOIN ducklake_schema s USING (schema_id)
         WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL ORDER BY i.table_id, i.schema_version",
    )?;
    let parts: Vec<(i64, String, String, String, Option<i64>)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?
        .collect::<Result<_, _>>()?;
    let mut holders: Vec<Holder> = Vec::new();
    for (id, schema, table, part, snapshot) in parts {
        let exists = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?";
        let living =
            format!("SELECT EXISTS (SELECT 1 FROM \"{}\" WHERE end_snapshot IS NULL)", part.replace('"', "\"\""));
        if connection.query_row(exists, params![part], |row| row.get::<_, i64>(0))? == 0
            || !connection.query_row(&living, [], |row| row.get::<_, bool>(0))?
        {
            continue;
        }
        let snapshot = snapshot.ok_or_else(|| {
            StoreError::lake(DOING)(format!("the catalog does not say which columns the rows in {part} have"))
        })?;
        match holders.last_mut() {
            Some(holder) if holder.id == id => holder.parts.push((part, snapshot)),
            _ => holders.push(Holder { id, schema, table, parts: vec![(part, snapshot)] }),
        }
    }
    Ok(holders)
}
