//! The checkpoint of every epoch: weights, their average, optimiser state, and progress.
//!
//! The files of an epoch carry its number; the state, which names the epoch, is replaced by a rename when they are complete,
//! and those of the epoch before go last. A run that is killed at any moment goes on from a whole checkpoint, and ends with the numbers of
//! a run without interruption. (Nothing random is kept: see [`crystal::random`].)

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use burn::{module::Module, optim::ModuleOptimizer};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::ModelError;

/// Progress of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Checkpoint<E> {
    /// Steps of the optimiser, where they are counted.
    #[serde(default)]
    pub steps_done: usize,
    /// The best epoch, from 1; 0 before there is one.
    pub best_epoch: usize,
    /// Wall time, s.
    pub seconds: f64,
    /// What must not change between the run and its continuation.
    pub settings: BTreeMap<String, String>,
    /// What happened in each epoch.
    pub history: Vec<E>,
}

impl<E> Checkpoint<E> {
    /// The start of a run with these settings.
    pub fn new(settings: BTreeMap<String, String>) -> Self {
        Self { steps_done: 0, best_epoch: 0, seconds: 0.0, settings, history: Vec::new() }
    }

    /// Epochs that are over.
    pub fn epochs_done(&self) -> usize {
        self.history.len()
    }
}

/// What changes while a network is fitted.
pub struct Weights<M> {
    /// Follows the gradients.
    pub net: M,
    /// Moving average of `net`, where requested.
    pub average: Option<M>,
    /// Momenta.
    pub optimizer: ModuleOptimizer,
}

/// The folder of a run.
pub struct Folder(PathBuf);

impl Folder {
    /// The folder, made if it is not there.
    ///
    /// # Errors
    /// [`ModelError::Io`].
    pub fn create(path: &Path) -> Result<Self, ModelError> {
        std::fs::create_dir_all(path).map_err(ModelError::io(path))?;
        Ok(Self(path.to_owned()))
    }

    /// The weights of the best epoch so far.
    pub fn best(&self) -> PathBuf {
        self.0.join("best.bpk")
    }

    fn state(&self) -> PathBuf {
        self.0.join("checkpoint.json")
    }

    fn files(&self, epoch: usize) -> [PathBuf; 3] {
        ["net", "average", "optimizer"].map(|name| self.0.join(format!("{name}-{epoch}.bpk")))
    }

    /// Where the run of this folder stands; `None` where there was none.
    ///
    /// # Errors
    /// A state that cannot be read, or one of a run with other settings.
    pub fn resumable<E: DeserializeOwned>(
        &self,
        settings: &BTreeMap<String, String>,
    ) -> Result<Option<Checkpoint<E>>, ModelError> {
        let path = self.state();
        if !path.exists() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(&path).map_err(ModelError::io(&path))?;
        let saved: Checkpoint<E> = serde_json::from_str(&text).map_err(ModelError::io(&path))?;
        let none = String::from("none");
        let of = |map: &BTreeMap<String, String>, key: &String| map.get(key).unwrap_or(&none).clone();
        let differences: Vec<String> = settings
            .keys()
            .chain(saved.settings.keys().filter(|key| !settings.contains_key(*key)))
            .filter(|key| of(settings, key) != of(&saved.settings, key))
            .map(|key| format!("{key} was {}, is {}", of(&saved.settings, key), of(settings, key)))
            .collect();
        if !differences.is_empty() {
            return Err(ModelError::Training(format!(
                "the checkpoint in {} is of another run ({}); train into an empty folder or without --resume",
                self.0.display(),
                differences.join("; ")
            )));
        }
        Ok(Some(saved))
    }

    /// The weights of a checkpoint, into a fresh set of them.
    ///
    /// # Errors
    /// Files that are missing or do not fit.
    pub fn load<M: Module, E>(&self, state: &Checkpoint<E>, fresh: Weights<M>) -> Result<Weights<M>, ModelError> {
        // Left by a run that was killed just after the state was replaced.
        self.remove_before(state.epochs_done());
        let [net, average, optimizer] = self.files(state.epochs_done());
        Ok(Weights {
            net: fresh.net.try_load_file(&net).map_err(ModelError::io(&net))?,
            average: match fresh.average {
                Some(fresh) => Some(fresh.try_load_file(&average).map_err(ModelError::io(&average))?),
                None => None,
            },
            optimizer: fresh.optimizer.load(&optimizer).map_err(ModelError::io(&optimizer))?,
        })
    }

    /// Writes a checkpoint.
    ///
    /// # Errors
    /// [`ModelError::Io`].
    pub fn save<M: Module, E: Serialize>(&self, state: &Checkpoint<E>, weights: &Weights<M>) -> Result<(), ModelError> {
        let [net, average, optimizer] = self.files(state.epochs_done());
        weights.net.clone().save_file(&net).map_err(ModelError::io(&net))?;
        if let Some(net) = &weights.average {
            net.clone().save_file(&average).map_err(ModelError::io(&average))?;
        }
        weights.optimizer.save(&optimizer).map_err(ModelError::io(&optimizer))?;
        let text = serde_json::to_string_pretty(state).map_err(|e| ModelError::Training(e.to_string()))?;
        let unfinished = self.state().with_extension("unfinished");
        std::fs::write(&unfinished, text).map_err(ModelError::io(&unfinished))?;
        std::fs::rename(&unfinished, self.state()).map_err(ModelError::io(&unfinished))?;
        self.remove_before(state.epochs_done());
        Ok(())
    }

    /// Removes the weights of the epoch before.
    fn remove_before(&self, epoch: usize) {
        for file in epoch.checked_sub(1).map(|before| self.files(before)).into_iter().flatten() {
            // Where a file cannot be removed, it only takes room.
            let _ = std::fs::remove_file(file);
        }
    }

    /// Writes the weights of the best epoch.
    ///
    /// # Errors
    /// [`ModelError::Io`].
    pub fn save_best<M: Module>(&self, net: &M) -> Result<(), ModelError> {
        let unfinished = self.0.join("best-unfinished.bpk");
        net.clone().save_file(&unfinished).map_err(ModelError::io(&unfinished))?;
        std::fs::rename(&unfinished, self.best()).map_err(ModelError::io(&unfinished))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_one_of_two_runs_has_tells_them_apart() {
        let folder = tempfile::tempdir().unwrap();
        let run = Folder::create(folder.path()).unwrap();
        let with = BTreeMap::from([("clip".to_owned(), "2".to_owned())]);
        for (was, is, said) in
            [(&with, &BTreeMap::new(), "clip was 2, is none"), (&BTreeMap::new(), &with, "clip was none, is 2")]
        {
            let state = Checkpoint::<f64>::new(was.clone());
            std::fs::write(run.state(), serde_json::to_string(&state).unwrap()).unwrap();
            assert!(run.resumable::<f64>(was).unwrap().is_some());
            let message = run.resumable::<f64>(is).unwrap_err().to_string();
            assert!(message.contains(said), "{message}");
        }
    }
}
