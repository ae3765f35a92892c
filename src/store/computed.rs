//! Results that took long: a text for an energy model, a task and a crystal, so that no relaxation is run twice.

use rusqlite::{OptionalExtension, params};

use super::predictions::PredictionCache;
use crate::StoreError;
use crystal::ContentHash;

impl PredictionCache {
    /// What `model_id` computed for a crystal; `task` names what was asked and with which settings.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn computed(&self, model_id: &str, task: &str, hash: ContentHash) -> Result<Option<String>, StoreError> {
        let query = "SELECT value FROM hollandite_computed WHERE model_id = ? AND task = ? AND structure_hash = ?";
        let connection = self.connection();
        let mut statement = connection.prepare_cached(query)?;
        Ok(statement.query_row(params![model_id, task, hash.to_string()], |row| row.get(0)).optional()?)
    }

    /// Remembers such a result. Does nothing in a store that may only be read.
    ///
    /// # Errors
    /// SQLite's own; the caller loses nothing but time.
    pub fn keep_computed(&self, model_id: &str, task: &str, hash: ContentHash, value: &str) -> Result<(), StoreError> {
        if !self.is_writable() {
            return Ok(());
        }
        self.connection().execute(
            "INSERT OR REPLACE INTO hollandite_computed (model_id, task, structure_hash, value) VALUES (?, ?, ?, ?)",
            params![model_id, task, hash.to_string(), value],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::{self, Access};
    use super::*;

    #[test]
    fn results_are_kept_by_model_task_and_crystal() {
        let dir = tempfile::tempdir().unwrap();
        let catalog = dir.path().join("catalog.sqlite");
        registry::create(&catalog, "/").unwrap();
        let cache = PredictionCache::new(registry::connect(&catalog, Access::Write).unwrap(), true);
        cache.keep_computed("m", "adsorption Li", ContentHash(7), "{}").unwrap();
        assert_eq!(cache.computed("m", "adsorption Li", ContentHash(7)).unwrap().as_deref(), Some("{}"));
        for (model, task, hash) in [("n", "adsorption Li", 7), ("m", "adsorption Ca", 7), ("m", "adsorption Li", 8)] {
            assert_eq!(cache.computed(model, task, ContentHash(hash)).unwrap(), None);
        }
        let reader = PredictionCache::new(registry::connect(&catalog, Access::Read).unwrap(), false);
        reader.keep_computed("m", "adsorption Li", ContentHash(7), "other").unwrap();
        assert_eq!(reader.computed("m", "adsorption Li", ContentHash(7)).unwrap().as_deref(), Some("{}"));
    }
}
