//! The physical node: rows in, the same rows out in the same order, with one column more for each call.
//!
//! Rows are taken in windows that begin with one batch of crystals and double: a limit above stops the stream after a few
//! of them, and a long scan soon fills large windows whose crystals can be sorted into batches of like size. A window is
//! evaluated off the runtime's threads; when the query is dropped, the work stops at the next batch.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, RecordBatch};
use arrow::compute::{concat_batches, prep_null_mask_filter};
use arrow::datatypes::SchemaRef;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, exec_datafusion_err, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    CardinalityEffect, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::filter_pushdown::{
    ChildPushdownResult, FilterDescription, FilterPushdownPhase, FilterPushdownPropagation,
};
use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet, RecordOutput,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildStats, ColumnStatistics, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties,
    InputDistributionRequirements, PlanProperties, StatisticsArgs,
};
use futures::{StreamExt, stream};

use crate::sql::predictor::{Known, Predictor, Tally};
use crate::sql::structure_type::Crystals;

/// Most rows of one window.
const LARGEST_WINDOW: usize = 4096;

/// A call, ready to run.
#[derive(Debug, Clone)]
pub(super) struct PhysicalCall {
    /// Name of its column.
    pub name: String,
    /// The call as a person wrote it.
    pub shown: String,
    /// How to find its values.
    pub evaluation: Evaluation,
    /// Rows for which they matter; on the others the column is NULL.
    pub needed: Option<Arc<dyn PhysicalExpr>>,
}

/// How values are found.
#[derive(Debug, Clone)]
pub(super) enum Evaluation {
    /// By a model, in batches.
    Model { structure: Arc<dyn PhysicalExpr>, predictor: Predictor },
    /// By a function, row by row.
    Function(Arc<dyn PhysicalExpr>),
}

/// Evaluates costly calls, each distinct one once.
#[derive(Debug)]
pub struct EvaluateExec {
    input: Arc<dyn ExecutionPlan>,
    calls: Vec<PhysicalCall>,
    asks_models: bool,
    first_window: usize,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl EvaluateExec {
    /// `schema`: that of `input` and a column for each call.
    pub(super) fn new(
        input: Arc<dyn ExecutionPlan>,
        calls: Vec<PhysicalCall>,
        schema: SchemaRef,
        asks_models: bool,
        first_window: usize,
    ) -> Self {
        let orderings = input.output_ordering().cloned();
        let properties = PlanProperties::new(
            EquivalenceProperties::new_with_orderings(schema, orderings),
            input.output_partitioning().clone(),
            EmissionType::Incremental,
            input.boundedness(),
        );
        let metrics = ExecutionPlanMetricsSet::new();
        Self { input, calls, asks_models, first_window, properties: Arc::new(properties), metrics }
    }

    fn exprs(&self) -> impl Iterator<Item = &Arc<dyn PhysicalExpr>> {
        self.calls.iter().flat_map(|call| {
            let main = match &call.evaluation {
                Evaluation::Model { structure, .. } => structure,
                Evaluation::Function(expr) => expr,
            };
            std::iter::once(main).chain(&call.needed)
        })
    }
}

impl DisplayAs for EvaluateExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: ", self.name())?;
        for (i, call) in self.calls.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{} as {}", call.shown, call.name)?;
            if let Evaluation::Model { predictor, .. } = &call.evaluation {
                let options = predictor.options();
                let cache = if options.cache { "" } else { ", cache=false" };
                write!(
                    f,
                    " [model={}, batch={} atoms or {} graphs{cache}]",
                    predictor.label(),
                    options.batch_atoms,
                    options.batch_graphs
                )?;
            }
            if let Some(needed) = &call.needed {
                write!(f, " where {needed}")?;
            }
        }
        Ok(())
    }
}

impl ExecutionPlan for EvaluateExec {
    fn name(&self) -> &str {
        if self.asks_models { "PredictExec" } else { "ComputeExec" }
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    /// A model sees one stream: equal crystals meet, batches fill, and a limit stops it at once. It uses all cores within
    /// a window.
    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        let distribution =
            if self.asks_models { Distribution::SinglePartition } else { Distribution::UnspecifiedDistribution };
        InputDistributionRequirements::new(vec![distribution])
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        for expr in self.exprs() {
            if f(expr)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return internal_err!("{} has one input", self.name());
        };
        Ok(Arc::new(Self::new(input, self.calls.clone(), self.schema(), self.asks_models, self.first_window)))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let work = Work {
            input: self.input.execute(partition, context)?,
            rows: Rows::default(),
            window: self.first_window,
            stop: Arc::new(AtomicBool::new(false)),
            evaluator: Some(Evaluator {
                calls: self.calls.clone(),
                known: vec![Known::new(); self.calls.len()],
                schema: self.schema(),
                baseline: BaselineMetrics::new(&self.metrics, partition),
                counts: self.asks_models.then(|| Counts::new(&self.metrics, partition)),
            }),
        };
        let batches =
            stream::try_unfold(work, |mut work| async move { Ok(work.next().await?.map(|batch| (batch, work))) });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(&self, inputs: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let mut statistics = inputs[0].as_ref().clone();
        statistics.column_statistics.resize_with(self.schema().fields().len(), ColumnStatistics::new_unknown);
        Ok(Arc::new(statistics))
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }

    /// Filters found at run time (a join's keys, a top-k's bound) go below where they do not speak of our columns.
    fn gather_filters_for_pushdown(
        &self,
        _: FilterPushdownPhase,
        parent_filters: Vec<Arc<dyn PhysicalExpr>>,
        _: &ConfigOptions,
    ) -> Result<FilterDescription> {
        FilterDescription::from_children(parent_filters, &self.children())
    }

    fn handle_child_pushdown_result(
        &self,
        _: FilterPushdownPhase,
        result: ChildPushdownResult,
        _: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        Ok(FilterPushdownPropagation::if_all(result))
    }
}

/// Rows that wait for their window.
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
struct Work {
    input: SendableRecordBatchStream,
    rows: Rows,
    window: usize,
    stop: Arc<AtomicBool>,
    /// Away while a window is evaluated.
    evaluator: Option<Evaluator>,
}

impl Work {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        while self.rows.count < self.window {
            match self.input.next().await.transpose()? {
                Some(batch) if batch.num_rows() > 0 => self.rows.push(batch),
                Some(_) => {}
                None => break,
            }
        }
        if self.rows.count == 0 {
            return Ok(None);
        }
        let batch = self.rows.take(self.window, &self.input.schema())?;
        self.window = (2 * self.window).min(LARGEST_WINDOW);
        let Some(mut evaluator) = self.evaluator.take() else { return internal_err!("a window is still out") };
        let stop = Arc::clone(&self.stop);
        let window = tokio::task::spawn_blocking(move || {
            let batch = evaluator.evaluate(batch, &stop);
            (evaluator, batch)
        });
        let (evaluator, batch) = window.await.map_err(|e| exec_datafusion_err!("evaluating a batch failed: {e}"))?;
        self.evaluator = Some(evaluator);
        batch.map(Some)
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// What evaluates a window: it travels to another thread and back.
struct Evaluator {
    calls: Vec<PhysicalCall>,
    known: Vec<Known>,
    schema: SchemaRef,
    baseline: BaselineMetrics,
    counts: Option<Counts>,
}

impl Evaluator {
    fn evaluate(&mut self, batch: RecordBatch, stop: &AtomicBool) -> Result<RecordBatch> {
        let elapsed = self.baseline.elapsed_compute().clone();
        let _timer = elapsed.timer();
        let mut columns = batch.columns().to_vec();
        for (call, known) in self.calls.iter().zip(&mut self.known) {
            let needed = call.needed.as_ref().map(|needed| selection(needed, &batch)).transpose()?;
            columns.push(match &call.evaluation {
                Evaluation::Function(expr) => match &needed {
                    Some(needed) => expr.evaluate_selection(&batch, needed)?.into_array(batch.num_rows())?,
                    None => expr.evaluate(&batch)?.into_array(batch.num_rows())?,
                },
                Evaluation::Model { structure, predictor } => {
                    let column = match &needed {
                        Some(needed) => structure.evaluate_selection(&batch, needed)?,
                        None => structure.evaluate(&batch)?,
                    };
                    let column = column.into_array(batch.num_rows())?;
                    let (energies, tally) = predict(&column, needed.as_ref(), predictor, known, stop)?;
                    if let Some(counts) = &self.counts {
                        counts.add(&tally);
                    }
                    energies
                }
            });
        }
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?.record_output(&self.baseline))
    }
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
    stop: &AtomicBool,
) -> Result<(ArrayRef, Tally)> {
    let crystals = Crystals::try_new(column)?;
    let asked = |i: usize| column.is_valid(i) && needed.is_none_or(|needed| needed.value(i));
    let structures = (0..column.len()).map(|i| if asked(i) { predictor.read(&crystals, i) } else { None }).collect();
    let (energies, tally) = predictor.predict(structures, known, stop)?;
    Ok((Arc::new(Float64Array::from(energies)), tally))
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
