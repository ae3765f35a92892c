//! SchNet: a convolution over continuous lengths (Schütt *et al.*, NIPS 2017, 992; *J. Chem. Phys.* **148** (2018) 241722).
//!
//! What an atom sends to another is multiplied, number by number, with a filter that two layers make of the bond's length. A filter
//! depends on the length alone, so that filters are tabulated once for all bonds of a step and interpolated: a bond costs no
//! matrix product. The table is part of the network: with another number of points it is another. Beyond the original:
//! vectors of atoms are divided by their root mean square before a layer reads them, and the crystal's vector is a mean, not a sum.

mod crystals;
mod fit;
mod fused;
mod kernels;
mod module;
mod table;

use burn::prelude::*;

use super::{
    architecture::{Architecture, Variant},
    batch::GaussianBasis,
    fused::Fused,
    graph::{Graph, Neighborhood},
    input::{Input, graphs},
    loss::Loss,
    step::Step,
    tune::space::{Settings, Space, steps, whole},
    weights::limits,
};
use crate::error::ModelError;
use crystal::{Element, Structure};
pub use module::Schnet;

/// Bonds of a pass: what the atoms of so many keep for the way back is a few MB.
const ROWS_PER_PASS: usize = 6_000;

/// Everything that changes the numbers SchNet computes, besides its weights.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchnetConfig {
    /// Which pairs of atoms are bonds.
    pub edges: Neighborhood,
    /// Basis of the bond length, Å; filters are tabulated over its reach.
    pub bonds: GaussianBasis,
    /// Points of the table.
    pub points: usize,
    /// Interactions.
    pub layers: usize,
    /// Width of atoms and filters.
    pub hidden: usize,
    /// Width of the crystal's vector.
    pub readout: usize,
}

impl SchnetConfig {
    /// Twelve neighbours, 48 Gaussians, four interactions of width 128.
    pub fn usual() -> Self {
        Self {
            edges: Neighborhood::Nearest { count: 12, cutoff: 5.0 },
            bonds: GaussianBasis { first: 0.6, last: 8.0, count: 48, gamma: 14.0 },
            points: 320,
            layers: 4,
            hidden: 128,
            readout: 64,
        }
    }
}

impl Architecture for SchnetConfig {
    type Net = Schnet;

    const TITLE: &'static str = "SchNet";
    const VARIANTS: &'static [Variant<Self>] = &[Variant { name: "schnet", usual: Self::usual, published_rmse: None }];

    fn name(&self) -> &'static str {
        "schnet"
    }

    fn encodes(&self, element: Element) -> bool {
        usize::from(element.z()) < module::ELEMENTS
    }

    fn input(&self, structure: &Structure) -> Result<Input, ModelError> {
        Graph::of_distinct_sites(structure, self.edges).map(Input::Graph)
    }

    fn rows_per_pass(&self) -> usize {
        ROWS_PER_PASS
    }

    fn net(&self, device: &Device) -> Schnet {
        Schnet::new(self, device)
    }

    fn forward(&self, net: &Schnet, inputs: &[&Input], device: &Device) -> Tensor<1> {
        net.forward(self, &graphs(inputs), device)
    }

    fn fused(&self, net: &Schnet) -> Option<Fused> {
        Some(Fused::new(fused::Schnet::new(net, self)))
    }

    fn step(&self, net: &Schnet, items: &[(&Input, f32)], loss: Loss, threads: usize) -> Option<Step> {
        Some(fit::step(net, self, items, loss, threads))
    }

    fn spaces(&self) -> Vec<(&'static str, Space)> {
        let space = Space::default()
            .with("layers", steps(2, 6, 1))
            .with("hidden", steps(64, 256, 32))
            .with("readout", steps(32, 128, 32))
            .with("neighbors", steps(8, 24, 4));
        vec![("usual", space.fitted())]
    }

    fn chosen(&self, settings: &Settings) -> Option<Self> {
        Some(Self {
            edges: self.edges.with_count(whole(settings, "neighbors")),
            layers: whole(settings, "layers")?,
            hidden: whole(settings, "hidden")?,
            readout: whole(settings, "readout")?,
            ..self.clone()
        })
    }

    fn values(&self) -> usize {
        let filters = self.hidden.saturating_add(self.bonds.count).saturating_add(self.points);
        limits::sum(&[
            (self.layers, &[self.hidden, filters]),
            (self.layers, &[4, self.hidden, self.hidden]),
            (self.hidden, &[self.readout]),
        ])
    }

    fn check(&self) -> Result<(), String> {
        if self.points < 2 {
            return Err(format!("a table of {} points", self.points));
        }
        limits::graph(self.edges, &[self.bonds])
    }
}
