//! CHGNet's checkpoints (`chgnet_*.pth.tar`), as they lie in its wheel.

use burn::prelude::*;
use serde_json::Value;

use super::{Chgnet, ChgnetConfig, WIDTH};
use crate::weights::checkpoint::{Checkpoint, Layout};
use crate::weights::found::{Claims, Found, elements_of};
use crate::weights::limits;

/// Whether the names are CHGNet's.
pub(super) fn recognises(checkpoint: &Checkpoint) -> bool {
    checkpoint.has("atom_conv_layers.0.twoBody_atom.mlp_core.layers.0.weight") && checkpoint.has("site_wise.weight")
}

/// The network, of the form of CHGNet 0.3.0.
pub(super) fn convert(
    checkpoint: Checkpoint,
    _: &Claims,
    device: &Device,
) -> Result<Found<ChgnetConfig, Chgnet>, String> {
    if !checkpoint.has("readout_norm.weight") || !checkpoint.has("atom_conv_layers.0.twoBody_atom.bn1.weight") {
        return Err("a CHGNet without normalisations, as 0.2.0 is; 0.3.0 and later ones are read".into());
    }
    let width = checkpoint.length("atom_embedding.embedding.weight", 1)?;
    if width != WIDTH {
        return Err(format!("a CHGNet of width {width}; those of width {WIDTH} are read"));
    }
    let facts = &checkpoint.facts;
    let argument = |name: &str| {
        let places = [format!("/model/model_args/{name}"), format!("/model_args/{name}")];
        places.iter().find_map(|place| facts.pointer(place)).cloned().unwrap_or(Value::Null)
    };
    let usual = ChgnetConfig::published();
    let number = |name: &str, otherwise: f64| argument(name).as_f64().unwrap_or(otherwise);
    let config = ChgnetConfig {
        atom_graph_cutoff: number("atom_graph_cutoff", usual.atom_graph_cutoff),
        bond_graph_cutoff: number("bond_graph_cutoff", usual.bond_graph_cutoff),
        cutoff_exponent: number("cutoff_coeff", f64::from(usual.cutoff_exponent)) as i32,
        radial: checkpoint.length("bond_embedding.weight", 1)?,
        angular: checkpoint.length("angle_embedding.weight", 1)?,
        convolutions: checkpoint.count("atom_conv_layers.", ".mlp_out.layers.1.weight"),
    };
    limits::check(&config)?;
    let mut net = Chgnet::new(&config, device);
    checkpoint.fill(&mut net, Layout::Torch, |name| Some(place(name)))?;
    let version = argument("version").as_str().map(str::to_owned);
    let functional = match &version {
        Some(version) if version.contains("r2scan") => "r2SCAN, MP-r2SCAN data set",
        _ => "PBE and PBE+U with the MP2020 corrections of the Materials Project",
    };
    Ok(Found {
        elements: elements_of("mp")?,
        name: Some(if functional.starts_with("r2SCAN") { "chgnet-r2scan" } else { "chgnet" }.into()),
        property: Some("formation_energy_per_atom".into()),
        unit: Some("eV/atom".into()),
        correction_scheme: Some(functional.into()),
        data: Some(format!(
            "CHGNet {} (Deng et al., Nat. Mach. Intell. 2023, 5, 1031): energies, forces, stresses and magnetic moments of \
             relaxations of the Materials Project.",
            version.as_deref().unwrap_or("of unknown version")
        )),
        ..Found::new(net, config)
    })
}

/// Where a tensor of that name goes in [`Chgnet`].
fn place(name: &str) -> String {
    // Dropout and activations count among the layers of the file.
    const RENAMED: [(&str, &str); 16] = [
        ("composition_model.fc.", "elements."),
        ("atom_embedding.embedding.", "atom_embedding."),
        ("bond_basis_expansion.rbf_expansion_ag.frequencies", "atom_frequencies"),
        ("bond_basis_expansion.rbf_expansion_bg.frequencies", "bond_frequencies"),
        ("angle_basis_expansion.fourier_expansion.frequencies", "angle_frequencies"),
        ("atom_conv_layers.", "atom_convs."),
        ("bond_conv_layers.", "bond_convs."),
        (".mlp_out.layers.1.", ".out."),
        (".twoBody_atom.", ".message."),
        (".bn1.", ".core_norm."),
        (".bn2.", ".gate_norm."),
        (".mlp_core.layers.", ".core."),
        (".mlp_gate.layers.", ".gate."),
        ("mlp.layers.2.", "mlp.1."),
        ("mlp.layers.4.", "mlp.2."),
        ("mlp.layers.7.", "mlp.3."),
    ];
    let mut name = name.to_owned();
    if name.starts_with("angle_layers.") {
        // A single layer, after its dropout, and no convolution around it.
        name = name.replace(".twoBody_bond.", ".").replace(".layers.1.", ".layers.0.");
    }
    name = name.replace(".twoBody_bond.", ".message.");
    for (theirs, ours) in RENAMED {
        name = name.replace(theirs, ours);
    }
    name.replace("mlp.layers.0.", "mlp.0.").replace(".core.3.", ".core.1.").replace(".gate.3.", ".gate.1.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_find_their_places() {
        for (theirs, ours) in [
            ("bond_conv_layers.2.twoBody_bond.mlp_core.layers.3.weight", "bond_convs.2.message.core.1.weight"),
            ("atom_conv_layers.0.twoBody_atom.bn2.bias", "atom_convs.0.message.gate_norm.bias"),
            ("angle_layers.1.twoBody_bond.mlp_gate.layers.1.bias", "angle_layers.1.gate.0.bias"),
            ("angle_layers.0.twoBody_bond.bn1.weight", "angle_layers.0.core_norm.weight"),
            ("atom_conv_layers.3.mlp_out.layers.1.weight", "atom_convs.3.out.weight"),
            ("mlp.layers.7.bias", "mlp.3.bias"),
            ("composition_model.fc.weight", "elements.weight"),
        ] {
            assert_eq!(place(theirs), ours);
        }
    }
}
