//! How far a pass over rows is: the progress shown while costly calls are evaluated.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::environment::Environment;
use super::watchers::RowsDone;

/// One pass, by one or several streams.
#[derive(Debug)]
pub(super) struct Pass {
    what: String,
    of: Option<u64>,
    done: AtomicU64,
    streams: AtomicUsize,
    environment: Environment,
}

impl Pass {
    /// A pass of `what` over so many rows.
    pub fn new(what: String, of: Option<u64>, environment: Environment) -> Arc<Self> {
        Arc::new(Self { what, of, done: AtomicU64::new(0), streams: AtomicUsize::new(0), environment })
    }

    /// Reports the given share of the next rows as done.
    pub fn within(&self, rows: usize, share: f64) {
        self.tell((rows as f64 * share) as u64, false);
    }

    /// Reports the next rows as done.
    pub fn add(&self, rows: usize) {
        self.done.fetch_add(rows as u64, Ordering::Relaxed);
        self.tell(0, false);
    }

    /// The session's environment.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    fn tell(&self, more: u64, ended: bool) {
        let done = self.done.load(Ordering::Relaxed) + more;
        self.environment.tell_rows(RowsDone { what: &self.what, done, of: self.of, ended });
    }
}

/// A stream of a pass; the pass has ended when its last one is dropped.
#[derive(Debug)]
pub(super) struct PassStream(Arc<Pass>);

impl PassStream {
    /// One stream more.
    pub fn of(pass: &Arc<Pass>) -> Self {
        pass.streams.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(pass))
    }

    /// The pass.
    pub fn pass(&self) -> &Arc<Pass> {
        &self.0
    }
}

impl Drop for PassStream {
    fn drop(&mut self) {
        if self.0.streams.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.tell(0, true);
        }
    }
}
