//! From files to rows: one import is one snapshot.
//!
//! A reader thread parses files in order and hands over lots of records; every lot is hashed, freed of what the table
//! has already, and completed (symmetry is nearly all of the cost) on all cores; the batch goes to the Parquet writer.
//! Three lots exist at a time, so the size of an import is not bounded by memory.
//!
//! The commit of the lake's snapshot is the commit of the import. Its row in `hollandite_imports` is written before,
//! as 'running', and becomes 'done' after; [`Store::open`] settles what a kill left between.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::prelude::SessionContext;
use datafusion_ducklake::{
    DuckLakeError, DuckLakeTableWriter, SnapshotCommitMetadata, TableWriteOptions, TableWriteSession, WriteMode,
};
use futures::StreamExt;
use rayon::prelude::*;
use rusqlite::params;

use super::lake::{CATALOG, DEFAULT_TABLE, SCHEMA, Store, check_table_name};
use super::tables::{self, Row};
use super::{files, quarantine, verify};
use crate::crystal::{ContentHash, content_hash};
use crate::error::StoreError;
use crate::features;
use crate::formats::{self, Record, Rejection};

/// Records that are completed and written together.
const LOT: usize = 1024;
/// Rows of a Parquet row group: what a scan skips or reads as a whole, and about 20 MB in memory.
const ROW_GROUP: usize = 8192;
/// Files smaller than this, bytes, are read side by side; a larger one is streamed.
const SMALL_FILE: u64 = 4 << 20;

/// What an import should do.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportOptions {
    /// Table to fill; made where it does not exist. `tmo` admits transition-metal oxides only, any other every crystal.
    pub into: String,
    /// Source of records that do not name their own; the file's name by default.
    pub source: Option<String>,
    /// Read and check everything, write nothing.
    pub dry_run: bool,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self { into: DEFAULT_TABLE.into(), source: None, dry_run: false }
    }
}

/// What an import did.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportSummary {
    /// The table.
    pub table: String,
    /// Rows added.
    pub added: u64,
    /// Records that the table had already, by id and content hash, or that came twice.
    pub present: u64,
    /// Crystals outside what the table admits; they are in the quarantine with the remedy.
    pub skipped: u64,
    /// Records that are no crystal we accept; they are in the quarantine with line and reason.
    pub quarantined: u64,
    /// Files read.
    pub files: u64,
    /// Wall time.
    pub seconds: f64,
    /// The snapshot of the rows; `None` where none was added.
    pub snapshot: Option<i64>,
    /// Whether nothing was written on request.
    pub dry_run: bool,
}

impl std::fmt::Display for ImportSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { table, added, present, skipped, quarantined, files, seconds, .. } = self;
        let rows = if *added == 1 { "row" } else { "rows" };
        let verb = if self.dry_run { "would add" } else { "added" };
        write!(f, "{verb} {added} {rows} to {table} from {files} file{}", if *files == 1 { "" } else { "s" })?;
        if let Some(snapshot) = self.snapshot {
            write!(f, " (snapshot {snapshot})")?;
        }
        write!(f, " in {seconds:.1} s")?;
        for (n, what) in [
            (present, format!("already in {table}")),
            (skipped, format!("outside {table}, in quarantine")),
            (quarantined, "refused, in quarantine".to_owned()),
        ] {
            if *n > 0 {
                write!(f, "; {n} {what}")?;
            }
        }
        Ok(())
    }
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Files to read.
    pub files: u64,
    /// Files read to their end.
    pub files_done: u64,
    /// Bytes of all files, as they lie on disk.
    pub bytes: u64,
    /// Bytes of the files read to their end.
    pub bytes_done: u64,
    /// Records looked at.
    pub records: u64,
    /// Records refused or skipped.
    pub refused: u64,
}

/// Someone who wants to know how far an import is. `()` does not.
pub trait Progress: Send + Sync {
    /// Called after every lot of records.
    fn step(&self, step: &Step);
}

impl Progress for () {
    fn step(&self, _: &Step) {}
}

/// Where records come from.
pub(super) enum Source {
    /// Files, in order.
    Files(Vec<PathBuf>),
    /// Records at hand.
    Records(Vec<Record>),
}

/// Some records of one or more files, in order.
struct Lot {
    items: Vec<(Arc<PathBuf>, Result<Record, Rejection>)>,
    /// Files whose last record is in this lot, with their size.
    done: Vec<(Arc<PathBuf>, u64)>,
}

/// A lot, completed.
#[derive(Default)]
struct Done {
    batch: Option<RecordBatch>,
    refused: Vec<Rejection>,
    added: u64,
    present: u64,
    skipped: u64,
    quarantined: u64,
    records: u64,
    files: Vec<(Arc<PathBuf>, u64)>,
}

impl Store {
    /// Imports files, folders and globs in one snapshot. Records that the table has already, by id and content hash, are
    /// left out: importing twice adds nothing. What is refused goes into the quarantine.
    ///
    /// Two imports, of whatever processes, take turns.
    ///
    /// # Errors
    /// A path that does not exist, a store or table that cannot be written. Faults in the files are no errors.
    pub async fn import(
        &self,
        paths: &[PathBuf],
        options: &ImportOptions,
        progress: &dyn Progress,
    ) -> Result<ImportSummary, StoreError> {
        // Absolute, because the quarantine outlives the working directory.
        let files = formats::expand(paths)?
            .into_iter()
            .map(|file| std::path::absolute(&file).map_err(|e| StoreError::io(file, &e)))
            .collect::<Result<_, _>>()?;
        self.import_from(Source::Files(files), options, progress).await
    }

    pub(super) async fn import_from(
        &self,
        source: Source,
        options: &ImportOptions,
        progress: &dyn Progress,
    ) -> Result<ImportSummary, StoreError> {
        let begun = Instant::now();
        check_table_name(&options.into)?;
        self.writer()?;
        let _turn = self.lock().await?;
        self.settle()?;
        let found = self.table_schema(&options.into).await?;
        match &found {
            Some(schema) => tables::same_shape(schema)
                .map_err(|message| StoreError::Shape { table: options.into.clone(), message })?,
            None if options.dry_run => {}
            None => self.create_table(&options.into).await?,
        }
        // Taken before the table is read: what another DuckLake client commits from here on stops the import at its end.
        let running = Running::begin(self, options)?;
        let seen = match found {
            Some(_) => self.identities(&options.into).await,
            None => Ok(HashSet::new()),
        };
        let summary = match seen {
            Ok(seen) => running.run(source, seen, progress).await,
            Err(error) => Err(error),
        };
        match summary {
            Ok(mut summary) => {
                summary.seconds = begun.elapsed().as_secs_f64();
                running.end(&summary)?;
                Ok(summary)
            }
            Err(error) => {
                // Whether the snapshot was committed decides, as it does after a kill.
                self.settle()?;
                Err(error)
            }
        }
    }

    /// Identity of every row of a table.
    async fn identities(&self, table: &str) -> Result<HashSet<Identity>, StoreError> {
        let lake = |e: datafusion::error::DataFusionError| StoreError::Lake {
            doing: "reading what the table holds",
            message: e.to_string(),
        };
        let ctx = SessionContext::new();
        self.register(&ctx, None).await?;
        let sql = format!("SELECT id, structure_hash FROM {CATALOG}.{SCHEMA}.{table}");
        let mut stream = ctx.sql(&sql).await.map_err(lake)?.execute_stream().await.map_err(lake)?;
        let mut seen = HashSet::new();
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(lake)?;
            let text = |i: usize| cast(batch.column(i), &DataType::Utf8).map_err(|e| lake(e.into()));
            let (ids, hashes) = (text(0)?, text(1)?);
            for (id, hash) in ids.as_string::<i32>().iter().zip(hashes.as_string::<i32>()) {
                if let (Some(id), Some(Ok(hash))) = (id, hash.map(str::parse)) {
                    seen.insert(identity(id, hash));
                }
            }
        }
        Ok(seen)
    }
}

/// What makes two rows the same: id and content hash. The id enters by a hash of 64 bits.
type Identity = (u64, ContentHash);

fn identity(id: &str, hash: ContentHash) -> Identity {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    (hasher.finish(), hash)
}

/// An import under way.
struct Running<'a> {
    store: &'a Store,
    options: &'a ImportOptions,
    /// Row of `hollandite_imports`; none in a dry run.
    import: Option<i64>,
    base: i64,
}

impl<'a> Running<'a> {
    fn begin(store: &'a Store, options: &'a ImportOptions) -> Result<Self, StoreError> {
        let import = match options.dry_run {
            true => None,
            false => Some(store.connect()?.query_row(
                "INSERT INTO hollandite_imports (table_name, state, version) VALUES (?, 'running', ?)
                 RETURNING import_id",
                params![options.into, env!("CARGO_PKG_VERSION")],
                |row| row.get(0),
            )?),
        };
        Ok(Self { store, options, import, base: store.newest_snapshot()? })
    }

    async fn run(
        &self,
        source: Source,
        seen: HashSet<Identity>,
        progress: &dyn Progress,
    ) -> Result<ImportSummary, StoreError> {
        let mut summary = ImportSummary {
            table: self.options.into.clone(),
            added: 0,
            present: 0,
            skipped: 0,
            quarantined: 0,
            files: 0,
            seconds: 0.0,
            snapshot: None,
            dry_run: self.options.dry_run,
        };
        let mut step = Step { files: 0, files_done: 0, bytes: 0, bytes_done: 0, records: 0, refused: 0 };
        if let Source::Files(files) = &source {
            step.files = files.len() as u64;
            step.bytes = files.iter().map(|f| size(f)).sum();
        }
        let (lots, reader) = read(source);
        let (mut done, completer) = complete(lots, self.options.clone(), seen);
        let mut session = None;
        let mut registry = self.store.connect()?;
        while let Some(lot) = done.recv().await {
            let lot = lot?;
            if let (Some(batch), false) = (&lot.batch, self.options.dry_run) {
                let session = match &mut session {
                    Some(session) => session,
                    None => session.insert(self.session()?),
                };
                session.write_batch(batch).map_err(StoreError::lake("writing Parquet"))?;
            }
            if let Some(import) = self.import {
                quarantine::write(&mut registry, import, &self.options.into, &lot.refused)?;
                remember_paths(&mut registry, import, &lot.files)?;
            }
            summary.added += lot.added;
            summary.present += lot.present;
            summary.skipped += lot.skipped;
            summary.quarantined += lot.quarantined;
            summary.files += lot.files.len() as u64;
            step.records += lot.records;
            step.refused += lot.skipped + lot.quarantined;
            step.files_done += lot.files.len() as u64;
            step.bytes_done += lot.files.iter().map(|(_, bytes)| bytes).sum::<u64>();
            progress.step(&step);
        }
        // The lots ended because all are done, or because a thread did not live to say so.
        if reader.join().is_err() || completer.join().is_err() {
            return Err(StoreError::Lake { doing: "reading records", message: "a thread panicked".into() });
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
        DuckLakeTableWriter::new(self.store.writer()?, files::file_system(self.store.dir()))
            .map_err(StoreError::lake(doing))?
            .with_compression(Compression::ZSTD(ZstdLevel::default()))
            .with_max_row_group_rows(ROW_GROUP)
            .begin_write(SCHEMA, &self.options.into, &tables::schema(), WriteMode::Append)
            .map_err(StoreError::lake(doing))
    }

    fn end(&self, summary: &ImportSummary) -> Result<(), StoreError> {
        let Some(import) = self.import else { return Ok(()) };
        let checksums = match summary.snapshot {
            Some(snapshot) => verify::checksums(self.store, snapshot)?,
            None => Vec::new(),
        };
        let mut connection = self.store.connect()?;
        let transaction = connection.transaction()?;
        verify::record_checksums(&transaction, &checksums)?;
        transaction.execute(
            "UPDATE hollandite_imports SET state = 'done', seconds = ?, snapshot_id = ?, files = ?, added = ?,
                 present = ?, skipped = ?, quarantined = ? WHERE import_id = ?",
            params![
                summary.seconds,
                summary.snapshot,
                summary.files as i64,
                summary.added as i64,
                summary.present as i64,
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
        DuckLakeError::Conflict(_) => StoreError::Lake {
            doing: "committing the import",
            message: "another program changed the table meanwhile; nothing was imported, run the import again".into(),
        },
        other => StoreError::lake("committing the import")(other),
    }
}

/// What a snapshot carries to name its import.
pub(super) fn mark(import: i64) -> String {
    format!("{{\"hollandite_import\":{import}}}")
}

fn remember_paths(
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

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |m| m.len())
}

/// Reads records on a thread of its own.
fn read(source: Source) -> (Receiver<Lot>, JoinHandle<()>) {
    let (lots, received) = sync_channel(1);
    let thread = std::thread::spawn(move || {
        // An error here means that nobody listens any more: the import has failed, and says so itself.
        let _ = match source {
            Source::Files(files) => read_files(&files, &lots),
            Source::Records(records) => {
                let path = Arc::new(PathBuf::from("hollandite"));
                let items = records.into_iter().map(|r| (path.clone(), Ok(r))).collect();
                lots.send(Lot { items, done: Vec::new() })
            }
        };
    });
    (received, thread)
}

fn read_files(files: &[PathBuf], lots: &SyncSender<Lot>) -> Result<(), std::sync::mpsc::SendError<Lot>> {
    let mut at = 0;
    while at < files.len() {
        // A run of small files is parsed side by side; one that is large alone.
        let mut bytes = 0;
        let run = files[at..]
            .iter()
            .take(LOT)
            .take_while(|file| {
                bytes += size(file);
                bytes < SMALL_FILE
            })
            .count();
        if run > 0 {
            let parsed: Vec<_> = files[at..at + run]
                .par_iter()
                .map(|file| {
                    let path = Arc::new(file.clone());
                    let items: Vec<_> = formats::read_file(file).map(|item| (path.clone(), item)).collect();
                    (items, (path, size(file)))
                })
                .collect();
            let (items, done): (Vec<_>, Vec<_>) = parsed.into_iter().unzip();
            lots.send(Lot { items: items.into_iter().flatten().collect(), done })?;
            at += run;
        } else {
            let path = Arc::new(files[at].clone());
            let mut records = formats::read_file(&path);
            loop {
                let items: Vec<_> = records.by_ref().take(LOT).map(|item| (path.clone(), item)).collect();
                let last = items.len() < LOT;
                let done = if last { vec![(path.clone(), size(&path))] } else { Vec::new() };
                lots.send(Lot { items, done })?;
                if last {
                    break;
                }
            }
            at += 1;
        }
    }
    Ok(())
}

/// Completes lots on a thread of its own, that is: on all cores.
fn complete(
    lots: Receiver<Lot>,
    options: ImportOptions,
    mut seen: HashSet<Identity>,
) -> (tokio::sync::mpsc::Receiver<Result<Done, StoreError>>, JoinHandle<()>) {
    let (done, received) = tokio::sync::mpsc::channel(1);
    let thread = std::thread::spawn(move || {
        for lot in lots {
            let lot = complete_lot(lot, &options, &mut seen);
            if done.blocking_send(lot).is_err() {
                break;
            }
        }
    });
    (received, thread)
}

fn complete_lot(lot: Lot, options: &ImportOptions, seen: &mut HashSet<Identity>) -> Result<Done, StoreError> {
    let mut done = Done { records: lot.items.len() as u64, files: lot.done, ..Done::default() };
    let hashed: Vec<_> = lot
        .items
        .into_par_iter()
        .map(|(path, item)| {
            let item = item.map(|record| (content_hash(&record.structure), record));
            (path, item)
        })
        .collect();
    let mut fresh = Vec::new();
    for (path, item) in hashed {
        let (hash, record) = match item {
            Ok(found) => found,
            Err(rejection) => {
                done.quarantined += 1;
                done.refused.push(rejection);
                continue;
            }
        };
        if let Err(reason) = admits(&options.into, &record) {
            done.skipped += 1;
            done.refused.push(Rejection {
                path: path.to_path_buf(),
                line: record.line,
                id: Some(record.id),
                reason,
                raw_hint: None,
            });
        } else if !seen.insert(identity(&record.id, hash)) {
            done.present += 1;
        } else {
            fresh.push((path, hash, record));
        }
    }
    if options.dry_run {
        done.added = fresh.len() as u64;
        return Ok(done);
    }
    let rows: Vec<_> = fresh
        .into_par_iter()
        .map(|(path, hash, record)| {
            let (line, id) = (record.line, record.id.clone());
            let source = match &options.source {
                Some(source) => source.clone(),
                None => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            };
            // A fault in a symmetry search costs its own record, not the import.
            catch_unwind(AssertUnwindSafe(|| Row::new(record, hash, &source))).map_err(|_| Rejection {
                path: path.to_path_buf(),
                line,
                id: Some(id),
                reason: "its columns cannot be computed; please report this record".into(),
                raw_hint: None,
            })
        })
        .collect();
    let (mut good, mut bad) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        match row {
            Ok(row) => good.push(row),
            Err(rejection) => bad.push(rejection),
        }
    }
    done.added = good.len() as u64;
    done.quarantined += bad.len() as u64;
    done.refused.append(&mut bad);
    if !good.is_empty() {
        let batch = tables::batch(&good);
        done.batch = Some(batch.map_err(|e| StoreError::Lake { doing: "building rows", message: e.to_string() })?);
    }
    Ok(done)
}

/// Whether a table takes a crystal; otherwise why not, and the remedy.
fn admits(table: &str, record: &Record) -> Result<(), String> {
    if table != DEFAULT_TABLE {
        return Ok(());
    }
    features::is_transition_metal_oxide(&record.structure.composition())
        .map_err(|why| format!("outside {DEFAULT_TABLE}: {why}"))
}

impl Store {
    /// Settles imports that did not end, where no import is running now.
    pub(super) fn recover(&self) -> Result<(), StoreError> {
        if !self.is_writable() {
            return Ok(());
        }
        let open: i64 = self.connect()?.query_row(
            "SELECT count(*) FROM hollandite_imports WHERE state = 'running'",
            [],
            |row| row.get(0),
        )?;
        match open {
            0 => Ok(()),
            _ => match self.try_lock()? {
                Some(_turn) => self.settle(),
                None => Ok(()),
            },
        }
    }

    /// Settles every import that is marked as running; the caller has the writer's turn. A committed snapshot makes it
    /// done; without one nothing of it remains.
    pub(super) fn settle(&self) -> Result<(), StoreError> {
        let mut connection = self.connect()?;
        let open: Vec<(i64, String)> = connection
            .prepare("SELECT import_id, table_name FROM hollandite_imports WHERE state = 'running'")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        for (import, table) in open {
            let snapshot: Option<i64> = connection.query_row(
                "SELECT max(snapshot_id) FROM ducklake_snapshot_changes WHERE commit_extra_info = ?",
                params![mark(import)],
                |row| row.get(0),
            )?;
            let checksums = match snapshot {
                Some(snapshot) => verify::checksums(self, snapshot)?,
                None => Vec::new(),
            };
            let transaction = connection.transaction()?;
            if let Some(snapshot) = snapshot {
                verify::record_checksums(&transaction, &checksums)?;
                transaction.execute(
                    "UPDATE hollandite_imports SET state = 'done', snapshot_id = ?1, added =
                         (SELECT coalesce(sum(record_count), 0) FROM ducklake_data_file WHERE begin_snapshot = ?1),
                         files = (SELECT count(*) FROM hollandite_import_paths WHERE import_id = ?2),
                         quarantined = (SELECT count(*) FROM hollandite_quarantine WHERE import_id = ?2)
                     WHERE import_id = ?2",
                    params![snapshot, import],
                )?;
                quarantine::supersede(&transaction, import, &table)?;
            } else {
                transaction.execute("DELETE FROM hollandite_quarantine WHERE import_id = ?", params![import])?;
                transaction.execute("DELETE FROM hollandite_import_paths WHERE import_id = ?", params![import])?;
                transaction.execute(
                    "UPDATE hollandite_imports SET state = 'interrupted' WHERE import_id = ?",
                    params![import],
                )?;
            }
            transaction.commit()?;
        }
        Ok(())
    }
}
