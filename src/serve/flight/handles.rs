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
/// Most bytes of statements and values behind all of them.
const BYTES: usize = 64 << 20;

/// What is behind a handle.
#[derive(Clone)]
pub(super) enum Held {
    /// To be run.
    Planned(Box<Planned>),
    /// To be planned, with values or while they are awaited.
    Prepared { text: String, values: Option<Values> },
}

/// What is behind a handle, its bytes, and when it was last used.
type Entry = (Held, usize, Instant);

/// Handles, and what is behind them.
#[derive(Default)]
pub(super) struct Handles {
    held: Mutex<HashMap<Vec<u8>, Entry>>,
    random: RandomState,
}

impl Handles {
    fn all(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Entry>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A handle for it. `bytes`: of the statement with its values, which a plan holds as well.
    pub fn add(&self, held: Held, bytes: usize) -> Vec<u8> {
        let handle = self.handle();
        self.insert(&mut self.all(), handle.clone(), held, bytes);
        handle
    }

    /// Makes room, by those that were used the longest ago, and puts it behind the handle.
    fn insert(&self, all: &mut HashMap<Vec<u8>, Entry>, handle: Vec<u8>, held: Held, bytes: usize) {
        let now = Instant::now();
        all.remove(&handle);
        all.retain(|_, (.., used)| now.duration_since(*used) < LIFE);
        let mut total = bytes + all.values().map(|(_, bytes, _)| bytes).sum::<usize>();
        while all.len() >= MOST || total > BYTES {
            let oldest = all.iter().min_by_key(|(_, (.., used))| *used).map(|(handle, _)| handle.clone());
            let Some((_, freed, _)) = oldest.and_then(|oldest| all.remove(&oldest)) else { break };
            total -= freed;
        }
        all.insert(handle, (held, bytes, now));
    }

    /// What is behind a handle.
    ///
    /// # Errors
    /// An invalid or expired handle.
    pub fn get(&self, handle: &[u8]) -> Result<Held, Refusal> {
        let mut all = self.all();
        let now = Instant::now();
        match all.get_mut(handle) {
            Some((held, _, used)) if now.duration_since(*used) < LIFE => {
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
    pub fn put(&self, handle: &[u8], held: Held, bytes: usize) -> Result<(), Refusal> {
        self.get(handle)?;
        self.insert(&mut self.all(), handle.to_vec(), held, bytes);
        Ok(())
    }

    /// Forgets a handle.
    pub fn remove(&self, handle: &[u8]) -> Option<Held> {
        self.all().remove(handle).map(|(held, ..)| held)
    }

    /// Sixteen bytes that cannot be guessed: hashes under keys that the system gave.
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
        let all: Vec<_> = (0..MOST + 1).map(|n| handles.add(prepared(n), 1)).collect();
        assert_eq!(all.iter().collect::<std::collections::HashSet<_>>().len(), MOST + 1);
        assert_eq!(all.iter().filter(|handle| handles.get(handle).is_ok()).count(), MOST);
        let last = &all[MOST];
        assert!(matches!(handles.get(last), Ok(Held::Prepared { text, .. }) if text == MOST.to_string()));
        handles.put(last, prepared(7), 1).unwrap();
        assert!(matches!(handles.remove(last), Some(Held::Prepared { text, .. }) if text == "7"));
        assert_eq!(handles.get(last).err().unwrap().kind, Kind::Missing);
        assert!(handles.put(last, prepared(8), 1).is_err() && handles.get(b"").is_err());
    }

    #[test]
    fn the_oldest_handles_make_room_for_long_statements() {
        let handles = Handles::default();
        let prepared = || Held::Prepared { text: String::new(), values: None };
        let all: Vec<_> = (0..8).map(|_| handles.add(prepared(), BYTES / 8)).collect();
        assert!(all.iter().all(|handle| handles.get(handle).is_ok()));
        handles.put(&all[0], prepared(), BYTES / 4).unwrap();
        let known = || all.iter().filter(|handle| handles.get(handle).is_ok()).count();
        assert_eq!(known(), 7);
        let last = handles.add(prepared(), BYTES);
        assert!(known() == 0 && handles.get(&last).is_ok());
    }
}
