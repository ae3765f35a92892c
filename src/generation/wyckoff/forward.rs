//! The network on plain numbers: one token after another, with the keys and values of those before it kept.

use super::network::{EPSILON, WyckoffConfig};
use super::weights::{Matrix, Weights};

/// A layer from some numbers to others.
#[derive(Debug, Clone)]
struct Dense {
    weight: Matrix,
    bias: Vec<f32>,
}

#[derive(Debug, Clone)]
struct Layer {
    attention_norm: Vec<f32>,
    query_key_value: Dense,
    attention_out: Dense,
    dense_norm: Vec<f32>,
    dense: Dense,
    dense_out: Dense,
}

/// The weights, ready for inference.
#[derive(Debug, Clone)]
pub(super) struct Forward {
    config: WyckoffConfig,
    species: Matrix,
    symmetries: Matrix,
    numbers: Matrix,
    groups: Matrix,
    state: Matrix,
    told: Dense,
    group: Dense,
    group_out: Dense,
    layers: Vec<Layer>,
    norm: Vec<f32>,
    species_out: Dense,
    symmetry: Dense,
    symmetry_out: Dense,
    number: Dense,
    number_out: Dense,
}

impl Matrix {
    fn row(&self, k: usize) -> &[f32] {
        &self.values[k * self.columns..][..self.columns]
    }
}

/// Adds `factor` times a row.
fn add(to: &mut [f32], factor: f32, row: &[f32]) {
    to.iter_mut().zip(row).for_each(|(to, x)| *to += factor * x);
}

impl Dense {
    fn forward(&self, x: &[f32]) -> Vec<f32> {
        self.forward_parts([x])
    }

    /// Of numbers that stand in several pieces.
    fn forward_parts<const N: usize>(&self, parts: [&[f32]; N]) -> Vec<f32> {
        let mut y = self.bias.clone();
        let numbers = parts.into_iter().flatten();
        for (k, x) in numbers.enumerate().filter(|(_, x)| **x != 0.0) {
            add(&mut y, *x, self.weight.row(k));
        }
        y
    }
}

fn silu(mut x: Vec<f32>) -> Vec<f32> {
    x.iter_mut().for_each(|x| *x /= 1.0 + (-*x).exp());
    x
}

fn normal(x: &[f32], weight: &[f32]) -> Vec<f32> {
    let square = x.iter().map(|x| x * x).sum::<f32>() / x.len() as f32;
    let size = (square + EPSILON).sqrt();
    x.iter().zip(weight).map(|(x, w)| x / size * w).collect()
}

/// What a layer keeps of the tokens that were read.
#[derive(Debug, Clone, Default)]
struct Kept {
    keys: Vec<f32>,
    values: Vec<f32>,
}

/// A crystal that is being read.
#[derive(Debug, Clone)]
pub(super) struct Reading<'a> {
    net: &'a Forward,
    /// What is added to each token: the group and the prompt.
    of_crystal: Vec<f32>,
    kept: Vec<Kept>,
}

impl Forward {
    /// The network of some weights, which fit: see [`check`](super::weights::check).
    pub fn new(weights: &Weights, config: WyckoffConfig) -> Self {
        let matrix = |name: &str| weights[name].clone();
        let vector = |name: &str| weights[name].values.clone();
        let dense =
            |name: &str| Dense { weight: matrix(&format!("{name}.weight")), bias: vector(&format!("{name}.bias")) };
        let layer = |k: usize| Layer {
            attention_norm: vector(&format!("layers.{k}.attention_norm")),
            query_key_value: dense(&format!("layers.{k}.query_key_value")),
            attention_out: dense(&format!("layers.{k}.attention_out")),
            dense_norm: vector(&format!("layers.{k}.dense_norm")),
            dense: dense(&format!("layers.{k}.dense")),
            dense_out: dense(&format!("layers.{k}.dense_out")),
        };
        Self {
            config,
            species: matrix("species"),
            symmetries: matrix("symmetries"),
            numbers: matrix("numbers"),
            groups: matrix("groups"),
            state: matrix("state"),
            told: dense("told"),
            group: dense("group"),
            group_out: dense("group_out"),
            layers: (0..config.layers).map(layer).collect(),
            norm: vector("norm"),
            species_out: dense("species_out"),
            symmetry: dense("symmetry"),
            symmetry_out: dense("symmetry_out"),
            number: dense("number"),
            number_out: dense("number_out"),
        }
    }

    /// Logits of the space groups for a prompt.
    pub fn groups(&self, prompt: &[f32]) -> Vec<f32> {
        self.group_out.forward(&silu(self.group.forward(prompt)))
    }

    /// Begins a crystal of space group `group`, counted from 0.
    pub fn begin(&self, group: usize, prompt: &[f32]) -> Reading<'_> {
        let mut of_crystal = self.told.forward(prompt);
        add(&mut of_crystal, 1.0, self.groups.row(group));
        Reading { net: self, of_crystal, kept: vec![Kept::default(); self.layers.len()] }
    }

    /// Logits of the species after what was `read`, the end last.
    pub fn species(&self, read: &[f32]) -> Vec<f32> {
        self.species_out.forward(read)
    }

    /// Logits of the site symmetries of a species.
    pub fn symmetries(&self, read: &[f32], species: usize) -> Vec<f32> {
        self.symmetry_out.forward(&silu(self.symmetry.forward_parts([read, self.species.row(species)])))
    }

    /// Logits of the numbers of a species and site symmetry.
    pub fn numbers(&self, read: &[f32], species: usize, symmetry: usize) -> Vec<f32> {
        let parts = [read, self.species.row(species), self.symmetries.row(symmetry)];
        self.number_out.forward(&silu(self.number.forward_parts(parts)))
    }
}

impl Reading<'_> {
    /// Reads one more token and the state of the crystal so far: the vector from which the next is predicted.
    pub fn read(&mut self, [species, symmetry, number]: [usize; 3], state: &[(usize, f32)]) -> Vec<f32> {
        let net = self.net;
        let mut x = [net.species.row(species), net.symmetries.row(symmetry), net.numbers.row(number)].concat();
        add(&mut x, 1.0, &self.of_crystal);
        for &(k, value) in state {
            add(&mut x, value, net.state.row(k));
        }
        let width = x.len();
        let each = width / net.config.heads;
        for (layer, kept) in net.layers.iter().zip(&mut self.kept) {
            let all = layer.query_key_value.forward(&normal(&x, &layer.attention_norm));
            kept.keys.extend_from_slice(&all[width..2 * width]);
            kept.values.extend_from_slice(&all[2 * width..]);
            let mut seen = vec![0.0; width];
            for head in 0..net.config.heads {
                let part = head * each..(head + 1) * each;
                let query = &all[part.clone()];
                let dot = |key: &[f32]| query.iter().zip(&key[part.clone()]).map(|(q, k)| q * k).sum::<f32>();
                let mut shares: Vec<f32> =
                    kept.keys.chunks_exact(width).map(|key| dot(key) / (each as f32).sqrt()).collect();
                softmax(&mut shares);
                for (share, value) in shares.iter().zip(kept.values.chunks_exact(width)) {
                    add(&mut seen[part.clone()], *share, &value[part.clone()]);
                }
            }
            add(&mut x, 1.0, &layer.attention_out.forward(&seen));
            let hidden = silu(layer.dense.forward(&normal(&x, &layer.dense_norm)));
            add(&mut x, 1.0, &layer.dense_out.forward(&hidden));
        }
        normal(&x, &net.norm)
    }
}

/// Logits to probabilities.
pub(super) fn softmax(logits: &mut [f32]) {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    logits.iter_mut().for_each(|x| *x = (*x - most).exp());
    let sum: f32 = logits.iter().sum();
    logits.iter_mut().for_each(|x| *x /= sum);
}

#[cfg(test)]
mod tests {
    use burn::prelude::Device;
    use crystal::random::Stream;

    use super::*;
    use crate::wyckoff::batch::Batch;
    use crate::wyckoff::example::tests::published;
    use crate::wyckoff::network::{Net, Shape};
    use crate::wyckoff::weights::of_net;
    use crate::wyckoff::written::state_len;

    /// The surprise of a batch by the plain passes: groups, species, site symmetries and numbers.
    fn surprise(forward: &Forward, batch: &Batch) -> [f64; 4] {
        let crystals = batch.crystals();
        let (tokens, orbits) = (batch.next.len() / crystals, batch.next.len() / crystals - 1);
        let prompt = batch.prompt.len() / crystals;
        let state = batch.state.len() / batch.next.len();
        let of = |mut logits: Vec<f32>, mask: Option<&[f32]>, next: i32| {
            if let Some(mask) = mask {
                add(&mut logits, 1.0, mask);
            }
            softmax(&mut logits);
            -f64::from(logits[next as usize]).ln()
        };
        let mut sums = [0.0; 4];
        for c in 0..crystals {
            let prompt = &batch.prompt[c * prompt..][..prompt];
            sums[0] += of(forward.groups(prompt), None, batch.groups[c]);
            let mut reading = forward.begin(batch.groups[c] as usize, prompt);
            for t in 0..tokens {
                let row = c * tokens + t;
                let state: Vec<(usize, f32)> =
                    batch.state[row * state..][..state].iter().copied().enumerate().collect();
                let read = reading.read(batch.tokens[row].map(|word| word as usize), &state);
                let [species, symmetry, number] = batch.next[row];
                sums[1] += of(forward.species(&read), None, species);
                if symmetry < 0 {
                    continue;
                }
                let mask = |all: &'_ [f32]| -> Vec<f32> {
                    let each = all.len() / (crystals * orbits);
                    all[(c * orbits + t) * each..][..each].to_vec()
                };
                let logits = forward.symmetries(&read, species as usize);
                sums[2] += of(logits, Some(&mask(&batch.symmetry_mask)), symmetry);
                let logits = forward.numbers(&read, species as usize, symmetry as usize);
                sums[3] += of(logits, Some(&mask(&batch.number_mask)), number);
            }
        }
        sums
    }

    #[test]
    fn plain_passes_are_those_of_burn() {
        let (examples, vocabulary) = published();
        let config = WyckoffConfig::usual();
        let net = Net::new(&Shape::of(config, &vocabulary), 3, &Device::flex());
        let forward = Forward::new(&of_net(&net), config);
        let mut compared = 0;
        for orbits in 1..=12 {
            let mut batch = Batch::default();
            let alike = examples.iter().filter(|e| e.tokens.orbits().len() == orbits);
            for (n, example) in alike.enumerate() {
                example.write(&vocabulary, &mut Stream::new(n as u64), &mut batch);
            }
            if batch.crystals() == 0 {
                continue;
            }
            compared += batch.crystals();
            assert_eq!(batch.prompt.len(), batch.crystals() * vocabulary.prompt_len());
            assert_eq!(batch.state.len(), batch.next.len() * state_len(vocabulary.elements().len()));
            let burn = net.surprise(&batch, config.heads, &Device::flex());
            let burn =
                [burn.group, burn.species, burn.symmetry, burn.number].map(|sum| f64::from(sum.into_scalar::<f32>()));
            let ours = surprise(&forward, &batch);
            for (burn, ours) in burn.into_iter().zip(ours) {
                assert!((burn - ours).abs() <= 1e-5 * burn.abs(), "{burn} {ours}");
            }
        }
        assert!(compared > 50, "{compared}");
    }
}
