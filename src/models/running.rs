//! The running means and variances of batch normalisations, which are no parameters and have no gradient: every pass of a
//! training step moves those of its own fork of the network, and here the network takes on their mean.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::nn::BatchNorm;
use burn::prelude::*;
use burn::tensor::TensorData;

use super::kernels::Moments;

/// Values of the buffers of a network, by identity.
#[derive(Debug, Default)]
pub(super) struct Buffers(HashMap<ParamId, Vec<f32>>);

impl Buffers {
    /// Those of a fork, after its pass.
    pub fn of(fork: &impl Module) -> Self {
        // A trained value requires gradients, a buffer does not.
        struct Without(Vec<ParamId>);
        impl ModuleVisitor for Without {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                if !param.is_require_grad() {
                    self.0.push(param.id);
                }
            }
        }
        struct Read(HashMap<ParamId, Vec<f32>>);
        impl ModuleVisitor for Read {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                if let Some(values) = self.0.get_mut(&param.id) {
                    *values = param.val().into_data().iter::<f32>().collect();
                }
            }
        }
        let mut buffers = Without(Vec::new());
        fork.visit(&mut buffers);
        let mut read = Read(buffers.0.into_iter().map(|id| (id, Vec::new())).collect());
        if !read.0.is_empty() {
            // The snapshot settles what each thread has noted in the fork.
            fork.valid().visit(&mut read);
        }
        Self(read.0)
    }

    /// Those of normalisations after batches with these moments.
    pub fn after<'a>(norms: impl IntoIterator<Item = (&'a BatchNorm, Moments)>) -> Self {
        struct Id(Option<ParamId>);
        impl ModuleVisitor for Id {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                self.0 = Some(param.id);
            }
        }
        let mut values = HashMap::new();
        for (norm, moments) in norms {
            let momentum = norm.momentum as f32;
            for (running, now) in [(&norm.running_mean, &moments.mean), (&norm.running_var, &moments.unbiased())] {
                let mut id = Id(None);
                running.visit(&mut id);
                let old: Vec<f32> = running.value().into_data().iter::<f32>().collect();
                // Columns of padding are no part of it.
                let new = old.iter().zip(now).map(|(old, now)| old * (1.0 - momentum) + now * momentum);
                values.insert(id.0.expect("a running statistic has an identity"), new.collect());
            }
        }
        Self(values)
    }

    /// Largest difference from the same buffers of another, relative to the largest value of each; infinite where they are others.
    #[cfg(test)]
    pub fn apart(&self, other: &Self) -> f32 {
        let of = |(id, values): (&ParamId, &Vec<f32>)| {
            let Some(others) = other.0.get(id).filter(|o| o.len() == values.len()) else { return f32::INFINITY };
            let largest = values.iter().fold(1e-6_f32, |m, x| m.max(x.abs()));
            values.iter().zip(others).fold(0.0_f32, |m, (a, b)| m.max((a - b).abs() / largest))
        };
        if self.0.len() == other.0.len() { self.0.iter().map(of).fold(0.0, f32::max) } else { f32::INFINITY }
    }

    /// Mean of several, each with its weight; the weights add up to 1.
    pub fn mean(all: impl IntoIterator<Item = (f32, Self)>) -> Self {
        let mut mean: HashMap<ParamId, Vec<f32>> = HashMap::new();
        for (weight, one) in all {
            for (id, values) in one.0 {
                let sum = mean.entry(id).or_insert_with(|| vec![0.0; values.len()]);
                sum.iter_mut().zip(values).for_each(|(sum, x)| *sum += weight * x);
            }
        }
        Self(mean)
    }

    /// The network with these values.
    pub fn into_net<M: Module>(self, net: M) -> M {
        struct Write(HashMap<ParamId, Vec<f32>>);
        impl ModuleMapper for Write {
            fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
                let Some(values) = self.0.remove(&param.id) else { return param };
                let (id, old, _) = param.consume();
                Param::initialized(id, Tensor::from_data(TensorData::new(values, old.dims()), &old.device()))
            }
        }
        if self.0.is_empty() { net } else { net.map(&mut Write(self.0)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cgcnn::CgcnnConfig,
        megnet::MegnetConfig,
        network::{Config, Input, Net},
    };
    use crystal::{Element, Lattice, Structure};

    fn rock_salt(a: f64) -> Structure {
        let lattice = Lattice::new([[0.0, a, a], [a, 0.0, a], [a, a, 0.0]]).unwrap();
        let species = vec![Element::from_symbol("Mn").unwrap(), Element::O];
        Structure::new(lattice, species, vec![[0.0; 3], [0.5; 3]]).unwrap()
    }

    #[test]
    fn a_network_learns_the_statistics_of_its_forks() {
        let config = Config::Cgcnn(CgcnnConfig::published());
        let (plain, autodiff) = (Device::flex(), Device::flex().autodiff());
        let inputs: Vec<Input> = [2.0, 2.1, 2.2].iter().map(|&a| config.input(&rock_salt(a)).unwrap()).collect();
        let inputs: Vec<&Input> = inputs.iter().collect();
        let mut net = Net::new(&config, 1, &autodiff);
        let value = |net: &Net| net.forward(&config, &inputs, &plain).into_data().try_to_vec::<f32>().unwrap();
        let trained = |net: &Net| {
            let fork = net.valid().train();
            let values = fork.forward(&config, &inputs, &autodiff).into_data().try_to_vec::<f32>().unwrap();
            (Buffers::of(&fork), values)
        };
        let before = value(&net.valid());
        for _ in 0..200 {
            let ((a, _), (b, _)) = (trained(&net), trained(&net));
            net = Buffers::mean([(0.25, a), (0.75, b)]).into_net(net);
        }
        // Running means that have converged are those of the batch itself.
        let (after, of_batch) = (value(&net.valid()), trained(&net).1);
        let apart = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart(&after, &of_batch) < 0.02 * apart(&before, &of_batch), "{before:?} {after:?} {of_batch:?}");
    }

    #[test]
    fn a_network_without_batches_has_no_buffers() {
        let config = Config::Megnet(MegnetConfig::original());
        assert!(Buffers::of(&Net::new(&config, 1, &Device::flex().autodiff())).0.is_empty());
    }
}
