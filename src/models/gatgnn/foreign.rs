//! GATGNN's checkpoints: a bare dictionary of weights with GI-M1, the attention by composition.

use burn::prelude::*;

use super::{Gatgnn, GatgnnConfig};
use crate::deeper_gatgnn::foreign::{attention, flatten_attention};
use crate::weights::checkpoint::{Checkpoint, Layout};
use crate::weights::found::{Claims, Found, basis_of_fifths};
use crate::weights::limits;

/// Whether the names are GATGNN's.
pub(super) fn recognises(checkpoint: &Checkpoint) -> bool {
    checkpoint.has("node_att.0.W") && checkpoint.has("comp_atten.node_layer1.weight")
}

/// The network, on the published graph.
pub(super) fn convert(
    mut checkpoint: Checkpoint,
    _: &Claims,
    device: &Device,
) -> Result<Found<GatgnnConfig, Gatgnn>, String> {
    let config = GatgnnConfig {
        bonds: basis_of_fifths(checkpoint.length("embed_e.weight", 1)?)?,
        layers: checkpoint.count("node_att.", ".W"),
        hidden: checkpoint.length("embed_n.weight", 0)?,
        weigher: checkpoint.length("comp_atten.node_layer1.weight", 0)?,
        ..GatgnnConfig::published()
    };
    if !checkpoint.has("linear1.weight") {
        return Err("a network without the two layers after the sum is not read".into());
    }
    flatten_attention(&mut checkpoint);
    limits::check(&config)?;
    let mut net = Gatgnn::new(&config, device);
    checkpoint.fill(&mut net, Layout::Torch, place)?;
    Ok(Found::new(net, config))
}

fn place(name: &str) -> Option<String> {
    // Of the other ways to weigh atoms, which this network does not take.
    let idle = ["cluster_att.", "embed_comp."].iter().any(|p| name.starts_with(p)) || name.ends_with("prelu.weight");
    if idle || name.ends_with("num_batches_tracked") {
        return None;
    }
    let numbered = |prefix: &str| name.strip_prefix(prefix)?.split_once('.');
    if let Some((k, part)) = numbered("node_att.") {
        return Some(format!("layers.{k}.{}", attention(part)));
    }
    if let Some((k, part)) = numbered("batch_norm.") {
        return Some(format!("layers.{k}.norm.{part}"));
    }
    let names = [
        ("embed_n.", "atom."),
        ("embed_e.", "bond."),
        ("comp_atten.node_layer1.", "weigh."),
        ("comp_atten.atten_layer.", "weight."),
        ("linear1.", "first."),
        ("linear2.", "second."),
    ];
    let renamed = names.iter().find_map(|(theirs, ours)| Some(format!("{ours}{}", name.strip_prefix(theirs)?)));
    Some(renamed.unwrap_or_else(|| name.to_owned()))
}
