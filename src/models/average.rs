//! A moving average of the weights (Polyak and Juditsky 1992): where the last steps scatter around a minimum, their mean is nearer to it
//! than any of them.
//!
//! After step t the average moves to the network by 1 - min(decay, (1 + t) / (10 + t)): the initial weights, which are random,
//! are forgotten soon. The running statistics of batch normalisations are averaged like weights, for they describe them.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::prelude::*;

use super::network::Net;

/// The average after one more step; `average` and `net` have the same identities.
pub(super) fn moved(average: Net, net: &Net, decay: f64, steps: usize) -> Net {
    let mut values = Values(HashMap::new());
    net.valid().visit(&mut values);
    let share = 1.0 - decay.min((1.0 + steps as f64) / (10.0 + steps as f64));
    average.map(&mut Move { values: values.0, share })
}

/// Every float tensor of a network, flat.
struct Values(HashMap<ParamId, Tensor<1>>);

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        let n = value.shape().num_elements();
        self.0.insert(param.id, value.reshape([n]));
    }
}

struct Move {
    values: HashMap<ParamId, Tensor<1>>,
    share: f64,
}

impl ModuleMapper for Move {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(value) = self.values.remove(&param.id) else { return param };
        let (id, old, _) = param.consume();
        let value = value.reshape(old.dims());
        Param::initialized(id, old * (1.0 - self.share) + value * self.share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cgcnn::CgcnnConfig, network::Config};

    fn first(net: &Net) -> Vec<f32> {
        let mut values = Values(HashMap::new());
        net.visit(&mut values);
        let mut all: Vec<_> = values.0.into_iter().collect();
        all.sort_by_key(|(id, _)| id.val());
        all.into_iter().flat_map(|(_, t)| t.into_data().try_to_vec::<f32>().unwrap()).collect()
    }

    #[test]
    fn the_average_goes_towards_the_network_and_leaves_it_alone() {
        struct Double;
        impl ModuleMapper for Double {
            fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
                let (id, old, _) = param.consume();
                Param::initialized(id, old * 2.0)
            }
        }
        let config = Config::Cgcnn(CgcnnConfig::published());
        let net = Net::new(&config, 1, &Device::flex().autodiff());
        let start = net.valid();
        let before = first(&start);
        let doubled = net.valid().map(&mut Double).train();
        // Late in the run the decay itself holds, early the shorter memory.
        for (steps, share) in [(1_000_000, 0.1), (0, 0.9)] {
            let average = moved(net.valid(), &doubled, 0.9, steps);
            for (a, b) in first(&average).iter().zip(&before) {
                assert!((a - b * (1.0 + share)).abs() <= 1e-5 * b.abs().max(1e-3), "{a} {b}");
            }
        }
        assert_eq!(first(&net.valid()), before);
        assert!(first(&doubled.valid()).iter().zip(&before).all(|(a, b)| *a == 2.0 * b));
    }
}
