//! TensorNet: an energy model whose atoms carry matrices (Simeon & De Fabritiis, NeurIPS 2023, arXiv:2306.06482).
//!
//! Every atom has, in each of some hundred channels, a matrix of three by three: a multiple of the unit matrix, an antisymmetric part
//! and a symmetric one without trace, which turn with the crystal as a scalar, a vector and a quadrupole do. Messages along bonds of
//! up to 5 Å mix them by weights that depend on the length alone, and products of matrices make of them what no sum could. The energy
//! of an atom is read from the sizes of its parts, which do not turn.
//!
//! The scale is that of the calculations it learned from. The published weights, of MatPES (Kaplan et al., arXiv:2503.04070), are of
//! plain PBE or r2SCAN: no Hubbard U, no corrections, so that they must not be compared with energies that carry those.
//!
//! Here the network is defined in burn, for reference and for its weights; queries run [`super::fused`]'s form of it, which has the
//! gradients too.

mod basis;
mod foreign;
mod fused;
mod module;

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
pub use module::Tensornet;

/// Elements that have a place, by atomic number from hydrogen on.
const ELEMENTS: usize = 94;
/// Most functions of a length, and most layers, of any network of this kind.
const MOST: usize = 32;

/// Everything that changes the numbers TensorNet computes, besides its weights.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TensornetConfig {
    /// Longest bond, Å.
    pub cutoff: f64,
    /// Functions in which a bond's length is expanded.
    pub bessel: usize,
    /// Channels: matrices of an atom.
    pub units: usize,
    /// Message-passing layers, after the one that makes the matrices.
    pub interactions: usize,
}

impl TensornetConfig {
    /// The published potentials of MatPES.
    pub fn published() -> Self {
        Self { cutoff: 5.0, bessel: 3, units: 128, interactions: 2 }
    }
}

impl Architecture for TensornetConfig {
    type Net = Tensornet;

    const TITLE: &'static str = "TensorNet";
    // Its training needs forces and stresses as labels.
    const VARIANTS: &'static [Variant<Self>] = &[];
    const READERS: &'static [Reader<Self>] = &[Reader { recognises: foreign::recognises, convert: foreign::convert }];

    fn name(&self) -> &'static str {
        "tensornet"
    }

    fn encodes(&self, element: Element) -> bool {
        usize::from(element.z()) <= ELEMENTS
    }

    fn input(&self, structure: &Structure) -> Result<Input, ModelError> {
        // No angles.
        BondGraph::new(structure, self.cutoff, 0.0).map(Input::Bonds)
    }

    fn net(&self, device: &Device) -> Tensornet {
        Tensornet::new(self, device)
    }

    fn forward(&self, net: &Tensornet, inputs: &[&Input], device: &Device) -> Tensor<1> {
        Tensor::cat(inputs.iter().map(|input| net.forward(self, input.bonds(), device)).collect(), 0)
    }

    fn fused(&self, net: &Tensornet) -> Option<Fused> {
        Some(Fused::new(fused::Tensornet::new(net, self)))
    }

    fn values(&self) -> usize {
        let wide: &[usize] = &[self.units, self.units];
        limits::sum(&[(self.interactions, &[14, self.units, self.units]), (25, wide), (ELEMENTS, &[self.units])])
    }

    fn check(&self) -> Result<(), String> {
        let counts = (1..=MOST).contains(&self.bessel) && (1..=MOST).contains(&self.interactions);
        let whole = self.units > 0 && self.units.is_multiple_of(PANEL);
        match 0.0 < self.cutoff && self.cutoff <= FARTHEST && counts && whole {
            true => Ok(()),
            false => Err(format!("its settings are those of no energy model: {self:?}")),
        }
    }
}
