//! Plans that end when their rows are no longer wanted.
//!
//! Dropping a stream frees a task when it next yields, and the engine's scans see to it that most plans yield often. Three kinds
//! do not: operators that make many batches of one (joins, sorts, windows), joins whose condition turns down all that they make,
//! and our own calls, which run beside the runtime. So a planned query gets a [`Stop`]: the operators of the first kind yield
//! after every few batches, the conditions of joins look at the sign each time they are evaluated, our calls look at it between
//! crystals, and the root gives it when the last of its streams is dropped before its end. So that one can be dropped in the
//! middle of a long step, the root takes each step in a task of its own.
//!
//! This happens to the finished plan, so that `EXPLAIN` shows what it always did.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{Result, internal_err};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::coop::{CooperativeExec, make_cooperative};
use datafusion::physical_plan::execution_plan::{
    CardinalityEffect, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec, NestedLoopJoinExecBuilder};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::{FutureExt, Stream, StreamExt};

use super::passing::{Passing, PassingExec};
use crate::error::cancelled;
use crystal::stop::Stop;

/// The plan, ended by `stop`, which it gives itself when its streams are dropped.
pub(super) fn interruptible(plan: Arc<dyn ExecutionPlan>, stop: &Stop) -> Result<Arc<dyn ExecutionPlan>> {
    let work = Interrupting { stop: stop.clone(), streams: Mutex::default() };
    Ok(Arc::new(PassingExec { input: yielding(plan, stop)?, work }))
}

fn yielding(plan: Arc<dyn ExecutionPlan>, stop: &Stop) -> Result<Arc<dyn ExecutionPlan>> {
    if plan.children().is_empty() {
        return Ok(plan);
    }
    let children = plan.children().into_iter().map(|c| yielding(Arc::clone(c), stop)).collect::<Result<Vec<_>>>()?;
    // The properties are those of before; computed again they would cost some sorts the filters that they share with scans.
    let plan = plan.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Keep))?;
    let multiplies = matches!(plan.cardinality_effect(), CardinalityEffect::Unknown | CardinalityEffect::GreaterEqual);
    let plan = listening(plan, stop)?;
    Ok(match multiplies || plan.pipeline_behavior() != EmissionType::Incremental {
        true => Arc::new(CooperativeExec::new(plan)),
        false => plan,
    })
}

/// A join whose condition looks at the sign.
fn listening(plan: Arc<dyn ExecutionPlan>, stop: &Stop) -> Result<Arc<dyn ExecutionPlan>> {
    let listens = |filter: &JoinFilter| {
        let expr = Arc::new(Listening { expr: Arc::clone(filter.expression()), stop: stop.clone() });
        Some(JoinFilter::new(expr, filter.column_indices().to_vec(), Arc::clone(filter.schema())))
    };
    if let Some(join) = plan.downcast_ref::<NestedLoopJoinExec>()
        && let Some(filter) = join.filter()
    {
        return Ok(Arc::new(NestedLoopJoinExecBuilder::from(join).with_filter(listens(filter)).build()?));
    }
    if let Some(join) = plan.downcast_ref::<HashJoinExec>()
        && let Some(filter) = join.filter()
    {
        return join.builder().with_filter(listens(filter)).build_exec();
    }
    Ok(plan)
}

/// An expression that fails once the sign is given.
#[derive(Debug)]
struct Listening {
    expr: Arc<dyn PhysicalExpr>,
    stop: Stop,
}

impl PartialEq for Listening {
    fn eq(&self, other: &Self) -> bool {
        self.expr.eq(&other.expr)
    }
}

impl Eq for Listening {}

impl Hash for Listening {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.expr.hash(state);
    }
}

impl fmt::Display for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.fmt(f)
    }
}

impl PhysicalExpr for Listening {
    fn data_type(&self, input: &Schema) -> Result<DataType> {
        self.expr.data_type(input)
    }

    fn nullable(&self, input: &Schema) -> Result<bool> {
        self.expr.nullable(input)
    }

    fn return_field(&self, input: &Schema) -> Result<FieldRef> {
        self.expr.return_field(input)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        if self.stop.is_given() { Err(cancelled()) } else { self.expr.evaluate(batch) }
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.expr]
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let (Some(expr), true) = (children.pop(), children.is_empty()) else {
            return internal_err!("a condition that listens is one expression");
        };
        Ok(Arc::new(Self { expr, stop: self.stop.clone() }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.fmt_sql(f)
    }
}

/// The root of a plan: dropping its streams ends its work.
#[derive(Debug)]
struct Interrupting {
    stop: Stop,
    streams: Mutex<Weak<Streams>>,
}

/// The streams of one run, while any of them is there.
#[derive(Debug)]
struct Streams {
    stop: Stop,
    /// Whether one was dropped before its end.
    given_up: AtomicBool,
}

impl Drop for Streams {
    fn drop(&mut self) {
        if self.given_up.load(Ordering::Relaxed) {
            self.stop.give();
        }
    }
}

impl Interrupting {
    fn streams(&self) -> Arc<Streams> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.upgrade().unwrap_or_else(|| {
            // A plan that is run once more, after a run that was cancelled.
            self.stop.withdraw();
            let run = Arc::new(Streams { stop: self.stop.clone(), given_up: AtomicBool::new(false) });
            *streams = Arc::downgrade(&run);
            run
        })
    }
}

impl Passing for Interrupting {
    const NAME: &'static str = "InterruptibleExec";

    fn again(&self) -> Self {
        Self { stop: self.stop.clone(), streams: Mutex::default() }
    }

    fn execute(
        &self,
        input: &dyn ExecutionPlan,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let run = self.streams();
        let input = make_cooperative(input.execute(partition, context)?);
        Ok(Box::pin(Interruptible { schema: input.schema(), state: State::Idle(input), run }))
    }
}

/// One stream of the root. Each step runs as a task of its own: the future that waits for it can be dropped at any time.
struct Interruptible {
    schema: SchemaRef,
    state: State,
    run: Arc<Streams>,
}

enum State {
    /// The next batch is not wanted yet.
    Idle(SendableRecordBatchStream),
    /// The next batch is wanted.
    Running(SpawnedTask<(SendableRecordBatchStream, Option<Result<RecordBatch>>)>),
    Ended,
}

impl Stream for Interruptible {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut step = match std::mem::replace(&mut self.state, State::Ended) {
            State::Idle(mut input) => {
                let step = async move {
                    let next = input.next().await;
                    (input, next)
                };
                SpawnedTask::spawn(self.run.stop.clone().over(step))
            }
            State::Running(step) => step,
            State::Ended => return Poll::Ready(None),
        };
        let done = match step.poll_unpin(context) {
            Poll::Ready(done) => done,
            Poll::Pending => {
                self.state = State::Running(step);
                return Poll::Pending;
            }
        };
        Poll::Ready(match done {
            Ok(_) if self.run.stop.is_given() => Some(Err(cancelled())),
            Ok((input, Some(next))) => {
                self.state = State::Idle(input);
                Some(next)
            }
            Ok((_, None)) => None,
            Err(fault) if fault.is_panic() => std::panic::resume_unwind(fault.into_panic()),
            Err(_) => Some(Err(cancelled())),
        })
    }
}

impl RecordBatchStream for Interruptible {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

impl Drop for Interruptible {
    fn drop(&mut self) {
        if !matches!(self.state, State::Ended) {
            self.run.given_up.store(true, Ordering::Relaxed);
        }
    }
}
