//! Materialised features: what functions of a crystal answered, kept in the lake.
//!
//! Each feature is a lake table `features_NAME` with a row for each row that was featurized ([`FeatureTable`] writes it in
//! commits, one snapshot each), and a row of `hollandite_featurizers` that says which function, arguments and version its
//! values are of. The view `features` joins them all ([`view`]); a call of the same function finds its value by the exact
//! numbers of the crystal ([`FeatureValues`]), from any table, row or snapshot.

mod read;
mod view;
mod write;

use arrow::datatypes::DataType;
use rusqlite::{Connection, OptionalExtension, params};

use super::moments::as_of;
use crate::StoreError;

pub use read::{FeatureValues, Materialised, Place};
pub(super) use view::view;
pub use write::FeatureTable;

/// Name of the view of all features.
pub(super) const VIEW: &str = "features";
/// What the names of the features' tables begin with.
pub(super) const PREFIX: &str = "features_";

/// Every feature of the newest snapshot; also the table `featurizers`. Counts of each commit are in its snapshot, committed
/// with its rows, for merges of shards too; the columns `nulls` and `seconds` of `hollandite_featurizers` are of commits that
/// an older program wrote.
pub(super) const LIST: &str = "
    WITH commits AS MATERIALIZED (
        SELECT snapshot_id, json_extract(commit_extra_info, '$.hollandite_feature') AS feature,
               json_extract(commit_extra_info, '$.nulls') AS nulls, json_extract(commit_extra_info, '$.seconds') AS seconds
        FROM ducklake_snapshot_changes WHERE commit_extra_info LIKE '{\"hollandite_feature\":%'
        UNION ALL
        SELECT snapshot_id, json_extract(part.value, '$.feature'), json_extract(part.value, '$.nulls'),
               json_extract(part.value, '$.seconds')
        FROM ducklake_snapshot_changes, json_each(commit_extra_info, '$.features') AS part
        WHERE commit_extra_info LIKE '{\"hollandite_merge\":%')
    SELECT f.name, f.featurizer,
           (SELECT coalesce(sum(record_count), 0) FROM ducklake_data_file d
            WHERE d.table_id = t.table_id AND d.end_snapshot IS NULL)
         - (SELECT coalesce(sum(delete_count), 0) FROM ducklake_delete_file d
            WHERE d.table_id = t.table_id AND d.end_snapshot IS NULL) AS rows,
           f.nulls + coalesce((SELECT sum(c.nulls) FROM commits c
                               WHERE c.feature = f.name AND c.snapshot_id >= t.begin_snapshot), 0) AS nulls,
           (SELECT count(*) FROM ducklake_data_file d WHERE d.table_id = t.table_id AND d.end_snapshot IS NULL) AS files,
           (SELECT coalesce(sum(file_size_bytes), 0) FROM ducklake_data_file d
            WHERE d.table_id = t.table_id AND d.end_snapshot IS NULL) AS bytes,
           f.seconds + coalesce((SELECT sum(c.seconds) FROM commits c
                                 WHERE c.feature = f.name AND c.snapshot_id >= t.begin_snapshot), 0) AS seconds,
           coalesce((SELECT CAST(max(s.snapshot_time) AS TEXT) FROM ducklake_snapshot s JOIN commits c USING (snapshot_id)
                     WHERE c.feature = f.name AND c.snapshot_id >= t.begin_snapshot), f.updated) AS updated
    FROM hollandite_featurizers f JOIN ducklake_table t ON t.table_name = 'features_' || f.name AND t.end_snapshot IS NULL
    ORDER BY f.name";

/// A feature to materialise.
#[derive(Debug, Clone, PartialEq)]
pub struct Featurizer {
    /// Name of its column: `void_ionic_0_76`.
    pub name: String,
    /// Function, constant arguments and version: `void(ionic,0.76)/1`.
    pub id: String,
    /// Type of its values.
    pub data_type: DataType,
    /// What they are, in which unit.
    pub comment: String,
}

impl Featurizer {
    /// Name of its lake table.
    pub fn table(&self) -> String {
        format!("{PREFIX}{}", self.name)
    }
}

/// A materialised feature.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureInfo {
    /// Name of its column in `features`; its lake table is `features_NAME`.
    pub name: String,
    /// Function, constant arguments and version: `void(ionic,0.76)/1`.
    pub featurizer: String,
    /// Rows.
    pub rows: u64,
    /// Of these, NULL: the function had no answer.
    pub nulls: u64,
    /// Parquet files.
    pub files: u64,
    /// Their size, bytes.
    pub bytes: u64,
    /// Time that its values took.
    pub seconds: f64,
    /// Time of its last commit, UTC.
    pub updated: String,
}

/// The mark in the snapshot of a commit.
fn commit_mark(feature: &str, nulls: usize, seconds: f64) -> String {
    // The name stands first: so a commit is found by its beginning.
    format!("{{\"hollandite_feature\":{},\"nulls\":{nulls},\"seconds\":{seconds}}}", serde_json::json!(feature))
}

/// Every feature, at the newest snapshot or at the one given.
pub(super) fn list(connection: &Connection, snapshot: Option<i64>) -> Result<Vec<FeatureInfo>, StoreError> {
    const SINCE: &str = "c.snapshot_id >= t.begin_snapshot";
    let sql = match snapshot {
        None => LIST.to_owned(),
        Some(at) => as_of(LIST, snapshot).replace(SINCE, &format!("{SINCE} AND c.snapshot_id <= {at}")),
    };
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], |row| {
        let count = |i: usize| Ok::<_, rusqlite::Error>(row.get::<_, i64>(i)?.max(0) as u64);
        Ok(FeatureInfo {
            name: row.get(0)?,
            featurizer: row.get(1)?,
            rows: count(2)?,
            nulls: count(3)?,
            files: count(4)?,
            bytes: count(5)?,
            seconds: row.get(6)?,
            updated: row.get(7)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The featurizer whose values the table of feature `name` holds, as far as the registry knows.
pub(super) fn registered(connection: &Connection, name: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT featurizer FROM hollandite_featurizers WHERE name = ?";
    Ok(connection.query_row(sql, params![name], |row| row.get(0)).optional()?)
}
