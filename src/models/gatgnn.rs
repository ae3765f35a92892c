//! GATGNN: global attention graph network (Louis et al., Phys. Chem. Chem. Phys. 2020, 22, 18141), from which DeeperGATGNN
//! descends. Three layers of augmented graph attention (`Attention` there), each followed by a batch normalisation; the composition
//! decides the weight of each atom in its crystal (GI-M1 of the paper).

use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::activation::leaky_relu;

use super::{
    atoms::{ATOM_FEATURES, atom_features},
    batch::{GaussianBasis, GraphBatch},
    deeper_gatgnn::{Attention, Bonds},
    graph::Neighborhood,
    kernels::{batch_norm, softplus, sum_runs},
    segments::softmax_runs,
};

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

/// Length of the composition vector: elements 1 to 103.
const COMPOSITION: usize = 103;
const SLOPE: f64 = 0.2;

#[derive(Module, Debug)]
struct Layer {
    attention: Attention,
    norm: BatchNorm,
}

/// The network. Weights only: the configuration is handed to every call.
#[derive(Module, Debug)]
pub struct Gatgnn {
    atom: Linear,
    bond: Linear,
    layers: Vec<Layer>,
    weigh: Linear,
    weight: Linear,
    first: Linear,
    second: Linear,
    out: Linear,
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
        let told = Tensor::cat(vec![atoms.clone(), composition.select(0, batch.node_graph.clone())], 1);
        let score = self.weight.forward(softplus(self.weigh.forward(told)));
        let weight = softmax_runs(score, batch.node_graph.clone(), batch.graphs);
        let sum = sum_runs(atoms * weight, batch.node_graph.clone(), batch.graphs);
        let crystal = softplus(self.second.forward(softplus(self.first.forward(sum))));
        self.out.forward(crystal).reshape([batch.graphs])
    }

    /// Vectors of the atoms, `[N, hidden]`: as embedded, and after each layer.
    pub fn atoms(&self, batch: &GraphBatch) -> Vec<Tensor<2>> {
        let bonds = Bonds { center: batch.center.clone(), neighbor: batch.neighbor.clone() };
        let e = leaky_relu(self.bond.forward(batch.bonds.clone()), SLOPE);
        let table = atom_features(&batch.bonds.device());
        let mut values = vec![self.atom.forward(table.select(0, batch.numbers.clone()))];
        for layer in &self.layers {
            let x = values[values.len() - 1].clone();
            values.push(softplus(batch_norm(&layer.norm, layer.attention.forward(&bonds, x, e.clone()))));
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::weights::fitted_parameters;

    #[test]
    fn the_published_network_has_122_874_parameters_that_take_part() {
        // 134,154 with those of the other ways to weigh atoms, and of a PReLU, which the published code owns and never uses.
        assert_eq!(fitted_parameters(&Gatgnn::new(&GatgnnConfig::published(), &Device::flex())), 122_874);
    }
}
