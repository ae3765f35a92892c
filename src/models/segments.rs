//! Softmax over rows that belong together: bonds of an atom, atoms of a crystal.

use burn::prelude::*;
use burn::tensor::TensorData;

use super::kernels::sum_runs;

/// Softmax of `scores`, `[R, W]`, within each group, column by column; a row counts as often as its weight says.
pub fn softmax_runs(scores: Tensor<2>, group: Tensor<1, Int>, groups: usize, weights: &[f32]) -> Tensor<2> {
    let (device, [_, width]) = (scores.device(), scores.dims());
    // The largest score of each group only keeps exp in range; it is a constant to the gradient.
    let values: Vec<f32> = scores.clone().detach().into_data().try_to_vec().expect("scores are f32");
    let index = group.clone().into_data();
    let mut largest = vec![f32::NEG_INFINITY; groups * width];
    for (row, g) in values.chunks_exact(width).zip(index.iter::<i64>()) {
        for (entry, value) in largest[g as usize * width..].iter_mut().zip(row) {
            *entry = entry.max(*value);
        }
    }
    let largest = Tensor::<2>::from_data(TensorData::new(largest, [groups, width]), &device);
    let weights = Tensor::<2>::from_data(TensorData::new(weights.to_vec(), [weights.len(), 1]), &device);
    let shifted = (scores - largest.select(0, group.clone())).exp() * weights;
    let total = sum_runs(shifted.clone(), group.clone(), groups);
    shifted / total.select(0, group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softmax_of_each_group_sums_to_one() {
        let device = Device::flex();
        let scores = Tensor::<2>::from_floats([[900.0], [901.0], [-3.0]], &device);
        let group = || Tensor::<1, Int>::from_ints([0, 0, 1], &device);
        let weights = softmax_runs(scores.clone(), group(), 2, &[1.0; 3]);
        let w: Vec<f32> = weights.into_data().try_to_vec().unwrap();
        assert!((w[0] + w[1] - 1.0).abs() < 1e-6 && (w[1] / w[0] - 1.0_f32.exp()).abs() < 1e-4 && w[2] == 1.0);
        // A row that stands for three takes their three shares.
        let w: Vec<f32> = softmax_runs(scores, group(), 2, &[3.0, 1.0, 4.0]).into_data().try_to_vec().unwrap();
        let e = 1.0_f32.exp();
        assert!((w[0] - 3.0 / (3.0 + e)).abs() < 1e-6 && (w[1] - e / (3.0 + e)).abs() < 1e-6 && w[2] == 1.0);
    }

    #[test]
    fn columns_do_not_meet() {
        let device = Device::flex();
        let group = || Tensor::<1, Int>::from_ints([1, 0, 1], &device);
        let both = Tensor::<2>::from_floats([[1.0, 50.0], [2.0, -9.0], [3.0, 49.0]], &device);
        let w: Vec<f32> = softmax_runs(both, group(), 2, &[1.0; 3]).into_data().try_to_vec().unwrap();
        let (e1, e2) = (1.0_f32.exp(), 2.0_f32.exp());
        let want = [1.0 / (1.0 + e2), e1 / (1.0 + e1), 1.0, 1.0, e2 / (1.0 + e2), 1.0 / (1.0 + e1)];
        assert!(w.iter().zip(want).all(|(w, want)| (w - want).abs() < 1e-6), "{w:?}");
    }
}
