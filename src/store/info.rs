//! What a store holds, and how it came to be.

use std::path::PathBuf;

use super::Store;
use super::features::{self, FeatureInfo};
use super::moments::{SNAPSHOT_TIME, as_of};
use crate::StoreError;

/// One commit to the lake.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Number; `--snapshot N` reads it again.
    pub id: i64,
    /// When, UTC.
    pub time: String,
    /// What, in DuckLake's words (`inserted_into_table:1`).
    pub changes: Option<String>,
    /// The committer's own words.
    pub message: Option<String>,
}

/// A table of a snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct TableInfo {
    /// Name.
    pub name: String,
    /// Rows that a query sees, or `None` where another client holds rows or deletions inside the catalog.
    pub rows: Option<u64>,
    /// Parquet files.
    pub files: u64,
    /// Their size, bytes.
    pub bytes: u64,
}

/// What a store holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Info {
    /// The folder.
    pub dir: PathBuf,
    /// Whether it may be written to.
    pub writable: bool,
    /// The snapshot that this is of.
    pub snapshot: Option<Snapshot>,
    /// Tables, by name; without those of the features.
    pub tables: Vec<TableInfo>,
    /// Materialised features, by name.
    pub features: Vec<FeatureInfo>,
    /// Records in quarantine.
    pub quarantined: u64,
    /// Cached predictions by model id.
    pub predictions: Vec<(String, u64)>,
}

impl Store {
    /// Every snapshot, oldest first.
    ///
    /// # Errors
    /// A catalog that cannot be read.
    pub fn snapshots(&self) -> Result<Vec<Snapshot>, StoreError> {
        let connection = self.connect()?;
        let mut statement = connection.prepare(&format!(
            "SELECT snapshot_id, strftime('%Y-%m-%d %H:%M:%S', {SNAPSHOT_TIME}), changes_made, commit_message
             FROM ducklake_snapshot LEFT JOIN ducklake_snapshot_changes USING (snapshot_id) ORDER BY snapshot_id",
        ))?;
        let rows = statement.query_map([], |row| {
            Ok(Snapshot { id: row.get(0)?, time: row.get(1)?, changes: row.get(2)?, message: row.get(3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What the store holds, at its newest snapshot or at the one given. Quarantine and predictions are those of now.
    ///
    /// # Errors
    /// A catalog that cannot be read, or no such snapshot.
    pub fn info(&self, snapshot: Option<i64>) -> Result<Info, StoreError> {
        if let Some(asked) = snapshot {
            self.check_snapshot(asked)?;
        }
        let connection = self.connect()?;
        let mut statement = connection.prepare(&as_of(
            "SELECT t.table_name,
                    (SELECT coalesce(sum(record_count), 0) FROM ducklake_data_file f
                     WHERE f.table_id = t.table_id AND f.end_snapshot IS NULL)
                  - (SELECT coalesce(sum(delete_count), 0)
                     FROM ducklake_delete_file d JOIN ducklake_data_file f ON f.data_file_id = d.data_file_id
                     WHERE d.table_id = t.table_id AND d.end_snapshot IS NULL AND f.end_snapshot IS NULL),
                    (SELECT count(*) FROM ducklake_data_file f
                     WHERE f.table_id = t.table_id AND f.end_snapshot IS NULL),
                    (SELECT coalesce(sum(file_size_bytes), 0) FROM ducklake_data_file f
                     WHERE f.table_id = t.table_id AND f.end_snapshot IS NULL),
                    (SELECT count(*) FROM ducklake_inlined_data_tables i WHERE i.table_id = t.table_id)
                  + (SELECT count(*) FROM sqlite_master WHERE name = 'ducklake_inlined_delete_' || t.table_id)
             FROM ducklake_table t WHERE t.end_snapshot IS NULL AND NOT EXISTS (
                 SELECT 1 FROM hollandite_featurizers f WHERE t.table_name = 'features_' || f.name)
             ORDER BY t.table_name",
            snapshot,
        ))?;
        let tables = statement
            .query_map([], |row| {
                let inlined: i64 = row.get(4)?;
                Ok(TableInfo {
                    name: row.get(0)?,
                    rows: if inlined == 0 { Some(row.get::<_, i64>(1)?.max(0) as u64) } else { None },
                    files: row.get::<_, i64>(2)? as u64,
                    bytes: row.get::<_, i64>(3)? as u64,
                })
            })?
            .collect::<Result<_, _>>()?;
        let mut statement = connection
            .prepare("SELECT model_id, count(*) FROM hollandite_predictions GROUP BY model_id ORDER BY model_id")?;
        let predictions = statement
            .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?
            .collect::<Result<_, _>>()?;
        Ok(Info {
            dir: self.inner.dir.clone(),
            writable: self.is_writable(),
            snapshot: self.snapshots()?.into_iter().rfind(|of| snapshot.is_none_or(|asked| asked == of.id)),
            tables,
            features: features::list(&connection, snapshot)?,
            quarantined: super::quarantine::count(&connection)?,
            predictions,
        })
    }
}
