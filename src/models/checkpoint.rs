//! What a run leaves behind after every epoch, and goes on from: weights, optimiser state, and where it stands.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::train::Epoch;
use crate::error::ModelError;

/// Where a run stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    pub epochs_done: usize,
    pub steps_done: usize,
    pub best_epoch: usize,
    pub best_mae: f64,
    pub seconds: f64,
    pub mean: f64,
    pub scale: f64,
    /// What must not change between the run and its continuation.
    pub fingerprint: String,
    pub history: Vec<Epoch>,
}

pub(super) fn record_error(path: &Path, e: impl std::fmt::Display) -> ModelError {
    ModelError::Io { path: path.to_owned(), message: e.to_string() }
}

/// The files of a run in its folder.
pub(super) struct Files {
    pub net: PathBuf,
    pub best: PathBuf,
    pub optimizer: PathBuf,
    pub state: PathBuf,
}

impl Files {
    pub fn in_directory(directory: &Path) -> Self {
        let file = |name| directory.join(name);
        Self {
            net: file("checkpoint.bpk"),
            best: file("best.bpk"),
            optimizer: file("optimizer.bpk"),
            state: file("checkpoint.json"),
        }
    }
}
