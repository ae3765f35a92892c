//! Training options, and the result of a run.

use std::{
    collections::{BTreeMap, HashSet},
    path::PathBuf,
    str::FromStr,
    sync::Arc,
};

use burn::prelude::Device;

use super::{
    card::ModelCard,
    embedded::is_embedded,
    loss::Loss,
    metrics::Metrics,
    model::{Model, is_name},
    network::Config,
    quantity::Quantity,
    sample::Epoch,
    schedule::Schedule,
    splits::SplitKind,
};
use crate::ModelError;
use crystal::ContentHash;

/// How to train.
#[derive(Debug, Clone)]
pub struct TrainOptions {
    /// Architecture settings; those of `start`, where that is given.
    pub config: Config,
    /// Division of the data.
    pub split: SplitKind,
    /// Share held out as test set.
    pub test_fraction: f64,
    /// Share of the rest held out for validation.
    pub validation_fraction: f64,
    /// Seed of initial weights, order and dropout.
    pub seed: u64,
    /// Seed of the split, where it is another: members of an ensemble differ in `seed` and hold out the same crystals.
    pub split_seed: Option<u64>,
    /// Length of the schedule, epochs.
    pub epochs: usize,
    /// Crystals per optimiser step.
    pub batch: usize,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// The loss.
    pub loss: Loss,
    /// Stop after this many epochs without a better validation error.
    pub patience: usize,
    /// Crystals that are not trained on, as their labels are doubtful; they still validate and test.
    pub unfitted: HashSet<ContentHash>,
    /// How steps are taken.
    pub recipe: Recipe,
    /// Weights to begin with; random ones without. Labels are then scaled as those of the model were.
    pub start: Option<Arc<Model>>,
    /// Where tensors live.
    pub device: Device,
    /// Worker threads.
    pub threads: usize,
    /// Folder for checkpoint, weights and card.
    pub directory: PathBuf,
    /// Go on from the folder's checkpoint.
    pub resume: bool,
    /// Stop (with a checkpoint) when this many seconds have passed.
    pub time_limit: Option<f64>,
    /// Name of the model in its card.
    pub name: String,
    /// Label column, for the card.
    pub target: String,
    /// Its unit; empty where it has none.
    pub unit: String,
    /// Where the data comes from, for the card.
    pub data: String,
    /// Errors of the same network in other runs, by what they were measured on: the card quotes them.
    pub quoted: BTreeMap<String, Metrics>,
}

impl TrainOptions {
    /// The usual way to train `config`, on all cores, into `directory`: a random division of 64 : 16 : 20, one cycle of 300
    /// epochs in steps of 32 crystals, Huber's loss. The model is called as the folder, where that can be its name.
    pub fn new(config: Config, directory: impl Into<PathBuf>) -> Self {
        let directory = directory.into();
        let folder =
            directory.file_name().and_then(|name| name.to_str()).filter(|name| is_name(name) && !is_embedded(name));
        Self {
            name: folder.map_or_else(|| format!("{}-1", config.architecture()), str::to_owned),
            config,
            split: SplitKind::Random,
            test_fraction: 0.2,
            validation_fraction: 0.2,
            seed: 42,
            split_seed: None,
            epochs: 300,
            batch: 32,
            learning_rate: 2e-3,
            loss: Loss::HUBER,
            patience: 50,
            unfitted: HashSet::new(),
            recipe: Recipe::default(),
            start: None,
            device: Device::flex(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            directory,
            resume: false,
            time_limit: None,
            target: Quantity::FORMATION_ENERGY.target.into(),
            unit: Quantity::FORMATION_ENERGY.unit.into(),
            data: String::new(),
            quoted: BTreeMap::new(),
        }
    }

    /// The seed by which crystals are divided.
    pub fn division_seed(&self) -> u64 {
        self.split_seed.unwrap_or(self.seed)
    }
}

/// How the steps of a training are taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recipe {
    /// Learning-rate schedule.
    pub schedule: Schedule,
    /// Weight decay (AdamW): the weights shrink by this share of the learning rate in each step.
    pub weight_decay: f64,
    /// Gradient clipping: largest L2 norm over all parameters; `None` disables it.
    pub clip: Option<f64>,
    /// Decay of the moving average of the weights, which is what is then validated and kept; the weights themselves without.
    pub average: Option<f64>,
    /// A step takes crystals until they have this many atoms together, in place of a fixed number.
    pub batch_atoms: Option<usize>,
    /// What makes an epoch the best.
    pub criterion: Criterion,
}

impl Default for Recipe {
    /// One cycle, a decay of 1e-5, gradients up to 3, no average, the lowest mean absolute error.
    fn default() -> Self {
        Self {
            schedule: Schedule::ONE_CYCLE,
            weight_decay: 1e-5,
            clip: Some(3.0),
            average: None,
            batch_atoms: None,
            criterion: Criterion::Mae,
        }
    }
}

/// The validation error that chooses the best epoch, lowers the rate on a plateau and stops early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Criterion {
    /// Mean absolute error.
    Mae,
    /// Root mean square error.
    Rmse,
}

impl Criterion {
    /// Its value for an epoch, in the unit of the label.
    pub fn of(self, epoch: &Epoch) -> f64 {
        match self {
            Self::Mae => epoch.validation_mae,
            Self::Rmse => epoch.validation_rmse,
        }
    }
}

impl FromStr for Criterion {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        match text {
            "mae" => Ok(Self::Mae),
            "rmse" => Ok(Self::Rmse),
            _ => Err(ModelError::Training(format!("best '{text}': expected mae or rmse"))),
        }
    }
}

/// Result of a run.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The card, as written beside the weights.
    pub card: ModelCard,
    /// Every epoch, those before a resume included.
    pub history: Vec<Epoch>,
    /// The weights file.
    pub weights: PathBuf,
    /// (id, prediction, label) of the test set.
    pub test: Vec<(String, f64, f64)>,
}
