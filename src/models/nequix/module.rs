//! The network in burn: a definition of what it computes.
//!
//! Conventions of the package that trained the weights (factors of widths, of the number of neighbours, of activations) are in the
//! weights here, see [`super::foreign`]; what is left is the network.

use burn::module::Param;
use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::activation::silu;
use burn::tensor::{IndexingUpdateOp, TensorData};

use super::{
    ELEMENTS, NequixConfig,
    basis::Basis,
    harmonics::{Harmonics, components, joints},
    paths::{Path, Shape},
};
use crate::bond_graph::BondGraph;

/// Tensors of one degree of atoms or bonds, `[n, components, channels]`.
type Tensors = Tensor<3>;

/// Added to the squared size of an atom's tensors.
pub(super) const EPSILON: f64 = 1e-12;

/// A message-passing layer.
#[derive(Module, Debug)]
pub(super) struct Convolution {
    /// From functions of a length to the weights of all paths.
    pub(super) radial: Vec<Linear>,
    /// What is sent, for each degree.
    pub(super) sent: Vec<Linear>,
    /// What is made of what arrives, for each degree.
    pub(super) mixed: Vec<Linear>,
    /// What is added of what the atom had, for each degree.
    pub(super) skip: Vec<Linear>,
    /// A factor for each channel, for each degree.
    pub(super) norm: Vec<Param<Tensor<1>>>,
}

/// The network. Weights only: the configuration is handed to every call.
#[derive(Module, Debug)]
pub struct Nequix {
    /// Energy of an atom of each element, eV, to which the network adds.
    pub(super) references: Param<Tensor<1>>,
    pub(super) layers: Vec<Convolution>,
    pub(super) readout: Linear,
}

impl Nequix {
    /// Random weights on `device`.
    pub fn new(config: &NequixConfig, device: &Device) -> Self {
        let linear = |inputs, outputs| LinearConfig::new(inputs, outputs).with_bias(false).init(device);
        let pairs = |inputs: &[usize], outputs: &[usize]| -> Vec<Linear> {
            inputs.iter().zip(outputs).map(|(&inputs, &outputs)| linear(inputs, outputs)).collect()
        };
        let layer = |t: usize| {
            let shape = config.shape(t);
            let had = if t == 0 { vec![ELEMENTS] } else { config.channels.clone() };
            let widths = [&[config.bessel], &config.perceptron[..], &[shape.weights()]].concat();
            Convolution {
                radial: pairs(&widths, &widths[1..]),
                sent: pairs(&had, &shape.sent.0),
                mixed: pairs(&shape.arrived.0, &shape.mixed.0),
                skip: pairs(&had, &shape.mixed.0),
                norm: shape.mixed.0.iter().map(|&n| Param::from_tensor(Tensor::ones([n], device))).collect(),
            }
        };
        Self {
            references: Param::from_tensor(Tensor::zeros([ELEMENTS], device)),
            layers: (0..config.convolutions).map(layer).collect(),
            readout: linear(config.channels[0], 1),
        }
    }

    /// Energy per atom, eV, `[1]`, of one crystal.
    pub fn forward(&self, config: &NequixConfig, graph: &BondGraph, device: &Device) -> Tensor<1> {
        let bonds = Bonds::new(config, graph, device);
        let one = |z: usize| (0..ELEMENTS).map(move |k| if k == z { 1.0 } else { 0.0 });
        let elements = graph.numbers.iter().flat_map(|&z| one(usize::from(z) - 1)).collect::<Vec<f32>>();
        let mut x = vec![Tensor::<3>::from_data(TensorData::new(elements, [bonds.atoms, 1, ELEMENTS]), device)];
        for (t, layer) in self.layers.iter().enumerate() {
            x = layer.forward(&config.shape(t), &bonds, &x);
        }
        let numbers = int(graph.numbers.iter().map(|&z| u32::from(z) - 1), device);
        let sites: Tensor<2> = self.readout.forward(x.remove(0)).reshape([bonds.atoms, 1]);
        (sites + self.references.val().select(0, numbers).reshape([bonds.atoms, 1])).mean().reshape([1])
    }
}

/// Directed bonds: their atoms, functions of their lengths and harmonics of their directions.
struct Bonds {
    center: Tensor<1, Int>,
    neighbor: Tensor<1, Int>,
    atoms: usize,
    lengths: Tensor<2>,
    /// Of each degree.
    harmonics: Vec<Tensor<2>>,
}

impl Bonds {
    fn new(config: &NequixConfig, graph: &BondGraph, device: &Device) -> Self {
        let (atoms, edges) = (graph.numbers.len(), graph.neighbor.len());
        let center = (0..atoms).flat_map(|i| std::iter::repeat_n(i as u32, graph.starts[i + 1] - graph.starts[i]));
        let rows = |f: &dyn Fn(usize) -> Vec<f64>, width: usize| -> Tensor<2> {
            let values: Vec<f32> = (0..edges).flat_map(f).map(|x| x as f32).collect();
            Tensor::from_data(TensorData::new(values, [edges, width]), device)
        };
        let basis = Basis::new(config.cutoff, config.bessel, config.power);
        // From the atom to its neighbour, against the bond's vector.
        let direction = |e: usize| graph.vector[e].map(|x| -x / graph.length[e]);
        let of_degree = |degree: usize| {
            let harmonics = Harmonics::new(degree);
            rows(&|e| harmonics.at(direction(e)).collect(), components(degree))
        };
        Self {
            center: int(center, device),
            neighbor: int(graph.neighbor.iter().copied(), device),
            atoms,
            lengths: rows(&|e| basis.expand(graph.length[e]), config.bessel),
            harmonics: (0..config.channels.len()).map(of_degree).collect(),
        }
    }

    /// What arrives at atoms along a path, by these weights of bonds.
    fn arrive(&self, path: &Path, sent: &Tensors, weights: Tensor<2>) -> Tensors {
        let [edges, channels] = weights.dims();
        let (inputs, outputs) = (components(path.from), components(path.to));
        let mut joined = vec![0.0; components(path.by) * inputs * outputs];
        for joint in joints(path.from, path.by, path.to) {
            joined[(joint.by * outputs + joint.to) * inputs + joint.from] = joint.factor as f32;
        }
        let device = weights.device();
        let joined = Tensor::<2>::from_data(TensorData::new(joined, [components(path.by), outputs * inputs]), &device);
        let matrices = self.harmonics[path.by].clone().matmul(joined).reshape([edges, outputs, inputs]);
        let messages = matrices.matmul(sent.clone().select(0, self.neighbor.clone()));
        let messages = messages * weights.reshape([edges, 1, channels]) * (outputs as f64).sqrt();
        let zeros = Tensor::zeros([self.atoms, outputs, channels], &device);
        zeros.select_assign(0, self.center.clone(), messages, IndexingUpdateOp::Add)
    }
}

impl Convolution {
    fn forward(&self, shape: &Shape, bonds: &Bonds, x: &[Tensors]) -> Vec<Tensors> {
        let (last, hidden) = self.radial.split_last().expect("a perceptron has layers");
        let weights = last.forward(hidden.iter().fold(bonds.lengths.clone(), |x, layer| silu(layer.forward(x))));
        let sent: Vec<Tensors> = self.sent.iter().zip(x).map(|(layer, x)| layer.forward(x.clone())).collect();
        let degrees = (0..shape.kept.0.len()).map(|degree| {
            let paths = shape.paths.iter().filter(|path| path.to == degree);
            let arrived = paths.map(|path| {
                let weights = weights.clone().narrow(1, path.weight, path.channels);
                bonds.arrive(path, &sent[path.from], weights)
            });
            let mixed = self.mixed[degree].forward(Tensor::cat(arrived.collect(), 2));
            match self.skip.get(degree).zip(x.get(degree)) {
                Some((layer, x)) => mixed + layer.forward(x.clone()),
                None => mixed,
            }
        });
        gated(self.normal(degrees.collect()), shape)
    }

    /// Tensors over the root of their mean squared size, over degrees and components.
    fn normal(&self, x: Vec<Tensors>) -> Vec<Tensors> {
        let degrees = x.len();
        let share = |x: &Tensors| {
            let components = x.dims()[1] as f64;
            x.clone().square().sum_dim(2).sum_dim(1) / (components * components * degrees as f64)
        };
        let size = x.iter().map(share).reduce(|a, b| a + b).expect("a degree");
        let factor = (size + EPSILON).sqrt().recip();
        let scaled = x.into_iter().zip(&self.norm).map(|(x, norm)| {
            let channels = x.dims()[2];
            x * norm.val().reshape([1, 1, channels]) * factor.clone()
        });
        scaled.collect()
    }
}

/// Scalars through silu, and other tensors times silu of the scalars that are their gates.
fn gated(x: Vec<Tensors>, shape: &Shape) -> Vec<Tensors> {
    let scalars = silu(x[0].clone());
    let mut gate = shape.kept.0[0];
    let mut kept = vec![scalars.clone().narrow(2, 0, gate)];
    for x in &x[1..] {
        let channels = x.dims()[2];
        kept.push(x.clone() * scalars.clone().narrow(2, gate, channels));
        gate += channels;
    }
    kept
}

fn int(values: impl Iterator<Item = u32>, device: &Device) -> Tensor<1, Int> {
    let values: Vec<i64> = values.map(i64::from).collect();
    let n = values.len();
    Tensor::from_data(TensorData::new(values, [n]), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::fitted_parameters;

    #[test]
    fn the_published_networks_have_707_658_parameters() {
        // Those of the package, which has 89 elements in place of 94, and as many scalars in the first layer in place of 96.
        let ours = fitted_parameters(&Nequix::new(&NequixConfig::published(), &Device::flex()));
        let (elements, seven) = (94 - 89, 96 - 89);
        let first = elements * (96 + 256) + seven * 89 + seven * (4 * 64 + 256 + 64 + 32 + 32);
        assert_eq!(ours - elements - first, 707_658);
    }
}
