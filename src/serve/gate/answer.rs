//! Rows that are computed on demand, within the bounds of the gate.

use std::mem::replace;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;
use crystal::stop::Stop;
use datafusion::execution::SendableRecordBatchStream;
use futures::{FutureExt, StreamExt};
use report::{ReportError, recast};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::places::Place;
use super::running::{fault, late};
use super::{Gate, Planned};
use crate::error::{Kind, Refusal};

/// The rows of a statement.
pub struct Answer {
    gate: Gate,
    planned: Planned,
    rows: Arc<Mutex<Rows>>,
    /// What ends them at the deadline.
    watch: AbortHandle,
    deadline: Instant,
    most: usize,
    given: usize,
}

/// Where the rows are.
enum Rows {
    /// To come, from a place among those that run.
    Coming(SendableRecordBatchStream, Place),
    /// All given, or broken off.
    Ended,
    /// Ended while no more were wanted.
    Late,
}

fn locked(rows: &Mutex<Rows>) -> MutexGuard<'_, Rows> {
    rows.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends at the deadline what is not fetched: the place is for others.
fn watched(rows: &Arc<Mutex<Rows>>, stop: Stop, deadline: Instant) -> AbortHandle {
    let rows = Arc::downgrade(rows);
    let watch = async move {
        sleep_until(deadline).await;
        let Some(rows) = rows.upgrade() else { return };
        let mut rows = locked(&rows);
        if matches!(*rows, Rows::Coming(..)) {
            stop.give();
            *rows = Rows::Late;
        }
    };
    tokio::spawn(watch).abort_handle()
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

impl Answer {
    pub(super) fn new(
        gate: Gate,
        planned: Planned,
        rows: SendableRecordBatchStream,
        place: Place,
        deadline: Instant,
    ) -> Self {
        let most = gate.limits().rows;
        let rows = Arc::new(Mutex::new(Rows::Coming(rows, place)));
        let watch = watched(&rows, planned.stop.clone(), deadline);
        Self { watch, gate, planned, rows, deadline, most, given: 0 }
    }

    /// The same, refused where there are more rows than these, or than the server gives.
    pub fn at_most(mut self, rows: usize) -> Self {
        self.most = self.most.min(rows);
        self
    }

    /// The snapshot that is read.
    pub fn snapshot(&self) -> i64 {
        self.planned.snapshot
    }

    /// What was planned.
    pub fn planned(&self) -> &Planned {
        &self.planned
    }

    /// The columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.planned.schema
    }

    /// Rows that were given out.
    pub fn given(&self) -> usize {
        self.given
    }

    /// The next rows; `None` at the end, and after an error.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, Refusal>> {
        let (mut rows, place) = match replace(&mut *locked(&self.rows), Rows::Ended) {
            Rows::Coming(rows, place) => (rows, place),
            Rows::Ended => return None,
            Rows::Late => return Some(Err(late())),
        };
        let next = timeout_at(self.deadline, AssertUnwindSafe(rows.next()).catch_unwind()).await;
        let batch = match next {
            Ok(Ok(Some(Ok(batch)))) => batch,
            Ok(Ok(None)) => return None,
            _ if self.planned.stop.is_given() => {
                return Some(Err(Refusal::new(Kind::Cancelled, "the query was cancelled")));
            }
            Ok(Ok(Some(Err(error)))) => return Some(Err(self.gate.refusal(&error.into()))),
            Ok(Err(_)) => return Some(Err(fault())),
            Err(_) => {
                self.planned.stop.give();
                return Some(Err(late()));
            }
        };
        self.given += batch.num_rows();
        self.gate.counts().rows(batch.num_rows());
        if self.given > self.most {
            let most = self.most;
            let message =
                format!("the answer has more than {most} rows: add LIMIT, or have the server started with more --rows");
            return Some(Err(Refusal::new(Kind::TooMuch, message)));
        }
        if Instant::now() >= self.deadline {
            self.planned.stop.give();
            return Some(Err(late()));
        }
        *locked(&self.rows) = Rows::Coming(rows, place);
        Some(self.shown(&batch).map_err(|error| Refusal::new(Kind::Fault, error.to_string())))
    }

    /// A batch under readable columns; plans without the places of files.
    fn shown(&self, batch: &RecordBatch) -> Result<RecordBatch, ReportError> {
        let batch = recast(batch, &self.planned.schema)?;
        if !self.planned.explains() {
            return Ok(batch);
        }
        let columns = batch.columns().iter().map(|column| self.without_paths(column)).collect();
        Ok(RecordBatch::try_new(batch.schema(), columns)?)
    }

    fn without_paths(&self, column: &ArrayRef) -> ArrayRef {
        match column.as_string_opt::<i32>() {
            Some(texts) => {
                let hidden = texts.iter().map(|text| text.map(|text| self.gate.0.hidden.hide(text)));
                Arc::new(hidden.collect::<StringArray>())
            }
            None => Arc::clone(column),
        }
    }

    /// All rows.
    ///
    /// # Errors
    /// Of any of them.
    pub async fn collect(mut self) -> Result<Vec<RecordBatch>, Refusal> {
        let mut batches = Vec::new();
        while let Some(batch) = self.next().await {
            batches.push(batch?);
        }
        Ok(batches)
    }
}
