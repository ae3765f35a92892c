//! The samples of a training, and its reports.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::metrics::Metrics;
use crystal::{ContentHash, Structure};

/// One labelled crystal.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Identity in its table.
    pub id: String,
    /// Reduced formula.
    pub formula: String,
    /// Content hash of the structure.
    pub hash: ContentHash,
    /// The crystal.
    pub structure: Structure,
    /// The label.
    pub target: f64,
    /// The table's `split` column.
    pub split: Option<String>,
}

/// What happened in one epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Number, from 1.
    pub epoch: usize,
    /// Mean loss over the training set, standardised units.
    pub train_loss: f64,
    /// Root mean square error on the validation set, in the unit of the label.
    pub validation_rmse: f64,
    /// Mean absolute error on the validation set, in the unit of the label.
    pub validation_mae: f64,
    /// Learning rate of its last step.
    pub learning_rate: f64,
    /// Wall time, seconds.
    pub seconds: f64,
}

impl Epoch {
    pub(super) fn new(epoch: usize, train_loss: f64, validation: Metrics, learning_rate: f64, seconds: f64) -> Self {
        let (validation_rmse, validation_mae) = (validation.rmse, validation.mae);
        Self { epoch, train_loss, validation_rmse, validation_mae, learning_rate, seconds }
    }
}

/// Called at every step; drives progress bars, logs and curves.
pub trait Observer: Sync {
    /// `done` of `total` crystals of this epoch have been fitted.
    fn step(&self, epoch: usize, done: usize, total: usize, loss: f64);
    /// An epoch is over. [`ControlFlow::Break`] ends the run with this epoch's checkpoint, and with the card and the weights
    /// of the best epoch so far.
    fn epoch(&self, epoch: &Epoch) -> ControlFlow<()>;
    /// The run goes on after these epochs.
    fn resumed(&self, _history: &[Epoch]) {}
    /// A message for the user.
    fn note(&self, message: &str);
}
