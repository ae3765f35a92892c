//! Normalisation as inference sees it: batch statistics are constants by then and make one multiplication and one addition;
//! those of a row are computed for each row.

use burn::nn;

use super::linear::{padded, values};
use super::row_norm::moments_of;
use crate::{exponential::sigmoid, simd::kernels};

/// `x scale + shift` for each column.
#[derive(Debug, Clone)]
pub struct Affine {
    /// Factors.
    pub scale: Vec<f32>,
    /// Summands.
    pub shift: Vec<f32>,
}

impl Affine {
    /// A batch normalisation with its running mean and variance.
    pub fn of(norm: &nn::BatchNorm) -> Self {
        let [gamma, beta] = [&norm.gamma, &norm.beta].map(|p| values(p.val()));
        let [mean, variance] = [&norm.running_mean, &norm.running_var].map(|p| values(p.value()));
        let scale = |(g, v): (&f32, &f32)| (f64::from(*g) / (f64::from(*v) + norm.epsilon).sqrt()) as f32;
        let scale: Vec<f32> = gamma.iter().zip(&variance).map(scale).collect();
        let shift = beta.iter().zip(mean.iter().zip(&scale)).map(|(b, (m, s))| b - m * s).collect();
        Self { scale, shift }
    }

    /// With zeros up to whole panels.
    pub fn padded(mut self) -> Self {
        let width = padded(self.scale.len());
        self.scale.resize(width, 0.0);
        self.shift.resize(width, 0.0);
        self
    }
}

/// Normalisation between a linear layer and SiLU.
#[derive(Debug)]
pub enum Norm {
    /// By constants.
    Batch(Affine),
    /// By the mean and variance of the first `columns` numbers of the row; the columns are padded.
    Layer {
        /// Factors and summands after normalisation.
        affine: Affine,
        /// Numbers of a row without its padding.
        columns: usize,
        /// Added to the variance.
        epsilon: f32,
    },
}

impl Norm {
    /// A layer normalisation.
    pub fn layer(norm: &nn::LayerNorm) -> Self {
        let scale = values(norm.gamma.val());
        let shift = norm.beta.as_ref().map_or_else(|| vec![0.0; scale.len()], |b| values(b.val()));
        let columns = scale.len();
        Self::Layer {
            affine: Affine { scale, shift }.padded(),
            columns,
            epsilon: nn::LayerNormConfig::new(columns).epsilon as f32,
        }
    }

    /// `out += silu(norm(x))`, row by row. Padding of `x` is 0.
    pub fn add_silu(&self, x: &[f32], out: &mut [f32]) {
        match self {
            Self::Batch(affine) => add_silu_of_affine(x, &affine.scale, &affine.shift, out),
            Self::Layer { affine, columns, epsilon } => {
                add_silu_of_layer(x, *columns, *epsilon, &affine.scale, &affine.shift, out);
            }
        }
    }
}

kernels! {
    fn add_silu_of_affine<S>(x: &[f32], scale: &[f32], shift: &[f32], out: &mut [f32]) {
        let width = scale.len();
        assert!(x.len() == out.len() && shift.len() == width && width.is_multiple_of(16) && x.len().is_multiple_of(width));
        for row in (0..x.len()).step_by(width) {
            let (x, out) = (x.as_ptr().add(row), out.as_mut_ptr().add(row));
            let mut k = 0;
            while k < width {
                let v = S::fma(S::load(x.add(k)), S::load(scale.as_ptr().add(k)), S::load(shift.as_ptr().add(k)));
                S::store(out.add(k), S::fma(v, sigmoid::<S>(v), S::load(out.add(k))));
                k += S::LANES;
            }
        }
    }

    fn add_silu_of_layer<S>(x: &[f32], columns: usize, epsilon: f32, scale: &[f32], shift: &[f32], out: &mut [f32]) {
        let width = scale.len();
        assert!(x.len() == out.len() && shift.len() == width && width.is_multiple_of(16) && x.len().is_multiple_of(width));
        for row in (0..x.len()).step_by(width) {
            let (x, out) = (x.as_ptr().add(row), out.as_mut_ptr().add(row));
            let (mean, spread) = moments_of::<S>(x, width, columns, epsilon);
            let (center, factor) = (S::splat(mean), S::splat(spread));
            let mut k = 0;
            while k < width {
                let normal = S::mul(S::sub(S::load(x.add(k)), center), factor);
                let v = S::fma(normal, S::load(scale.as_ptr().add(k)), S::load(shift.as_ptr().add(k)));
                S::store(out.add(k), S::fma(v, sigmoid::<S>(v), S::load(out.add(k))));
                k += S::LANES;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::each_isa;

    #[test]
    fn rows_are_normalised_without_their_padding() {
        // 20 numbers and 12 of padding, far from zero mean.
        let (columns, width, epsilon) = (20, 32, 1e-5);
        let row = |r: usize| (0..width).map(move |k| if k < columns { (k * k + r) as f32 * 0.1 + 3.0 } else { 0.0 });
        let x: Vec<f32> = (0..3).flat_map(row).collect();
        let affine = Affine { scale: vec![1.5; columns], shift: vec![-0.2; columns] }.padded();
        let mut out = vec![1.0; x.len()];
        each_isa!(add_silu_of_layer(&x, columns, epsilon, &affine.scale, &affine.shift, &mut out), {
            for (x, out) in x.chunks_exact(width).zip(out.chunks_exact(width)) {
                let x: Vec<f64> = x[..columns].iter().map(|x| f64::from(*x)).collect();
                let mean = x.iter().sum::<f64>() / columns as f64;
                let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / columns as f64;
                for (x, out) in x.iter().zip(out) {
                    let v = (x - mean) / (variance + f64::from(epsilon)).sqrt() * 1.5 - 0.2;
                    let want = 1.0 + v / (1.0 + (-v).exp());
                    assert!((f64::from(*out) - want).abs() < 1e-5, "{out}, {want}");
                }
            }
            assert!(out.chunks_exact(width).all(|out| out[columns..].iter().all(|&x| x == 1.0)));
            out.fill(1.0);
        });
    }

    #[test]
    fn constants_scale_and_shift_each_column() {
        let x: Vec<f32> = (0..32).map(|k| k as f32 * 0.2 - 3.0).collect();
        let (scale, shift): (Vec<f32>, Vec<f32>) = (0..16).map(|k| (k as f32 * 0.1, 1.0 - k as f32 * 0.2)).unzip();
        let mut out = vec![-1.0; 32];
        each_isa!(add_silu_of_affine(&x, &scale, &shift, &mut out), {
            for (k, (x, out)) in x.iter().zip(&out).enumerate() {
                let v = f64::from(x * scale[k % 16] + shift[k % 16]);
                assert!((f64::from(*out) - (v / (1.0 + (-v).exp()) - 1.0)).abs() < 1e-5);
            }
            out.fill(-1.0);
        });
    }
}
