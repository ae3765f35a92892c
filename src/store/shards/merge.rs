//! The end of a run: what its branches hold goes into the store, in one snapshot.
//!
//! All manifests are read first, and a shard that is missing, unfinished, double or unlike the others stops the merge by its name. Rows
//! are read from the files that the branches wrote and written again, because the columns of a table have numbers of their own in every
//! catalog; what the store has already, by id and content hash, is left out. The snapshot carries the mark of the run: a merge that was
//! killed behind it goes on there. The rows of the largest table are in memory at once.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch, new_null_array};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, FieldRef, SchemaRef};
use arrow::error::ArrowError;
use datafusion_ducklake::{DuckLakeTableWriter, SnapshotCommitMetadata, TableWriteOptions, WriteMode};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::manifest::{self, Manifest, Plan};
use super::{BASE_FILE, MERGED_FILE, PREDICTIONS, RUN_FILE, SHARD_FILE, is_draft, refused};
use crate::StoreError;
use crate::features::{Featurizer, PREFIX, registered};
use crate::import::{Identity, identity};
use crate::lake::{SCHEMA, Store};
use crate::storable::{cast_to, plain, with_types};
use crystal::explained;
use crystal::progress::{Done, Progress};

/// What an error here says was attempted.
const DOING: &str = "merging shards";
/// Rows of a Parquet row group, as imports and features have them.
const ROW_GROUP: usize = 8192;
const FEATURE_ROW_GROUP: usize = 1024;

/// How the mark of a merge begins, in what a snapshot says of itself; the list of features reads from it what its commits hold.
const MARK: &str = "{\"hollandite_merge\":";
/// What a merge did.
#[derive(Debug, Clone, PartialEq)]
pub struct MergeSummary {
    /// The run.
    pub run: String,
    /// Its shards.
    pub shards: u32,
    /// Whether an earlier merge had done it.
    pub merged_before: bool,
    /// Rows that came, by table; `predictions` counts answers for rows.
    pub tables: BTreeMap<String, u64>,
    /// Rows that the store had already.
    pub present: u64,
    /// Files that the shards wrote, and their rows.
    pub files: BTreeMap<PathBuf, u64>,
    /// The snapshot; `None` where no table of the lake changed.
    pub snapshot: Option<i64>,
}

impl std::fmt::Display for MergeSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { run, shards, tables, present, files, .. } = self;
        let count = |n: u64, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let snapshot = self.snapshot.map(|snapshot| format!(" (snapshot {snapshot})")).unwrap_or_default();
        if self.merged_before {
            return write!(f, "run {run} is merged already{snapshot}; nothing was changed");
        }
        write!(f, "merged {} of run {run}{snapshot}", count(u64::from(*shards), "shard"))?;
        for (table, rows) in tables {
            write!(f, "\n{table}: {}", count(*rows, "row"))?;
        }
        if *present > 0 {
            write!(f, "\n{} of these the store had already", count(*present, "row"))?;
        }
        if !files.is_empty() {
            let rows = files.values().sum();
            write!(f, "\n{} with {}", count(files.len() as u64, "file"), count(rows, "row"))?;
        }
        Ok(())
    }
}

/// What the mark of a merge says.
#[derive(Serialize)]
struct Mark<'a> {
    hollandite_merge: &'a str,
    begun: &'a str,
    features: Vec<FeatureTotals>,
}

/// NULLs and seconds of a feature.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct FeatureTotals {
    feature: String,
    nulls: i64,
    seconds: f64,
}

/// What is left of a run that is merged.
#[derive(Serialize, Deserialize)]
struct Merged {
    snapshot: Option<i64>,
}

/// A shard, as it was found.
struct Found {
    dir: PathBuf,
    manifest: Manifest,
    store: Store,
}

/// What the shards wrote of a table.
struct Part {
    schema: SchemaRef,
    comments: Vec<(String, String)>,
    rows: Vec<RecordBatch>,
}

impl Store {
    /// Adds what the shards of a run wrote to the store, in one snapshot. Merging again changes nothing, and a merge that was killed is
    /// made good by the next. `remove`: deletes the branches at the end.
    ///
    /// # Errors
    /// No such run; a shard that is missing, unfinished, there twice or unlike the others; a store that may not be written to.
    pub async fn merge_run(
        &self,
        run: &str,
        remove: bool,
        progress: &dyn Progress,
    ) -> Result<MergeSummary, StoreError> {
        self.writer()?;
        let folder = self.run_folder(run);
        let Some(plan) = manifest::read::<Plan>(&folder.join(RUN_FILE))? else {
            return Err(refused(run, self.no_such_run()));
        };
        // Two merges of one run take turns, and no feature is written meanwhile.
        let _turn = self.featurizing().await?;
        if let Some(Merged { snapshot }) = manifest::read(&folder.join(MERGED_FILE))? {
            if remove {
                remove_branches(&folder)?;
            }
            return Ok(summary(&plan, snapshot, true, &[]));
        }
        let shards = shards_of(&folder, &plan)?;
        check_models(run, &shards)?;
        self.check_base(&plan)?;
        let mut found = Vec::new();
        for (dir, manifest) in shards {
            found.push(Found { store: Store::open(&dir).await?, dir, manifest });
        }
        let (mut present, mut snapshot) = (0, self.merged_at(&plan)?);
        if snapshot.is_none() {
            (snapshot, present) = self.merge_tables(&plan, &found, progress).await?;
        }
        for (done, shard) in (1..).zip(&found) {
            let words = format!("what shard {} remembered, of {}", shard.manifest.shard, plan.shards);
            progress.step(&Done { done, of: None, unit: "shards", words });
            self.take_over(run, &shard.dir, snapshot)?;
        }
        manifest::write(&folder.join(MERGED_FILE), &Merged { snapshot })?;
        let manifests: Vec<&Manifest> = found.iter().map(|shard| &shard.manifest).collect();
        let mut summary = summary(&plan, snapshot, false, &manifests);
        summary.present = present;
        drop(found);
        if remove {
            remove_branches(&folder)?;
        }
        Ok(summary)
    }

    fn no_such_run(&self) -> String {
        match self.runs() {
            runs if runs.is_empty() => format!("no run was begun over {}", self.dir().display()),
            runs => format!("there is none of that name; the store has {}", runs.join(", ")),
        }
    }

    /// Refuses a run over another store of the same place.
    fn check_base(&self, plan: &Plan) -> Result<(), StoreError> {
        let sql = "SELECT coalesce(snapshot_time, '') FROM ducklake_snapshot WHERE snapshot_id = ?";
        let time: Option<String> = self.connect()?.query_row(sql, [plan.snapshot], |row| row.get(0)).optional()?;
        match time {
            Some(time) if time != plan.snapshot_time => {}
            None if plan.snapshot > self.newest_snapshot()? => {}
            _ => return Ok(()),
        }
        let message = format!(
            "it began from snapshot {} of {}, which this store does not have",
            plan.snapshot, plan.snapshot_time
        );
        Err(refused(&plan.run, message))
    }

    /// The snapshot that an earlier merge has made.
    fn merged_at(&self, plan: &Plan) -> Result<Option<i64>, StoreError> {
        let sql = format!(
            "SELECT max(snapshot_id) FROM ducklake_snapshot_changes WHERE CASE WHEN commit_extra_info LIKE '{MARK}%'
             THEN json_extract(commit_extra_info, '$.hollandite_merge') = ? AND json_extract(commit_extra_info, '$.begun') = ? END"
        );
        Ok(self.connect()?.query_row(&sql, params![plan.run, plan.begun], |row| row.get(0))?)
    }

    /// Commits the rows of all tables; returns the snapshot, and how many rows were there already.
    async fn merge_tables(
        &self,
        plan: &Plan,
        shards: &[Found],
        progress: &dyn Progress,
    ) -> Result<(Option<i64>, u64), StoreError> {
        let names: BTreeSet<&str> =
            shards.iter().flat_map(|shard| shard.manifest.tables.keys()).map(String::as_str).collect();
        let names: Vec<&str> = names.into_iter().filter(|name| *name != PREDICTIONS).collect();
        let mut features = Vec::new();
        for feature in names.iter().filter_map(|name| name.strip_prefix(PREFIX)) {
            features.push(self.receive_feature(&plan.run, feature, shards).await?);
        }
        let of = names.iter().flat_map(|&name| shards.iter().filter_map(|shard| shard.manifest.tables.get(name))).sum();
        let mut reading = Reading { progress, rows: 0, of, present: 0 };
        let _turn = self.lock().await?;
        let committed = self.commit_tables(plan, &names, shards, features, &mut reading).await;
        if committed.is_err() {
            // A table that was announced for these rows is none, and files that were written belong to none.
            self.sweep()?;
        }
        Ok((committed?, reading.present))
    }

    /// Makes the table of a feature ready for the rows of the shards; what the shards say of them.
    async fn receive_feature(&self, run: &str, name: &str, shards: &[Found]) -> Result<FeatureTotals, StoreError> {
        let table = format!("{PREFIX}{name}");
        let mut totals = FeatureTotals { feature: name.to_owned(), nulls: 0, seconds: 0.0 };
        let mut known: Option<Featurizer> = None;
        for shard in shards.iter().filter(|shard| shard.manifest.tables.contains_key(&table)) {
            let number = shard.manifest.shard;
            let found = shard.featurizer(name).await?;
            let found = found.ok_or_else(|| refused(run, format!("shard {number} does not say what {table} holds")))?;
            let known = known.get_or_insert_with(|| found.clone());
            if known.id != found.id {
                return Err(refused(run, format!("shard {number} has {} in {table}, others {}", found.id, known.id)));
            }
            let (nulls, seconds) = shard.totals(name)?;
            (totals.nulls, totals.seconds) = (totals.nulls + nulls, totals.seconds + seconds);
        }
        if let Some(featurizer) = known {
            self.open_feature(featurizer, false).await?;
        }
        Ok(totals)
    }

    /// The rows of a table that the shards wrote and this store does not have.
    async fn part(&self, table: &str, shards: &[Found], reading: &mut Reading<'_>) -> Result<Part, StoreError> {
        let holders: Vec<&Found> = shards.iter().filter(|shard| shard.manifest.tables.contains_key(table)).collect();
        let there = self.table_schema(table).await?;
        let mut seen = match &there {
            Some(_) => self.identities(table).await?,
            None => HashSet::new(),
        };
        let mut schema = there;
        for shard in &holders {
            if schema.is_none() {
                schema = shard.store.table_schema(table).await?;
            }
        }
        let lost = || StoreError::lake(DOING)(format!("no shard has the table {table}"));
        let schema = schema.ok_or_else(lost)?;
        let schema = with_types(&schema, false, plain);
        let comments = holders.first().map_or(Ok(Vec::new()), |shard| shard.comments(table))?;
        let mut rows = Vec::new();
        for shard in holders {
            let connection = shard.store.connect()?;
            for path in shard.store.files_since(&connection, table, shard.manifest.from.unwrap_or_default())? {
                read(&path, &schema, |batch| {
                    let fresh = fresh(&batch, &mut seen)?;
                    reading.step(batch.num_rows(), fresh.true_count());
                    let batch = filter_record_batch(&batch, &fresh)?;
                    if batch.num_rows() > 0 {
                        rows.push(batch);
                    }
                    Ok(())
                })?;
            }
        }
        Ok(Part { schema, comments, rows })
    }

    /// Commits the rows of the tables in one snapshot, with the mark of the run; none where there is no row.
    async fn commit_tables(
        &self,
        plan: &Plan,
        tables: &[&str],
        shards: &[Found],
        features: Vec<FeatureTotals>,
        reading: &mut Reading<'_>,
    ) -> Result<Option<i64>, StoreError> {
        let row_group = if features.is_empty() { ROW_GROUP } else { FEATURE_ROW_GROUP };
        let writer = DuckLakeTableWriter::new(self.writer()?, self.file_system())
            .map_err(StoreError::lake(DOING))?
            .with_compression(Compression::ZSTD(ZstdLevel::default()))
            .with_max_row_group_rows(row_group);
        let (mut transaction, mut rows, mut comments) = (writer.transaction(), 0, Vec::new());
        for &table in tables {
            let part = self.part(table, shards, reading).await?;
            match (part.count(), self.table_schema(table).await?) {
                (0, None) => self.make_table(table, &part.schema, pairs(&part.comments))?,
                (_, None) => self.reserve_table(table)?,
                (_, Some(_)) => {}
            }
            let staged = transaction.stage_write(SCHEMA, table, &part.schema, WriteMode::Append, &part.rows).await;
            staged.map_err(StoreError::lake(DOING))?;
            rows += part.count();
            comments.push((table, part.comments));
        }
        let mark = Mark { hollandite_merge: &plan.run, begun: &plan.begun, features };
        let mark = serde_json::to_string(&mark).map_err(StoreError::lake(DOING))?;
        let commit = SnapshotCommitMetadata::new()
            .with_author(concat!("hollandite ", env!("CARGO_PKG_VERSION")))
            .with_message(format!("merge run {}: {rows} rows of {} shards", plan.run, plan.shards))
            .with_extra_info(mark);
        let options = TableWriteOptions::new().with_commit_metadata(commit);
        let written = transaction.with_options(&options).commit().await.map_err(StoreError::lake(DOING))?;
        for (table, comments) in &comments {
            self.comment(table, pairs(comments))?;
        }
        Ok(written.first().map(|table| table.snapshot_id))
    }
}

/// Columns and their comments.
fn pairs(comments: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    comments.iter().map(|(column, comment)| (column.as_str(), comment.as_str()))
}

impl Part {
    fn count(&self) -> usize {
        self.rows.iter().map(RecordBatch::num_rows).sum()
    }
}

/// How far the reading of rows is.
struct Reading<'a> {
    progress: &'a dyn Progress,
    rows: u64,
    of: u64,
    present: u64,
}

impl Reading<'_> {
    fn step(&mut self, rows: usize, fresh: usize) {
        self.rows += rows as u64;
        self.present += (rows - fresh) as u64;
        self.progress.step(&Done::rows(self.rows, self.of));
    }
}

impl Found {
    /// The feature of that name, as the branch has it.
    async fn featurizer(&self, name: &str) -> Result<Option<Featurizer>, StoreError> {
        let table = format!("{PREFIX}{name}");
        let (id, schema) = (registered(&self.store.connect()?, name)?, self.store.table_schema(&table).await?);
        let field = schema.as_ref().and_then(|schema| schema.field_with_name(name).ok());
        let comment = self.comments(&table)?.into_iter().find(|(column, _)| column == name);
        Ok(id.zip(field).map(|(id, field)| Featurizer {
            name: name.to_owned(),
            id,
            data_type: plain(field.data_type()),
            comment: comment.map(|(_, comment)| comment).unwrap_or_default(),
        }))
    }

    /// NULLs and seconds of a feature that the shard committed.
    fn totals(&self, feature: &str) -> Result<(i64, f64), StoreError> {
        let sql = "SELECT coalesce(sum(json_extract(commit_extra_info, '$.nulls')), 0),
                          coalesce(sum(json_extract(commit_extra_info, '$.seconds')), 0.0)
                   FROM ducklake_snapshot_changes
                   WHERE snapshot_id > ? AND CASE WHEN commit_extra_info LIKE '{\"hollandite_feature\":%'
                     THEN json_extract(commit_extra_info, '$.hollandite_feature') = ? END";
        let from = self.manifest.from.unwrap_or_default();
        Ok(self.store.connect()?.query_row(sql, params![from, feature], |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    /// The comments on the columns of a table.
    fn comments(&self, table: &str) -> Result<Vec<(String, String)>, StoreError> {
        let connection = self.store.connect()?;
        let mut statement = connection.prepare(
            "SELECT c.column_name, g.value FROM ducklake_column_tag g
             JOIN ducklake_column c USING (table_id, column_id) JOIN ducklake_table t USING (table_id)
             WHERE t.table_name = ? AND t.end_snapshot IS NULL AND c.end_snapshot IS NULL AND g.end_snapshot IS NULL
               AND g.key = 'comment'",
        )?;
        let rows = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Reads a file of a branch as columns of `schema`, by their names.
fn read(
    path: &Path,
    schema: &SchemaRef,
    mut each: impl FnMut(RecordBatch) -> Result<(), ArrowError>,
) -> Result<(), StoreError> {
    let unreadable = |e: ParquetError| StoreError::lake(DOING)(explained(format!("{}: {e}", path.display()), e));
    let file = File::open(path).map_err(|e| StoreError::io(path, e))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).and_then(|b| b.with_batch_size(ROW_GROUP).build());
    for batch in reader.map_err(unreadable)? {
        let batch = batch.and_then(|batch| by_name(&batch, schema)).and_then(&mut each);
        batch.map_err(|e| unreadable(e.into()))?;
    }
    Ok(())
}

/// The columns of `schema`, NULL where a batch lacks one.
fn by_name(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    if let Some(other) = batch.schema().fields().iter().find(|field| schema.field_with_name(field.name()).is_err()) {
        let message = format!("the table of the store has no column {} any more", other.name());
        return Err(ArrowError::SchemaError(message));
    }
    let column = |field: &FieldRef| match batch.column_by_name(field.name()) {
        Some(column) => (field.name().clone(), Arc::clone(column)),
        None => (field.name().clone(), new_null_array(field.data_type(), batch.num_rows())),
    };
    let columns = schema.fields().iter().map(column).map(|(name, column)| (name, column, true));
    cast_to(&RecordBatch::try_from_iter_with_nullable(columns)?, schema)
}

/// Which rows were not seen, by id and content hash; they are from here on. A row without either is new.
fn fresh(batch: &RecordBatch, seen: &mut HashSet<Identity>) -> Result<BooleanArray, ArrowError> {
    let text = |name: &str| {
        let column = batch.column_by_name(name);
        cast(column.ok_or_else(|| ArrowError::SchemaError(format!("no column {name}")))?, &DataType::Utf8)
    };
    let (ids, hashes) = (text("id")?, text("structure_hash")?);
    let rows = ids.as_string::<i32>().iter().zip(hashes.as_string::<i32>());
    let row = |(id, hash): (Option<&str>, Option<&str>)| Some(identity(id?, hash?.parse().ok()?));
    Ok(rows.map(|pair| Some(row(pair).is_none_or(|row| seen.insert(row)))).collect())
}

/// All shards of a run, in order.
fn shards_of(folder: &Path, plan: &Plan) -> Result<Vec<(PathBuf, Manifest)>, StoreError> {
    let run = &plan.run;
    let entries = std::fs::read_dir(folder).map_err(|e| StoreError::io(folder, e))?;
    let mut dirs: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    dirs.retain(|path| path.is_dir() && !is_draft(path));
    dirs.sort();
    let mut found: BTreeMap<u32, (PathBuf, Manifest)> = BTreeMap::new();
    for dir in dirs {
        let Some(manifest) = manifest::read::<Manifest>(&dir.join(SHARD_FILE))? else { continue };
        let number = manifest.shard;
        if let Some(difference) = plan.difference(&manifest.plan) {
            return Err(refused(run, format!("shard {number} {difference}\nin {}", dir.display())));
        }
        if manifest.part().is_none() {
            return Err(refused(run, format!("{} is not a shard of {}", dir.display(), plan.shards)));
        }
        if let Some((other, _)) = found.get(&number) {
            let message =
                format!("shard {number} is there twice, {} and {}; remove one", other.display(), dir.display());
            return Err(refused(run, message));
        }
        found.insert(number, (dir, manifest));
    }
    let missing: Vec<u32> = (1..=plan.shards).filter(|number| !found.contains_key(number)).collect();
    if !missing.is_empty() {
        let message = format!("not begun: {} of {}; run {}", named(&missing), plan.shards, them(&missing));
        return Err(refused(run, message));
    }
    let unfinished: Vec<u32> = found.values().filter(|(_, m)| m.finished.is_none()).map(|(_, m)| m.shard).collect();
    if !unfinished.is_empty() {
        let (named, them) = (named(&unfinished), them(&unfinished));
        let message = format!("not finished: {named} of {}; run {them} again, to go on where it ended", plan.shards);
        return Err(refused(run, message));
    }
    for (number, file) in found.values().flat_map(|(_, m)| m.files.keys().map(|file| (m.shard, file))) {
        if !file.exists() {
            return Err(refused(run, format!("shard {number} wrote {}, which is not there", file.display())));
        }
    }
    Ok(found.into_values().collect())
}

/// `shard 3`, `shards 3, 4 and 7`.
fn named(numbers: &[u32]) -> String {
    let text: Vec<String> = numbers.iter().map(u32::to_string).collect();
    match text.as_slice() {
        [most @ .., last] if !most.is_empty() => format!("shards {} and {last}", most.join(", ")),
        _ => format!("shard {}", text.concat()),
    }
}

fn them(numbers: &[u32]) -> &'static str {
    if numbers.len() == 1 { "it" } else { "them" }
}

/// Refuses shards that used models of one name and other weights.
fn check_models(run: &str, shards: &[(PathBuf, Manifest)]) -> Result<(), StoreError> {
    let mut known: BTreeMap<&str, (&str, u32)> = BTreeMap::new();
    for (_, manifest) in shards {
        for (name, id) in &manifest.models {
            let (first, number) = *known.entry(name).or_insert((id, manifest.shard));
            if first != id {
                let shard = manifest.shard;
                let message = format!("model {name} is {first} in shard {number} and {id} in shard {shard}");
                return Err(refused(run, message));
            }
        }
    }
    Ok(())
}

fn summary(plan: &Plan, snapshot: Option<i64>, merged_before: bool, manifests: &[&Manifest]) -> MergeSummary {
    let (mut tables, mut files) = (BTreeMap::new(), BTreeMap::new());
    for manifest in manifests {
        manifest.tables.iter().for_each(|(table, rows)| *tables.entry(table.clone()).or_default() += rows);
        files.extend(manifest.files.clone());
    }
    let (run, shards) = (plan.run.clone(), plan.shards);
    MergeSummary { run, shards, merged_before, tables, present: 0, files, snapshot }
}

/// Deletes the branches of a run that is merged, and the catalog that it found. What says that it is merged stays.
fn remove_branches(folder: &Path) -> Result<(), StoreError> {
    let entries = std::fs::read_dir(folder).map_err(|e| StoreError::io(folder, e))?;
    for path in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()) {
        std::fs::remove_dir_all(&path).map_err(|e| StoreError::io(&path, e))?;
    }
    let base = folder.join(BASE_FILE);
    match std::fs::remove_file(&base) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(StoreError::io(base, e)),
        _ => Ok(()),
    }
}
