//! `hollandite train`, `tune`, `evaluate` and `models`: from a table of labels to models that answer queries.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::values::coverage;
use super::{At, Format, Output, Sharded};
use crate::models::{DEFAULT_MODEL, network::names};

/// What `train` and `tune` fit, to what, and where.
#[derive(Debug, Clone, ClapArgs)]
pub struct Training {
    #[allow(missing_docs)]
    #[arg(long, value_name = "NAME", default_value = "megnet",
        help = format!("Architecture: {}; for train also wyckoff, a generator, which learns to write crystals and asks for no label", names()))]
    pub model: String,
    /// Table with structures and labels
    #[arg(long, default_value = "tmo")]
    pub table: String,
    /// Column of the label, such as formation_energy_per_atom or band_gap
    #[arg(long, value_name = "COLUMN", default_value = "formation_energy_per_atom")]
    pub target: String,
    /// SQL condition on the rows to use, for instance "natoms <= 60"
    #[arg(long = "where", value_name = "SQL")]
    pub condition: Option<String>,
    /// Split of the rows: random (as in the paper); formula, prototype or system (no group in both training and test set);
    /// column (the table's `split`), kfold:5:0 to kfold:5:4, kfold:5:0:formula
    #[arg(long, value_name = "KIND", default_value = "random")]
    pub split: String,
    /// Fraction of the rows held out as the test set, which no choice depends on
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    pub test: f64,
    /// Fraction of the remaining rows held out for validation, which chooses the best epoch, and the best trial of a search
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    pub validation: f64,
    /// Random seed of the split, the initial weights, the batches and dropout, and of the proposals of a search
    #[arg(long, default_value_t = 42)]
    pub seed: u64,
    /// Batch size in crystals
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub batch: usize,
    /// Early stopping: epochs without a lower validation error
    #[arg(long, value_name = "EPOCHS", default_value_t = 50)]
    pub patience: usize,
    /// Worker threads [default: one per core]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Device: cpu, or cuda where the program was built with it
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub device: String,
    /// Stop at the end of the epoch in which this many seconds have passed
    #[arg(long, value_name = "SECONDS")]
    pub time_limit: Option<f64>,
    /// Which state of the store to read
    #[command(flatten)]
    pub at: At,
}

/// `hollandite train`
#[derive(Debug, Clone, ClapArgs)]
pub struct Train {
    #[allow(missing_docs)]
    #[command(flatten)]
    pub training: Training,
    /// Fine-tune: start from the weights of this model (a name, or what `train` wrote); its architecture is used
    #[arg(long, value_name = "NAME|PATH", conflicts_with_all = ["model", "hidden", "layers", "set"])]
    pub from: Option<String>,
    /// Width of the atom features
    #[arg(long, value_name = "N")]
    pub hidden: Option<usize>,
    /// Number of the network's layers
    #[arg(long, value_name = "N")]
    pub layers: Option<usize>,
    /// Another setting of the architecture, for instance edges.nearest.count=16; an unknown one lists them all
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// SQL condition on rows that are not fitted, such as those whose label is known to be wrong; they validate and test all the same
    #[arg(long, value_name = "SQL")]
    pub leave_out: Option<String>,
    /// Train on the rows of this table too, as in pretraining; held-out rows and groups are left out
    #[arg(long, value_name = "TABLE")]
    pub also: Option<String>,
    /// Random seed of the split alone: members of an ensemble share the split, not the initial weights [default: --seed]
    #[arg(long, value_name = "SEED")]
    pub split_seed: Option<u64>,
    /// Number of epochs, over which the learning rate is scheduled
    #[arg(long, default_value_t = 300)]
    pub epochs: usize,
    /// Batch size in atoms instead of crystals
    #[arg(long, value_name = "N", conflicts_with = "batch")]
    pub batch_atoms: Option<usize>,
    /// Highest learning rate
    #[arg(long, value_name = "RATE", default_value_t = 2e-3)]
    pub learning_rate: f64,
    /// Learning-rate schedule: one-cycle, one-cycle:WARM_UP_EPOCHS, plateau, plateau:FACTOR:PATIENCE:MINIMUM or constant
    #[arg(long, value_name = "SCHEDULE", default_value = "one-cycle")]
    pub schedule: String,
    /// Loss: mse, mae, huber or huber:DELTA, DELTA in standard deviations of the label
    #[arg(long, default_value = "huber")]
    pub loss: String,
    /// Weight decay (AdamW)
    #[arg(long, value_name = "RATE", default_value_t = 1e-5)]
    pub weight_decay: f64,
    /// Gradient clipping: largest global L2 norm; 0 disables it
    #[arg(long, value_name = "NORM", default_value_t = 3.0)]
    pub clip: f64,
    /// Validate and keep an exponential moving average of the weights with this decay, for instance 0.999
    #[arg(long, value_name = "DECAY")]
    pub ema: Option<f64>,
    /// Validation error that chooses the best epoch: mae or rmse
    #[arg(long, value_name = "ERROR", default_value = "mae")]
    pub best: String,
    /// Folder for checkpoint, weights, card and plots [default: models/NAME in the store]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Name of the trained model [default: that of the architecture with a number, such as cgcnn-1; that of the folder with --out]
    #[arg(long)]
    pub name: Option<String>,
    /// Unit of the label [default: that of the column, where it is known]
    #[arg(long, value_name = "UNIT")]
    pub unit: Option<String>,
    /// Take network, settings, data and split from the best trial of this tuning
    #[arg(long, value_name = "NAME", conflicts_with_all = [
        "model", "table", "target", "condition", "leave_out", "split", "test", "validation", "seed", "batch", "batch_atoms", "learning_rate",
        "loss", "from", "also", "hidden", "layers", "set", "snapshot",
    ])]
    pub from_tuning: Option<String>,
    /// Where the labels come from and under which licence, for the model card
    #[arg(long, value_name = "TEXT")]
    pub data: Option<String>,
    /// Quote the test errors of this run of the same network in the card, for instance those of a split by formula
    #[arg(long, value_name = "NAME|PATH")]
    pub quote: Vec<String>,
    /// Resume from the checkpoint in the folder
    #[arg(long)]
    pub resume: bool,
}

/// `hollandite tune`
#[derive(Debug, ClapArgs)]
pub struct Tune {
    #[allow(missing_docs)]
    #[command(flatten)]
    pub training: Training,
    /// Name of the search; the same command with the same name resumes it [default: that of the architecture]
    #[arg(long)]
    pub name: Option<String>,
    /// Trials in all, those of earlier runs included; the paper made 75, of 500 epochs each
    #[arg(long, value_name = "N", default_value_t = 75)]
    pub trials: usize,
    /// Search space. Descriptor networks: paper, or wide (dropout from 0; rate, batch and loss free too). Others: usual
    #[arg(long, value_name = "NAME")]
    pub space: Option<String>,
    /// Stop a trial early where it is worse than half of the earlier ones at the same epoch (median), or not in the best third at
    /// 1/27, 1/9 or 1/3 of the epochs (halving), or never (none)
    #[arg(long, value_name = "RULE", default_value = "median")]
    pub prune: String,
    /// Epochs of a trial that is not stopped early
    #[arg(long, default_value_t = 100)]
    pub epochs: usize,
    /// Loss, where the search space does not choose it: mse, mae, huber or huber:DELTA
    #[arg(long, default_value = "mse")]
    pub loss: String,
    /// Discard the trials under this name and start again
    #[arg(long)]
    pub restart: bool,
}

/// `hollandite evaluate`
#[derive(Debug, ClapArgs)]
pub struct Evaluate {
    /// Name of a model or an ensemble, or the folder or file that `train` wrote
    #[arg(long, value_name = "NAME|PATH", default_value = DEFAULT_MODEL)]
    pub model: String,
    /// Table with structures and labels
    #[arg(long, default_value = "tmo")]
    pub table: String,
    /// Column of the label [default: what the model predicts]
    #[arg(long, value_name = "COLUMN")]
    pub target: Option<String>,
    /// SQL condition on the rows to use
    #[arg(long = "where", value_name = "SQL")]
    pub condition: Option<String>,
    /// Predict rows without a label too
    #[arg(long)]
    pub unlabelled: bool,
    /// Coverage of the prediction intervals: the probability that one contains the label
    #[arg(long, value_name = "SHARE", default_value = "0.9", value_parser = coverage)]
    pub coverage: f64,
    /// Write a parity plot to this file, .svg or .png
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// Which part of the rows
    #[command(flatten)]
    pub sharded: Sharded,
    /// Which state of the store to read
    #[command(flatten)]
    pub at: At,
}

/// `hollandite models`
#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Models {
    /// What to do; without it, list
    #[command(subcommand)]
    pub command: Option<ModelsCommand>,
    /// Print the card of this model: a name, or the folder or file that `train` wrote
    pub name: Option<String>,
    /// Where and how to print the list
    #[command(flatten)]
    pub output: Output,
}

/// What can be done with models.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// Import weights that another program trained, or that `train` wrote elsewhere
    Add(Box<ModelsAdd>),
    /// List the models: those that ship with the program, and those of the store
    List(Output),
    /// Print the card of one
    Show {
        /// A name, or the folder or file that `train` wrote
        name: String,
        /// How to print it: table, for people, or json, with every number
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Remove a model and its folder from the store
    #[command(visible_alias = "rm")]
    Remove {
        /// Its name
        name: String,
    },
    /// Combine models into an ensemble: their mean, with an interval that widens where they disagree
    Ensemble(ModelsEnsemble),
}

/// `hollandite models add`
#[derive(Debug, ClapArgs)]
pub struct ModelsAdd {
    /// Weights: *.safetensors.zst of ours; safetensors; a checkpoint of torch (.pt, .pth.tar); a file of Nequix (.nqx); a folder, zip,
    /// wheel or source distribution that holds one. No code in it is executed
    pub file: PathBuf,
    /// Name in queries [default: that of the file]
    #[arg(long)]
    pub name: Option<String>,
    /// What it predicts, where the file does not say: formation_energy_per_atom
    #[arg(long, value_name = "NAME")]
    pub property: Option<String>,
    /// Unit of the prediction, where the file does not say: eV/atom
    #[arg(long, value_name = "UNIT")]
    pub units: Option<String>,
    /// Corrections applied to its training energies
    #[arg(long, value_name = "TEXT")]
    pub correction_scheme: Option<String>,
    /// Elements that it was trained on, as in Li,O,Ti, or mp for the 89 of the Materials Project
    #[arg(long, value_name = "LIST")]
    pub elements: Option<String>,
    /// Licence of the weights
    #[arg(long, value_name = "TEXT")]
    pub licence: Option<String>,
    /// Longest bond of the training set, Å, for DeeperGATGNN
    #[arg(long, value_name = "LENGTH")]
    pub longest_bond: Option<f32>,
    /// Which file of a folder or archive that holds several
    #[arg(long, value_name = "FILE")]
    pub member: Option<String>,
}

/// `hollandite models ensemble`
#[derive(Debug, ClapArgs)]
pub struct ModelsEnsemble {
    /// Name of the ensemble in queries
    pub name: String,
    /// Members: names of models, or the folders or files that `train` wrote
    #[arg(required = true, value_name = "MEMBER")]
    pub members: Vec<String>,
    /// Weights of the members: equal, or validation (the inverse of the mean squared error on its validation set)
    #[arg(long, value_name = "HOW", default_value = "equal")]
    pub weights: String,
    /// Table with structures and labels, by which the intervals are calibrated
    #[arg(long, default_value = "tmo")]
    pub table: String,
    /// Column of the label [default: what the members predict]
    #[arg(long, value_name = "COLUMN")]
    pub target: Option<String>,
    /// SQL condition on rows that no member was trained on [default: the crystals that some member was validated with, and
    /// none trained on]
    #[arg(long = "where", value_name = "SQL")]
    pub condition: Option<String>,
    /// Folder of the ensemble [default: models/NAME in the store]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Which state of the store to read
    #[command(flatten)]
    pub at: At,
}
