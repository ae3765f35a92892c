//! The network in burn: a definition of what it computes, and what training fits.

use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::prelude::*;

use super::CgcnnConfig;
use crate::{
    atoms::{ATOM_FEATURES, atom_features},
    batch::GraphBatch,
    kernels::{gate, gather_add, softplus, sum_runs, weighted_batch_norm},
};

#[derive(Module, Debug)]
pub(super) struct Convolution {
    pub(super) fc_full: Linear,
    pub(super) bn1: BatchNorm,
    pub(super) bn2: BatchNorm,
}

impl Convolution {
    fn forward(&self, batch: &GraphBatch, x: Tensor<2>) -> Tensor<2> {
        let [nodes, width] = x.dims();
        let [_, basis] = batch.bonds.dims();
        // The product with [x_i, x_j, e], taken once per atom for the first two parts.
        let weight = self.fc_full.weight.val();
        let part = |from: usize, to: usize| weight.clone().slice([from..to, 0..2 * width]);
        let bias = self.fc_full.bias.as_ref().expect("the layer has a bias").val().reshape([1, 2 * width]);
        let gated = gather_add(
            x.clone().matmul(part(0, width)) + bias,
            &batch.center,
            x.clone().matmul(part(width, 2 * width)),
            &batch.neighbor,
            batch.bonds.clone().matmul(part(2 * width, 2 * width + basis)),
        );
        let message = gate(weighted_batch_norm(&self.bn1, gated, &batch.edge_weights));
        let gathered = sum_runs(message, batch.center.clone(), nodes);
        softplus(x + weighted_batch_norm(&self.bn2, gathered, &batch.node_weights))
    }
}

/// The network. Weights only: the configuration is handed to every call.
#[derive(Module, Debug)]
pub struct Cgcnn {
    pub(super) embedding: Linear,
    pub(super) convs: Vec<Convolution>,
    pub(super) conv_to_fc: Linear,
    pub(super) fc_out: Linear,
}

impl Cgcnn {
    /// Random weights on `device`.
    pub fn new(config: &CgcnnConfig, device: &Device) -> Self {
        let linear = |i, o| LinearConfig::new(i, o).init(device);
        let convolution = || Convolution {
            fc_full: linear(2 * config.atom + config.bonds.count, 2 * config.atom),
            bn1: BatchNormConfig::new(2 * config.atom).init(device),
            bn2: BatchNormConfig::new(config.atom).init(device),
        };
        Self {
            embedding: linear(ATOM_FEATURES, config.atom),
            convs: (0..config.convolutions).map(|_| convolution()).collect(),
            conv_to_fc: linear(config.atom, config.crystal),
            fc_out: linear(config.crystal, 1),
        }
    }

    /// One number per graph, `[B]`, in the units the weights were trained in.
    pub fn forward(&self, batch: &GraphBatch) -> Tensor<1> {
        let mut x = self.embedding.forward(atom_features(&batch.bonds.device()).select(0, batch.numbers.clone()));
        for convolution in &self.convs {
            x = convolution.forward(batch, x);
        }
        let mean = sum_runs(x * batch.share.clone(), batch.node_graph.clone(), batch.graphs);
        let crystal = softplus(self.conv_to_fc.forward(softplus(mean)));
        self.fc_out.forward(crystal).reshape([batch.graphs])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::fitted_parameters;

    #[test]
    fn the_published_network_has_96_641_parameters() {
        // 98,177 with the running means and variances of its normalisations.
        assert_eq!(fitted_parameters(&Cgcnn::new(&CgcnnConfig::published(), &Device::flex())), 96_641);
    }
}
