//! The client: a session whose queries are planned here and run by others.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use ballista_core::config::BallistaConfig;
use ballista_core::execution_plans::execute_physical_plan;
use ballista_core::extension::SessionConfigExt;
use datafusion::catalog::Session as EngineSession;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result, exec_datafusion_err, internal_err};
use datafusion::datasource::sink::DataSinkExec;
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::analyze::AnalyzeExec;
use datafusion::physical_plan::execution_plan::{
    Boundedness, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use datafusion::prelude::SessionConfig;
use datafusion_proto::protobuf::PhysicalPlanNode;
use futures::{StreamExt, TryStreamExt, stream};
use sql::optimizer::{HollanditePlanner, planned};
use sql::{Environment, HollanditeOptions, RowsDone, Session};
use store::{CATALOG, Lent, Store};

use crate::ClusterError;
use crate::codec::Codec;
use crate::scan::ScanExec;
use crate::tables::Tables;
use crate::workers::{BEAT, progress, take_warnings};
use crystal::stop::Stop;

/// Streams of a query, where the session does not say otherwise: work for as many cores, and more than a machine has, so that those
/// that are done early find another.
const STREAMS: usize = 16;

/// A session over the store of `session`, whose queries the cluster of the scheduler at `address` (`df://HOST:PORT`) runs. It shares
/// models, predictions and warnings with `session`.
///
/// # Errors
/// An address that is none, a session without a store.
pub async fn session(session: &Session, address: &str) -> std::result::Result<Session, ClusterError> {
    let Some(place) = address.strip_prefix("df://").filter(|place| place.contains(':')) else {
        let message =
            format!("'{address}' is not the address of a scheduler; give df://HOST:PORT, as in df://localhost:50050");
        return Err(ClusterError::Address(message));
    };
    let Some(store) = session.store().cloned() else {
        return Err(ClusterError::Address("there is no store that machines could share".into()));
    };
    let scheduler = format!("http://{place}");
    let planner = Planner { scheduler, store: store.clone(), environment: session.environment().clone() };
    let configure = |config: SessionConfig| {
        let mut config = config.upgrade_for_ballista().with_target_partitions(STREAMS);
        // The streams of a scan would take files from each other, and in a task there is but one of them.
        config.options_mut().execution.enable_file_stream_work_stealing = false;
        if let Some(options) = config.options_mut().extensions.get_mut::<HollanditeOptions>() {
            options.partitioned = true;
        }
        config
    };
    let session = session.planned_by(Arc::new(planner), configure).await?;
    let context = session.context();
    if let Some(lake) = context.catalog(CATALOG) {
        context.register_catalog(CATALOG, Arc::new(Tables::new(lake, store)));
    }
    Ok(session)
}

/// Plans a query as ever; what reads tables is run by the cluster.
#[derive(Debug)]
struct Planner {
    scheduler: String,
    store: Store,
    environment: Environment,
}

#[async_trait]
impl QueryPlanner for Planner {
    async fn create_physical_plan(
        &self,
        query: &LogicalPlan,
        session: &dyn EngineSession,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = planned(query, session, &Stop::new()).await?;
        if !plan.exists(|node| Ok(node.downcast_ref::<ScanExec>().is_some()))? {
            return HollanditePlanner.create_physical_plan(query, session).await;
        }
        self.sent(plan)
    }
}

impl Planner {
    /// The plan with its rows from the cluster. What measures them or writes them to a file stays here.
    fn sent(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        let stays = plan.downcast_ref::<AnalyzeExec>().is_some() || plan.downcast_ref::<DataSinkExec>().is_some();
        if stays {
            let inputs =
                plan.children().into_iter().map(|input| self.sent(Arc::clone(input))).collect::<Result<_>>()?;
            let anew = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
            return plan.replace_children(inputs, anew);
        }
        let properties = PlanProperties::new(
            EquivalenceProperties::new(plan.schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Arc::new(ClusterExec {
            plan,
            scheduler: self.scheduler.clone(),
            store: self.store.clone(),
            environment: self.environment.clone(),
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }))
    }
}

/// The rows of a plan that others run.
#[derive(Debug)]
struct ClusterExec {
    plan: Arc<dyn ExecutionPlan>,
    scheduler: String,
    store: Store,
    environment: Environment,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl DisplayAs for ClusterExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {}", self.name(), self.scheduler)
    }
}

impl ExecutionPlan for ClusterExec {
    fn name(&self) -> &str {
        "ClusterExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    /// Shown by EXPLAIN, and not changed by what comes after planning.
    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.plan]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let [plan] = <[_; 1]>::try_from(children).map_err(|_| exec_datafusion_err!("{} has one input", self.name()))?;
        Ok(Arc::new(Self {
            plan,
            scheduler: self.scheduler.clone(),
            store: self.store.clone(),
            environment: self.environment.clone(),
            properties: Arc::clone(&self.properties),
            metrics: self.metrics.clone(),
        }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!("{} has one stream", self.name());
        }
        let (plan, scheduler, store) = (Arc::clone(&self.plan), self.scheduler.clone(), self.store.clone());
        let environment = self.environment.clone();
        let predictions = MetricBuilder::new(&self.metrics).counter("predictions", 0);
        let rows = async move {
            let lending = store.clone();
            let lent = tokio::task::spawn_blocking(move || lending.lend()).await;
            let lent =
                lent.map_err(|e| exec_datafusion_err!("{e}"))?.map_err(|e| DataFusionError::External(Box::new(e)))?;
            let reporting = SpawnedTask::spawn(report_progress(lent.clone(), environment.clone()));
            let back = Back { store, lent: lent.clone(), environment, predictions, _reporting: reporting };
            let config = context.session_config().clone();
            let rows = execute_physical_plan::<PhysicalPlanNode>(
                scheduler,
                &BallistaConfig::default(),
                plan,
                &Codec::of_query(lent),
                context.session_id(),
                config,
            )
            .await?;
            // What was computed comes back when the last row has, or when no more are wanted.
            Ok::<_, DataFusionError>(rows.map(move |batch| {
                let _ = &back;
                batch
            }))
        };
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.plan.schema(), stream::once(rows).try_flatten())))
    }

    /// `predictions`: how many crystals models were called on, over all executors.
    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// Takes back what was lent for a query.
struct Back {
    store: Store,
    lent: Lent,
    environment: Environment,
    predictions: Count,
    /// Reports progress until it is dropped.
    _reporting: SpawnedTask<()>,
}

/// Reports the progress of the workers of a query at intervals.
async fn report_progress(lent: Lent, environment: Environment) {
    loop {
        tokio::time::sleep(BEAT).await;
        for (what, done) in progress(&lent) {
            environment.tell_rows(RowsDone { what: &what, done, of: None, ended: false });
        }
    }
}

impl Drop for Back {
    fn drop(&mut self) {
        for (what, done) in progress(&self.lent) {
            self.environment.tell_rows(RowsDone { what: &what, done, of: None, ended: true });
        }
        let warnings = self.environment.warnings();
        match self.store.take_back(&self.lent, |branch: &Path| take_warnings(branch, warnings)) {
            Ok(predictions) => self.predictions.add(predictions as usize),
            Err(reason) => warnings.remark(format!("what the cluster computed is not remembered: {reason}")),
        }
    }
}
