//! Activations, number by number.

use burn::prelude::*;
use burn::tensor::activation;

use super::{Gradient, Kernel, Matrix, apply_one, apply_two, on_cpu};
use crate::activation::{sigmoid, softplus_in_place};
use crate::simd::kernels;

/// `ln(1 + eˣ) - ln 2`.
pub fn shifted_softplus(x: Tensor<2>) -> Tensor<2> {
    if on_cpu(&x) { apply_one(x, Softplus) } else { activation::softplus(x, 1.0) - std::f32::consts::LN_2 }
}

/// `ln(1 + eˣ)`.
pub fn softplus(x: Tensor<2>) -> Tensor<2> {
    shifted_softplus(x) + std::f32::consts::LN_2
}

/// `x / (1 + e⁻ˣ)`.
pub fn silu(x: Tensor<2>) -> Tensor<2> {
    if on_cpu(&x) { apply_one(x, Silu) } else { activation::silu(x) }
}

/// `x + silu(y)`: the shortcut around a layer.
pub fn add_silu(x: Tensor<2>, y: Tensor<2>) -> Tensor<2> {
    if on_cpu(&x) { apply_two(x, y, AddSilu) } else { x + activation::silu(y) }
}

#[derive(Debug)]
struct Softplus;

impl Kernel for Softplus {
    fn forward(&self, inputs: &[Matrix]) -> (Vec<f32>, usize) {
        let mut out = inputs[0].values.to_vec();
        softplus_in_place(&mut out);
        (out, inputs[0].width)
    }

    fn backward(&self, gradient: Matrix, inputs: &[Matrix], _: &[bool]) -> Vec<Gradient> {
        let mut out = vec![0.0; gradient.values.len()];
        softplus_gradients(inputs[0].values, gradient.values, &mut out);
        vec![Gradient::Of(out)]
    }
}

#[derive(Debug)]
struct Silu;

impl Kernel for Silu {
    fn forward(&self, inputs: &[Matrix]) -> (Vec<f32>, usize) {
        let mut out = vec![0.0; inputs[0].values.len()];
        silu_values(inputs[0].values, &mut out);
        (out, inputs[0].width)
    }

    fn backward(&self, gradient: Matrix, inputs: &[Matrix], _: &[bool]) -> Vec<Gradient> {
        let mut out = vec![0.0; gradient.values.len()];
        silu_gradients(inputs[0].values, gradient.values, &mut out);
        vec![Gradient::Of(out)]
    }
}

#[derive(Debug)]
struct AddSilu;

impl Kernel for AddSilu {
    fn forward(&self, inputs: &[Matrix]) -> (Vec<f32>, usize) {
        let mut out = inputs[0].values.to_vec();
        silu_values(inputs[1].values, &mut out);
        (out, inputs[0].width)
    }

    fn backward(&self, gradient: Matrix, inputs: &[Matrix], wanted: &[bool]) -> Vec<Gradient> {
        if !wanted[1] {
            return vec![Gradient::Same, Gradient::None];
        }
        let mut out = vec![0.0; gradient.values.len()];
        silu_gradients(inputs[1].values, gradient.values, &mut out);
        vec![Gradient::Same, Gradient::Of(out)]
    }
}

kernels! {
    fn softplus_gradients(x: &[f32], gradient: &[f32], out: &mut [f32]) {
        for ((x, g), out) in x.iter().zip(gradient).zip(out) {
            *out = g * sigmoid(*x);
        }
    }

    /// Adds to what `out` holds.
    fn silu_values(x: &[f32], out: &mut [f32]) {
        for (x, out) in x.iter().zip(out) {
            *out += x * sigmoid(*x);
        }
    }

    fn silu_gradients(x: &[f32], gradient: &[f32], out: &mut [f32]) {
        for ((x, g), out) in x.iter().zip(gradient).zip(out) {
            let s = sigmoid(*x);
            *out = g * (s + x * s * (1.0 - s));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_same, random};
    use super::*;

    #[test]
    fn activations_are_those_of_burn() {
        let ln_2 = std::f32::consts::LN_2;
        assert_same(
            random([[7, 9]], 1),
            1e-5,
            |[x]| shifted_softplus(x * 3.0),
            |[x]| activation::softplus(x * 3.0, 1.0) - ln_2,
        );
        assert_same(random([[7, 9]], 2), 1e-5, |[x]| silu(x * 3.0), |[x]| activation::silu(x * 3.0));
        assert_same(random([[7, 9]; 2], 3), 1e-5, |[x, y]| add_silu(x, y), |[x, y]| x + activation::silu(y));
    }
}
