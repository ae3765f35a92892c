//! Learning to write crystals: every epoch shows each known crystal in another order, under another choice of origin and with other gaps in
//! its prompt.
//!
//! A step takes crystals of one number of orbits. All randomness is a function of seed, epoch and crystal, and a step is cut in two passes
//! however many threads there are: a run that was stopped goes on as if it had not been.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use burn::grad_clipping::GradientClippingConfig;
use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsAccumulator, GradientsParams};
use burn::prelude::*;
use crystal::random::{Stream, mix};
use crystal::threads::on_threads;
use models::checkpoint::{Checkpoint, Folder, Weights};
use serde::{Deserialize, Serialize};

use super::WyckoffModel;
use super::batch::Batch;
use super::example::Example;
use super::network::{Net, Shape, WyckoffConfig};
use super::vocabulary::Vocabulary;
use super::weights::{WyckoffCard, of_net};
use crate::GenerationError;

/// Where the schedule ends, as a share of the highest rate.
const LAST: f64 = 0.01;
/// Passes of a step.
const PASSES: usize = 2;

/// How to learn.
#[derive(Debug, Clone)]
pub struct WyckoffOptions {
    /// Widths of the network.
    pub config: WyckoffConfig,
    /// Seed of initial weights, split, and order and origin of the crystals.
    pub seed: u64,
    /// Length of the schedule, epochs.
    pub epochs: usize,
    /// Crystals per step.
    pub batch: usize,
    /// Highest learning rate: it rises to it over the first epoch, and falls along a cosine.
    pub learning_rate: f64,
    /// Weight decay (AdamW).
    pub weight_decay: f64,
    /// Largest norm of the gradient of each tensor; `None` for any.
    pub clip: Option<f64>,
    /// Share of the crystals held out, by formula.
    pub validation: f64,
    /// Worker threads.
    pub threads: usize,
    /// Folder of checkpoint and weights.
    pub directory: PathBuf,
    /// Go on from the folder's checkpoint.
    pub resume: bool,
    /// Stop at the end of the epoch in which this many seconds have passed.
    pub time_limit: Option<f64>,
    /// What the network is called.
    pub name: String,
    /// Where the crystals come from, and their licence.
    pub data: String,
    /// Crystals that have no tokens, for the card.
    pub without_tokens: usize,
}

/// What happened in one epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WyckoffEpoch {
    /// Number, from 1.
    pub epoch: usize,
    /// Mean loss over the crystals learned from, nats per crystal.
    pub loss: f64,
    /// Mean loss over those held out, nats per crystal.
    pub held_out: f64,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Wall time, s.
    pub seconds: f64,
}

/// Called after every step.
pub trait WyckoffObserver: Sync {
    /// `done` of `total` crystals of this epoch were learned from.
    fn step(&self, epoch: usize, done: usize, total: usize, loss: f64);
    /// `done` of `total` crystals were read: their tokens, and what is known of them.
    fn read(&self, _done: usize, _total: usize) {}
    /// An epoch is over. [`ControlFlow::Break`] ends the run with its checkpoint, and the weights of the best epoch so far.
    fn epoch(&self, epoch: &WyckoffEpoch) -> ControlFlow<()>;
    /// A message for the user.
    fn note(&self, message: &str);
}

/// What a run leaves.
#[derive(Debug)]
pub struct WyckoffTrained {
    /// The network of the best epoch.
    pub model: WyckoffModel,
    /// Every epoch, those before a resume included.
    pub history: Vec<WyckoffEpoch>,
    /// The weights file.
    pub weights: PathBuf,
}

/// Learns from known crystals, and writes checkpoint and weights into `options.directory`.
///
/// # Errors
/// No crystals to learn from or to judge by, a checkpoint of another run, a loss that is no number, or a folder that cannot be written.
pub fn train(
    examples: &[Example],
    options: &WyckoffOptions,
    observer: &dyn WyckoffObserver,
) -> Result<WyckoffTrained, GenerationError> {
    let data = Data::new(examples, options)?;
    let folder = Folder::create(&options.directory)?;
    let mut run = Run::begin(&data, options, &folder, observer)?;
    let mut ended = false;
    while !ended && run.state.history.len() < options.epochs {
        ended = run.epoch(observer)?;
    }
    run.finish()
}

/// The crystals, and their division.
struct Data<'a> {
    examples: &'a [Example],
    vocabulary: Vocabulary,
    training: Vec<usize>,
    held_out: Vec<usize>,
    too_long: usize,
}

impl<'a> Data<'a> {
    fn new(examples: &'a [Example], options: &WyckoffOptions) -> Result<Self, GenerationError> {
        let held = |example: &Example| {
            let formula = example.tokens.composition().reduced_formula();
            let words: Vec<u64> = formula.bytes().map(u64::from).chain([options.seed]).collect();
            f64::from(Stream::new(mix(&words)).uniform()) < options.validation
        };
        let (held_out, training): (Vec<usize>, Vec<usize>) = (0..examples.len()).partition(|&i| held(&examples[i]));
        let species = training.iter().flat_map(|&i| examples[i].tokens.orbits().iter().map(|o| o.species));
        let vocabulary = Vocabulary::new(species.collect());
        let read =
            |set: Vec<usize>| -> Vec<usize> { set.into_iter().filter(|&i| examples[i].is_read(&vocabulary)).collect() };
        let (training, held_out) = (read(training), read(held_out));
        if training.is_empty() || held_out.is_empty() {
            let (n, m) = (training.len(), held_out.len());
            return Err(GenerationError::Training(format!(
                "{n} crystals to learn from, and {m} held out: both are needed"
            )));
        }
        let too_long = examples.len() - training.len() - held_out.len();
        Ok(Self { examples, vocabulary, training, held_out, too_long })
    }

    /// Steps over a set: crystals of one number of orbits, in an order that `place` draws.
    fn batches(&self, set: &[usize], size: usize, place: [u64; 2]) -> Vec<Vec<usize>> {
        let random = &mut Stream::new(mix(&place));
        let mut by_length: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for i in random.shuffled(set.to_vec()) {
            by_length.entry(self.examples[i].tokens.orbits().len()).or_default().push(i);
        }
        let batches = by_length.values().flat_map(|alike| alike.chunks(size.max(1)).map(<[usize]>::to_vec));
        random.shuffled(batches.collect())
    }

    /// The crystals of a step as a network reads them in an epoch.
    fn batch(&self, crystals: &[usize], seed: u64, epoch: usize) -> Batch {
        let mut batch = Batch::default();
        for &i in crystals {
            let random = &mut Stream::new(mix(&[seed, epoch as u64, i as u64]));
            self.examples[i].write(&self.vocabulary, random, &mut batch);
        }
        batch
    }

    /// Depends on every crystal.
    fn digest(&self) -> String {
        let of = |&i: &usize| mix(&self.examples[i].tokens.to_string().bytes().map(u64::from).collect::<Vec<_>>());
        let all: Vec<u64> = self.training.iter().chain(&self.held_out).map(of).collect();
        format!("{} + {} crystals, {:016x}", self.training.len(), self.held_out.len(), mix(&all))
    }

    fn shape(&self, config: WyckoffConfig) -> Shape {
        Shape::of(config, &self.vocabulary)
    }
}

/// A training under way.
struct Run<'a> {
    data: &'a Data<'a>,
    options: &'a WyckoffOptions,
    folder: &'a Folder,
    weights: Weights<Net>,
    state: Checkpoint<WyckoffEpoch>,
    started: Instant,
}

impl<'a> Run<'a> {
    fn begin(
        data: &'a Data<'a>,
        options: &'a WyckoffOptions,
        folder: &'a Folder,
        observer: &dyn WyckoffObserver,
    ) -> Result<Self, GenerationError> {
        let net = Net::new(&data.shape(options.config), options.seed, &Device::flex().autodiff());
        let clip = options.clip.map(|norm| GradientClippingConfig::Norm(norm as f32));
        let optimizer =
            AdamWConfig::new().with_weight_decay(options.weight_decay as f32).with_grad_clipping(clip).init();
        let mut run = Self {
            data,
            options,
            folder,
            weights: Weights { net, average: None, optimizer },
            state: Checkpoint::new(settings(data, options)),
            started: Instant::now(),
        };
        if options.resume
            && let Some(saved) = folder.resumable(&run.state.settings)?
        {
            run.weights = folder.load(&saved, run.weights)?;
            observer.note(&format!("resumed after epoch {}", saved.epochs_done()));
            run.state = saved;
        }
        Ok(run)
    }

    /// The learning rate after so many epochs.
    fn rate(&self, epochs: f64) -> f64 {
        let progress = ((epochs - 1.0) / (self.options.epochs as f64 - 1.0).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
        let cosine = LAST + (1.0 - LAST) * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
        self.options.learning_rate * epochs.min(1.0) * cosine
    }

    /// One more epoch with its checkpoint, and whether the run is to end with it.
    fn epoch(&mut self, observer: &dyn WyckoffObserver) -> Result<bool, GenerationError> {
        let (data, options, started) = (self.data, self.options, Instant::now());
        let epoch = self.state.history.len() + 1;
        let total = data.training.len();
        let (mut sum, mut done, mut rate) = (0.0, 0, 0.0);
        for crystals in data.batches(&data.training, options.batch, [options.seed, epoch as u64]) {
            done += crystals.len();
            rate = self.rate((epoch - 1) as f64 + done as f64 / total as f64);
            let (loss, gradients) = self.step(&crystals, epoch);
            sum += loss;
            let net = self.weights.net.clone();
            self.weights.net = self.weights.optimizer.step(rate, net, gradients);
            observer.step(epoch, done, total, sum / done as f64);
        }
        if !sum.is_finite() {
            return Err(GenerationError::Training(format!(
                "the loss of epoch {epoch} is not a number: lower the learning rate, and go on from the epoch before"
            )));
        }
        let report = WyckoffEpoch {
            epoch,
            loss: sum / total as f64,
            held_out: self.held_out(),
            learning_rate: rate,
            seconds: started.elapsed().as_secs_f64(),
        };
        if self.state.history.iter().all(|before| report.held_out < before.held_out) {
            self.state.best_epoch = epoch;
            self.folder.save_best(&self.weights.net.valid())?;
        }
        self.state.history.push(report);
        self.state.seconds += report.seconds;
        self.folder.save(&self.state, &self.weights)?;
        let late = options.time_limit.is_some_and(|limit| self.started.elapsed().as_secs_f64() > limit);
        if late {
            observer.note("time limit reached: stopped; go on with --resume");
        }
        Ok(observer.epoch(&report).is_break() || late)
    }

    /// Sum of the losses of some crystals, and the gradient of their mean over tokens.
    fn step(&self, crystals: &[usize], epoch: usize) -> (f64, GradientsParams) {
        let (data, options) = (self.data, self.options);
        let rows: usize = crystals.iter().map(|&i| data.examples[i].tokens.orbits().len() + 1).sum();
        let passes: Vec<&[usize]> = crystals.chunks(crystals.len().div_ceil(PASSES)).collect();
        let device = Device::flex().autodiff();
        let results = on_threads(options.threads, passes.len(), |k| {
            // Leaves of its own for each pass: threads that share leaves share one graph, whose locks burn 0.22 takes in opposite orders.
            let own = self.weights.net.valid().train();
            let batch = data.batch(passes[k], options.seed, epoch);
            let loss = own.surprise(&batch, options.config.heads, &device).total();
            let value = f64::from(loss.clone().inner().into_scalar::<f32>());
            (value, GradientsParams::from_grads((loss / rows as f32).backward(), &own))
        });
        let mut gradients = GradientsAccumulator::new();
        let mut sum = 0.0;
        for (loss, own) in results {
            sum += loss;
            gradients.accumulate(&self.weights.net, own);
        }
        (sum, gradients.grads())
    }

    /// Mean loss over the crystals held out, the same order and origin every time.
    fn held_out(&self) -> f64 {
        let (data, options) = (self.data, self.options);
        let net = self.weights.net.valid();
        let batches = data.batches(&data.held_out, options.batch, [options.seed, 0]);
        let losses = on_threads(options.threads, batches.len(), |k| {
            let batch = data.batch(&batches[k], options.seed, 0);
            let loss = net.surprise(&batch, options.config.heads, &Device::flex()).total();
            f64::from(loss.into_scalar::<f32>())
        });
        losses.iter().sum::<f64>() / data.held_out.len() as f64
    }

    /// Writes the weights of the best epoch with their card.
    fn finish(self) -> Result<WyckoffTrained, GenerationError> {
        let (data, options, state) = (self.data, self.options, self.state);
        let Some(last) = state.history.last() else {
            return Err(GenerationError::Training("no epoch".into()));
        };
        let path = self.folder.best();
        let best = Net::new(&data.shape(options.config), options.seed, &Device::flex());
        let best = best.try_load_file(&path).map_err(GenerationError::io(&path))?;
        let weights = of_net(&best);
        let known = |of: fn(&Example) -> bool| data.training.iter().filter(|&&i| of(&data.examples[i])).count();
        let card = WyckoffCard {
            name: options.name.clone(),
            config: options.config,
            parameters: weights.values().map(|matrix| matrix.values.len()).sum(),
            data: options.data.clone(),
            crystals: data.training.len(),
            held_out: data.held_out.len(),
            without_tokens: options.without_tokens,
            too_long: data.too_long,
            conditions: [
                known(|e| e.conditions.free_sphere.is_some()),
                known(|e| e.conditions.channels.is_some()),
                known(|e| e.conditions.void.is_some()),
                known(|e| e.conditions.volume.is_some()),
                known(|e| e.conditions.hull.is_some()),
            ],
            seed: options.seed,
            epochs: state.history.len(),
            best_epoch: state.best_epoch,
            batch: options.batch,
            learning_rate: options.learning_rate,
            loss: last.loss,
            held_out_loss: state.history[state.best_epoch - 1].held_out,
            seconds: state.seconds,
            species: data.vocabulary.species().iter().map(|s| (s.element.z(), s.charge.low, s.charge.high)).collect(),
            bins: data.vocabulary.bins().clone(),
        };
        let path = options.directory.join(format!("{}.safetensors", options.name));
        super::weights::save(&path, &weights, &card)?;
        Ok(WyckoffTrained { model: WyckoffModel::of(&weights, card)?, history: state.history, weights: path })
    }
}

/// What a run and its continuation have in common.
fn settings(data: &Data<'_>, options: &WyckoffOptions) -> BTreeMap<String, String> {
    let pairs = [
        ("network", format!("{:?}", options.config)),
        ("bins", format!("{:?}", data.vocabulary.bins())),
        ("data", data.digest()),
        ("seed", options.seed.to_string()),
        ("epochs", options.epochs.to_string()),
        ("batch", options.batch.to_string()),
        ("learning rate", options.learning_rate.to_string()),
        ("weight decay", options.weight_decay.to_string()),
        ("clip", options.clip.map_or_else(|| "none".into(), |x| x.to_string())),
    ];
    pairs.map(|(key, value)| (key.to_owned(), value)).into()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::wyckoff::example::tests::published;

    /// Keeps the epochs it is given, and ends a run after so many.
    #[derive(Default)]
    pub struct Ends(pub Option<usize>);

    impl WyckoffObserver for Ends {
        fn step(&self, _: usize, done: usize, total: usize, loss: f64) {
            assert!(done <= total && loss.is_finite());
        }

        fn epoch(&self, epoch: &WyckoffEpoch) -> ControlFlow<()> {
            if Some(epoch.epoch) == self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }

        fn note(&self, _: &str) {}
    }

    pub fn options(directory: &std::path::Path) -> WyckoffOptions {
        WyckoffOptions {
            config: WyckoffConfig { species: 16, symmetry: 12, number: 4, layers: 2, heads: 2, hidden: 48 },
            seed: 1,
            epochs: 4,
            batch: 8,
            learning_rate: 4e-3,
            weight_decay: 1e-4,
            clip: Some(1.0),
            validation: 0.1,
            threads: 2,
            directory: directory.to_owned(),
            resume: false,
            time_limit: None,
            name: "small".into(),
            data: "published oxides".into(),
            without_tokens: 0,
        }
    }

    #[test]
    fn few_crystals_are_learned_by_heart() {
        let folder = tempfile::tempdir().unwrap();
        let (examples, _) = published();
        let options = WyckoffOptions { epochs: 40, ..options(folder.path()) };
        let trained = train(&examples, &options, &Ends::default()).unwrap();
        let losses: Vec<f64> = trained.history.iter().map(|e| e.loss).collect();
        // What is left is the order of the orbits, the choice of origin, and the gaps in the prompt.
        assert!(losses[39] < 0.5 * losses[0], "{} {}", losses[0], losses[39]);
        assert!(trained.weights.exists());
    }

    #[test]
    fn a_run_that_was_stopped_ends_as_one_that_was_not() {
        let [whole, halves] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let (examples, _) = published();
        let one = train(&examples, &WyckoffOptions { threads: 1, ..options(whole.path()) }, &Ends::default()).unwrap();
        train(&examples, &options(halves.path()), &Ends(Some(2))).unwrap();
        // What a run leaves that is killed when its state is replaced.
        let left = halves.path().join("net-1.bpk");
        std::fs::write(&left, "").unwrap();
        let resumed = WyckoffOptions { resume: true, ..options(halves.path()) };
        let two = train(&examples, &resumed, &Ends::default()).unwrap();
        let losses = |t: &WyckoffTrained| t.history.iter().map(|e| (e.loss, e.held_out)).collect::<Vec<_>>();
        assert_eq!(losses(&one), losses(&two));
        assert!(!left.exists());
        let other = WyckoffOptions { seed: 2, ..resumed };
        let message = train(&examples, &other, &Ends::default()).unwrap_err().to_string();
        assert!(message.contains("seed was 1, is 2"), "{message}");
        assert_eq!(one.model.card().held_out_loss, two.model.card().held_out_loss);
    }
}
