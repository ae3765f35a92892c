//! Watchers of the progress of a query.

use std::ops::ControlFlow;

use adsorption::Round;

/// Called after every round of a batch of relaxations; may end them.
pub type Watcher = dyn Fn(Round) -> ControlFlow<()> + Send + Sync;

/// How far the evaluation of costly calls over the rows of a query is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowsDone<'a> {
    /// The calls, as the query has them, and their model.
    pub what: &'a str,
    /// Rows that are done.
    pub done: u64,
    /// Rows to do, where that is known before the end.
    pub of: Option<u64>,
    /// Whether no more come.
    pub ended: bool,
}

/// Called during every pass over rows, from any thread.
pub type RowsWatcher = dyn Fn(RowsDone<'_>) + Send + Sync;
