//! One-dimensional convolutional networks over a vector of descriptors, 132 Magpie statistics or 128 powder-XRD densities (the
//! seed paper's two descriptor models, in Keras).
//!
//! ```text
//! [1, length] → (convolution, ReLU, average over pairs, dropout) x 1-2 → (dense, ReLU, dropout) x 1-3 → dense 1
//! ```

mod module;

use burn::prelude::*;
use burn::tensor::TensorData;

use super::{
    architecture::{Architecture, Variant},
    fused::Fused,
    input::Input,
    tune::space::{Domain, Settings, Space, number, steps, whole},
    weights::limits,
};
use crate::ModelError;
use crystal::{Element, Structure};
use features;
pub use module::Cnn;

/// What the network reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Descriptor {
    /// The 132 Magpie statistics of the composition; a missing elemental property is imputed by its mean over elements.
    Magpie,
    /// The 128 densities of the powder pattern.
    Xrd,
}

impl Descriptor {
    /// Numbers in the vector.
    pub fn length(self) -> usize {
        match self {
            Self::Magpie => 132,
            Self::Xrd => 128,
        }
    }

    /// The vector of a crystal, as it is.
    ///
    /// # Errors
    /// A pattern without two different peaks (XRD).
    pub fn of(self, structure: &Structure) -> Result<Vec<f64>, ModelError> {
        match self {
            Self::Magpie => {
                let composition = structure.composition();
                let amounts: Vec<_> = composition.iter().collect();
                Ok(features::magpie_of(&amounts, features::MissingProperty::Mean).to_vec())
            }
            Self::Xrd => {
                let vector = features::xrd_vector(structure);
                vector.map(|v| v.to_vec()).map_err(|e| ModelError::Input(e.to_string()))
            }
        }
    }
}

/// A convolution's filters and kernel, and the dropout after it.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ConvolutionConfig {
    /// Filters.
    pub filters: usize,
    /// Width of the kernel; an even one reaches one place further to the right, as in Keras.
    pub kernel: usize,
    /// Share of values dropped in training.
    pub dropout: f64,
}

/// A dense layer's width, and the dropout after it.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DenseConfig {
    /// Units.
    pub units: usize,
    /// Share of values dropped in training.
    pub dropout: f64,
}

/// Everything that changes the numbers a network computes, besides its weights.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CnnConfig {
    /// What it reads.
    pub descriptor: Descriptor,
    /// Convolutions, in order.
    pub convolutions: Vec<ConvolutionConfig>,
    /// Dense layers, in order.
    pub dense: Vec<DenseConfig>,
    /// Mean and standard deviation of each number over the training set, by which inputs are standardised.
    pub inputs: Vec<(f32, f32)>,
}

impl CnnConfig {
    /// The standardised vector of a crystal.
    ///
    /// # Errors
    /// A pattern without two different peaks (XRD).
    pub fn vector(&self, structure: &Structure) -> Result<Vec<f32>, ModelError> {
        let raw: Vec<f64> = self.descriptor.of(structure)?;
        Ok(raw.iter().zip(&self.inputs).map(|(x, (mean, scale))| (*x as f32 - mean) / scale).collect())
    }

    /// A network from the middle of the seed paper's search space.
    pub fn usual(descriptor: Descriptor) -> Self {
        let convolution = |filters| ConvolutionConfig { filters, kernel: 5, dropout: 0.3 };
        let dense = |units| DenseConfig { units, dropout: 0.3 };
        Self {
            descriptor,
            convolutions: vec![convolution(64), convolution(128)],
            dense: vec![dense(256), dense(128)],
            inputs: vec![(0.0, 1.0); descriptor.length()],
        }
    }
}

/// Most convolutions and dense layers that a search may choose.
const CONVOLUTIONS: i64 = 2;
const DENSE: i64 = 3;

impl Architecture for CnnConfig {
    type Net = Cnn;

    const TITLE: &'static str = "CNN";
    const VARIANTS: &'static [Variant<Self>] = &[
        Variant { name: "cnn-magpie", usual: || Self::usual(Descriptor::Magpie), published_rmse: Some(0.25) },
        Variant { name: "cnn-xrd", usual: || Self::usual(Descriptor::Xrd), published_rmse: Some(0.56) },
    ];

    fn name(&self) -> &'static str {
        match self.descriptor {
            Descriptor::Magpie => "cnn-magpie",
            Descriptor::Xrd => "cnn-xrd",
        }
    }

    fn encodes(&self, _: Element) -> bool {
        true
    }

    fn input(&self, structure: &Structure) -> Result<Input, ModelError> {
        self.vector(structure).map(Input::Vector)
    }

    fn standardise(&mut self, inputs: &mut [Option<Input>], training: &[usize]) {
        let rows: Vec<&[f32]> = training.iter().filter_map(|&i| inputs[i].as_ref()).map(Input::vector).collect();
        let n = rows.len().max(1) as f64;
        let statistics = |k: usize| {
            let mean = rows.iter().map(|row| f64::from(row[k])).sum::<f64>() / n;
            let variance = rows.iter().map(|row| (f64::from(row[k]) - mean).powi(2)).sum::<f64>() / n;
            (mean as f32, variance.sqrt() as f32)
        };
        self.inputs = (0..self.descriptor.length()).map(statistics).collect();
        // A number that hardly varies says little: divided by its own deviation, a rare value would drown all others.
        if self.descriptor == Descriptor::Xrd {
            let widest = self.inputs.iter().map(|(_, scale)| *scale).fold(f32::MIN_POSITIVE, f32::max);
            self.inputs.iter_mut().for_each(|(_, scale)| *scale = widest);
        }
        for (_, scale) in &mut self.inputs {
            if *scale < 1e-6 {
                *scale = 1.0;
            }
        }
        for input in inputs.iter_mut().flatten() {
            if let Input::Vector(vector) = input {
                vector.iter_mut().zip(&self.inputs).for_each(|(x, (mean, scale))| *x = (*x - mean) / scale);
            }
        }
    }

    fn rows_per_pass(&self) -> usize {
        256
    }

    fn net(&self, device: &Device) -> Cnn {
        Cnn::new(self, device)
    }

    fn forward(&self, net: &Cnn, inputs: &[&Input], device: &Device) -> Tensor<1> {
        let values: Vec<f32> = inputs.iter().flat_map(|input| input.vector()).copied().collect();
        net.forward(Tensor::from_data(TensorData::new(values, [inputs.len(), self.descriptor.length()]), device))
    }

    fn fused(&self, _: &Cnn) -> Option<Fused> {
        None
    }

    /// `paper` is the space of the seed paper, which tuned these networks with Keras Tuner (Bayesian optimisation, 75 trials of 500
    /// epochs). Its dropout of 0.3 at least costs a regression much: `wide` lets it be 0, and lets rate, batch and loss vary.
    fn spaces(&self) -> Vec<(&'static str, Space)> {
        let rates = Domain::Levels(vec![1e-4, 1e-3, 1e-2, 1e-1]);
        vec![("paper", layers(0.3).with("learning_rate", rates)), ("wide", layers(0.0).fitted())]
    }

    fn chosen(&self, settings: &Settings) -> Option<Self> {
        let convolution = |k: usize| {
            Some(ConvolutionConfig {
                filters: whole(settings, &format!("filters_{k}"))?,
                kernel: whole(settings, &format!("kernel_{k}"))?,
                dropout: number(settings, &format!("convolution_dropout_{k}"))?,
            })
        };
        let dense = |k: usize| {
            Some(DenseConfig {
                units: whole(settings, &format!("units_{k}"))?,
                dropout: number(settings, &format!("dense_dropout_{k}"))?,
            })
        };
        Some(Self {
            convolutions: (1..=whole(settings, "convolutions")?).map(convolution).collect::<Option<_>>()?,
            dense: (1..=whole(settings, "dense")?).map(dense).collect::<Option<_>>()?,
            ..self.clone()
        })
    }

    fn values(&self) -> usize {
        let filters = |k: usize| self.convolutions.get(k).map_or(1, |l| l.filters);
        let convolutions = self.convolutions.iter().enumerate().map(|(k, l)| match k {
            0 => limits::sum(&[(l.filters, &[l.kernel])]),
            k => limits::sum(&[(l.filters, &[l.kernel, filters(k - 1)])]),
        });
        let mut width = filters(self.convolutions.len().wrapping_sub(1)).saturating_mul(self.descriptor.length());
        let dense = self.dense.iter().map(|l| std::mem::replace(&mut width, l.units).saturating_mul(l.units));
        let dense: Vec<usize> = dense.collect();
        convolutions.chain(dense).fold(0, usize::saturating_add)
    }

    fn check(&self) -> Result<(), String> {
        match self.inputs.len() == self.descriptor.length()
            && self.inputs.iter().all(|(mean, scale)| mean.is_finite() && *scale > 0.0)
        {
            true => Ok(()),
            false => Err(format!("means and deviations of {} numbers", self.inputs.len())),
        }
    }
}

/// One or two convolutions and one to three dense layers, with no less dropout than this.
fn layers(dropout: f64) -> Space {
    let dropout = Domain::Real { low: dropout, high: 0.5 };
    let mut space = Space::default().with("convolutions", steps(1, CONVOLUTIONS, 1));
    for k in 1..=CONVOLUTIONS {
        space = space
            .with_where(("convolutions", k), format!("filters_{k}"), steps(32, 256, 32))
            .with_where(("convolutions", k), format!("kernel_{k}"), steps(3, 9, 1))
            .with_where(("convolutions", k), format!("convolution_dropout_{k}"), dropout.clone());
    }
    space = space.with("dense", steps(1, DENSE, 1));
    for k in 1..=DENSE {
        space = space.with_where(("dense", k), format!("units_{k}"), steps(32, 512, 32)).with_where(
            ("dense", k),
            format!("dense_dropout_{k}"),
            dropout.clone(),
        );
    }
    space
}
