//! CGCNN's checkpoints (`*.pth.tar`), which carry their settings and the normaliser of the target.

use burn::prelude::*;
use serde_json::Value;

use super::{Cgcnn, CgcnnConfig};
use crate::graph::Neighborhood;
use crate::weights::checkpoint::{Checkpoint, Layout};
use crate::weights::found::{Claims, Found, basis_of_fifths, elements_of};
use crate::weights::limits;

/// Whether the names are CGCNN's.
pub(super) fn recognises(checkpoint: &Checkpoint) -> bool {
    checkpoint.has("convs.0.fc_full.weight") && checkpoint.has("conv_to_fc.weight")
}

/// The network, on the published graph.
pub(super) fn convert(
    checkpoint: Checkpoint,
    _: &Claims,
    device: &Device,
) -> Result<Found<CgcnnConfig, Cgcnn>, String> {
    let atom = checkpoint.length("embedding.weight", 0)?;
    let [joined, crystal] =
        [("convs.0.fc_full.weight", 1), ("conv_to_fc.weight", 0)].map(|(n, d)| checkpoint.length(n, d));
    let count = joined?.checked_sub(2 * atom).ok_or("convs.0.fc_full.weight is too narrow for two atoms and a bond")?;
    let config = CgcnnConfig {
        edges: Neighborhood::Exactly { count: 12, cutoff: 8.0 },
        bonds: basis_of_fifths(count)?,
        convolutions: checkpoint.count("convs.", ".fc_full.weight"),
        atom,
        crystal: crystal?,
    };
    limits::check(&config)?;
    let mut net = Cgcnn::new(&config, device);
    checkpoint
        .fill(&mut net, Layout::Torch, |name| (!name.ends_with("num_batches_tracked")).then(|| name.to_owned()))?;
    let facts = &checkpoint.facts;
    let number = |at: &str, otherwise: f64| facts.pointer(at).and_then(Value::as_f64).unwrap_or(otherwise);
    if facts.pointer("/args/task").and_then(Value::as_str) == Some("classification") {
        return Err("it classifies; only regressions are read".into());
    }
    // The published files name their training set: .../matproj/20170419_high_accu.json, regression, PROPERTY.
    let options = |k: usize| facts.pointer(&format!("/args/data_options/{k}")).and_then(Value::as_str);
    let property = options(2).map(str::to_owned);
    let of_materials_project = options(0).is_some_and(|path| path.contains("matproj"));
    let data = of_materials_project.then(|| {
        let size = facts.pointer("/args/train_size").and_then(Value::as_u64).unwrap_or(0);
        let error = number("/best_mae_error", f64::NAN);
        format!("Materials Project of April 2017, {size} crystals; stated validation MAE {error:.4}.")
    });
    Ok(Found {
        mean: number("/normalizer/mean", 0.0),
        scale: number("/normalizer/std", 1.0),
        unit: property.as_deref().filter(|p| p.ends_with("energy_per_atom")).map(|_| "eV/atom".to_owned()),
        property,
        correction_scheme: of_materials_project
            .then(|| "Materials Project database 2017.4.19, legacy GGA/GGA+U corrections".to_owned()),
        data,
        elements: if of_materials_project { elements_of("mp")? } else { Vec::new() },
        ..Found::new(net, config)
    })
}
