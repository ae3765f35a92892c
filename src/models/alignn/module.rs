//! The network in burn: a definition of what it computes, and what training fits.

use burn::nn::{BatchNorm, BatchNormConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::prelude::*;

use super::{AlignnConfig, Normalisation};
use crate::{
    atoms::{ATOM_FEATURES, atom_features},
    batch::GraphBatch,
    kernels::{add_silu, batch_norm, gated_mean, gather_add, layer_norm, silu, sum_runs},
};

#[derive(Module, Debug)]
pub(super) enum Norm {
    Batch(BatchNorm),
    Layer(LayerNorm),
}

impl Norm {
    fn new(kind: Normalisation, width: usize, device: &Device) -> Self {
        match kind {
            Normalisation::Batch => Self::Batch(BatchNormConfig::new(width).init(device)),
            Normalisation::Layer => Self::Layer(LayerNormConfig::new(width).init(device)),
        }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Batch(norm) => batch_norm(norm, x),
            Self::Layer(norm) => layer_norm(norm, x),
        }
    }
}

/// Linear, normalisation, SiLU.
#[derive(Module, Debug)]
pub(super) struct Dense {
    pub(super) linear: Linear,
    pub(super) norm: Norm,
}

impl Dense {
    fn new(input: usize, output: usize, kind: Normalisation, device: &Device) -> Self {
        Self { linear: LinearConfig::new(input, output).init(device), norm: Norm::new(kind, output, device) }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        silu(self.norm.forward(self.linear.forward(x)))
    }
}

/// Edges of a graph in a batch: which row each gathers, and the row at which it is gathered (ascending).
struct Ends {
    source: Tensor<1, Int>,
    target: Tensor<1, Int>,
}

/// Edge-gated graph convolution (Bresson and Laurent 2017, in the form of Dwivedi et al. 2020).
#[derive(Module, Debug)]
pub(super) struct EdgeGated {
    pub(super) src_gate: Linear,
    pub(super) dst_gate: Linear,
    pub(super) edge_gate: Linear,
    pub(super) bn_edges: Norm,
    pub(super) src_update: Linear,
    pub(super) dst_update: Linear,
    pub(super) bn_nodes: Norm,
}

impl EdgeGated {
    fn new(width: usize, kind: Normalisation, device: &Device) -> Self {
        let linear = || LinearConfig::new(width, width).init(device);
        let norm = || Norm::new(kind, width, device);
        Self {
            src_gate: linear(),
            dst_gate: linear(),
            edge_gate: linear(),
            bn_edges: norm(),
            src_update: linear(),
            dst_update: linear(),
            bn_nodes: norm(),
        }
    }

    /// New nodes and new edges, each added to what came in.
    fn forward(&self, ends: &Ends, x: Tensor<2>, y: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let (of_source, of_target) = (self.src_gate.forward(x.clone()), self.dst_gate.forward(x.clone()));
        let m = gather_add(of_source, &ends.source, of_target, &ends.target, self.edge_gate.forward(y.clone()));
        let mean = gated_mean(m.clone(), self.dst_update.forward(x.clone()), &ends.source, &ends.target);
        let new_x = self.bn_nodes.forward(self.src_update.forward(x.clone()) + mean);
        (add_silu(x, new_x), add_silu(y, self.bn_edges.forward(m)))
    }
}

#[derive(Module, Debug)]
pub(super) struct AlignnLayer {
    pub(super) node_update: EdgeGated,
    pub(super) edge_update: EdgeGated,
}

/// The network. Weights only: the configuration is handed to every call.
#[derive(Module, Debug)]
pub struct Alignn {
    pub(super) atom_embedding: Dense,
    pub(super) edge_embedding: Vec<Dense>,
    pub(super) angle_embedding: Vec<Dense>,
    pub(super) alignn_layers: Vec<AlignnLayer>,
    pub(super) gcn_layers: Vec<EdgeGated>,
    pub(super) fc: Linear,
}

impl Alignn {
    /// Random weights on `device`.
    pub fn new(config: &AlignnConfig, device: &Device) -> Self {
        let kind = config.normalisation;
        let dense = |input, output| Dense::new(input, output, kind, device);
        let gated = || EdgeGated::new(config.hidden, kind, device);
        Self {
            atom_embedding: dense(ATOM_FEATURES, config.hidden),
            edge_embedding: vec![dense(config.bonds.count, config.embedding), dense(config.embedding, config.hidden)],
            angle_embedding: vec![dense(config.angles.count, config.embedding), dense(config.embedding, config.hidden)],
            alignn_layers: (0..config.alignn_layers)
                .map(|_| AlignnLayer { node_update: gated(), edge_update: gated() })
                .collect(),
            gcn_layers: (0..config.gcn_layers).map(|_| gated()).collect(),
            fc: LinearConfig::new(config.hidden, 1).init(device),
        }
    }

    /// One number per graph, `[B]`, in the units the weights were trained in.
    pub fn forward(&self, batch: &GraphBatch) -> Tensor<1> {
        let device = batch.bonds.device();
        let line = batch.line.as_ref().expect("a batch for ALIGNN has a line graph");
        let chain = |layers: &[Dense], x: Tensor<2>| layers.iter().fold(x, |x, layer| layer.forward(x));
        let atoms = Ends { source: batch.neighbor.clone(), target: batch.center.clone() };
        let bonds = Ends { source: line.neighbor.clone(), target: line.center.clone() };
        let mut x = self.atom_embedding.forward(atom_features(&device).select(0, batch.numbers.clone()));
        let mut y = chain(&self.edge_embedding, batch.bonds.clone());
        let mut z = chain(&self.angle_embedding, line.angles.clone());
        for layer in &self.alignn_layers {
            let (new_x, m) = layer.node_update.forward(&atoms, x, y);
            let (new_y, new_z) = layer.edge_update.forward(&bonds, m, z);
            (x, y, z) = (new_x, new_y, new_z);
        }
        for layer in &self.gcn_layers {
            (x, y) = layer.forward(&atoms, x, y);
        }
        let mean = sum_runs(x * batch.share.clone(), batch.node_graph.clone(), batch.graphs);
        self.fc.forward(mean).reshape([batch.graphs])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::fitted_parameters;

    #[test]
    fn the_published_network_has_4_026_753_parameters() {
        let net = Alignn::new(&AlignnConfig::published(Normalisation::Batch), &Device::flex());
        assert_eq!(fitted_parameters(&net), 4_026_753);
    }
}
