//! Weights on disk: a safetensors file with a card in its metadata.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use burn::module::Param;
use burn::prelude::*;
use crystal::{Element, explained};
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use serde::{Deserialize, Serialize};

use super::conditions::Bins;
use super::network::{Dense, Net, Shape, WyckoffConfig};
use super::vocabulary::Vocabulary;
use crate::{Charge, GenerationError, Species};

/// Where the card stands in the metadata.
const CARD: &str = "hollandite_generator";

/// What a reader needs to judge a network that writes crystals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WyckoffCard {
    /// What it is called.
    pub name: String,
    /// Its widths.
    pub config: WyckoffConfig,
    /// Number of parameters.
    pub parameters: usize,
    /// The crystals it has learned from, and their licence.
    pub data: String,
    /// How many of them.
    pub crystals: usize,
    /// How many were held out, by formula.
    pub held_out: usize,
    /// Crystals without a neutral choice of oxidation states, or whose symmetry was not found.
    pub without_tokens: usize,
    /// Crystals of more orbits than are written, or with a species that no training crystal has.
    pub too_long: usize,
    /// Of how many each condition is known: the widest free sphere, channels, void, volume and hull.
    pub conditions: [usize; 5],
    /// Seed of the run.
    pub seed: u64,
    /// Epochs.
    pub epochs: usize,
    /// Epoch of the lowest loss on what was held out, from 1.
    pub best_epoch: usize,
    /// Crystals per step.
    pub batch: usize,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Mean loss of the last epoch, nats per crystal.
    pub loss: f64,
    /// Mean loss of the best epoch on the crystals held out, nats per crystal.
    pub held_out_loss: f64,
    /// Wall time, s.
    pub seconds: f64,
    /// The species that it writes: atomic number, lower and higher state.
    pub species: Vec<(u8, i8, i8)>,
    /// The bins of the conditions.
    #[serde(default = "Bins::first")]
    pub bins: Bins,
}

impl WyckoffCard {
    /// Its words.
    ///
    /// # Errors
    /// An atomic number that no element has.
    pub(super) fn vocabulary(&self) -> Result<Vocabulary, GenerationError> {
        let species = |&(z, low, high): &(u8, i8, i8)| {
            Ok(Species { element: Element::from_z(i64::from(z))?, charge: Charge { low, high } })
        };
        let species = self.species.iter().map(species).collect::<Result<Vec<_>, GenerationError>>()?;
        Ok(Vocabulary::new(species).in_bins(self.bins.clone()))
    }
}

/// A matrix row by row, or a vector as a matrix of one row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Matrix {
    pub columns: usize,
    pub values: Vec<f32>,
}

/// Weights by name.
pub(super) type Weights = BTreeMap<String, Matrix>;

/// The weights of a network.
pub(super) fn of_net(net: &Net) -> Weights {
    let mut all = Weights::new();
    let mut add = |name: &str, values: Vec<f32>, columns: usize| {
        all.insert(name.to_owned(), Matrix { columns, values });
    };
    let mut matrix = |name: &str, param: &Param<Tensor<2>>| {
        let [_, columns] = param.val().dims();
        add(name, numbers(param.val()), columns);
    };
    matrix("species", &net.species);
    matrix("symmetries", &net.symmetries);
    matrix("numbers", &net.numbers);
    matrix("groups", &net.groups);
    matrix("state", &net.state);
    let vector = |param: &Param<Tensor<1>>| numbers(param.val());
    let norm = vector(&net.norm);
    add("norm", norm.clone(), norm.len());
    let mut dense = |name: &str, dense: &Dense| {
        let (weight, bias) = (numbers(dense.weight.val()), vector(&dense.bias));
        add(&format!("{name}.weight"), weight, bias.len());
        let columns = bias.len();
        add(&format!("{name}.bias"), bias, columns);
    };
    for (name, layer) in [
        ("told", &net.told),
        ("group", &net.group),
        ("group_out", &net.group_out),
        ("species_out", &net.species_out),
        ("symmetry", &net.symmetry),
        ("symmetry_out", &net.symmetry_out),
        ("number", &net.number),
        ("number_out", &net.number_out),
    ] {
        dense(name, layer);
    }
    for (k, layer) in net.layers.iter().enumerate() {
        dense(&format!("layers.{k}.query_key_value"), &layer.query_key_value);
        dense(&format!("layers.{k}.attention_out"), &layer.attention_out);
        dense(&format!("layers.{k}.dense"), &layer.dense);
        dense(&format!("layers.{k}.dense_out"), &layer.dense_out);
    }
    for (k, layer) in net.layers.iter().enumerate() {
        for (name, norm) in [("attention_norm", &layer.attention_norm), ("dense_norm", &layer.dense_norm)] {
            let norm = vector(norm);
            let columns = norm.len();
            add(&format!("layers.{k}.{name}"), norm, columns);
        }
    }
    all
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("weights are f32")
}

/// The bytes of a weights file.
///
/// # Errors
/// A card with a number that is not finite.
pub(super) fn to_bytes(weights: &Weights, card: &WyckoffCard) -> Result<Vec<u8>, GenerationError> {
    let bytes: Vec<(&String, Vec<usize>, Vec<u8>)> = weights
        .iter()
        .map(|(name, matrix)| {
            let shape = vec![matrix.values.len() / matrix.columns.max(1), matrix.columns];
            (name, shape, matrix.values.iter().flat_map(|x| x.to_le_bytes()).collect())
        })
        .collect();
    let views = bytes.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(GenerationError::weights)?;
        Ok((name.as_str(), view))
    });
    let views = views.collect::<Result<Vec<_>, GenerationError>>()?;
    let json = serde_json::to_string(card).map_err(GenerationError::weights)?;
    serialize(views, Some(HashMap::from([(CARD.to_owned(), json)]))).map_err(GenerationError::weights)
}

/// Weights and card out of the bytes of a file.
///
/// # Errors
/// Bytes that are no such file.
pub(super) fn from_bytes(bytes: &[u8]) -> Result<(Weights, WyckoffCard), GenerationError> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(GenerationError::weights)?;
    let card = metadata.metadata().as_ref().and_then(|all| all.get(CARD));
    let without = "no card: was it written by `hollandite train --model wyckoff`?";
    let card = card.ok_or_else(|| GenerationError::weights(without))?;
    let of_card = |e: serde_json::Error| GenerationError::weights(explained(format!("card: {e}"), e));
    let card: WyckoffCard = serde_json::from_str(card).map_err(of_card)?;
    let tensors = SafeTensors::deserialize(bytes).map_err(GenerationError::weights)?;
    let matrix = |(name, view): (&str, TensorView<'_>)| match (view.dtype(), view.shape()) {
        (Dtype::F32, &[_, columns]) => {
            let number = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
            Ok((name.to_owned(), Matrix { columns, values: view.data().chunks_exact(4).map(number).collect() }))
        }
        (dtype, shape) => {
            Err(GenerationError::weights(format!("{name} is {dtype:?} of {shape:?}, not a matrix of f32")))
        }
    };
    let weights = tensors.iter().map(matrix).collect::<Result<_, _>>()?;
    Ok((weights, card))
}

/// Writes weights and card into a file, all at once.
///
/// # Errors
/// A file that cannot be written.
pub(super) fn save(path: &Path, weights: &Weights, card: &WyckoffCard) -> Result<(), GenerationError> {
    let unfinished = path.with_extension("unfinished");
    std::fs::write(&unfinished, to_bytes(weights, card)?).map_err(GenerationError::io(&unfinished))?;
    std::fs::rename(&unfinished, path).map_err(GenerationError::io(path))
}

/// Whether the weights are those of a network of the card's words and widths.
///
/// # Errors
/// Widths out of all proportion, or a matrix that is missing or of another size.
pub(super) fn check(weights: &Weights, card: &WyckoffCard, vocabulary: &Vocabulary) -> Result<(), GenerationError> {
    let WyckoffConfig { layers, heads, hidden, .. } = card.config;
    let width = card.config.width();
    let fits = (1..=1024).contains(&width) && (1..=4096).contains(&hidden) && layers <= 64 && heads > 0;
    if !fits || !width.is_multiple_of(heads) {
        return Err(GenerationError::weights(format!("{:?} is no network", card.config)));
    }
    for (name, columns, len) in sizes(&Shape::of(card.config, vocabulary)) {
        let found = weights.get(&name).map(|matrix| (matrix.columns, matrix.values.len()));
        if found != Some((columns, len)) {
            return Err(GenerationError::weights(format!(
                "{name} is {found:?}, not {columns} columns of {len} numbers"
            )));
        }
    }
    Ok(())
}

/// Name, columns and length of each matrix.
fn sizes(shape: &Shape) -> Vec<(String, usize, usize)> {
    let net = Net::new(shape, 0, &Device::flex());
    of_net(&net).into_iter().map(|(name, matrix)| (name, matrix.columns, matrix.values.len())).collect()
}
