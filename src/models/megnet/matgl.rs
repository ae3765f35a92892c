//! MEGNet of matgl (PyTorch): `state.pt` beside `model.json`.

use burn::prelude::*;
use serde_json::Value;

use super::keras::steps;
use super::{Megnet, MegnetConfig};
use crate::batch::GaussianBasis;
use crate::set2set::Set2SetMode;
use crate::weights::checkpoint::{Checkpoint, Layout};
use crate::weights::found::{Claims, Found, MATERIALS_PROJECT, by_atomic_number};
use crate::weights::limits;

const EMBEDDING: &str = "embedding.layer_node_embedding.weight";
/// Our rows are atomic numbers, 0 to 94.
const ROWS: usize = 95;

/// Whether the names are those of matgl's MEGNet.
pub(super) fn recognises(checkpoint: &Checkpoint) -> bool {
    ["", "model."].iter().any(|p| checkpoint.has(&format!("{p}node_s2s.lstm.weight_ih_l0")))
}

/// The network. Its embedding is reordered: matgl numbers elements by a list of its own, we by atomic number.
pub(super) fn convert(
    mut checkpoint: Checkpoint,
    _: &Claims,
    device: &Device,
) -> Result<Found<MegnetConfig, Megnet>, String> {
    // Weights of a model with a scaled target have one more level of names.
    let arrays = std::mem::take(&mut checkpoint.arrays);
    checkpoint.arrays =
        arrays.into_iter().map(|(name, a)| (name.strip_prefix("model.").unwrap_or(&name).to_owned(), a)).collect();
    let companion = std::mem::take(&mut checkpoint.companion);
    let settings = &companion["kwargs"];
    let init = match &settings["model"] {
        Value::Null => &settings["init_args"],
        model => &model["init_args"],
    };
    for (key, usual) in [("activation_type", "softplus2"), ("ntypes_state", "null"), ("is_classification", "false")] {
        let given = &init[key];
        if !given.is_null() && given.to_string().trim_matches('"') != usual {
            return Err(format!("model.json: {key} is {given}; only {usual} is read"));
        }
    }
    let elements: Vec<String> = match &init["element_types"] {
        Value::Null => MATERIALS_PROJECT.iter().map(|&s| s.to_owned()).collect(),
        list => serde_json::from_value(list.clone()).map_err(|e| format!("model.json: element_types: {e}"))?,
    };
    let config = MegnetConfig {
        cutoff: init["cutoff"].as_f64().unwrap_or(4.0),
        basis: basis(&checkpoint, init["gauss_width"].as_f64().unwrap_or(0.5) as f32)?,
        blocks: checkpoint.count("blocks.", ".conv.edge_func.layers.0.weight"),
        embedding_rows: ROWS,
        variant: Set2SetMode::Matgl,
        steps: steps(init["niters_set2set"].as_u64(), Set2SetMode::Matgl)?,
    };
    let elements = by_atomic_number(&mut checkpoint, EMBEDDING, &elements, 0..ROWS)?;
    // Until its move from DGL to PyTorch Geometric, matgl gathered bonds at the second atom of a pair, now at the first, and
    // read both in one order all along. Settings of the time before have a key that the new class no longer knows.
    if init.get("graph_transformations").is_some() {
        change_places(&mut checkpoint)?;
    }
    limits::check(&config)?;
    let mut net = Megnet::new(&config, device);
    checkpoint.fill(&mut net, Layout::Torch, place)?;
    let (mean, scale) = normaliser(&settings["target_transformer"])?;
    Ok(Found { mean, scale, elements, ..Found::new(net, config) })
}

fn basis(checkpoint: &Checkpoint, gamma: f32) -> Result<GaussianBasis, String> {
    let usual = MegnetConfig::matgl().basis;
    let Ok(centers) = checkpoint.array("bond_expansion.rbf.centers") else {
        return Ok(GaussianBasis { gamma, ..usual });
    };
    match centers.values[..] {
        [first, .., last] => Ok(GaussianBasis { first, last, count: centers.values.len(), gamma }),
        _ => Err("a basis of bonds without centres".into()),
    }
}

/// Makes the atom that gathers a bond the first of the two: their columns in the weight of each bond update change places.
fn change_places(checkpoint: &mut Checkpoint) -> Result<(), String> {
    for (name, array) in &mut checkpoint.arrays {
        if name.ends_with(".conv.edge_func.layers.0.weight") {
            let [_, columns] = array.shape[..] else { return Err(format!("{name} is not a matrix")) };
            for row in array.values.chunks_exact_mut(columns.max(1)) {
                // [v_i, v_j, e, u], a quarter each.
                let (first, rest) = row.split_at_mut(columns / 4);
                first.swap_with_slice(&mut rest[..columns / 4]);
            }
        }
    }
    Ok(())
}

/// `"Normalizer: Mean=-1.65459073, Std: 1.07266128"`
fn normaliser(text: &Value) -> Result<(f64, f64), String> {
    let Some(text) = text.as_str() else { return Ok((0.0, 1.0)) };
    let number = |name: &str| {
        let rest = text.split_once(name)?.1.trim_start_matches(['=', ':', ' ']);
        rest.split([',', ' ', ')']).next()?.parse().ok()
    };
    match (number("Mean").or(number("mean")), number("Std").or(number("std"))) {
        (Some(mean), Some(scale)) => Ok((mean, scale)),
        _ => Err(format!("model.json: target_transformer '{text}' is not understood")),
    }
}

/// Where a tensor goes. torch numbers the activations among the layers: 0, 2, 4 are our 0, 1, 2.
fn place(name: &str) -> Option<String> {
    if name.starts_with("bond_expansion.") {
        return None;
    }
    let name = name.replace(EMBEDDING, "embedding").replace("layers.2.", "layers.1.").replace("layers.4.", "layers.2.");
    let mut parts: Vec<&str> = name.split('.').collect();
    let functions = ["edge_func", "node_func", "state_func"];
    if parts[0] == "blocks" && parts.get(2).is_some_and(|part| functions.contains(part)) {
        parts.insert(2, "dense");
    }
    let name = parts.join(".");
    let name = match name.split_once("_encoder.") {
        Some((of, rest)) => format!("encoder.{of}_func.{rest}"),
        None => name,
    };
    let lstm = [("ih", "lstm_query"), ("hh", "lstm_hidden")].into_iter().find_map(|(part, ours)| {
        let (of, kind) = name.strip_suffix(&format!("_{part}_l0"))?.split_once("lstm.")?;
        Some(format!("{of}{ours}.{kind}"))
    });
    Some(lstm.unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::checkpoint::Array;

    #[test]
    fn tensors_find_their_places() {
        for (theirs, ours) in [
            (EMBEDDING, "embedding"),
            ("edge_encoder.layers.2.bias", "encoder.edge_func.layers.1.bias"),
            ("blocks.1.state_func.layers.0.weight", "blocks.1.dense.state_func.layers.0.weight"),
            ("blocks.0.conv.node_func.layers.4.weight", "blocks.0.conv.node_func.layers.2.weight"),
            ("edge_s2s.lstm.weight_ih_l0", "edge_s2s.lstm_query.weight"),
            ("node_s2s.lstm.bias_hh_l0", "node_s2s.lstm_hidden.bias"),
            ("output_proj.layers.4.bias", "output_proj.layers.2.bias"),
        ] {
            assert_eq!(place(theirs).as_deref(), Some(ours));
        }
        assert_eq!(place("bond_expansion.rbf.centers"), None);
    }

    #[test]
    fn atoms_of_a_pair_change_places() {
        let mut checkpoint = Checkpoint::default();
        let name = "blocks.0.conv.edge_func.layers.0.weight";
        let values = (0..16).map(|k| k as f32).collect();
        checkpoint.arrays.insert(name.into(), Array { shape: vec![2, 8], values });
        change_places(&mut checkpoint).unwrap();
        let want = [2.0, 3.0, 0.0, 1.0, 4.0, 5.0, 6.0, 7.0, 10.0, 11.0, 8.0, 9.0, 12.0, 13.0, 14.0, 15.0];
        assert_eq!(checkpoint.array(name).unwrap().values, want);
    }

    #[test]
    fn the_normaliser_is_read_from_its_text() {
        let text = Value::from("Normalizer: Mean=-1.65459073, Std: 1.07266128");
        assert_eq!(normaliser(&text).unwrap(), (-1.65459073, 1.07266128));
        assert_eq!(normaliser(&Value::Null).unwrap(), (0.0, 1.0));
        assert!(normaliser(&"LinearScaler".into()).is_err());
    }
}
