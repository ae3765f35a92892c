//! Sums over rows that belong together: messages at an atom, atoms of a crystal.

use burn::prelude::*;
use burn::tensor::IndexingUpdateOp;

/// Row r of the result is the sum of the rows of `values`, `[R, W]`, whose `group`, `[R]`, is r; `[groups, W]`.
pub fn sum_runs(values: Tensor<2>, group: Tensor<1, Int>, groups: usize) -> Tensor<2> {
    let [_, width] = values.dims();
    Tensor::zeros([groups, width], &values.device()).select_assign(0, group, values, IndexingUpdateOp::Add)
}

/// Softmax within each group, column by column: `[R, W]`.
pub fn softmax_runs(scores: Tensor<2>, group: Tensor<1, Int>, groups: usize) -> Tensor<2> {
    // Any constant per group cancels; the detached maximum over the whole column keeps the exponentials finite.
    let highest = scores.clone().detach().max_dim(0);
    let weights = (scores - highest).exp();
    let sum = sum_runs(weights.clone(), group.clone(), groups);
    weights / (sum.select(0, group) + 1e-16)
}
