//! From files to rows: one import is one snapshot.
//!
//! A reader thread parses files in order and hands over batches of records ([`read`]); every batch is hashed, freed of what
//! the table has already, and completed (symmetry is nearly all of the cost) on all cores ([`complete`]); the batch goes
//! to the Parquet writer ([`write`]). Three batches exist at a time, so the size of an import is not bounded by memory.
//!
//! The commit of the lake's snapshot is the commit of the import. Its row in `hollandite_imports` is written before,
//! as 'running', and becomes 'done' after; [`Store::open`] settles what a kill left between ([`settle`]).

mod complete;
mod dedupe;
mod read;
mod settle;
mod write;

pub(super) use complete::{Identity, identity};

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::time::Instant;

use super::lake::{DEFAULT_TABLE, Store};
use super::names::check_table_name;
use super::tables::{self, Column, Shape};
use crate::StoreError;
use crystal::progress::{Done, Progress};
use formats::{self, Found, Input, Note, Reading, Record, Skipped};

pub(super) use read::Source;
pub(super) use write::{Running, mark, remember_paths};

/// What an import should do.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportOptions {
    /// Table to fill; made where it does not exist. `tmo` admits transition-metal oxides only, any other every crystal.
    pub into: String,
    /// Source of records that do not name their own; the file's name by default.
    pub source: Option<String>,
    /// How the files are read, where they leave a choice.
    pub reading: Reading,
    /// Properties that become columns of their own, in a table that is made, or that has them.
    pub promote: Vec<Column>,
    /// Read and check everything, write nothing.
    pub dry_run: bool,
    /// Leave out crystals that are the same structure as a row of the table or an earlier record; they are in the
    /// quarantine with the id of the one that stayed.
    pub dedupe: bool,
    /// Put the ordering of least electrostatic energy in the place of a crystal with sites that are occupied in part, changing no
    /// occupancy by more than this; without it such a crystal is refused. The row's `extra` says `ordered_from` (the formula),
    /// `ordered_cells` (primitive cells in the supercell) and `ordered_change` (the largest change of an occupancy).
    pub order: Option<f64>,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            into: DEFAULT_TABLE.into(),
            source: None,
            reading: Reading::default(),
            promote: Vec::new(),
            dry_run: false,
            dedupe: false,
            order: None,
        }
    }
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ImportSummary {
    /// The table.
    pub table: String,
    /// Rows added.
    pub added: u64,
    /// Records that the table had already, by id and content hash, or that came twice.
    pub present: u64,
    /// Crystals that are the same structure as a row under another name, where that was asked; they are in the quarantine.
    pub duplicates: u64,
    /// Crystals outside what the table admits; they are in the quarantine with the remedy.
    pub skipped: u64,
    /// Records that are no crystal we accept; they are in the quarantine with line and reason.
    pub quarantined: u64,
    /// Files read.
    pub files: u64,
    /// Files of the folders that are of no format read here.
    pub unread: Skipped,
    /// Rows of which something is not as their file has it.
    pub notes: BTreeMap<Note, u64>,
    /// Added rows whose id another row has.
    pub namesakes: u64,
    /// Rows whose property did not fit the column of its name, by column.
    pub unfit: BTreeMap<String, u64>,
    /// Wall time.
    pub seconds: f64,
    /// The snapshot of the rows; `None` where none was added.
    pub snapshot: Option<i64>,
    /// Whether nothing was written on request.
    pub dry_run: bool,
}

impl std::fmt::Display for ImportSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { table, added, present, duplicates, skipped, quarantined, files, seconds, .. } = self;
        let rows = if *added == 1 { "row" } else { "rows" };
        let verb = if self.dry_run { "would add" } else { "added" };
        write!(f, "{verb} {added} {rows} to {table}")?;
        if *files > 0 {
            write!(f, " from {files} file{}", if *files == 1 { "" } else { "s" })?;
        }
        if let Some(snapshot) = self.snapshot {
            write!(f, " (snapshot {snapshot})")?;
        }
        write!(f, " in {seconds:.1} s")?;
        for (n, what) in [
            (present, format!("already in {table}")),
            (duplicates, "the same structure as another row, in quarantine".to_owned()),
            (skipped, format!("outside {table}, in quarantine")),
            (quarantined, "refused, in quarantine".to_owned()),
        ] {
            if *n > 0 {
                write!(f, "; {n} {what}")?;
            }
        }
        self.remarks(f)
    }
}

impl ImportSummary {
    /// What a user may not expect, a line each.
    fn remarks(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rows = |n: u64| format!("{n} {}", if n == 1 { "row" } else { "rows" });
        if !self.unread.is_empty() {
            let (n, s) = (self.unread.len(), if self.unread.len() == 1 { "" } else { "s" });
            write!(f, "\nskipped {n} file{s} of other formats: {}", self.unread)?;
        }
        for (note, n) in &self.notes {
            write!(f, "\n{}: {note}", rows(*n))?;
        }
        for (column, n) in &self.unfit {
            write!(f, "\n{}: {column} does not fit its column and stays in extra", rows(*n))?;
        }
        match self.namesakes {
            0 => Ok(()),
            n => write!(f, "\n{} share an id with another row (--id path names rows by their files)", rows(n)),
        }
    }
}

/// How far an import is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Step {
    /// Bytes of all files on disk; 0 where crystals are made and not read.
    pub bytes: u64,
    /// Bytes that have been read.
    pub bytes_done: u64,
    /// Records looked at.
    pub records: u64,
    /// Records refused or skipped.
    pub refused: u64,
}

impl Step {
    /// Progress of an import is in bytes: the number of records in a file is known only at its end. `records`: what they are called.
    pub fn done(&self, records: &str) -> Done {
        let words = match self.refused {
            0 => format!("{} {records}", self.records),
            refused => format!("{} {records}, {refused} refused", self.records),
        };
        match self.bytes {
            0 => Done { done: self.records, of: None, unit: "crystals", words },
            of => Done { done: self.bytes_done, of: Some(of), unit: "bytes", words },
        }
    }
}

impl Store {
    /// Imports files, folders and globs in one snapshot. Records that the table has already, by id and content hash, are
    /// left out: importing twice adds nothing. What is refused goes into the quarantine.
    ///
    /// Two imports, of any processes, take turns.
    ///
    /// # Errors
    /// A path that does not exist, a store or table that cannot be written. Faults in the files are no errors.
    pub async fn import(
        &self,
        paths: &[PathBuf],
        options: &ImportOptions,
        progress: &dyn Progress,
    ) -> Result<ImportSummary, StoreError> {
        let Found { inputs, skipped } = formats::search(paths, options.reading.frames)?;
        // Absolute, because the quarantine outlives the working directory.
        let files = inputs
            .into_iter()
            .map(|file| match std::path::absolute(&file.path) {
                Ok(path) => Ok(Input { path, ..file }),
                Err(e) => Err(StoreError::io(file.path, e)),
            })
            .collect::<Result<_, _>>()?;
        let shape = Shape::wide(&options.promote);
        let mut summary = self.import_from(Source::Files(files), shape, options, progress).await?;
        summary.unread = skipped;
        Ok(summary)
    }

    /// Adds crystals that were made from others, some at a time as they are made, in one snapshot. Their table has the columns of
    /// `lineage` in `schema/lake.sql` behind those of every crystal, and takes them from the other properties of the records. In
    /// memory are a few batches, and 24 bytes for each row.
    ///
    /// # Errors
    /// A store that cannot be written, the default table, or a table without these columns.
    pub async fn import_made(
        &self,
        made: impl Iterator<Item = Vec<Record>> + Send + 'static,
        options: &ImportOptions,
        progress: &dyn Progress,
    ) -> Result<ImportSummary, StoreError> {
        Self::not_of_crystals_that_exist(options)?;
        self.import_from(Source::Made(Box::new(made)), Shape::made(), options, progress).await
    }

    /// Adds crystals that were generated, as [`Store::import_made`]: the columns behind those of every crystal are those of
    /// `lineage_of_generated`.
    ///
    /// # Errors
    /// As [`Store::import_made`].
    pub async fn import_generated(
        &self,
        made: impl Iterator<Item = Vec<Record>> + Send + 'static,
        options: &ImportOptions,
        progress: &dyn Progress,
    ) -> Result<ImportSummary, StoreError> {
        Self::not_of_crystals_that_exist(options)?;
        self.import_from(Source::Made(Box::new(made)), Shape::generated(), options, progress).await
    }

    /// Refuses the default table.
    fn not_of_crystals_that_exist(options: &ImportOptions) -> Result<(), StoreError> {
        if options.into != DEFAULT_TABLE {
            return Ok(());
        }
        let message = "it holds crystals that exist; name another table, such as candidates".into();
        Err(StoreError::Shape { table: options.into.clone(), message })
    }

    pub(super) async fn import_from(
        &self,
        source: Source,
        shape: Shape,
        options: &ImportOptions,
        progress: &dyn Progress,
    ) -> Result<ImportSummary, StoreError> {
        let begun = Instant::now();
        check_table_name(&options.into)?;
        self.writer()?;
        let _turn = self.lock().await?;
        self.settle()?;
        let found = self.table_schema(&options.into).await?;
        let shape = match (&found, shape) {
            (Some(schema), made) if made.is_lineage() => tables::same_shape(schema, &made.schema()).map(|()| made),
            // Crystals of files go into any table of crystals.
            (Some(schema), _) => {
                Shape::of(schema).and_then(|has| has.holds(&options.promote, &options.into).map(|()| has))
            }
            (None, shape) => Ok(shape),
        };
        let shape = shape.map_err(|message| StoreError::Shape { table: options.into.clone(), message })?;
        // The table and its first rows are one snapshot.
        let made = found.is_none() && !options.dry_run;
        if made {
            self.reserve_table(&options.into)?;
        }
        // Taken before the table is read: what another DuckLake client commits from here on stops the import at its end.
        let running = Running::begin(self, shape.clone(), options)?;
        let seen = match found {
            Some(_) => self.identities(&options.into).await,
            None => Ok(HashSet::new()),
        };
        let known = match (options.dedupe, found.is_some()) {
            (true, true) => dedupe::Known::of(self, &options.into).await.map(Some),
            (true, false) => Ok(Some(dedupe::Known::default())),
            (false, _) => Ok(None),
        };
        let summary = match seen.and_then(|seen| Ok((seen, known?))) {
            Ok((seen, known)) => running.run(source, seen, known, progress).await,
            Err(error) => Err(error),
        };
        match summary {
            Ok(mut summary) => {
                match (made, summary.snapshot) {
                    (true, Some(_)) => self.comment_imported(&options.into)?,
                    (true, None) => {
                        self.forget_reserved()?;
                        self.create_wide_table(&options.into, &shape).await?;
                    }
                    (false, _) => {}
                }
                summary.seconds = begun.elapsed().as_secs_f64();
                running.end(&summary)?;
                Ok(summary)
            }
            Err(error) => {
                // Whether the snapshot was committed decides, as it does after a kill.
                self.forget_reserved()?;
                self.settle()?;
                Err(error)
            }
        }
    }
}
