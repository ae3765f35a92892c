//! What an architecture is: all that the rest of the program needs of a kind of network. Each has a folder of its own, and an entry in the
//! list of [`super::network`]. A new one is a folder, its `mod` and a line of that list.
//!
//! ```text
//! mod.rs      the settings, and this trait for them     fused.rs     inference without tensors, where it is worth it
//! module.rs   the network in burn: what is trained and   fit.rs       a training step without tensors, likewise
//!             tested against; energy models, which are
//!             read and not trained, are asked by fused.rs
//! foreign.rs  what reads the weights of other programs
//! ```

use burn::prelude::*;
use burn_store::ModuleSnapshot;

use super::{
    atoms,
    fused::Fused,
    input::Input,
    loss::Loss,
    step::Step,
    tune::space::{Settings, Space},
    weights::{
        checkpoint::Checkpoint,
        found::{Claims, Found},
    },
};
use crate::ModelError;
use crystal::{Element, Structure};

/// Settings of a kind of network: with its weights, all that its numbers depend on.
pub(super) trait Architecture: Sized + 'static {
    /// Its weights.
    type Net: ModuleSnapshot;

    /// Its usual name.
    const TITLE: &'static str;
    /// What `train` and `tune` take for it; nothing where it is read and not trained.
    const VARIANTS: &'static [Variant<Self>];
    /// What reads the weights that other programs saved of it.
    const READERS: &'static [Reader<Self>] = &[];

    /// Its name in cards and on the command line.
    fn name(&self) -> &'static str;

    /// Whether its encoding of atoms has a place for the element, seen in training or not.
    fn encodes(&self, element: Element) -> bool {
        atoms::is_encoded(element)
    }

    /// What it reads of a crystal.
    ///
    /// # Errors
    /// No bond within the cutoff, or a descriptor that is not defined.
    fn input(&self, structure: &Structure) -> Result<Input, ModelError>;

    /// Takes what is measured on the training set into the settings, and standardises the inputs with it.
    fn standardise(&mut self, _inputs: &mut [Option<Input>], _training: &[usize]) {}

    /// Rows of the largest tensors of one pass where many crystals are at hand: they stay within a few MB of cache.
    fn rows_per_pass(&self) -> usize {
        3_000
    }

    /// Random weights on `device`.
    fn net(&self, device: &Device) -> Self::Net;

    /// One number for each input, `[B]`, in the units the weights were trained in.
    fn forward(&self, net: &Self::Net, inputs: &[&Input], device: &Device) -> Tensor<1>;

    /// Losses, gradients and statistics of a mini-batch, forward and back without tensors, on so many threads; `None` where burn
    /// takes them. The numbers do not depend on the threads.
    fn step(&self, _net: &Self::Net, _items: &[(&Input, f32)], _loss: Loss, _threads: usize) -> Option<Step> {
        None
    }

    /// One more epoch of trees that grow: the weights and the sum of the losses after it. `None` where weights are fitted by gradients.
    fn grown(&self, _net: &Self::Net, _items: &[(&Input, f32)], _growth: &Growth) -> Option<(Self::Net, f64)> {
        None
    }

    /// The weights packed for inference; `None` where burn does that too.
    fn fused(&self, net: &Self::Net) -> Option<Fused>;

    /// What `tune` may choose, by name, the usual space first.
    fn spaces(&self) -> Vec<(&'static str, Space)> {
        Vec::new()
    }

    /// These settings with those that a search chose; `None` where one is missing.
    fn chosen(&self, _settings: &Settings) -> Option<Self> {
        None
    }

    /// Values of its largest layers; all of them are no more than a few times as many.
    fn values(&self) -> usize;

    /// Whether the settings are those of a network.
    ///
    /// # Errors
    /// Settings that are too large.
    fn check(&self) -> Result<(), String>;
}

/// How something grows in an epoch.
pub(super) struct Growth {
    /// The loss.
    pub loss: Loss,
    /// Share of a step that is taken.
    pub rate: f64,
    /// Seed of the run.
    pub seed: u64,
}

/// A network that can be trained by name.
pub(super) struct Variant<C> {
    /// Its name.
    pub name: &'static str,
    /// Its usual settings.
    pub usual: fn() -> C,
    /// The root mean square error (eV/atom) that Datta et al., Energy Adv. 2024, 3, 968 (Figs. 8 and 9) give for it, on a random
    /// fifth of their 10 123 oxides.
    pub published_rmse: Option<f64>,
}

/// What reads the checkpoints of another program.
pub(super) struct Reader<C: Architecture> {
    /// Whether the names of the tensors are that program's.
    pub recognises: fn(&Checkpoint) -> bool,
    /// The network that they are.
    pub convert: fn(Checkpoint, &Claims, &Device) -> Converted<C>,
}

/// The network of a checkpoint, or why there is none.
pub(super) type Converted<C> = Result<Found<C, <C as Architecture>::Net>, String>;
