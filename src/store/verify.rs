//! Does the store hold what its catalog says? Every Parquet file of every snapshot is compared with it.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rayon::prelude::*;
use rusqlite::{Connection, Row};

use super::lake::Store;
use super::row_sums;
use super::sums;
use crate::StoreError;
use crystal::guard::guarded;

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
    /// Files whose checksum was compared; the others were written by another DuckLake client, and were read through.
    pub checksums: u64,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// Files in the data folder that no snapshot names: left by a writer that was killed. They do no harm, and the next writer
    /// removes those of this program.
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
            write!(f, "\n{n} leftover file{s} of killed writers, harmless; --remove-leftovers deletes them")?;
        }
        Ok(())
    }
}

/// A file as the catalog describes it.
struct Entry {
    path: PathBuf,
    rows: Option<i64>,
    bytes: i64,
}

impl Store {
    /// Checks the catalog, as SQLite does and by the sums of our own tables, and compares every file that it names, of whatever
    /// snapshot, with its size, its row count and, where this program wrote it, its checksum. Files of other DuckLake clients are
    /// read through. Changes nothing.
    ///
    /// # Errors
    /// A catalog that cannot be read. What is wrong with files is in the report.
    pub async fn verify(&self) -> Result<VerifyReport, StoreError> {
        let connection = self.connect()?;
        let mut report = VerifyReport::default();
        let catalog = |message| Problem { path: self.dir().join("catalog.sqlite"), message };
        let integrity: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if integrity != "ok" {
            report.problems.push(catalog(integrity));
        }
        report.problems.extend(row_sums::check(&connection)?.into_iter().map(catalog));
        let entries = self.entries(&connection)?;
        let sums: HashMap<String, String> = connection
            .prepare("SELECT path, sha256 FROM hollandite_files")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let sum = |entry: &Entry| sums.get(&sums::key(&entry.path));
        let found: Vec<_> = entries.par_iter().map(|entry| guarded(|| check(entry, sum(entry))).flatten()).collect();
        for (entry, found) in entries.iter().zip(found) {
            report.files += 1;
            report.rows += entry.rows.unwrap_or(0).max(0) as u64;
            report.bytes += entry.bytes.max(0) as u64;
            report.checksums += u64::from(sum(entry).is_some());
            if let Err(message) = found {
                report.problems.push(Problem { path: entry.path.clone(), message });
            }
        }
        report.leftovers = self.leftovers(&connection)?;
        Ok(report)
    }

    /// Removes the leftovers of a report, with the writer's turn. Files that a snapshot has named since stay. Another
    /// DuckLake client must not be writing meanwhile: its unfinished files look the same.
    ///
    /// # Errors
    /// A store that may not be written to, or a file that cannot be removed.
    pub async fn remove_leftovers(&self, report: &VerifyReport) -> Result<u64, StoreError> {
        self.writer()?;
        let _turn = self.turn().await?;
        let now: BTreeSet<_> = self.leftovers(&self.connect()?)?.into_iter().collect();
        let mut removed = 0;
        for path in report.leftovers.iter().filter(|path| now.contains(*path)) {
            std::fs::remove_file(path).map_err(|e| StoreError::io(path, e))?;
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
        self.files_since(connection, table, -1)
    }

    /// Those of them that came after a snapshot.
    pub(super) fn files_since(
        &self,
        connection: &Connection,
        table: &str,
        snapshot: i64,
    ) -> Result<Vec<PathBuf>, StoreError> {
        let files = format!(
            "(SELECT f.table_id, f.path, f.path_is_relative, record_count AS rows, file_size_bytes AS bytes
              FROM ducklake_data_file f JOIN ducklake_table o USING (table_id)
              WHERE f.end_snapshot IS NULL AND o.end_snapshot IS NULL AND o.table_name = '{}'
                AND f.begin_snapshot > {snapshot})",
            table.replace('\'', "''")
        );
        Ok(self.entries_of(connection, &files)?.into_iter().map(|entry| entry.path).collect())
    }

    fn entries_of(&self, connection: &Connection, files: &str) -> Result<Vec<Entry>, StoreError> {
        let sql = format!(
            "SELECT s.path, s.path_is_relative, t.path, t.path_is_relative, f.path, f.path_is_relative, f.rows, f.bytes
             FROM {files} f JOIN ducklake_table t USING (table_id) JOIN ducklake_schema s USING (schema_id)
             GROUP BY f.path ORDER BY f.path"
        );
        let mut statement = connection.prepare(&sql)?;
        let data = self.data_dir();
        let rows = statement
            .query_map([], |row| Ok(Entry { path: whole_path(&data, row)?, rows: row.get(6)?, bytes: row.get(7)? }))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Files in the data folder that no snapshot names. The folder is read before the catalog: what is committed meanwhile is not counted.
    pub(super) fn leftovers(&self, connection: &Connection) -> Result<Vec<PathBuf>, StoreError> {
        let data = self.data_dir();
        let mut found = Vec::new();
        let mut folders = vec![data.clone()];
        while let Some(folder) = folders.pop() {
            let entries = std::fs::read_dir(&folder).map_err(|e| StoreError::io(&folder, e))?;
            for entry in entries {
                let path = entry.map_err(|e| StoreError::io(&folder, e))?.path();
                let into = if path.is_dir() { &mut folders } else { &mut found };
                into.push(path);
            }
        }
        let scheduled: Vec<String> = connection
            .prepare("SELECT path FROM ducklake_files_scheduled_for_deletion")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let mut known: BTreeSet<PathBuf> = self.entries(connection)?.into_iter().map(|e| e.path).collect();
        known.extend(scheduled.iter().map(|path| data.join(path)));
        found.retain(|path| !known.contains(path));
        found.sort();
        Ok(found)
    }
}

/// The place of a file whose row begins with the paths of schema, table and file, each with whether it is relative to the one before.
pub(super) fn whole_path(data: &Path, row: &Row<'_>) -> rusqlite::Result<PathBuf> {
    let mut path = data.to_owned();
    for at in [0_usize, 2, 4] {
        let part: String = row.get(at)?;
        path = if row.get(at + 1)? { path.join(part) } else { PathBuf::from(part) };
    }
    Ok(path)
}

fn check(entry: &Entry, sum: Option<&String>) -> Result<(), String> {
    let size = std::fs::metadata(&entry.path).map_err(|e| format!("cannot be read: {e}"))?.len();
    if size != entry.bytes.max(0) as u64 {
        return Err(format!("is {size} bytes long, the catalog says {}", entry.bytes));
    }
    if let Some(sum) = sum {
        let found = sums::of_file(&entry.path).map_err(|e| format!("cannot be read: {e}"))?;
        if found != *sum {
            return Err(format!("has changed since it was written: SHA-256 {found}, recorded {sum}"));
        }
    }
    let file = File::open(&entry.path).map_err(|e| format!("cannot be read: {e}"))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| format!("is not a Parquet file: {e}"))?;
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
