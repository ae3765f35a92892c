//! Work with a deadline, which stops when it passes or when its rows are no longer wanted.

use crystal::stop::Stop;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

use super::places::Place;
use crate::error::{Kind, Refusal};

/// What is said of a deadline that has passed.
pub(super) fn late() -> Refusal {
    Refusal::new(
        Kind::Late,
        "the answer took longer than this server allows; ask for fewer rows, or for cheaper columns",
    )
}

/// What is said of work that ended by a fault of ours.
pub(super) fn fault() -> Refusal {
    Refusal::new(Kind::Fault, "the query failed by an internal error of the server, which has logged it")
}

/// Runs `work` until the deadline, as a task of its own: one step of it may take long. The place stays taken until the task has ended,
/// also where its caller is gone.
///
/// # Errors
/// Its own; a deadline that passes; a panic.
pub(super) async fn within<T: Send + 'static>(
    deadline: Instant,
    stop: &Stop,
    place: Place,
    work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<(T, Place), Refusal> {
    let task = tokio::spawn(stop.clone().over(async move { (work.await, place) }));
    let mut begun = Begun { stop: stop.clone(), task: task.abort_handle(), ended: false };
    let done = timeout_at(deadline, task).await;
    begun.ended = done.is_ok();
    match done {
        Ok(Ok((answer, place))) => answer.map(|answer| (answer, place)),
        Ok(Err(_)) => Err(fault()),
        Err(_) => Err(late()),
    }
}

/// Ends its task when it is dropped before the task has ended.
struct Begun {
    stop: Stop,
    task: AbortHandle,
    ended: bool,
}

impl Drop for Begun {
    fn drop(&mut self) {
        if !self.ended {
            self.stop.give();
            self.task.abort();
        }
    }
}
