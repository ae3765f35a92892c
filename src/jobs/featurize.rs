//! `featurize`: functions of crystals over a table, once, into the store.
//!
//! The table is streamed. Of each batch, a feature takes the rows that have no value of its version yet, computes the SQL
//! function on some hundreds of them at a time, on all cores, and appends the values to its pending rows. These are committed when they
//! are [`FeaturizeOptions::commit_rows`] or [`FeaturizeOptions::commit_seconds`] old. In memory are one batch of the
//! scan, the values of some hundreds of crystals, and 24 bytes for each row that has a value already.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::DataType;
use futures::StreamExt;

use crystal::progress::{Done, Progress};
use crystal::stop::Stop;
use sql::{Error, Feature, FeatureColumn, Session, quoted_name};
use store::{FeatureTable, Store};

/// Crystals that are computed together.
const ROWS: usize = 512;

/// What to materialise.
#[derive(Debug, Clone, PartialEq)]
pub struct FeaturizeOptions {
    /// Features, as functions with their arguments beside the crystal: `magpie`, `void(ionic, 0.76)`; lists with commas
    /// are taken apart.
    pub features: Vec<String>,
    /// Table whose rows are featurized; it has the columns id, structure_hash and structure.
    pub table: String,
    /// SQL condition on its rows.
    pub condition: Option<String>,
    /// Compute all rows again, also those that have values.
    pub force: bool,
    /// Rows of a feature after which they are committed.
    pub commit_rows: usize,
    /// Seconds after which they are, however few.
    pub commit_seconds: f64,
}

impl Default for FeaturizeOptions {
    fn default() -> Self {
        Self {
            features: vec![],
            table: "tmo".into(),
            condition: None,
            force: false,
            commit_rows: 8192,
            commit_seconds: 60.0,
        }
    }
}

/// What became of one feature.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureSummary {
    /// Name of its column.
    pub name: String,
    /// Function, arguments and version.
    pub featurizer: String,
    /// Rows that got a value now.
    pub computed: u64,
    /// Of these, rows for which it is NULL: the function had no answer. They are not computed again.
    pub nulls: u64,
    /// Rows that had a value of this version already.
    pub present: u64,
    /// Time that the values took.
    pub seconds: f64,
}

/// What `featurize` did.
#[derive(Debug, Clone, PartialEq)]
pub struct FeaturizeSummary {
    /// The table.
    pub table: String,
    /// Each feature, in the order asked for.
    pub features: Vec<FeatureSummary>,
    /// Wall time.
    pub seconds: f64,
}

impl std::fmt::Display for FeaturizeSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, feature) in self.features.iter().enumerate() {
            let FeatureSummary { name, computed, nulls, present, seconds, .. } = feature;
            let (line, s) = (if i == 0 { "" } else { "\n" }, if *computed == 1 { "" } else { "s" });
            write!(f, "{line}{name}: {computed} row{s} of {}", self.table)?;
            if *computed > 0 {
                write!(f, " in {seconds:.1} s ({:.0} rows/s)", *computed as f64 / seconds.max(1e-9))?;
            }
            for (n, what) in [(present, "already there"), (nulls, "NULL")] {
                if *n > 0 {
                    write!(f, ", {n} {what}")?;
                }
            }
        }
        Ok(())
    }
}

/// A feature at work.
struct Work {
    table: FeatureTable,
    column: Arc<FeatureColumn>,
    summary: FeatureSummary,
}

/// Materialises features of a table of `store`, which is the one that this session reads. Rows that have a value of
/// the function's present version keep it, other versions are dropped. What a process that was killed had committed is
/// kept: the next call goes on from there. Two calls, of whatever processes, take turns.
///
/// A row for which a function has no answer gets NULL; the reasons are in [`Session::warnings`].
///
/// # Errors
/// An unknown feature, table or column, or a store that cannot be written.
pub async fn featurize(
    session: &Session,
    store: &Store,
    options: &FeaturizeOptions,
    progress: &dyn Progress,
) -> Result<FeaturizeSummary, Error> {
    let begun = Instant::now();
    let mut features: Vec<Feature> = vec![];
    for feature in session.features(&options.features.join(","))? {
        if features.iter().all(|other| other.id() != feature.id()) {
            features.push(feature);
        }
    }
    if features.is_empty() {
        return Err(Error::Sql("no feature is named; `hollandite featurize --list` shows them".into()));
    }
    let query = |columns: &str| {
        let condition = options.condition.as_ref().map_or_else(String::new, |c| format!(" WHERE {c}"));
        format!("SELECT {columns} FROM {}{condition}", quoted_name(&options.table))
    };
    let rows = session.sql(&query("id, structure_hash, structure")).await?;
    let structure = rows.schema().as_arrow().field(2).clone();

    let _turn = store.featurizing().await?;
    let mut work = vec![];
    for feature in &features {
        // Before the table is opened: dropping values takes away what could be read.
        let column = Arc::new(FeatureColumn::new(session, feature, &structure, options.force)?);
        let table = store.open_feature(feature.featurizer(), options.force).await?;
        let summary = FeatureSummary {
            name: feature.name(),
            featurizer: feature.id(),
            computed: 0,
            nulls: 0,
            present: 0,
            seconds: 0.0,
        };
        work.push(Work { table, column, summary });
    }
    store.remember_featurized(&options.table)?;
    let total = count(session, &query("id, structure_hash"), &mut work).await?;
    let ran = match total {
        0 => Ok(()),
        _ => run(rows.execute_stream().await?, &mut work, options, progress, total).await,
    };
    // What was computed before an error is worth keeping too.
    for work in &mut work {
        work.table.commit().await?;
    }
    ran?;
    let features = work.into_iter().map(|work| work.summary).collect();
    Ok(FeaturizeSummary { table: options.table.clone(), features, seconds: begun.elapsed().as_secs_f64() })
}

/// How many values are missing, in all.
async fn count(session: &Session, keys: &str, work: &mut [Work]) -> Result<u64, Error> {
    let mut stream = session.sql(keys).await?.execute_stream().await?;
    let mut total = 0;
    while let Some(batch) = stream.next().await.transpose()? {
        let (ids, hashes) = keys_of(&batch)?;
        for work in &mut *work {
            let missing = work.table.missing(&ids, &hashes).true_count() as u64;
            work.summary.present += batch.num_rows() as u64 - missing;
            total += missing;
        }
    }
    Ok(total)
}

async fn run(
    mut rows: datafusion::execution::SendableRecordBatchStream,
    work: &mut [Work],
    options: &FeaturizeOptions,
    progress: &dyn Progress,
    total: u64,
) -> Result<(), Error> {
    let mut done = 0;
    let stop = Stop::new();
    let _ends_with_us = stop.on_drop();
    progress.step(&Done::rows(done, total));
    while let Some(batch) = rows.next().await.transpose()? {
        for Work { table, column, summary } in &mut *work {
            let (ids, hashes) = keys_of(&batch)?;
            let missing = filter_record_batch(&batch, &table.missing(&ids, &hashes))?;
            let step = ROWS.min(options.commit_rows.max(1));
            for begin in (0..missing.num_rows()).step_by(step) {
                let part = missing.slice(begin, step.min(missing.num_rows() - begin));
                let (ids, hashes) = keys_of(&part)?;
                let begun = Instant::now();
                let crystals = Arc::clone(part.column(2));
                let (column, stop) = (Arc::clone(column), stop.clone());
                let compute = move || stop.during(|| column.values(&crystals));
                let values = tokio::task::spawn_blocking(compute).await;
                let values = values.map_err(|e| Error::Sql(format!("computing a batch failed: {e}")))??;
                let seconds = begun.elapsed().as_secs_f64();
                table.append(&ids, &hashes, part.column(2), &values, seconds)?;
                summary.computed += part.num_rows() as u64;
                summary.nulls += values.null_count() as u64;
                summary.seconds += seconds;
                done += part.num_rows() as u64;
                let (pending, age) = table.pending();
                if pending >= options.commit_rows || age >= options.commit_seconds {
                    table.commit().await?;
                }
                progress.step(&Done::rows(done, total));
            }
        }
    }
    Ok(())
}

/// id and structure_hash of a batch.
fn keys_of(batch: &RecordBatch) -> Result<(StringArray, StringArray), Error> {
    let text = |i: usize| cast(batch.column(i), &DataType::Utf8).map(|column| column.as_string::<i32>().clone());
    Ok((text(0)?, text(1)?))
}
