//! DeeperGATGNN (Omee et al., Patterns 2022, 3, 100491): many layers of augmented graph attention, kept apart by differentiable
//! group normalisation and carried by skip connections; an attention over atoms weighs them into one vector.
//!
//! An attention layer acts on the concatenations `[x_i, e]` and `[x_j, e]` with one weight. Its product is taken in two
//! parts, once per atom and once per bond, and added along the bonds: the same sum at a quarter of the multiplications.

pub(super) mod foreign;
pub(super) mod fused;
pub(super) mod module;

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
pub use module::DeeperGatgnn;

/// Everything that changes the numbers DeeperGATGNN computes, besides its weights.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeeperGatgnnConfig {
    /// Which pairs of atoms are bonds; each atom also has one to itself, of length 0.
    pub edges: Neighborhood,
    /// Basis of the bond length, Å. The original scales lengths to 0..1 by the longest of its training set; here that length
    /// is the last centre, which the widths are relative to.
    pub bonds: GaussianBasis,
    /// Attention layers.
    pub layers: usize,
    /// Width of atoms and bonds.
    pub hidden: usize,
}

impl DeeperGatgnnConfig {
    /// The published network (10 layers, width 64) on a periodic graph: 12 nearest neighbours with their images. 384,466
    /// parameters.
    pub fn periodic() -> Self {
        Self { edges: Neighborhood::Nearest { count: 12, cutoff: 8.0 }, ..Self::published(8.0) }
    }

    /// The published graph: of each pair of atoms the nearest image only, within 8 Å; `longest` is the longest bond (Å) of the
    /// data set on which the weights were trained.
    pub fn published(longest: f32) -> Self {
        // 50 centres from 0 to 1, exponent 0.5 / 0.2², of d / longest.
        let bonds = GaussianBasis { first: 0.0, last: longest, count: 50, gamma: 12.5 / (longest * longest) };
        Self { edges: Neighborhood::MinimumImage { count: 12, cutoff: 8.0 }, bonds, layers: 10, hidden: 64 }
    }
}

impl Architecture for DeeperGatgnnConfig {
    type Net = DeeperGatgnn;

    const TITLE: &'static str = "DeeperGATGNN";
    const VARIANTS: &'static [Variant<Self>] =
        &[Variant { name: "deeper-gatgnn", usual: Self::periodic, published_rmse: Some(0.11) }];
    const READERS: &'static [Reader<Self>] = &[Reader { recognises: foreign::recognises, convert: foreign::convert }];

    fn name(&self) -> &'static str {
        "deeper-gatgnn"
    }

    fn input(&self, structure: &Structure) -> Result<Input, ModelError> {
        Graph::of_distinct_sites(structure, self.edges).map(Input::Graph)
    }

    fn net(&self, device: &Device) -> DeeperGatgnn {
        DeeperGatgnn::new(self, device)
    }

    fn forward(&self, net: &DeeperGatgnn, inputs: &[&Input], device: &Device) -> Tensor<1> {
        net.forward(self, &GraphBatch::new(&graphs(inputs), &self.bonds, device))
    }

    fn fused(&self, net: &DeeperGatgnn) -> Option<Fused> {
        Some(Fused::new(fused::DeeperGatgnn::new(net, self)))
    }

    fn spaces(&self) -> Vec<(&'static str, Space)> {
        let space = Space::default()
            .with("layers", steps(4, 20, 2))
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
        limits::sum(&[(self.layers, &[8, self.hidden, self.hidden]), (self.bonds.count, &[self.hidden])])
    }

    fn check(&self) -> Result<(), String> {
        limits::graph(self.edges, &[self.bonds])
    }
}
