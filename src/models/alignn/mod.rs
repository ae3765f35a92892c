//! ALIGNN: Atomistic LIne Graph Neural Network (Choudhary and DeCost, npj Comput. Mater. 2021, 7, 185).
//!
//! Messages pass along bonds between atoms, and along angles between bonds: an ALIGNN layer is an edge-gated convolution on
//! the crystal graph whose updated bonds are the nodes of a second one on the line graph. The published model normalises
//! with batch statistics; its successor `alignn_atomwise` over the features of each row. A checkpoint fits only its own.

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
    line_graph::LineGraph,
    tune::space::{Settings, Space, steps, whole},
    weights::limits,
};
use crate::ModelError;
use crystal::Structure;
pub use module::Alignn;

/// How a layer normalises its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalisation {
    /// By the mean and variance of each feature over the batch (`alignn`).
    Batch,
    /// By the mean and variance of each row (`alignn_atomwise`).
    Layer,
}

/// Everything that changes the numbers ALIGNN computes, besides its weights.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlignnConfig {
    /// Which pairs of atoms are bonds.
    pub edges: Neighborhood,
    /// Basis in which bond lengths are expanded, Å.
    pub bonds: GaussianBasis,
    /// Basis in which the cosines of angles are expanded.
    pub angles: GaussianBasis,
    /// Layers on crystal and line graph.
    pub alignn_layers: usize,
    /// Layers on the crystal graph alone, after those.
    pub gcn_layers: usize,
    /// Width between basis and first layer.
    pub embedding: usize,
    /// Width of atoms, bonds and angles.
    pub hidden: usize,
    /// Normalisation within each layer.
    pub normalisation: Normalisation,
}

impl AlignnConfig {
    /// The published settings: 12 nearest neighbours, 4 + 4 layers of width 256; 4,026,753 parameters with
    /// [`Normalisation::Batch`].
    pub fn published(normalisation: Normalisation) -> Self {
        // The published exponent is 1 / spacing, not 1 / spacing².
        Self {
            edges: Neighborhood::Nearest { count: 12, cutoff: 8.0 },
            bonds: GaussianBasis { first: 0.0, last: 8.0, count: 80, gamma: 79.0 / 8.0 },
            angles: GaussianBasis { first: -1.0, last: 1.0, count: 40, gamma: 39.0 / 2.0 },
            alignn_layers: 4,
            gcn_layers: 4,
            embedding: 64,
            hidden: 256,
            normalisation,
        }
    }
}

impl Architecture for AlignnConfig {
    type Net = Alignn;

    const TITLE: &'static str = "ALIGNN";
    const VARIANTS: &'static [Variant<Self>] = &[
        Variant { name: "alignn", usual: || Self::published(Normalisation::Batch), published_rmse: Some(0.11) },
        Variant { name: "alignn-atomwise", usual: || Self::published(Normalisation::Layer), published_rmse: None },
    ];
    const READERS: &'static [Reader<Self>] = &[Reader { recognises: foreign::recognises, convert: foreign::convert }];

    fn name(&self) -> &'static str {
        match self.normalisation {
            Normalisation::Batch => "alignn",
            Normalisation::Layer => "alignn-atomwise",
        }
    }

    fn input(&self, structure: &Structure) -> Result<Input, ModelError> {
        let graph = Graph::new(structure, self.edges)?;
        let line = LineGraph::new(&graph);
        Ok(Input::Lines(graph, line))
    }

    fn rows_per_pass(&self) -> usize {
        1_500_000 / self.hidden
    }

    fn net(&self, device: &Device) -> Alignn {
        Alignn::new(self, device)
    }

    fn forward(&self, net: &Alignn, inputs: &[&Input], device: &Device) -> Tensor<1> {
        let lines: Vec<(&Graph, &LineGraph)> = inputs.iter().map(|input| input.lines()).collect();
        let batch = GraphBatch::new(&graphs(inputs), &self.bonds, device);
        net.forward(&batch.with_lines(&lines, &self.angles, device))
    }

    fn fused(&self, net: &Alignn) -> Option<Fused> {
        Some(Fused::new(fused::Alignn::new(net, self)))
    }

    fn spaces(&self) -> Vec<(&'static str, Space)> {
        let space = Space::default()
            .with("alignn_layers", steps(1, 4, 1))
            .with("gcn_layers", steps(1, 4, 1))
            .with("hidden", steps(64, 256, 32))
            .with("neighbors", steps(8, 16, 2));
        vec![("usual", space.fitted())]
    }

    fn chosen(&self, settings: &Settings) -> Option<Self> {
        Some(Self {
            edges: self.edges.with_count(whole(settings, "neighbors")),
            alignn_layers: whole(settings, "alignn_layers")?,
            gcn_layers: whole(settings, "gcn_layers")?,
            hidden: whole(settings, "hidden")?,
            ..self.clone()
        })
    }

    fn values(&self) -> usize {
        let layers = self.alignn_layers.saturating_mul(2).saturating_add(self.gcn_layers);
        let bases = self.bonds.count.saturating_add(self.angles.count);
        let embedded = (2, &[self.embedding, self.hidden][..]);
        limits::sum(&[(layers, &[5, self.hidden, self.hidden]), embedded, (bases, &[self.embedding])])
    }

    fn check(&self) -> Result<(), String> {
        limits::graph(self.edges, &[self.bonds, self.angles])
    }
}
