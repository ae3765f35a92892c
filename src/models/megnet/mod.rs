//! MEGNet: MatErials Graph Network (Chen, Ye, Zuo, Zheng and Ong, Chem. Mater. 2019, 31, 3564).
//!
//! Atoms, bonds and a state of the whole crystal each carry a vector of 32 values; three blocks let them inform one
//! another; two Set2Sets and a small network turn them into one number. The first layer of each bond update acts on the
//! concatenation `[v_i, v_j, e, u]`; its weight is applied in four slices, so that the products with atoms and state are
//! taken once per atom and only added along the bonds: the same sum, at a quarter of the multiplications.

mod fused;
mod keras;
mod matgl;
mod module;

use burn::prelude::*;

use super::{
    architecture::{Architecture, Reader, Variant},
    batch::{GaussianBasis, GraphBatch},
    fused::Fused,
    graph::{Graph, Neighborhood},
    input::{Input, graphs},
    set2set::Set2SetMode,
    tune::space::{Domain, Settings, Space, number, steps, whole},
    weights::limits,
};
use crate::ModelError;
use crystal::{Element, Structure};
pub use module::Megnet;

/// Everything that changes the numbers MEGNet computes, besides its weights.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct MegnetConfig {
    /// Neighbour cutoff, Å.
    pub cutoff: f64,
    /// Basis in which bond lengths are expanded.
    pub basis: GaussianBasis,
    /// Number of blocks.
    pub blocks: usize,
    /// Rows of the atom embedding; row index is the atomic number (original) or a place in matgl's element list.
    pub embedding_rows: usize,
    /// Which published variant: readout, order of concatenations and last activation differ.
    pub variant: Set2SetMode,
    /// Steps of the Set2Sets, where they are not the variant's usual number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
}

impl MegnetConfig {
    /// The original: cutoff 5 Å, 100 Gaussians from 0 to 6 Å of width 0.5 Å, 3 blocks, 95 rows; 167,761 parameters.
    pub fn original() -> Self {
        Self {
            cutoff: 5.0,
            basis: GaussianBasis { first: 0.0, last: 6.0, count: 100, gamma: 4.0 },
            blocks: 3,
            embedding_rows: 95,
            variant: Set2SetMode::Megnet,
            steps: None,
        }
    }

    /// matgl's defaults: cutoff 4 Å, 100 Gaussians from 0 to 5 Å, exponent 0.5 (not 1/0.5²), 89 elements.
    pub fn matgl() -> Self {
        Self {
            cutoff: 4.0,
            basis: GaussianBasis { first: 0.0, last: 5.0, count: 100, gamma: 0.5 },
            blocks: 3,
            embedding_rows: 89,
            variant: Set2SetMode::Matgl,
            steps: None,
        }
    }
}

impl MegnetConfig {
    fn edges(&self) -> Neighborhood {
        Neighborhood::Within { cutoff: self.cutoff }
    }
}

impl Architecture for MegnetConfig {
    type Net = Megnet;

    const TITLE: &'static str = "MEGNet";
    const VARIANTS: &'static [Variant<Self>] =
        &[Variant { name: "megnet", usual: Self::original, published_rmse: Some(0.13) }];
    const READERS: &'static [Reader<Self>] = &[
        Reader { recognises: matgl::recognises, convert: matgl::convert },
        Reader { recognises: keras::recognises, convert: keras::convert },
    ];

    fn name(&self) -> &'static str {
        "megnet"
    }

    fn encodes(&self, element: Element) -> bool {
        usize::from(element.z()) < self.embedding_rows
    }

    fn input(&self, structure: &Structure) -> Result<Input, ModelError> {
        Graph::of_distinct_sites(structure, self.edges()).map(Input::Graph)
    }

    fn rows_per_pass(&self) -> usize {
        6_000
    }

    fn net(&self, device: &Device) -> Megnet {
        Megnet::new(self, device)
    }

    fn forward(&self, net: &Megnet, inputs: &[&Input], device: &Device) -> Tensor<1> {
        net.forward(self, &GraphBatch::new(&graphs(inputs), &self.basis, device))
    }

    fn fused(&self, net: &Megnet) -> Option<Fused> {
        Some(Fused::new(fused::Megnet::new(net, self)))
    }

    fn spaces(&self) -> Vec<(&'static str, Space)> {
        let cutoff = Domain::Real { low: 3.5, high: 7.0 };
        vec![("usual", Space::default().with("blocks", steps(1, 5, 1)).with("cutoff", cutoff).fitted())]
    }

    fn chosen(&self, settings: &Settings) -> Option<Self> {
        let cutoff = number(settings, "cutoff")?;
        // The published basis ends an ångström beyond the cutoff.
        let basis = GaussianBasis { last: cutoff as f32 + 1.0, ..self.basis };
        Some(Self { cutoff, basis, blocks: whole(settings, "blocks")?, ..self.clone() })
    }

    fn values(&self) -> usize {
        limits::sum(&[(self.blocks, &[64, 512]), (self.embedding_rows, &[16]), (self.basis.count, &[64])])
    }

    fn check(&self) -> Result<(), String> {
        limits::graph(self.edges(), &[self.basis])
    }
}
