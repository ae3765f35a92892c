//! Our own files: one safetensors file compressed with zstd, the model card in its metadata.

use std::path::Path;

use burn::prelude::*;
use burn_store::{ModuleSnapshot, SafetensorsStore};
use sha2::{Digest, Sha256};

use super::archive::bounded;
use crate::ModelError;
use crate::{
    card::ModelCard,
    network::{Config, Net},
};
use crystal::{explained, hex};

const CARD_KEY: &str = "hollandite_card";
const COMPRESSION_LEVEL: i32 = 19;

/// Writes `net` and its card to `path` (`*.safetensors.zst`), atomically.
///
/// # Errors
/// [`ModelError::Io`] or [`ModelError::Weights`].
pub fn save(path: &Path, net: &Net, card: &ModelCard) -> Result<(), ModelError> {
    let io = ModelError::io(path);
    let shown = path.display().to_string();
    let json = serde_json::to_string(card).map_err(ModelError::weights(&shown))?;
    let mut store = SafetensorsStore::from_bytes(None).metadata(CARD_KEY, json).skip_enum_variants(true);
    net.save_into(&mut store).map_err(ModelError::weights(&shown))?;
    let bytes = store.get_bytes().map_err(ModelError::weights(&shown))?;
    let compressed = zstd::encode_all(&bytes[..], COMPRESSION_LEVEL).map_err(&io)?;
    let unfinished = path.with_extension("unfinished");
    std::fs::write(&unfinished, compressed).map_err(&io)?;
    std::fs::rename(&unfinished, path).map_err(io)
}

/// Reads what [`save`] wrote; `source_name` is for messages.
///
/// # Errors
/// [`ModelError::Weights`] naming what does not fit.
pub fn load(bytes: &[u8], source_name: &str, device: &Device) -> Result<(Net, ModelCard), ModelError> {
    let fault = ModelError::weights(source_name);
    let decoder = zstd::Decoder::new(bytes).map_err(|e| fault(explained(format!("not a zstd file: {e}"), e)))?;
    let plain = bounded(decoder, "a zstd file").map_err(ModelError::weights(source_name))?;
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&plain).map_err(ModelError::weights(source_name))?;
    let json = metadata
        .metadata()
        .as_ref()
        .and_then(|m| m.get(CARD_KEY))
        .ok_or_else(|| fault("the file has no model card; was it written by `hollandite train`?".into()))?;
    let card: ModelCard = serde_json::from_str(json).map_err(|e| fault(explained(format!("model card: {e}"), e)))?;
    card.config.check().map_err(ModelError::weights(source_name))?;
    let store = SafetensorsStore::from_bytes(Some(plain)).skip_enum_variants(true);
    let mut net = Net::to_be_read(&card.config, device);
    fill(&mut net, store, source_name)?;
    Ok((net, card))
}

/// Every tensor of `net` from `store`; `source_name` is for messages.
fn fill(net: &mut impl ModuleSnapshot, mut store: SafetensorsStore, source_name: &str) -> Result<(), ModelError> {
    let result = net.load_from(&mut store).map_err(ModelError::weights(source_name))?;
    if !result.missing.is_empty() || !result.errors.is_empty() {
        return Err(ModelError::weights(source_name)(format!(
            "missing {:?}, faulty {:?}",
            result.missing, result.errors
        )));
    }
    Ok(())
}

/// Number of values that training fits; the running means and variances of normalisations are not among them.
pub fn fitted_parameters(net: &impl ModuleSnapshot) -> usize {
    let tensors = net.collect(None, None, true);
    let fitted = tensors.iter().filter(|tensor| !tensor.name.contains("running_"));
    fitted.map(|tensor| tensor.shape.iter().product::<usize>()).sum()
}

/// The id of a set of weights: the first 16 hex digits of a SHA-256 over the configuration, the scaling and every value.
pub fn weights_id(net: &Net, config: &Config, mean: f64, scale: f64) -> String {
    let mut hasher = Sha256::new();
    hasher.update(serde_json::to_vec(config).unwrap_or_default());
    hasher.update(mean.to_le_bytes());
    hasher.update(scale.to_le_bytes());
    for tensor in net.collect(None, None, true) {
        hasher.update(&tensor.name);
        if let Ok(bytes) = tensor.to_bytes() {
            hasher.update(&*bytes);
        }
    }
    hex(&hasher.finalize()[..8])
}
