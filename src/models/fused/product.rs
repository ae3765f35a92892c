//! Products with the way back through them: what potentials take forward and in reverse.

use burn::nn;

use super::{
    linear::{Linear, Plan, values},
    rows::dot,
    runs::blocks,
};

/// A product, and the way back through it.
#[derive(Debug)]
pub struct Product {
    pub forward: Linear,
    pub back: Linear,
}

impl Product {
    /// Several layers side by side.
    pub fn new(parts: &[Plan]) -> Self {
        Self { forward: Plan::beside(parts), back: Plan::back(parts) }
    }

    /// `out = x W + b`, on several threads where that pays.
    pub fn apply(&self, x: &[f32], out: &mut [f32]) {
        whole(&self.forward, x, out, Linear::apply);
    }

    /// `out += x W`, on several threads where that pays.
    pub fn add(&self, x: &[f32], out: &mut [f32]) {
        whole(&self.forward, x, out, Linear::add);
    }

    /// `gradients += after Wᵀ`, on several threads where that pays.
    pub fn add_back(&self, after: &[f32], gradients: &mut [f32]) {
        whole(&self.back, after, gradients, Linear::add);
    }
}

fn whole(linear: &Linear, x: &[f32], out: &mut [f32], f: impl Fn(&Linear, &[f32], usize, &mut [f32]) + Sync) {
    let (inputs, width) = (linear.inputs(), linear.width());
    blocks(out, width, linear.cost(), &|first, out| f(linear, &x[first * inputs..], inputs, out));
}

/// A linear layer to one number.
#[derive(Debug)]
pub struct Sum {
    pub weight: Vec<f32>,
    pub bias: f32,
}

impl Sum {
    pub fn of(layer: &nn::Linear) -> Self {
        let bias = layer.bias.as_ref().map_or(0.0, |b| b.val().into_scalar::<f32>());
        Self { weight: values(layer.weight.val()), bias }
    }

    pub fn of_row(&self, row: &[f32]) -> f32 {
        dot(row, &self.weight) + self.bias
    }
}
