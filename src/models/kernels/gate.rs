//! Gates: one half of a bond's numbers opens or closes the other.

use std::sync::OnceLock;

use burn::prelude::*;
use burn::tensor::activation;

use super::{Gradient, Kernel, Matrix, Rows, apply_one, apply_two, on_cpu, rows, sum_runs};
use crate::activation::{sigmoid, softplus};
use crate::simd::kernels;

/// `sigmoid(left) softplus(right)` of rows `[left, right]`: `[E, 2 W]` to `[E, W]` (CGCNN).
pub fn gate(x: Tensor<2>) -> Tensor<2> {
    if on_cpu(&x) {
        return apply_one(x, Gate);
    }
    let [rows, width] = x.dims();
    let half = |k: usize| x.clone().slice([0..rows, k * width / 2..(k + 1) * width / 2]);
    activation::sigmoid(half(0)) * activation::softplus(half(1), 1.0)
}

/// Mean of the rows `values[source[e]]`, `[N, W]`, over the bonds e of each target, weighted by `sigmoid(gates[e])`, `[E, W]`:
/// Σ σ v / (Σ σ + 10⁻⁶) (ALIGNN).
pub fn gated_mean(gates: Tensor<2>, values: Tensor<2>, source: &Tensor<1, Int>, target: &Tensor<1, Int>) -> Tensor<2> {
    if on_cpu(&gates) {
        let kernel = GatedMean { source: rows(source), target: rows(target), weights: OnceLock::new() };
        return apply_two(gates, values, kernel);
    }
    let [nodes, _] = values.dims();
    let gate = activation::sigmoid(gates);
    let message = values.select(0, source.clone()) * gate.clone();
    sum_runs(message, target.clone(), nodes) / (sum_runs(gate, target.clone(), nodes) + SMALL)
}

const SMALL: f32 = 1e-6;
const LN_2: f32 = std::f32::consts::LN_2;

#[derive(Debug)]
struct Gate;

impl Kernel for Gate {
    fn forward(&self, inputs: &[Matrix]) -> (Vec<f32>, usize) {
        let width = inputs[0].width / 2;
        let mut out = vec![0.0; inputs[0].rows() * width];
        gate_values(inputs[0].values, width, &mut out);
        (out, width)
    }

    fn backward(&self, gradient: Matrix, inputs: &[Matrix], _: &[bool]) -> Vec<Gradient> {
        let mut out = vec![0.0; inputs[0].values.len()];
        gate_gradients(inputs[0].values, gradient.values, gradient.width, &mut out);
        vec![Gradient::Of(out)]
    }
}

#[derive(Debug)]
struct GatedMean {
    source: Rows,
    target: Rows,
    /// 1 / (Σ σ + 10⁻⁶) and the mean itself, of the forward pass.
    weights: OnceLock<(Vec<f32>, Vec<f32>)>,
}

impl Kernel for GatedMean {
    fn forward(&self, inputs: &[Matrix]) -> (Vec<f32>, usize) {
        let (gates, values) = (inputs[0], inputs[1]);
        let mut sum = vec![0.0; values.values.len()];
        let mut total = vec![SMALL; values.values.len()];
        gated_sums(gates.values, values.values, &self.source, &self.target, values.width, &mut sum, &mut total);
        for (sum, total) in sum.iter_mut().zip(&mut total) {
            *total = total.recip();
            *sum *= *total;
        }
        let _ = self.weights.set((total, sum.clone()));
        (sum, values.width)
    }

    fn backward(&self, gradient: Matrix, inputs: &[Matrix], _: &[bool]) -> Vec<Gradient> {
        let (gates, values) = (inputs[0], inputs[1]);
        let (weight, mean) = self.weights.get().expect("a forward pass comes first");
        let of_sum: Vec<f32> = gradient.values.iter().zip(weight).map(|(g, w)| g * w).collect();
        let mut of_gates = vec![0.0; gates.values.len()];
        let mut of_values = vec![0.0; values.values.len()];
        let ends = (&*self.source, &*self.target);
        gated_gradients(gates.values, values.values, mean, &of_sum, ends, values.width, &mut of_gates, &mut of_values);
        vec![Gradient::Of(of_gates), Gradient::Of(of_values)]
    }
}

kernels! {
    fn gate_values(x: &[f32], width: usize, out: &mut [f32]) {
        for (x, out) in x.chunks_exact(2 * width).zip(out.chunks_exact_mut(width)) {
            let (left, right) = x.split_at(width);
            for ((l, r), out) in left.iter().zip(right).zip(out) {
                *out = sigmoid(*l) * (softplus(*r).0 + LN_2);
            }
        }
    }

    fn gate_gradients(x: &[f32], gradient: &[f32], width: usize, out: &mut [f32]) {
        let rows = x.chunks_exact(2 * width).zip(gradient.chunks_exact(width));
        for ((x, gradient), out) in rows.zip(out.chunks_exact_mut(2 * width)) {
            let (left, right) = x.split_at(width);
            let (of_left, of_right) = out.split_at_mut(width);
            for k in 0..width {
                let s = sigmoid(left[k]);
                let (value, derivative) = softplus(right[k]);
                of_left[k] = gradient[k] * (value + LN_2) * s * (1.0 - s);
                of_right[k] = gradient[k] * s * derivative;
            }
        }
    }

    fn gated_sums(
        gates: &[f32],
        values: &[f32],
        source: &[u32],
        target: &[u32],
        width: usize,
        sum: &mut [f32],
        total: &mut [f32],
    ) {
        for ((gate, &u), &v) in gates.chunks_exact(width).zip(source).zip(target) {
            let value = &values[u as usize * width..][..width];
            let sum = &mut sum[v as usize * width..][..width];
            let total = &mut total[v as usize * width..][..width];
            for k in 0..width {
                let s = sigmoid(gate[k]);
                sum[k] += s * value[k];
                total[k] += s;
            }
        }
    }

    fn gated_gradients(
        gates: &[f32],
        values: &[f32],
        mean: &[f32],
        of_sum: &[f32],
        ends: (&[u32], &[u32]),
        width: usize,
        of_gates: &mut [f32],
        of_values: &mut [f32],
    ) {
        let bonds = gates.chunks_exact(width).zip(of_gates.chunks_exact_mut(width));
        for ((gate, of_gate), (&u, &v)) in bonds.zip(ends.0.iter().zip(ends.1)) {
            let value = &values[u as usize * width..][..width];
            let of_value = &mut of_values[u as usize * width..][..width];
            let (mean, g) = (&mean[v as usize * width..][..width], &of_sum[v as usize * width..][..width]);
            for k in 0..width {
                let s = sigmoid(gate[k]);
                of_gate[k] = g[k] * (value[k] - mean[k]) * s * (1.0 - s);
                of_value[k] += g[k] * s;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_same, random};
    use super::*;

    #[test]
    fn the_gate_is_sigmoid_times_softplus() {
        assert_same(random([[5, 34]], 1), 1e-5, gate_of, |[x]| {
            let half = |k: usize| x.clone().slice([0..5, k * 17..(k + 1) * 17]);
            activation::sigmoid(half(0)) * activation::softplus(half(1), 1.0)
        });
        fn gate_of([x]: [Tensor<2>; 1]) -> Tensor<2> {
            gate(x)
        }
    }

    #[test]
    fn the_gated_mean_is_that_of_its_formula() {
        let device = Device::flex().autodiff();
        let source = Tensor::<1, Int>::from_ints([1, 2, 0, 0, 3, 1], &device);
        let target = Tensor::<1, Int>::from_ints([0, 0, 1, 3, 3, 3], &device);
        assert_same(
            random([[6, 18], [4, 18]], 2),
            2e-5,
            |[m, x]| gated_mean(m, x, &source, &target),
            |[m, x]| {
                let gate = activation::sigmoid(m);
                let message = x.select(0, source.clone()) * gate.clone();
                let sum = |x: Tensor<2>| {
                    let zeros = Tensor::zeros([4, 18], &x.device());
                    zeros.select_assign(0, target.clone(), x, burn::tensor::IndexingUpdateOp::Add)
                };
                sum(message) / (sum(gate) + SMALL)
            },
        );
    }
}
