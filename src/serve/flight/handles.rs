//! What clients hold by a handle: statements that were planned, and prepared ones. They are forgotten after a while, and the oldest
//! where there are too many.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sql::Values;

use crate::error::{Kind, Refusal};
use crate::gate::Planned;

/// How long a handle is good for after it was last used.
const LIFE: Duration = Duration::from_secs(600);
/// Most handles at a time.
const MOST: usize = 1000;

/// What is behind a handle.
#[derive(Clone)]
pub(super) enum Held {
    /// To be run.
    Planned(Box<Planned>),
    /// To be planned, with values or while they are awaited.
    Prepared { text: String, values: Option<Values> },
}

/// Handles, and what is behind them.
#[derive(Default)]
pub(super) struct Handles {
    held: Mutex<HashMap<Vec<u8>, (Held, Instant)>>,
    random: RandomState,
}

impl Handles {
    fn all(&self) -> MutexGuard<'_, HashMap<Vec<u8>, (Held, Instant)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A handle for it.
    pub fn add(&self, held: Held) -> Vec<u8> {
        let mut all = self.all();
        let now = Instant::now();
        all.retain(|_, (_, used)| now.duration_since(*used) < LIFE);
        if all.len() >= MOST
            && let Some(oldest) = all.iter().min_by_key(|(_, (_, used))| *used).map(|(handle, _)| handle.clone())
        {
            all.remove(&oldest);
        }
        let handle = self.handle();
        all.insert(handle.clone(), (held, now));
        handle
    }

    /// What is behind a handle.
    ///
    /// # Errors
    /// A handle that is none, or was forgotten.
    pub fn get(&self, handle: &[u8]) -> Result<Held, Refusal> {
        let mut all = self.all();
        let now = Instant::now();
        match all.get_mut(handle) {
            Some((held, used)) if now.duration_since(*used) < LIFE => {
                *used = now;
                Ok(held.clone())
            }
            _ => Err(Refusal::new(Kind::Missing, "the handle is unknown here, or was not used for ten minutes")),
        }
    }

    /// Puts something else behind a handle.
    ///
    /// # Errors
    /// As [`Handles::get`].
    pub fn put(&self, handle: &[u8], held: Held) -> Result<(), Refusal> {
        self.get(handle)?;
        self.all().insert(handle.to_vec(), (held, Instant::now()));
        Ok(())
    }

    /// Forgets a handle.
    pub fn remove(&self, handle: &[u8]) -> Option<Held> {
        self.all().remove(handle).map(|(held, _)| held)
    }

    /// Sixteen bytes that nobody guesses: hashes under keys that the system gave.
    fn handle(&self) -> Vec<u8> {
        let half = |salt: u8| {
            let mut hasher = RandomState::new().build_hasher();
            hasher.write_u8(salt);
            hasher.write_u64(self.random.hash_one(Instant::now()));
            hasher.finish().to_le_bytes()
        };
        [half(0), half(1)].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_forgotten_when_there_are_too_many_or_they_are_given_back() {
        let handles = Handles::default();
        let prepared = |n: usize| Held::Prepared { text: n.to_string(), values: None };
        let all: Vec<_> = (0..MOST + 1).map(|n| handles.add(prepared(n))).collect();
        assert_eq!(all.iter().collect::<std::collections::HashSet<_>>().len(), MOST + 1);
        assert_eq!(all.iter().filter(|handle| handles.get(handle).is_ok()).count(), MOST);
        let last = &all[MOST];
        assert!(matches!(handles.get(last), Ok(Held::Prepared { text, .. }) if text == MOST.to_string()));
        handles.put(last, prepared(7)).unwrap();
        assert!(matches!(handles.remove(last), Some(Held::Prepared { text, .. }) if text == "7"));
        assert_eq!(handles.get(last).err().unwrap().kind, Kind::Missing);
        assert!(handles.put(last, prepared(8)).is_err() && handles.get(b"").is_err());
    }
}
