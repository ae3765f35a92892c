//! DeeperGATGNN's checkpoints, as MatDeepLearn saves them.

use burn::prelude::*;

use super::{DeeperGatgnn, DeeperGatgnnConfig};
use crate::weights::checkpoint::{Checkpoint, Layout};
use crate::weights::found::{Claims, Found};
use crate::weights::limits;

/// Whether the names are those of MatDeepLearn's `DEEP_GATGNN`.
pub(super) fn recognises(checkpoint: &Checkpoint) -> bool {
    checkpoint.has("conv_list.0.W") && checkpoint.has("global_att_LAYER.global_mlp.0.weight")
}

/// The network, on the published graph. The longest bond of the training set, Å, by which lengths were divided, is not in the
/// file.
pub(super) fn convert(
    mut checkpoint: Checkpoint,
    claims: &Claims,
    device: &Device,
) -> Result<Found<DeeperGatgnnConfig, DeeperGatgnn>, String> {
    let longest = claims.longest_bond.ok_or(
        "the file does not say by which length (Å) bonds were divided, the longest of the training set; add \
         --longest-bond, 8 for a large set with the published radius",
    )?;
    let config = DeeperGatgnnConfig {
        layers: checkpoint.count("conv_list.", ".W"),
        hidden: checkpoint.length("pre_lin_list_N.0.weight", 0)?,
        ..DeeperGatgnnConfig::published(longest)
    };
    flatten_attention(&mut checkpoint);
    limits::check(&config)?;
    let mut net = DeeperGatgnn::new(&config, device);
    checkpoint.fill(&mut net, Layout::Torch, place)?;
    Ok(Found::new(net, config))
}

/// The vectors of attention have a leading dimension of 1 in torch.
pub(crate) fn flatten_attention(checkpoint: &mut Checkpoint) {
    for (name, array) in &mut checkpoint.arrays {
        if name.ends_with(".att") && array.shape.len() == 3 && array.shape[0] == 1 {
            array.shape.remove(0);
        }
    }
}

/// Parts of an augmented attention, theirs and ours.
pub(crate) fn attention(part: &str) -> String {
    let part = if part == "W" { "weight" } else { part };
    format!("attention.{}", part.replace("bn1.", "norm."))
}

fn place(name: &str) -> Option<String> {
    if name.ends_with("num_batches_tracked") {
        return None;
    }
    let numbered = |prefix: &str| name.strip_prefix(prefix)?.split_once('.');
    let group_norm = |part: &str| part.replacen("lin.", "cluster.", 1);
    if let Some((k, part)) = numbered("conv_list.") {
        return Some(format!("layers.{k}.{}", attention(part)));
    }
    if let Some((k, part)) = numbered("bn_list.") {
        return Some(format!("layers.{k}.norm.{}", group_norm(part)));
    }
    if let Some((k, part)) = numbered("global_att_LAYER.bn_list.") {
        return Some(format!("weigh.idle.{k}.{}", group_norm(part)));
    }
    let names = [
        ("pre_lin_list_N.0.", "atom."),
        ("pre_lin_list_E.0.", "bond."),
        ("global_att_LAYER.global_mlp.", "weigh.layers."),
        ("lin_out.", "out."),
    ];
    let renamed = names.iter().find_map(|(theirs, ours)| Some(format!("{ours}{}", name.strip_prefix(theirs)?)));
    Some(renamed.unwrap_or_else(|| name.to_owned()))
}
