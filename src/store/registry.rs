//! Tables of our own in `catalog.sqlite`, under the prefix `hollandite_`, and the numbered migrations that make them.
//!
//! The catalog keeps SQLite's rollback journal: a write-ahead log would need two more files beside it, and could not be
//! opened in a folder that may not be written to. A writer waits its turn for [`BUSY`].

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, params};

use super::row_sums;
use crate::StoreError;

/// How long a statement waits for another process to finish its commit.
const BUSY: Duration = Duration::from_secs(30);

/// Every migration in order; the number of one is its place, from 1.
const MIGRATIONS: [(&str, &str); 11] = [
    ("ducklake_1_0", include_str!("../../schema/registry/0001_ducklake_1_0.sql")),
    ("registry", include_str!("../../schema/registry/0002_registry.sql")),
    ("features", include_str!("../../schema/registry/0003_features.sql")),
    ("duplicates", include_str!("../../schema/registry/0004_duplicates.sql")),
    ("evaluations", include_str!("../../schema/registry/0005_evaluations.sql")),
    ("tuning", include_str!("../../schema/registry/0006_tuning.sql")),
    ("published", include_str!("../../schema/registry/0007_published.sql")),
    ("computed", include_str!("../../schema/registry/0008_computed.sql")),
    ("as_ducklake", include_str!("../../schema/registry/0009_as_ducklake.sql")),
    ("row_sums", include_str!("../../schema/registry/0010_row_sums.sql")),
    ("struct_nulls", include_str!("../../schema/registry/0011_struct_nulls.sql")),
];

/// Whether a connection may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// Opens an existing catalog.
pub(super) fn connect(catalog: &Path, access: Access) -> Result<Connection, StoreError> {
    let flags = match access {
        Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
    };
    let connection = Connection::open_with_flags(catalog, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    row_sums::define(&connection)?;
    Ok(connection)
}

/// Goes back to the rollback journal where another client chose a write-ahead log, which machines that share a file system cannot
/// read together. While another process has the catalog open, the log stays.
pub(super) fn leave_write_ahead_log(connection: &Connection) -> Result<(), StoreError> {
    let mode = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, String>(0));
    if mode("PRAGMA journal_mode")? != "wal" {
        return Ok(());
    }
    connection.busy_timeout(Duration::ZERO)?;
    let left = mode("PRAGMA journal_mode = DELETE");
    connection.busy_timeout(BUSY)?;
    match left {
        Err(error) if error.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) => Err(error.into()),
        _ => Ok(()),
    }
}

/// Makes a new catalog, complete, in one transaction.
pub(super) fn create(catalog: &Path, data_path: &str) -> Result<(), StoreError> {
    let mut connection = Connection::open(catalog)?;
    connection.busy_timeout(BUSY)?;
    row_sums::define(&connection)?;
    migrate(&mut connection, 0)?;
    set_data_path(&connection, data_path)
}

/// The number of the last migration applied; `None` where the file is no catalog of ours.
pub(super) fn version(connection: &Connection) -> Result<Option<usize>, StoreError> {
    let ours: Option<i64> = connection
        .query_row("SELECT 1 FROM sqlite_master WHERE name = 'hollandite_migrations'", [], |row| row.get(0))
        .optional()?;
    let last = "SELECT max(number) FROM hollandite_migrations";
    match ours {
        Some(_) => Ok(Some(connection.query_row(last, [], |row| row.get::<_, i64>(0))? as usize)),
        None => Ok(None),
    }
}

/// The number of the newest migration that this program knows.
pub(super) const fn newest_version() -> usize {
    MIGRATIONS.len()
}

/// Applies every migration after number `from`, in one transaction.
pub(super) fn migrate(connection: &mut Connection, from: usize) -> Result<(), StoreError> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(COUNTED)?;
    apply(transaction, from)
}

/// Makes the catalog of another client one of ours, in one transaction: the first migration stands for what it has already.
pub(super) fn adopt(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(COUNTED)?;
    transaction.execute("INSERT INTO hollandite_migrations (number, name) VALUES (1, ?)", params![MIGRATIONS[0].0])?;
    // What datafusion-ducklake counts by itself, and DuckDB by rows.
    for (key, first) in [
        ("next_column_id", "SELECT coalesce(max(column_id), 0) FROM ducklake_column"),
        ("next_partition_id", "SELECT coalesce(max(partition_id), 0) FROM ducklake_partition_info"),
        ("next_sort_id", "SELECT coalesce(max(sort_id), 0) FROM ducklake_sort_info"),
        ("data_inlining_row_limit", "SELECT 0"),
    ] {
        let sql = format!(
            "INSERT INTO ducklake_metadata (key, value) SELECT ?1, CAST(({first}) AS TEXT)
             WHERE NOT EXISTS (SELECT 1 FROM ducklake_metadata WHERE key = ?1 AND scope IS NULL)"
        );
        transaction.execute(&sql, params![key])?;
    }
    apply(transaction, 1)
}

/// Which migrations were applied.
const COUNTED: &str = "CREATE TABLE IF NOT EXISTS hollandite_migrations (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);";

fn apply(transaction: Transaction<'_>, from: usize) -> Result<(), StoreError> {
    row_sums::define(&transaction)?;
    for (number, (name, sql)) in (1_i64..).zip(MIGRATIONS).skip(from) {
        transaction.execute_batch(sql)?;
        transaction.execute("INSERT INTO hollandite_migrations (number, name) VALUES (?, ?)", params![number, name])?;
    }
    row_sums::install(&transaction)?;
    Ok(transaction.commit()?)
}

/// Absolute path of the data folder as the catalog has it, with a trailing `/`.
pub(super) fn data_path(connection: &Connection) -> Result<String, StoreError> {
    let sql = "SELECT value FROM ducklake_metadata WHERE key = 'data_path' AND scope IS NULL";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

/// Writes the absolute path of the data folder.
pub(super) fn set_data_path(connection: &Connection, path: &str) -> Result<(), StoreError> {
    connection
        .execute("UPDATE ducklake_metadata SET value = ? WHERE key = 'data_path' AND scope IS NULL", params![path])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_apply_once_and_are_counted() {
        let dir = tempfile::tempdir().unwrap();
        let catalog = dir.path().join("catalog.sqlite");
        create(&catalog, "/somewhere/data/").unwrap();
        let connection = connect(&catalog, Access::Write).unwrap();
        assert_eq!(version(&connection).unwrap(), Some(newest_version()));
        assert_eq!(data_path(&connection).unwrap(), "/somewhere/data/");
        assert_eq!(version(&Connection::open_in_memory().unwrap()).unwrap(), None);
    }

    #[test]
    fn triggers_keep_the_counters_above_every_id() {
        let dir = tempfile::tempdir().unwrap();
        let catalog = dir.path().join("catalog.sqlite");
        create(&catalog, "/").unwrap();
        let c = connect(&catalog, Access::Write).unwrap();
        c.execute_batch(
            "INSERT INTO ducklake_snapshot (snapshot_id) VALUES (1);
             INSERT INTO ducklake_table (table_id, schema_id, table_name, begin_snapshot) VALUES (1, 0, 't', 1);
             INSERT INTO ducklake_data_file (table_id, path, file_size_bytes, begin_snapshot) VALUES (1, 'a', 1, 1);
             INSERT INTO ducklake_data_file (table_id, path, file_size_bytes, begin_snapshot) VALUES (1, 'b', 1, 1);
             INSERT INTO ducklake_snapshot (snapshot_id) VALUES (2);
             INSERT INTO ducklake_column (column_id, table_id) VALUES (7, 1);",
        )
        .unwrap();
        let counters: (i64, i64) = c
            .query_row("SELECT next_catalog_id, next_file_id FROM ducklake_snapshot WHERE snapshot_id = 2", [], |r| {
                Ok((r.get(0)?, r.get(1)?))
            })
            .unwrap();
        assert_eq!(counters, (2, 3));
        let uuid: String = c.query_row("SELECT table_uuid FROM ducklake_table", [], |r| r.get(0)).unwrap();
        assert_eq!((uuid.len(), uuid.matches('-').count()), (36, 4));
        let next: String =
            c.query_row("SELECT value FROM ducklake_metadata WHERE key = 'next_column_id'", [], |r| r.get(0)).unwrap();
        assert_eq!(next, "7");
    }
}
