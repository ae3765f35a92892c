//! The network in burn: a definition of what it computes, and what training fits.

use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig1d};
use burn::prelude::*;
use burn::tensor::activation::relu;

use super::CnnConfig;
use crate::dropout::dropout;

/// The network.
#[derive(Module, Debug)]
pub struct Cnn {
    convolutions: Vec<Conv1d>,
    dense: Vec<Linear>,
    /// Share that is dropped after each layer, in order.
    dropouts: Vec<f64>,
    out: Linear,
}

impl Cnn {
    /// Random weights on `device`.
    pub fn new(config: &CnnConfig, device: &Device) -> Self {
        let (mut channels, mut length) = (1, config.descriptor.length());
        let mut convolutions = Vec::new();
        for layer in &config.convolutions {
            let padded = Conv1dConfig::new(channels, layer.filters, layer.kernel).with_padding(PaddingConfig1d::Same);
            convolutions.push(padded.init(device));
            (channels, length) = (layer.filters, length / 2);
        }
        let mut width = channels * length;
        let mut dense = Vec::new();
        for layer in &config.dense {
            dense.push(LinearConfig::new(width, layer.units).init(device));
            width = layer.units;
        }
        let shares = config.convolutions.iter().map(|c| c.dropout).chain(config.dense.iter().map(|d| d.dropout));
        Self { convolutions, dense, dropouts: shares.collect(), out: LinearConfig::new(width, 1).init(device) }
    }

    /// One number per row of `vectors`, `[B, length]` and standardised; `[B]`.
    pub fn forward(&self, vectors: Tensor<2>) -> Tensor<1> {
        let [rows, length] = vectors.dims();
        let mut dropouts = self.dropouts.iter();
        let mut x = vectors.reshape([rows, length, 1]);
        for (layer, share) in self.convolutions.iter().zip(&mut dropouts) {
            x = dropout(pairs_averaged(relu(convolved(layer, x))), *share);
        }
        // All places of a filter stand together.
        let mut x: Tensor<2> = x.swap_dims(1, 2).flatten(1, 2);
        for (layer, share) in self.dense.iter().zip(dropouts) {
            x = dropout(relu(layer.forward(x)), *share);
        }
        self.out.forward(x).reshape([rows])
    }
}

/// The convolution of `x`, `[B, L, C]`, padded to `[B, L, F]`, as one product with the windows around each place: a gradient
/// through it is two more products; burn's own convolution takes nearly twice as long.
fn convolved(layer: &Conv1d, x: Tensor<3>) -> Tensor<3> {
    let [filters, channels, kernel] = layer.weight.dims();
    let [rows, length, _] = x.dims();
    let before = (kernel - 1) / 2;
    let zeros = |places| Tensor::<3>::zeros([rows, places, channels], &x.device());
    let padded = match kernel {
        1 => x,
        2 => Tensor::cat(vec![x.clone(), zeros(1)], 1),
        _ => Tensor::cat(vec![zeros(before), x.clone(), zeros(kernel - 1 - before)], 1),
    };
    let windows = (0..kernel).map(|k| padded.clone().slice([0..rows, k..k + length])).collect();
    let windows = Tensor::cat(windows, 2).reshape([rows * length, kernel * channels]);
    let weight = layer.weight.val().permute([2, 1, 0]).reshape([kernel * channels, filters]);
    let y = windows.matmul(weight);
    let y = match &layer.bias {
        Some(bias) => y + bias.val().reshape([1, filters]),
        None => y,
    };
    y.reshape([rows, length, filters])
}

/// The mean of each two places of `[B, L, C]`; an odd last one is left out.
fn pairs_averaged(x: Tensor<3>) -> Tensor<3> {
    let [rows, length, channels] = x.dims();
    let half = length / 2;
    x.slice([0..rows, 0..2 * half]).reshape([rows, half, 2, channels]).mean_dim(2).reshape([rows, half, channels])
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::super::Descriptor;
    use super::*;

    #[test]
    fn shapes_follow_the_configuration() {
        for descriptor in [Descriptor::Magpie, Descriptor::Xrd] {
            let config = CnnConfig::usual(descriptor);
            let net = Cnn::new(&config, &Device::flex());
            let flat = 128 * (descriptor.length() / 4);
            let count = (5 * 64 + 64) + (64 * 5 * 128 + 128) + (flat * 256 + 256) + (256 * 128 + 128) + 129;
            assert_eq!(net.num_params(), count);
            let rows = Tensor::<2>::ones([3, descriptor.length()], &Device::flex());
            let values: Vec<f32> = net.forward(rows).into_data().try_to_vec().unwrap();
            assert!(values.len() == 3 && values.iter().all(|v| *v == values[0] && v.is_finite()));
        }
    }

    #[test]
    fn windows_and_pairs_are_burns_convolution_and_pooling() {
        let device = Device::flex().autodiff();
        let pool = burn::nn::pool::AvgPool1dConfig::new(2).with_stride(2).init();
        for (channels, length, kernel) in [(1, 12, 5), (3, 9, 4), (2, 8, 3), (4, 7, 1), (3, 6, 2)] {
            let config = Conv1dConfig::new(channels, 6, kernel).with_padding(PaddingConfig1d::Same);
            let layer = config.init(&device);
            let values = |n: usize| (0..n).map(|k| ((k * k) as f32 * 0.37).sin()).collect::<Vec<_>>();
            let data = TensorData::new(values(2 * length * channels), [2, length, channels]);
            let x = Tensor::<3>::from_data(data, &device).require_grad();
            let by_windows = pairs_averaged(convolved(&layer, x.clone())).swap_dims(1, 2);
            let by_burn = pool.forward(layer.forward(x.clone().swap_dims(1, 2)));
            let gradients = |y: Tensor<3>| {
                let grads = (y.clone() * y.clone()).sum().backward();
                let flat = |t: Tensor<3>| t.into_data().try_to_vec::<f32>().unwrap();
                [flat(y.inner()), flat(x.grad(&grads).unwrap()), flat(layer.weight.grad(&grads).unwrap())].concat()
            };
            let (ours, theirs) = (gradients(by_windows), gradients(by_burn));
            assert_eq!(ours.len(), theirs.len());
            for (a, b) in ours.iter().zip(&theirs) {
                assert!((a - b).abs() < 1e-5, "{channels} {length} {kernel}: {a} {b}");
            }
        }
    }
}
