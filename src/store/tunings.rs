//! Searches for a network's settings, trial by trial: `hollandite_tunings` and `hollandite_trials`.

use std::sync::Mutex;

use rusqlite::{Connection, OptionalExtension, params};

use super::lake::Store;
use crate::StoreError;
use crystal::{Cause, explained};
use models::ModelError;
use models::tune::{Definition, Journal, State, Trial};

/// One tuning of a store, under its name.
#[derive(Debug)]
pub struct Tuning {
    connection: Mutex<Connection>,
    name: String,
}

impl Tuning {
    /// The tuning of that name, begun or not.
    ///
    /// # Errors
    /// A catalog that cannot be opened.
    pub fn open(store: &Store, name: &str) -> Result<Self, StoreError> {
        Ok(Self::new(store.connect()?, name))
    }

    fn new(connection: Connection, name: &str) -> Self {
        Self { connection: Mutex::new(connection), name: name.to_owned() }
    }

    /// The names of all, the newest last.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn names(store: &Store) -> Result<Vec<String>, StoreError> {
        let connection = store.connect()?;
        let mut statement = connection.prepare("SELECT name FROM hollandite_tunings ORDER BY created, name")?;
        let names = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(names)
    }

    /// What it is; `None` where it was not begun.
    ///
    /// # Errors
    /// SQLite's own, or a definition of another version.
    pub fn definition(&self) -> Result<Option<Definition>, StoreError> {
        let sql = "SELECT definition FROM hollandite_tunings WHERE name = ?";
        let text: Option<String> = self.locked().query_row(sql, [&self.name], |row| row.get(0)).optional()?;
        text.map(|text| serde_json::from_str(&text).map_err(|e| self.unreadable("its definition", e))).transpose()
    }

    /// Begins it, and deletes an earlier one of its name.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn begin(&self, definition: &Definition) -> Result<(), StoreError> {
        let text = serde_json::to_string(definition).map_err(|e| self.unreadable("its definition", e))?;
        let mut connection = self.locked();
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        transaction.execute("DELETE FROM hollandite_trials WHERE tuning = ?", [&self.name])?;
        transaction.execute("DELETE FROM hollandite_tunings WHERE name = ?", [&self.name])?;
        transaction
            .execute("INSERT INTO hollandite_tunings (name, definition) VALUES (?, ?)", params![self.name, text])?;
        Ok(transaction.commit()?)
    }

    /// Its trials, by number.
    ///
    /// # Errors
    /// SQLite's own, or a row of another version.
    pub fn trials(&self) -> Result<Vec<Trial>, StoreError> {
        let connection = self.locked();
        let sql = "SELECT trial, state, settings, curve, seconds, reason FROM hollandite_trials WHERE tuning = ? ORDER BY trial";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([&self.name])?;
        let mut trials = Vec::new();
        while let Some(row) = rows.next()? {
            let number: i64 = row.get(0)?;
            let (state, settings, curve): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
            let fault = |e: serde_json::Error| self.unreadable(&format!("trial {number}"), e);
            let curve: Vec<Option<f64>> = serde_json::from_str(&curve).map_err(fault)?;
            let known = State::NAMES.iter().find(|(name, _)| *name == state);
            trials.push(Trial {
                number: number as usize,
                settings: serde_json::from_str(&settings).map_err(fault)?,
                state: known.ok_or_else(|| self.unreadable(&format!("trial {number}"), state.as_str()))?.1,
                curve: curve.into_iter().map(|error| error.unwrap_or(f64::NAN)).collect(),
                seconds: row.get(4)?,
                reason: row.get(5)?,
            });
        }
        Ok(trials)
    }

    fn put(&self, trial: &Trial) -> Result<(), StoreError> {
        let fault = |e: serde_json::Error| self.unreadable(&format!("trial {}", trial.number), e);
        let curve: Vec<Option<f64>> = trial.curve.iter().map(|error| error.is_finite().then_some(*error)).collect();
        self.locked().execute(
            "INSERT OR REPLACE INTO hollandite_trials (tuning, trial, state, settings, curve, error, epoch, seconds, reason)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                self.name,
                trial.number as i64,
                trial.state.name(),
                serde_json::to_string(&trial.settings).map_err(fault)?,
                serde_json::to_string(&curve).map_err(fault)?,
                trial.error(),
                trial.best().map(|(epoch, _)| epoch as i64),
                trial.seconds,
                trial.reason,
            ],
        )?;
        Ok(())
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn unreadable(&self, what: &str, e: impl Into<Cause>) -> StoreError {
        let e = e.into();
        let message = format!("tuning {}, {what}: {e}; begin it anew with `tune --restart`", self.name);
        StoreError::Registry(explained(message, e))
    }
}

impl Journal for Tuning {
    fn trials(&self) -> Result<Vec<Trial>, ModelError> {
        self.trials().map_err(ModelError::io(&self.name))
    }

    fn write(&self, trial: &Trial) -> Result<(), ModelError> {
        self.put(trial).map_err(ModelError::io(&self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::{self, Access};
    use super::*;
    use models::tune::{Pruning, Settings, Value};

    fn definition() -> Definition {
        Definition {
            model: "megnet".into(),
            space: "usual".into(),
            pruning: Pruning::Halving,
            epochs: 9,
            patience: 9,
            batch: 32,
            loss: "mae".into(),
            table: "tmo".into(),
            snapshot: None,
            target: "band_gap".into(),
            condition: Some("natoms < 9".into()),
            split: "formula".into(),
            test: 0.1,
            validation: 0.2,
            seed: u64::MAX,
        }
    }

    #[test]
    fn trials_are_read_as_they_were_written_and_each_tuning_has_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let catalog = dir.path().join("catalog.sqlite");
        registry::create(&catalog, "/").unwrap();
        let open = |name: &str| Tuning::new(registry::connect(&catalog, Access::Write).unwrap(), name);
        let [one, other] = ["one", "other"].map(open);
        assert_eq!(one.definition().unwrap(), None);
        one.begin(&definition()).unwrap();
        other.begin(&definition()).unwrap();
        assert_eq!(one.definition().unwrap(), Some(definition()));

        let settings = Settings::from([
            ("blocks".to_owned(), Value::Whole(3)),
            ("learning_rate".to_owned(), Value::Real(1.23e-3)),
            ("loss".to_owned(), Value::Name("mae".into())),
        ]);
        let mut trial = Trial {
            number: 1,
            settings,
            state: State::Running,
            curve: vec![0.3, 0.1 + 0.2],
            seconds: 1.5,
            reason: None,
        };
        one.put(&trial).unwrap();
        assert_eq!(one.trials().unwrap(), [trial.clone()]);
        trial.curve.push(f64::NAN);
        (trial.state, trial.reason) = (State::Failed, Some("diverged".into()));
        one.put(&trial).unwrap();
        let read = one.trials().unwrap().remove(0);
        assert!(read.curve[2].is_nan() && read.error() == Some(0.3) && read.reason == trial.reason);
        assert_eq!((one.trials().unwrap().len(), other.trials().unwrap().len()), (1, 0));
        let best: (f64, i64) = one
            .locked()
            .query_row("SELECT error, epoch FROM hollandite_trials", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert_eq!(best, (0.3, 1));

        one.begin(&definition()).unwrap();
        assert!(one.trials().unwrap().is_empty());
        other.locked().execute("UPDATE hollandite_tunings SET definition = '{}'", []).unwrap();
        assert!(other.definition().unwrap_err().to_string().contains("--restart"));
    }
}
