//! Linear layers with the weight packed for the product: `out = x W + b` or `out += x W`.
//!
//! Columns are kept in panels of sixteen, `[columns / 16][inputs][16]`, and a block of rows times one or two panels stays in
//! registers over the whole sum. A panel of the widest layer here fits the first-level cache, so neither operand is packed again at each
//! call, on which a general product of such thin matrices spends much of its time.
//!
//! Rows of `out` are as long as the padded number of outputs, [`Linear::width`]; the padding is 0 where the bias starts it.

use burn::nn;
use burn::prelude::*;

use super::norm::Affine;
use crate::simd::{Simd, kernels};

/// Numbers in a panel, and the multiple that rows are padded to.
pub const PANEL: usize = 16;

/// `n` rounded up to whole panels.
pub const fn padded(n: usize) -> usize {
    n.div_ceil(PANEL) * PANEL
}

/// The values of a tensor in row-major order.
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let data = tensor.into_data();
    data.try_to_vec::<f32>().unwrap_or_else(|_| data.iter::<f32>().collect())
}

/// A weight, `[inputs, outputs]` in row-major order, and a bias, as they are while a layer is put together.
#[derive(Debug, Clone)]
pub struct Plan {
    weight: Vec<f32>,
    bias: Vec<f32>,
    inputs: usize,
}

impl Plan {
    /// Weight and bias of a burn layer; without a bias, zeros.
    pub fn of(layer: &nn::Linear) -> Self {
        let plan = Self::new(layer.weight.val());
        match &layer.bias {
            Some(bias) => plan.with_bias(values(bias.val())),
            None => plan,
        }
    }

    /// A weight without a bias.
    pub fn new(weight: Tensor<2>) -> Self {
        let [inputs, outputs] = weight.dims();
        Self { weight: values(weight), bias: vec![0.0; outputs], inputs }
    }

    /// The same weight with another bias.
    pub fn with_bias(self, bias: Vec<f32>) -> Self {
        assert_eq!(bias.len(), self.outputs());
        Self { bias, ..self }
    }

    /// The same weight without its bias, and the bias.
    pub fn without_bias(self) -> (Self, Vec<f32>) {
        let zeros = vec![0.0; self.bias.len()];
        (Self { bias: zeros, ..self }, self.bias)
    }

    /// The same layer with `more` added to its bias.
    pub fn plus(mut self, more: &[f32]) -> Self {
        self.bias.iter_mut().zip(more).for_each(|(b, more)| *b += more);
        self
    }

    /// Number of inputs.
    pub fn len(&self) -> usize {
        self.inputs
    }

    fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// The share of inputs `from..to` in the product; the bias stays behind.
    pub fn inputs(&self, from: usize, to: usize) -> Self {
        let n = self.outputs();
        Self { weight: self.weight[from * n..to * n].to_vec(), bias: vec![0.0; n], inputs: to - from }
    }

    /// The layer for outputs `from..to`.
    pub fn outputs_of(&self, from: usize, to: usize) -> Self {
        let rows = self.weight.chunks_exact(self.outputs());
        let weight = rows.flat_map(|row| row[from..to].iter().copied()).collect();
        Self { weight, bias: self.bias[from..to].to_vec(), inputs: self.inputs }
    }

    /// The layer followed by `x scale + shift`, as one layer.
    pub fn then(mut self, affine: &Affine) -> Self {
        let n = self.outputs();
        for row in self.weight.chunks_exact_mut(n) {
            row.iter_mut().zip(&affine.scale).for_each(|(w, scale)| *w *= scale);
        }
        for ((b, scale), shift) in self.bias.iter_mut().zip(&affine.scale).zip(&affine.shift) {
            *b = *b * scale + shift;
        }
        self
    }

    /// Several layers over the same inputs as one; each begins at a multiple of sixteen outputs.
    pub fn beside(parts: &[Self]) -> Linear {
        let inputs = parts[0].inputs;
        let width = parts.iter().map(|part| padded(part.outputs())).sum();
        let (mut packed, mut bias) = (Vec::with_capacity(inputs * width), Vec::with_capacity(width));
        for part in parts {
            assert_eq!(part.inputs, inputs, "layers beside one another read the same");
            let n = part.outputs();
            for first in (0..n).step_by(PANEL) {
                let columns = PANEL.min(n - first);
                for row in part.weight.chunks_exact(n) {
                    packed.extend_from_slice(&row[first..first + columns]);
                    packed.resize(packed.len() + PANEL - columns, 0.0);
                }
            }
            bias.extend_from_slice(&part.bias);
            bias.resize(bias.len() + padded(n) - n, 0.0);
        }
        Linear { inputs, width, packed, bias }
    }

    /// The product the other way, without a bias: from as many numbers as several layers beside one another put out to those
    /// they read. What is a gradient in the outputs becomes one in the inputs.
    pub fn back(parts: &[Self]) -> Linear {
        let inputs = parts[0].inputs;
        let weight = parts.iter().flat_map(|part| {
            let n = part.outputs();
            (0..n).flat_map(move |o| part.weight[o..].iter().step_by(n).copied())
        });
        let outputs = parts.iter().map(Self::outputs).sum();
        Self { weight: weight.collect(), bias: vec![0.0; inputs], inputs: outputs }.pack()
    }

    /// [`Plan::back`] from rows in which each part begins at a multiple of sixteen.
    pub fn back_padded(parts: &[Self]) -> Linear {
        let fill = |part: &Self| {
            let (n, inputs) = (part.outputs(), part.inputs);
            let rows = part.weight.chunks_exact(n).flat_map(|row| {
                let mut row = row.to_vec();
                row.resize(padded(n), 0.0);
                row
            });
            Self { weight: rows.collect(), bias: vec![0.0; padded(n)], inputs }
        };
        Self::back(&parts.iter().map(fill).collect::<Vec<_>>())
    }

    /// The layer, packed.
    pub fn pack(self) -> Linear {
        Self::beside(&[self])
    }
}

/// A packed linear layer.
#[derive(Debug)]
pub struct Linear {
    inputs: usize,
    width: usize,
    packed: Vec<f32>,
    bias: Vec<f32>,
}

impl Linear {
    /// Length of a row of the output: the number of outputs, padded.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Numbers that the layer reads of a row.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Multiplications for a row.
    pub fn cost(&self) -> usize {
        self.inputs * self.width
    }

    /// `out = x W + b` for as many rows as `out` holds; rows of `x` begin `stride` apart.
    pub fn apply(&self, x: &[f32], stride: usize, out: &mut [f32]) {
        for row in out.chunks_exact_mut(self.width) {
            row.copy_from_slice(&self.bias);
        }
        self.add(x, stride, out);
    }

    /// As [`Linear::apply`], into `rows` rows of `out` that begin `to` apart.
    pub fn apply_into(&self, x: &[f32], stride: usize, out: &mut [f32], to: usize, rows: usize) {
        for row in out.chunks_mut(to).take(rows) {
            row[..self.width].copy_from_slice(&self.bias);
        }
        self.add_into(x, stride, out, to, rows);
    }

    /// `out += x W`, without the bias.
    pub fn add(&self, x: &[f32], stride: usize, out: &mut [f32]) {
        let rows = out.len() / self.width;
        assert!(out.len() == rows * self.width);
        self.add_into(x, stride, out, self.width, rows);
    }

    /// As [`Linear::add`], into `rows` rows of `out` that begin `to` apart.
    pub fn add_into(&self, x: &[f32], stride: usize, out: &mut [f32], to: usize, rows: usize) {
        if rows > 0 {
            assert!(x.len() >= (rows - 1) * stride + self.inputs && out.len() >= (rows - 1) * to + self.width);
            product(rows, (x, stride), self.inputs, &self.packed, self.width, (out, to));
        }
    }
}

/// Rows `$r` as a constant from 1 to 12.
macro_rules! by_rows {
    ($rows:expr, $call:ident::<$S:ident, $V:literal>($($arg:expr),*)) => {
        match $rows {
            1 => $call::<$S, $V, 1>($($arg),*),
            2 => $call::<$S, $V, 2>($($arg),*),
            3 => $call::<$S, $V, 3>($($arg),*),
            4 => $call::<$S, $V, 4>($($arg),*),
            5 => $call::<$S, $V, 5>($($arg),*),
            6 => $call::<$S, $V, 6>($($arg),*),
            7 => $call::<$S, $V, 7>($($arg),*),
            8 => $call::<$S, $V, 8>($($arg),*),
            9 => $call::<$S, $V, 9>($($arg),*),
            10 => $call::<$S, $V, 10>($($arg),*),
            11 => $call::<$S, $V, 11>($($arg),*),
            _ => $call::<$S, $V, 12>($($arg),*),
        }
    };
}
pub(super) use by_rows;

kernels! {
    /// `out += x W` of so many rows; the second of each pair is how far apart they begin. The lengths have been checked.
    fn product<S>(rows: usize, x: (&[f32], usize), inputs: usize, packed: &[f32], width: usize, out: (&mut [f32], usize)) {
        let ((x, stride), (out, to)) = (x, out);
        // Blocks of nearly equal height: a last one of a single row would be as slow as a full one.
        let blocks = rows.div_ceil(S::ROWS);
        let (height, taller) = (rows / blocks, rows % blocks);
        // Two vectors of columns at a time, one where that is all a panel has left.
        let mut column = 0;
        while column < width {
            let panel = packed.as_ptr().add(column / PANEL * PANEL * inputs + column % PANEL);
            let wide = column + 2 * S::LANES <= width;
            let mut row = 0;
            for block in 0..blocks {
                let height = height + usize::from(block < taller);
                let from = (x.as_ptr().add(row * stride), stride, 1);
                // Where the second vector of columns lies: in the same panel, or the next.
                let weights = (panel, if S::LANES < PANEL { S::LANES } else { PANEL * inputs }, PANEL);
                let target = out.as_mut_ptr().add(row * to + column);
                if wide {
                    by_rows!(height, block_product::<S, 2>(from, inputs, weights, target, to));
                } else {
                    by_rows!(height, block_product::<S, 1>(from, inputs, weights, target, to));
                }
                row += height;
            }
            column += if wide { 2 * S::LANES } else { S::LANES };
        }
    }
}

/// R rows times V vectors of columns, added to `out`, whose rows begin `to` apart. `x`: where it begins, and how far apart rows and
/// the terms of a row lie; `weights`: how far apart its two vectors and its terms lie.
#[allow(clippy::needless_range_loop, reason = "the loops are unrolled and their indices constants")]
#[inline(always)]
pub(super) unsafe fn block_product<S: Simd, const V: usize, const R: usize>(
    (x, row, term): (*const f32, usize, usize),
    terms: usize,
    (mut weights, second, next): (*const f32, usize, usize),
    out: *mut f32,
    to: usize,
) {
    unsafe {
        let mut sum = [[S::splat(0.0); V]; R];
        for r in 0..R {
            for v in 0..V {
                sum[r][v] = S::load(out.add(r * to + v * S::LANES));
            }
        }
        for k in 0..terms {
            let mut column = [S::splat(0.0); V];
            for v in 0..V {
                column[v] = S::load(weights.add(v * second));
            }
            for r in 0..R {
                let x = S::splat(*x.add(r * row + k * term));
                for v in 0..V {
                    sum[r][v] = S::fma(x, column[v], sum[r][v]);
                }
            }
            weights = weights.wrapping_add(next);
        }
        for r in 0..R {
            for v in 0..V {
                S::store(out.add(r * to + v * S::LANES), sum[r][v]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::each_isa;

    /// Numbers between -1 and 1 without a pattern.
    fn noise(n: usize, seed: u64) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..n).map(|_| next()).collect()
    }

    fn plan(inputs: usize, outputs: usize) -> Plan {
        Plan { weight: noise(inputs * outputs, 1), bias: noise(outputs, 2), inputs }
    }

    /// `x W + b` in double precision.
    fn exact(plan: &Plan, x: &[f32]) -> Vec<f64> {
        let n = plan.bias.len();
        let term = |k: usize, c: usize| f64::from(x[k]) * f64::from(plan.weight[k * n + c]);
        (0..n).map(|c| f64::from(plan.bias[c]) + (0..plan.inputs).map(|k| term(k, c)).sum::<f64>()).collect()
    }

    fn assert_rows(plan: &Plan, x: &[f32], stride: usize, out: &[f32], width: usize) {
        for (row, out) in out.chunks_exact(width).enumerate() {
            let want = exact(plan, &x[row * stride..][..plan.inputs]);
            assert!(out[want.len()..].iter().all(|&padding| padding == 0.0));
            for (got, want) in out.iter().zip(want) {
                assert!((f64::from(*got) - want).abs() < 1e-5, "row {row}: {got}, {want}");
            }
        }
    }

    #[test]
    fn products_are_exact_for_any_number_of_rows_and_columns() {
        for (inputs, outputs) in [(1, 1), (7, 16), (33, 20), (50, 64), (41, 100)] {
            let plan = plan(inputs, outputs);
            let layer = plan.clone().pack();
            let stride = inputs + 3;
            for rows in [0, 1, 2, 3, 7, 12, 13, 25, 64] {
                let x = noise(rows * stride, 3);
                let mut out = vec![f32::NAN; rows * layer.width()];
                layer.apply(&x, stride, &mut out);
                assert_rows(&plan, &x, stride, &out, layer.width());
            }
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_product() {
        let plan = plan(33, 40);
        let layer = plan.clone().pack();
        let x = noise(29 * 33, 4);
        let start = || layer.bias.repeat(29);
        let mut out = start();
        each_isa!(product(29, (&x, 33), 33, &layer.packed, layer.width, (&mut out, layer.width)), {
            assert_rows(&plan, &x, 33, &out, layer.width);
            out = start();
        });
    }

    #[test]
    fn parts_of_a_layer_add_up_to_it() {
        let whole = plan(20, 24);
        let x = noise(20, 5);
        let want = exact(&whole, &x);
        let (bare, bias) = whole.clone().without_bias();
        let by_inputs = [bare.inputs(0, 7).with_bias(bias), bare.inputs(7, 20)];
        let mut out = vec![0.0; padded(24)];
        by_inputs[0].clone().pack().apply(&x, 20, &mut out);
        by_inputs[1].clone().pack().add(&x[7..], 20, &mut out);
        assert!(out.iter().zip(&want).all(|(got, want)| (f64::from(*got) - want).abs() < 1e-5));
        // Halves of the outputs side by side, each from a whole panel on.
        let halves = Plan::beside(&[whole.outputs_of(0, 10), whole.outputs_of(10, 24)]);
        let mut out = vec![0.0; halves.width()];
        halves.apply(&x, 20, &mut out);
        assert_eq!(halves.width(), 32);
        assert!(out[..10].iter().chain(&out[16..30]).zip(&want).all(|(g, w)| (f64::from(*g) - w).abs() < 1e-5));
        // What follows a layer by column becomes part of it.
        let affine = Affine { scale: noise(24, 6), shift: noise(24, 7) };
        let mut out = vec![0.0; padded(24)];
        whole.then(&affine).pack().apply(&x, 20, &mut out);
        for (k, want) in want.iter().enumerate() {
            let want = want * f64::from(affine.scale[k]) + f64::from(affine.shift[k]);
            assert!((f64::from(out[k]) - want).abs() < 1e-5);
        }
    }
}
