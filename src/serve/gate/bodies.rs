//! Bodies of requests: so many bytes of all that arrive together.

use std::error::Error;
use std::sync::Arc;

use axum::BoxError;
use axum::body::{Body, Bytes};
use futures::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Kind, Refusal};

/// Bytes that are free for bodies.
#[derive(Debug)]
pub(crate) struct Bodies(Arc<Semaphore>);

impl Bodies {
    /// So many bytes.
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))))
    }

    /// The same body, which takes as much as has come of it, and gives it back when it is dropped. It breaks off with what `as_error`
    /// makes of the refusal where nothing is free.
    pub fn counted<E: Into<BoxError> + 'static>(&self, body: Body, as_error: fn(Refusal) -> E) -> Body {
        let free = Arc::clone(&self.0);
        let mut taken: Option<OwnedSemaphorePermit> = None;
        let pieces = body.into_data_stream().map(move |piece| -> Result<Bytes, BoxError> {
            let piece = piece?;
            let length = u32::try_from(piece.len()).unwrap_or(u32::MAX);
            let Ok(more) = Arc::clone(&free).try_acquire_many_owned(length) else {
                return Err(as_error(busy()).into());
            };
            match &mut taken {
                Some(taken) => taken.merge(more),
                None => taken = Some(more),
            }
            Ok(piece)
        });
        Body::from_stream(pieces)
    }
}

/// The refusal behind an error of a body.
pub(crate) fn refusal<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Refusal> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(refusal) = error.downcast_ref() {
            return Some(refusal);
        }
        cause = error.source();
    }
    None
}

fn busy() -> Refusal {
    Refusal::new(Kind::Busy, "too many long requests arrive at a time; try again later")
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn bodies_that_arrive_together_are_bounded() {
        let bodies = Bodies::new(10);
        let body = |length: usize| bodies.counted(Body::from(vec![b'x'; length]), |refusal| refusal);
        for _ in 0..3 {
            assert_eq!(to_bytes(body(10), 100).await.unwrap().len(), 10);
        }
        let mut first = body(8).into_data_stream();
        assert_eq!(first.next().await.unwrap().unwrap().len(), 8);
        let refused = to_bytes(body(8), 100).await.unwrap_err();
        assert_eq!(refusal(&refused).map(|refusal| refusal.kind), Some(Kind::Busy));
        assert_eq!(to_bytes(body(2), 100).await.unwrap().len(), 2);
        drop(first);
        assert_eq!(to_bytes(body(8), 100).await.unwrap().len(), 8);
    }
}
