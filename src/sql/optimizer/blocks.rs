//! The running stream of a node. Rows are taken in blocks that begin with one batch of crystals and double: a limit above
//! stops the stream after a few of them, and a long scan soon fills large blocks whose crystals can be sorted into batches
//! of like size. A block is evaluated off the runtime's threads; when the query is dropped, the work stops at the next
//! crystal or batch of them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{concat_batches, prep_null_mask_filter};
use arrow::datatypes::SchemaRef;
use datafusion::common::{Result, exec_datafusion_err, internal_err};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder, RecordOutput,
};
use futures::StreamExt;

use super::call::{PhysicalCall, Way};
use crate::error::cancelled;
use crate::pass::PassStream;
use crate::predictor::{Known, Predictor, Tally};
use crate::structure_type::Crystals;
use crystal::stop::Stop;

/// Rows of the first block: they may be enough for a limit above.
pub(super) const FIRST_BLOCK: usize = 64;
/// Most rows of one block, as a rule.
pub(super) const LARGEST_BLOCK: usize = 4096;

/// Rows that wait for their block.
#[derive(Default)]
struct Rows {
    batches: Vec<RecordBatch>,
    count: usize,
}

impl Rows {
    fn push(&mut self, batch: RecordBatch) {
        self.count += batch.num_rows();
        self.batches.push(batch);
    }

    /// The first `n` rows, or all.
    fn take(&mut self, n: usize, schema: &SchemaRef) -> Result<RecordBatch> {
        let whole = concat_batches(schema, &self.batches)?;
        let n = n.min(whole.num_rows());
        *self = Self::default();
        if n < whole.num_rows() {
            self.push(whole.slice(n, whole.num_rows() - n));
        }
        Ok(whole.slice(0, n))
    }
}

/// A running stream.
pub(super) struct Blocks {
    input: SendableRecordBatchStream,
    rows: Rows,
    block: usize,
    largest: usize,
    stop: Stop,
    /// Away while a block is evaluated.
    evaluator: Option<Evaluator>,
}

impl Blocks {
    /// A stream that begins with blocks of `first` rows and ends with those of `largest`; `query` ends it.
    pub fn new(
        input: SendableRecordBatchStream,
        [first, largest]: [usize; 2],
        evaluator: Evaluator,
        query: &Stop,
    ) -> Self {
        let stop = query.during(Stop::new);
        Self { input, rows: Rows::default(), block: first, largest, stop, evaluator: Some(evaluator) }
    }

    /// The next block with its new columns.
    ///
    /// # Errors
    /// Those of the input and of the calls.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        while self.rows.count < self.block {
            match self.input.next().await.transpose()? {
                Some(batch) if batch.num_rows() > 0 => self.rows.push(batch),
                Some(_) => {}
                None => break,
            }
        }
        if self.rows.count == 0 {
            return Ok(None);
        }
        let batch = self.rows.take(self.block, &self.input.schema())?;
        self.block = (2 * self.block).min(self.largest);
        let Some(mut evaluator) = self.evaluator.take() else { return internal_err!("a block is still out") };
        let stop = self.stop.clone();
        let block = tokio::task::spawn_blocking(move || {
            let batch = stop.during(|| evaluator.evaluate(batch, &stop));
            (evaluator, batch)
        });
        let (evaluator, batch) = block.await.map_err(|e| exec_datafusion_err!("computing a batch failed: {e}"))?;
        self.evaluator = Some(evaluator);
        batch.map(Some)
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        self.stop.give();
    }
}

/// What evaluates a block: it travels to another thread and back.
pub(super) struct Evaluator {
    calls: Vec<PhysicalCall>,
    known: Vec<Known>,
    schema: SchemaRef,
    baseline: BaselineMetrics,
    counts: Option<Counts>,
    /// Values read in place of computing them.
    materialised: Option<Count>,
    pass: PassStream,
}

impl Evaluator {
    /// An evaluator that counts into `metrics`, models in more detail.
    pub fn new(
        calls: Vec<PhysicalCall>,
        schema: SchemaRef,
        metrics: &ExecutionPlanMetricsSet,
        partition: usize,
        asks_models: bool,
        pass: PassStream,
    ) -> Self {
        let reuses = calls.iter().any(|call| matches!(call.way, Way::Reused { .. }));
        Self {
            materialised: reuses.then(|| MetricBuilder::new(metrics).counter("materialised", partition)),
            known: vec![Known::new(); calls.len()],
            calls,
            schema,
            baseline: BaselineMetrics::new(metrics, partition),
            counts: asks_models.then(|| Counts::new(metrics, partition)),
            pass,
        }
    }

    fn evaluate(&mut self, batch: RecordBatch, stop: &Stop) -> Result<RecordBatch> {
        let elapsed = self.baseline.elapsed_compute().clone();
        let _timer = elapsed.timer();
        let mut found = vec![None; self.calls.len()];
        let (pass, rows, calls) = (self.pass.pass(), batch.num_rows(), self.calls.len() as f64);
        let mut order: Vec<_> = self.calls.iter().zip(&mut self.known).enumerate().collect();
        order.sort_by_key(|(_, (call, _))| call.last);
        for (done, (k, (call, known))) in order.into_iter().enumerate() {
            let share = |part: f64| pass.within(rows, (done as f64 + part) / calls);
            share(0.0);
            let needed = call.needed.as_ref().map(|needed| selection(needed, &batch)).transpose()?;
            found[k] = Some(match &call.way {
                Way::Function(expr) => evaluate(expr, &batch, needed.as_ref())?,
                Way::Reused { crystal, call, reuse } => {
                    let crystals = evaluate(crystal, &batch, needed.as_ref())?;
                    let compute = |rows: Option<&BooleanArray>| evaluate(call, &batch, rows);
                    let (values, read) = reuse.answer(&crystals, needed.as_ref(), compute)?;
                    if let Some(count) = &self.materialised {
                        count.add(read);
                    }
                    values
                }
                Way::Model { structure, predictor } => {
                    let column = evaluate(structure, &batch, needed.as_ref())?;
                    let (answers, tally) = predict(&column, needed.as_ref(), predictor, known, stop, &share)?;
                    if let Some(counts) = &self.counts {
                        counts.add(&tally);
                    }
                    answers
                }
            });
        }
        // What was left out is no answer.
        if stop.is_given() {
            return Err(cancelled());
        }
        pass.add(rows);
        let columns = batch.columns().iter().cloned().chain(found.into_iter().flatten()).collect();
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?.record_output(&self.baseline))
    }
}

/// An expression on all rows, or on some and NULL on the others.
fn evaluate(expr: &Arc<dyn PhysicalExpr>, batch: &RecordBatch, rows: Option<&BooleanArray>) -> Result<ArrayRef> {
    match rows {
        Some(rows) => expr.evaluate_selection(batch, rows)?,
        None => expr.evaluate(batch)?,
    }
    .into_array(batch.num_rows())
}

/// The rows for which a guard holds; NULL is no.
fn selection(guard: &Arc<dyn PhysicalExpr>, batch: &RecordBatch) -> Result<BooleanArray> {
    let rows = guard.evaluate(batch)?.into_array(batch.num_rows())?;
    let rows = rows.as_boolean();
    Ok(if rows.null_count() > 0 { prep_null_mask_filter(rows) } else { rows.clone() })
}

fn predict(
    column: &ArrayRef,
    needed: Option<&BooleanArray>,
    predictor: &Predictor,
    known: &mut Known,
    stop: &Stop,
    share: &(dyn Fn(f64) + Sync),
) -> Result<(ArrayRef, Tally)> {
    let crystals = Crystals::try_new(column)?;
    let asked = |i: usize| column.is_valid(i) && needed.is_none_or(|needed| needed.value(i));
    let structures = (0..column.len()).map(|i| if asked(i) { predictor.read(&crystals, i) } else { None }).collect();
    Ok(predictor.predict(structures, known, stop, share)?)
}

/// What `EXPLAIN ANALYZE` shows of a model.
struct Counts {
    distinct: Count,
    cache_hits: Count,
    forward_passes: Count,
    graphs: Count,
}

impl Counts {
    fn new(metrics: &ExecutionPlanMetricsSet, partition: usize) -> Self {
        let counter = |name: &'static str| MetricBuilder::new(metrics).counter(name, partition);
        Self {
            distinct: counter("distinct"),
            cache_hits: counter("cache_hits"),
            forward_passes: counter("forward_passes"),
            graphs: counter("graphs"),
        }
    }

    fn add(&self, tally: &Tally) {
        self.distinct.add(tally.distinct);
        self.cache_hits.add(tally.cache_hits);
        self.forward_passes.add(tally.forward_passes);
        self.graphs.add(tally.graphs);
    }
}
