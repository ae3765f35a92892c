//! Gradient-boosted trees (Friedman, *Ann. Stat.* **29** (2001) 1189): each tree is fitted to what all before it leave, and a small
//! share of it is added.
//!
//! They read the composition, as the 132 Magpie statistics and the fraction of each element, and the volume per atom where the settings
//! include it. Nothing here is a network: an epoch adds some trees, and no weight has a gradient. Trees are grown over histograms of the
//! numbers, as LightGBM does (Ke *et al.*, NIPS 2017, 3149), each on some of the crystals and some of the numbers.

mod bins;
mod forest;
mod grow;
mod module;

use burn::prelude::*;
use burn::tensor::TensorData;

use super::{
    architecture::{Architecture, Growth, Variant},
    cnn::Descriptor,
    fused::Fused,
    input::Input,
    tune::space::{Domain, Settings, Space, number, steps, whole},
    weights::limits,
};
use crate::ModelError;
use crystal::{Element, Structure};
use forest::Forest;
pub use module::Trees;

/// Deepest tree: 4 096 leaves.
const DEEPEST: usize = 12;

/// Everything that changes the numbers that trees answer, besides the trees.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TreesConfig {
    /// Whether they read the volume per atom, Å³, too.
    pub volume: bool,
    /// Most trees.
    pub trees: usize,
    /// Trees that an epoch adds.
    pub each: usize,
    /// Questions from the root of a tree to a leaf.
    pub depth: usize,
    /// Fewest crystals of a leaf.
    pub least: usize,
    /// Share of the crystals that a tree is grown on.
    pub rows: f64,
    /// Share of the numbers that a tree may use.
    pub numbers: f64,
}

impl TreesConfig {
    /// Fifteen hundred trees of up to 256 leaves.
    pub fn usual() -> Self {
        Self { volume: false, trees: 1500, each: 20, depth: 8, least: 5, rows: 0.7, numbers: 0.2 }
    }

    /// Numbers that are read of a crystal.
    fn width(&self) -> usize {
        Descriptor::Magpie.length() + Element::all().count() + usize::from(self.volume)
    }
}

impl Architecture for TreesConfig {
    type Net = Trees;

    const TITLE: &'static str = "trees";
    const VARIANTS: &'static [Variant<Self>] =
        &[Variant { name: "trees-magpie", usual: Self::usual, published_rmse: None }];

    fn name(&self) -> &'static str {
        "trees-magpie"
    }

    fn encodes(&self, _: Element) -> bool {
        true
    }

    fn input(&self, structure: &Structure) -> Result<Input, ModelError> {
        let composition = structure.composition();
        let fraction = |element| composition.amount(element) / composition.natoms();
        let magpie = Descriptor::Magpie.of(structure)?;
        let volume = self.volume.then(|| structure.volume() / structure.len() as f64);
        let numbers = magpie.into_iter().chain(Element::all().map(fraction)).chain(volume);
        Ok(Input::Vector(numbers.map(|x| x as f32).collect()))
    }

    fn rows_per_pass(&self) -> usize {
        256
    }

    fn net(&self, device: &Device) -> Trees {
        Trees::new(&Forest::empty(self.trees, self.depth), device)
    }

    fn forward(&self, net: &Trees, inputs: &[&Input], device: &Device) -> Tensor<1> {
        let forest = net.forest(self);
        let values: Vec<f32> = inputs.iter().map(|input| forest.value(input.vector())).collect();
        Tensor::from_data(TensorData::new(values, [inputs.len()]), device)
    }

    fn grown(&self, net: &Trees, items: &[(&Input, f32)], growth: &Growth) -> Option<(Trees, f64)> {
        let mut forest = net.forest(self);
        let loss = grow::grow(&mut forest, self, items, growth);
        Some((net.with(&forest), loss))
    }

    fn fused(&self, net: &Trees) -> Option<Fused> {
        Some(Fused::new(net.forest(self)))
    }

    fn spaces(&self) -> Vec<(&'static str, Space)> {
        let share = || Domain::Real { low: 0.1, high: 1.0 };
        let space = Space::default()
            .with("depth", steps(3, 9, 1))
            .with("least", steps(1, 40, 1))
            .with("rows", share())
            .with("numbers", share());
        vec![("usual", space.fitted())]
    }

    fn chosen(&self, settings: &Settings) -> Option<Self> {
        Some(Self {
            depth: whole(settings, "depth")?,
            least: whole(settings, "least")?,
            rows: number(settings, "rows")?,
            numbers: number(settings, "numbers")?,
            ..self.clone()
        })
    }

    fn values(&self) -> usize {
        limits::sum(&[(self.trees, &[3, 1_usize.checked_shl(self.depth as u32).unwrap_or(usize::MAX)])])
    }

    fn check(&self) -> Result<(), String> {
        let share = |x: f64| x > 0.0 && x <= 1.0;
        match self.depth <= DEEPEST && self.trees > 0 && share(self.rows) && share(self.numbers) {
            true => Ok(()),
            false => Err(format!(
                "{} trees of depth {} on shares of {} and {}; a depth of up to {DEEPEST} and shares up to 1 are grown",
                self.trees, self.depth, self.rows, self.numbers
            )),
        }
    }
}
