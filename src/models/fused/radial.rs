//! Numbers that depend on the length of a bond alone, as a network packed for inference keeps them: a polynomial of degree 6 goes through
//! their answers in every interval of 0.08 Å, of which the last ends at the cutoff.
//!
//! A perceptron of a length is evaluated once, when the network is packed, in double precision: interpolation needs more digits than its
//! result.

use burn::nn::Linear;
use burn::prelude::*;

use super::linear::{PANEL, values};
use crate::simd::{Simd, kernels};

/// Most, Å.
const INTERVAL: f64 = 0.08;
/// Coefficients of a polynomial.
pub const TERMS: usize = 7;

/// Numbers of a bond by its length, `[panel of channels][interval][part][power][16]`.
#[derive(Debug)]
pub struct Radial {
    intervals: usize,
    /// Length of an interval, Å.
    step: f64,
    panels: usize,
    parts: usize,
    terms: Vec<f32>,
}

/// Where a length lies: its interval, and its place in it from -1 to 1.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    pub interval: u32,
    pub at: f32,
}

/// What is computed of the numbers of bonds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// The numbers.
    Values,
    /// Their derivatives in the length, 1/Å.
    Derivatives,
}

impl Radial {
    /// Of `f`, which has `parts` times `units` numbers of each length up to `cutoff` Å, part after part.
    pub fn new(cutoff: f64, parts: usize, units: usize, f: impl Fn(&[f64]) -> Vec<Vec<f64>>) -> Self {
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
        let mut terms = vec![0.0; panels * intervals * parts * TERMS * PANEL];
        for (place, out) in terms.chunks_exact_mut(TERMS * PANEL).enumerate() {
            let (panel, interval, part) = (place / (intervals * parts), place / parts % intervals, place % parts);
            for (power, out) in out.chunks_exact_mut(PANEL).enumerate() {
                for (lane, out) in out.iter_mut().enumerate() {
                    let column = part * units + panel * PANEL + lane;
                    let term = |k: usize| to_terms[k][power] * answers[interval * (TERMS - 1) + k][column];
                    *out = (0..TERMS).map(term).sum::<f64>() as f32;
                }
            }
        }
        Self { intervals, step, panels, parts, terms }
    }

    /// The place of a length, Å, up to the cutoff.
    pub fn place(&self, length: f64) -> Place {
        let steps = length / self.step;
        let interval = (steps as usize).min(self.intervals - 1);
        Place { interval: interval as u32, at: (2.0 * (steps - interval as f64) - 1.0).min(1.0) as f32 }
    }

    /// How much faster a place in its interval changes than the length, 1/Å.
    pub fn pace(&self) -> f32 {
        (2.0 / self.step) as f32
    }

    /// Numbers of several bonds.
    pub fn size(&self, bonds: usize) -> usize {
        self.panels * bonds * self.parts * PANEL
    }

    /// The polynomials of a panel, `[interval][part][power][16]`.
    pub fn panel(&self, panel: usize) -> &[f32] {
        let block = self.intervals * self.parts * TERMS * PANEL;
        &self.terms[panel * block..(panel + 1) * block]
    }

    /// Numbers of bonds, or their derivatives, `[panel][bond][part][16]`.
    pub fn ask(&self, places: &[Place], asked: Asked, out: &mut [f32]) {
        if !places.is_empty() {
            for (panel, out) in out.chunks_exact_mut(places.len() * self.parts * PANEL).take(self.panels).enumerate() {
                polynomials(self.panel(panel), self.parts, places, asked, self.pace(), out);
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

/// A perceptron of bond lengths in double precision: silu between its layers.
#[derive(Debug)]
pub struct Exact(Vec<Layer>);

/// One of its layers.
#[derive(Debug)]
struct Layer {
    weight: Vec<f64>,
    bias: Vec<f64>,
}

impl Exact {
    /// With burn's weights.
    pub fn of(layers: &[Linear]) -> Self {
        let exact = |x: Vec<f32>| x.into_iter().map(f64::from).collect();
        let layer = |layer: &Linear| {
            let weight: Tensor<2> = layer.weight.val();
            let outputs = weight.dims()[1];
            let bias = layer.bias.as_ref().map_or_else(|| vec![0.0; outputs], |b| values(b.val()));
            Layer { weight: exact(values(weight)), bias: exact(bias) }
        };
        Self(layers.iter().map(layer).collect())
    }

    /// Numbers that it gives.
    pub fn width(&self) -> usize {
        self.0.last().map_or(0, |layer| layer.bias.len())
    }

    /// What it makes of these numbers.
    pub fn apply(&self, x: &[f64]) -> Vec<f64> {
        let mut x = x.to_vec();
        for (k, layer) in self.0.iter().enumerate() {
            if k > 0 {
                x.iter_mut().for_each(|x| *x /= 1.0 + (-*x).exp());
            }
            let mut out = layer.bias.clone();
            for (x, row) in x.iter().zip(layer.weight.chunks_exact(out.len())) {
                out.iter_mut().zip(row).for_each(|(out, w)| *out += x * w);
            }
            x = out;
        }
        x
    }
}

/// At one place of the channels: a polynomial, whose terms begin at `from`, and its derivative in the place besides.
///
/// # Safety
/// There are [`TERMS`] panels from there on, and the processor has the instruction set.
#[inline(always)]
pub unsafe fn polynomial<S: Simd>(from: *const f32, at: S::V) -> (S::V, S::V) {
    // SAFETY: as above.
    unsafe {
        let mut value = S::load(from.add((TERMS - 1) * PANEL));
        let mut derivative = S::splat(0.0);
        for power in (0..TERMS - 1).rev() {
            derivative = S::fma(derivative, at, value);
            value = S::fma(value, at, S::load(from.add(power * PANEL)));
        }
        (value, derivative)
    }
}

kernels! {
    /// Of one panel of channels: for each place the polynomials of its interval, or their derivatives.
    pub fn polynomials<S>(terms: &[f32], parts: usize, places: &[Place], asked: Asked, pace: f32, out: &mut [f32]) {
        let row = parts * TERMS * PANEL;
        assert!(out.len() == places.len() * parts * PANEL);
        assert!(places.iter().all(|place| (place.interval as usize + 1) * row <= terms.len()));
        let pace = S::splat(pace);
        for (k, place) in places.iter().enumerate() {
            let (from, to) = (terms.as_ptr().add(place.interval as usize * row), out.as_mut_ptr().add(k * parts * PANEL));
            let at = S::splat(place.at);
            for part in 0..parts {
                let mut lane = 0;
                while lane < PANEL {
                    let (value, derivative) = polynomial::<S>(from.add(part * TERMS * PANEL + lane), at);
                    let answer = if asked == Asked::Values { value } else { S::mul(derivative, pace) };
                    S::store(to.add(part * PANEL + lane), answer);
                    lane += S::LANES;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::each_isa;

    #[test]
    fn every_instruction_set_gives_the_same_numbers_and_they_are_those_of_the_function() {
        let radial = Radial::new(5.0, 3, 16, |lengths| {
            let of = |x: &f64| (0..48).map(|c| (x * (1.0 + 0.05 * f64::from(c))).sin()).collect();
            lengths.iter().map(of).collect()
        });
        let lengths = [0.9, 2.5, 3.1, 4.999];
        let places = lengths.map(|length| radial.place(length));
        let mut out = vec![f32::NAN; radial.size(4)];
        for asked in [Asked::Values, Asked::Derivatives] {
            each_isa!(polynomials(radial.panel(0), 3, &places, asked, radial.pace(), &mut out), {
                for (k, got) in out.iter().enumerate() {
                    let (x, rate) = (lengths[k / 48], 1.0 + 0.05 * (k % 48) as f64);
                    let want = if asked == Asked::Values { (x * rate).sin() } else { rate * (x * rate).cos() };
                    assert!((f64::from(*got) - want).abs() < 2e-6, "{asked:?}, {k}: {got}, {want}");
                }
                out.fill(f32::NAN);
            });
        }
    }
}
