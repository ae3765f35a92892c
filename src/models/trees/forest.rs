//! The trees without tensors.

use crate::{fused::Inference, input::Input};

/// Trees of one depth. The questions of a tree stand level by level, that of node k before those of nodes 2 k + 1 and 2 k + 2, and
/// its leaves from left to right.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Forest {
    /// Questions from the root to a leaf.
    pub depth: usize,
    /// Trees that have grown; those after them do not count.
    pub used: usize,
    /// The number that each question is about.
    pub numbers: Vec<usize>,
    /// What is above it goes right. Infinite where there is no question, so that all go left.
    pub thresholds: Vec<f32>,
    /// What each leaf adds.
    pub leaves: Vec<f32>,
}

impl Forest {
    /// Room for so many trees.
    pub fn empty(trees: usize, depth: usize) -> Self {
        let questions = trees * questions(depth);
        Self {
            depth,
            used: 0,
            numbers: vec![0; questions],
            thresholds: vec![f32::INFINITY; questions],
            leaves: vec![0.0; questions + trees],
        }
    }

    /// Trees there is room for.
    pub fn room(&self) -> usize {
        self.leaves.len() / (questions(self.depth) + 1)
    }

    /// The sum of all trees for a crystal.
    pub fn value(&self, x: &[f32]) -> f32 {
        (0..self.used).map(|tree| f64::from(self.leaf(tree, x))).sum::<f64>() as f32
    }

    /// The value of one tree.
    pub fn leaf(&self, tree: usize, x: &[f32]) -> f32 {
        let all = questions(self.depth);
        let (numbers, thresholds) = (&self.numbers[tree * all..], &self.thresholds[tree * all..]);
        let down = |node: usize, _| 2 * node + 1 + usize::from(x[numbers[node]] > thresholds[node]);
        self.leaves[tree * (all + 1) + (0..self.depth).fold(0, down) - all]
    }
}

/// Questions of a tree.
pub(super) fn questions(depth: usize) -> usize {
    (1 << depth) - 1
}

impl Inference for Forest {
    fn one(&self, input: &Input) -> f32 {
        self.value(input.vector())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_lead_to_leaves() {
        let forest = Forest {
            numbers: vec![0, 1, 2, 0, 0, 0],
            thresholds: vec![0.5, 0.5, 0.5, f32::INFINITY, f32::INFINITY, f32::INFINITY],
            leaves: vec![1.0, 2.0, 3.0, 4.0, 10.0, 20.0, 30.0, 40.0],
            used: 1,
            depth: 2,
        };
        assert_eq!(forest.room(), 2);
        for (x, want) in
            [([0.0, 0.0, 1.0], 1.0), ([0.5, 0.6, 0.0], 2.0), ([0.6, 0.6, 0.0], 3.0), ([1.0, 0.0, 1.0], 4.0)]
        {
            assert_eq!((forest.value(&x), forest.leaf(1, &x)), (want, 10.0), "{x:?}");
        }
        assert_eq!(Forest { used: 2, ..forest }.value(&[f32::NAN, 0.0, 0.0]), 11.0);
        assert_eq!(Forest::empty(3, 0).value(&[]), 0.0);
    }
}
