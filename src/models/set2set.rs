//! Set2Set: an order-free summary of a set of vectors (Vinyals, Bengio and Kudlur, ICLR 2016).
//!
//! The two published MEGNets differ here, and a checkpoint works only with the one it was trained with. The original
//! (Chen et al. 2019) projects to 16 values first, gates with a piecewise-linear sigmoid and, by a slip that became part of
//! the model, never stores the cell state, which is therefore zero at every step. matgl uses torch's LSTM.

use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::activation;

use super::{kernels::sum_runs, segments::softmax_runs};

/// Which LSTM drives the attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Set2SetMode {
    /// Projection to 16, Keras' hard sigmoid, cell state zero at every step; usually 3 steps (Chen et al. 2019).
    Megnet,
    /// No projection, torch's LSTM with its cell state; usually 2 steps (matgl).
    Matgl,
}

impl Set2SetMode {
    /// Steps of the attention unless the weights say otherwise: they are no weight, but the weights suit one number only.
    pub fn steps(self) -> usize {
        match self {
            Self::Megnet => 3,
            Self::Matgl => 2,
        }
    }
}

/// Set2Set over rows of width `input`; the summary is twice as wide as the (projected) row.
#[derive(Module, Debug)]
pub struct Set2Set {
    pub(super) project: Option<Linear>,
    pub(super) lstm_query: Linear,
    pub(super) lstm_hidden: Option<Linear>,
}

impl Set2Set {
    /// Random weights for rows of width `input`.
    pub fn new(mode: Set2SetMode, input: usize, device: &Device) -> Self {
        let linear = |i, o| LinearConfig::new(i, o).init(device);
        match mode {
            Set2SetMode::Megnet => {
                Self { project: Some(linear(input, 16)), lstm_query: linear(32, 64), lstm_hidden: None }
            }
            Set2SetMode::Matgl => Self {
                project: None,
                lstm_query: linear(2 * input, 4 * input),
                lstm_hidden: Some(linear(input, 4 * input)),
            },
        }
    }

    /// Summary of each group after `steps`: rows `[R, input]`, the group of each row `[R]`, `[groups, 2 * width]`. A row counts as
    /// often as its weight says.
    pub fn forward(
        &self,
        mode: Set2SetMode,
        steps: usize,
        rows: Tensor<2>,
        group: Tensor<1, Int>,
        groups: usize,
        weights: &[f32],
    ) -> Tensor<2> {
        let rows = match &self.project {
            Some(project) => project.forward(rows),
            None => rows,
        };
        let [_, width] = rows.dims();
        let device = rows.device();
        let zeros = |w| Tensor::<2>::zeros([groups, w], &device);
        let (mut hidden, mut cell, mut query) = (zeros(width), zeros(width), zeros(2 * width));
        for _ in 0..steps {
            let mut gates = self.lstm_query.forward(query);
            if let Some(of_hidden) = &self.lstm_hidden {
                gates = gates + of_hidden.forward(hidden);
            }
            let gate = |k: usize| gates.clone().slice([0..groups, k * width..(k + 1) * width]);
            let squash = |x: Tensor<2>| match mode {
                Set2SetMode::Megnet => (x * 0.2 + 0.5).clamp(0.0, 1.0),
                Set2SetMode::Matgl => activation::sigmoid(x),
            };
            // Gates in the order input, forget, cell, output (Keras and torch agree).
            let fresh = squash(gate(0)) * gate(2).tanh();
            cell = match mode {
                Set2SetMode::Megnet => fresh,
                Set2SetMode::Matgl => squash(gate(1)) * cell + fresh,
            };
            hidden = squash(gate(3)) * cell.clone().tanh();
            let scores = (rows.clone() * hidden.clone().select(0, group.clone())).sum_dim(1);
            let shares = softmax_runs(scores, group.clone(), groups, weights);
            let summary = sum_runs(rows.clone() * shares, group.clone(), groups);
            query = Tensor::cat(vec![hidden.clone(), summary], 1);
        }
        query
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_ignores_order_and_other_groups() {
        let device = Device::flex();
        for mode in [Set2SetMode::Megnet, Set2SetMode::Matgl] {
            let net = Set2Set::new(mode, 8, &device);
            let rows = Tensor::<2>::random([5, 8], burn::tensor::Distribution::Normal(0.0, 1.0), &device);
            let group = Tensor::<1, Int>::from_ints([0, 0, 0, 1, 1], &device);
            let order = Tensor::<1, Int>::from_ints([4, 2, 0, 3, 1], &device);
            let ones = [1.0; 5];
            let a = net.forward(mode, 3, rows.clone(), group.clone(), 2, &ones);
            let b =
                net.forward(mode, 3, rows.clone().select(0, order.clone()), group.clone().select(0, order), 2, &ones);
            assert!((a.clone() - b).abs().max().into_scalar::<f32>() < 1e-6);
            let both = Tensor::<1, Int>::from_ints([0, 0], &device);
            let alone = net.forward(mode, 3, rows.clone().slice([3..5, 0..8]), both, 1, &ones[..2]);
            assert!((a.select(0, Tensor::from_ints([1], &device)) - alone).abs().max().into_scalar::<f32>() < 1e-6);
            let twice = Tensor::<1, Int>::from_ints([0, 1, 1, 2, 3, 4], &device);
            let groups = Tensor::<1, Int>::from_ints([0, 0, 0, 0, 1, 1], &device);
            let repeated = net.forward(mode, 3, rows.clone().select(0, twice), groups, 2, &[1.0; 6]);
            let weighted = net.forward(mode, 3, rows, group, 2, &[1.0, 2.0, 1.0, 1.0, 1.0]);
            assert!((repeated - weighted).abs().max().into_scalar::<f32>() < 1e-6);
        }
    }
}
