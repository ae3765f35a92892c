//! Rows normalised over their own numbers, and the way back.

use burn::nn::LayerNorm;

use super::linear::{PANEL, values};
use crate::simd::{Simd, kernels};

/// Added to variances, as torch does.
const EPSILON: f32 = 1e-5;

/// Factors and summands after normalisation.
#[derive(Debug)]
pub struct RowNorm {
    pub scale: Vec<f32>,
    pub shift: Vec<f32>,
}

impl RowNorm {
    /// A layer normalisation over whole panels.
    pub fn new(norm: &LayerNorm) -> Self {
        let scale = values(norm.gamma.val());
        let shift = norm.beta.as_ref().map_or_else(|| vec![0.0; scale.len()], |b| values(b.val()));
        assert!(scale.len().is_multiple_of(PANEL) && shift.len() == scale.len(), "rows are whole panels");
        Self { scale, shift }
    }

    /// Numbers of a row.
    pub fn width(&self) -> usize {
        self.scale.len()
    }
}

/// Mean of `width` numbers, and one over their standard deviation.
#[inline(always)]
pub unsafe fn moments<S: Simd>(x: *const f32, width: usize) -> (f32, f32) {
    unsafe { moments_of::<S>(x, width, width, EPSILON) }
}

/// The same of the first `columns` numbers, where zeros follow up to `width`; `epsilon` is added to the variance.
#[inline(always)]
pub unsafe fn moments_of<S: Simd>(x: *const f32, width: usize, columns: usize, epsilon: f32) -> (f32, f32) {
    let padding = (width - columns) as f32;
    unsafe {
        let mut sum = S::splat(0.0);
        let mut k = 0;
        while k < width {
            sum = S::add(sum, S::load(x.add(k)));
            k += S::LANES;
        }
        let mean = S::sum(sum) / columns as f32;
        let center = S::splat(mean);
        let mut square = S::splat(0.0);
        k = 0;
        while k < width {
            let d = S::sub(S::load(x.add(k)), center);
            square = S::fma(d, d, square);
            k += S::LANES;
        }
        // Each number of the padding has added the square of the mean.
        let variance = (S::sum(square) - padding * mean * mean).max(0.0) / columns as f32;
        (mean, 1.0 / (variance + epsilon).sqrt())
    }
}

/// Normalised numbers of a row from the k-th on, and what factors and summands make of them.
#[inline(always)]
pub unsafe fn normal<S: Simd>(x: S::V, mean: f32, spread: f32, norm: &RowNorm, k: usize) -> (S::V, S::V) {
    unsafe {
        let value = S::mul(S::sub(x, S::splat(mean)), S::splat(spread));
        (value, S::fma(value, S::load(norm.scale.as_ptr().add(k)), S::load(norm.shift.as_ptr().add(k))))
    }
}

kernels! {
    /// Rows of `out` become the normalised rows of `x`.
    pub fn norm_rows<S>(x: &[f32], norm: &RowNorm, out: &mut [f32]) {
        let width = norm.width();
        assert!(x.len() == out.len() && x.len().is_multiple_of(width) && norm.shift.len() == width);
        for row in (0..x.len()).step_by(width) {
            let (from, to) = (x.as_ptr().add(row), out.as_mut_ptr().add(row));
            let (mean, spread) = moments::<S>(from, width);
            let mut k = 0;
            while k < width {
                S::store(to.add(k), normal::<S>(S::load(from.add(k)), mean, spread, norm, k).1);
                k += S::LANES;
            }
        }
    }

    /// Rows of `gradients`, with the normalised rows of `x`, become those in `x`.
    pub fn norm_rows_back<S>(x: &[f32], norm: &RowNorm, gradients: &mut [f32]) {
        let width = norm.width();
        assert!(x.len() == gradients.len() && x.len().is_multiple_of(width) && norm.shift.len() == width);
        for row in (0..x.len()).step_by(width) {
            let (from, gradient) = (x.as_ptr().add(row), gradients.as_mut_ptr().add(row));
            let (mean, spread) = moments::<S>(from, width);
            let mut sums = [S::splat(0.0); 2];
            let mut k = 0;
            while k < width {
                let value = normal::<S>(S::load(from.add(k)), mean, spread, norm, k).0;
                let with = S::mul(S::load(gradient.add(k)), S::load(norm.scale.as_ptr().add(k)));
                sums = [S::add(sums[0], with), S::fma(with, value, sums[1])];
                S::store(gradient.add(k), with);
                k += S::LANES;
            }
            let [first, second] = sums.map(|sum| S::splat(S::sum(sum) / width as f32));
            k = 0;
            while k < width {
                let value = normal::<S>(S::load(from.add(k)), mean, spread, norm, k).0;
                let rest = S::sub(S::sub(S::load(gradient.add(k)), first), S::mul(value, second));
                S::store(gradient.add(k), S::mul(rest, S::splat(spread)));
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
    fn the_way_back_is_that_of_differences() {
        let width = 32;
        let wave = |k: usize, turn: f32| (k as f32 * turn).sin();
        let norm = RowNorm {
            scale: (0..width).map(|k| 1.0 + wave(k, 0.7)).collect(),
            shift: (0..width).map(|k| wave(k, 1.3)).collect(),
        };
        let x: Vec<f32> = (0..2 * width).map(|k| 3.0 * wave(k, 2.1) + 1.0).collect();
        let weights: Vec<f32> = (0..2 * width).map(|k| wave(k, 0.9)).collect();
        let sum = |x: &[f32]| {
            let mut out = vec![0.0; x.len()];
            norm_rows(x, &norm, &mut out);
            out.iter().zip(&weights).map(|(y, w)| f64::from(y * w)).sum::<f64>()
        };
        let mut gradients = weights.clone();
        each_isa!(norm_rows_back(&x, &norm, &mut gradients), {
            for k in [0, 5, 31, 32, 60] {
                let moved = |by: f32| {
                    sum(&x.iter().enumerate().map(|(j, x)| x + if j == k { by } else { 0.0 }).collect::<Vec<_>>())
                };
                let want = (moved(1e-2) - moved(-1e-2)) / 2e-2;
                assert!((f64::from(gradients[k]) - want).abs() < 2e-4, "{k}: {}, {want}", gradients[k]);
            }
            gradients.copy_from_slice(&weights);
        });
    }
}
