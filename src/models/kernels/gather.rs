//! Rows gathered at the two ends of every bond, and sums over the bonds of every atom.

use std::sync::Arc;

use burn::prelude::*;
use burn::tensor::IndexingUpdateOp;

use super::{Gradient, Kernel, Matrix, Rows, apply_one, apply_three, apply_two, on_cpu, rows};
use crate::simd::kernels;

/// Row e of the result is `p[first[e]] + q[second[e]] + r[e]`, for p and q `[N, W]` and r `[E, W]`.
pub fn gather_add(
    p: Tensor<2>,
    first: &Tensor<1, Int>,
    q: Tensor<2>,
    second: &Tensor<1, Int>,
    r: Tensor<2>,
) -> Tensor<2> {
    if on_cpu(&r) {
        apply_three(p, q, r, Arc::new(GatherAdd { first: rows(first), second: rows(second) }))
    } else {
        p.select(0, first.clone()) + q.select(0, second.clone()) + r
    }
}

/// Row e of the result is `p[index[e]] + r[e]`, for p `[N, W]` and r `[E, W]`.
pub fn gather_add_one(p: Tensor<2>, index: &Tensor<1, Int>, r: Tensor<2>) -> Tensor<2> {
    if on_cpu(&r) { apply_two(p, r, GatherAddOne { index: rows(index) }) } else { p.select(0, index.clone()) + r }
}

/// Row g of the result is the sum of the rows of `values`, `[R, W]`, whose `group`, `[R]`, is g; `[groups, W]`.
pub fn sum_runs(values: Tensor<2>, group: Tensor<1, Int>, groups: usize) -> Tensor<2> {
    if on_cpu(&values) {
        apply_one(values, SumRuns { group: rows(&group), groups })
    } else {
        let [_, width] = values.dims();
        Tensor::zeros([groups, width], &values.device()).select_assign(0, group, values, IndexingUpdateOp::Add)
    }
}

#[derive(Debug)]
struct GatherAdd {
    first: Rows,
    second: Rows,
}

impl Kernel for GatherAdd {
    fn forward(&self, inputs: &[Matrix]) -> (Vec<f32>, usize) {
        let [p, q, r] = inputs else { unreachable!("three inputs") };
        let mut out = vec![0.0; r.values.len()];
        add_rows(p.values, &self.first, q.values, &self.second, r.values, r.width, &mut out);
        (out, r.width)
    }

    fn backward(&self, gradient: Matrix, inputs: &[Matrix], wanted: &[bool]) -> Vec<Gradient> {
        let collect = |k: usize, index: &Rows| {
            if wanted[k] { Gradient::Of(scattered(gradient, index, inputs[k].rows())) } else { Gradient::None }
        };
        vec![collect(0, &self.first), collect(1, &self.second), Gradient::Same]
    }
}

#[derive(Debug)]
struct GatherAddOne {
    index: Rows,
}

impl Kernel for GatherAddOne {
    fn forward(&self, inputs: &[Matrix]) -> (Vec<f32>, usize) {
        let [p, r] = inputs else { unreachable!("two inputs") };
        let mut out = vec![0.0; r.values.len()];
        add_row(p.values, &self.index, r.values, r.width, &mut out);
        (out, r.width)
    }

    fn backward(&self, gradient: Matrix, inputs: &[Matrix], _: &[bool]) -> Vec<Gradient> {
        vec![Gradient::Of(scattered(gradient, &self.index, inputs[0].rows())), Gradient::Same]
    }
}

#[derive(Debug)]
struct SumRuns {
    group: Rows,
    groups: usize,
}

impl Kernel for SumRuns {
    fn forward(&self, inputs: &[Matrix]) -> (Vec<f32>, usize) {
        (scattered(inputs[0], &self.group, self.groups), inputs[0].width)
    }

    fn backward(&self, gradient: Matrix, inputs: &[Matrix], _: &[bool]) -> Vec<Gradient> {
        let mut out = Vec::with_capacity(inputs[0].values.len());
        for &g in &*self.group {
            out.extend_from_slice(gradient.row(g as usize));
        }
        vec![Gradient::Of(out)]
    }
}

/// Row `index[e]` of the result has gained row e of `values`.
pub(super) fn scattered(values: Matrix, index: &[u32], rows: usize) -> Vec<f32> {
    let mut out = vec![0.0; rows * values.width];
    scatter(values.values, index, values.width, &mut out);
    out
}

kernels! {
    fn add_rows(p: &[f32], first: &[u32], q: &[f32], second: &[u32], r: &[f32], width: usize, out: &mut [f32]) {
        let ends = first.iter().zip(second);
        for ((out, r), (&i, &j)) in out.chunks_exact_mut(width).zip(r.chunks_exact(width)).zip(ends) {
            let (p, q) = (&p[i as usize * width..][..width], &q[j as usize * width..][..width]);
            for k in 0..width {
                out[k] = p[k] + q[k] + r[k];
            }
        }
    }

    fn add_row(p: &[f32], index: &[u32], r: &[f32], width: usize, out: &mut [f32]) {
        for ((out, r), &i) in out.chunks_exact_mut(width).zip(r.chunks_exact(width)).zip(index) {
            for ((out, p), r) in out.iter_mut().zip(&p[i as usize * width..][..width]).zip(r) {
                *out = p + r;
            }
        }
    }

    fn scatter(values: &[f32], index: &[u32], width: usize, out: &mut [f32]) {
        for (row, &i) in values.chunks_exact(width).zip(index) {
            for (out, x) in out[i as usize * width..][..width].iter_mut().zip(row) {
                *out += x;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_same, random};
    use super::*;

    fn index<const N: usize>(values: [i32; N]) -> Tensor<1, Int> {
        Tensor::from_ints(values, &Device::flex().autodiff())
    }

    #[test]
    fn gathered_sums_are_those_of_select() {
        let (first, second) = (index([0, 0, 1, 3, 3]), index([2, 1, 0, 0, 3]));
        assert_same(
            random([[4, 19], [4, 19], [5, 19]], 1),
            1e-6,
            |[p, q, r]| gather_add(p, &first, q, &second, r),
            |[p, q, r]| p.select(0, first.clone()) + q.select(0, second.clone()) + r,
        );
    }

    #[test]
    fn rows_of_one_end_are_those_of_select() {
        let first = index([0, 0, 1, 3, 3]);
        assert_same(
            random([[4, 19], [5, 19]], 4),
            1e-6,
            |[p, r]| gather_add_one(p, &first, r),
            |[p, r]| p.select(0, first.clone()) + r,
        );
    }

    #[test]
    fn runs_add_up_as_select_assign_does() {
        let group = index([0, 0, 2, 2, 2, 3]);
        assert_same(
            random([[6, 21]], 2),
            1e-6,
            |[x]| sum_runs(x, group.clone(), 5),
            |[x]| Tensor::zeros([5, 21], &x.device()).select_assign(0, group.clone(), x, IndexingUpdateOp::Add),
        );
    }

    #[test]
    fn a_constant_input_takes_no_gradient() {
        let [p, _, r] = random([[3, 4], [3, 4], [2, 4]], 3);
        let constant = Tensor::<2>::ones([3, 4], &p.device());
        let sum = gather_add(p.clone(), &index([0, 2]), constant, &index([1, 1]), r);
        let gradient = p.grad(&sum.sum().backward()).unwrap().into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(gradient, [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
    }
}
