//! The trees as tensors: how they are kept, copied and hashed as networks are.

use burn::module::{Param, ParamId};
use burn::prelude::*;
use burn::tensor::TensorData;

use super::{
    TreesConfig,
    forest::{Forest, questions},
};
use crate::fused::linear::values;

/// Trees, whole numbers among them as floats.
#[derive(Module, Debug)]
pub struct Trees {
    /// Trees that have grown, `[1]`.
    used: Param<Tensor<1>>,
    /// The number each question is about, `[trees, questions]`.
    numbers: Param<Tensor<2>>,
    /// What is above goes right, `[trees, questions]`.
    thresholds: Param<Tensor<2>>,
    /// What each leaf adds, `[trees, leaves]`.
    leaves: Param<Tensor<2>>,
}

impl Trees {
    /// Of a forest.
    pub(super) fn new(forest: &Forest, device: &Device) -> Self {
        Self::identified(forest, device, [(); 4].map(|()| ParamId::new()))
    }

    /// The same with other trees.
    pub(super) fn with(&self, forest: &Forest) -> Self {
        let ids = [self.used.id, self.numbers.id, self.thresholds.id, self.leaves.id];
        Self::identified(forest, &self.leaves.val().device(), ids)
    }

    fn identified(forest: &Forest, device: &Device, ids: [ParamId; 4]) -> Self {
        let trees = forest.room();
        let table = |id, values: Vec<f32>| {
            let columns = values.len() / trees.max(1);
            Param::initialized(id, Tensor::<2>::from_data(TensorData::new(values, [trees, columns]), device))
        };
        let used = TensorData::new(vec![forest.used as f32], [1]);
        Self {
            used: Param::initialized(ids[0], Tensor::from_data(used, device)),
            numbers: table(ids[1], forest.numbers.iter().map(|&k| k as f32).collect()),
            thresholds: table(ids[2], forest.thresholds.clone()),
            leaves: table(ids[3], forest.leaves.clone()),
        }
    }

    /// As a forest. A file may hold anything: what is no number of a crystal is taken for the nearest that is one.
    pub(super) fn forest(&self, config: &TreesConfig) -> Forest {
        let last = config.width() - 1;
        let room = config.trees;
        let flat = |table: &Param<Tensor<2>>| values(table.val());
        let used = values(self.used.val()).first().map_or(0, |&used| used as usize);
        debug_assert_eq!(flat(&self.numbers).len(), room * questions(config.depth));
        Forest {
            depth: config.depth,
            used: used.min(room),
            numbers: flat(&self.numbers).into_iter().map(|k| (k as usize).min(last)).collect(),
            thresholds: flat(&self.thresholds),
            leaves: flat(&self.leaves),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forest_comes_back_and_nothing_in_a_file_leads_outside() {
        let config = TreesConfig { trees: 2, depth: 2, ..TreesConfig::usual() };
        let mut forest = Forest::empty(2, 2);
        forest.used = 1;
        forest.numbers[1] = 7;
        forest.thresholds[1] = 0.25;
        forest.leaves[3] = -2.0;
        let device = Device::flex();
        assert_eq!(Trees::new(&forest, &device).forest(&config), forest);
        let net = Trees::new(&Forest::empty(2, 2), &device).with(&forest);
        assert_eq!(net.forest(&config), forest);
        forest.numbers[0] = 1 << 40;
        forest.used = 1 << 40;
        let read = Trees::new(&forest, &device).forest(&config);
        assert_eq!((read.numbers[0], read.used), (config.width() - 1, 2));
        assert!(read.value(&vec![f32::NAN; config.width()]).is_finite());
    }
}
