//! GATGNN: global attention graph network (Louis et al., Phys. Chem. Chem. Phys. 2020, 22, 18141), from which DeeperGATGNN
//! descends. Three layers of augmented graph attention (`Attention` there), each followed by a batch normalisation; the composition
//! decides the weight of each atom in its crystal (GI-M1 of the paper).

mod foreign;
mod fused;
mod module;

use burn::prelude::*;

use super::{
    architecture::{Architecture, Reader, Variant},
    batch::{GaussianBasis, GraphBatch},
    fused::Fused,
    graph::{Graph, Neighborhood},
    input::{Input, graphs},
    tune::space::{Settings, Space, steps, whole},
    weights::limits,
};
use crate::ModelError;
use crystal::Structure;
pub use module::Gatgnn;

/// Everything that changes the numbers GATGNN computes, besides its weights.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatgnnConfig {
    /// Which pairs of atoms are bonds.
    pub edges: Neighborhood,
    /// Basis of the bond length, Å.
    pub bonds: GaussianBasis,
    /// Attention layers.
    pub layers: usize,
    /// Width of atoms and bonds.
    pub hidden: usize,
    /// Width of the layer that weighs atoms.
    pub weigher: usize,
}

impl GatgnnConfig {
    /// The published network on a periodic graph of whole shells: 122,874 parameters that take part.
    pub fn periodic() -> Self {
        Self { edges: Neighborhood::Nearest { count: 12, cutoff: 8.0 }, ..Self::published() }
    }

    /// The published settings: 12 neighbours within 8 Å, 41 Gaussians of width 0.2 Å, 3 layers of width 64, 4 heads.
    pub fn published() -> Self {
        Self {
            edges: Neighborhood::Exactly { count: 12, cutoff: 8.0 },
            bonds: GaussianBasis { first: 0.0, last: 8.0, count: 41, gamma: 25.0 },
            layers: 3,
            hidden: 64,
            weigher: 32,
        }
    }
}

impl Architecture for GatgnnConfig {
    type Net = Gatgnn;

    const TITLE: &'static str = "GATGNN";
    const VARIANTS: &'static [Variant<Self>] =
        &[Variant { name: "gatgnn", usual: Self::periodic, published_rmse: None }];
    const READERS: &'static [Reader<Self>] = &[Reader { recognises: foreign::recognises, convert: foreign::convert }];

    fn name(&self) -> &'static str {
        "gatgnn"
    }

    fn input(&self, structure: &Structure) -> Result<Input, ModelError> {
        Graph::of_distinct_sites(structure, self.edges).map(Input::Graph)
    }

    fn net(&self, device: &Device) -> Gatgnn {
        Gatgnn::new(self, device)
    }

    fn forward(&self, net: &Gatgnn, inputs: &[&Input], device: &Device) -> Tensor<1> {
        net.forward(&GraphBatch::new(&graphs(inputs), &self.bonds, device))
    }

    fn fused(&self, net: &Gatgnn) -> Option<Fused> {
        Some(Fused::new(fused::Gatgnn::new(net, self)))
    }

    fn spaces(&self) -> Vec<(&'static str, Space)> {
        let space = Space::default()
            .with("layers", steps(1, 5, 1))
            .with("hidden", steps(32, 128, 16))
            .with("neighbors", steps(8, 16, 2));
        vec![("usual", space.fitted())]
    }

    fn chosen(&self, settings: &Settings) -> Option<Self> {
        Some(Self {
            edges: self.edges.with_count(whole(settings, "neighbors")),
            layers: whole(settings, "layers")?,
            hidden: whole(settings, "hidden")?,
            ..self.clone()
        })
    }

    fn values(&self) -> usize {
        let (layers, bonds) =
            ((self.layers, &[8, self.hidden, self.hidden][..]), (self.bonds.count, &[self.hidden][..]));
        limits::sum(&[layers, bonds, (self.weigher, &[self.hidden])])
    }

    fn check(&self) -> Result<(), String> {
        limits::graph(self.edges, &[self.bonds])
    }
}
