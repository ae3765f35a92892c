//! Fitting a network to labelled crystals: mini-batches over threads, warm-up and cosine decay of the learning rate, the best
//! epoch by validation error, early stop, and checkpoints from which a killed run goes on.

use std::{ops::ControlFlow, path::PathBuf, time::Instant};

use burn::{
    grad_clipping::GradientClippingConfig,
    optim::{AdamWConfig, ModuleOptimizer},
    prelude::*,
};
use serde::{Deserialize, Serialize};

pub use super::loss::Loss;
use super::{
    card::{Metrics, ModelCard, SplitCard, TrainingCard},
    checkpoint::{Checkpoint, Files, record_error},
    loss::Schedule,
    network::{Config, Input, Net},
    passes::{forward_all, on_threads, shuffled, step},
    reliability::Reliability,
    splits::{Split, SplitKind, element_counts, split},
    weights,
};
use crate::{
    crystal::{ContentHash, Structure},
    error::ModelError,
};

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
    /// The label, eV/atom.
    pub target: f64,
    /// The table's `split` column.
    pub split: Option<String>,
}

/// How to train.
#[derive(Debug, Clone)]
pub struct TrainOptions {
    /// Architecture settings.
    pub config: Config,
    /// Division of the data.
    pub split: SplitKind,
    /// Share held out as test set.
    pub test_fraction: f64,
    /// Share of the rest held out for validation.
    pub validation_fraction: f64,
    /// Seed of split, initial weights and order.
    pub seed: u64,
    /// Length of the schedule, epochs.
    pub epochs: usize,
    /// Graphs per optimiser step.
    pub batch: usize,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// What is minimised.
    pub loss: Loss,
    /// Stop after this many epochs without a better validation error.
    pub patience: usize,
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
    /// Where the data comes from, for the card.
    pub data: String,
}

/// What happened in one epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Number, from 1.
    pub epoch: usize,
    /// Mean loss over the training set, standardised units.
    pub train_loss: f64,
    /// Root mean square error on the validation set, eV/atom.
    pub validation_rmse: f64,
    /// Mean absolute error on the validation set, eV/atom.
    pub validation_mae: f64,
    /// Learning rate at its end.
    pub learning_rate: f64,
    /// Wall time, seconds.
    pub seconds: f64,
}

/// Told of every step; drives progress bars and logs.
pub trait Observer: Sync {
    /// `done` of `total` graphs of this epoch have been fitted.
    fn step(&self, epoch: usize, done: usize, total: usize, loss: f64);
    /// An epoch is over. [`ControlFlow::Break`] ends the run with this epoch's checkpoint, and with the card and the weights
    /// of the best epoch so far.
    fn epoch(&self, epoch: &Epoch) -> ControlFlow<()>;
    /// Something a person should know.
    fn note(&self, message: &str);
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
    /// (id, prediction, label) of the test set, eV/atom.
    pub test: Vec<(String, f64, f64)>,
}

/// Trains a network on `samples` and writes checkpoint, weights and card into `options.directory`.
///
/// # Errors
/// Too few samples, a checkpoint of another run, or a folder that cannot be written.
pub fn train(samples: &[Sample], options: &TrainOptions, observer: &dyn Observer) -> Result<Trained, ModelError> {
    let directory = &options.directory;
    let io = |e: std::io::Error| ModelError::Io { path: directory.clone(), message: e.to_string() };
    std::fs::create_dir_all(directory).map_err(io)?;

    let division = split(samples, options.split, options.test_fraction, options.validation_fraction, options.seed);
    if division.train.len() < 2 || division.validation.is_empty() {
        return Err(ModelError::Training(format!(
            "{} training and {} validation crystals are too few: label more rows or lower the held-out shares",
            division.train.len(),
            division.validation.len()
        )));
    }
    let targets: Vec<f64> = samples.iter().map(|s| s.target).collect();
    let n = division.train.len() as f64;
    let mean = division.train.iter().map(|&i| targets[i]).sum::<f64>() / n;
    let scale = (division.train.iter().map(|&i| (targets[i] - mean).powi(2)).sum::<f64>() / n).sqrt().max(1e-6);

    observer.note(&format!(
        "{} crystals: {} to train, {} to validate, {} to test",
        samples.len(),
        division.train.len(),
        division.validation.len(),
        division.test.len()
    ));
    let mut inputs = inputs_of(samples, options, observer)?;
    let mut options = options.clone();
    options.config.standardise(&mut inputs, &division.train);
    let options = &options;
    let usable = |set: &[usize]| set.iter().copied().filter(|&i| inputs[i].is_some()).collect::<Vec<_>>();
    let (training, validation, test) = (usable(&division.train), usable(&division.validation), usable(&division.test));
    let input = |i: usize| inputs[i].as_ref().expect("only usable samples are asked for");

    let plain = Device::flex();
    let autodiff = plain.clone().autodiff();
    plain.seed(options.seed);
    let mut net = Net::new(&options.config, &autodiff);
    let mut optimizer: ModuleOptimizer =
        AdamWConfig::new().with_weight_decay(1e-5).with_grad_clipping(Some(GradientClippingConfig::Norm(3.0))).init();
    let fingerprint = format!(
        "{:?} {} {} {} {} {}",
        options.config,
        options.split.name(),
        options.test_fraction,
        options.validation_fraction,
        options.seed,
        training.len()
    );
    let mut state = Checkpoint {
        epochs_done: 0,
        steps_done: 0,
        best_epoch: 0,
        best_mae: f64::INFINITY,
        seconds: 0.0,
        mean,
        scale,
        fingerprint,
        history: Vec::new(),
    };
    let files = Files::in_directory(directory);
    if options.resume && files.state.exists() {
        let text = std::fs::read_to_string(&files.state).map_err(io)?;
        let saved: Checkpoint = serde_json::from_str(&text)
            .map_err(|e| ModelError::Io { path: files.state.clone(), message: e.to_string() })?;
        if saved.fingerprint != state.fingerprint {
            return Err(ModelError::Training(format!(
                "the checkpoint in {} is of another run (model, split, seed or data differ); \
                 train into an empty folder or without --resume",
                directory.display()
            )));
        }
        net = net.load_file(&files.net);
        optimizer = optimizer
            .load(&files.optimizer)
            .map_err(|e| ModelError::Io { path: files.optimizer.clone(), message: e.to_string() })?;
        observer.note(&format!("resumed after epoch {}", saved.epochs_done));
        state = saved;
    }

    let steps_per_epoch = training.len().div_ceil(options.batch);
    let schedule =
        Schedule { peak: options.learning_rate, warm_up: steps_per_epoch, total: steps_per_epoch * options.epochs };
    let started = Instant::now();
    let seconds_before = state.seconds;
    while state.epochs_done < options.epochs {
        let epoch_started = Instant::now();
        let epoch = state.epochs_done + 1;
        let order = shuffled(&training, options.seed.wrapping_add(epoch as u64));
        let (mut loss_sum, mut done) = (0.0, 0);
        for chunk in order.chunks(options.batch) {
            let items: Vec<(&Input, f32)> =
                chunk.iter().map(|&i| (input(i), ((targets[i] - mean) / scale) as f32)).collect();
            let step = step(&net, options, &items, &autodiff);
            net = optimizer.step(schedule.at(state.steps_done), net, step.gradients);
            net = step.buffers.into_net(net);
            state.steps_done += 1;
            loss_sum += step.loss;
            done += chunk.len();
            observer.step(epoch, done, training.len(), loss_sum / done as f64);
        }
        let snapshot = net.valid();
        let predicted = forward_all(&snapshot, options, &validation.iter().map(|&i| input(i)).collect::<Vec<_>>());
        let pairs: Vec<_> = predicted.iter().zip(&validation).map(|(p, &i)| (p * scale + mean, targets[i])).collect();
        let metrics = Metrics::of(&pairs, mean)
            .ok_or_else(|| ModelError::Training("no validation crystal can be predicted".into()))?;
        let report = Epoch {
            epoch,
            train_loss: loss_sum / training.len() as f64,
            validation_rmse: metrics.rmse,
            validation_mae: metrics.mae,
            learning_rate: schedule.at(state.steps_done),
            seconds: epoch_started.elapsed().as_secs_f64(),
        };
        let verdict = observer.epoch(&report);
        state.history.push(report);
        state.epochs_done = epoch;
        state.seconds = seconds_before + started.elapsed().as_secs_f64();
        if metrics.mae < state.best_mae {
            (state.best_mae, state.best_epoch) = (metrics.mae, epoch);
            snapshot.clone().save_file(&files.best).map_err(|e| record_error(&files.best, e))?;
        }
        net.clone().save_file(&files.net).map_err(|e| record_error(&files.net, e))?;
        optimizer
            .save(&files.optimizer)
            .map_err(|e| ModelError::Io { path: files.optimizer.clone(), message: e.to_string() })?;
        let text = serde_json::to_string_pretty(&state).map_err(|e| ModelError::Training(e.to_string()))?;
        // The state goes last, by rename: a run killed in between resumes at the epoch before.
        std::fs::write(files.state.with_extension("unfinished"), text).map_err(io)?;
        std::fs::rename(files.state.with_extension("unfinished"), &files.state).map_err(io)?;
        if verdict.is_break() {
            break;
        }
        if epoch - state.best_epoch >= options.patience {
            observer.note(&format!("no better validation error for {} epochs: stopped", options.patience));
            break;
        }
        if options.time_limit.is_some_and(|limit| started.elapsed().as_secs_f64() > limit) {
            observer.note("time limit reached: stopped; go on with --resume");
            break;
        }
    }

    let best = Net::new(&options.config, &plain).load_file(&files.best);
    let evaluate = |set: &[usize]| -> Vec<(f64, f64)> {
        let inputs: Vec<&Input> = set.iter().map(|&i| input(i)).collect();
        let predicted = forward_all(&best, options, &inputs);
        predicted.iter().zip(set).map(|(p, &i)| (p * scale + mean, targets[i])).collect()
    };
    let (of_validation, of_test) = (evaluate(&validation), evaluate(&test));
    let seen: std::collections::HashSet<&str> =
        training.iter().chain(&validation).map(|&i| samples[i].formula.as_str()).collect();
    let new_formula: Vec<_> = of_test
        .iter()
        .zip(&test)
        .filter(|(_, i)| !seen.contains(samples[**i].formula.as_str()))
        .map(|(p, _)| *p)
        .collect();
    let mut metrics = std::collections::BTreeMap::new();
    for (name, pairs) in
        [("validation", &of_validation), ("test", &of_test), ("test, formula not in training", &new_formula)]
    {
        if let Some(m) = Metrics::of(pairs, mean) {
            metrics.insert(name.to_owned(), m);
        }
    }
    let card = ModelCard {
        name: options.name.clone(),
        architecture: options.config.architecture().into(),
        id: weights::weights_id(&best, &options.config, mean, scale),
        target: options.target.clone(),
        unit: "eV/atom".into(),
        config: options.config.clone(),
        parameters: weights::fitted_parameters(&best),
        mean,
        scale,
        data: options.data.clone(),
        split: SplitCard {
            kind: options.split.name().into(),
            seed: options.seed,
            train: training.len(),
            validation: validation.len(),
            test: test.len(),
        },
        training: TrainingCard {
            epochs: state.epochs_done,
            best_epoch: state.best_epoch,
            batch: options.batch,
            learning_rate: options.learning_rate,
            loss: options.loss.name().into(),
            seconds: state.seconds,
        },
        elements: element_counts(samples, &training),
        metrics,
        reliability: Some(Reliability::of(
            samples,
            &Split { train: training, validation, test: test.clone() },
            &of_validation,
        )),
    };
    let weights_file = directory.join(format!("{}.safetensors.zst", options.name));
    weights::save(&weights_file, &best, &card)?;
    Ok(Trained {
        card,
        history: state.history,
        weights: weights_file,
        test: of_test.iter().zip(&test).map(|((p, t), &i)| (samples[i].id.clone(), *p, *t)).collect(),
    })
}

/// What the network reads of each sample, on all threads; a crystal that it cannot read is left out with a note.
fn inputs_of(
    samples: &[Sample],
    options: &TrainOptions,
    observer: &dyn Observer,
) -> Result<Vec<Option<Input>>, ModelError> {
    let results = on_threads(options.threads, samples.len(), |i| options.config.input(&samples[i].structure));
    let lost = results.iter().filter(|input| input.is_err()).count();
    if let Some(reason) = results.iter().find_map(|input| input.as_ref().err()) {
        observer.note(&format!("{lost} crystals left out; the first: {reason}"));
    }
    if lost == samples.len() {
        return Err(ModelError::Training("no crystal can be read by the network".into()));
    }
    Ok(results.into_iter().map(Result::ok).collect())
}
