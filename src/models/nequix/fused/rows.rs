//! Operations on the tensors of each atom, normalisation and gates, and their gradients.

use burn::module::Param;
use burn::prelude::*;

use crate::exponential::sigmoid;
use crate::fused::linear::{PANEL, values};
use crate::nequix::harmonics::components;
use crate::nequix::module::EPSILON;
use crate::nequix::paths::{Degrees, Shape};
use crate::simd::{Simd, kernels};

/// Factors of a normalisation, and what the square of each number of a row counts, as long as a row.
#[derive(Debug)]
pub struct Normal {
    scale: Vec<f32>,
    share: Vec<f32>,
}

impl Normal {
    /// With burn's factors, one for each channel of each degree.
    pub fn new(norm: &[Param<Tensor<1>>], mixed: &Degrees) -> Self {
        let (mut scale, mut share) = (Vec::new(), Vec::new());
        for ((degree, channels, _), norm) in mixed.each().zip(norm) {
            let (components, factors) = (components(degree), values(norm.val()));
            (0..components).for_each(|_| scale.extend_from_slice(&factors));
            let one = 1.0 / (components * components * mixed.0.len()) as f32;
            share.resize(share.len() + components * channels, one);
        }
        assert!(scale.len() == mixed.width() && scale.len().is_multiple_of(PANEL));
        Self { scale, share }
    }
}

/// Numbers of a row that the gates read and write: where each degree's tensors begin before and after, its channels and components.
#[derive(Debug)]
pub struct Gates {
    scalars: usize,
    degrees: Vec<Gated>,
    before: usize,
    after: usize,
}

#[derive(Debug, Clone, Copy)]
struct Gated {
    from: usize,
    to: usize,
    gate: usize,
    channels: usize,
    components: usize,
}

impl Gates {
    /// Of a layer.
    pub fn new(shape: &Shape) -> Self {
        let (mut degrees, mut gate) = (Vec::new(), shape.kept.0[0]);
        for (degree, channels, to) in shape.kept.each().skip(1) {
            degrees.push(Gated { from: shape.mixed.start(degree), to, gate, channels, components: components(degree) });
            gate += channels;
        }
        Self { scalars: shape.kept.0[0], degrees, before: shape.mixed.width(), after: shape.kept.width() }
    }
}

/// silu and its derivative.
#[inline(always)]
unsafe fn silu<S: Simd>(x: S::V) -> (S::V, S::V) {
    // SAFETY: the caller's.
    unsafe {
        let (s, one) = (sigmoid::<S>(x), S::splat(1.0));
        (S::mul(x, s), S::mul(s, S::fma(x, S::sub(one, s), one)))
    }
}

kernels! {
    /// Rows over the root of their mean squared size, times factors; what they were multiplied by goes to `spreads`.
    pub fn normalise<S>(x: &[f32], norm: &Normal, out: &mut [f32], spreads: &mut [f32]) {
        let width = norm.scale.len();
        assert!(norm.share.len() == width && x.len() == out.len() && x.len() == spreads.len() * width);
        for (row, spread) in spreads.iter_mut().enumerate() {
            let (from, to) = (x.as_ptr().add(row * width), out.as_mut_ptr().add(row * width));
            let mut size = S::splat(0.0);
            let mut k = 0;
            while k < width {
                let x = S::load(from.add(k));
                size = S::fma(S::mul(x, x), S::load(norm.share.as_ptr().add(k)), size);
                k += S::LANES;
            }
            *spread = 1.0 / (S::sum(size) + EPSILON as f32).sqrt();
            let factor = S::splat(*spread);
            k = 0;
            while k < width {
                let scaled = S::mul(S::load(from.add(k)), S::load(norm.scale.as_ptr().add(k)));
                S::store(to.add(k), S::mul(scaled, factor));
                k += S::LANES;
            }
        }
    }

    /// Gradients in what [`normalise`] makes of `x` become those in `x`.
    pub fn normalise_back<S>(x: &[f32], norm: &Normal, spreads: &[f32], gradients: &mut [f32]) {
        let width = norm.scale.len();
        assert!(norm.share.len() == width && x.len() == gradients.len() && x.len() == spreads.len() * width);
        for (row, spread) in spreads.iter().enumerate() {
            let (from, gradient) = (x.as_ptr().add(row * width), gradients.as_mut_ptr().add(row * width));
            let mut along = S::splat(0.0);
            let mut k = 0;
            while k < width {
                let with = S::mul(S::load(gradient.add(k)), S::load(norm.scale.as_ptr().add(k)));
                along = S::fma(with, S::load(from.add(k)), along);
                S::store(gradient.add(k), with);
                k += S::LANES;
            }
            let (factor, less) = (S::splat(*spread), S::splat(-S::sum(along) * spread * spread * spread));
            k = 0;
            while k < width {
                let own = S::mul(S::load(from.add(k)), S::load(norm.share.as_ptr().add(k)));
                S::store(gradient.add(k), S::fma(own, less, S::mul(S::load(gradient.add(k)), factor)));
                k += S::LANES;
            }
        }
    }

    /// Scalars through silu, and tensors times silu of their gates.
    pub fn gate<S>(x: &[f32], gates: &Gates, out: &mut [f32]) {
        let rows = x.len() / gates.before;
        assert!(x.len() == rows * gates.before && out.len() == rows * gates.after);
        for row in 0..rows {
            let (from, to) = (x.as_ptr().add(row * gates.before), out.as_mut_ptr().add(row * gates.after));
            let mut k = 0;
            while k < gates.scalars {
                S::store(to.add(k), silu::<S>(S::load(from.add(k))).0);
                k += S::LANES;
            }
            for degree in &gates.degrees {
                let mut k = 0;
                while k < degree.channels {
                    let gate = silu::<S>(S::load(from.add(degree.gate + k))).0;
                    for m in 0..degree.components {
                        let place = m * degree.channels + k;
                        S::store(to.add(degree.to + place), S::mul(gate, S::load(from.add(degree.from + place))));
                    }
                    k += S::LANES;
                }
            }
        }
    }

    /// Gradients in `x` from those in what [`gate`] makes of it.
    pub fn gate_back<S>(x: &[f32], gates: &Gates, gradients: &[f32], out: &mut [f32]) {
        let rows = x.len() / gates.before;
        assert!(x.len() == rows * gates.before && gradients.len() == rows * gates.after && out.len() == x.len());
        for row in 0..rows {
            let (from, gradient) = (x.as_ptr().add(row * gates.before), gradients.as_ptr().add(row * gates.after));
            let to = out.as_mut_ptr().add(row * gates.before);
            let mut k = 0;
            while k < gates.scalars {
                S::store(to.add(k), S::mul(S::load(gradient.add(k)), silu::<S>(S::load(from.add(k))).1));
                k += S::LANES;
            }
            for degree in &gates.degrees {
                let mut k = 0;
                while k < degree.channels {
                    let (gate, steep) = silu::<S>(S::load(from.add(degree.gate + k)));
                    let mut sum = S::splat(0.0);
                    for m in 0..degree.components {
                        let place = m * degree.channels + k;
                        let gradient = S::load(gradient.add(degree.to + place));
                        sum = S::fma(gradient, S::load(from.add(degree.from + place)), sum);
                        S::store(to.add(degree.from + place), S::mul(gate, gradient));
                    }
                    S::store(to.add(degree.gate + k), S::mul(sum, steep));
                    k += S::LANES;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::each_isa;

    fn wave(n: usize, turn: f32) -> Vec<f32> {
        (0..n).map(|k| (k as f32 * turn).sin()).collect()
    }

    /// The derivative of a weighted sum in number k, by differences.
    fn difference(x: &[f32], k: usize, sum: impl Fn(&[f32]) -> f64) -> f64 {
        let moved =
            |by: f32| sum(&x.iter().enumerate().map(|(j, x)| if j == k { x + by } else { *x }).collect::<Vec<_>>());
        (moved(1e-2) - moved(-1e-2)) / 2e-2
    }

    #[test]
    fn the_ways_back_are_those_of_differences() {
        let shape = Shape::new(vec![16; 2], vec![32, 16, 16], 3);
        let (before, after) = (shape.mixed.width(), shape.kept.width());
        let factor = |n: &usize| {
            let values = wave(*n, 0.7).into_iter().map(|x| 1.0 + 0.5 * x).collect();
            Param::from_tensor(Tensor::from_data(burn::tensor::TensorData::new(values, [*n]), &Device::flex()))
        };
        let norm = Normal::new(&shape.mixed.0.iter().map(factor).collect::<Vec<_>>(), &shape.mixed);
        let (x, weights) = (wave(2 * before, 2.1), wave(2 * before, 0.9));
        let weighted = |out: &[f32]| out.iter().zip(&weights).map(|(y, w)| f64::from(y * w)).sum::<f64>();
        let mut spreads = vec![0.0; 2];
        let normal = |x: &[f32], spreads: &mut [f32]| {
            let mut out = vec![0.0; x.len()];
            normalise(x, &norm, &mut out, spreads);
            weighted(&out)
        };
        normal(&x, &mut spreads);
        let mut gradients = weights.clone();
        each_isa!(normalise_back(&x, &norm, &spreads, &mut gradients), {
            for k in [0, 40, 70, 120, before + 3, 2 * before - 1] {
                let want = difference(&x, k, |x| normal(x, &mut [0.0; 2]));
                assert!((f64::from(gradients[k]) - want).abs() < 1e-3, "{k}: {}, {want}", gradients[k]);
            }
            gradients.copy_from_slice(&weights);
        });
        let gates = Gates::new(&shape);
        let of_gates = |x: &[f32]| {
            let mut out = vec![0.0; 2 * after];
            gate(x, &gates, &mut out);
            weighted(&out)
        };
        let mut out = vec![f32::NAN; 2 * before];
        each_isa!(gate_back(&x, &gates, &weights[..2 * after], &mut out), {
            for k in [0, 40, 50, 70, 120, before + 3, 2 * before - 1] {
                let want = difference(&x, k, of_gates);
                assert!((f64::from(out[k]) - want).abs() < 1e-3, "{k}: {}, {want}", out[k]);
            }
            out.fill(f32::NAN);
        });
    }
}
