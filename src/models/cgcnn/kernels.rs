//! The loops of CGCNN's training step along the bonds.
//!
//! A row of a bond, 2 W long, holds the gate and the core before their normalisation; an atom's, W long, what it gathers.

use crate::{
    exponential::{exp, sigmoid, softplus},
    fused::linear::PANEL,
    kernels::NormalBack,
    simd::{Simd, kernels},
};

/// A normalisation as `x scale + shift`, with the means that it subtracts.
#[derive(Debug)]
pub(super) struct Affine<'a> {
    pub mean: &'a [f32],
    pub scale: Vec<f32>,
    pub shift: Vec<f32>,
}

/// Sums over bonds that the way back through their normalisation needs.
#[derive(Debug)]
pub(super) struct Sums {
    /// Σ g (x - mean).
    pub products: Vec<f32>,
    /// Σ g.
    pub gradients: Vec<f32>,
}

/// Gradients in what a bond's row is the sum of: its atoms' parts, 4 W long: twice W by the centre, then by the neighbour.
pub(super) struct Ends<'a> {
    pub neighbor: &'a [u32],
    pub of_parts: &'a mut [f32],
}

/// A vector of `x` from k on.
#[inline(always)]
unsafe fn at<S: Simd>(x: &[f32], k: usize) -> S::V {
    debug_assert!(k + S::LANES <= x.len());
    // SAFETY: the caller has seen to the length.
    unsafe { S::load(x.as_ptr().add(k)) }
}

kernels! {
    /// Row i of `out`: the sum over the run of sigmoid(gate) softplus(core), both normalised.
    pub(super) fn gated_sums<S>(out: &mut [f32], width: usize, rows: &[f32], starts: &[usize], norm: &Affine<'_>) {
        let edges = starts[starts.len() - 1];
        assert!(width.is_multiple_of(PANEL) && rows.len() == edges * 2 * width && starts[0] == 0);
        assert!(out.len() == (starts.len() - 1) * width && norm.scale.len() == 2 * width && norm.shift.len() == 2 * width);
        assert!(starts.windows(2).all(|w| w[0] <= w[1]));
        for (i, run) in starts.windows(2).enumerate() {
            let mut c = 0;
            while c < width {
                let (gate_scale, gate_shift) = (at::<S>(&norm.scale, c), at::<S>(&norm.shift, c));
                let (core_scale, core_shift) = (at::<S>(&norm.scale, width + c), at::<S>(&norm.shift, width + c));
                let mut sum = S::splat(0.0);
                for e in run[0]..run[1] {
                    let row = rows.as_ptr().add(e * 2 * width + c);
                    let gate = S::fma(S::load(row), gate_scale, gate_shift);
                    let core = S::fma(S::load(row.add(width)), core_scale, core_shift);
                    sum = S::fma(sigmoid::<S>(gate), softplus::<S>(core), sum);
                }
                S::store(out.as_mut_ptr().add(i * width + c), sum);
                c += S::LANES;
            }
        }
    }

    /// The way back of [`gated_sums`]: from the gradients of the sums to those of the normalised rows, `gradients`, and their `sums`.
    pub(super) fn gates_back<S>(
        of_sums: &[f32],
        width: usize,
        rows: &[f32],
        starts: &[usize],
        norm: &Affine<'_>,
        gradients: &mut [f32],
        sums: &mut Sums,
    ) {
        let edges = starts[starts.len() - 1];
        assert!(width.is_multiple_of(PANEL) && rows.len() == edges * 2 * width && starts[0] == 0);
        assert!(gradients.len() == rows.len() && of_sums.len() == (starts.len() - 1) * width);
        assert!(norm.scale.len() == 2 * width && norm.shift.len() == 2 * width && norm.mean.len() == 2 * width);
        assert!(sums.products.len() == 2 * width && sums.gradients.len() == 2 * width);
        assert!(starts.windows(2).all(|w| w[0] <= w[1]));
        for (i, run) in starts.windows(2).enumerate() {
            let mut c = 0;
            while c < width {
                let (gate_scale, gate_shift, gate_mean) = (at::<S>(&norm.scale, c), at::<S>(&norm.shift, c), at::<S>(norm.mean, c));
                let k = width + c;
                let (core_scale, core_shift, core_mean) = (at::<S>(&norm.scale, k), at::<S>(&norm.shift, k), at::<S>(norm.mean, k));
                let (mut gate_products, mut gate_gradients) = (at::<S>(&sums.products, c), at::<S>(&sums.gradients, c));
                let (mut core_products, mut core_gradients) = (at::<S>(&sums.products, k), at::<S>(&sums.gradients, k));
                let (gradient, one) = (at::<S>(of_sums, i * width + c), S::splat(1.0));
                for e in run[0]..run[1] {
                    let row = rows.as_ptr().add(e * 2 * width + c);
                    let (gate, core) = (S::load(row), S::load(row.add(width)));
                    let open = sigmoid::<S>(S::fma(gate, gate_scale, gate_shift));
                    let normal = S::fma(core, core_scale, core_shift);
                    let through = S::mul(gradient, open);
                    let of_gate = S::mul(S::mul(through, S::sub(one, open)), softplus::<S>(normal));
                    let of_core = S::mul(through, sigmoid::<S>(normal));
                    let to = gradients.as_mut_ptr().add(e * 2 * width + c);
                    S::store(to, of_gate);
                    S::store(to.add(width), of_core);
                    gate_products = S::fma(of_gate, S::sub(gate, gate_mean), gate_products);
                    gate_gradients = S::add(gate_gradients, of_gate);
                    core_products = S::fma(of_core, S::sub(core, core_mean), core_products);
                    core_gradients = S::add(core_gradients, of_core);
                }
                S::store(sums.products.as_mut_ptr().add(c), gate_products);
                S::store(sums.gradients.as_mut_ptr().add(c), gate_gradients);
                S::store(sums.products.as_mut_ptr().add(k), core_products);
                S::store(sums.gradients.as_mut_ptr().add(k), core_gradients);
                c += S::LANES;
            }
        }
    }

    /// Turns the gradients of normalised rows into those of the rows, and adds them to those of what they are the sum of.
    pub(super) fn normal_back<S>(
        gradients: &mut [f32],
        width: usize,
        rows: &[f32],
        starts: &[usize],
        weights: &[f32],
        back: &NormalBack,
        ends: Ends<'_>,
    ) {
        let (edges, nodes, wide) = (starts[starts.len() - 1], starts.len() - 1, 2 * width);
        assert!(width.is_multiple_of(PANEL) && rows.len() == edges * wide && gradients.len() == rows.len() && starts[0] == 0);
        assert!(weights.len() == nodes && ends.neighbor.len() == edges && ends.of_parts.len() == nodes * 2 * wide);
        assert!(back.factor.len() == wide && back.of_value.len() == wide && back.constant.len() == wide);
        assert!(starts.windows(2).all(|w| w[0] <= w[1]) && ends.neighbor.iter().all(|&node| (node as usize) < nodes));
        let parts = ends.of_parts.as_mut_ptr();
        for (i, run) in starts.windows(2).enumerate() {
            let weight = S::splat(weights[i]);
            let mut c = 0;
            while c < wide {
                let factor = at::<S>(&back.factor, c);
                let (of_value, constant) = (at::<S>(&back.of_value, c), at::<S>(&back.constant, c));
                let mut sum = S::splat(0.0);
                for e in run[0]..run[1] {
                    let to = gradients.as_mut_ptr().add(e * wide + c);
                    let of_mean = S::fma(S::load(rows.as_ptr().add(e * wide + c)), of_value, constant);
                    let of_row = S::fma(weight, of_mean, S::mul(factor, S::load(to)));
                    S::store(to, of_row);
                    sum = S::add(sum, of_row);
                    let other = parts.add((*ends.neighbor.get_unchecked(e) as usize * 2 + 1) * wide + c);
                    S::store(other, S::add(S::load(other), of_row));
                }
                let own = parts.add(i * 2 * wide + c);
                S::store(own, S::add(S::load(own), sum));
                c += S::LANES;
            }
        }
    }

    /// Multiplies gradients in ln(1 + eˣ) into gradients in x, where `values` are ln(1 + eˣ).
    pub(super) fn softplus_back<S>(gradients: &mut [f32], values: &[f32]) {
        assert!(gradients.len() == values.len() && values.len().is_multiple_of(PANEL));
        let (one, mut k) = (S::splat(1.0), 0);
        while k < values.len() {
            // 1 - e⁻ᵛ is the sigmoid of x.
            let left = exp::<S>(S::sub(S::splat(0.0), S::load(values.as_ptr().add(k))));
            let to = gradients.as_mut_ptr().add(k);
            S::store(to, S::mul(S::load(to), S::sub(one, left)));
            k += S::LANES;
        }
    }
}
