//! Fitting a network to labelled crystals: mini-batches over threads, a schedule of the learning rate, the best epoch by
//! validation error, early stop, and checkpoints from which a killed run goes on as if it had not been.
//!
//! On one machine a run is repeated bit for bit by the same seed, whatever the number of threads: passes are cut by size
//! alone, their gradients are added in the order of the passes, and all randomness is a function of seed, step and pass.

use std::{collections::BTreeMap, ops::Range, time::Instant};

use burn::{
    optim::{AdamWConfig, ModuleOptimizer},
    prelude::*,
};

use super::{
    architecture::Growth,
    average::moved,
    card::{ModelCard, TrainingCard},
    checkpoint::{Checkpoint, Folder, Weights},
    clip::clipped,
    dataset::{Dataset, Judged},
    embedded::is_embedded,
    metrics::Metrics,
    model::Model,
    network::{Config, Input, Net},
    passes::{mini_batches, shuffled, step},
    step::Step,
    weights,
};
pub use super::{
    loss::Loss,
    options::{Criterion, Recipe, TrainOptions, Trained},
    sample::{Epoch, Observer, Sample},
    schedule::Schedule,
};
use crate::ModelError;

/// Trains a network on `samples` and writes checkpoint, weights and card into `options.directory`.
///
/// # Errors
/// An architecture that is not trained, too few samples, a checkpoint of another run, a loss that is no number, a name that is
/// taken, or a folder that cannot be written.
pub fn train(samples: &[Sample], options: &TrainOptions, observer: &dyn Observer) -> Result<Trained, ModelError> {
    train_with(samples, &[], options, observer)
}

/// [`train`], with `more` crystals to fit, as in pretraining. The division is that of `samples`; of `more` everything is left
/// out that stands in validation or test set, or belongs to a group of theirs.
///
/// # Errors
/// See [`train`].
pub fn train_with(
    samples: &[Sample],
    more: &[Sample],
    options: &TrainOptions,
    observer: &dyn Observer,
) -> Result<Trained, ModelError> {
    if is_embedded(&options.name) {
        return Err(ModelError::Training(format!(
            "the name {} is that of a model that ships with the program: give another",
            options.name
        )));
    }
    let mut config = options.start.as_ref().map_or(&options.config, |model| &model.card().config).clone();
    config.can_be_trained()?;
    let folder = Folder::create(&options.directory)?;
    let data = Dataset::new(samples, more, &mut config, options, observer)?;
    let mut run = Run::begin(&data, &config, options, &folder, observer)?;
    let mut ended = false;
    while !ended && !run.is_over() {
        (run, ended) = run.epoch(observer)?;
    }
    if run.without_progress() >= options.patience {
        observer.note(&format!("no better validation error for {} epochs: stopped", options.patience));
    }
    run.finish()
}

/// A training under way.
struct Run<'a> {
    data: &'a Dataset<'a>,
    config: &'a Config,
    options: &'a TrainOptions,
    folder: &'a Folder,
    weights: Weights<Net>,
    state: Checkpoint<Epoch>,
    started: Instant,
    seconds_before: f64,
}

impl<'a> Run<'a> {
    /// The initial weights, or those of the checkpoint.
    fn begin(
        data: &'a Dataset<'a>,
        config: &'a Config,
        options: &'a TrainOptions,
        folder: &'a Folder,
        observer: &dyn Observer,
    ) -> Result<Self, ModelError> {
        let autodiff = options.device.clone().autodiff();
        let net = match &options.start {
            Some(model) => model.net().clone().to_device(&options.device).train(),
            None => Net::new(config, options.seed, &autodiff),
        };
        let optimizer: ModuleOptimizer =
            AdamWConfig::new().with_weight_decay(options.recipe.weight_decay as f32).init();
        let average = options.recipe.average.map(|_| net.valid());
        let mut weights = Weights { net, average, optimizer };
        let mut state = Checkpoint::new(settings(data, config, options));
        if options.resume
            && let Some(saved) = folder.resumable(&state.settings)?
        {
            weights = folder.load(&saved, weights)?;
            observer.note(&format!("resumed after epoch {}", saved.epochs_done()));
            observer.resumed(&saved.history);
            state = saved;
        }
        let seconds_before = state.seconds;
        Ok(Self { data, config, options, folder, weights, state, started: Instant::now(), seconds_before })
    }

    /// Whether the schedule or the patience is at its end.
    fn is_over(&self) -> bool {
        self.state.epochs_done() >= self.options.epochs || self.without_progress() >= self.options.patience.max(1)
    }

    /// Epochs since the best one.
    fn without_progress(&self) -> usize {
        self.state.epochs_done() - self.state.best_epoch
    }

    /// The learning rate over a part of the run, in epochs.
    fn rate(&self, part: Range<f64>) -> f64 {
        let recipe = &self.options.recipe;
        let errors = self.state.history.iter().map(|e| recipe.criterion.of(e));
        recipe.schedule.rate(self.options.learning_rate, self.options.epochs, part, errors)
    }

    /// Inputs and labels of some crystals.
    fn items(&self, set: &[usize]) -> Vec<(&'a Input, f32)> {
        set.iter().map(|&i| (self.data.input(i), self.data.label(i))).collect()
    }

    /// An epoch of what grows: the sum of its losses, and the learning rate; `None` of a network.
    fn grow(&mut self, epoch: usize, observer: &dyn Observer) -> Option<(f64, f64)> {
        let (options, set) = (self.options, &self.data.training);
        let rate = self.rate((epoch - 1) as f64..epoch as f64);
        let growth = Growth { loss: options.loss, rate, seed: options.seed };
        let (net, loss) = self.weights.net.grown(self.config, &self.items(set), &growth)?;
        // A mean of trees is no tree: what has grown is its own average.
        self.weights.average = self.weights.average.take().map(|_| net.valid());
        self.weights.net = net;
        observer.step(epoch, set.len(), set.len(), loss / set.len() as f64);
        Some((loss, rate))
    }

    /// An epoch downhill, batch by batch: the sum of the losses, and the last learning rate.
    fn descend(mut self, epoch: usize, observer: &dyn Observer) -> (Self, (f64, f64)) {
        let (data, options) = (self.data, self.options);
        let device = options.device.clone().autodiff();
        let order = shuffled(&data.training, &[options.seed, epoch as u64]);
        let (mut loss, mut done, mut rate) = (0.0, 0, options.learning_rate);
        for batch in mini_batches(&order, options, |i| data.atoms(i)) {
            let place = [options.seed, self.state.steps_done as u64];
            let step = step(&self.weights.net, self.config, options, &self.items(batch), place, &device);
            let part = |done: usize| (epoch - 1) as f64 + done as f64 / order.len() as f64;
            rate = self.rate(part(done)..part(done + batch.len()));
            loss += step.loss;
            done += batch.len();
            self.weights = self.weights.after(step, rate, options, self.state.steps_done);
            self.state.steps_done += 1;
            observer.step(epoch, done, order.len(), loss / done as f64);
        }
        (self, (loss, rate))
    }

    /// One more epoch with its checkpoint, and whether the run is to end with it.
    fn epoch(mut self, observer: &dyn Observer) -> Result<(Self, bool), ModelError> {
        let (data, options, started) = (self.data, self.options, Instant::now());
        let criterion = options.recipe.criterion;
        let epoch = self.state.epochs_done() + 1;
        let (sum, rate);
        (self, (sum, rate)) = match self.grow(epoch, observer) {
            Some(grown) => (self, grown),
            None => self.descend(epoch, observer),
        };
        let loss = sum / data.training.len() as f64;
        if !loss.is_finite() {
            // Without a checkpoint: what comes after the last whole epoch is lost anyway.
            observer.note(&format!(
                "the loss of epoch {epoch} is not a number: training stopped; lower --learning-rate or --clip"
            ));
            return Ok((self, true));
        }
        let snapshot = self.weights.average.clone().unwrap_or_else(|| self.weights.net.valid());
        let pairs = data.predictions(&snapshot, self.config, options, &data.validation);
        let metrics = Metrics::of(&pairs, data.mean)
            .ok_or_else(|| ModelError::Training("no validation crystal can be predicted".into()))?;
        let report = Epoch::new(epoch, loss, metrics, rate, started.elapsed().as_secs_f64());
        let best = self.state.history.iter().map(|e| criterion.of(e)).fold(f64::INFINITY, f64::min);
        if criterion.of(&report) < best {
            self.state.best_epoch = epoch;
            self.folder.save_best(&snapshot)?;
        }
        self.state.history.push(report);
        self.state.seconds = self.seconds_before + self.started.elapsed().as_secs_f64();
        self.folder.save(&self.state, &self.weights)?;
        let late = options.time_limit.is_some_and(|limit| self.started.elapsed().as_secs_f64() > limit);
        let ended = observer.epoch(&report).is_break();
        if late {
            observer.note("time limit reached: stopped; go on with --resume");
        }
        Ok((self, ended || late))
    }

    /// Judges the weights of the best epoch on the held-out sets, and writes them with their card.
    fn finish(self) -> Result<Trained, ModelError> {
        let (data, config, options, state) = (self.data, self.config, self.options, self.state);
        if state.best_epoch == 0 {
            return Err(ModelError::Training("no epoch has an error that is a number: lower the learning rate".into()));
        }
        let path = self.folder.best();
        let best = Net::to_be_read(config, &options.device).try_load_file(&path).map_err(ModelError::io(&path))?;
        let Judged { metrics, test, reliability } = data.judged(&best, config, options);
        let mut elements = data.elements();
        if let Some(start) = &options.start {
            for (element, count) in &start.card().elements {
                *elements.entry(element.clone()).or_insert(0) += count;
            }
        }
        let recipe = &options.recipe;
        let card = ModelCard {
            name: options.name.clone(),
            architecture: config.architecture().into(),
            id: weights::weights_id(&best, config, data.mean, data.scale),
            target: options.target.clone(),
            unit: options.unit.clone(),
            config: config.clone(),
            parameters: weights::fitted_parameters(&best),
            mean: data.mean,
            scale: data.scale,
            data: options.data.clone(),
            split: data.split_card(options),
            training: TrainingCard {
                epochs: state.epochs_done(),
                best_epoch: state.best_epoch,
                batch: options.batch,
                learning_rate: options.learning_rate,
                loss: options.loss.to_string(),
                seconds: state.seconds,
                threads: options.threads,
                schedule: recipe.schedule.to_string(),
                weight_decay: recipe.weight_decay,
                clip: recipe.clip,
                average: recipe.average,
                batch_atoms: recipe.batch_atoms,
                start: options.start.as_ref().map(|model| started_from(model)),
                more: data.more,
                left_out: data.left_out,
            },
            elements,
            metrics: options.quoted.clone().into_iter().chain(metrics).collect(),
            reliability: Some(reliability),
            references: BTreeMap::new(),
            correction_scheme: None,
            origin: None,
        };
        let weights_file = options.directory.join(format!("{}.safetensors.zst", options.name));
        weights::save(&weights_file, &best, &card)?;
        Ok(Trained { card, history: state.history, weights: weights_file, test })
    }
}

impl Weights<Net> {
    /// One step of the optimiser.
    fn after(mut self, step: Step, rate: f64, options: &TrainOptions, steps: usize) -> Self {
        let gradients = match options.recipe.clip {
            Some(longest) => clipped(&self.net, step.gradients, longest),
            None => step.gradients,
        };
        self.net = step.buffers.into_net(self.optimizer.step(rate, self.net, gradients));
        self.average = self.average.map(|average| {
            let decay = options.recipe.average.unwrap_or_default();
            moved(average, &self.net, decay, steps)
        });
        self
    }
}

/// What a run and its continuation have in common. Length, patience and threads may differ.
fn settings(data: &Dataset<'_>, config: &Config, options: &TrainOptions) -> BTreeMap<String, String> {
    let recipe = &options.recipe;
    let or_none = |value: Option<String>| value.unwrap_or_else(|| "none".into());
    let fractions = format!("{} {}", options.test_fraction, options.validation_fraction);
    let pairs = [
        ("model", format!("{} ({})", config.architecture(), config.settings())),
        ("start", or_none(options.start.as_ref().map(|model| started_from(model)))),
        ("data", data.digest()),
        (
            "split",
            format!("{} {fractions}{}", options.split, options.split_seed.map_or(String::new(), |s| format!(" {s}"))),
        ),
        ("seed", options.seed.to_string()),
        ("batch", recipe.batch_atoms.map_or_else(|| options.batch.to_string(), |atoms| format!("{atoms} atoms"))),
        ("learning rate", options.learning_rate.to_string()),
        ("loss", options.loss.to_string()),
        ("schedule", recipe.schedule.to_string()),
        ("weight decay", recipe.weight_decay.to_string()),
        ("clip", or_none(recipe.clip.map(|x| x.to_string()))),
        ("average", or_none(recipe.average.map(|x| x.to_string()))),
        ("best", format!("{:?}", recipe.criterion)),
    ];
    pairs.map(|(key, value)| (key.to_owned(), value)).into()
}

fn started_from(model: &Model) -> String {
    format!("{} ({})", model.name(), model.id())
}
