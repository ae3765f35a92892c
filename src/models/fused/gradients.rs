//! Gradients of weights as the fused training steps gather them, and as burn's optimiser takes them.

use burn::{
    module::Param,
    nn,
    optim::GradientsParams,
    prelude::{Device, Tensor},
    tensor::TensorData,
};

use super::{
    linear::padded,
    outer::add_outer,
    rows::{add, add_sum},
};

/// Gradients of weight and bias of a linear layer; rows are padded.
#[derive(Debug)]
pub struct OfLinear {
    /// A row for each input.
    pub weight: Vec<f32>,
    /// One row.
    pub bias: Vec<f32>,
}

impl OfLinear {
    /// None so far.
    pub fn zeros(inputs: usize, outputs: usize) -> Self {
        let width = padded(outputs);
        Self { weight: vec![0.0; inputs * width], bias: vec![0.0; width] }
    }

    /// Adds those of rows that were read as `x`, where they begin so far apart, and whose results have these gradients.
    pub fn gain(&mut self, x: (&[f32], usize), gradient: &[f32]) {
        add_outer(&mut self.weight, self.bias.len(), x, gradient);
        add_sum(&mut self.bias, gradient, 1.0);
    }

    /// Adds those of another pass.
    pub fn add(&mut self, other: &Self) {
        add(&mut self.weight, &other.weight);
        add(&mut self.bias, &other.bias);
    }

    /// Hands them to the optimiser as the gradient of that layer.
    pub fn register(&self, gradients: &mut GradientsParams, layer: &nn::Linear) {
        register(gradients, &layer.weight, &self.weight);
        if let Some(bias) = &layer.bias {
            register(gradients, bias, &self.bias);
        }
    }
}

/// The gradient of a weight, from rows that are padded.
pub fn register<const D: usize>(gradients: &mut GradientsParams, weight: &Param<Tensor<D>>, values: &[f32]) {
    let shape = weight.val().dims();
    let columns = shape[D - 1];
    let plain: Vec<f32> = values.chunks_exact(padded(columns)).flat_map(|row| row[..columns].iter().copied()).collect();
    gradients.register(weight.id, Tensor::<D>::from_data(TensorData::new(plain, shape), &Device::flex()));
}
