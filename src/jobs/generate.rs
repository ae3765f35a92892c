//! `generate`: hypothetical crystals, drawn in lots into a table of their own, and the best of them relaxed.
//!
//! Every crystal that is drawn is kept, the known and the repeated too: what share is new is a result. Beside the table NAME lie
//! NAME_draws, what passed each step of every lot, by which a run that was interrupted goes on, and NAME_relaxed.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::physical_plan::memory::MemoryStream;

use super::compute::{ComputeOptions, compute};
use crystal::progress::{Done, Progress};
use formats::{Properties, Record};
use generation::{
    DecodeOptions, Generated, Generation, GenerationCounts, GenerationError, Request, Sampler, SamplerKind,
};
use sql::{ChosenSampler, Error, Session, quoted_name, quoted_text};
use store::{ImportOptions, Onto, SCHEMA, Store};

/// Draws that are committed together.
const LOT: u64 = 512;
/// Draws that are made together: what is told of the progress in between.
const STEP: u64 = 32;

/// What `generate` should do.
#[derive(Debug, Clone, PartialEq)]
pub struct GenerateOptions {
    /// What crystals are wanted.
    pub request: Request,
    /// What draws them.
    pub sampler: SamplerKind,
    /// Draws.
    pub draws: u64,
    /// Their seed.
    pub seed: u64,
    /// Table with crystals that are known, and that templates are taken from where they are drawn.
    pub from: String,
    /// Further tables whose crystals are known.
    pub against: Vec<String>,
    /// Table that the crystals go into; made where it does not exist.
    pub into: String,
    /// How many of the new crystals are relaxed, those first that the session's model finds nearest to the hull.
    pub relax: usize,
}

/// What `generate` did.
#[derive(Debug, Clone, PartialEq)]
pub struct GenerateSummary {
    /// What passed each step of all draws of this request and seed, those of earlier runs included.
    pub counts: GenerationCounts,
    /// Of the crystals, those that are no earlier one.
    pub unique: u64,
    /// Of these, those that are no known crystal.
    pub novel: u64,
    /// How many were relaxed, how many of them to the end, and how many of these are still of their space group; `None` where no
    /// relaxation was asked for.
    pub relaxed: Option<[u64; 3]>,
    /// The table.
    pub into: String,
    /// Rows that this run added to it.
    pub added: u64,
    /// Wall time.
    pub seconds: f64,
}

impl std::fmt::Display for GenerateSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { counts, unique, novel, relaxed, into, added, seconds } = self;
        let GenerationCounts { drawn, neutral, roomy, crystals } = *counts;
        for (n, what) in [
            (drawn, "draws"),
            (neutral, "charge-neutral"),
            (roomy, "whose ions have room"),
            (crystals, "crystals of the symmetry that was drawn"),
            (*unique, "unique"),
            (*novel, "not already in the store"),
        ] {
            writeln!(f, "{n:>12}  {what}")?;
        }
        let steps = ["relaxed", "converged", "still of their space group"];
        for (n, what) in relaxed.iter().flatten().zip(steps) {
            writeln!(f, "{n:>12}  {what}")?;
        }
        write!(f, "added {added} row{} to {into} in {seconds:.1} s", if *added == 1 { "" } else { "s" })
    }
}

/// Draws crystals and puts them into a table of `store`, which is the one that this session reads, a snapshot after every few hundred
/// draws; then counts those that are unique and new, and relaxes the best. Draws that an earlier run of the same request and seed has
/// made are not made again: what was interrupted goes on.
///
/// # Errors
/// Tables that cannot be read or are not of crystals, a condition or an element of which the sampler knows nothing, no template
/// that fits, a store that cannot be written, or no energy model where one is asked for.
pub async fn generate(
    session: &Session,
    store: &Store,
    options: &GenerateOptions,
    progress: &dyn Progress,
) -> Result<GenerateSummary, Error> {
    let begun = Instant::now();
    let (sampler, from) = sampler(session, options).await?;
    let run = Run { session, store, options, request: format!("{}; {from}", options.request) };
    let before = run.counted().await?;
    let added = run.draw(sampler, before.drawn, progress).await?;
    let counts = run.counted().await?;
    let [unique, novel] = run.unknown().await?;
    let relaxed = if options.relax > 0 { Some(run.relax(progress).await?) } else { None };
    let (into, seconds) = (options.into.clone(), begun.elapsed().as_secs_f64());
    Ok(GenerateSummary { counts, unique, novel, relaxed, into, added, seconds })
}

/// What draws, and what its draws depend on beside the request: other templates or weights make others.
async fn sampler(session: &Session, options: &GenerateOptions) -> Result<(Arc<dyn Sampler>, String), Error> {
    let GenerateOptions { request, sampler, from, .. } = options;
    let refused = |e: GenerationError| Error::Sql(e.to_string());
    sampler.check(request).map_err(refused)?;
    let network = session.environment().network(sampler).map_err(refused)?;
    let chosen = ChosenSampler::new(network, request, from).map_err(refused)?;
    let rows = match chosen.query() {
        Some(query) => Some(session.sql(&query).await?.execute_stream().await?),
        None => None,
    };
    Ok(chosen.ready(rows).await?)
}

/// One request with its seed.
struct Run<'a> {
    session: &'a Session,
    store: &'a Store,
    options: &'a GenerateOptions,
    /// The request in the words of the tables.
    request: String,
}

impl Run<'_> {
    /// Makes the draws from number `at` on, and returns how many rows were added.
    async fn draw(&self, sampler: Arc<dyn Sampler>, mut at: u64, progress: &dyn Progress) -> Result<u64, Error> {
        let GenerateOptions { seed, draws, .. } = *self.options;
        let mut added = 0;
        while at < draws {
            let end = draws.min(at + LOT);
            let mut lot = Generation::new(Arc::clone(&sampler), DecodeOptions::default(), seed, end).after(at);
            let mut made = Vec::new();
            loop {
                progress.step(&Done::rows(at + lot.counts().drawn, draws));
                let step = tokio::task::spawn_blocking(move || {
                    let step = lot.batch(STEP);
                    (lot, step)
                });
                let (drawn, step) = step.await.map_err(|e| Error::Sql(format!("generating crystals: {e}")))?;
                lot = drawn;
                let Some(step) = step else { break };
                made.extend(step);
            }
            if lot.counts().drawn == 0 {
                break;
            }
            added += self.keep(at, lot.counts(), made).await?;
            at += lot.counts().drawn;
        }
        Ok(added)
    }

    /// Commits the crystals of some draws, then their counts: what ends in between is drawn again, and is there already.
    async fn keep(&self, first: u64, counts: GenerationCounts, made: Vec<Generated>) -> Result<u64, Error> {
        let GenerateOptions { into, seed, .. } = self.options;
        let import = ImportOptions { into: into.clone(), source: Some("generated".into()), ..ImportOptions::default() };
        let records: Vec<Record> = made.into_iter().map(|crystal| self.record(crystal)).collect();
        let added = self.store.import_generated(std::iter::once(records), &import, &()).await?.added;
        let GenerationCounts { drawn, neutral, roomy, crystals } = counts;
        let number = |n: u64| Arc::new(Int64Array::from(vec![n as i64])) as ArrayRef;
        let row = RecordBatch::try_from_iter([
            ("request", Arc::new(StringArray::from(vec![self.request.as_str()])) as ArrayRef),
            ("seed", number(*seed)),
            ("first", number(first)),
            ("drawn", number(drawn)),
            ("neutral", number(neutral)),
            ("roomy", number(roomy)),
            ("crystals", number(crystals)),
        ])?;
        let (table, columns) = (self.draws(), row.schema());
        let onto = if self.has(&table)? { Onto::Kept } else { Onto::New };
        let rows = MemoryStream::try_new(vec![row], columns, None)?;
        self.store.write_rows(SCHEMA, &table, onto, Box::pin(rows)).await?;
        Ok(added)
    }

    /// A crystal as a row of its table: its lineage is among the other properties.
    fn record(&self, crystal: Generated) -> Record {
        let id = crystal.id();
        let Generated { structure, tokens, sampler, template, draw: (seed, draw), instability } = crystal;
        let extra = [
            ("request", Some(self.request.clone().into())),
            ("sampler", Some(sampler.into())),
            ("template", template.map(Into::into)),
            ("tokens", Some(tokens.to_string().into())),
            ("seed", Some(seed.into())),
            ("draw", Some(draw.into())),
            ("instability", instability.map(Into::into)),
        ];
        let extra = extra.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        Record { id, structure, line: 0, properties: Properties { extra, ..Properties::default() } }
    }

    /// Name of the table with the counts.
    fn draws(&self) -> String {
        format!("{}_draws", self.options.into)
    }

    fn has(&self, table: &str) -> Result<bool, Error> {
        Ok(self.session.context().table_exist(table)?)
    }

    /// The condition on rows of this request and seed.
    fn ours(&self) -> String {
        format!("request = {} AND seed = {}", quoted_text(&self.request), self.options.seed)
    }

    /// What passed each step of the draws that were made so far.
    async fn counted(&self) -> Result<GenerationCounts, Error> {
        if !self.has(&self.draws())? {
            return Ok(GenerationCounts::default());
        }
        let sums = ["drawn", "neutral", "roomy", "crystals"].map(|column| format!("coalesce(sum({column}), 0)"));
        let query = format!("SELECT {} FROM {} WHERE {}", sums.join(", "), quoted_name(&self.draws()), self.ours());
        let [drawn, neutral, roomy, crystals] = self.numbers(&query).await?;
        Ok(GenerationCounts { drawn, neutral, roomy, crystals })
    }

    /// The crystals of this request in steps: `made`, those that are `once`, and of these the `novel`; and what is `known`.
    fn steps(&self) -> String {
        let GenerateOptions { from, against, into, .. } = self.options;
        let mut known: Vec<&String> = std::iter::once(from).chain(against).filter(|table| *table != into).collect();
        known.sort_unstable();
        known.dedup();
        let known =
            known.iter().map(|table| format!("SELECT formula, elements, structure FROM {}", quoted_name(table)));
        let same = "a.formula = b.formula AND same_structure(a.structure, b.structure)";
        format!(
            "WITH known AS ({}), made AS (SELECT * FROM {} WHERE {}), \
             once AS (SELECT a.* FROM made AS a LEFT ANTI JOIN made AS b ON {same} AND b.draw < a.draw), \
             novel AS (SELECT a.* FROM once AS a LEFT ANTI JOIN known AS b ON {same})",
            known.collect::<Vec<_>>().join(" UNION ALL "),
            quoted_name(into),
            self.ours()
        )
    }

    /// How many crystals are unique, and how many of these are new.
    async fn unknown(&self) -> Result<[u64; 2], Error> {
        if !self.has(&self.options.into)? {
            return Ok([0; 2]);
        }
        let steps = self.steps();
        self.numbers(&format!(
            "{steps} SELECT (SELECT count(*) FROM once) AS once, (SELECT count(*) FROM novel) AS novel"
        ))
        .await
    }

    /// Relaxes the new crystals that lie nearest to the hull of known and new ones by the session's model, and returns how many were
    /// relaxed, how many of them to the end, and how many of these are of the space group that was drawn.
    async fn relax(&self, progress: &dyn Progress) -> Result<[u64; 3], Error> {
        let GenerateOptions { request, relax, into, .. } = self.options;
        let symbols: Vec<String> = request.elements.iter().map(|e| quoted_text(e.symbol())).collect();
        let best = format!(
            "{}, phases AS (SELECT formula, structure FROM known WHERE array_has_all(make_array({}), elements) \
             UNION ALL SELECT formula, structure FROM novel), \
             hull AS (SELECT phase_diagram(formula, predict_ef(structure)) AS diagram FROM phases) \
             SELECT id FROM novel CROSS JOIN hull \
             ORDER BY e_above_hull(diagram, formula, predict_ef(structure)) NULLS LAST, instability NULLS LAST, id LIMIT {relax}",
            self.steps(),
            symbols.join(", ")
        );
        let mut ids = Vec::new();
        for batch in self.session.sql(&best).await?.collect().await? {
            let column = cast(batch.column(0), &DataType::Utf8)?;
            ids.extend(column.as_string::<i32>().iter().flatten().map(quoted_text));
        }
        if ids.is_empty() {
            return Ok([0; 3]);
        }
        let of_these = format!("id IN ({})", ids.join(", "));
        let relaxed = |field: &str| format!("relax(structure)['{field}'] AS {field}");
        let mut columns = ["energy_per_atom", "converged", "steps", "fmax", "volume_change"].map(relaxed).to_vec();
        columns.push("spacegroup(relax(structure)['structure']) AS spacegroup".into());
        columns.push(relaxed("structure"));
        let table = format!("{into}_relaxed");
        let compute_options = ComputeOptions {
            columns,
            table: into.clone(),
            condition: Some(of_these.clone()),
            into: table.clone(),
            ..ComputeOptions::default()
        };
        compute(self.session, self.store, &compute_options, progress).await?;
        let ends = format!(
            "SELECT count(*), count(*) FILTER (WHERE r.converged), \
             count(*) FILTER (WHERE r.converged AND r.spacegroup = g.spacegroup) \
             FROM {} AS r JOIN {} AS g ON r.id = g.id AND r.structure_hash = g.structure_hash WHERE r.{of_these}",
            quoted_name(&table),
            quoted_name(into)
        );
        self.numbers(&ends).await
    }

    /// The whole numbers of the one row of a query.
    async fn numbers<const N: usize>(&self, query: &str) -> Result<[u64; N], Error> {
        let batches = self.session.sql(query).await?.collect().await?;
        let batch = batches.iter().find(|batch| batch.num_rows() > 0);
        let number = |i: usize| {
            let column = batch.and_then(|batch| batch.columns().get(i))?;
            Some(column.as_primitive_opt::<Int64Type>()?.value(0).unsigned_abs())
        };
        Ok(std::array::from_fn(|i| number(i).unwrap_or(0)))
    }
}
