//! ALIGNN's checkpoints (`best_model.pt` beside `config.json`), both kinds.

use burn::prelude::*;
use serde_json::Value;

use super::{Alignn, AlignnConfig, Normalisation};
use crate::batch::GaussianBasis;
use crate::graph::Neighborhood;
use crate::weights::checkpoint::{Checkpoint, Layout};
use crate::weights::found::{Claims, Found, elements_of};
use crate::weights::limits;

/// Whether the names are ALIGNN's.
pub(super) fn recognises(checkpoint: &Checkpoint) -> bool {
    checkpoint.has("atom_embedding.layer.0.weight") && checkpoint.has("angle_embedding.1.layer.0.weight")
}

/// The network; `config.json` beside it says graph and target.
pub(super) fn convert(
    checkpoint: Checkpoint,
    _: &Claims,
    device: &Device,
) -> Result<Found<AlignnConfig, Alignn>, String> {
    let settings = &checkpoint.companion;
    let text = |key: &str| settings[key].as_str();
    if let Some(features) = text("atom_features").filter(|f| *f != "cgcnn") {
        return Err(format!("config.json: atom_features are '{features}'; only cgcnn is read"));
    }
    let link = settings["model"]["link"].as_str().unwrap_or("identity");
    if link != "identity" || settings["model"]["classification"] == Value::Bool(true) {
        return Err("config.json: only regressions with the identity as link are read".into());
    }
    let cutoff = settings["cutoff"].as_f64().unwrap_or(8.0);
    let count = settings["max_neighbors"].as_u64().unwrap_or(12) as usize;
    let edges = match text("neighbor_strategy").unwrap_or("k-nearest") {
        "k-nearest" => Neighborhood::Nearest { count, cutoff },
        "radius_graph" => Neighborhood::Within { cutoff },
        other => return Err(format!("config.json: neighbor_strategy '{other}' is not known")),
    };
    // The basis is fixed: its exponent is 1 / spacing.
    let basis = |first: f32, last: f32, count: usize| match count {
        0 | 1 => Err("a basis of one function".to_owned()),
        _ => Ok(GaussianBasis { first, last, count, gamma: (count - 1) as f32 / (last - first) }),
    };
    let config = AlignnConfig {
        edges,
        bonds: basis(0.0, 8.0, checkpoint.length("edge_embedding.1.layer.0.weight", 1)?)?,
        angles: basis(-1.0, 1.0, checkpoint.length("angle_embedding.1.layer.0.weight", 1)?)?,
        alignn_layers: checkpoint.count("alignn_layers.", ".node_update.src_gate.weight"),
        gcn_layers: checkpoint.count("gcn_layers.", ".src_gate.weight"),
        embedding: checkpoint.length("edge_embedding.1.layer.0.weight", 0)?,
        hidden: checkpoint.length("atom_embedding.layer.0.weight", 0)?,
        normalisation: match checkpoint.has("atom_embedding.layer.1.running_mean") {
            true => Normalisation::Batch,
            false => Normalisation::Layer,
        },
    };
    limits::check(&config)?;
    let mut net = Alignn::new(&config, device);
    checkpoint.fill(&mut net, Layout::Torch, place)?;
    let property = text("target").filter(|t| *t != "target").map(|target| match target {
        "formation_energy_peratom" | "formation_energy_per_atom" => "formation_energy_per_atom".to_owned(),
        other => other.to_owned(),
    });
    let dataset = text("dataset");
    let of_jarvis = dataset.is_some_and(|d| d.starts_with("dft_"));
    Ok(Found {
        unit: property.as_deref().filter(|p| p.ends_with("energy_per_atom")).map(|_| "eV/atom".to_owned()),
        property,
        correction_scheme: of_jarvis.then(|| "JARVIS-DFT, OptB88vdW, no corrections".to_owned()),
        data: dataset.map(str::to_owned),
        elements: if of_jarvis { elements_of("mp")? } else { Vec::new() },
        ..Found::new(net, config)
    })
}

/// The expansion in Gaussians is the first of torch's embedding layers; the newer class keeps the table of atoms too.
fn place(name: &str) -> Option<String> {
    if name.ends_with("num_batches_tracked") || name.contains("_embedding.0.") || name == "_species_table" {
        return None;
    }
    let name = ["edge", "angle"].iter().fold(name.to_owned(), |name, of| {
        name.replace(&format!("{of}_embedding.1."), &format!("{of}_embedding.0."))
            .replace(&format!("{of}_embedding.2."), &format!("{of}_embedding.1."))
    });
    Some(name.replace("layer.0.", "linear.").replace("layer.1.", "norm."))
}
