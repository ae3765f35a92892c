//! Labelled crystals prepared for a training: split, converted to the network's inputs, and scaled.
//!
//! Inputs are built once, on all threads, and stay in memory: for 17 000 oxides that takes seconds, a training hours.

use std::collections::{BTreeMap, HashSet};

use sha2::{Digest, Sha256};

use super::{
    card::SplitCard,
    metrics::Metrics,
    network::{Config, Input, Net},
    options::TrainOptions,
    passes::forward_all,
    reliability::Reliability,
    sample::{Observer, Sample},
    splits::{element_counts, split, trainable},
    threads::on_threads,
};
use crate::ModelError;
use crystal::hex;

/// Crystals with their inputs; indices run over the samples, then over those that only train.
pub(super) struct Dataset<'a> {
    samples: Vec<&'a Sample>,
    inputs: Vec<Option<Input>>,
    /// Fitted.
    pub training: Vec<usize>,
    /// Chooses the best epoch.
    pub validation: Vec<usize>,
    /// Untouched until the end.
    pub test: Vec<usize>,
    /// Labels are divided by `scale` after `mean` is subtracted.
    pub mean: f64,
    /// See `mean`.
    pub scale: f64,
    /// Crystals that the network cannot read.
    pub left_out: usize,
    /// Training crystals of the second table.
    pub more: usize,
}

/// What the held-out crystals say.
pub(super) struct Judged {
    /// Errors by the name of the set.
    pub metrics: BTreeMap<String, Metrics>,
    /// (id, prediction, label) of the test set, eV/atom.
    pub test: Vec<(String, f64, f64)>,
    /// How reliable the network is.
    pub reliability: Reliability,
}

impl<'a> Dataset<'a> {
    /// Divides `samples`, adds what may be trained on of `more`, and reads both; what is measured on the training set goes into
    /// `config`.
    ///
    /// # Errors
    /// Too few crystals to train or to validate, or none that the network can read.
    pub fn new(
        samples: &'a [Sample],
        more: &'a [Sample],
        config: &mut Config,
        options: &TrainOptions,
        observer: &dyn Observer,
    ) -> Result<Self, ModelError> {
        let mut division =
            split(samples, options.split, options.test_fraction, options.validation_fraction, options.division_seed());
        let more: Vec<&Sample> =
            trainable(samples, &division, more, options.split).into_iter().map(|i| &more[i]).collect();
        division.train.retain(|&i| !options.unfitted.contains(&samples[i].hash));
        let brought = samples.len()..samples.len() + more.len();
        observer.note(&format!(
            "{} crystals: {} to train{}, {} to validate, {} to test",
            samples.len(),
            division.train.len(),
            if more.is_empty() { String::new() } else { format!(" and {} of another table", more.len()) },
            division.validation.len(),
            division.test.len()
        ));
        let train: Vec<usize> = division.train.into_iter().chain(brought.clone()).collect();
        let samples: Vec<&Sample> = samples.iter().chain(more).collect();

        let mut inputs = read(&samples, config, options.threads, observer)?;
        let usable = |set: Vec<usize>| set.into_iter().filter(|&i| inputs[i].is_some()).collect::<Vec<_>>();
        let sizes = [train.len(), division.validation.len(), division.test.len()];
        let (training, validation, test) = (usable(train), usable(division.validation), usable(division.test));
        if training.len() < 2 || validation.is_empty() {
            return Err(ModelError::Training(format!(
                "{} training and {} validation crystals are too few: label more rows or lower the held-out shares",
                training.len(),
                validation.len()
            )));
        }
        let (mean, scale) = match &options.start {
            Some(model) => (model.card().mean, model.card().scale),
            None => {
                config.standardise(&mut inputs, &training);
                let n = training.len() as f64;
                let mean = training.iter().map(|&i| samples[i].target).sum::<f64>() / n;
                let variance = training.iter().map(|&i| (samples[i].target - mean).powi(2)).sum::<f64>() / n;
                (mean, variance.sqrt().max(1e-6))
            }
        };
        let left_out = sizes.iter().sum::<usize>() - training.len() - validation.len() - test.len();
        let more = training.iter().filter(|i| brought.contains(i)).count();
        Ok(Self { samples, inputs, training, validation, test, mean, scale, left_out, more })
    }

    /// What the network reads of a usable sample.
    pub fn input(&self, i: usize) -> &Input {
        self.inputs[i].as_ref().expect("only usable samples are asked for")
    }

    /// Its label in units of the labels' deviation.
    pub fn label(&self, i: usize) -> f32 {
        ((self.samples[i].target - self.mean) / self.scale) as f32
    }

    /// Its number of atoms.
    pub fn atoms(&self, i: usize) -> usize {
        self.samples[i].structure.len()
    }

    /// (prediction, label) of each of `set`, eV/atom.
    pub fn predictions(&self, net: &Net, config: &Config, options: &TrainOptions, set: &[usize]) -> Vec<(f64, f64)> {
        let inputs: Vec<&Input> = set.iter().map(|&i| self.input(i)).collect();
        let predicted = forward_all(net, config, &inputs, options);
        predicted.iter().zip(set).map(|(p, &i)| (p * self.scale + self.mean, self.samples[i].target)).collect()
    }

    /// What the held-out crystals say of a network.
    pub fn judged(&self, net: &Net, config: &Config, options: &TrainOptions) -> Judged {
        let of_validation = self.predictions(net, config, options, &self.validation);
        let of_test = self.predictions(net, config, options, &self.test);
        let seen: HashSet<&str> =
            self.training.iter().chain(&self.validation).map(|&i| self.samples[i].formula.as_str()).collect();
        let is_new = |i: usize| !seen.contains(self.samples[i].formula.as_str());
        let new_formula: Vec<_> =
            of_test.iter().zip(&self.test).filter(|(_, i)| is_new(**i)).map(|(pair, _)| *pair).collect();
        let sets =
            [("validation", &of_validation), ("test", &of_test), ("test, formula not in training", &new_formula)];
        let mean = self.training_mean();
        Judged {
            metrics: sets
                .iter()
                .filter_map(|(name, pairs)| Some(((*name).to_owned(), Metrics::of(pairs, mean)?)))
                .collect(),
            test: of_test.iter().zip(&self.test).map(|(&(p, t), &i)| (self.samples[i].id.clone(), p, t)).collect(),
            reliability: self.reliability(&of_validation, options),
        }
    }

    /// Where the network is reliable, by the crystals of the run and of the one whose weights it began with.
    fn reliability(&self, of_validation: &[(f64, f64)], options: &TrainOptions) -> Reliability {
        let [train, validation, test] = [&self.training, &self.validation, &self.test]
            .map(|set| set.iter().map(|&i| self.samples[i]).collect::<Vec<&Sample>>());
        let own = Reliability::of(&train, &validation, &test, of_validation);
        match options.start.as_ref().and_then(|model| model.card().reliability.as_ref()) {
            Some(start) => own.after(start),
            None => own,
        }
    }

    /// Mean label of the training set, eV/atom.
    pub fn training_mean(&self) -> f64 {
        self.training.iter().map(|&i| self.samples[i].target).sum::<f64>() / self.training.len() as f64
    }

    /// The division, for the card.
    pub fn split_card(&self, options: &TrainOptions) -> SplitCard {
        SplitCard {
            kind: options.split.to_string(),
            seed: options.division_seed(),
            train: self.training.len(),
            validation: self.validation.len(),
            test: self.test.len(),
            test_fraction: Some(options.test_fraction),
            validation_fraction: Some(options.validation_fraction),
        }
    }

    /// A digest of what is fitted and what chooses the best epoch: crystals, labels, order.
    pub fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        for set in [&self.training, &self.validation] {
            hasher.update((set.len() as u64).to_le_bytes());
            for &i in set {
                hasher.update(format!("{:?}", self.samples[i].hash));
                hasher.update(self.samples[i].target.to_le_bytes());
            }
        }
        hex(&hasher.finalize()[..8])
    }

    /// Number of training crystals of each element.
    pub fn elements(&self) -> BTreeMap<String, usize> {
        element_counts(self.training.iter().map(|&i| self.samples[i]))
    }
}

/// What the network reads of each sample, on all threads; a crystal that it cannot read is left out with a note.
fn read(
    samples: &[&Sample],
    config: &Config,
    threads: usize,
    observer: &dyn Observer,
) -> Result<Vec<Option<Input>>, ModelError> {
    let results = on_threads(threads, samples.len(), |i| config.input(&samples[i].structure));
    let lost = results.iter().filter(|input| input.is_err()).count();
    if let Some(reason) = results.iter().find_map(|input| input.as_ref().err()) {
        observer.note(&format!("{lost} crystals left out; the first: {reason}"));
    }
    if lost == samples.len() {
        return Err(ModelError::Training("no crystal can be read by the network".into()));
    }
    Ok(results.into_iter().map(Result::ok).collect())
}
