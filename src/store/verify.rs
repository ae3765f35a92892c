//! Does the store hold what its catalog says? Every Parquet file of every snapshot is compared with it.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rayon::prelude::*;
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use super::lake::Store;
use crate::error::StoreError;

/// A file that is not what the catalog says.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// What is wrong, expected and found.
    pub message: String,
}

/// What a check of the store found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VerifyReport {
    /// Files of the catalog, of all snapshots.
    pub files: u64,
    /// Their rows.
    pub rows: u64,
    /// Their size, bytes.
    pub bytes: u64,
    /// Files whose checksum was compared; the others were written by SQL or another DuckLake client, and were read through.
    pub checksums: u64,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// Files in the data folder that no snapshot names: left by an import that was killed. They do no harm.
    pub leftovers: Vec<PathBuf>,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }
}

impl std::fmt::Display for VerifyReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} files, {} rows, {} bytes; {} checksums compared, {} files read through; ",
            self.files,
            self.rows,
            self.bytes,
            self.checksums,
            self.files - self.checksums
        )?;
        match self.problems.len() {
            0 => write!(f, "all agree with the catalog")?,
            n => write!(f, "{n} problem{}", if n == 1 { "" } else { "s" })?,
        }
        for problem in &self.problems {
            write!(f, "\n{}: {}", problem.path.display(), problem.message)?;
        }
        if !self.leftovers.is_empty() {
            let n = self.leftovers.len();
            let s = if n == 1 { "" } else { "s" };
            write!(f, "\n{n} leftover file{s} of killed imports, harmless; --remove-leftovers deletes them")?;
        }
        Ok(())
    }
}

/// A file as the catalog describes it.
struct Entry {
    path: PathBuf,
    key: String,
    rows: Option<i64>,
    bytes: i64,
}

impl Store {
    /// Compares every file that the catalog names, of whatever snapshot, with its size, its row count and, where an
    /// import wrote it, its checksum. Files of other writers are read through. Changes nothing.
    ///
    /// # Errors
    /// A catalog that cannot be read. What is wrong with files is in the report.
    pub async fn verify(&self) -> Result<VerifyReport, StoreError> {
        let connection = self.connect()?;
        let mut report = VerifyReport::default();
        let integrity: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if integrity != "ok" {
            report.problems.push(Problem { path: self.dir().join("catalog.sqlite"), message: integrity });
        }
        let entries = self.entries(&connection)?;
        let sums: HashMap<String, String> = connection
            .prepare("SELECT path, sha256 FROM hollandite_files")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let found: Vec<_> = entries.par_iter().map(|entry| check(entry, sums.get(&entry.key))).collect();
        for (entry, found) in entries.iter().zip(found) {
            report.files += 1;
            report.rows += entry.rows.unwrap_or(0).max(0) as u64;
            report.bytes += entry.bytes.max(0) as u64;
            report.checksums += u64::from(sums.contains_key(&entry.key));
            if let Err(message) = found {
                report.problems.push(Problem { path: entry.path.clone(), message });
            }
        }
        report.leftovers = self.leftovers(&connection, &entries)?;
        Ok(report)
    }

    /// Removes the leftovers of a report, with the writer's turn. Files that a snapshot has named since stay. Another
    /// DuckLake client must not be writing meanwhile: its unfinished files look the same.
    ///
    /// # Errors
    /// A store that may not be written to, or a file that cannot be removed.
    pub async fn remove_leftovers(&self, report: &VerifyReport) -> Result<u64, StoreError> {
        self.writer()?;
        let _turn = self.lock().await?;
        let connection = self.connect()?;
        let now: BTreeSet<_> = self.leftovers(&connection, &self.entries(&connection)?)?.into_iter().collect();
        let mut removed = 0;
        for path in report.leftovers.iter().filter(|path| now.contains(*path)) {
            std::fs::remove_file(path).map_err(|e| StoreError::io(path, &e))?;
            removed += 1;
        }
        Ok(removed)
    }

    /// Data and delete files of all snapshots.
    fn entries(&self, connection: &Connection) -> Result<Vec<Entry>, StoreError> {
        self.entries_of(
            connection,
            "(SELECT table_id, path, path_is_relative, record_count AS rows, file_size_bytes AS bytes FROM ducklake_data_file
              UNION ALL
              SELECT table_id, path, path_is_relative, delete_count, file_size_bytes FROM ducklake_delete_file)",
        )
    }

    /// The data files of a table at the newest snapshot.
    pub(super) fn live_files(&self, connection: &Connection, table: &str) -> Result<Vec<PathBuf>, StoreError> {
        let files = format!(
            "(SELECT f.table_id, f.path, f.path_is_relative, record_count AS rows, file_size_bytes AS bytes
              FROM ducklake_data_file f JOIN ducklake_table o USING (table_id)
              WHERE f.end_snapshot IS NULL AND o.end_snapshot IS NULL AND o.table_name = '{}')",
            table.replace('\'', "''")
        );
        Ok(self.entries_of(connection, &files)?.into_iter().map(|entry| entry.path).collect())
    }

    fn entries_of(&self, connection: &Connection, files: &str) -> Result<Vec<Entry>, StoreError> {
        let sql = format!(
            "SELECT f.path, f.path_is_relative, t.path, t.path_is_relative, s.path, s.path_is_relative, f.rows, f.bytes
             FROM {files} f JOIN ducklake_table t USING (table_id) JOIN ducklake_schema s USING (schema_id)
             GROUP BY f.path ORDER BY f.path"
        );
        let mut statement = connection.prepare(&sql)?;
        let data = self.data_dir();
        let rows = statement.query_map([], |row| {
            let text = |i: usize| row.get::<_, String>(i);
            let key = text(0)?;
            // A path is relative to the one before it, up to the first that is absolute.
            let mut path = data.clone();
            for (at, relative) in [(4, 5), (2, 3), (0, 1)] {
                path = if row.get(relative)? { path.join(text(at)?) } else { PathBuf::from(text(at)?) };
            }
            Ok(Entry { path, key, rows: row.get(6)?, bytes: row.get(7)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn leftovers(&self, connection: &Connection, entries: &[Entry]) -> Result<Vec<PathBuf>, StoreError> {
        let data = self.data_dir();
        let scheduled: Vec<String> = connection
            .prepare("SELECT path FROM ducklake_files_scheduled_for_deletion")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let mut known: BTreeSet<PathBuf> = entries.iter().map(|e| e.path.clone()).collect();
        known.extend(scheduled.iter().map(|path| data.join(path)));
        let mut left = Vec::new();
        let mut folders = vec![data];
        while let Some(folder) = folders.pop() {
            let entries = std::fs::read_dir(&folder).map_err(|e| StoreError::io(&folder, &e))?;
            for entry in entries {
                let path = entry.map_err(|e| StoreError::io(&folder, &e))?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if !known.contains(&path) {
                    left.push(path);
                }
            }
        }
        left.sort();
        Ok(left)
    }
}

fn check(entry: &Entry, sum: Option<&String>) -> Result<(), String> {
    let size = std::fs::metadata(&entry.path).map_err(|e| format!("cannot be read: {e}"))?.len();
    if size != entry.bytes.max(0) as u64 {
        return Err(format!("is {size} bytes long, the catalog says {}", entry.bytes));
    }
    if let Some(sum) = sum {
        let found = sha256(&entry.path).map_err(|e| format!("cannot be read: {e}"))?;
        if found != *sum {
            return Err(format!("has changed since it was written: SHA-256 {found}, recorded {sum}"));
        }
    }
    let file = File::open(&entry.path).map_err(|e| format!("cannot be read: {e}"))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| format!("is no Parquet file: {e}"))?;
    let rows = reader.metadata().file_metadata().num_rows();
    if entry.rows.is_some_and(|expected| expected != rows) {
        return Err(format!("holds {rows} rows, the catalog says {}", entry.rows.unwrap_or(0)));
    }
    if sum.is_none() {
        let mut read = 0;
        for batch in reader.build().map_err(|e| format!("cannot be decoded: {e}"))? {
            read += batch.map_err(|e| format!("cannot be decoded after row {read}: {e}"))?.num_rows() as i64;
        }
        if read != rows {
            return Err(format!("holds {read} rows, its footer says {rows}"));
        }
    }
    Ok(())
}

/// Checksums of the files that a snapshot added, by their path in the catalog.
pub(super) fn checksums(store: &Store, snapshot: i64) -> Result<Vec<(String, String)>, StoreError> {
    let connection = store.connect()?;
    let added: BTreeSet<String> = connection
        .prepare("SELECT path FROM ducklake_data_file WHERE begin_snapshot = ?")?
        .query_map(params![snapshot], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let entries = store.entries(&connection)?;
    entries
        .par_iter()
        .filter(|entry| added.contains(&entry.key))
        .map(|entry| {
            let io = |e: std::io::Error| StoreError::io(&entry.path, &e);
            let sum = sha256(&entry.path).map_err(io)?;
            // The catalog is on disk by now; a power cut must not find its file in memory only.
            File::open(&entry.path).and_then(|file| file.sync_all()).map_err(io)?;
            Ok((entry.key.clone(), sum))
        })
        .collect()
}

pub(super) fn record_checksums(connection: &Connection, sums: &[(String, String)]) -> Result<(), StoreError> {
    for (path, sum) in sums {
        connection
            .execute("INSERT OR REPLACE INTO hollandite_files (path, sha256) VALUES (?, ?)", params![path, sum])?;
    }
    Ok(())
}

fn sha256(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            n => hasher.update(&buffer[..n]),
        }
    }
}
