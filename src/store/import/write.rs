//! The third stage: rows go to Parquet, and one snapshot is committed with the registry's word of it.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion_ducklake::{
    DuckLakeError, DuckLakeTableWriter, SnapshotCommitMetadata, TableWriteOptions, TableWriteSession, WriteMode,
};
use parquet::basic::{Compression, ZstdLevel};
use rusqlite::params;

use super::complete::{Identity, complete};
use super::dedupe::Known;
use super::read::{Source, read, size};
use super::{ImportOptions, ImportSummary, Step};
use crate::StoreError;
use crate::lake::{SCHEMA, Store};
use crate::quarantine;
use crate::tables::Shape;
use crystal::progress::Progress;

/// Rows of a Parquet row group: what a scan skips or reads as a whole, and about 20 MB in memory.
const ROW_GROUP: usize = 8192;

/// An import under way.
pub(crate) struct Running<'a> {
    store: &'a Store,
    shape: Shape,
    options: &'a ImportOptions,
    /// Row of `hollandite_imports`; none in a dry run.
    import: Option<i64>,
    base: i64,
}

impl<'a> Running<'a> {
    /// # Errors
    /// The catalog cannot be read or written.
    pub fn begin(store: &'a Store, shape: Shape, options: &'a ImportOptions) -> Result<Self, StoreError> {
        let import = match options.dry_run {
            true => None,
            false => Some(store.connect()?.query_row(
                "INSERT INTO hollandite_imports (table_name, state, version) VALUES (?, 'running', ?)
                 RETURNING import_id",
                params![options.into, env!("CARGO_PKG_VERSION")],
                |row| row.get(0),
            )?),
        };
        Ok(Self { store, shape, options, import, base: store.newest_snapshot()? })
    }

    /// Its number; none in a dry run.
    pub fn import(&self) -> Option<i64> {
        self.import
    }

    /// The snapshot that it found.
    pub fn base(&self) -> i64 {
        self.base
    }

    pub(in crate::import) async fn run(
        &self,
        source: Source,
        seen: HashSet<Identity>,
        known: Option<Known>,
        progress: &dyn Progress,
    ) -> Result<ImportSummary, StoreError> {
        let mut summary = ImportSummary {
            table: self.options.into.clone(),
            dry_run: self.options.dry_run,
            ..ImportSummary::default()
        };
        let mut step = Step::default();
        if let Source::Files(files) = &source {
            step.bytes = files.iter().map(|f| size(&f.path)).sum();
        }
        let (batches, reader) = read(source, self.options.reading.clone());
        let (mut done, completer) = complete(batches, self.shape.clone(), self.options.clone(), seen, known);
        let (mut session, mut read_whole) = (None, 0);
        let mut registry = self.store.connect()?;
        while let Some(part) = done.recv().await {
            let part = part?;
            if let (Some(batch), false) = (&part.batch, self.options.dry_run) {
                let session = match &mut session {
                    Some(session) => session,
                    None => session.insert(self.session()?),
                };
                session.write_batch(batch).map_err(StoreError::lake("writing Parquet"))?;
            }
            if let Some(import) = self.import {
                quarantine::write(&mut registry, import, &self.options.into, &part.refused)?;
                remember_paths(&mut registry, import, &part.files)?;
            }
            summary.added += part.added;
            summary.present += part.present;
            summary.duplicates += part.duplicates;
            summary.skipped += part.skipped;
            summary.quarantined += part.quarantined;
            summary.files += part.files.len() as u64;
            summary.namesakes += part.namesakes;
            part.notes.iter().for_each(|(note, n)| *summary.notes.entry(*note).or_default() += n);
            part.unfit.iter().for_each(|(column, n)| *summary.unfit.entry(column.clone()).or_default() += n);
            step.records += part.records;
            step.refused += part.skipped + part.quarantined + part.duplicates;
            read_whole += part.files.iter().map(|(_, bytes)| bytes).sum::<u64>();
            step.bytes_done = read_whole + part.reading;
            progress.step(&step.done("crystals"));
        }
        // The batches ended because all are done, or because a thread did not live to say so.
        if reader.join().is_err() || completer.join().is_err() {
            return Err(StoreError::lake("reading records")("a thread panicked"));
        }
        if let Some(session) = session {
            let message = format!("import {} rows into {}", summary.added, summary.table);
            let commit = SnapshotCommitMetadata::new()
                .with_author(concat!("hollandite ", env!("CARGO_PKG_VERSION")))
                .with_message(message)
                .with_extra_info(self.import.map(mark).unwrap_or_default());
            let options =
                TableWriteOptions::new().with_commit_metadata(commit).with_expected_base_snapshot_id(self.base);
            let written = session.with_options(&options).finish().await.map_err(committing)?;
            summary.snapshot = Some(written.snapshot_id);
        }
        Ok(summary)
    }

    /// A Parquet writer for the table; nothing shows before it is finished.
    fn session(&self) -> Result<TableWriteSession, StoreError> {
        let doing = "writing Parquet";
        DuckLakeTableWriter::new(self.store.writer()?, self.store.file_system())
            .map_err(StoreError::lake(doing))?
            .with_compression(Compression::ZSTD(ZstdLevel::default()))
            .with_max_row_group_rows(ROW_GROUP)
            .begin_write(SCHEMA, &self.options.into, &self.shape.schema(), WriteMode::Append)
            .map_err(StoreError::lake(doing))
    }

    /// # Errors
    /// The catalog cannot be written.
    pub fn end(&self, summary: &ImportSummary) -> Result<(), StoreError> {
        let Some(import) = self.import else { return Ok(()) };
        let mut connection = self.store.connect()?;
        let transaction = connection.transaction()?;
        transaction.execute(
            "UPDATE hollandite_imports SET state = 'done', seconds = ?, snapshot_id = ?, files = ?, added = ?,
                 present = ?, duplicates = ?, skipped = ?, quarantined = ? WHERE import_id = ?",
            params![
                summary.seconds,
                summary.snapshot,
                summary.files as i64,
                summary.added as i64,
                summary.present as i64,
                summary.duplicates as i64,
                summary.skipped as i64,
                summary.quarantined as i64,
                import
            ],
        )?;
        quarantine::supersede(&transaction, import, &summary.table)?;
        Ok(transaction.commit()?)
    }
}

fn committing(error: DuckLakeError) -> StoreError {
    match error {
        DuckLakeError::Conflict(_) => StoreError::lake("committing the import")(
            "another program changed the table meanwhile; nothing was imported, run the import again",
        ),
        other => StoreError::lake("committing the import")(other),
    }
}

/// What a snapshot carries to name its import.
pub(crate) fn mark(import: i64) -> String {
    format!("{{\"hollandite_import\":{import}}}")
}

/// Remembers which files an import has read.
pub(crate) fn remember_paths(
    connection: &mut rusqlite::Connection,
    import: i64,
    files: &[(Arc<PathBuf>, u64)],
) -> Result<(), StoreError> {
    if files.is_empty() {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for (path, _) in files {
        transaction.execute(
            "INSERT OR IGNORE INTO hollandite_import_paths (import_id, path) VALUES (?, ?)",
            params![import, quarantine::key(path)],
        )?;
    }
    Ok(transaction.commit()?)
}
