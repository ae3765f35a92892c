//! Nequix: an energy model whose atoms carry spherical tensors (Koker, Kotak & Smidt, arXiv:2508.16067), after NequIP (Batzner et al.,
//! Nat. Commun. 2022, 13, 2453).
//!
//! Every atom has, in some channels each, scalars, vectors, and spherical tensors of degree 2 and 3, which turn with the crystal as
//! spherical harmonics do. A message along a bond of up to 6 Å joins what the neighbour has with the harmonics of the bond's direction, in
//! every way in which two degrees make a third, each way and channel with a weight that depends on the length alone. What arrives is
//! mixed channel by channel, brought to one size, and let through gates, which are scalars. The energy of an atom is read from the scalars
//! of the last layer. Energies do not change where the crystal turns, forces turn with it.
//!
//! ```text
//! harmonics   spherical harmonics, and how three of them join       foreign   weights as the package nequix publishes them
//! paths       the ways in which a layer joins degrees               module    the network in burn
//! basis       functions of a length                                 fused     the same with its gradients, as queries run it
//! ```

mod basis;
mod foreign;
mod fused;
mod harmonics;
mod module;
mod paths;

use burn::prelude::*;

use super::{
    architecture::{Architecture, Reader, Variant},
    bond_graph::BondGraph,
    fused::{Fused, linear::PANEL},
    input::Input,
    weights::limits::{self, FARTHEST},
};
use crate::ModelError;
use crystal::{Element, Structure};
use harmonics::DEGREES;
pub use module::Nequix;
use paths::Shape;

/// Elements that have a place, by atomic number from hydrogen on.
const ELEMENTS: usize = 94;
/// Most functions of a length, layers, and layers of a perceptron, of any network of this kind.
const MOST: usize = 32;

/// Everything that changes the numbers Nequix computes, besides its weights.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NequixConfig {
    /// Longest bond, Å.
    pub cutoff: f64,
    /// Functions in which a bond's length is expanded.
    pub bessel: usize,
    /// Power of the polynomial by which bonds fade out towards the cutoff.
    pub power: f64,
    /// Widths of the hidden layers of the perceptrons of lengths.
    pub perceptron: Vec<usize>,
    /// Scalars that an atom's element sends in the first layer.
    pub first: usize,
    /// Channels of each degree between the layers.
    pub channels: Vec<usize>,
    /// Message-passing layers.
    pub convolutions: usize,
}

impl NequixConfig {
    /// The published potentials.
    pub fn published() -> Self {
        Self {
            cutoff: 6.0,
            bessel: 8,
            power: 6.0,
            perceptron: vec![64, 64],
            first: 96,
            channels: vec![128, 64, 32, 32],
            convolutions: 4,
        }
    }

    /// The channels of a layer.
    fn shape(&self, layer: usize) -> Shape {
        let sent = if layer == 0 { vec![self.first] } else { self.channels.clone() };
        let kept = if layer + 1 == self.convolutions { &self.channels[..1] } else { &self.channels };
        Shape::new(sent, kept.to_vec(), self.channels.len())
    }
}

impl Architecture for NequixConfig {
    type Net = Nequix;

    const TITLE: &'static str = "Nequix";
    // Its training needs forces and stresses as labels.
    const VARIANTS: &'static [Variant<Self>] = &[];
    const READERS: &'static [Reader<Self>] = &[Reader { recognises: foreign::recognises, convert: foreign::convert }];

    fn name(&self) -> &'static str {
        "nequix"
    }

    fn encodes(&self, element: Element) -> bool {
        usize::from(element.z()) <= ELEMENTS
    }

    fn input(&self, structure: &Structure) -> Result<Input, ModelError> {
        // No angles.
        BondGraph::new(structure, self.cutoff, 0.0).map(Input::Bonds)
    }

    fn net(&self, device: &Device) -> Nequix {
        Nequix::new(self, device)
    }

    fn forward(&self, net: &Nequix, inputs: &[&Input], device: &Device) -> Tensor<1> {
        Tensor::cat(inputs.iter().map(|input| net.forward(self, input.bonds(), device)).collect(), 0)
    }

    fn fused(&self, net: &Nequix) -> Option<Fused> {
        Some(Fused::new(fused::Nequix::new(net, self)))
    }

    fn values(&self) -> usize {
        let widest =
            self.channels.iter().chain([&self.first, &ELEMENTS]).fold(0, |sum: usize, n| sum.saturating_add(*n));
        let hidden = self.perceptron.iter().fold(self.bessel, |sum, n| sum.saturating_add(*n));
        // Of a layer: ways to join degrees, at most as many as of the highest.
        limits::sum(&[(self.convolutions, &[8, widest, widest]), (self.convolutions, &[23, widest, hidden])])
    }

    fn check(&self) -> Result<(), String> {
        let counts = [self.bessel, self.convolutions, self.perceptron.len()].iter().all(|n| (1..=MOST).contains(n));
        let degrees = (1..=DEGREES).contains(&self.channels.len());
        let whole = |n: &usize| *n > 0 && n.is_multiple_of(PANEL);
        let widths = self.channels.iter().chain([&self.first]).all(whole) && self.perceptron.iter().all(|n| *n > 0);
        let fades = (2.0..=FARTHEST).contains(&self.power);
        match 0.0 < self.cutoff && self.cutoff <= FARTHEST && counts && degrees && widths && fades {
            true => Ok(()),
            false => Err(format!("its settings are those of no energy model: {self:?}")),
        }
    }
}
