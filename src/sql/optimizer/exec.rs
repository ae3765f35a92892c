//! The physical node: rows in, the same rows out in the same order, with one column more for each call. How they are
//! found is in [`super::blocks`].

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    CardinalityEffect, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::filter_pushdown::{
    ChildPushdownResult, FilterDescription, FilterPushdownPhase, FilterPushdownPropagation,
};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildStats, ColumnStatistics, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties,
    InputDistributionRequirements, PlanProperties, StatisticsArgs,
};
use futures::stream;

use super::Cost;
use super::blocks::{Blocks, Evaluator};
use super::call::{PhysicalCall, Way};
use crate::environment::Environment;
use crate::pass::{Pass, PassStream};
use crystal::stop::Stop;

/// Evaluates costly calls, each distinct one once.
#[derive(Debug)]
pub struct EvaluateExec {
    input: Arc<dyn ExecutionPlan>,
    calls: Vec<PhysicalCall>,
    cost: Cost,
    key: Option<Arc<dyn PhysicalExpr>>,
    blocks: [usize; 2],
    stop: Stop,
    pass: Arc<Pass>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl EvaluateExec {
    /// `schema`: that of `input` and a column for each call. `blocks`: rows of the first block and of the largest. `stop` ends its
    /// work, `pass` takes its progress.
    pub(super) fn new(
        input: Arc<dyn ExecutionPlan>,
        calls: Vec<PhysicalCall>,
        schema: SchemaRef,
        cost: Cost,
        blocks: [usize; 2],
        stop: Stop,
        pass: Arc<Pass>,
    ) -> Self {
        let orderings = input.output_ordering().cloned();
        let properties = PlanProperties::new(
            EquivalenceProperties::new_with_orderings(schema, orderings),
            input.output_partitioning().clone(),
            EmissionType::Incremental,
            input.boundedness(),
        );
        let metrics = ExecutionPlanMetricsSet::new();
        Self { input, calls, cost, key: None, blocks, stop, pass, properties: Arc::new(properties), metrics }
    }

    /// Rows may be divided by the content of the one crystal that every call is about, among several streams.
    pub(super) fn divided_by(self, key: Option<Arc<dyn PhysicalExpr>>) -> Self {
        Self { key, ..self }
    }

    /// What its functions share.
    pub fn environment(&self) -> &Environment {
        self.pass.environment()
    }

    /// Its calls.
    pub(super) fn calls(&self) -> &[PhysicalCall] {
        &self.calls
    }

    /// Their class.
    pub(super) fn cost(&self) -> Cost {
        self.cost
    }

    /// Rows of the first block and of the largest.
    pub(super) fn blocks(&self) -> [usize; 2] {
        self.blocks
    }

    /// By what rows are divided.
    pub(super) fn key(&self) -> Option<&Arc<dyn PhysicalExpr>> {
        self.key.as_ref()
    }

    /// Of each call what it is about, the crystal where that is another, and its guard; then the key.
    pub(super) fn exprs(&self) -> impl Iterator<Item = &Arc<dyn PhysicalExpr>> {
        let of_calls = self.calls.iter().flat_map(|call| {
            let (main, crystal) = match &call.way {
                Way::Model { structure, .. } => (structure, None),
                Way::Function(expr) => (expr, None),
                Way::Reused { crystal, call, .. } => (call, Some(crystal)),
            };
            std::iter::once(main).chain(crystal).chain(&call.needed)
        });
        of_calls.chain(&self.key)
    }
}

impl DisplayAs for EvaluateExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: ", self.name())?;
        for (i, call) in self.calls.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{} as {}", call.shown, call.name)?;
            if let Way::Model { predictor, .. } = &call.way {
                let cache = if predictor.options().cache { "" } else { ", cache=false" };
                write!(f, " [model={}{cache}]", predictor.label())?;
            }
            if let Way::Reused { reuse, .. } = &call.way {
                write!(f, " [{}]", reuse.label())?;
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
        if self.cost == Cost::Model { "PredictExec" } else { "ComputeExec" }
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    /// A model sees one stream for all its calls: equal crystals meet, batches fill, and a limit stops it at once. It uses
    /// all cores within a block. Divided by their content, equal crystals meet too.
    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        let distribution = match (&self.key, self.cost) {
            (Some(key), _) => Distribution::KeyPartitioned(vec![Arc::clone(key)]),
            (None, Cost::Model | Cost::Surface) => Distribution::SinglePartition,
            _ => Distribution::UnspecifiedDistribution,
        };
        InputDistributionRequirements::new(vec![distribution])
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![self.key.is_some()]
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
        let (calls, stop, pass) = (self.calls.clone(), self.stop.clone(), Arc::clone(&self.pass));
        let again = Self::new(input, calls, self.schema(), self.cost, self.blocks, stop, pass);
        Ok(Arc::new(again.divided_by(self.key.clone())))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        let pass = PassStream::of(&self.pass);
        let asks = self.cost == Cost::Model;
        let evaluator = Evaluator::new(self.calls.clone(), self.schema(), &self.metrics, partition, asks, pass);
        let work = Blocks::new(input, self.blocks, evaluator, &self.stop);
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

    /// Filters found at run time (a join's keys, a top-k's bound) go below where they do not use our columns.
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
