//! The model card: what a set of weights was trained on, how, and how well it does. It travels with the weights.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{metrics::Metrics, network::Config, quantity::Quantity, reliability::Reliability};

/// How the crystals were divided.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SplitCard {
    /// As `train --split` takes it: `random`, `formula`, `kfold:5:0`, ...
    pub kind: String,
    /// Seed of the division.
    pub seed: u64,
    /// Numbers of crystals.
    pub train: usize,
    /// Held out to choose the best epoch.
    pub validation: usize,
    /// Never seen.
    pub test: usize,
    /// Share that was to be held out as test set, and of the rest for validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_fraction: Option<f64>,
    /// See `test_fraction`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_fraction: Option<f64>,
}

/// How the weights were found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingCard {
    /// Epochs run, and the one whose weights were kept.
    pub epochs: usize,
    /// Epoch of the lowest validation error, from 1.
    pub best_epoch: usize,
    /// Crystals per optimiser step.
    pub batch: usize,
    /// Highest learning rate of the schedule.
    pub learning_rate: f64,
    /// Loss: `mse`, `mae`, `huber:0.25`, ...
    pub loss: String,
    /// Wall time, seconds.
    pub seconds: f64,
    /// Worker threads of the last part of the run.
    #[serde(default)]
    pub threads: usize,
    /// Learning-rate schedule: `one-cycle:1`, ...
    #[serde(default)]
    pub schedule: String,
    /// Weight decay (AdamW).
    #[serde(default)]
    pub weight_decay: f64,
    /// Gradient clipping: largest global L2 norm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<f64>,
    /// Decay of the moving average that the weights are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average: Option<f64>,
    /// Atoms per optimiser step, where they were counted in place of crystals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_atoms: Option<usize>,
    /// Model whose weights the run began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// Training crystals of a second table.
    #[serde(default)]
    pub more: usize,
    /// Labelled crystals that the network cannot read.
    #[serde(default)]
    pub left_out: usize,
}

/// Where weights of another program come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// File they were read from.
    pub file: String,
    /// Its SHA-256.
    pub sha256: String,
    /// Licence, where it was stated.
    pub licence: Option<String>,
}

/// Everything a reader needs to judge a prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// Name by which queries ask for it.
    pub name: String,
    /// Architecture: `megnet`, `alignn`, ...
    pub architecture: String,
    /// First 16 hex digits of the SHA-256 of the weights and the configuration: the cache key of its predictions.
    pub id: String,
    /// What it predicts: the label column.
    pub target: String,
    /// Unit of the prediction; empty where it has none.
    pub unit: String,
    /// Architecture's settings.
    pub config: Config,
    /// Number of parameters.
    pub parameters: usize,
    /// Labels are divided by `scale` after `mean` is subtracted.
    pub mean: f64,
    /// See `mean`.
    pub scale: f64,
    /// Data the weights come from, with its licence.
    pub data: String,
    /// Division of the data.
    pub split: SplitCard,
    /// The run.
    pub training: TrainingCard,
    /// Elements seen in training, with the number of training crystals that contain each; 0 where it is not known.
    pub elements: BTreeMap<String, usize>,
    /// Errors by the name of the held-out set.
    pub metrics: BTreeMap<String, Metrics>,
    /// How reliable it is; `None` where the weights were not trained by us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reliability: Option<Reliability>,
    /// Elemental reference energies, eV/atom, where the network predicts total energies: its own, of the relaxed ground states.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub references: BTreeMap<String, f64>,
    /// Corrections that the energies of the training set carry, where they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction_scheme: Option<String>,
    /// Where foreign weights come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

impl ModelCard {
    /// What it predicts.
    pub fn quantity(&self) -> Quantity<'_> {
        Quantity { target: &self.target, unit: &self.unit }
    }

    /// The card as JSON for people, without the list of the crystals of the run.
    ///
    /// # Errors
    /// A number that is not finite.
    pub fn to_json(&self) -> serde_json::Result<serde_json::Value> {
        let mut card = serde_json::to_value(self)?;
        if let Some(reliability) = card.get_mut("reliability").and_then(serde_json::Value::as_object_mut) {
            reliability.remove("crystals");
        }
        Ok(card)
    }
}
