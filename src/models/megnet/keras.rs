//! The original MEGNet (Keras): `NAME.safetensors`, which queries/models.md makes of `NAME.hdf5`, beside `NAME.hdf5.json`.

use std::collections::BTreeMap;

use burn::prelude::*;
use serde_json::Value;

use super::{Megnet, MegnetConfig};
use crate::batch::GaussianBasis;
use crate::set2set::Set2SetMode;
use crate::weights::checkpoint::{Array, Checkpoint, Layout};
use crate::weights::found::{Claims, Found};
use crate::weights::limits;
use crystal::Element;

/// Whether the names are those of MEGNet's Keras layers.
pub(super) fn recognises(checkpoint: &Checkpoint) -> bool {
    checkpoint.arrays.keys().any(|name| name.ends_with("recurrent_kernel:0"))
        && checkpoint.arrays.keys().any(|name| name.ends_with("phi_e/weight_e_0:0"))
}

/// The network; its cutoff and basis stand in the JSON beside the weights.
pub(super) fn convert(
    mut checkpoint: Checkpoint,
    _: &Claims,
    device: &Device,
) -> Result<Found<MegnetConfig, Megnet>, String> {
    let converter = &checkpoint.companion["graph_converter"];
    let missing = "the JSON beside the weights (NAME.hdf5.json), which says cutoff and basis, is missing or has no";
    let cutoff = converter["cutoff"].as_f64().ok_or_else(|| format!("{missing} cutoff"))?;
    let gaussians = &converter["bond_converter"];
    let width = gaussians["width"].as_f64().ok_or_else(|| format!("{missing} width"))?;
    let centers = gaussians["centers"]["data"].as_array().or(gaussians["centers"].as_array());
    let centers: Vec<f64> = centers.into_iter().flatten().filter_map(Value::as_f64).collect();
    let [first, .., last] = centers[..] else { return Err(format!("{missing} centers")) };
    // The steps of Set2Set are no weights: only the model that Keras saves beside them knows.
    let model: Value = match checkpoint.facts["model_config"].as_str() {
        Some(text) => serde_json::from_str(text).map_err(|e| format!("its model_config: {e}"))?,
        None => Value::Null,
    };
    let layers = model.pointer("/config/layers").and_then(Value::as_array);
    let set2set = layers.into_iter().flatten().find(|l| l["class_name"] == "Set2Set").map(|l| l["config"].clone());
    let set2set =
        set2set.ok_or("it holds weights without their model; save with model.save_model(), not save_weights()")?;
    if set2set["recurrent_activation"].as_str().is_some_and(|a| a != "hard_sigmoid") {
        return Err(format!("a Set2Set with the activation {}", set2set["recurrent_activation"]));
    }
    let arrays = std::mem::take(&mut checkpoint.arrays);
    checkpoint.arrays = places(arrays)?;
    let embedding = checkpoint.array("embedding")?;
    let config = MegnetConfig {
        cutoff,
        basis: GaussianBasis {
            first: first as f32,
            last: last as f32,
            count: centers.len(),
            gamma: (width * width).recip() as f32,
        },
        blocks: checkpoint.count("blocks.", ".conv.edge_func.layers.0.weight"),
        embedding_rows: *embedding.shape.first().unwrap_or(&0),
        variant: Set2SetMode::Megnet,
        steps: steps(set2set["T"].as_u64(), Set2SetMode::Megnet)?,
    };
    let elements = trained(embedding);
    limits::check(&config)?;
    let mut net = Megnet::new(&config, device);
    checkpoint.fill(&mut net, Layout::Own, |name| Some(name.to_owned()))?;
    let metadata = &checkpoint.companion["metadata"];
    let text = |key: &str| metadata[key].as_str().map(str::to_owned);
    let mut data: Vec<String> = text("description").into_iter().collect();
    if let (Some(metric), Some(value)) = (text("metric"), metadata["metric value"].as_f64()) {
        data.push(format!("Stated test {metric}: {value} {}.", text("unit").unwrap_or_default()));
    }
    Ok(Found {
        elements,
        property: text("name").map(|name| match name.to_lowercase().as_str() {
            "formation energy" => "formation_energy_per_atom".to_owned(),
            other => other.replace(' ', "_"),
        }),
        unit: text("unit"),
        correction_scheme: text("training dataset").filter(|d| d.starts_with("mp-")).map(|d| {
            format!("Materials Project database {}, legacy GGA/GGA+U corrections", d.trim_start_matches("mp-"))
        }),
        data: (!data.is_empty()).then(|| data.join(" ")),
        ..Found::new(net, config)
    })
}

/// Steps of a Set2Set in a configuration: `None` where they are the usual ones.
pub(super) fn steps(stated: Option<u64>, variant: Set2SetMode) -> Result<Option<usize>, String> {
    match stated.map(|n| n as usize) {
        Some(n) if n == 0 || n > 32 => Err(format!("{n} steps of Set2Set")),
        stated => Ok(stated.filter(|&n| n != variant.steps())),
    }
}

/// Keras draws an embedding between -0.05 and 0.05; rows that still lie there belong to elements that no crystal had.
fn trained(embedding: &Array) -> Vec<Element> {
    let width = embedding.shape.get(1).copied().unwrap_or(1).max(1);
    let rows = embedding.values.chunks_exact(width).enumerate();
    let moved = rows.filter(|(_, row)| row.iter().any(|x| x.abs() > 0.05));
    moved.filter_map(|(z, _)| Element::from_z(z as i64).ok()).collect()
}

/// Arrays under our names. Layers of one kind are numbered in the order in which they were made: of the dense ones, two for
/// each of atoms, bonds and state before the first block and before each further block, then three at the end.
fn places(arrays: BTreeMap<String, Array>) -> Result<BTreeMap<String, Array>, String> {
    // model_weights/dense_1/dense_1/kernel:0
    let mut kinds: BTreeMap<&str, Vec<(usize, &str)>> = BTreeMap::new();
    for name in arrays.keys() {
        let layer = name.split('/').nth(1).unwrap_or_default();
        let (kind, number) = layer.rsplit_once('_').ok_or_else(|| format!("the layer '{layer}' has no number"))?;
        let number = number.parse().map_err(|_| format!("the layer '{layer}' has no number"))?;
        let layers = kinds.entry(kind).or_default();
        if !layers.contains(&(number, layer)) {
            layers.push((number, layer));
        }
    }
    let mut place: BTreeMap<&str, String> = BTreeMap::new();
    for (kind, layers) in &mut kinds {
        layers.sort_unstable();
        let n = layers.len();
        for (k, (_, layer)) in layers.iter().enumerate() {
            let to = match *kind {
                "embedding" => "embedding".to_owned(),
                "set2_set" => ["node_s2s", "edge_s2s"].get(k).map(|s| s.to_string()).ok_or("a third Set2Set")?,
                "meg_net_layer" => format!("blocks.{k}.conv"),
                "dense" if k + 3 >= n => format!("output_proj.layers.{}", k + 3 - n),
                "dense" => {
                    let of = ["node", "edge", "state"][k % 6 / 2];
                    let from = if k < 6 { "encoder".to_owned() } else { format!("blocks.{}.dense", k / 6) };
                    format!("{from}.{of}_func.layers.{}", k % 2)
                }
                other => return Err(format!("a layer of kind '{other}' is not of MEGNet")),
            };
            place.insert(layer, to);
        }
    }
    let mut ours = BTreeMap::new();
    for (name, array) in &arrays {
        let layer = name.split('/').nth(1).unwrap_or_default();
        let last = name.rsplit('/').next().unwrap_or_default().trim_end_matches(":0");
        let part = match last {
            "kernel" => ".weight".to_owned(),
            "bias" => ".bias".to_owned(),
            "embeddings" => String::new(),
            "x_to_m_weight" => ".project.weight".to_owned(),
            "x_to_m_bias" => ".project.bias".to_owned(),
            "recurrent_kernel" => ".lstm_query.weight".to_owned(),
            "recurrent_bias" => ".lstm_query.bias".to_owned(),
            // weight_e_0: of the bonds' function, its first layer.
            other => {
                let mut parts = other.split('_');
                let (kind, of, k) = (parts.next(), parts.next(), parts.next());
                let of = [("e", "edge"), ("v", "node"), ("u", "state")].into_iter().find(|(c, _)| Some(*c) == of);
                let (Some(kind), Some((_, of)), Some(k)) = (kind, of, k) else {
                    return Err(format!("the tensor {name} is not of MEGNet"));
                };
                format!(".{of}_func.layers.{k}.{kind}")
            }
        };
        ours.insert(format!("{}{part}", place[layer]), array.clone());
    }
    Ok(ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_placed_by_the_order_in_which_they_were_made() {
        let one = || Array { shape: vec![1], values: vec![1.0] };
        let names = (1..=21).map(|k| format!("model_weights/dense_{k}/dense_{k}/kernel:0"));
        let others = [
            "model_weights/set2_set_2/set2_set_2/recurrent_kernel:0",
            "model_weights/set2_set_1/set2_set_1/x_to_m_bias:0",
            "model_weights/meg_net_layer_3/meg_net_layer_3/meg_net_layer_3/phi_v/bias_v_1:0",
        ];
        let arrays = names.chain(others.map(str::to_owned)).map(|n| (n, one())).collect();
        let ours = places(arrays).unwrap();
        for name in [
            "encoder.node_func.layers.0.weight",
            "encoder.state_func.layers.1.weight",
            "blocks.2.dense.edge_func.layers.1.weight",
            "output_proj.layers.2.weight",
            "node_s2s.project.bias",
            "edge_s2s.lstm_query.weight",
            "blocks.0.conv.node_func.layers.1.bias",
        ] {
            assert!(ours.contains_key(name), "{name} {:?}", ours.keys());
        }
        assert_eq!(ours.len(), 24);
        let strange = BTreeMap::from([("model_weights/lstm_1/lstm_1/kernel:0".to_owned(), one())]);
        assert!(places(strange).unwrap_err().contains("lstm"));
    }

    #[test]
    fn rows_that_never_moved_are_of_no_element() {
        let values = [0.01, -0.02, 0.7, 0.0, 0.049, -0.049, -0.06, 0.01].to_vec();
        let symbols: Vec<_> = trained(&Array { shape: vec![4, 2], values }).iter().map(|e| e.symbol()).collect();
        assert_eq!(symbols, ["H", "Li"]);
    }
}
