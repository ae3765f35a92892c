//! The network in burn: a definition of what it computes.

use burn::module::Param;
use burn::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::activation::{sigmoid, silu};
use burn::tensor::{IndexingUpdateOp, TensorData};

use super::{ELEMENTS, TensornetConfig, basis::Basis};
use crate::bond_graph::BondGraph;

/// Matrices of atoms or bonds, `[n, channels, 3, 3]`.
type Matrices = Tensor<4>;
/// Multiple of the unit matrix, antisymmetric part, symmetric part without trace.
type Parts = [Matrices; 3];

/// The first layer: what an atom sees of the elements around it.
#[derive(Module, Debug)]
pub(super) struct FirstLayer {
    pub(super) elements: Embedding,
    /// Of the two elements of a bond.
    pub(super) pair: Linear,
    /// Of a bond's length, for each part.
    pub(super) length: Vec<Linear>,
    pub(super) norm: LayerNorm,
    pub(super) scalar: Vec<Linear>,
    pub(super) tensor: Vec<Linear>,
}

/// A message-passing layer.
#[derive(Module, Debug)]
pub(super) struct Interaction {
    pub(super) scalar: Vec<Linear>,
    /// For each part, before the messages and after them.
    pub(super) tensor: Vec<Linear>,
}

/// The network. Weights only: the configuration is handed to every call.
#[derive(Module, Debug)]
pub struct Tensornet {
    /// Energy of an atom of each element, eV, to which the network adds.
    pub(super) references: Param<Tensor<1>>,
    pub(super) first: FirstLayer,
    pub(super) layers: Vec<Interaction>,
    pub(super) norm: LayerNorm,
    pub(super) out: Linear,
    pub(super) value: Vec<Linear>,
    pub(super) gate: Vec<Linear>,
}

impl Tensornet {
    /// Random weights on `device`.
    pub fn new(config: &TensornetConfig, device: &Device) -> Self {
        let n = config.units;
        let linear = |inputs, outputs| LinearConfig::new(inputs, outputs).init(device);
        let turned = |count| (0..count).map(|_| LinearConfig::new(n, n).with_bias(false).init(device)).collect();
        let norm = |width| LayerNormConfig::new(width).init(device);
        let readout = || [n, n, n, 1].map(|outputs| linear(n, outputs)).to_vec();
        let layer = |_| Interaction {
            scalar: vec![linear(config.bessel, n), linear(n, 2 * n), linear(2 * n, 3 * n)],
            tensor: turned(6),
        };
        Self {
            references: Param::from_tensor(Tensor::zeros([ELEMENTS], device)),
            first: FirstLayer {
                elements: EmbeddingConfig::new(ELEMENTS, n).init(device),
                pair: linear(2 * n, n),
                length: (0..3).map(|_| linear(config.bessel, n)).collect(),
                norm: norm(n),
                scalar: vec![linear(n, 2 * n), linear(2 * n, 3 * n)],
                tensor: turned(3),
            },
            layers: (0..config.interactions).map(layer).collect(),
            norm: norm(3 * n),
            out: linear(3 * n, n),
            value: readout(),
            gate: readout(),
        }
    }

    /// Energy per atom, eV, `[1]`, of one crystal.
    pub fn forward(&self, config: &TensornetConfig, graph: &BondGraph, device: &Device) -> Tensor<1> {
        let int = |values: Vec<u32>| -> Tensor<1, Int> {
            let n = values.len();
            Tensor::from_data(TensorData::new(values.into_iter().map(i64::from).collect(), [n]), device)
        };
        let (atoms, edges) = (graph.numbers.len(), graph.neighbor.len());
        let center = (0..atoms).flat_map(|i| std::iter::repeat_n(i as u32, graph.starts[i + 1] - graph.starts[i]));
        let ends = Ends { center: int(center.collect()), neighbor: int(graph.neighbor.clone()), atoms };
        let basis = Basis::new(config.cutoff, config.bessel);
        let rows = |f: &dyn Fn(usize) -> Vec<f64>, width: usize| -> Tensor<2> {
            let values: Vec<f32> = (0..edges).flat_map(f).map(|x| x as f32).collect();
            Tensor::from_data(TensorData::new(values, [edges, width]), device)
        };
        let length = rows(&|e| basis.expand(graph.length[e]), config.bessel);
        let fading = rows(&|e| vec![basis.fading(graph.length[e])], 1);

        let numbers = int(graph.numbers.iter().map(|&z| u32::from(z) - 1).collect());
        let mut x = self.first.forward(&ends, &numbers, directions(graph, device), (&length, &fading));
        for layer in &self.layers {
            x = layer.forward(&ends, x, (&length, &fading));
        }
        let x = self.out.forward(self.norm.forward(Tensor::cat(parts(x).map(sizes).to_vec(), 1)));
        let through = |layers: &[Linear]| {
            let (last, hidden) = layers.split_last().expect("the readout has four layers");
            last.forward(hidden.iter().fold(x.clone(), |x, layer| silu(layer.forward(x))))
        };
        let sites = through(&self.value) * sigmoid(through(&self.gate));
        let references = self.references.val().select(0, numbers).reshape([atoms, 1]);
        (sites + references).mean().reshape([1])
    }
}

/// The atoms of each directed bond.
struct Ends {
    center: Tensor<1, Int>,
    neighbor: Tensor<1, Int>,
    atoms: usize,
}

impl Ends {
    /// What comes along bonds, summed at their atoms.
    fn sum(&self, messages: Matrices) -> Matrices {
        let [_, n, _, _] = messages.dims();
        let zeros = Tensor::zeros([self.atoms, n, 3, 3], &messages.device());
        zeros.select_assign(0, self.center.clone(), messages, IndexingUpdateOp::Add)
    }
}

impl FirstLayer {
    fn forward(
        &self,
        ends: &Ends,
        numbers: &Tensor<1, Int>,
        directions: Parts,
        (length, fading): (&Tensor<2>, &Tensor<2>),
    ) -> Matrices {
        let elements = self.elements.weight.val().select(0, numbers.clone());
        let of_ends = [&ends.center, &ends.neighbor].map(|end| elements.clone().select(0, end.clone()));
        let pair = self.pair.forward(Tensor::cat(of_ends.to_vec(), 1));
        let mut k = 0;
        let x = directions.map(|part| {
            k += 1;
            let weight = pair.clone() * self.length[k - 1].forward(length.clone()) * fading.clone();
            ends.sum(times(part, weight))
        });
        let whole = x.iter().cloned().reduce(|a, b| a + b).expect("three parts");
        let sizes = self.scalar.iter().fold(self.norm.forward(sizes(whole)), |x, layer| silu(layer.forward(x)));
        combined(turned(x, &self.tensor), sizes)
    }
}

impl Interaction {
    fn forward(&self, ends: &Ends, x: Matrices, (length, fading): (&Tensor<2>, &Tensor<2>)) -> Matrices {
        let weights = self.scalar.iter().fold(length.clone(), |x, layer| silu(layer.forward(x))) * fading.clone();
        let x = bounded(x);
        let own = turned(parts(x.clone()), &self.tensor[..3]);
        let messages = own.clone().map(|part| part.select(0, ends.neighbor.clone()));
        let messages = ends.sum(combined(messages, weights));
        let own = own.into_iter().reduce(|a, b| a + b).expect("three parts");
        let both = bounded(messages.clone().matmul(own.clone()) + own.matmul(messages));
        let change = turned(parts(both), &self.tensor[3..]).into_iter().reduce(|a, b| a + b).expect("three parts");
        x + change.clone() + change.clone().matmul(change)
    }
}

/// Squared sizes, `[n, channels]`.
fn sizes(x: Matrices) -> Tensor<2> {
    let [n, channels, _, _] = x.dims();
    x.square().sum_dim(3).sum_dim(2).reshape([n, channels])
}

/// Matrices over one more than their squared size.
fn bounded(x: Matrices) -> Matrices {
    let size = sizes(x.clone()) + 1.0;
    times(x, size.recip())
}

/// Matrices times a number each.
fn times(x: Matrices, factors: Tensor<2>) -> Matrices {
    let [n, channels] = factors.dims();
    x * factors.reshape([n, channels, 1, 1])
}

fn parts(x: Matrices) -> Parts {
    let unit = Tensor::<2>::eye(3, &x.device()).reshape([1, 1, 3, 3]);
    let trace = (x.clone() * unit.clone()).sum_dim(3).sum_dim(2);
    let scalar = trace * unit / 3.0;
    let turned = x.clone().swap_dims(2, 3);
    let symmetric = (x.clone() + turned.clone()) * 0.5 - scalar.clone();
    [scalar, (x - turned) * 0.5, symmetric]
}

/// The channels of each part mixed by a layer of its own.
fn turned(parts: Parts, layers: &[Linear]) -> Parts {
    let mut layers = layers.iter();
    parts.map(|part| {
        let layer = layers.next().expect("a layer for each part");
        layer.forward(part.permute([0, 2, 3, 1])).permute([0, 3, 1, 2])
    })
}

/// The sum of the parts, each times its own of three numbers of every channel, `[n, channels * 3]`.
fn combined(parts: Parts, factors: Tensor<2>) -> Matrices {
    let [n, channels] = [factors.dims()[0], factors.dims()[1] / 3];
    let factors = factors.reshape([n, channels, 3]);
    let mut k = 0;
    let scaled = parts.map(|part| {
        k += 1;
        times(part, factors.clone().slice([0..n, 0..channels, k - 1..k]).reshape([n, channels]))
    });
    scaled.into_iter().reduce(|a, b| a + b).expect("three parts")
}

/// Of each directed bond, with the direction u from its atom to the neighbour: the unit matrix, the matrix of the cross product with
/// u, and u uᵀ without its trace.
fn directions(graph: &BondGraph, device: &Device) -> Parts {
    let edges = graph.neighbor.len();
    let tensor = |f: &dyn Fn([f64; 3]) -> [[f64; 3]; 3]| -> Matrices {
        let unit = |e: usize| graph.vector[e].map(|x| -x / graph.length[e]);
        let values: Vec<f32> = (0..edges).flat_map(|e| f(unit(e)).as_flattened().to_vec()).map(|x| x as f32).collect();
        Tensor::from_data(TensorData::new(values, [edges, 1, 3, 3]), device)
    };
    let one = |r: usize, c: usize| f64::from(u8::from(r == c));
    [
        tensor(&|_| std::array::from_fn(|r| std::array::from_fn(|c| one(r, c)))),
        tensor(&|[x, y, z]| [[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]]),
        tensor(&|u| std::array::from_fn(|r| std::array::from_fn(|c| u[r] * u[c] - one(r, c) / 3.0))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::fitted_parameters;

    #[test]
    fn the_published_networks_have_837_378_parameters() {
        // Those of matgl, which has 89 elements in place of 94 and keeps the energies of the elements separately.
        let ours = fitted_parameters(&Tensornet::new(&TensornetConfig::published(), &Device::flex()));
        assert_eq!(ours - 5 * 128 - 94, 837_378);
    }
}
