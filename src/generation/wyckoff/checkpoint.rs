//! What a training leaves behind after every epoch, and goes on from. The files of an epoch carry its number; the state, which names it, is
//! replaced when they are complete, and those of the epoch before go last.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use serde::{Deserialize, Serialize};

use super::network::Net;
use super::train::WyckoffEpoch;
use crate::GenerationError;

/// Where a run stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    pub best_epoch: usize,
    pub seconds: f64,
    /// What must not change between the run and its continuation.
    pub settings: BTreeMap<String, String>,
    pub history: Vec<WyckoffEpoch>,
}

impl Checkpoint {
    /// The start of a run with these settings.
    pub fn new(settings: BTreeMap<String, String>) -> Self {
        Self { best_epoch: 0, seconds: 0.0, settings, history: Vec::new() }
    }
}

/// The folder of a run.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// The folder, made if it is not there.
    ///
    /// # Errors
    /// One that cannot be made.
    pub fn create(path: &Path) -> Result<Self, GenerationError> {
        std::fs::create_dir_all(path).map_err(GenerationError::io(path))?;
        Ok(Self(path.to_owned()))
    }

    fn state(&self) -> PathBuf {
        self.0.join("checkpoint.json")
    }

    fn best(&self) -> PathBuf {
        self.0.join("best.bpk")
    }

    fn files(&self, epoch: usize) -> [PathBuf; 2] {
        ["net", "optimizer"].map(|name| self.0.join(format!("{name}-{epoch}.bpk")))
    }

    /// Where the run of this folder stands; `None` where there was none.
    ///
    /// # Errors
    /// A state that cannot be read, or one of a run with other settings.
    pub fn resumable(&self, settings: &BTreeMap<String, String>) -> Result<Option<Checkpoint>, GenerationError> {
        let path = self.state();
        if !path.exists() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(&path).map_err(GenerationError::io(&path))?;
        let saved: Checkpoint = serde_json::from_str(&text).map_err(GenerationError::io(&path))?;
        let differences: Vec<String> = settings
            .iter()
            .map(|(key, is)| (key, saved.settings.get(key).map_or("none", String::as_str), is))
            .filter(|(_, was, is)| was != is)
            .map(|(key, was, is)| format!("{key} was {was}, is {is}"))
            .collect();
        if !differences.is_empty() {
            return Err(GenerationError::Training(format!(
                "the checkpoint in {} is of another run ({}); train into an empty folder or without --resume",
                self.0.display(),
                differences.join("; ")
            )));
        }
        Ok(Some(saved))
    }

    /// The weights of a checkpoint, into fresh ones.
    ///
    /// # Errors
    /// Files that are missing or do not fit.
    pub fn load(
        &self,
        state: &Checkpoint,
        net: Net,
        optimizer: ModuleOptimizer,
    ) -> Result<(Net, ModuleOptimizer), GenerationError> {
        let [of_net, of_optimizer] = self.files(state.history.len());
        let net = net.try_load_file(&of_net).map_err(GenerationError::io(&of_net))?;
        Ok((net, optimizer.load(&of_optimizer).map_err(GenerationError::io(&of_optimizer))?))
    }

    /// Writes a checkpoint.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, state: &Checkpoint, net: &Net, optimizer: &ModuleOptimizer) -> Result<(), GenerationError> {
        let epoch = state.history.len();
        let [of_net, of_optimizer] = self.files(epoch);
        net.clone().save_file(&of_net).map_err(GenerationError::io(&of_net))?;
        optimizer.save(&of_optimizer).map_err(GenerationError::io(&of_optimizer))?;
        let unfinished = self.state().with_extension("unfinished");
        let text = serde_json::to_string_pretty(state).map_err(GenerationError::io(&unfinished))?;
        std::fs::write(&unfinished, text).map_err(GenerationError::io(&unfinished))?;
        std::fs::rename(&unfinished, self.state()).map_err(GenerationError::io(&unfinished))?;
        for file in epoch.checked_sub(1).map(|before| self.files(before)).into_iter().flatten() {
            // Where a file cannot be removed, it only takes room.
            let _ = std::fs::remove_file(file);
        }
        Ok(())
    }

    /// Writes the weights of the best epoch.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save_best(&self, net: &Net) -> Result<(), GenerationError> {
        let unfinished = self.0.join("best-unfinished.bpk");
        net.clone().save_file(&unfinished).map_err(GenerationError::io(&unfinished))?;
        std::fs::rename(&unfinished, self.best()).map_err(GenerationError::io(&unfinished))
    }

    /// The weights of the best epoch, into fresh ones.
    ///
    /// # Errors
    /// A file that is missing or does not fit.
    pub fn load_best(&self, net: Net) -> Result<Net, GenerationError> {
        let path = self.best();
        net.try_load_file(&path).map_err(GenerationError::io(&path))
    }
}
