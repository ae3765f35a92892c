//! Small files of a table are merged by the next writer.
//!
//! A statement that writes leaves a file, and one more of deletions, and every query opens all that are alive: an hour of single
//! UPDATEs would make each of them slower than the one before. Merging is DuckLake's own compaction, a snapshot that changes no row:
//! every older snapshot stays readable.

use datafusion::catalog::CatalogProvider;
use datafusion::prelude::SessionContext;
use datafusion_ducklake::{DuckLakeTable, DuckLakeWriteOptions, MergeOptions, RewriteOptions};
use parquet::basic::{Compression, ZstdLevel};
use rusqlite::{Connection, params};

use super::lake::{SCHEMA, Store};
use crate::StoreError;

/// Small files that a table may have.
const FILES: usize = 32;
/// A file of fewer bytes is small, and merged with others until they have as many.
const SMALL: u64 = 8 << 20;
/// What an error here says was attempted.
const DOING: &str = "merging small files";

/// A table with too many small files.
struct Crowded {
    id: i64,
    table: String,
}

impl Store {
    /// Merges the small files of tables that have too many; the caller has the writer's turn. Where another client changes the table
    /// meanwhile, or a file cannot be read, they stay as they are: their readers get the error.
    pub(super) async fn tidy(&self) {
        // The files of a branch are its own rows, or those of its store.
        if self.inner.main.is_some() {
            return;
        }
        let Ok(crowded) = self.connect().and_then(|connection| crowded(&connection)) else { return };
        for table in crowded {
            // What was begun and not committed is a file that no snapshot names, which the next writer clears away.
            let _ = self.merge(&table).await;
        }
    }

    async fn merge(&self, crowded: &Crowded) -> Result<(), StoreError> {
        let before = self.newest_snapshot()?;
        let ctx = SessionContext::new();
        self.register(&ctx, None).await?;
        let state = ctx.state();
        let lessened = lessened(&self.connect()?, crowded.id)?;
        if !lessened.is_empty() {
            let options = RewriteOptions { data_file_ids: Some(lessened), ..RewriteOptions::default() };
            let rewritten = self.to_compact(&crowded.table).await?.rewrite_data_files(&state, options).await;
            rewritten.map_err(StoreError::lake(DOING))?;
        }
        let options = MergeOptions { target_file_size: SMALL, ..MergeOptions::default() };
        let merged = self.to_compact(&crowded.table).await?.merge_adjacent_files(&state, options).await;
        merged.map_err(StoreError::lake(DOING))?;
        self.connect()?.execute(
            "UPDATE ducklake_snapshot_changes SET author = ?, commit_message = ?
             WHERE snapshot_id > ? AND changes_made = 'compacted_table:' || ?",
            params![
                concat!("hollandite ", env!("CARGO_PKG_VERSION")),
                format!("merge small files of {}", crowded.table),
                before,
                crowded.id
            ],
        )?;
        Ok(())
    }

    /// A table as it is now, whose new files are compressed as those of the other writers here.
    async fn to_compact(&self, table: &str) -> Result<DuckLakeTable, StoreError> {
        let mut options = DuckLakeWriteOptions::default();
        options.compression = Some(Compression::ZSTD(ZstdLevel::default()));
        let failed = StoreError::lake::<String>(DOING);
        let schema = self.catalog(None)?.with_write_options(options).schema(SCHEMA);
        let schema = schema.ok_or_else(|| failed(format!("the catalog has no schema {SCHEMA}")))?;
        let found = schema.table(table).await.map_err(StoreError::lake(DOING))?;
        let found = found.as_ref().and_then(|found| found.downcast_ref::<DuckLakeTable>());
        found.cloned().ok_or_else(|| failed(format!("'{table}' is not a table of the lake")))
    }
}

/// The living tables that have too many small files.
fn crowded(connection: &Connection) -> Result<Vec<Crowded>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT t.table_id, t.table_name FROM ducklake_table t
         JOIN ducklake_schema s USING (schema_id) JOIN ducklake_data_file f USING (table_id)
         WHERE s.schema_name = ? AND s.end_snapshot IS NULL AND t.end_snapshot IS NULL AND f.end_snapshot IS NULL
           AND f.file_size_bytes < ?
         GROUP BY t.table_id, t.table_name HAVING count(*) > ?",
    )?;
    let rows = statement.query_map(params![SCHEMA, SMALL as i64, FILES as i64], |row| {
        Ok(Crowded { id: row.get(0)?, table: row.get(1)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The small files of a table of which rows are deleted.
fn lessened(connection: &Connection, table: i64) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT f.data_file_id FROM ducklake_data_file f JOIN ducklake_delete_file d USING (data_file_id)
         WHERE f.table_id = ? AND f.end_snapshot IS NULL AND d.end_snapshot IS NULL AND f.file_size_bytes < ?",
    )?;
    let rows = statement.query_map(params![table, SMALL as i64], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, RecordBatch};
    use arrow::compute::concat_batches;
    use arrow::datatypes::Int64Type;

    use super::*;

    async fn run(ctx: &SessionContext, sql: &str) -> Vec<RecordBatch> {
        ctx.sql(sql).await.unwrap().collect().await.unwrap()
    }

    /// The rows of `t`, by a.
    async fn rows(store: &Store, snapshot: Option<i64>) -> Vec<(i64, i64)> {
        let ctx = SessionContext::new();
        store.register(&ctx, snapshot).await.unwrap();
        let batches = run(&ctx, "SELECT a, b FROM t ORDER BY a, b").await;
        let Some(first) = batches.first() else { return Vec::new() };
        let all = concat_batches(&first.schema(), &batches).unwrap();
        let [a, b] = [0, 1].map(|i| all.column(i).as_primitive::<Int64Type>().values().to_vec());
        a.into_iter().zip(b).collect()
    }

    fn files(store: &Store) -> u64 {
        store.info(None).unwrap().tables.into_iter().find(|table| table.name == "t").unwrap().files
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_next_writer_merges_small_files_and_every_snapshot_stays_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::init(&dir.path().join("s")).await.unwrap();
        let ctx = SessionContext::new();
        store.register(&ctx, None).await.unwrap();
        run(&ctx, "CREATE TABLE t (a BIGINT, b BIGINT)").await;
        run(&ctx, "INSERT INTO t SELECT value, 0 FROM generate_series(1, 50)").await;
        for turn in 1..=FILES {
            match turn % 4 {
                0 => run(&ctx, &format!("INSERT INTO t VALUES ({}, 1)", 100 + turn)).await,
                1 => run(&ctx, &format!("DELETE FROM t WHERE a = {turn}")).await,
                2 => run(&ctx, &format!("UPDATE t SET b = b + 1 WHERE a = {turn}")).await,
                _ => run(&ctx, "UPDATE t SET b = b + 1 WHERE a = 50").await,
            };
        }
        // A turn that finds few files lets them be.
        let quiet = store.newest_snapshot().unwrap();
        drop(store.lock().await.unwrap());
        assert_eq!((store.newest_snapshot().unwrap(), files(&store) > 10), (quiet, true));
        for turn in 0..FILES {
            run(&ctx, &format!("INSERT INTO t VALUES ({}, 2)", 200 + turn)).await;
        }
        let last = store.newest_snapshot().unwrap();
        let mut known = Vec::new();
        for snapshot in last - 2 * FILES as i64..=last {
            known.push((snapshot, rows(&store, Some(snapshot)).await));
        }
        let before = rows(&store, None).await;

        drop(store.lock().await.unwrap());
        assert_eq!((files(&store), rows(&store, None).await), (1, before.clone()));
        for (snapshot, then) in &known {
            assert_eq!(&rows(&store, Some(*snapshot)).await, then, "snapshot {snapshot}");
        }
        let report = store.verify().await.unwrap();
        assert!(report.is_clean() && report.checksums == report.files && report.leftovers.is_empty(), "{report}");
        let newest = store.snapshots().unwrap().pop().unwrap();
        assert_eq!(newest.message.as_deref(), Some("merge small files of t"));

        // Merged rows are changed, merged again and restored as any others.
        run(&ctx, "DELETE FROM t WHERE a > 20").await;
        for turn in 0..=FILES {
            run(&ctx, &format!("INSERT INTO t VALUES ({}, 3)", 300 + turn)).await;
        }
        let more = rows(&store, None).await;
        drop(store.lock().await.unwrap());
        assert_eq!((files(&store), rows(&store, None).await), (1, more));
        store.restore(last, Some("t")).await.unwrap();
        assert_eq!(rows(&store, None).await, before);
        for (snapshot, then) in &known {
            assert_eq!(&rows(&store, Some(*snapshot)).await, then, "snapshot {snapshot}");
        }
        assert!(store.verify().await.unwrap().is_clean());
    }
}
