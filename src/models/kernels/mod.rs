//! What graph networks do between their matrix products, each as one loop over memory with a gradient written by hand: gather
//! rows at the ends of a bond and add them, gate, normalise, sum over the bonds of an atom.
//!
//! burn would take each from a handful of its own operations, with a pass over memory and an intermediate tensor for every
//! one of them, forward and backward. A [`Kernel`] is the rule of one such step on plain slices; [`apply`] makes it an
//! operation of burn's graph by way of its backend extension. Kernels run on the CPU backend; on any other device the
//! networks fall back to burn's operations, and the tests hold the two against each other, values and gradients.

mod gate;
mod gather;
mod normal;
mod pointwise;

use std::{fmt::Debug, sync::Arc};

use burn::backend::{
    Autodiff, Backend, Dispatch, Flex,
    autodiff::{
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops, OpsKind},
    },
    backend_extension,
    tensor::FloatTensor,
};
use burn::prelude::*;
use burn::tensor::TensorData;

pub(super) use gate::{gate, gated_mean};
pub(super) use gather::{gather_add, gather_add_one, sum_runs};
pub(super) use normal::{Moments, NormalBack, batch_norm, layer_norm, weighted_batch_norm};
pub(super) use pointwise::{add_silu, shifted_softplus, silu, softplus};

/// Rows of f32 in memory; a vector is one row.
#[derive(Debug, Clone, Copy)]
struct Matrix<'a> {
    values: &'a [f32],
    width: usize,
}

impl<'a> Matrix<'a> {
    fn row(&self, i: usize) -> &'a [f32] {
        &self.values[i * self.width..(i + 1) * self.width]
    }

    fn rows(&self) -> usize {
        self.values.len() / self.width.max(1)
    }
}

/// The derivative of the loss by one input.
enum Gradient {
    /// Not requested.
    None,
    /// That by the output.
    Same,
    /// These values, in the shape of the input.
    Of(Vec<f32>),
}

/// A differentiable step on matrices. A value of it serves one forward and at most one backward pass, and may keep in itself
/// what the second needs of the first.
trait Kernel: Debug + Send + Sync + 'static {
    /// Values and width of the result.
    fn forward(&self, inputs: &[Matrix]) -> (Vec<f32>, usize);

    /// The gradient of each input, where `wanted`, from that of the output.
    fn backward(&self, gradient: Matrix, inputs: &[Matrix], wanted: &[bool]) -> Vec<Gradient>;
}

type Primitive = FloatTensor<Flex>;

/// One kernel as an operation of the backend.
#[backend_extension(Flex, Autodiff)]
trait Kernels: Backend {
    fn of_one(a: FloatTensor<Self>, kernel: Arc<dyn Kernel>) -> FloatTensor<Self>;
    fn of_two(a: FloatTensor<Self>, b: FloatTensor<Self>, kernel: Arc<dyn Kernel>) -> FloatTensor<Self>;
    fn of_three(
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
        kernel: Arc<dyn Kernel>,
    ) -> FloatTensor<Self>;
}

/// Inputs as matrices, handed to `f`.
fn with_matrices<T>(inputs: &[Primitive], f: impl FnOnce(&[Matrix]) -> T) -> T {
    let whole: Vec<Primitive> = inputs.iter().map(Primitive::to_contiguous).collect();
    let matrices: Vec<Matrix> = whole
        .iter()
        .map(|tensor| Matrix {
            values: tensor.as_slice().expect("networks compute in contiguous f32"),
            width: tensor.layout().shape()[tensor.layout().shape().num_dims() - 1],
        })
        .collect();
    f(&matrices)
}

fn forward(inputs: &[Primitive], kernel: &dyn Kernel) -> Primitive {
    let (values, width) = with_matrices(inputs, |inputs| kernel.forward(inputs));
    let rows = values.len() / width.max(1);
    Primitive::from_data(TensorData::new(values, [rows, width]))
}

impl Kernels for Flex {
    fn of_one(a: Primitive, kernel: Arc<dyn Kernel>) -> Primitive {
        forward(&[a], &*kernel)
    }

    fn of_two(a: Primitive, b: Primitive, kernel: Arc<dyn Kernel>) -> Primitive {
        forward(&[a, b], &*kernel)
    }

    fn of_three(a: Primitive, b: Primitive, c: Primitive, kernel: Arc<dyn Kernel>) -> Primitive {
        forward(&[a, b, c], &*kernel)
    }
}

/// The backward pass of a kernel in burn's graph.
#[derive(Debug)]
struct Reverse;

impl<const N: usize> Backward<Flex, N> for Reverse {
    type State = ([Primitive; N], Arc<dyn Kernel>);

    fn backward(self, ops: Ops<Self::State, N>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        let (inputs, kernel) = ops.state;
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let of_inputs = with_matrices(std::slice::from_ref(&gradient), |of_output| {
            with_matrices(&inputs, |inputs| kernel.backward(of_output[0], inputs, &wanted))
        });
        for ((parent, of_input), input) in ops.parents.into_iter().zip(of_inputs).zip(inputs) {
            let Some(parent) = parent else { continue };
            match of_input {
                Gradient::None => {}
                Gradient::Same => gradients.register::<Flex>(parent.id, gradient.clone()),
                Gradient::Of(values) => {
                    let data = TensorData::new(values, input.layout().shape().clone());
                    gradients.register::<Flex>(parent.id, Primitive::from_data(data));
                }
            }
        }
    }
}

fn recorded<C: CheckpointStrategy, const N: usize>(
    inputs: [FloatTensor<Autodiff<Flex, C>>; N],
    kernel: Arc<dyn Kernel>,
) -> FloatTensor<Autodiff<Flex, C>> {
    let nodes = inputs.each_ref().map(|input| input.node());
    let inputs = inputs.map(|input| input.into_primitive());
    let output = forward(&inputs, &*kernel);
    match Reverse.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(step) => step.finish((inputs, kernel), output),
        OpsKind::UnTracked(step) => step.finish(output),
    }
}

impl<C: CheckpointStrategy> Kernels for Autodiff<Flex, C> {
    fn of_one(a: FloatTensor<Self>, kernel: Arc<dyn Kernel>) -> FloatTensor<Self> {
        recorded::<C, _>([a], kernel)
    }

    fn of_two(a: FloatTensor<Self>, b: FloatTensor<Self>, kernel: Arc<dyn Kernel>) -> FloatTensor<Self> {
        recorded::<C, _>([a, b], kernel)
    }

    fn of_three(
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
        kernel: Arc<dyn Kernel>,
    ) -> FloatTensor<Self> {
        recorded::<C, _>([a, b, c], kernel)
    }
}

fn apply_one(a: Tensor<2>, kernel: impl Kernel) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as Kernels>::of_one(a.into_dispatch(), Arc::new(kernel)))
}

fn apply_two(a: Tensor<2>, b: Tensor<2>, kernel: impl Kernel) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as Kernels>::of_two(a.into_dispatch(), b.into_dispatch(), Arc::new(kernel)))
}

fn apply_three<const B: usize, const C: usize>(
    a: Tensor<2>,
    b: Tensor<B>,
    c: Tensor<C>,
    kernel: Arc<dyn Kernel>,
) -> Tensor<2> {
    let (a, b, c) = (a.into_dispatch(), b.into_dispatch(), c.into_dispatch());
    Tensor::from_dispatch(<Dispatch as Kernels>::of_three(a, b, c, kernel))
}

/// Whether kernels can run where the tensor lies.
fn on_cpu<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.device().inner() == Device::flex()
}

/// Row numbers in memory.
type Rows = Arc<[u32]>;

fn rows(index: &Tensor<1, Int>) -> Rows {
    index.clone().into_data().iter::<i64>().map(|i| i as u32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Distribution;

    /// Random tensors of these shapes that require gradients.
    pub fn random<const N: usize>(shapes: [[usize; 2]; N], seed: u64) -> [Tensor<2>; N] {
        let device = Device::flex();
        device.seed(seed);
        shapes.map(|shape| {
            let values = Tensor::<2>::random(shape, Distribution::Normal(0.0, 1.5), &device).into_data();
            Tensor::from_data(values, &device.clone().autodiff()).require_grad()
        })
    }

    /// Two ways to compute the same: values and gradients by every input agree to `tolerance`, relative to the largest.
    pub fn assert_same<const N: usize>(
        inputs: [Tensor<2>; N],
        tolerance: f32,
        one: impl Fn([Tensor<2>; N]) -> Tensor<2>,
        other: impl Fn([Tensor<2>; N]) -> Tensor<2>,
    ) {
        let results = [one(inputs.clone()), other(inputs.clone())].map(|result| {
            // A weight of its own for each number, or errors that cancel would go unseen.
            let [rows, width] = result.dims();
            let n = (rows * width) as i64;
            let weight = Tensor::<1, Int>::arange(0..n, &result.device()).float().mul_scalar(0.7).sin();
            let gradients = (result.clone() * weight.reshape([rows, width])).sum().backward();
            let mut all = vec![result.inner()];
            all.extend(inputs.iter().map(|input| input.grad(&gradients).expect("every input counts")));
            all.into_iter().map(|t| t.into_data().try_to_vec::<f32>().unwrap()).collect::<Vec<_>>()
        });
        for (k, (a, b)) in results[0].iter().zip(&results[1]).enumerate() {
            let largest = b.iter().fold(1e-3_f32, |m, x| m.max(x.abs()));
            let apart = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            let what = if k == 0 { "value".to_owned() } else { format!("gradient of input {k}") };
            assert!(a.len() == b.len() && apart <= tolerance * largest, "{what}: {apart} of {largest}");
        }
    }

    #[test]
    fn rows_read_any_integers() {
        let index = Tensor::<1, Int>::from_ints([3, 0, 7], &Device::flex());
        assert_eq!(&*rows(&index), [3, 0, 7]);
        assert!(on_cpu(&index.float()));
    }
}
