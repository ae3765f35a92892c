//! A sign that work is cancelled, and where it is in force.
//!
//! A query runs in tasks and on threads of its own, and dropping its stream ends none that is in the middle of a step. So the caller that
//! starts work holds a [`Stop`]; [`Stop::over`] and [`Stop::during`] put it in force for a future or a closure, and every long loop over
//! crystals, steps or batches takes [`Stop::current`] along and checks it on the way. Rayon's threads do not inherit it: take it before
//! going parallel.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

tokio::task_local! {
    static IN_FORCE: Stop;
}

/// A sign to stop. Clones are the same sign. The default is never given.
#[derive(Debug, Clone, Default)]
pub struct Stop(Option<Arc<Sign>>);

#[derive(Debug)]
struct Sign {
    given: AtomicBool,
    /// The sign in force where this one was made: work within work ends with it.
    above: Stop,
}

impl Stop {
    /// A sign of its own, which is given too when the one in force here is.
    pub fn new() -> Self {
        Self(Some(Arc::new(Sign { given: AtomicBool::new(false), above: Self::current() })))
    }

    /// The sign in force; where there is none, one that is never given.
    pub fn current() -> Self {
        IN_FORCE.try_with(Clone::clone).unwrap_or_default()
    }

    /// Asks the work to end.
    pub fn give(&self) {
        if let Some(sign) = &self.0 {
            sign.given.store(true, Ordering::Relaxed);
        }
    }

    /// Resets it, for work that starts again.
    pub fn withdraw(&self) {
        if let Some(sign) = &self.0 {
            sign.given.store(false, Ordering::Relaxed);
        }
    }

    /// Whether the work should end.
    pub fn is_given(&self) -> bool {
        self.0.as_ref().is_some_and(|sign| sign.given.load(Ordering::Relaxed) || sign.above.is_given())
    }

    /// The future, with this sign in force.
    pub fn over<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        IN_FORCE.scope(self, work)
    }

    /// The closure, with this sign in force.
    pub fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        IN_FORCE.sync_scope(self.clone(), work)
    }

    /// Something that gives the sign when it is dropped.
    pub fn on_drop(&self) -> StopOnDrop {
        StopOnDrop(self.clone())
    }
}

/// Gives its sign when it is dropped: with the future that holds it, or with the stream.
#[derive(Debug)]
pub struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.give();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_within_work_hears_the_sign_and_work_beside_it_does_not() {
        assert!(!Stop::current().is_given());
        let outer = Stop::new();
        let inner = outer.during(Stop::new);
        let beside = Stop::new();
        inner.during(|| assert!(!Stop::current().is_given()));
        outer.give();
        assert!(inner.is_given() && !beside.is_given());
        assert!(inner.clone().over(async { Stop::current().is_given() }).await);
        assert!(!Stop::current().is_given());
        drop(beside.on_drop());
        assert!(beside.is_given());
        beside.withdraw();
        assert!(!beside.is_given());
    }
}
