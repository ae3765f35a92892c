//! The trials of a study as trainings of a network.

use std::ops::ControlFlow;
use std::sync::Mutex;

use super::{
    choice::Choice,
    study::{FitEvent, Journal, State, Study, Tell, Trial, TrialObserver},
};
use crate::ModelError;
use crate::{
    splits::split,
    train::{Epoch, Observer, Sample, TrainOptions, train},
};

/// Runs a study of the network and the data of `options`, until there are `wanted` trials; returns all of them. A trial trains
/// in a folder of its own below that of the options, which is gone when it is over.
///
/// The test set of the split is removed first: no trial sees it.
///
/// # Errors
/// Of the journal or the folder, or a study whose every trial fails.
pub fn tune(
    samples: &[Sample],
    options: &TrainOptions,
    study: &Study,
    wanted: usize,
    journal: &dyn Journal,
    watcher: &dyn TrialObserver,
) -> Result<Vec<Trial>, ModelError> {
    let usual = Choice::usual(options);
    let samples = without_test_set(samples, options);
    let folder = |number: usize| options.directory.join(format!("trial-{number}"));
    let trials = study.run(wanted, journal, watcher, |trial, tell| {
        if trial.number > 1 {
            remove(&folder(trial.number - 1))?;
        }
        let choice = Choice::of(&trial.settings, &usual)
            .ok_or_else(|| ModelError::Training("the settings are of another architecture".into()))?;
        let options = TrainOptions {
            config: choice.config,
            learning_rate: choice.learning_rate,
            batch: choice.batch,
            loss: choice.loss,
            epochs: study.epochs,
            directory: folder(trial.number),
            resume: true,
            name: format!("trial-{}", trial.number),
            ..options.clone()
        };
        train(&samples, &options, &Bridge { tell: Mutex::new(tell), watcher }).map(drop)
    })?;
    if trials.iter().all(|trial| trial.state != State::Running) {
        remove(&options.directory)?;
    }
    Ok(trials)
}

/// The samples of training and validation set.
fn without_test_set(samples: &[Sample], options: &TrainOptions) -> Vec<Sample> {
    let division =
        split(samples, options.split, options.test_fraction, options.validation_fraction, options.division_seed());
    let mut kept = [division.train, division.validation].concat();
    kept.sort_unstable();
    kept.into_iter().map(|i| samples[i].clone()).collect()
}

fn remove(folder: &std::path::Path) -> Result<(), ModelError> {
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(ModelError::io(folder)(e)),
        _ => Ok(()),
    }
}

/// Reports a training to a study.
struct Bridge<'a> {
    tell: Mutex<Tell<'a>>,
    watcher: &'a dyn TrialObserver,
}

impl Observer for Bridge<'_> {
    fn step(&self, epoch: usize, done: usize, total: usize, _: f64) {
        self.watcher.step(epoch, done, total);
    }

    fn epoch(&self, epoch: &Epoch) -> ControlFlow<()> {
        let mut tell = self.tell.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        tell(FitEvent::Epoch(epoch.validation_rmse, epoch.seconds))
    }

    fn resumed(&self, history: &[Epoch]) {
        let mut tell = self.tell.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // The verdict holds for the next epoch.
        let _ = tell(FitEvent::Resumed(history.iter().map(|epoch| epoch.validation_rmse).collect()));
    }

    // The same sentences for every trial.
    fn note(&self, _: &str) {}
}
