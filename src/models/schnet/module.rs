//! The network in burn: a definition of what it computes, and the reference of the fused passes.

use burn::{
    nn::{Embedding, EmbeddingConfig, Initializer, Linear, LinearConfig},
    prelude::*,
    tensor::TensorData,
};

use super::{SchnetConfig, table::Grid};
use crate::{
    activation::gaussians,
    batch::GraphBatch,
    graph::Graph,
    kernels::{silu, sum_runs},
};

/// Rows of the embedding: atomic numbers up to this, and 0, which no atom has.
pub(super) const ELEMENTS: usize = 101;
/// A dozen messages are summed at an atom: filters are a quarter of what their layers put out.
pub(super) const FILTER: f32 = 0.25;
/// Added to the mean square by whose root a vector is divided.
pub(super) const EPSILON: f32 = 1e-6;

#[derive(Module, Debug)]
pub(super) struct Interaction {
    /// From the expansion of a length to its filter.
    pub(super) filter: Linear,
    pub(super) filter_out: Linear,
    /// What an atom sends.
    pub(super) sent: Linear,
    /// What an atom makes of the sum it gathers.
    pub(super) hidden: Linear,
    pub(super) output: Linear,
}

/// The network. Weights only: the configuration is handed to every call.
#[derive(Module, Debug)]
pub struct Schnet {
    pub(super) elements: Embedding,
    pub(super) interactions: Vec<Interaction>,
    pub(super) dense: Linear,
    pub(super) out: Linear,
}

/// The bonds of a batch: their ends, and where their lengths lie in the table.
struct Bonds {
    center: Tensor<1, Int>,
    neighbor: Tensor<1, Int>,
    below: Tensor<1, Int>,
    /// `[E, 1]`.
    fraction: Tensor<2>,
}

impl Interaction {
    fn forward(&self, bonds: &Bonds, lengths: &Tensor<2>, x: Tensor<2>) -> Tensor<2> {
        let [nodes, _] = x.dims();
        let table = self.filter_out.forward(silu(self.filter.forward(lengths.clone()))) * FILTER;
        let ends = [0, 1].map(|k| table.clone().select(0, bonds.below.clone() + k));
        let [low, high] = ends;
        let filter = low.clone() + (high - low) * bonds.fraction.clone();
        let sent = self.sent.forward(normal(x.clone()));
        let gathered = sum_runs(sent.select(0, bonds.neighbor.clone()) * filter, bonds.center.clone(), nodes);
        x + self.output.forward(silu(self.hidden.forward(gathered)))
    }
}

/// Each row divided by the root of its mean square.
fn normal(x: Tensor<2>) -> Tensor<2> {
    let size = (x.clone().square().mean_dim(1) + EPSILON).sqrt();
    x / size
}

impl Schnet {
    /// Random weights on `device`.
    pub fn new(config: &SchnetConfig, device: &Device) -> Self {
        let width = config.hidden;
        let linear = |inputs, outputs, bias, gain| {
            let initializer = Initializer::KaimingNormal { gain, fan_out_only: false };
            LinearConfig::new(inputs, outputs).with_bias(bias).with_initializer(initializer).init(device)
        };
        let interaction = || Interaction {
            filter: linear(config.bonds.count, width, true, 1.0),
            filter_out: linear(width, width, false, 1.0),
            sent: linear(width, width, false, 1.0),
            hidden: linear(width, width, true, 1.0),
            // Small at first: what an atom gathers adds to what it is.
            output: linear(width, width, true, 0.3),
        };
        Self {
            elements: EmbeddingConfig::new(ELEMENTS, width).init(device),
            interactions: (0..config.layers).map(|_| interaction()).collect(),
            dense: linear(width, config.readout, true, 1.0),
            out: linear(config.readout, 1, true, 1.0),
        }
    }

    /// One number per graph, `[B]`, in the units the weights were trained in.
    pub fn forward(&self, config: &SchnetConfig, graphs: &[&Graph], device: &Device) -> Tensor<1> {
        let batch = GraphBatch::new(graphs, &config.bonds, device);
        let grid = Grid::new(&config.bonds, config.points);
        let places: Vec<_> = graphs.iter().flat_map(|graph| &graph.distance).map(|&d| grid.place(d)).collect();
        let bonds = Bonds {
            below: Tensor::from_data(
                TensorData::new(places.iter().map(|p| p.below as i32).collect(), [places.len()]),
                device,
            ),
            fraction: Tensor::from_data(
                TensorData::new(places.iter().map(|p| p.fraction).collect(), [places.len(), 1]),
                device,
            ),
            center: batch.center,
            neighbor: batch.neighbor,
        };
        let mut lengths = vec![0.0; config.points * config.bonds.count];
        gaussians(&grid.lengths(), &config.bonds.centers(), config.bonds.gamma, &mut lengths);
        let lengths = Tensor::from_data(TensorData::new(lengths, [config.points, config.bonds.count]), device);
        let mut x = self.elements.weight.val().select(0, batch.numbers);
        for interaction in &self.interactions {
            x = interaction.forward(&bonds, &lengths, x);
        }
        let dense = silu(self.dense.forward(normal(x)));
        let crystal = sum_runs(dense * batch.share, batch.node_graph, batch.graphs);
        self.out.forward(crystal).reshape([batch.graphs])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::fitted_parameters;

    #[test]
    fn the_usual_network_has_so_many_parameters() {
        let (w, readout) = (128, 64);
        let interaction = 48 * w + w + 4 * w * w + 2 * w;
        let all = ELEMENTS * w + 4 * interaction + w * readout + readout + readout + 1;
        assert_eq!(fitted_parameters(&Schnet::new(&SchnetConfig::usual(), &Device::flex())), all);
    }
}
