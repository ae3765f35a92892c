//! CGCNN: crystal graph convolutional network (Xie and Grossman, Phys. Rev. Lett. 2018, 120, 145301).

mod fit;
mod foreign;
mod fused;
mod kernels;
mod module;

use burn::prelude::*;

use super::{
    architecture::{Architecture, Reader, Variant},
    batch::{GaussianBasis, GraphBatch},
    fused::Fused,
    graph::{Graph, Neighborhood},
    input::{Input, graphs},
    loss::Loss,
    step::Step,
    tune::space::{Settings, Space, steps, whole},
    weights::limits,
};
use crate::ModelError;
use crystal::Structure;
pub use module::Cgcnn;

/// Bonds of a pass.
const ROWS_PER_PASS: usize = 6_000;

/// Everything that changes the numbers CGCNN computes, besides its weights.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CgcnnConfig {
    /// Which pairs of atoms are bonds.
    pub edges: Neighborhood,
    /// Basis of the bond length, Å.
    pub bonds: GaussianBasis,
    /// Convolutions.
    pub convolutions: usize,
    /// Width of atoms.
    pub atom: usize,
    /// Width of the crystal's vector.
    pub crystal: usize,
}

impl CgcnnConfig {
    /// The published weights for formation energy: 12 neighbours within 8 Å, 41 Gaussians of width 0.2 Å, 4 convolutions.
    pub fn published() -> Self {
        Self {
            edges: Neighborhood::Nearest { count: 12, cutoff: 8.0 },
            bonds: GaussianBasis { first: 0.0, last: 8.0, count: 41, gamma: 25.0 },
            convolutions: 4,
            atom: 64,
            crystal: 32,
        }
    }
}

impl Architecture for CgcnnConfig {
    type Net = Cgcnn;

    const TITLE: &'static str = "CGCNN";
    const VARIANTS: &'static [Variant<Self>] =
        &[Variant { name: "cgcnn", usual: Self::published, published_rmse: None }];
    const READERS: &'static [Reader<Self>] = &[Reader { recognises: foreign::recognises, convert: foreign::convert }];

    fn name(&self) -> &'static str {
        "cgcnn"
    }

    fn input(&self, structure: &Structure) -> Result<Input, ModelError> {
        Graph::of_distinct_sites(structure, self.edges).map(Input::Graph)
    }

    fn rows_per_pass(&self) -> usize {
        ROWS_PER_PASS
    }

    fn net(&self, device: &Device) -> Cgcnn {
        Cgcnn::new(self, device)
    }

    fn forward(&self, net: &Cgcnn, inputs: &[&Input], device: &Device) -> Tensor<1> {
        net.forward(&GraphBatch::new(&graphs(inputs), &self.bonds, device))
    }

    fn fused(&self, net: &Cgcnn) -> Option<Fused> {
        Some(Fused::new(fused::Cgcnn::new(net, self)))
    }

    fn step(&self, net: &Cgcnn, items: &[(&Input, f32)], loss: Loss, threads: usize) -> Option<Step> {
        Some(fit::step(net, self, items, loss, threads))
    }

    fn spaces(&self) -> Vec<(&'static str, Space)> {
        let space = Space::default()
            .with("convolutions", steps(2, 6, 1))
            .with("atom", steps(32, 128, 16))
            .with("crystal", steps(32, 256, 32))
            .with("neighbors", steps(8, 16, 2));
        vec![("usual", space.fitted())]
    }

    fn chosen(&self, settings: &Settings) -> Option<Self> {
        Some(Self {
            edges: self.edges.with_count(whole(settings, "neighbors")),
            convolutions: whole(settings, "convolutions")?,
            atom: whole(settings, "atom")?,
            crystal: whole(settings, "crystal")?,
            ..self.clone()
        })
    }

    fn values(&self) -> usize {
        let joined = self.atom.saturating_mul(2).saturating_add(self.bonds.count);
        limits::sum(&[(self.convolutions, &[joined, 2, self.atom]), (self.atom, &[self.crystal])])
    }

    fn check(&self) -> Result<(), String> {
        limits::graph(self.edges, &[self.bonds])
    }
}
