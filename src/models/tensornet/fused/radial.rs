//! What a layer makes of the length of a bond: three numbers for each channel, by a perceptron or a product.
//!
//! They depend on one number alone, so the perceptron is asked once, when the network is packed, and a polynomial of degree 6 goes
//! through its answers in every interval of 0.08 Å, of which the last ends at the cutoff. Against the perceptron in double precision the values are off by what a float
//! holds, 1e-7, and their slopes, which are the polynomial's, by 1e-6 (from 1.2 Å on; 4e-5 at most below, where no atoms are).

use burn::nn::Linear;
use burn::prelude::*;

use crate::fused::linear::{PANEL, values};
use crate::simd::kernels;
use crate::tensornet::basis::Basis;

/// Most, Å.
const INTERVAL: f64 = 0.08;
/// Coefficients of a polynomial.
const TERMS: usize = 7;
/// Numbers of the three parts of a panel of channels.
pub const THREE: usize = 3 * PANEL;

/// Weights of bonds by their length, `[panel of channels][interval][part][power][16]`.
#[derive(Debug)]
pub struct Radial {
    intervals: usize,
    /// Length of an interval, Å.
    step: f64,
    panels: usize,
    terms: Vec<f32>,
}

/// Where a length lies: its interval, and its place in it from -1 to 1.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    interval: u32,
    at: f32,
}

/// What is asked of the weights of bonds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// The weights.
    Values,
    /// Their slopes with the length, 1/Å.
    Slopes,
}

impl Radial {
    /// Of `f`, which has three times `units` numbers of a length up to `cutoff` Å, part after part.
    fn new(cutoff: f64, units: usize, f: impl Fn(&[f64]) -> Vec<Vec<f64>>) -> Self {
        let (intervals, panels) = ((cutoff / INTERVAL).ceil() as usize, units / PANEL);
        let step = cutoff / intervals as f64;
        // Chebyshev's points, both ends among them: neighbouring polynomials meet.
        let nodes: [f64; TERMS] =
            std::array::from_fn(|k| -(std::f64::consts::PI * k as f64 / (TERMS - 1) as f64).cos());
        let to_terms: [[f64; TERMS]; TERMS] = std::array::from_fn(|k| through(&nodes, k));
        let lengths: Vec<f64> = (0..intervals)
            .flat_map(|i| nodes[..TERMS - 1].iter().map(move |x| (i as f64 + 0.5 * (x + 1.0)) * step))
            .chain([cutoff])
            .collect();
        let answers = f(&lengths);
        let mut terms = vec![0.0; panels * intervals * 3 * TERMS * PANEL];
        for (place, out) in terms.chunks_exact_mut(TERMS * PANEL).enumerate() {
            let (panel, interval, part) = (place / (intervals * 3), place / 3 % intervals, place % 3);
            for (power, out) in out.chunks_exact_mut(PANEL).enumerate() {
                for (lane, out) in out.iter_mut().enumerate() {
                    let column = part * units + panel * PANEL + lane;
                    let term = |k: usize| to_terms[k][power] * answers[interval * (TERMS - 1) + k][column];
                    *out = (0..TERMS).map(term).sum::<f64>() as f32;
                }
            }
        }
        Self { intervals, step, panels, terms }
    }

    /// Of the first layer: a product for each part, in the units of orthonormal components.
    pub fn of_products(basis: &Basis, cutoff: f64, layers: &[Linear]) -> Self {
        let layers: Vec<Exact> = layers.iter().map(Exact::of).collect();
        let units = layers[0].bias.len();
        // √3 of the unit matrix, √2 of an antisymmetric one.
        let sizes = [3.0_f64.sqrt(), 2.0_f64.sqrt(), 1.0];
        Self::new(cutoff, units, |lengths| {
            let of = |&length: &f64| {
                let (x, fading) = (basis.expand(length), basis.fading(length));
                let parts = layers.iter().zip(sizes);
                parts.flat_map(|(layer, size)| layer.apply(&x).into_iter().map(move |y| y * size * fading)).collect()
            };
            lengths.iter().map(of).collect()
        })
    }

    /// Of an interaction: a perceptron, whose last layer has three numbers for each channel in turn.
    pub fn of_perceptron(basis: &Basis, cutoff: f64, layers: &[Linear]) -> Self {
        let layers: Vec<Exact> = layers.iter().map(Exact::of).collect();
        let units = layers[layers.len() - 1].bias.len() / 3;
        Self::new(cutoff, units, |lengths| {
            let of = |&length: &f64| {
                let first = basis.expand(length);
                let silu = |x: f64| x / (1.0 + (-x).exp());
                let last = layers.iter().fold(first, |x, layer| layer.apply(&x).into_iter().map(silu).collect());
                let fading = basis.fading(length);
                (0..3 * units).map(|c| last[c % units * 3 + c / units] * fading).collect()
            };
            lengths.iter().map(of).collect()
        })
    }

    /// The place of a length, Å, up to the cutoff.
    pub fn place(&self, length: f64) -> Place {
        let steps = length / self.step;
        let interval = (steps as usize).min(self.intervals - 1);
        Place { interval: interval as u32, at: (2.0 * (steps - interval as f64) - 1.0).min(1.0) as f32 }
    }

    /// Numbers of the weights of so many bonds.
    pub fn size(&self, bonds: usize) -> usize {
        self.panels * bonds * THREE
    }

    /// Weights of bonds, or their slopes, `[panel][bond][part][16]`.
    pub fn ask(&self, places: &[Place], asked: Asked, out: &mut [f32]) {
        let block = self.intervals * 3 * TERMS * PANEL;
        if !places.is_empty() {
            for (out, terms) in out.chunks_exact_mut(places.len() * THREE).zip(self.terms.chunks_exact(block)) {
                polynomials(terms, places, asked, (2.0 / self.step) as f32, out);
            }
        }
    }
}

/// Coefficients, lowest power first, of the polynomial that is 1 at node k and 0 at the others.
fn through(nodes: &[f64; TERMS], k: usize) -> [f64; TERMS] {
    let mut terms = [0.0; TERMS];
    terms[0] = 1.0;
    for (j, x) in nodes.iter().enumerate().filter(|(j, _)| *j != k) {
        let scale = 1.0 / (nodes[k] - nodes[j]);
        for power in (0..TERMS).rev() {
            let lower = if power > 0 { terms[power - 1] } else { 0.0 };
            terms[power] = (lower - x * terms[power]) * scale;
        }
    }
    terms
}

/// A linear layer in double precision: what is interpolated has to have more digits than what is made of it.
struct Exact {
    weight: Vec<f64>,
    bias: Vec<f64>,
}

impl Exact {
    fn of(layer: &Linear) -> Self {
        let exact = |x: Vec<f32>| x.into_iter().map(f64::from).collect();
        let weight: Tensor<2> = layer.weight.val();
        let outputs = weight.dims()[1];
        let bias = layer.bias.as_ref().map_or_else(|| vec![0.0; outputs], |b| values(b.val()));
        Self { weight: exact(values(weight)), bias: exact(bias) }
    }

    fn apply(&self, x: &[f64]) -> Vec<f64> {
        let mut out = self.bias.clone();
        for (x, row) in x.iter().zip(self.weight.chunks_exact(out.len())) {
            out.iter_mut().zip(row).for_each(|(out, w)| *out += x * w);
        }
        out
    }
}

kernels! {
    /// Of one panel of channels: for each place the polynomials of its interval, or their slopes.
    fn polynomials<S>(terms: &[f32], places: &[Place], asked: Asked, scale: f32, out: &mut [f32]) {
        let row = 3 * TERMS * PANEL;
        assert!(out.len() == places.len() * THREE);
        assert!(places.iter().all(|place| (place.interval as usize + 1) * row <= terms.len()));
        let scale = S::splat(scale);
        for (k, place) in places.iter().enumerate() {
            let (from, to) = (terms.as_ptr().add(place.interval as usize * row), out.as_mut_ptr().add(k * THREE));
            let at = S::splat(place.at);
            for part in 0..3 {
                let mut lane = 0;
                while lane < PANEL {
                    let from = from.add(part * TERMS * PANEL + lane);
                    let mut value = S::load(from.add((TERMS - 1) * PANEL));
                    let mut slope = S::splat(0.0);
                    for power in (0..TERMS - 1).rev() {
                        slope = S::fma(slope, at, value);
                        value = S::fma(value, at, S::load(from.add(power * PANEL)));
                    }
                    let answer = if asked == Asked::Values { value } else { S::mul(slope, scale) };
                    S::store(to.add(part * PANEL + lane), answer);
                    lane += S::LANES;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::nn::LinearConfig;

    use super::*;
    use crate::simd::each_isa;

    fn layers(widths: &[usize]) -> Vec<Linear> {
        widths.windows(2).map(|w| LinearConfig::new(w[0], w[1]).init(&Device::flex())).collect()
    }

    /// Weights of a bond of that length, and their slopes: part after part.
    fn asked(radial: &Radial, length: f64, asked: Asked) -> Vec<f32> {
        let mut out = vec![0.0; radial.size(1)];
        radial.ask(&[radial.place(length)], asked, &mut out);
        let panels = out.len() / THREE;
        (0..3)
            .flat_map(|part| (0..panels).flat_map(move |p| (0..PANEL).map(move |k| p * THREE + part * PANEL + k)))
            .map(|k| out[k])
            .collect()
    }

    #[test]
    fn polynomials_go_through_the_perceptron() {
        let (basis, perceptron) = (Basis::new(5.0, 3), layers(&[3, 32, 64, 96]));
        let radial = Radial::of_perceptron(&basis, 5.0, &perceptron);
        let exact: Vec<Exact> = perceptron.iter().map(Exact::of).collect();
        let of = |length: f64| -> Vec<f64> {
            let silu = |x: f64| x / (1.0 + (-x).exp());
            let last = exact.iter().fold(basis.expand(length), |x, l| l.apply(&x).into_iter().map(silu).collect());
            let place = |c: usize| c % 32 * 3 + c / 32;
            (0..96).map(|c| last[place(c)] * basis.fading(length)).collect()
        };
        for length in [0.71, 1.3, 2.0, 2.08, 3.337, 4.9, 4.999] {
            let (values, slopes) = (asked(&radial, length, Asked::Values), asked(&radial, length, Asked::Slopes));
            let (want, above, below) = (of(length), of(length + 1e-5), of(length - 1e-5));
            for c in 0..96 {
                assert!((f64::from(values[c]) - want[c]).abs() < 2e-7, "{length}, {c}: {}, {}", values[c], want[c]);
                let slope = (above[c] - below[c]) / 2e-5;
                assert!((f64::from(slopes[c]) - slope).abs() < 1e-5, "{length}, {c}: {}, {slope}", slopes[c]);
            }
        }
    }

    #[test]
    fn the_first_layer_has_a_product_for_each_part() {
        let (basis, products) = (Basis::new(4.0, 2), [16, 16, 16].map(|n| layers(&[2, n]).remove(0)));
        let radial = Radial::of_products(&basis, 4.0, &products);
        let values = asked(&radial, 1.9, Asked::Values);
        for (part, size) in [3.0_f64.sqrt(), 2.0_f64.sqrt(), 1.0].into_iter().enumerate() {
            let want = Exact::of(&products[part]).apply(&basis.expand(1.9));
            for (got, want) in values[part * 16..].iter().zip(want) {
                assert!((f64::from(*got) - want * size * basis.fading(1.9)).abs() < 2e-7);
            }
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_weights() {
        let radial = Radial::of_perceptron(&Basis::new(5.0, 3), 5.0, &layers(&[3, 16, 32, 48]));
        let places = [0.9, 2.5, 3.1].map(|length| radial.place(length));
        let mut want = vec![0.0; 3 * THREE];
        radial.ask(&places, Asked::Slopes, &mut want);
        let mut out = vec![f32::NAN; 3 * THREE];
        let scale = (2.0 / radial.step) as f32;
        each_isa!(polynomials(&radial.terms, &places, Asked::Slopes, scale, &mut out), {
            assert!(out.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-5));
            out.fill(f32::NAN);
        });
    }
}
