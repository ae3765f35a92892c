//! What models have answered before: one number for a model and a crystal.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use rusqlite::{Connection, OptionalExtension, params};

use crate::StoreError;
use crystal::ContentHash;

/// The prediction cache of a store: `hollandite_predictions`, keyed by model id and content hash.
#[derive(Debug)]
pub struct PredictionCache {
    connection: Mutex<Connection>,
    writable: bool,
}

impl PredictionCache {
    pub(super) fn new(connection: Connection, writable: bool) -> Self {
        Self { connection: Mutex::new(connection), writable }
    }

    pub(super) fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Whether [`PredictionCache::put`] keeps anything. A store that may only be read still answers from its cache.
    pub fn is_writable(&self) -> bool {
        self.writable
    }

    /// What `model_id` answered for those of `hashes` it has seen, eV/atom.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn get(&self, model_id: &str, hashes: &[ContentHash]) -> Result<HashMap<ContentHash, f64>, StoreError> {
        let connection = self.connection();
        // One read transaction: each statement of its own would take and leave the file lock.
        let transaction = connection.unchecked_transaction()?;
        let mut found = HashMap::new();
        {
            let mut statement = transaction
                .prepare_cached("SELECT value FROM hollandite_predictions WHERE model_id = ? AND structure_hash = ?")?;
            for &hash in hashes {
                let row = statement.query_row(params![model_id, hash.to_string()], |row| row.get(0)).optional()?;
                if let Some(value) = row {
                    found.insert(hash, value);
                }
            }
        }
        transaction.commit()?;
        Ok(found)
    }

    /// Remembers answers of `model_id`, eV/atom. Does nothing in a store that may only be read; numbers that are not
    /// finite are left out.
    ///
    /// # Errors
    /// SQLite's own; the caller loses nothing but time.
    pub fn put(&self, model_id: &str, answers: &[(ContentHash, f64)]) -> Result<(), StoreError> {
        if !self.writable || answers.is_empty() {
            return Ok(());
        }
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        {
            let mut statement = transaction.prepare_cached(
                "INSERT OR REPLACE INTO hollandite_predictions (model_id, structure_hash, value) VALUES (?, ?, ?)",
            )?;
            for (hash, value) in answers.iter().filter(|(_, value)| value.is_finite()) {
                statement.execute(params![model_id, hash.to_string(), value])?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Records the card of a model, so that the store says what its cached numbers come from.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn remember_model(&self, model_id: &str, name: &str, card: &str) -> Result<(), StoreError> {
        if !self.writable {
            return Ok(());
        }
        let connection = self.connection();
        connection.execute(
            "INSERT OR IGNORE INTO hollandite_models (model_id, name, card) VALUES (?, ?, ?)",
            params![model_id, name, card],
        )?;
        Ok(())
    }

    /// Takes a model off the list, unless numbers that it answered are kept: its card says what they come from.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn forget_model(&self, model_id: &str) -> Result<(), StoreError> {
        let connection = self.connection();
        connection.execute(
            "DELETE FROM hollandite_models WHERE model_id = ?1
             AND NOT EXISTS (SELECT 1 FROM hollandite_predictions WHERE model_id = ?1)
             AND NOT EXISTS (SELECT 1 FROM hollandite_computed WHERE model_id = ?1)",
            params![model_id],
        )?;
        Ok(())
    }

    /// Forgets what `model_id` answered, or what every model did; returns how many numbers that were.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn clear(&self, model_id: Option<&str>) -> Result<usize, StoreError> {
        let connection = self.connection();
        Ok(match model_id {
            Some(id) => connection.execute("DELETE FROM hollandite_predictions WHERE model_id = ?", params![id])?,
            None => connection.execute("DELETE FROM hollandite_predictions", [])?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::{self, Access};
    use super::*;

    #[test]
    fn remembers_per_model_and_answers_when_it_may_only_read() {
        let dir = tempfile::tempdir().unwrap();
        let catalog = dir.path().join("catalog.sqlite");
        registry::create(&catalog, "/").unwrap();
        let cache = PredictionCache::new(registry::connect(&catalog, Access::Write).unwrap(), true);
        let [a, b] = [ContentHash(1), ContentHash(u128::MAX)];
        cache.put("megnet-1", &[(a, -1.5), (b, f64::NAN)]).unwrap();
        cache.put("megnet-2", &[(a, 2.0)]).unwrap();
        assert_eq!(cache.get("megnet-1", &[a, b]).unwrap(), HashMap::from([(a, -1.5)]));

        let reader = PredictionCache::new(registry::connect(&catalog, Access::Read).unwrap(), false);
        reader.put("megnet-1", &[(b, 1.0)]).unwrap();
        assert_eq!(reader.get("megnet-2", &[a, b]).unwrap(), HashMap::from([(a, 2.0)]));
        assert_eq!(cache.clear(Some("megnet-1")).unwrap(), 1);
        assert_eq!(cache.clear(None).unwrap(), 1);
    }
}
