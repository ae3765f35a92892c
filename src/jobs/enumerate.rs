//! `enumerate`: candidates from the prototypes of a query, streamed into a table of their own.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::logical_expr::LogicalPlan;
use futures::StreamExt;

use crystal::progress::{Done, Progress};
use crystal::{Structure, content_hash};
use formats::{Properties, Record};
use sql::{Crystals, Error, Session, quoted_name};
use stability::{Candidate, CandidateCounts, CandidateOptions, Candidates};
use store::{ImportOptions, ImportSummary, Shard, Store};

/// What `enumerate` should do.
#[derive(Debug, Clone, PartialEq)]
pub struct EnumerateOptions {
    /// A query with the columns `id` and `structure`: the crystals that candidates are made from.
    pub prototypes: String,
    /// What to make of them.
    pub candidates: CandidateOptions,
    /// Table that the candidates go into; made where it does not exist.
    pub into: String,
    /// Tables whose crystals are known: no candidate is one of them. What `into` holds was made before, and is not made again.
    pub against: Vec<String>,
    /// Count, and write nothing.
    pub dry_run: bool,
    /// The candidates that are written: those of a shard, by content hash. All are made, for only among all of them is known which are
    /// unique; what takes time is to complete them.
    pub shard: Option<Shard>,
}

/// What `enumerate` did.
#[derive(Debug, Clone, PartialEq)]
pub struct EnumerateSummary {
    /// How many passed each step.
    pub counts: CandidateCounts,
    /// Rows of the prototypes' query that are no crystal.
    pub refused: u64,
    /// What became of the candidates.
    pub import: ImportSummary,
}

impl std::fmt::Display for EnumerateSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { counts, refused, import } = self;
        let s = if counts.prototypes == 1 { "" } else { "s" };
        write!(f, "{} prototype{s} of {} structure types", counts.prototypes, counts.types)?;
        let left_out = counts.unusable + refused;
        if left_out > 0 {
            write!(f, ", {left_out} without a place for another element")?;
        }
        for (n, what) in [
            (counts.choices, "combinations of elements"),
            (counts.neutral, "charge-neutral"),
            (counts.fitting, "size-compatible"),
            (counts.fitting - counts.known, "not already in the store"),
            (counts.candidates, "unique candidates"),
        ] {
            write!(f, "\n{n:>12}  {what}")?;
        }
        write!(f, "\n{import}")
    }
}

/// Reports the progress of an import as that of an enumeration.
struct Watch<'a> {
    counts: Arc<Mutex<CandidateCounts>>,
    progress: &'a dyn Progress,
}

impl Progress for Watch<'_> {
    fn step(&self, written: &Done) {
        let counts = *self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let words = format!("{} choices, {} neutral, {} candidates", counts.choices, counts.neutral, written.done);
        self.progress.step(&Done { words, ..written.clone() });
    }
}

/// Puts other elements into the crystals of a query, and what is neutral, fits and is new into a table of `store`, which is the one
/// that this session reads, in one snapshot. In memory are the prototypes, the known crystals of their structure types by a key
/// of 12 bytes, the candidates by such a key and an identity of 24, and a few thousand crystals at a time.
///
/// # Errors
/// A query that fails or has no column `structure`, a table that does not exist, or a store that cannot be written.
pub async fn enumerate(
    session: &Session,
    store: &Store,
    options: &EnumerateOptions,
    progress: &dyn Progress,
) -> Result<EnumerateSummary, Error> {
    if options.shard.is_some() && !is_ordered(session.sql(&options.prototypes).await?.logical_plan()) {
        let message = "in shards the query of the prototypes says in which order they come, for of one structure type the first is used: \
                       add ORDER BY id";
        return Err(Error::Sql(message.into()));
    }
    let (mut prototypes, mut refused) = (Vec::new(), 0);
    crystals(session, &options.prototypes, |id, crystal| match crystal {
        Some(structure) => prototypes.push((id, structure)),
        None => refused += 1,
    })
    .await?;
    if prototypes.is_empty() {
        return Err(Error::Sql("the query of the prototypes returns no crystal".into()));
    }
    let making = options.candidates.clone();
    let made = tokio::task::spawn_blocking(move || Candidates::new(prototypes, making)).await;
    let mut candidates = made.map_err(|e| Error::Sql(format!("making templates of the prototypes: {e}")))?;
    let made = session.context().table_exist(options.into.as_str())?.then_some(&options.into);
    for table in options.against.iter().filter(|table| **table != options.into).chain(made) {
        let remember = match *table == options.into {
            true => Candidates::made_before,
            false => Candidates::know,
        };
        let query = format!("SELECT structure FROM {}", quoted_name(table));
        let mut batch = Vec::new();
        crystals(session, &query, |_, crystal| {
            batch.extend(crystal);
            if batch.len() >= KNOWN {
                remember(&mut candidates, &std::mem::take(&mut batch));
            }
        })
        .await?;
        remember(&mut candidates, &batch);
    }
    let counts = candidates.counts();
    let import = ImportOptions {
        into: options.into.clone(),
        source: Some("enumerated".into()),
        dry_run: options.dry_run,
        ..ImportOptions::default()
    };
    let watch = Watch { counts: Arc::clone(&counts), progress };
    let shard = options.shard;
    let is_ours =
        move |candidate: &Candidate| shard.is_none_or(|shard| shard.holds(content_hash(&candidate.structure)));
    let batches = candidates
        .map(move |batch| batch.into_iter().filter(&is_ours).map(record).collect::<Vec<_>>())
        .filter(|batch| !batch.is_empty());
    let import = store.import_made(batches, &import, &watch).await?;
    let counts = *counts.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(EnumerateSummary { counts, refused, import })
}

/// Whether a query says in which order its rows come.
fn is_ordered(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Sort(_) => true,
        LogicalPlan::Limit(_) | LogicalPlan::Projection(_) | LogicalPlan::SubqueryAlias(_) => {
            plan.inputs().into_iter().all(is_ordered)
        }
        _ => false,
    }
}

/// Every crystal of a query with the columns `structure` and, perhaps, `id`; `None` for a row that is none.
async fn crystals(
    session: &Session,
    query: &str,
    mut each: impl FnMut(String, Option<Structure>),
) -> Result<(), Error> {
    let frame = session.sql(query).await?;
    let column = |name: &str| frame.schema().as_arrow().fields().iter().position(|f| f.name() == name);
    let Some(structure) = column("structure") else {
        let message = "the query of the prototypes has no column 'structure'; name one with AS structure";
        return Err(Error::Sql(message.into()));
    };
    let (id, mut row) = (column("id"), 0_u64);
    let mut stream = frame.execute_stream().await?;
    while let Some(batch) = stream.next().await.transpose()? {
        let crystals = Crystals::try_new(batch.column(structure))?;
        let ids = id.map(|id| cast(batch.column(id), &DataType::Utf8)).transpose()?;
        let ids = ids.as_ref().map(|ids| ids.as_string::<i32>());
        for i in 0..batch.num_rows() {
            row += 1;
            let id = ids.filter(|ids| ids.is_valid(i)).map(|ids| ids.value(i));
            let name = id.map_or_else(|| format!("row-{row}"), str::to_owned);
            each(name, crystals.get(i).and_then(Result::ok));
        }
    }
    Ok(())
}

/// Known crystals that are looked at together.
const KNOWN: usize = 4096;

/// A candidate as a row of its table: its lineage is among the other properties.
fn record(candidate: Candidate) -> Record {
    let id = candidate.id();
    let Candidate { parent, substitution, prototype, radius_change, structure } = candidate;
    let mut extra = serde_json::Map::new();
    for (name, text) in [("parent", parent), ("substitution", substitution), ("prototype", prototype)] {
        extra.insert(name.into(), text.into());
    }
    extra.extend(radius_change.map(|change| ("radius_change".to_owned(), change.into())));
    Record { id, structure, line: 0, properties: Properties { extra, ..Properties::default() } }
}
