//! Records that were refused: where they stand, and why. Nothing that a file holds is lost without a word.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use super::lake::Store;
use crate::StoreError;
use formats::Rejection;

/// A refused record.
#[derive(Debug, Clone, PartialEq)]
pub struct Quarantined {
    /// The table it was meant for.
    pub table: String,
    /// The file.
    pub path: PathBuf,
    /// Line, from 1; 0 where unknown.
    pub line: usize,
    /// The record's id, where it was readable.
    pub id: Option<String>,
    /// Why, and the remedy.
    pub reason: String,
    /// The offending text, shortened.
    pub raw_hint: Option<String>,
    /// When the import began, UTC.
    pub imported: String,
}

/// Records refused by finished imports and not imported since.
const VISIBLE: &str = "hollandite_quarantine q JOIN hollandite_imports i USING (import_id) WHERE i.state = 'done'";

impl Store {
    /// Every refused record, by file and line.
    ///
    /// # Errors
    /// A catalog that cannot be read.
    pub fn quarantine(&self) -> Result<Vec<Quarantined>, StoreError> {
        let connection = self.connect()?;
        let mut statement = connection.prepare(&format!(
            "SELECT q.table_name, path, line, record_id, reason, raw_hint, i.started FROM {VISIBLE}
             ORDER BY path, line, q.rowid"
        ))?;
        let rows = statement.query_map([], |row| {
            Ok(Quarantined {
                table: row.get(0)?,
                path: row.get::<_, String>(1)?.into(),
                line: row.get::<_, i64>(2)?.max(0) as usize,
                id: row.get(3)?,
                reason: row.get(4)?,
                raw_hint: row.get(5)?,
                imported: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

pub(super) fn count(connection: &Connection) -> Result<u64, StoreError> {
    let count: i64 = connection.query_row(&format!("SELECT count(*) FROM {VISIBLE}"), [], |row| row.get(0))?;
    Ok(count as u64)
}

/// Writes refused records of an import that is still running: they show when it is done.
pub(super) fn write(
    connection: &mut Connection,
    import: i64,
    table: &str,
    refused: &[Rejection],
) -> Result<(), StoreError> {
    if refused.is_empty() {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    {
        let mut statement = transaction.prepare_cached(
            "INSERT INTO hollandite_quarantine (import_id, table_name, path, line, record_id, reason, raw_hint)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?;
        for r in refused {
            let line = i64::try_from(r.line).unwrap_or(0);
            statement.execute(params![import, table, key(&r.path), line, r.id, r.reason, r.raw_hint])?;
        }
    }
    Ok(transaction.commit()?)
}

/// Drops what earlier imports refused of the files that this one has read.
pub(super) fn supersede(connection: &Connection, import: i64, table: &str) -> Result<(), StoreError> {
    connection.execute(
        "DELETE FROM hollandite_quarantine WHERE table_name = ?2 AND import_id <> ?1
           AND path IN (SELECT path FROM hollandite_import_paths WHERE import_id = ?1)",
        params![import, table],
    )?;
    Ok(())
}

/// How a file is named in the registry.
pub(super) fn key(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
