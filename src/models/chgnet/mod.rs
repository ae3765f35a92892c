//! CHGNet: crystal Hamiltonian graph network (Deng et al., Nat. Mach. Intell. 2023, 5, 1031).
//!
//! The energy of a crystal is a sum over its atoms, each of which knows its surroundings by messages along bonds of up to 6 Å, and along
//! the angles between bonds of up to 3 Å. It is smooth in the positions and in the cell, so that its gradients are forces and stress. The
//! scale is that of the calculations it learned from: total energies with the Materials Project's corrections, not formation energies.
//!
//! Here the network is defined in burn, for reference and for its weights; queries run [`super::fused`]'s form of it, which has the
//! gradients too.

mod foreign;
mod fused;
mod module;

use burn::prelude::*;

use super::{
    architecture::{Architecture, Reader, Variant},
    bond_graph::BondGraph,
    fused::Fused,
    input::Input,
    weights::limits::{self, FARTHEST},
};
use crate::ModelError;
use crystal::{Element, Structure};
pub use module::Chgnet;

/// Width of all vectors.
pub const WIDTH: usize = 64;
/// Elements that have a vector, by atomic number from hydrogen on.
pub const ELEMENTS: usize = 94;
/// Cosines are multiplied by it: the derivative of the angle has no bounds at 0 and 180°.
pub(super) const COSINE: f64 = 1.0 - 1e-6;

/// Everything that changes the numbers CHGNet computes, besides its weights.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChgnetConfig {
    /// Longest bond, Å.
    pub atom_graph_cutoff: f64,
    /// Longest bond that forms angles, Å.
    pub bond_graph_cutoff: f64,
    /// Exponent with which bonds fade out towards their cutoff.
    pub cutoff_exponent: i32,
    /// Sines of a bond's length.
    pub radial: usize,
    /// Functions of an angle: a constant, and as many sines as cosines.
    pub angular: usize,
    /// Convolutions of atoms; all but the last are followed by one of bonds and one of angles.
    pub convolutions: usize,
}

impl ChgnetConfig {
    /// CHGNet 0.3.0.
    pub fn published() -> Self {
        Self {
            atom_graph_cutoff: 6.0,
            bond_graph_cutoff: 3.0,
            cutoff_exponent: 8,
            radial: 31,
            angular: 31,
            convolutions: 4,
        }
    }

    /// Sines among the functions of an angle.
    pub(super) fn harmonics(&self) -> usize {
        (self.angular - 1) / 2
    }
}

impl Architecture for ChgnetConfig {
    type Net = Chgnet;

    const TITLE: &'static str = "CHGNet";
    // Its training needs forces, stresses and moments as labels.
    const VARIANTS: &'static [Variant<Self>] = &[];
    const READERS: &'static [Reader<Self>] = &[Reader { recognises: foreign::recognises, convert: foreign::convert }];

    fn name(&self) -> &'static str {
        "chgnet"
    }

    fn encodes(&self, element: Element) -> bool {
        usize::from(element.z()) <= ELEMENTS
    }

    fn input(&self, structure: &Structure) -> Result<Input, ModelError> {
        BondGraph::new(structure, self.atom_graph_cutoff, self.bond_graph_cutoff).map(Input::Bonds)
    }

    fn net(&self, device: &Device) -> Chgnet {
        Chgnet::new(self, device)
    }

    fn forward(&self, net: &Chgnet, inputs: &[&Input], device: &Device) -> Tensor<1> {
        Tensor::cat(inputs.iter().map(|input| net.forward(self, input.bonds(), device)).collect(), 0)
    }

    fn fused(&self, net: &Chgnet) -> Option<Fused> {
        Some(Fused::new(fused::Chgnet::new(net, self)))
    }

    fn values(&self) -> usize {
        let bases = self.radial.saturating_mul(3).saturating_add(self.angular);
        limits::sum(&[(self.convolutions, &[30, WIDTH, WIDTH]), (bases, &[WIDTH])])
    }

    fn check(&self) -> Result<(), String> {
        let radii = 0.0 < self.bond_graph_cutoff
            && self.bond_graph_cutoff <= self.atom_graph_cutoff
            && self.atom_graph_cutoff <= FARTHEST;
        let counts = self.convolutions > 0 && self.radial > 0 && self.angular % 2 == 1;
        match radii && counts && (1..=32).contains(&self.cutoff_exponent) {
            true => Ok(()),
            false => Err(format!("its settings are those of no energy model: {self:?}")),
        }
    }
}
