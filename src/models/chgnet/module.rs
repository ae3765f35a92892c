//! The network in burn: a definition of what it computes, and what training fits.

use burn::module::Param;
use burn::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::TensorData;
use burn::tensor::activation::{sigmoid, silu};

use super::{COSINE, ChgnetConfig, ELEMENTS, WIDTH};
use crate::bond_graph::BondGraph;
use crate::kernels::sum_runs;

/// `silu(norm(core(x))) sigmoid(norm(gate(x)))`.
#[derive(Module, Debug)]
pub(super) struct GatedMlp {
    pub(super) core: Vec<Linear>,
    pub(super) gate: Vec<Linear>,
    pub(super) core_norm: LayerNorm,
    pub(super) gate_norm: LayerNorm,
}

impl GatedMlp {
    fn new(inputs: usize, hidden: bool, device: &Device) -> Self {
        let layers = || -> Vec<Linear> {
            let widths: &[usize] = if hidden { &[inputs, WIDTH] } else { &[inputs] };
            widths.iter().map(|&inputs| LinearConfig::new(inputs, WIDTH).init(device)).collect()
        };
        let norm = || LayerNormConfig::new(WIDTH).init(device);
        Self { core: layers(), gate: layers(), core_norm: norm(), gate_norm: norm() }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let through = |layers: &[Linear]| {
            let first = layers[0].forward(x.clone());
            layers[1..].iter().fold(first, |x, layer| layer.forward(silu(x)))
        };
        silu(self.core_norm.forward(through(&self.core))) * sigmoid(self.gate_norm.forward(through(&self.gate)))
    }
}

/// Messages summed where they arrive.
#[derive(Module, Debug)]
pub(super) struct Convolution {
    pub(super) message: GatedMlp,
    pub(super) out: Linear,
}

impl Convolution {
    fn new(inputs: usize, device: &Device) -> Self {
        let out = LinearConfig::new(WIDTH, WIDTH).with_bias(false).init(device);
        Self { message: GatedMlp::new(inputs, true, device), out }
    }
}

/// The network. Weights only: the configuration is handed to every call.
#[derive(Module, Debug)]
pub struct Chgnet {
    /// Energy of an atom of each element, eV, to which the network adds.
    pub(super) elements: Linear,
    pub(super) atom_embedding: Embedding,
    pub(super) atom_frequencies: Param<Tensor<1>>,
    pub(super) bond_frequencies: Param<Tensor<1>>,
    pub(super) angle_frequencies: Param<Tensor<1>>,
    pub(super) bond_embedding: Linear,
    pub(super) bond_weights_ag: Linear,
    pub(super) bond_weights_bg: Linear,
    pub(super) angle_embedding: Linear,
    pub(super) atom_convs: Vec<Convolution>,
    pub(super) bond_convs: Vec<Convolution>,
    pub(super) angle_layers: Vec<GatedMlp>,
    pub(super) site_wise: Linear,
    pub(super) readout_norm: LayerNorm,
    pub(super) mlp: Vec<Linear>,
}

impl Chgnet {
    /// Random weights on `device`.
    pub fn new(config: &ChgnetConfig, device: &Device) -> Self {
        let embedding = |inputs| LinearConfig::new(inputs, WIDTH).with_bias(false).init(device);
        let frequencies = |count: usize, unit: f32| {
            let values: Vec<f32> = (1..=count).map(|k| k as f32 * unit).collect();
            Param::from_tensor(Tensor::from_data(TensorData::new(values, [count]), device))
        };
        let between = config.convolutions - 1;
        Self {
            elements: LinearConfig::new(ELEMENTS, 1).with_bias(false).init(device),
            atom_embedding: EmbeddingConfig::new(ELEMENTS, WIDTH).init(device),
            atom_frequencies: frequencies(config.radial, std::f32::consts::PI),
            bond_frequencies: frequencies(config.radial, std::f32::consts::PI),
            angle_frequencies: frequencies(config.harmonics(), 1.0),
            bond_embedding: embedding(config.radial),
            bond_weights_ag: embedding(config.radial),
            bond_weights_bg: embedding(config.radial),
            angle_embedding: embedding(config.angular),
            atom_convs: (0..config.convolutions).map(|_| Convolution::new(3 * WIDTH, device)).collect(),
            bond_convs: (0..between).map(|_| Convolution::new(4 * WIDTH, device)).collect(),
            angle_layers: (0..between).map(|_| GatedMlp::new(4 * WIDTH, false, device)).collect(),
            site_wise: LinearConfig::new(WIDTH, 1).init(device),
            readout_norm: LayerNormConfig::new(WIDTH).init(device),
            mlp: [WIDTH, WIDTH, WIDTH, 1].map(|outputs| LinearConfig::new(WIDTH, outputs).init(device)).to_vec(),
        }
    }

    /// Energy per atom, eV, `[1]`, of one crystal.
    pub fn forward(&self, config: &ChgnetConfig, graph: &BondGraph, device: &Device) -> Tensor<1> {
        let int = |values: Vec<u32>| -> Tensor<1, Int> {
            let n = values.len();
            Tensor::from_data(TensorData::new(values.into_iter().map(i64::from).collect(), [n]), device)
        };
        let float = |values: Vec<f64>| -> Tensor<2> {
            let n = values.len();
            Tensor::from_data(TensorData::new(values.into_iter().map(|x| x as f32).collect(), [n, 1]), device)
        };
        let atoms = graph.numbers.len();
        let lengths = float(graph.direction.iter().map(|&e| graph.length[e as usize]).collect());
        let bessel = |frequencies: &Param<Tensor<1>>, cutoff: f64| {
            let scaled = lengths.clone() / cutoff;
            let p = f64::from(config.cutoff_exponent);
            let power = scaled.clone().powf_scalar(p);
            let fading = power.clone() * (-(p + 1.0) * (p + 2.0) / 2.0)
                + power.clone() * scaled.clone() * (p * (p + 2.0))
                + power * scaled.clone().square() * (-p * (p + 1.0) / 2.0)
                + 1.0;
            let fading = fading * scaled.clone().lower_elem(1.0).float();
            let sines = (scaled * frequencies.val().unsqueeze::<2>()).sin();
            sines / lengths.clone() * fading * (2.0 / cutoff).sqrt()
        };
        let of_atoms = bessel(&self.atom_frequencies, config.atom_graph_cutoff);
        let of_bonds = bessel(&self.bond_frequencies, config.bond_graph_cutoff);
        let mut bonds = self.bond_embedding.forward(of_atoms.clone());
        let weights_ag = self.bond_weights_ag.forward(of_atoms);
        let weights_bg = self.bond_weights_bg.forward(of_bonds);

        let center: Vec<u32> =
            (0..atoms).flat_map(|i| std::iter::repeat_n(i as u32, graph.starts[i + 1] - graph.starts[i])).collect();
        let pairs = angle_pairs(graph);
        let at = |f: &dyn Fn(&[usize; 2]) -> u32| int(pairs.iter().map(f).collect());
        let of_short = |s: usize| graph.bond[graph.short[s] as usize];
        let (first, second) = (at(&|p| of_short(p[0])), at(&|p| of_short(p[1])));
        let vertex = at(&|p| center[graph.short[p[0]] as usize]);
        let angles = float(pairs.iter().map(|&[a, b]| (COSINE * cosine(graph, a, b)).acos()).collect());
        let turns = angles * self.angle_frequencies.val().unsqueeze::<2>();
        let constant = Tensor::<2>::full([pairs.len(), 1], 0.5_f64.sqrt(), device);
        let fourier = Tensor::cat(vec![constant, turns.clone().sin(), turns.cos()], 1) / std::f64::consts::PI.sqrt();
        let mut angles = self.angle_embedding.forward(fourier);

        let numbers = int(graph.numbers.iter().map(|&z| u32::from(z) - 1).collect());
        let mut x = self.atom_embedding.forward(numbers.clone().unsqueeze::<2>()).squeeze_dim::<2>(0);
        let (bond, neighbor) = (int(graph.bond.clone()), int(graph.neighbor.clone()));
        let centers = int(center.clone());
        for (t, layer) in self.atom_convs.iter().enumerate() {
            let parts = vec![
                x.clone().select(0, centers.clone()),
                bonds.clone().select(0, bond.clone()),
                x.clone().select(0, neighbor.clone()),
            ];
            let messages = layer.message.forward(Tensor::cat(parts, 1)) * weights_ag.clone().select(0, bond.clone());
            x = x + layer.out.forward(sum_runs(messages, centers.clone(), atoms));
            let (Some(of_bonds), false) = (self.bond_convs.get(t), pairs.is_empty()) else { continue };
            let joined = |bonds: &Tensor<2>, angles: &Tensor<2>| {
                let ends = [&first, &second].map(|end| bonds.clone().select(0, end.clone()));
                let [a, b] = ends;
                Tensor::cat(vec![a, b, angles.clone(), x.clone().select(0, vertex.clone())], 1)
            };
            let messages = of_bonds.message.forward(joined(&bonds, &angles))
                * weights_bg.clone().select(0, first.clone())
                * weights_bg.clone().select(0, second.clone());
            // One direction's angles come after the other's, so that a bond's do not lie together.
            let zeros = Tensor::<2>::zeros(bonds.dims(), device);
            let sums = zeros.select_assign(0, first.clone(), messages, burn::tensor::IndexingUpdateOp::Add);
            bonds = bonds + of_bonds.out.forward(sums);
            angles = angles.clone() + self.angle_layers[t].forward(joined(&bonds, &angles));
        }
        let x = self.readout_norm.forward(x);
        let (last, hidden) = self.mlp.split_last().expect("the readout has four layers");
        let sites = last.forward(hidden.iter().fold(x, |x, layer| silu(layer.forward(x))));
        let reference = self.elements.weight.val().select(0, numbers);
        (sites + reference).mean().reshape([1])
    }
}

/// The angles, as pairs of short directed bonds of one atom.
pub(super) fn angle_pairs(graph: &BondGraph) -> Vec<[usize; 2]> {
    let runs = graph.short_starts.windows(2).map(|run| run[0]..run[1]);
    runs.flat_map(|run| {
        let others = run.clone();
        run.flat_map(move |a| others.clone().filter(move |&b| b != a).map(move |b| [a, b]))
    })
    .collect()
}

/// Cosine of the angle between two short directed bonds of one atom.
pub(super) fn cosine(graph: &BondGraph, a: usize, b: usize) -> f64 {
    let [a, b] = [a, b].map(|s| graph.short[s] as usize);
    let product: f64 = graph.vector[a].iter().zip(&graph.vector[b]).map(|(x, y)| x * y).sum();
    (product / (graph.length[a] * graph.length[b])).clamp(-1.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::fitted_parameters;

    #[test]
    fn the_published_network_has_412_525_parameters() {
        assert_eq!(fitted_parameters(&Chgnet::new(&ChgnetConfig::published(), &Device::flex())), 412_525);
    }
}
