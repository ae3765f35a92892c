//! Who runs, who waits, and who is turned away.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::error::{Kind, Refusal};

/// A place among those that run; given back when it is dropped.
pub(crate) type Place = OwnedSemaphorePermit;

/// Places for some queries, and a queue before them.
#[derive(Debug)]
pub(crate) struct Places {
    all: usize,
    free: Arc<Semaphore>,
    waiting: AtomicUsize,
    most: usize,
}

impl Places {
    /// So many run, and so many wait.
    pub fn new(all: usize, waiting: usize) -> Self {
        Self { all, free: Arc::new(Semaphore::new(all)), waiting: AtomicUsize::new(0), most: waiting }
    }

    /// Waits for a place, until the deadline.
    ///
    /// # Errors
    /// A queue that is full, or a deadline that passes.
    pub async fn take(&self, deadline: Instant) -> Result<Place, Refusal> {
        if let Ok(place) = Arc::clone(&self.free).try_acquire_owned() {
            return Ok(place);
        }
        let _waiter = self.wait()?;
        match timeout_at(deadline, Arc::clone(&self.free).acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) => Err(Refusal::new(Kind::Fault, "the server is ending")),
            Err(_) => Err(Refusal::new(Kind::Late, "no other query ended in time; try again later")),
        }
    }

    fn wait(&self) -> Result<Waiter<'_>, Refusal> {
        let before = self.waiting.fetch_add(1, Ordering::AcqRel);
        let waiter = Waiter(&self.waiting);
        if before >= self.most {
            return Err(Refusal::new(
                Kind::Busy,
                format!("{} queries run and {before} wait; try again later", self.all),
            ));
        }
        Ok(waiter)
    }

    /// How many run.
    pub fn running(&self) -> usize {
        self.all - self.free.available_permits()
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }
}

/// One that waits; gone when it is dropped, also with the request that waited.
struct Waiter<'a>(&'a AtomicUsize);

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn one_runs_one_waits_and_the_third_is_turned_away() {
        let places = Places::new(1, 1);
        let soon = || Instant::now() + Duration::from_millis(20);
        let first = places.take(soon()).await.unwrap();
        assert_eq!(places.running(), 1);
        let late = Instant::now() + Duration::from_secs(10);
        let mut second = Box::pin(places.take(late));
        assert!(futures::poll!(&mut second).is_pending());
        assert_eq!(places.waiting(), 1);
        assert_eq!(places.take(soon()).await.unwrap_err().kind, Kind::Busy);
        drop(first);
        let second = second.await.unwrap();
        assert_eq!((places.running(), places.waiting()), (1, 0));
        assert_eq!(places.take(soon()).await.unwrap_err().kind, Kind::Late);
        drop(second);
        assert_eq!((places.running(), places.waiting()), (0, 0));
    }
}
