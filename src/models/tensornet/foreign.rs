//! TensorNet potentials of matgl (PyTorch): `state.pt` beside `model.json`.

use burn::prelude::*;
use serde_json::Value;

use super::{ELEMENTS, Tensornet, TensornetConfig};
use crate::weights::checkpoint::{Checkpoint, Layout};
use crate::weights::found::{Claims, Found, MATERIALS_PROJECT, by_atomic_number};
use crate::weights::limits;

const EMBEDDING: &str = "tensor_embedding.emb.weight";
/// Weights of the pair of elements at the ends of a bond.
const PAIR: &str = "tensor_embedding.emb2.weight";
/// From this version of the class on (matgl 4) the atom that takes a bond up is named first in its pair, as here. Before it was named
/// second: elements do not show the difference, every compound does.
const TAKER_FIRST: u64 = 2;
/// Energies of the elements, to which the network adds.
const REFERENCES: &str = "element_refs.property_offset";

/// Whether the names are those of matgl's TensorNet, as a potential.
pub(super) fn recognises(checkpoint: &Checkpoint) -> bool {
    let own = |name: &str| ["", "model."].iter().any(|prefix| checkpoint.has(&format!("{prefix}{name}")));
    own("tensor_embedding.distance_proj1.weight") && own("final_layer.gated.layers.6.weight")
}

/// The network. Its elements are reordered: matgl numbers them by a list of its own, we by atomic number; and the unit of its energies,
/// which matgl keeps separately, goes into the last layer.
pub(super) fn convert(
    mut checkpoint: Checkpoint,
    _: &Claims,
    device: &Device,
) -> Result<Found<TensornetConfig, Tensornet>, String> {
    let arrays = std::mem::take(&mut checkpoint.arrays);
    checkpoint.arrays =
        arrays.into_iter().map(|(name, a)| (name.strip_prefix("model.").unwrap_or(&name).to_owned(), a)).collect();
    let companion = std::mem::take(&mut checkpoint.companion);
    let init = &companion["kwargs"]["model"]["init_args"];
    check(init, &checkpoint)?;
    let config = TensornetConfig {
        cutoff: init["cutoff"].as_f64().unwrap_or(TensornetConfig::published().cutoff),
        bessel: checkpoint.length("tensor_embedding.distance_proj1.weight", 1)?,
        units: checkpoint.length(EMBEDDING, 1)?,
        interactions: checkpoint.count("layers.", ".linears_tensor.0.weight"),
    };
    limits::check(&config)?;
    let order: Vec<String> = match &init["element_types"] {
        Value::Null => MATERIALS_PROJECT.iter().map(|&s| s.to_owned()).collect(),
        list => serde_json::from_value(list.clone()).map_err(|e| format!("model.json: element_types: {e}"))?,
    };
    let mut elements = Vec::new();
    for name in [EMBEDDING, REFERENCES] {
        elements = by_atomic_number(&mut checkpoint, name, &order, 1..ELEMENTS + 1)?;
    }
    let number = |name: &str, otherwise: f32| {
        checkpoint.arrays.get(name).and_then(|a| a.values.first()).copied().unwrap_or(otherwise)
    };
    let (mean, scale) = (number("data_mean", 0.0), number("data_std", 1.0));
    if mean != 0.0 {
        return Err(format!("its energies are shifted by {mean} eV a crystal; only 0 is read"));
    }
    for (_, array) in checkpoint.arrays.iter_mut().filter(|(name, _)| name.starts_with("final_layer.gated.layers.6.")) {
        array.values.iter_mut().for_each(|w| *w *= scale);
    }
    let version = companion["kwargs"]["model"]["@model_version"].as_u64();
    if version.is_some_and(|version| version < TAKER_FIRST)
        && let Some(pair) = checkpoint.arrays.get_mut(PAIR)
    {
        pair.values.chunks_exact_mut(2 * config.units).for_each(|row| row.rotate_left(config.units));
    }
    let mut net = Tensornet::new(&config, device);
    checkpoint.fill(&mut net, Layout::Torch, place)?;
    let functional = ["r2SCAN", "PBE"].into_iter().find(|f| checkpoint.title.contains(&format!("MatPES-{f}")));
    Ok(Found {
        elements,
        name: functional.map(|f| format!("tensornet-matpes-{}", f.to_lowercase())),
        property: Some("formation_energy_per_atom".into()),
        unit: Some("eV/atom".into()),
        correction_scheme: functional
            .map(|f| format!("{f} of MatPES, without Hubbard U and without corrections: not comparable with MP2020")),
        data: functional.map(|f| {
            format!(
                "TensorNet (Simeon & De Fabritiis, NeurIPS 2023) of matgl, trained on MatPES-{f} (Kaplan et al., \
                 arXiv:2503.04070): energies, forces and stresses of crystals at 300 K."
            )
        }),
        ..Found::new(net, config)
    })
}

/// Whether the settings are those of the form that is read.
fn check(init: &Value, checkpoint: &Checkpoint) -> Result<(), String> {
    for (key, read) in [
        ("rbf_type", "SphericalBessel"),
        ("use_smooth", "true"),
        ("activation_type", "swish"),
        ("equivariance_invariance_group", "O(3)"),
        ("is_intensive", "false"),
        ("include_state", "false"),
        ("ntargets", "1"),
    ] {
        let given = &init[key];
        if !given.is_null() && given.to_string().trim_matches('"') != read {
            return Err(format!("model.json: {key} is {given}; only {read} is read"));
        }
    }
    match checkpoint.has("bond_expansion.rbf.centers") {
        true => {
            Err("a TensorNet with Gaussians of bond lengths; only smooth spherical Bessel functions are read".into())
        }
        false => Ok(()),
    }
}

/// Where a tensor goes in [`Tensornet`]. torch numbers the activations among the layers: 0, 2, 4, 6 are our 0, 1, 2, 3.
fn place(name: &str) -> Option<String> {
    const RENAMED: [(&str, &str); 14] = [
        (REFERENCES, "references"),
        ("tensor_embedding.", "first."),
        ("init_norm.", "norm."),
        ("distance_proj1.", "length.0."),
        ("distance_proj2.", "length.1."),
        ("distance_proj3.", "length.2."),
        ("emb2.", "pair."),
        ("emb.", "elements."),
        ("linears_scalar.", "scalar."),
        ("linears_tensor.", "tensor."),
        ("out_norm.", "norm."),
        ("linear.", "out."),
        ("final_layer.gated.layers.", "value."),
        ("final_layer.gated.gates.", "gate."),
    ];
    // A basis without weights, and what has been taken into account.
    if ["bond_expansion.", "data_", "element_refs.onehot"].iter().any(|prefix| name.starts_with(prefix)) {
        return None;
    }
    let name = RENAMED.iter().fold(name.to_owned(), |name, (theirs, ours)| name.replace(theirs, ours));
    let Some((list, rest)) = name.split_once('.').filter(|(list, _)| ["value", "gate"].contains(list)) else {
        return Some(name);
    };
    let (layer, kind) = rest.split_once('.')?;
    Some(format!("{list}.{}.{kind}", layer.parse::<usize>().ok()? / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_find_their_places() {
        for (theirs, ours) in [
            ("tensor_embedding.distance_proj2.bias", "first.length.1.bias"),
            ("tensor_embedding.emb.weight", "first.elements.weight"),
            ("tensor_embedding.emb2.weight", "first.pair.weight"),
            ("tensor_embedding.init_norm.weight", "first.norm.weight"),
            ("tensor_embedding.linears_scalar.1.bias", "first.scalar.1.bias"),
            ("layers.1.linears_tensor.5.weight", "layers.1.tensor.5.weight"),
            ("out_norm.bias", "norm.bias"),
            ("linear.weight", "out.weight"),
            ("final_layer.gated.layers.6.weight", "value.3.weight"),
            ("final_layer.gated.gates.2.bias", "gate.1.bias"),
            ("element_refs.property_offset", "references"),
        ] {
            assert_eq!(place(theirs).as_deref(), Some(ours));
        }
        assert_eq!(place("bond_expansion.rbf.cutoff"), None);
        assert_eq!(place("data_std"), None);
    }

    #[test]
    fn other_forms_are_refused_by_name() {
        let init = serde_json::json!({ "rbf_type": "Gaussian", "cutoff": 5.0 });
        let message = check(&init, &Checkpoint::default()).unwrap_err();
        assert!(message.contains("rbf_type is \"Gaussian\"") && message.contains("SphericalBessel"), "{message}");
        assert_eq!(check(&Value::Null, &Checkpoint::default()), Ok(()));
    }
}
