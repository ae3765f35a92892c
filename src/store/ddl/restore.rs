//! The way back: tables and views as they were at a snapshot, in new snapshots. What came in between stays readable.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::compute::cast;
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::prelude::SessionContext;
use datafusion_ducklake::{DuckLakeTableWriter, SnapshotCommitMetadata, TableWriteOptions, WriteMode};
use futures::TryStreamExt;
use parquet::basic::{Compression, ZstdLevel};
use rusqlite::{OptionalExtension, params};

use super::Commit;
use super::create::drop_table;
use super::views::end;
use crate::StoreError;
use crate::lake::{CATALOG, SCHEMA, Store};
use crate::nearest::did_you_mean;
use crate::storable::plain;

/// What an error here says was attempted.
const DOING: &str = "restoring a table";

/// What was done to return to a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Restored {
    /// Tables that are again as they were, with their rows.
    pub tables: Vec<(String, u64)>,
    /// Tables that did not exist then, and were dropped.
    pub dropped: Vec<String>,
    /// Views that were made again, replaced or dropped.
    pub views: u64,
}

impl Store {
    /// Makes a table, or every table and view, what it was at `snapshot`: rows are written again, a snapshot for each table that
    /// differs; nothing of the past is lost. Interrupted, it has restored some tables as a whole; begun again, it does the rest.
    ///
    /// # Errors
    /// No such snapshot, no such table then, or a store that may not be written to.
    pub async fn restore(&self, snapshot: i64, table: Option<&str>) -> Result<Restored, StoreError> {
        self.writer()?;
        self.check_snapshot(snapshot)?;
        let _turn = self.lock().await?;
        let mut restored = Restored::default();
        let then: BTreeSet<String> = self.tables_at(snapshot)?.into_iter().collect();
        let wanted: Vec<String> = match table {
            Some(table) if then.contains(table) => vec![table.to_owned()],
            Some(table) => {
                let otherwise = "; `hollandite info --snapshots` lists what changed";
                let like = did_you_mean(table, then.iter().map(String::as_str), otherwise);
                return Err(StoreError::Statement(format!("snapshot {snapshot} has no table '{table}'{like}")));
            }
            None => {
                self.drop_later(snapshot, &then, &mut restored)?;
                then.into_iter().collect()
            }
        };
        for table in wanted {
            if self.contents(&table, snapshot)? != self.contents(&table, self.newest_snapshot()?)? {
                let rows = self.rewrite(&table, snapshot).await?;
                restored.tables.push((table, rows));
            }
        }
        if table.is_none() {
            restored.views += self.restore_views(snapshot)?;
        }
        Ok(restored)
    }

    /// Drops the tables and views that were made since.
    fn drop_later(&self, snapshot: i64, then: &BTreeSet<String>, restored: &mut Restored) -> Result<(), StoreError> {
        let now = self.newest_snapshot()?;
        let old_views = self.views(snapshot)?;
        let views: Vec<String> =
            self.views(now)?.into_iter().filter(|view| !old_views.contains(view)).map(|view| view.name).collect();
        restored.dropped = self.tables_at(now)?.into_iter().filter(|table| !then.contains(table)).collect();
        restored.dropped.sort();
        if views.is_empty() && restored.dropped.is_empty() {
            return Ok(());
        }
        let mut connection = self.connect()?;
        let mut commit = Commit::begin(&mut connection)?;
        for table in &restored.dropped {
            if let Some(id) = commit.table(table)? {
                drop_table(&mut commit, id)?;
            }
        }
        for view in &views {
            if let Some(id) = commit.view(view)? {
                end(&mut commit, id)?;
                restored.views += 1;
            }
        }
        commit.finish(&format!("restore to snapshot {snapshot}")).map(drop)
    }

    /// Makes the views of the snapshot that are no more.
    fn restore_views(&self, snapshot: i64) -> Result<u64, StoreError> {
        let now = self.views(self.newest_snapshot()?)?;
        let lost: Vec<_> = self.views(snapshot)?.into_iter().filter(|view| !now.contains(view)).collect();
        if !lost.is_empty() {
            let mut connection = self.connect()?;
            let mut commit = Commit::begin(&mut connection)?;
            for view in &lost {
                super::views::insert(&mut commit, view)?;
            }
            commit.finish(&format!("restore to snapshot {snapshot}"))?;
        }
        Ok(lost.len() as u64)
    }

    /// What identifies the contents of a table at a snapshot: its columns, files and deletions; `None` where there is no
    /// such table, or one with rows inside the catalog.
    fn contents(&self, table: &str, snapshot: i64) -> Result<Option<String>, StoreError> {
        let connection = self.connect()?;
        let visible = "begin_snapshot <= ?2 AND (end_snapshot IS NULL OR end_snapshot > ?2)";
        let id = format!("SELECT table_id FROM ducklake_table WHERE table_name = ?1 AND {visible}");
        let id: Option<i64> = connection.query_row(&id, params![table, snapshot], |row| row.get(0)).optional()?;
        let Some(id) = id else { return Ok(None) };
        let inside = "SELECT (SELECT count(*) FROM ducklake_inlined_data_tables WHERE table_id = ?1)
                      + (SELECT count(*) FROM sqlite_master WHERE name = 'ducklake_inlined_delete_' || ?1)";
        if connection.query_row(inside, [id], |row| row.get::<_, i64>(0))? > 0 {
            return Ok(None);
        }
        let sql = format!(
            "SELECT coalesce(group_concat(part, ' '), '') FROM (
                 SELECT 'c' || column_id || column_name || column_type AS part FROM ducklake_column WHERE table_id = ?1 AND {visible}
                 UNION ALL SELECT 'f' || data_file_id FROM ducklake_data_file WHERE table_id = ?1 AND {visible}
                 UNION ALL SELECT 'd' || delete_file_id FROM ducklake_delete_file WHERE table_id = ?1 AND {visible}
                 ORDER BY part)"
        );
        Ok(Some(connection.query_row(&sql, params![id, snapshot], |row| row.get(0))?))
    }

    /// Replaces the rows of a table, or makes it again, by what it was at `snapshot`. Returns how many rows that is.
    async fn rewrite(&self, table: &str, snapshot: i64) -> Result<u64, StoreError> {
        let lake = StoreError::lake(DOING);
        let ctx = SessionContext::new();
        self.register(&ctx, Some(snapshot)).await?;
        let frame = ctx.table(format!("{CATALOG}.{SCHEMA}.\"{}\"", table.replace('"', "\"\""))).await.map_err(lake)?;
        let schema = self.schema_to_write(table, frame.schema().as_arrow()).await?;
        let comments = self.comments_at(table, snapshot)?;
        self.reserve_table(table)?;
        let mut session = DuckLakeTableWriter::new(self.writer()?, self.file_system())
            .map_err(StoreError::lake(DOING))?
            .with_compression(Compression::ZSTD(ZstdLevel::default()))
            .begin_write(SCHEMA, table, &schema, WriteMode::Replace)
            .map_err(StoreError::lake(DOING))?;
        let mut rows = 0;
        let mut batches = frame.execute_stream().await.map_err(lake)?;
        while let Some(batch) = batches.try_next().await.map_err(lake)? {
            let columns =
                batch.columns().iter().zip(schema.fields()).map(|(column, field)| cast(column, field.data_type()));
            let batch =
                columns.collect::<Result<_, _>>().and_then(|columns| RecordBatch::try_new(schema.clone(), columns));
            let batch = batch.map_err(|e| lake(e.into()))?;
            rows += batch.num_rows() as u64;
            session.write_batch(&batch).map_err(StoreError::lake(DOING))?;
        }
        let commit = SnapshotCommitMetadata::new()
            .with_author(concat!("hollandite ", env!("CARGO_PKG_VERSION")))
            .with_message(format!("restore {table} to snapshot {snapshot}"));
        let options = TableWriteOptions::new().with_commit_metadata(commit);
        let written = session.with_options(&options).finish().await.map_err(StoreError::lake(DOING))?;
        let kept = self.comments_at(table, written.snapshot_id)?;
        self.comment(
            table,
            comments.iter().filter(|(column, _)| !kept.contains_key(*column)).map(|(c, t)| (c.as_str(), t.as_str())),
        )?;
        Ok(rows)
    }

    /// The columns of then. One that is of a wider type now stays so: its values fit, and a type is never narrowed.
    async fn schema_to_write(&self, table: &str, then: &Schema) -> Result<SchemaRef, StoreError> {
        let now = self.table_schema(table).await?;
        let fields = then.fields().iter().map(|field| {
            let now = now.as_ref().and_then(|now| now.field_with_name(field.name()).ok());
            let kept = now.map_or(field.data_type(), Field::data_type);
            Field::new(field.name(), plain(kept), field.is_nullable())
        });
        Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
    }

    /// Comments of the columns of a table at a snapshot, by column.
    fn comments_at(&self, table: &str, snapshot: i64) -> Result<HashMap<String, String>, StoreError> {
        let connection = self.connect()?;
        let visible =
            |of: &str| format!("{of}.begin_snapshot <= ?2 AND ({of}.end_snapshot IS NULL OR {of}.end_snapshot > ?2)");
        let mut statement = connection.prepare(&format!(
            "SELECT c.column_name, g.value FROM ducklake_table t JOIN ducklake_column c USING (table_id)
             JOIN ducklake_column_tag g ON g.table_id = t.table_id AND g.column_id = c.column_id AND g.key = 'comment'
             WHERE t.table_name = ?1 AND {} AND {} AND {}",
            visible("t"),
            visible("c"),
            visible("g"),
        ))?;
        let rows = statement.query_map(params![table, snapshot], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
