//! The network in burn: a definition of what it computes, and what training fits.

use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::activation::leaky_relu;

use super::GatgnnConfig;
use crate::{
    atoms::{ATOM_FEATURES, atom_features},
    batch::GraphBatch,
    deeper_gatgnn::module::{Attention, Bonds},
    kernels::{softplus, sum_runs, weighted_batch_norm},
    segments::softmax_runs,
};

/// Length of the composition vector: elements 1 to 103.
pub(super) const COMPOSITION: usize = 103;
const SLOPE: f64 = 0.2;

#[derive(Module, Debug)]
pub(super) struct Layer {
    pub(super) attention: Attention,
    pub(super) norm: BatchNorm,
}

/// The network. Weights only: the configuration is handed to every call.
#[derive(Module, Debug)]
pub struct Gatgnn {
    pub(super) atom: Linear,
    pub(super) bond: Linear,
    pub(super) layers: Vec<Layer>,
    pub(super) weigh: Linear,
    pub(super) weight: Linear,
    pub(super) first: Linear,
    pub(super) second: Linear,
    pub(super) out: Linear,
}

impl Gatgnn {
    /// Random weights on `device`.
    pub fn new(config: &GatgnnConfig, device: &Device) -> Self {
        let width = config.hidden;
        let linear = |i, o| LinearConfig::new(i, o).init(device);
        let layer =
            || Layer { attention: Attention::new(width, device), norm: BatchNormConfig::new(width).init(device) };
        Self {
            atom: linear(ATOM_FEATURES, width),
            bond: linear(config.bonds.count, width),
            layers: (0..config.layers).map(|_| layer()).collect(),
            weigh: linear(width + COMPOSITION, config.weigher),
            weight: linear(config.weigher, 1),
            first: linear(width, width),
            second: linear(width, width),
            out: linear(width, 1),
        }
    }

    /// One number per graph, `[B]`, in the units the weights were trained in.
    pub fn forward(&self, batch: &GraphBatch) -> Tensor<1> {
        let atoms = self.atoms(batch).pop().expect("there is one value at least");
        // Column 0 of a composition by atomic number is of no element.
        let composition = batch.composition(COMPOSITION + 1).slice([0..batch.graphs, 1..COMPOSITION + 1]);
        let inputs = Tensor::cat(vec![atoms.clone(), composition.select(0, batch.node_graph.clone())], 1);
        let score = self.weight.forward(softplus(self.weigh.forward(inputs)));
        let weight = softmax_runs(score, batch.node_graph.clone(), batch.graphs, &batch.node_weights);
        let sum = sum_runs(atoms * weight, batch.node_graph.clone(), batch.graphs);
        let crystal = softplus(self.second.forward(softplus(self.first.forward(sum))));
        self.out.forward(crystal).reshape([batch.graphs])
    }

    /// Vectors of the atoms, `[N, hidden]`: as embedded, and after each layer.
    pub fn atoms(&self, batch: &GraphBatch) -> Vec<Tensor<2>> {
        let weights = batch.edge_weights.clone();
        let bonds = Bonds { center: batch.center.clone(), neighbor: batch.neighbor.clone(), weights };
        let e = leaky_relu(self.bond.forward(batch.bonds.clone()), SLOPE);
        let table = atom_features(&batch.bonds.device());
        let mut values = vec![self.atom.forward(table.select(0, batch.numbers.clone()))];
        for layer in &self.layers {
            let x = values[values.len() - 1].clone();
            let fresh = layer.attention.forward(&bonds, x, e.clone());
            values.push(softplus(weighted_batch_norm(&layer.norm, fresh, &batch.node_weights)));
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::fitted_parameters;

    #[test]
    fn the_published_network_has_122_874_parameters_that_take_part() {
        // 134,154 with those of the other ways to weigh atoms, and of a PReLU, which the published code owns and never uses.
        assert_eq!(fitted_parameters(&Gatgnn::new(&GatgnnConfig::published(), &Device::flex())), 122_874);
    }
}
