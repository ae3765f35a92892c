//! `evaluate`: what a model answers for the rows of a table, into `predictions`, beside their labels and with the part of the
//! model's training that each belongs to.
//!
//! It is one query that asks `predict` for the rows that have no answer yet, and a transaction for every window of them: what
//! a process that was killed had written is kept, and the next call goes on from there.

use std::collections::BTreeMap;
use std::time::Instant;

use arrow::array::{Array, AsArray, BooleanArray, Float64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use futures::StreamExt;

use crystal::ContentHash;
use crystal::progress::{Done, Progress};
use models::Metrics;
use models::reliability::Part;
use sql::{Error, PropertyModel, Session, quoted_name, quoted_text, units};
use store::{Evaluated, EvaluatedBy, Store};

/// What to evaluate on what.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluateOptions {
    /// Name of a model or an ensemble, or the path of one; the default model where empty.
    pub model: String,
    /// Table with the columns id, structure_hash, split, structure and the label.
    pub table: String,
    /// Column of the label; `None`: what the model predicts.
    pub target: Option<String>,
    /// SQL condition on its rows.
    pub condition: Option<String>,
    /// Stated coverage of the intervals.
    pub coverage: f64,
    /// Rows without a label too.
    pub unlabelled: bool,
}

/// Errors on the labelled rows of one part.
#[derive(Debug, Clone, PartialEq)]
pub struct PartSummary {
    /// `train`, `validation`, `test` or `unseen`; `None` where the model does not say, or for all of them.
    pub split: Option<String>,
    /// Errors, in the unit of what the model predicts.
    pub metrics: Metrics,
    /// Rows with an interval, and those of them whose label is in it.
    pub intervals: (usize, usize),
}

/// What `evaluate` found.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluateSummary {
    /// Which model on which table.
    pub evaluation: EvaluatedBy,
    /// Unit of what the model predicts; empty where it has none.
    pub unit: String,
    /// Rows that were answered now.
    pub computed: u64,
    /// Rows that had been before.
    pub present: u64,
    /// All labelled rows; `None` where there is none with a prediction.
    pub all: Option<PartSummary>,
    /// The same by part of the model's training.
    pub parts: Vec<PartSummary>,
    /// Rows without a prediction, and id and reason of the first.
    pub refused: (usize, Option<(String, String)>),
    /// (prediction, label) of the labelled rows.
    pub pairs: Vec<(f64, f64)>,
    /// Wall time.
    pub seconds: f64,
}

impl PartSummary {
    /// The errors in words. `unit`: of the label.
    fn described(&self, unit: &str) -> String {
        let errors = self.metrics.described(unit);
        match self.intervals {
            (0, _) => errors,
            (asked, held) => {
                let share = 100.0 * held as f64 / asked as f64;
                format!("{errors}; {share:.1} % of {asked} intervals hold the label")
            }
        }
    }
}

impl EvaluateSummary {
    /// Share of the labelled rows that the model was trained on, as far as it says.
    pub fn fitted(&self) -> f64 {
        let fitted = self.parts.iter().find(|part| part.split.as_deref() == Some(Part::Train.name()));
        fitted.map_or(0, |part| part.metrics.count) as f64 / self.pairs.len().max(1) as f64
    }
}

impl std::fmt::Display for EvaluateSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let EvaluatedBy { model, model_id, table, coverage, .. } = &self.evaluation;
        let Self { computed, present, seconds, .. } = self;
        let s = if computed + present == 1 { "" } else { "s" };
        writeln!(f, "model {model} ({model_id}): {} row{s} of {table}, {present} already there", computed + present)?;
        if *computed > 0 {
            writeln!(f, "{computed} predicted in {seconds:.1} s ({:.0}/s)", *computed as f64 / seconds.max(1e-9))?;
        }
        match &self.all {
            Some(all) => write!(f, "all: {}", all.described(&self.unit))?,
            None => write!(f, "no labelled crystal could be predicted")?,
        }
        for part in &self.parts {
            let name = part.split.as_deref().unwrap_or("unknown part of the training");
            write!(f, "\n{name}: {}", part.described(&self.unit))?;
        }
        if self.parts.iter().chain(&self.all).any(|part| part.intervals.0 > 0) {
            write!(f, "\nstated coverage of the intervals: {:.1} %", 100.0 * coverage)?;
        }
        Ok(())
    }
}

/// Asks the model for the rows of a table of `store`, which is the one that this session reads, and keeps the answers as
/// rows of `predictions`. Rows whose answer, label and coverage are there already are not computed again; those of
/// other weights of the same name are forgotten.
///
/// # Errors
/// An unknown model, table or column, labels in another unit, or a store that cannot be written.
pub async fn evaluate(
    session: &Session,
    store: &Store,
    options: &EvaluateOptions,
    progress: &dyn Progress,
) -> Result<EvaluateSummary, Error> {
    let begun = Instant::now();
    let model = session.model(&options.model)?;
    let quantity = model.quantity();
    let target = options.target.as_deref().unwrap_or(quantity.target);
    comparable(session, model.as_ref(), &options.table, target).await?;
    let evaluation = EvaluatedBy {
        model: model.name().to_owned(),
        model_id: model.id().to_owned(),
        table: options.table.clone(),
        target: target.to_owned(),
        coverage: options.coverage,
    };
    store.supersede_evaluations(&evaluation)?;
    let queries = Queries::new(options, &evaluation);
    let [present, total] =
        [number_of(session, &queries.present()).await?, number_of(session, &queries.missing("1 AS one")).await?];
    let mut computed = 0;
    if total > 0 {
        progress.step(&Done::rows(0, total));
        let mut stream = session.sql(&queries.missing(&queries.answers())).await?.execute_stream().await?;
        while let Some(batch) = stream.next().await.transpose()? {
            let rows = evaluated(&batch, model.as_ref())?;
            store.keep_evaluations(&evaluation, &rows)?;
            computed += rows.len() as u64;
            progress.step(&Done::rows(computed, total));
        }
    }
    let mut summary = EvaluateSummary {
        evaluation,
        unit: quantity.unit.to_owned(),
        computed,
        present,
        all: None,
        parts: vec![],
        refused: (0, None),
        pairs: vec![],
        seconds: begun.elapsed().as_secs_f64(),
    };
    let batches = session.sql(&queries.kept()).await?.collect().await?;
    summarise(&batches, model.training_mean(), &mut summary)?;
    Ok(summary)
}

/// Refuses labels in another unit than that of the predictions.
async fn comparable(session: &Session, model: &dyn PropertyModel, table: &str, target: &str) -> Result<(), Error> {
    let quantity = model.quantity();
    let labels = session.sql(&format!("SELECT {} FROM {}", quoted_name(target), quoted_name(table))).await?;
    match units(session, &labels).pop().flatten() {
        Some(unit) if unit != quantity.unit => Err(Error::Sql(format!(
            "model {} predicts {quantity}, and the column {target} is in {unit}: name the column to compare with by --target",
            model.name()
        ))),
        _ => Ok(()),
    }
}

/// How many rows a query has.
pub(super) async fn number_of(session: &Session, rows: &str) -> Result<u64, Error> {
    let batches = session.sql(&format!("SELECT count(*) FROM ({rows}) AS counted")).await?.collect().await?;
    Ok(batches.first().map_or(0, |batch| batch.column(0).as_primitive::<Int64Type>().value(0).unsigned_abs()))
}

/// The queries of one evaluation.
struct Queries {
    /// Rows to evaluate: id, structure_hash, split, label, structure.
    rows: String,
    /// Keys of what is there: id, structure_hash, target.
    kept: String,
    call: String,
}

impl Queries {
    fn new(options: &EvaluateOptions, evaluation: &EvaluatedBy) -> Self {
        let target = quoted_name(&evaluation.target);
        let labelled = if options.unlabelled { String::new() } else { format!(" AND {target} IS NOT NULL") };
        let condition = options.condition.as_ref().map_or_else(String::new, |c| format!(" AND ({c})"));
        Self {
            rows: format!(
                "SELECT id, structure_hash, split, CAST({target} AS DOUBLE) AS label, structure FROM {} \
                 WHERE structure IS NOT NULL{labelled}{condition}",
                quoted_name(&options.table)
            ),
            kept: format!(
                "SELECT * FROM predictions WHERE model_id = {} AND table_name = {} AND target_column = {} AND coverage = {:?}",
                quoted_text(&evaluation.model_id),
                quoted_text(&options.table),
                quoted_text(&evaluation.target),
                options.coverage
            ),
            call: format!("predict(r.structure, {}, {:?})", quoted_text(&options.model), options.coverage),
        }
    }

    const SAME: &str = "k.id = r.id AND k.structure_hash = r.structure_hash AND k.target IS NOT DISTINCT FROM r.label";

    fn present(&self) -> String {
        format!("SELECT 1 AS one FROM ({}) AS r JOIN ({}) AS k ON {}", self.rows, self.kept, Self::SAME)
    }

    fn missing(&self, columns: &str) -> String {
        format!("SELECT {columns} FROM ({}) AS r LEFT ANTI JOIN ({}) AS k ON {}", self.rows, self.kept, Self::SAME)
    }

    fn answers(&self) -> String {
        format!("r.id, r.structure_hash, r.split, r.label, {} AS answer", self.call)
    }

    fn kept(&self) -> String {
        format!(
            "SELECT r.id, k.split, k.value, k.lower, k.upper, k.target, k.reason FROM ({}) AS r JOIN ({}) AS k ON {} \
             ORDER BY r.id, r.structure_hash",
            self.rows,
            self.kept,
            Self::SAME
        )
    }
}

fn texts(batch: &RecordBatch, i: usize) -> Result<StringArray, Error> {
    Ok(cast(batch.column(i), &DataType::Utf8)?.as_string::<i32>().clone())
}

fn value(texts: &StringArray, i: usize) -> Option<&str> {
    texts.is_valid(i).then(|| texts.value(i))
}

fn number(numbers: &Float64Array, i: usize) -> Option<f64> {
    numbers.is_valid(i).then(|| numbers.value(i))
}

/// Answered rows: id, structure_hash, split, label, answer.
fn evaluated(batch: &RecordBatch, model: &dyn PropertyModel) -> Result<Vec<Evaluated>, Error> {
    let [ids, hashes, splits] = [texts(batch, 0)?, texts(batch, 1)?, texts(batch, 2)?];
    let labels = batch.column(3).as_primitive::<Float64Type>();
    let answers = batch.column(4).as_struct();
    let field = |name: &str| {
        answers.column_by_name(name).ok_or_else(|| Error::Sql(format!("predict answers without the field {name}")))
    };
    let numbers = |name: &str| Ok::<_, Error>(field(name)?.as_primitive::<Float64Type>());
    let [values, lower, upper] = [numbers("value")?, numbers("lower")?, numbers("upper")?];
    let (in_domain, reasons): (&BooleanArray, &StringArray) =
        (field("in_domain")?.as_boolean(), field("reason")?.as_string());
    let row = |i: usize| {
        let hash = u128::from_str_radix(hashes.value(i), 16).ok().map(ContentHash);
        let part = hash.and_then(|hash| model.part(hash, value(&splits, i)));
        Evaluated {
            id: ids.value(i).to_owned(),
            structure_hash: hashes.value(i).to_owned(),
            split: part.map(|part| part.name().to_owned()),
            value: number(values, i),
            interval: number(lower, i).zip(number(upper, i)),
            in_domain: in_domain.is_valid(i) && in_domain.value(i),
            reason: value(reasons, i).map(str::to_owned),
            target: number(labels, i),
        }
    };
    Ok((0..batch.num_rows()).map(row).collect())
}

/// (prediction, label) of some rows, and how many of their intervals there are and hold the label.
#[derive(Default)]
struct Errors {
    pairs: Vec<(f64, f64)>,
    intervals: (usize, usize),
}

impl Errors {
    fn add(&mut self, predicted: f64, label: f64, interval: Option<(f64, f64)>) {
        self.pairs.push((predicted, label));
        if let Some((lower, upper)) = interval {
            self.intervals.0 += 1;
            self.intervals.1 += usize::from((lower..=upper).contains(&label));
        }
    }

    fn summary(&self, split: Option<String>, training_mean: f64) -> Option<PartSummary> {
        let metrics = Metrics::of(&self.pairs, training_mean)?;
        Some(PartSummary { split, metrics, intervals: self.intervals })
    }
}

/// Kept rows: id, split, value, lower, upper, target, reason.
/// Without a mean label of the training set, that of the rows is what a model that knows nothing would answer.
fn summarise(batches: &[RecordBatch], training_mean: Option<f64>, summary: &mut EvaluateSummary) -> Result<(), Error> {
    let mut all = Errors::default();
    let mut parts: BTreeMap<Option<String>, Errors> = BTreeMap::new();
    for batch in batches {
        let [ids, splits, reasons] = [texts(batch, 0)?, texts(batch, 1)?, texts(batch, 6)?];
        let [values, lower, upper, labels] = [2, 3, 4, 5].map(|i| batch.column(i).as_primitive::<Float64Type>());
        for i in 0..batch.num_rows() {
            let Some(predicted) = number(values, i) else {
                let first = || (ids.value(i).to_owned(), value(&reasons, i).unwrap_or("it gave no reason").to_owned());
                summary.refused.1.get_or_insert_with(first);
                summary.refused.0 += 1;
                continue;
            };
            let Some(label) = number(labels, i) else { continue };
            let interval = number(lower, i).zip(number(upper, i));
            all.add(predicted, label, interval);
            parts.entry(value(&splits, i).map(str::to_owned)).or_default().add(predicted, label, interval);
        }
    }
    let mean_of = |pairs: &[(f64, f64)]| pairs.iter().map(|(_, label)| label).sum::<f64>() / pairs.len().max(1) as f64;
    let training_mean = training_mean.unwrap_or_else(|| mean_of(&all.pairs));
    summary.all = all.summary(None, training_mean);
    summary.parts = parts.into_iter().filter_map(|(split, errors)| errors.summary(split, training_mean)).collect();
    summary.pairs = all.pairs;
    Ok(())
}
