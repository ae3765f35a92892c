//! Normalisation over a batch or over a row.

use std::sync::{Arc, OnceLock};

use burn::nn::{BatchNorm, LayerNorm};
use burn::prelude::*;
use burn::tensor::TensorData;

use super::{Gradient, Kernel, Matrix, apply_three, on_cpu};
use crate::simd::kernels;

/// Batch normalisation of rows, `[R, W]`. On a device that records gradients the batch's own mean and variance serve, and
/// the running ones follow them by `momentum`; elsewhere the running ones serve.
pub fn batch_norm(norm: &BatchNorm, x: Tensor<2>) -> Tensor<2> {
    let [rows, _] = x.dims();
    weighted_batch_norm(norm, x, &vec![1.0; rows])
}

/// [`batch_norm`] of a batch in which row r stands for so many equal rows as its weight says.
pub fn weighted_batch_norm(norm: &BatchNorm, x: Tensor<2>, weights: &[f32]) -> Tensor<2> {
    let device = x.device();
    if !device.is_autodiff() {
        let scale = norm.gamma.val() / (norm.running_var.value() + norm.epsilon).sqrt();
        let shift = norm.beta.val() - norm.running_mean.value() * scale.clone();
        return x * scale.unsqueeze() + shift.unsqueeze();
    }
    let [_, width] = x.dims();
    let (out, moments) = match on_cpu(&x) {
        true => {
            let (epsilon, weights) = (norm.epsilon as f32, weights.to_vec());
            let kernel = Arc::new(Batch { epsilon, weights, of_batch: OnceLock::new() });
            let out = apply_three(x, norm.gamma.val(), norm.beta.val(), Arc::clone(&kernel) as Arc<dyn Kernel>);
            (out, kernel.of_batch.get().expect("the forward pass is done").clone())
        }
        false => by_operations(norm, x, weights),
    };
    let follow = |running: Tensor<1>, now: Vec<f32>| {
        let now = Tensor::<1>::from_data(TensorData::new(now, [width]), &device);
        (running * (1.0 - norm.momentum) + now * norm.momentum).detach()
    };
    norm.running_mean.update(follow(norm.running_mean.value_sync(), moments.mean.clone()));
    norm.running_var.update(follow(norm.running_var.value_sync(), moments.unbiased()));
    out
}

/// A batch normalised by burn's operations.
fn by_operations(norm: &BatchNorm, x: Tensor<2>, weights: &[f32]) -> (Tensor<2>, Moments) {
    let total = weights.iter().sum::<f32>();
    let shares: Vec<f32> = weights.iter().map(|weight| weight / total).collect();
    let shares = Tensor::<2>::from_data(TensorData::new(shares, [weights.len(), 1]), &x.device());
    let mean = (x.clone() * shares.clone()).sum_dim(0);
    let apart = x - mean.clone();
    let variance = (apart.clone().square() * shares).sum_dim(0);
    let scale = norm.gamma.val().unsqueeze() / (variance.clone() + norm.epsilon).sqrt();
    let of = |statistic: Tensor<2>| statistic.into_data().iter::<f32>().collect();
    (apart * scale + norm.beta.val().unsqueeze(), Moments { mean: of(mean), variance: of(variance), total })
}

/// Normalisation of each row, `[R, W]`.
pub fn layer_norm(norm: &LayerNorm, x: Tensor<2>) -> Tensor<2> {
    match &norm.beta {
        Some(beta) if on_cpu(&x) => {
            apply_three(x, norm.gamma.val(), beta.val(), Arc::new(Layer { of_rows: OnceLock::new() }))
        }
        _ => norm.forward(x),
    }
}

/// The usual addition to a variance; burn's `LayerNorm` does not expose its own, which the networks leave at this
/// value.
const LAYER_EPSILON: f32 = 1e-5;

/// Mean and (biased) variance of each column of a batch, and how many rows it stands for.
#[derive(Debug, Clone)]
pub struct Moments {
    /// Means.
    pub mean: Vec<f32>,
    variance: Vec<f32>,
    total: f32,
}

/// The way back through a normalisation: the gradient in row r of weight w is `factor g + w (of_value x + constant)`.
#[derive(Debug)]
pub struct NormalBack {
    /// Of each column.
    pub factor: Vec<f32>,
    /// See `factor`.
    pub of_value: Vec<f32>,
    /// See `factor`.
    pub constant: Vec<f32>,
}

impl Moments {
    /// Those of `x`, in which a row stands for as many as its weight says.
    pub fn of(x: &[f32], width: usize, weights: &[f32]) -> Self {
        let n = weights.iter().sum::<f32>();
        let (mut mean, mut variance) = (vec![0.0; width], vec![0.0; width]);
        column_sums(x, weights, &mut mean);
        mean.iter_mut().for_each(|m| *m /= n);
        column_squares(x, weights, &mean, &mut variance);
        variance.iter_mut().for_each(|v| *v /= n);
        Self { mean, variance, total: n }
    }

    /// Those of `columns` of two parts side by side, the second of which begins at `width`.
    pub fn halves(self, columns: usize, width: usize) -> Self {
        let of = |all: &[f32]| [&all[..columns], &all[width..width + columns]].concat();
        Self { mean: of(&self.mean), variance: of(&self.variance), total: self.total }
    }

    /// The unbiased estimate of the variance, which runs, as in torch.
    pub fn unbiased(&self) -> Vec<f32> {
        let correction = self.total / (self.total - 1.0).max(1.0);
        self.variance.iter().map(|v| v * correction).collect()
    }

    /// The normalisation as `x scale + shift`.
    pub fn affine(&self, gamma: &[f32], beta: &[f32], epsilon: f32) -> [Vec<f32>; 2] {
        let scale: Vec<f32> = gamma.iter().zip(&self.variance).map(|(g, v)| g / (v + epsilon).sqrt()).collect();
        let shift = beta.iter().zip(&self.mean).zip(&scale).map(|((b, m), s)| b - m * s).collect();
        [scale, shift]
    }

    /// The way back, where `of_gamma` holds Σ g (x - mean), which becomes the gradient in γ, and `of_beta` Σ g.
    pub fn back(&self, gamma: &[f32], epsilon: f32, of_gamma: &mut [f32], of_beta: &[f32]) -> NormalBack {
        let inverse: Vec<f32> = self.variance.iter().map(|v| (v + epsilon).sqrt().recip()).collect();
        of_gamma.iter_mut().zip(&inverse).for_each(|(g, i)| *g *= i);
        // γ/s (g - w mean g - w x̂ mean(g x̂)).
        let (columns, n) = (0..inverse.len(), self.total);
        let factor: Vec<f32> = gamma.iter().zip(&inverse).map(|(g, i)| g * i).collect();
        let of_value: Vec<f32> = columns.clone().map(|k| -factor[k] * inverse[k] * of_gamma[k] / n).collect();
        let constant = columns.map(|k| -factor[k] * of_beta[k] / n - of_value[k] * self.mean[k]).collect();
        NormalBack { factor, of_value, constant }
    }
}

#[derive(Debug)]
struct Batch {
    epsilon: f32,
    /// Rows that each stands for.
    weights: Vec<f32>,
    of_batch: OnceLock<Moments>,
}

impl Kernel for Batch {
    fn forward(&self, inputs: &[Matrix]) -> (Vec<f32>, usize) {
        let [x, gamma, beta] = inputs else { unreachable!("three inputs") };
        let moments = Moments::of(x.values, x.width, &self.weights);
        let [scale, shift] = moments.affine(gamma.values, beta.values, self.epsilon);
        let mut out = vec![0.0; x.values.len()];
        scale_columns(x.values, &scale, &shift, &mut out);
        let _ = self.of_batch.set(moments);
        (out, x.width)
    }

    fn backward(&self, gradient: Matrix, inputs: &[Matrix], wanted: &[bool]) -> Vec<Gradient> {
        let [x, gamma, _] = inputs else { unreachable!("three inputs") };
        let moments = self.of_batch.get().expect("a forward pass comes first");
        let (mut of_gamma, mut of_beta) = (vec![0.0; x.width], vec![0.0; x.width]);
        column_products(x.values, gradient.values, &moments.mean, &mut of_gamma, &mut of_beta);
        let back = moments.back(gamma.values, self.epsilon, &mut of_gamma, &of_beta);
        let mut of_x = Vec::new();
        if wanted[0] {
            of_x = vec![0.0; x.values.len()];
            combine_columns(gradient.values, x.values, &self.weights, &back, &mut of_x);
        }
        vec![Gradient::Of(of_x), Gradient::Of(of_gamma), Gradient::Of(of_beta)]
    }
}

#[derive(Debug)]
struct Layer {
    /// Mean and inverse deviation of each row.
    of_rows: OnceLock<Vec<(f32, f32)>>,
}

impl Kernel for Layer {
    fn forward(&self, inputs: &[Matrix]) -> (Vec<f32>, usize) {
        let [x, gamma, beta] = inputs else { unreachable!("three inputs") };
        let mut statistics = vec![(0.0, 0.0); x.rows()];
        let mut out = vec![0.0; x.values.len()];
        normal_rows(x.values, gamma.values, beta.values, &mut statistics, &mut out);
        let _ = self.of_rows.set(statistics);
        (out, x.width)
    }

    fn backward(&self, gradient: Matrix, inputs: &[Matrix], _: &[bool]) -> Vec<Gradient> {
        let [x, gamma, _] = inputs else { unreachable!("three inputs") };
        let statistics = self.of_rows.get().expect("a forward pass comes first");
        let (mut of_gamma, mut of_beta) = (vec![0.0; x.width], vec![0.0; x.width]);
        let mut of_x = vec![0.0; x.values.len()];
        gradient_rows(x.values, gamma.values, statistics, gradient.values, &mut of_x, &mut of_gamma, &mut of_beta);
        vec![Gradient::Of(of_x), Gradient::Of(of_gamma), Gradient::Of(of_beta)]
    }
}

kernels! {
    /// Adds every row, as often as its weight says, to `sum`. Partial sums of 64 rows keep the error of a sum over many rows small.
    fn column_sums(x: &[f32], weights: &[f32], sum: &mut [f32]) {
        let width = sum.len();
        let mut part = vec![0.0; width];
        for (rows, weights) in x.chunks(64 * width).zip(weights.chunks(64)) {
            part.fill(0.0);
            for (row, w) in rows.chunks_exact(width).zip(weights) {
                part.iter_mut().zip(row).for_each(|(p, x)| *p += w * x);
            }
            sum.iter_mut().zip(&part).for_each(|(s, p)| *s += p);
        }
    }

    fn column_squares(x: &[f32], weights: &[f32], mean: &[f32], sum: &mut [f32]) {
        let width = sum.len();
        let mut part = vec![0.0; width];
        for (rows, weights) in x.chunks(64 * width).zip(weights.chunks(64)) {
            part.fill(0.0);
            for (row, w) in rows.chunks_exact(width).zip(weights) {
                for ((p, x), m) in part.iter_mut().zip(row).zip(mean) {
                    *p += w * (x - m) * (x - m);
                }
            }
            sum.iter_mut().zip(&part).for_each(|(s, p)| *s += p);
        }
    }

    /// Σ g (x - mean) and Σ g.
    fn column_products(x: &[f32], gradient: &[f32], mean: &[f32], product: &mut [f32], sum: &mut [f32]) {
        let width = sum.len();
        for (x, g) in x.chunks_exact(width).zip(gradient.chunks_exact(width)) {
            for k in 0..width {
                product[k] += g[k] * (x[k] - mean[k]);
                sum[k] += g[k];
            }
        }
    }

    fn scale_columns(x: &[f32], scale: &[f32], shift: &[f32], out: &mut [f32]) {
        let width = scale.len();
        for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            for k in 0..width {
                out[k] = x[k] * scale[k] + shift[k];
            }
        }
    }

    fn combine_columns(a: &[f32], b: &[f32], weights: &[f32], back: &NormalBack, out: &mut [f32]) {
        let NormalBack { factor, of_value, constant } = back;
        let width = constant.len();
        let rows = a.chunks_exact(width).zip(b.chunks_exact(width)).zip(out.chunks_exact_mut(width));
        for (((a, b), out), w) in rows.zip(weights) {
            for k in 0..width {
                out[k] = a[k] * factor[k] + w * (b[k] * of_value[k] + constant[k]);
            }
        }
    }

    fn normal_rows(x: &[f32], gamma: &[f32], beta: &[f32], statistics: &mut [(f32, f32)], out: &mut [f32]) {
        let width = gamma.len();
        let n = width as f32;
        for ((x, out), statistic) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)).zip(statistics) {
            let mean = lanes(width, |k| x[k]) / n;
            let inverse = (lanes(width, |k| (x[k] - mean) * (x[k] - mean)) / n + LAYER_EPSILON).sqrt().recip();
            *statistic = (mean, inverse);
            for k in 0..width {
                out[k] = (x[k] - mean) * inverse * gamma[k] + beta[k];
            }
        }
    }

    fn gradient_rows(
        x: &[f32],
        gamma: &[f32],
        statistics: &[(f32, f32)],
        gradient: &[f32],
        of_x: &mut [f32],
        of_gamma: &mut [f32],
        of_beta: &mut [f32],
    ) {
        let width = gamma.len();
        let n = width as f32;
        let rows = x.chunks_exact(width).zip(gradient.chunks_exact(width)).zip(of_x.chunks_exact_mut(width));
        for (((x, g), of_x), &(mean, inverse)) in rows.zip(statistics) {
            let along = lanes(width, |k| g[k] * gamma[k]) / n;
            let across = lanes(width, |k| g[k] * gamma[k] * (x[k] - mean)) * inverse * inverse / n;
            for k in 0..width {
                of_x[k] = inverse * (g[k] * gamma[k] - along - (x[k] - mean) * across);
                of_gamma[k] += g[k] * (x[k] - mean) * inverse;
                of_beta[k] += g[k];
            }
        }
    }
}

/// Sum of `f(0..n)` in 16 lanes: the compiler keeps the order of a plain sum, and with it one addition at a time.
#[inline(always)]
fn lanes(n: usize, f: impl Fn(usize) -> f32) -> f32 {
    let mut sums = [0.0_f32; 16];
    for block in 0..n / 16 {
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum += f(16 * block + lane);
        }
    }
    let rest: f32 = (n / 16 * 16..n).map(f).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_same, random};
    use super::*;
    use burn::module::Module;
    use burn::nn::{BatchNormConfig, LayerNormConfig};

    #[test]
    fn a_batch_is_normalised_as_burn_does_and_the_running_statistics_follow() {
        let device = Device::flex().autodiff();
        let (ours, theirs) = (BatchNormConfig::new(9).init(&device), BatchNormConfig::new(9).init(&device));
        assert_same(
            random([[50, 9]], 1),
            1e-4,
            |[x]| batch_norm(&ours, x * 2.0 + 1.0),
            |[x]| theirs.forward(x * 2.0 + 1.0),
        );
        let apart = |a: Tensor<1>, b: Tensor<1>| (a - b).abs().max().into_scalar::<f32>();
        assert!(apart(ours.running_mean.value_sync(), theirs.running_mean.value_sync()) < 1e-5);
        let [x] = random([[3, 9]], 2);
        let x = x.inner();
        let apart = (batch_norm(&ours.valid(), x.clone()) - theirs.valid().forward(x)).abs().max();
        assert!(apart.into_scalar::<f32>() < 2e-2, "only the variance's correction lies between");
    }

    /// A row that stands for three against three equal rows, by both ways.
    #[test]
    fn a_row_of_some_weight_is_that_many_rows() {
        let device = Device::flex().autodiff();
        let [x] = random([[5, 20]], 5);
        let weights = [1.0, 3.0, 1.0, 2.0, 1.0];
        let repeated: Vec<i32> = (0..5).flat_map(|row| vec![row; weights[row as usize] as usize]).collect();
        let index = || Tensor::<1, Int>::from_ints(&repeated[..], &device);
        let norms: [BatchNorm; 3] = std::array::from_fn(|_| BatchNormConfig::new(20).init(&device));
        let merged = |x: Tensor<2>| weighted_batch_norm(&norms[0], x, &weights).select(0, index());
        assert_same([x.clone()], 1e-4, |[x]| merged(x), |[x]| batch_norm(&norms[1], x.select(0, index())));
        let apart = |a: Tensor<1>, b: Tensor<1>| (a - b).abs().max().into_scalar::<f32>();
        assert!(apart(norms[0].running_var.value_sync(), norms[1].running_var.value_sync()) < 1e-5);
        assert_same([x], 1e-4, |[x]| merged(x), |[x]| by_operations(&norms[2], x, &weights).0.select(0, index()));
    }

    #[test]
    fn scale_and_shift_take_their_gradients() {
        let device = Device::flex().autodiff();
        let (norm, layer) = (BatchNormConfig::new(20).init(&device), LayerNormConfig::new(20).init(&device));
        let beta = layer.beta.clone().unwrap().val();
        for (ours, theirs, gamma, beta) in [
            (
                Box::new(|x| batch_norm(&norm, x)) as Box<dyn Fn(Tensor<2>) -> Tensor<2>>,
                Box::new(|x| norm.forward(x)) as Box<dyn Fn(Tensor<2>) -> Tensor<2>>,
                norm.gamma.val(),
                norm.beta.val(),
            ),
            (Box::new(|x| layer_norm(&layer, x)), Box::new(|x| layer.forward(x)), layer.gamma.val(), beta),
        ] {
            let [x] = random([[40, 20]], 3);
            let of = |y: Tensor<2>| {
                let gradients = (y * x.clone().detach().sin()).sum().backward();
                [&gamma, &beta].map(|p| p.grad(&gradients).unwrap())
            };
            for (a, b) in of(ours(x.clone())).into_iter().zip(of(theirs(x.clone()))) {
                assert!((a - b).abs().max().into_scalar::<f32>() < 1e-4);
            }
        }
    }

    #[test]
    fn rows_are_normalised_as_burn_does() {
        let norm = LayerNormConfig::new(37).init(&Device::flex().autodiff());
        assert_same(random([[11, 37]], 4), 1e-5, |[x]| layer_norm(&norm, x), |[x]| norm.forward(x));
    }
}
