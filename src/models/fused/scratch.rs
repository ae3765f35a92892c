//! Buffers that outlive a call: a forward pass borrows as many as run at once and gives them back, none is allocated per edge
//! or per crystal.

use std::sync::{Mutex, PoisonError};

/// Buffers that are free.
#[derive(Debug)]
pub struct Pool<T>(Mutex<Vec<T>>);

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

impl<T: Default> Pool<T> {
    /// Calls `f` with buffers whose contents are whatever was left in them.
    ///
    /// A pool rather than one set per thread: a thread that waits for others in the midst of a pass takes up another crystal.
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        let free = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffers = free().pop().unwrap_or_default();
        let result = f(&mut buffers);
        free().push(buffers);
        result
    }
}

/// `buffer` with room for `n` numbers; what they are is left over from before.
pub fn sized(buffer: &mut Vec<f32>, n: usize) -> &mut [f32] {
    if buffer.len() < n {
        // Not `resize`, which would copy what is not needed any more.
        *buffer = vec![0.0; n];
    }
    &mut buffer[..n]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_used_again_and_never_by_two_at_once() {
        let pool = Pool::<Vec<f32>>::default();
        let first = pool.with(|a| {
            let a = sized(a, 100).as_ptr();
            // While one is lent, the next is another.
            assert_ne!(pool.with(|b| sized(b, 100).as_ptr()), a);
            a
        });
        assert_eq!(pool.with(|a| (sized(a, 50).as_ptr(), sized(a, 50).len())), (first, 50));
    }
}
