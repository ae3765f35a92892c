//! A scan that travels: a table at a snapshot, some of its columns, and filters. Each process plans it for itself, over the same copy of
//! the catalog, so that renamed columns, deleted rows, defaults and rows held in the catalog are what the lake says they are.
//!
//! Which of the plan's streams a task reads is set by rows of numbers below the scan: Ballista deals these out among its tasks as it deals
//! out the files of a scan of its own.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Column, Result, Statistics, TableReference, exec_err, internal_err};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::provider_as_source;
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::statistics::StatisticsContext;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, StatisticsArgs,
};
use futures::{StreamExt, TryStreamExt, stream};
use sql::optimizer::planned;
use tokio::sync::OnceCell;

use crate::workers::Worker;
use crystal::stop::Stop;

/// Which rows are read.
#[derive(Debug, Clone)]
pub struct Rows {
    /// The table, with its snapshot where it is one of the lake: `tmo AT (VERSION => 7)`.
    pub table: String,
    /// The columns, in order.
    pub columns: Vec<String>,
    /// What holds for each row.
    pub filters: Vec<Expr>,
    /// Streams that the plan may have at most: who plans it with the same number gets the same streams.
    pub streams: usize,
}

/// The scan. Where it was planned it has its plan; elsewhere the worker makes it when the first rows are fetched.
#[derive(Debug)]
pub struct ScanExec {
    rows: Rows,
    /// Streams of the plan.
    streams: usize,
    /// The numbers of those that are read, in one stream or several.
    numbers: Arc<dyn ExecutionPlan>,
    plan: Arc<OnceCell<Arc<dyn ExecutionPlan>>>,
    worker: Option<Arc<Worker>>,
    properties: Arc<PlanProperties>,
}

impl ScanExec {
    /// The scan of `rows` of `table`, planned in `session`.
    ///
    /// # Errors
    /// Those of planning.
    pub async fn planned(rows: Rows, table: Arc<dyn TableProvider>, session: &dyn Session) -> Result<Self> {
        let plan = plan(&rows, table, session).await?;
        let streams = plan.output_partitioning().partition_count();
        let schema = plan.schema();
        let plan = Arc::new(OnceCell::new_with(Some(plan)));
        Ok(Self::new(rows, streams, schema, numbers(streams)?, plan, None))
    }

    /// The scan as it came: `worker` plans it.
    pub fn received(
        rows: Rows,
        streams: usize,
        schema: SchemaRef,
        numbers: Arc<dyn ExecutionPlan>,
        worker: Arc<Worker>,
    ) -> Self {
        Self::new(rows, streams, schema, numbers, Arc::default(), Some(worker))
    }

    fn new(
        rows: Rows,
        streams: usize,
        schema: SchemaRef,
        numbers: Arc<dyn ExecutionPlan>,
        plan: Arc<OnceCell<Arc<dyn ExecutionPlan>>>,
        worker: Option<Arc<Worker>>,
    ) -> Self {
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(numbers.output_partitioning().partition_count()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        ));
        Self { rows, streams, numbers, plan, worker, properties }
    }

    /// Who plans it, where it came from elsewhere.
    pub fn worker(&self) -> Option<&Arc<Worker>> {
        self.worker.as_ref()
    }

    /// Which rows it reads, and in how many streams all of them are.
    pub fn rows(&self) -> (&Rows, usize) {
        (&self.rows, self.streams)
    }
}

/// So many streams, each with its own number.
fn numbers(streams: usize) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = Arc::new(Schema::new(vec![Field::new("stream", DataType::UInt64, false)]));
    let number = |n: usize| {
        let column: ArrayRef = Arc::new(UInt64Array::from_iter_values([n as u64]));
        Ok(vec![RecordBatch::try_new(Arc::clone(&schema), vec![column])?])
    };
    let partitions = (0..streams).map(number).collect::<Result<Vec<_>>>()?;
    let rows = MemorySourceConfig::try_new(&partitions, Arc::clone(&schema), None)?;
    Ok(DataSourceExec::from_data_source(rows))
}

/// The plan of a query that reads just these rows: filters reach files and pages as they do in any query.
async fn plan(rows: &Rows, table: Arc<dyn TableProvider>, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
    let mut query = LogicalPlanBuilder::scan("rows", provider_as_source(table), None)?;
    if let Some(filter) = conjunction(rows.filters.iter().cloned()) {
        query = query.filter(filter)?;
    }
    let columns = rows.columns.iter().map(|name| Expr::Column(Column::new(Some("rows"), name)));
    let query = session.optimize(&query.project(columns)?.build()?)?;
    // It ends when the query does of which it is a part.
    planned(&query, session, &Stop::new()).await
}

/// The streams of a plan made by `worker`.
async fn by_worker(rows: &Rows, worker: &Worker) -> Result<Arc<dyn ExecutionPlan>> {
    let context = worker.session().context();
    let table = context.table_provider(TableReference::bare(rows.table.as_str())).await?;
    let mut state = context.state();
    state.config_mut().options_mut().execution.target_partitions = rows.streams;
    plan(rows, table, &state).await
}

impl DisplayAs for ScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        let Rows { table, columns, filters, .. } = &self.rows;
        write!(f, "{}: {table} [{}]", self.name(), columns.join(", "))?;
        if let Some(filter) = conjunction(filters.iter().cloned()) {
            write!(f, " where {}", filter.human_display())?;
        }
        Ok(())
    }
}

impl ExecutionPlan for ScanExec {
    fn name(&self) -> &str {
        "ScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.numbers]
    }

    /// The numbers are dealt out as they are.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(numbers), true) = (children.pop(), children.is_empty()) else {
            return internal_err!("{} has one input", self.name());
        };
        let (plan, worker) = (Arc::clone(&self.plan), self.worker.clone());
        Ok(Arc::new(Self::new(self.rows.clone(), self.streams, self.schema(), numbers, plan, worker)))
    }

    fn execute(&self, stream: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (rows, streams) = (self.rows.clone(), self.streams);
        let (cell, worker) = (Arc::clone(&self.plan), self.worker.clone());
        let numbers = self.numbers.execute(stream, Arc::clone(&context))?;
        let read = async move {
            let plan = match &worker {
                Some(worker) => cell.get_or_try_init(|| by_worker(&rows, worker)).await?,
                None => match cell.get() {
                    Some(plan) => plan,
                    None => return internal_err!("a scan has neither a plan nor a session"),
                },
            };
            let here = plan.output_partitioning().partition_count();
            if here != streams {
                let table = &rows.table;
                return exec_err!(
                    "{table} is read in {here} streams here, and in {streams} where the query was planned"
                );
            }
            let numbers: Vec<RecordBatch> = numbers.try_collect().await?;
            let numbers =
                numbers.iter().flat_map(|batch| batch.column(0).as_primitive::<UInt64Type>().values().to_vec());
            let streams =
                numbers.map(|n| plan.execute(n as usize, Arc::clone(&context))).collect::<Result<Vec<_>>>()?;
            // What went wrong in rows is left for the client when the last of them is read.
            let leaving = worker.map(LeaveWarnings);
            Ok(stream::iter(streams).flatten().map(move |batch| {
                let _ = &leaving;
                batch
            }))
        };
        let rows = stream::once(read).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }

    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        match self.plan.get() {
            Some(plan) => StatisticsContext::new().compute(plan.as_ref(), args),
            None => Ok(Arc::new(Statistics::new_unknown(&self.schema()))),
        }
    }
}

/// Has a worker leave its warnings when a stream ends.
struct LeaveWarnings(Arc<Worker>);

impl Drop for LeaveWarnings {
    fn drop(&mut self) {
        self.0.leave_warnings();
    }
}
