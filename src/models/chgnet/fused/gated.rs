//! The steps of a gated perceptron between its products, and their gradients:
//! `silu(norm(core)) sigmoid(norm(gate))`, with both normalised over their 64 numbers.

use crate::fused::{
    row_norm::{RowNorm, moments, normal},
    rows::Part,
};
use crate::{
    chgnet::WIDTH,
    exponential::sigmoid,
    simd::{Simd, kernels},
};

/// Rows of a buffer: the first begins `at`, each is `stride` after the last.
#[derive(Debug, Clone, Copy)]
pub struct Rows {
    /// Where the first begins.
    pub at: usize,
    /// Numbers from one to the next.
    pub stride: usize,
}

impl Rows {
    fn holds(self, count: usize, width: usize, length: usize) -> bool {
        count == 0 || self.at + (count - 1) * self.stride + width <= length
    }
}

/// The sigmoid, but for very negative numbers, where it stays at 4e-18: nothing beside the sums it goes into, and far from
/// the numbers near the smallest a float holds, on which a product is a hundred times slower.
#[inline(always)]
unsafe fn gate_of<S: Simd>(x: S::V) -> S::V {
    unsafe { sigmoid::<S>(S::max(x, S::splat(-40.0))) }
}

kernels! {
    /// `out += a + b + c`, rows of 128 at `rows`: of each part the row that its index names.
    pub fn add_three<S>(out: &mut [f32], rows: Rows, parts: [Part<'_>; 3], index: [&[u32]; 3]) {
        let [first, second, third] = index;
        let count = first.len();
        assert!(rows.holds(count, 2 * WIDTH, out.len()) && index.iter().all(|i| i.len() == count));
        for (part, index) in parts.iter().zip(index) {
            assert!(index.iter().all(|&i| part.holds(i as usize, 2 * WIDTH)));
        }
        for (e, ((&a, &b), &c)) in first.iter().zip(second).zip(third).enumerate() {
            let to = out.as_mut_ptr().add(rows.at + e * rows.stride);
            let [a, b, c] = [(0, a), (1, b), (2, c)].map(|(k, row)| parts[k].unchecked(row as usize));
            let mut k = 0;
            while k < 2 * WIDTH {
                let sum = S::add(S::add(S::load(a.add(k)), S::load(b.add(k))), S::load(c.add(k)));
                S::store(to.add(k), S::add(S::load(to.add(k)), sum));
                k += S::LANES;
            }
        }
    }

    /// Rows of 128 of `out` become SiLU of those of `x`.
    pub fn silu_rows<S>(x: &[f32], rows: Rows, out: &mut [f32]) {
        let count = out.len() / (2 * WIDTH);
        assert!(rows.holds(count, 2 * WIDTH, x.len()));
        for e in 0..count {
            let (from, to) = (x.as_ptr().add(rows.at + e * rows.stride), out.as_mut_ptr().add(e * 2 * WIDTH));
            let mut k = 0;
            while k < 2 * WIDTH {
                let v = S::load(from.add(k));
                S::store(to.add(k), S::mul(v, gate_of::<S>(v)));
                k += S::LANES;
            }
        }
    }

    /// Rows of 128 of `x` become the gradient in them of what has the gradient `gradients` in SiLU of them.
    pub fn silu_rows_back<S>(x: &mut [f32], rows: Rows, gradients: &[f32]) {
        let count = gradients.len() / (2 * WIDTH);
        assert!(rows.holds(count, 2 * WIDTH, x.len()));
        let one = S::splat(1.0);
        for e in 0..count {
            let (to, from) = (x.as_mut_ptr().add(rows.at + e * rows.stride), gradients.as_ptr().add(e * 2 * WIDTH));
            let mut k = 0;
            while k < 2 * WIDTH {
                let v = S::load(to.add(k));
                let s = gate_of::<S>(v);
                let derivative = S::mul(s, S::fma(v, S::sub(one, s), one));
                S::store(to.add(k), S::mul(derivative, S::load(from.add(k))));
                k += S::LANES;
            }
        }
    }

    /// Row e of `out`, 64 wide: the gated value of row e of `x`, which holds core and gate, 64 each.
    pub fn gated<S>(x: &[f32], rows: Rows, core: &RowNorm, gate: &RowNorm, out: &mut [f32]) {
        let count = out.len() / WIDTH;
        assert!(rows.holds(count, 2 * WIDTH, x.len()) && [core, gate].iter().all(|norm| norm.width() == WIDTH));
        for e in 0..count {
            let from = x.as_ptr().add(rows.at + e * rows.stride);
            let to = out.as_mut_ptr().add(e * WIDTH);
            let (mean, spread) = moments::<S>(from, WIDTH);
            let (gate_mean, gate_spread) = moments::<S>(from.add(WIDTH), WIDTH);
            let mut k = 0;
            while k < WIDTH {
                let y = normal::<S>(S::load(from.add(k)), mean, spread, core, k).1;
                let z = normal::<S>(S::load(from.add(WIDTH + k)), gate_mean, gate_spread, gate, k).1;
                S::store(to.add(k), S::mul(S::mul(y, sigmoid::<S>(y)), sigmoid::<S>(z)));
                k += S::LANES;
            }
        }
    }

    /// Row e of `x` becomes the gradient in it of what has the gradient in row e of `gradients` in its gated value, which then
    /// stands there.
    pub fn gated_back<S>(x: &mut [f32], rows: Rows, core: &RowNorm, gate: &RowNorm, gradients: &mut [f32]) {
        let count = gradients.len() / WIDTH;
        assert!(rows.holds(count, 2 * WIDTH, x.len()) && [core, gate].iter().all(|norm| norm.width() == WIDTH));
        let one = S::splat(1.0);
        for e in 0..count {
            let at = x.as_mut_ptr().add(rows.at + e * rows.stride);
            let gradient = gradients.as_mut_ptr().add(e * WIDTH);
            let (mean, spread) = moments::<S>(at, WIDTH);
            let (gate_mean, gate_spread) = moments::<S>(at.add(WIDTH), WIDTH);
            // Normalised values and the gradients in them, as long as the means over the row are not known.
            let (mut values, mut with) = ([0.0_f32; 2 * WIDTH], [0.0_f32; 2 * WIDTH]);
            let (values, with) = (values.as_mut_ptr(), with.as_mut_ptr());
            let mut sums = [[S::splat(0.0); 2]; 2];
            let mut k = 0;
            while k < WIDTH {
                let (x, y) = normal::<S>(S::load(at.add(k)), mean, spread, core, k);
                let (u, z) = normal::<S>(S::load(at.add(WIDTH + k)), gate_mean, gate_spread, gate, k);
                let (s, open) = (sigmoid::<S>(y), sigmoid::<S>(z));
                let act = S::mul(y, s);
                let value = S::mul(act, open);
                let g = S::load(gradient.add(k));
                S::store(gradient.add(k), value);
                // SiLU' = s (1 + y (1 - s)), sigmoid' = s (1 - s).
                let of_core = S::mul(S::mul(g, open), S::mul(s, S::fma(y, S::sub(one, s), one)));
                let of_gate = S::mul(S::mul(g, value), S::sub(one, open));
                let of_core = S::mul(of_core, S::load(core.scale.as_ptr().add(k)));
                let of_gate = S::mul(of_gate, S::load(gate.scale.as_ptr().add(k)));
                for (half, value, with_it) in [(0, x, of_core), (1, u, of_gate)] {
                    S::store(values.add(half * WIDTH + k), value);
                    S::store(with.add(half * WIDTH + k), with_it);
                    sums[half][0] = S::add(sums[half][0], with_it);
                    sums[half][1] = S::fma(with_it, value, sums[half][1]);
                }
                k += S::LANES;
            }
            for (half, spread) in [(0, spread), (1, gate_spread)] {
                let [first, second] = sums[half].map(|sum| S::splat(S::sum(sum) / WIDTH as f32));
                let mut k = half * WIDTH;
                while k < (half + 1) * WIDTH {
                    let value = S::mul(S::load(values.add(k)), second);
                    let rest = S::sub(S::sub(S::load(with.add(k)), first), value);
                    S::store(at.add(k), S::mul(rest, S::splat(spread)));
                    k += S::LANES;
                }
            }
        }
    }

    /// `out += a b`, number by number, in rows of 64: row `to[e]` of `out`, row e of `a`, row `by[e]` of `b`.
    pub fn add_weighted<S>(out: &mut [f32], to: &[u32], a: &[f32], b: &[f32], by: &[u32]) {
        assert!(to.len() == by.len() && a.len() >= to.len() * WIDTH);
        assert!(to.iter().all(|&i| (i as usize + 1) * WIDTH <= out.len()));
        assert!(by.iter().all(|&i| (i as usize + 1) * WIDTH <= b.len()));
        for e in 0..to.len() {
            let out = out.as_mut_ptr().add(to[e] as usize * WIDTH);
            let (a, b) = (a.as_ptr().add(e * WIDTH), b.as_ptr().add(by[e] as usize * WIDTH));
            let mut k = 0;
            while k < WIDTH {
                S::store(out.add(k), S::fma(S::load(a.add(k)), S::load(b.add(k)), S::load(out.add(k))));
                k += S::LANES;
            }
        }
    }

    /// Rows of 64 of `out` become products, number by number: row `i[e]` of `a` and row `j[e]` of `b`.
    pub fn products<S>(out: &mut [f32], rows: Rows, a: &[f32], i: &[u32], b: &[f32], j: &[u32]) {
        assert!(i.len() == j.len() && rows.holds(i.len(), WIDTH, out.len()));
        assert!(i.iter().all(|&i| (i as usize + 1) * WIDTH <= a.len()));
        assert!(j.iter().all(|&j| (j as usize + 1) * WIDTH <= b.len()));
        for e in 0..i.len() {
            let out = out.as_mut_ptr().add(rows.at + e * rows.stride);
            let (a, b) = (a.as_ptr().add(i[e] as usize * WIDTH), b.as_ptr().add(j[e] as usize * WIDTH));
            let mut k = 0;
            while k < WIDTH {
                S::store(out.add(k), S::mul(S::load(a.add(k)), S::load(b.add(k))));
                k += S::LANES;
            }
        }
    }

    /// `out += x`, `width` numbers of rows: row `to[e]` of `out` in its rows, row `from[e]` of `x` in its.
    pub fn add_rows<S>(width: usize, out: &mut [f32], out_rows: Rows, to: &[u32], x: &[f32], x_rows: Rows, from: &[u32]) {
        assert!(to.len() == from.len() && width.is_multiple_of(16));
        assert!(to.iter().all(|&i| out_rows.holds(i as usize + 1, width, out.len())));
        assert!(from.iter().all(|&i| x_rows.holds(i as usize + 1, width, x.len())));
        for e in 0..to.len() {
            let out = out.as_mut_ptr().add(out_rows.at + to[e] as usize * out_rows.stride);
            let x = x.as_ptr().add(x_rows.at + from[e] as usize * x_rows.stride);
            let mut k = 0;
            while k < width {
                S::store(out.add(k), S::add(S::load(out.add(k)), S::load(x.add(k))));
                k += S::LANES;
            }
        }
    }
}
