//! The network in burn: a definition of what it computes, and what training fits.

use burn::module::Param;
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::activation::{leaky_relu, softmax};

use super::DeeperGatgnnConfig;
use crate::{
    batch::GraphBatch,
    kernels::{gather_add_one as gather, softplus, sum_runs, weighted_batch_norm},
    segments::softmax_runs,
};

/// Heads of each attention.
pub(super) const HEADS: usize = 4;
/// Clusters of each group normalisation, and the weight of what it adds.
pub(super) const GROUPS: usize = 10;
pub(super) const GROUP_WEIGHT: f32 = 0.01;
/// One-hot places: atomic number 1-100, then number of bonds 0-13 (more count as 13).
pub(super) const ELEMENTS: usize = 100;
pub(super) const DEGREES: usize = 14;
/// Width of the composition vector, by atomic number.
pub(super) const COMPOSITION: usize = 108;
pub(super) const SLOPE: f64 = 0.2;

/// Augmented graph attention.
#[derive(Module, Debug)]
pub(crate) struct Attention {
    pub(super) weight: Param<Tensor<2>>,
    pub(super) att: Param<Tensor<2>>,
    pub(super) bias: Param<Tensor<1>>,
    pub(super) norm: BatchNorm,
}

impl Attention {
    /// Random weights for atoms and bonds of `width`.
    pub fn new(width: usize, device: &Device) -> Self {
        let glorot = Initializer::XavierUniform { gain: 1.0 };
        Self {
            weight: glorot.init_with([2 * width, HEADS * width], Some(2 * width), Some(HEADS * width), device),
            att: glorot.init_with([HEADS, 2 * width], Some(2 * width), Some(HEADS), device),
            bias: Initializer::Zeros.init([width], device),
            norm: BatchNormConfig::new(HEADS).init(device),
        }
    }

    /// New atoms, `[N, width]`, from atoms and their bonds, `[E, width]`.
    pub fn forward(&self, bonds: &Bonds, x: Tensor<2>, e: Tensor<2>) -> Tensor<2> {
        let [nodes, width] = x.dims();
        let [edges, _] = e.dims();
        let weight = self.weight.val();
        let rows = |part: usize| weight.clone().slice([part * width..(part + 1) * width, 0..HEADS * width]);
        let (of_atom, of_bond) = (x.matmul(rows(0)), e.matmul(rows(1)));
        let out_i = softplus(gather(of_atom.clone(), &bonds.center, of_bond.clone()));
        let out_j = softplus(gather(of_atom, &bonds.neighbor, of_bond));
        let att = |part: usize| {
            let part = self.att.val().slice([0..HEADS, part * width..(part + 1) * width]);
            part.reshape([1, HEADS, width])
        };
        let heads = |o: Tensor<2>| o.reshape([edges, HEADS, width]);
        let out_j = heads(out_j);
        let score = (heads(out_i) * att(0) + out_j.clone() * att(1)).sum_dim(2).reshape([edges, HEADS]);
        let score = softplus(weighted_batch_norm(&self.norm, softplus(score), &bonds.weights));
        // The bonds of an atom are all there, whatever atoms it stands for.
        let alpha = softmax_runs(score, bonds.center.clone(), nodes, &vec![1.0; edges]).reshape([edges, HEADS, 1]);
        let message = (out_j * alpha).mean_dim(1).reshape([edges, width]);
        sum_runs(message, bonds.center.clone(), nodes) + self.bias.val().reshape([1, width])
    }
}

/// Differentiable group normalisation (Zhou et al., NeurIPS 2020): rows are softly clustered, and each cluster is normalised
/// by itself.
#[derive(Module, Debug)]
pub(super) struct GroupNorm {
    pub(super) cluster: Linear,
    pub(super) norm: BatchNorm,
}

impl GroupNorm {
    fn new(width: usize, device: &Device) -> Self {
        Self {
            cluster: LinearConfig::new(width, GROUPS).with_bias(false).init(device),
            norm: BatchNormConfig::new(GROUPS * width).init(device),
        }
    }

    fn forward(&self, x: Tensor<2>, weights: &[f32]) -> Tensor<2> {
        let [rows, width] = x.dims();
        let share = softmax(self.cluster.forward(x.clone()), 1).reshape([rows, GROUPS, 1]);
        let parts = (share * x.clone().reshape([rows, 1, width])).reshape([rows, GROUPS * width]);
        let normal = weighted_batch_norm(&self.norm, parts, weights).reshape([rows, GROUPS, width]);
        x + normal.sum_dim(1).reshape([rows, width]) * GROUP_WEIGHT
    }
}

/// The weight of each atom in its crystal, from its vector and the composition.
#[derive(Module, Debug)]
pub(super) struct AtomAttention {
    pub(super) layers: Vec<Linear>,
    /// Normalisations that the published network owns and never uses; a checkpoint has them.
    idle: Vec<GroupNorm>,
}

#[derive(Module, Debug)]
pub(super) struct Layer {
    pub(super) attention: Attention,
    pub(super) norm: GroupNorm,
}

/// The network. Weights only: the configuration is handed to every call.
#[derive(Module, Debug)]
pub struct DeeperGatgnn {
    pub(super) atom: Linear,
    pub(super) bond: Linear,
    pub(super) layers: Vec<Layer>,
    pub(super) weigh: AtomAttention,
    pub(super) out: Linear,
}

/// The atoms that each bond joins; in DeeperGATGNN atoms have a bond to themselves too.
pub(crate) struct Bonds {
    /// Atom that gathers, `[E]`.
    pub center: Tensor<1, Int>,
    /// Atom that is gathered, `[E]`.
    pub neighbor: Tensor<1, Int>,
    /// Bonds that each stands for.
    pub weights: Vec<f32>,
}

impl DeeperGatgnn {
    /// Random weights on `device`.
    pub fn new(config: &DeeperGatgnnConfig, device: &Device) -> Self {
        let width = config.hidden;
        let linear = |i, o| LinearConfig::new(i, o).init(device);
        Self {
            atom: linear(ELEMENTS + DEGREES, width),
            bond: linear(config.bonds.count, width),
            layers: (0..config.layers)
                .map(|_| Layer { attention: Attention::new(width, device), norm: GroupNorm::new(width, device) })
                .collect(),
            weigh: AtomAttention {
                layers: vec![linear(width + COMPOSITION, width), linear(width, width), linear(width, 1)],
                idle: (0..3).map(|_| GroupNorm::new(width, device)).collect(),
            },
            out: linear(width, 1),
        }
    }

    /// One number per graph, `[B]`, in the units the weights were trained in.
    pub fn forward(&self, config: &DeeperGatgnnConfig, batch: &GraphBatch) -> Tensor<1> {
        let device = batch.bonds.device();
        let [nodes] = batch.numbers.dims();
        let loops = Tensor::arange(0..nodes as i64, &device);
        let bonds = Bonds {
            center: Tensor::cat(vec![batch.center.clone(), loops.clone()], 0),
            neighbor: Tensor::cat(vec![batch.neighbor.clone(), loops], 0),
            weights: [&batch.edge_weights[..], &batch.node_weights].concat(),
        };
        let at_zero = config.bonds.at(0.0, &device).expand([nodes, config.bonds.count]);
        let e = leaky_relu(self.bond.forward(Tensor::cat(vec![batch.bonds.clone(), at_zero], 0)), SLOPE);

        // The product with two one-hot vectors is a sum of two rows of the weight. A loop counts as a bond.
        let rows = self.atom.weight.val();
        let degree = (batch.degree.clone() + 1).clamp_max(DEGREES as i64 - 1) + ELEMENTS as i64;
        let bias = self.atom.bias.as_ref().expect("the layer has a bias").val().reshape([1, config.hidden]);
        let mut x =
            leaky_relu(rows.clone().select(0, batch.numbers.clone() - 1) + rows.select(0, degree) + bias, SLOPE);
        for layer in &self.layers {
            let fresh = layer.attention.forward(&bonds, x.clone(), e.clone());
            x = layer.norm.forward(fresh, &batch.node_weights) + x;
        }

        let composition = batch.composition(COMPOSITION).select(0, batch.node_graph.clone());
        let [first, second, last] = &self.weigh.layers[..] else { unreachable!("built with three layers") };
        let score = softplus(first.forward(Tensor::cat(vec![x.clone(), composition], 1)));
        let score = last.forward(softplus(second.forward(score)));
        let weight = softmax_runs(score, batch.node_graph.clone(), batch.graphs, &batch.node_weights);
        let sum = sum_runs(x * weight, batch.node_graph.clone(), batch.graphs);
        self.out.forward(sum).reshape([batch.graphs])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::fitted_parameters;

    #[test]
    fn the_published_network_has_384_466_parameters() {
        let net = DeeperGatgnn::new(&DeeperGatgnnConfig::periodic(), &Device::flex());
        assert_eq!(fitted_parameters(&net), 384_466);
        let deeper = DeeperGatgnnConfig { layers: 20, ..DeeperGatgnnConfig::periodic() };
        assert_eq!(fitted_parameters(&DeeperGatgnn::new(&deeper, &Device::flex())), 737_186);
    }
}
