//! The network in burn: what is trained, and what the plain forward pass is tested against.
//!
//! A transformer without positions: it reads the space group, then one orbit after another, each summed with the group and with the prompt,
//! and predicts after each what comes next. Species first, then the site symmetry given the species, then the number given both. What the
//! group does not have, or holds no second time, is masked.

use burn::module::{Module, Param};
use burn::prelude::*;
use burn::tensor::TensorData;
use burn::tensor::activation::{log_softmax, silu, softmax};
use crystal::random::Stream;
use serde::{Deserialize, Serialize};

use super::batch::Batch;
use super::places::{GROUPS, WORDS};
use super::vocabulary::Vocabulary;
use super::written::state_len;

/// Added to a mean square by whose root a row is divided.
pub(super) const EPSILON: f32 = 1e-6;
/// Added to the logarithm of what is masked.
const MASKED: f32 = -1e9;

/// The widths of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WyckoffConfig {
    /// Width of a species' vector.
    pub species: usize,
    /// Width of a site symmetry's.
    pub symmetry: usize,
    /// Width of a number's.
    pub number: usize,
    /// Layers.
    pub layers: usize,
    /// Heads of attention, which share the width.
    pub heads: usize,
    /// Width within a layer.
    pub hidden: usize,
}

impl WyckoffConfig {
    /// Three layers of width 64.
    pub fn usual() -> Self {
        Self { species: 32, symmetry: 24, number: 8, layers: 3, heads: 4, hidden: 192 }
    }

    /// Width of a token.
    pub fn width(&self) -> usize {
        self.species + self.symmetry + self.number
    }
}

/// What the widths of a network follow from: its settings, and how many words there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    config: WyckoffConfig,
    species: usize,
    elements: usize,
    /// Numbers that say what a crystal is to be.
    prompt: usize,
}

impl Shape {
    pub fn of(config: WyckoffConfig, vocabulary: &Vocabulary) -> Self {
        let (species, elements) = (vocabulary.species().len(), vocabulary.elements().len());
        Self { config, species, elements, prompt: vocabulary.prompt_len() }
    }
}

#[derive(Module, Debug)]
pub(super) struct Dense {
    pub weight: Param<Tensor<2>>,
    pub bias: Param<Tensor<1>>,
}

#[derive(Module, Debug)]
pub(super) struct Layer {
    pub attention_norm: Param<Tensor<1>>,
    pub query_key_value: Dense,
    pub attention_out: Dense,
    pub dense_norm: Param<Tensor<1>>,
    pub dense: Dense,
    pub dense_out: Dense,
}

/// The weights.
#[derive(Module, Debug)]
pub(super) struct Net {
    /// One row more than there are words: that of the start.
    pub species: Param<Tensor<2>>,
    pub symmetries: Param<Tensor<2>>,
    pub numbers: Param<Tensor<2>>,
    pub groups: Param<Tensor<2>>,
    pub state: Param<Tensor<2>>,
    // Named as the tensors of the weights that ship; its input is the prompt.
    pub told: Dense,
    pub group: Dense,
    pub group_out: Dense,
    pub layers: Vec<Layer>,
    pub norm: Param<Tensor<1>>,
    pub species_out: Dense,
    pub symmetry: Dense,
    pub symmetry_out: Dense,
    pub number: Dense,
    pub number_out: Dense,
}

/// Draws initial weights.
struct First<'a> {
    random: Stream,
    device: &'a Device,
}

impl First<'_> {
    /// Even random numbers of this root mean square.
    fn matrix(&mut self, rows: usize, columns: usize, size: f32) -> Param<Tensor<2>> {
        let draw = |_| size * 3.0_f32.sqrt() * (2.0 * self.random.uniform() - 1.0);
        let values: Vec<f32> = (0..rows * columns).map(draw).collect();
        Param::from_tensor(Tensor::from_data(TensorData::new(values, [rows, columns]), self.device))
    }

    fn vector(&self, length: usize, value: f32) -> Param<Tensor<1>> {
        Param::from_tensor(Tensor::from_data(TensorData::new(vec![value; length], [length]), self.device))
    }

    fn dense(&mut self, inputs: usize, outputs: usize, gain: f32) -> Dense {
        let weight = self.matrix(inputs, outputs, gain / (inputs as f32).sqrt());
        Dense { weight, bias: self.vector(outputs, 0.0) }
    }

    fn layer(&mut self, width: usize, hidden: usize) -> Layer {
        Layer {
            attention_norm: self.vector(width, 1.0),
            query_key_value: self.dense(width, 3 * width, 1.0),
            // What a layer adds is small at first.
            attention_out: self.dense(width, width, 0.3),
            dense_norm: self.vector(width, 1.0),
            dense: self.dense(width, hidden, 1.0),
            dense_out: self.dense(hidden, width, 0.3),
        }
    }
}

impl Dense {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        x.matmul(self.weight.val()) + self.bias.val().unsqueeze::<2>()
    }
}

/// Each row divided by the root of its mean square, times `weight`.
fn normal(x: Tensor<2>, weight: &Param<Tensor<1>>) -> Tensor<2> {
    let size = (x.clone().square().mean_dim(1) + EPSILON).sqrt();
    x / size * weight.val().unsqueeze::<2>()
}

impl Layer {
    /// The rows of `crystals` times `tokens`, each of which sees those before it.
    fn forward(&self, x: Tensor<2>, crystals: usize, heads: usize) -> Tensor<2> {
        let [rows, width] = x.dims();
        let (tokens, each) = (rows / crystals, width / heads);
        let all = self.query_key_value.forward(normal(x.clone(), &self.attention_norm));
        let part = |k: usize| {
            let part = all.clone().narrow(1, k * width, width);
            part.reshape([crystals, tokens, heads, each]).swap_dims(1, 2)
        };
        let scores = part(0).matmul(part(1).swap_dims(2, 3)) / (each as f32).sqrt();
        let later = Tensor::<2, Bool>::tril_mask([tokens, tokens], 0, &x.device());
        let scores = scores.mask_fill(later.unsqueeze::<4>().expand([crystals, heads, tokens, tokens]), MASKED);
        let seen = softmax(scores, 3).matmul(part(2)).swap_dims(1, 2).reshape([rows, width]);
        let x = x + self.attention_out.forward(seen);
        let hidden = silu(self.dense.forward(normal(x.clone(), &self.dense_norm)));
        x + self.dense_out.forward(hidden)
    }
}

/// Negative logarithms of the probabilities that a network gives to what came next, summed.
pub(super) struct Surprise {
    pub group: Tensor<1>,
    pub species: Tensor<1>,
    pub symmetry: Tensor<1>,
    pub number: Tensor<1>,
}

impl Surprise {
    /// All of them together, nats.
    pub fn total(self) -> Tensor<1> {
        self.group + self.species + self.symmetry + self.number
    }
}

impl Net {
    /// Random weights, a function of `seed` alone.
    pub fn new(shape: &Shape, seed: u64, device: &Device) -> Self {
        let Shape { config, species, elements, prompt } = *shape;
        let width = config.width();
        let (symmetries, numbers) = (WORDS.symmetries.len(), WORDS.numbers);
        let first = &mut First { random: Stream::new(seed), device };
        Self {
            species: first.matrix(species + 1, config.species, 0.5),
            symmetries: first.matrix(symmetries + 1, config.symmetry, 0.5),
            numbers: first.matrix(numbers + 1, config.number, 0.5),
            groups: first.matrix(GROUPS, width, 0.3),
            state: first.matrix(state_len(elements), width, 0.3),
            told: first.dense(prompt, width, 2.0),
            group: first.dense(prompt, width, 4.0),
            group_out: first.dense(width, GROUPS, 0.3),
            layers: (0..config.layers).map(|_| first.layer(width, config.hidden)).collect(),
            norm: first.vector(width, 1.0),
            species_out: first.dense(width, species + 1, 0.3),
            symmetry: first.dense(width + config.species, width, 1.0),
            symmetry_out: first.dense(width, symmetries, 0.3),
            number: first.dense(width + config.species + config.symmetry, width, 1.0),
            number_out: first.dense(width, numbers, 0.3),
        }
    }

    /// How far the crystals of a batch surprise the network.
    pub fn surprise(&self, batch: &Batch, heads: usize, device: &Device) -> Surprise {
        let crystals = batch.crystals();
        let rows = batch.next.len();
        let tokens = rows / crystals;
        let int = |values: Vec<i32>| {
            let n = values.len();
            Tensor::<1, Int>::from_data(TensorData::new(values, [n]), device)
        };
        let float = |values: &[f32], rows: usize| {
            Tensor::<2>::from_data(TensorData::new(values.to_vec(), [rows, values.len() / rows]), device)
        };
        let column = |of: fn(&[i32; 3]) -> i32, of_rows: &[[i32; 3]]| int(of_rows.iter().map(of).collect());
        let look_up = |table: &Param<Tensor<2>>, places: Tensor<1, Int>| table.val().select(0, places);

        let prompt = float(&batch.prompt, crystals);
        let groups = self.group_out.forward(silu(self.group.forward(prompt.clone())));
        let group = surprise(groups, int(batch.groups.clone()));

        let read = [
            look_up(&self.species, column(|t| t[0], &batch.tokens)),
            look_up(&self.symmetries, column(|t| t[1], &batch.tokens)),
            look_up(&self.numbers, column(|t| t[2], &batch.tokens)),
        ];
        let width = self.groups.val().dims()[1];
        let of_crystal = look_up(&self.groups, int(batch.groups.clone())) + self.told.forward(prompt);
        let of_crystal = of_crystal.reshape([crystals, 1, width]).expand([crystals, tokens, width]);
        let state = float(&batch.state, rows).matmul(self.state.val());
        let mut x = Tensor::cat(Vec::from(read), 1) + state + of_crystal.reshape([rows, width]);
        for layer in &self.layers {
            x = layer.forward(x, crystals, heads);
        }
        let x = normal(x, &self.norm);
        let species = surprise(self.species_out.forward(x.clone()), column(|t| t[0], &batch.next));

        // After the last orbit of each crystal comes its end, which has a species' word alone.
        let orbits: Vec<i32> = (0..rows as i32).filter(|row| batch.next[*row as usize][1] >= 0).collect();
        let next: Vec<[i32; 3]> = batch.next.iter().copied().filter(|next| next[1] >= 0).collect();
        let x = x.select(0, int(orbits));
        let known = look_up(&self.species, column(|t| t[0], &next));
        let hidden = silu(self.symmetry.forward(Tensor::cat(vec![x.clone(), known.clone()], 1)));
        let symmetries = self.symmetry_out.forward(hidden) + float(&batch.symmetry_mask, next.len());
        let symmetry = surprise(symmetries, column(|t| t[1], &next));
        let known = vec![x, known, look_up(&self.symmetries, column(|t| t[1], &next))];
        let hidden = silu(self.number.forward(Tensor::cat(known, 1)));
        let numbers = self.number_out.forward(hidden) + float(&batch.number_mask, next.len());
        let number = surprise(numbers, column(|t| t[2], &next));
        Surprise { group, species, symmetry, number }
    }
}

/// The negative logarithm of the probability of each row's `next`, summed.
fn surprise(logits: Tensor<2>, next: Tensor<1, Int>) -> Tensor<1> {
    -log_softmax(logits, 1).gather(1, next.unsqueeze_dim::<2>(1)).sum()
}

/// What is added to the logits of `n` words, of which only `allowed` may come.
pub(super) fn mask(n: usize, allowed: impl IntoIterator<Item = usize>) -> Vec<f32> {
    let mut mask = vec![MASKED; n];
    allowed.into_iter().for_each(|k| mask[k] = 0.0);
    mask
}
