//! Work shared among threads.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

/// `f` of 0 to n - 1 in their order, over as many threads, which draw the next index when free.
pub fn on_threads<T: Send>(threads: usize, n: usize, f: impl Fn(usize) -> T + Sync) -> Vec<T> {
    if threads <= 1 || n <= 1 {
        return (0..n).map(f).collect();
    }
    let next = AtomicUsize::new(0);
    let results = Mutex::new((0..n).map(|_| None).collect::<Vec<Option<T>>>());
    std::thread::scope(|scope| {
        for _ in 0..threads.min(n) {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= n {
                        break;
                    }
                    let value = f(i);
                    results.lock().unwrap_or_else(std::sync::PoisonError::into_inner)[i] = Some(value);
                }
            });
        }
    });
    let results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    results.into_iter().map(|r| r.expect("every index was drawn once")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_keep_the_order_of_results() {
        assert_eq!(on_threads(3, 100, |i| i * i), (0..100).map(|i| i * i).collect::<Vec<_>>());
        assert!(on_threads(2, 0, |i| i).is_empty());
    }
}
