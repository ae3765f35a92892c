//! From a checkpoint to a network and its card: the architecture follows from the names of the tensors, the card from the facts beside them
//! and from the user's claims; what is still missing is an error.

use std::path::Path;

use burn::prelude::*;
use sha2::{Digest, Sha256};

use super::checkpoint::{self, Checkpoint};
use super::found::{Claims, Found, elements_of};
use super::nqx;
use super::own::{self, fitted_parameters, weights_id};
use super::source::{self, Source};
use super::torch;
use crate::ModelError;
use crate::card::{ModelCard, Origin, SplitCard, TrainingCard};
use crate::network::{self, Config, Net};
use crystal::{Cause, explained, guard::guarded, hex};

/// A network that was read from a file, with its card.
#[derive(Debug)]
pub struct Imported {
    /// The network.
    pub net: Net,
    /// Its card.
    pub card: ModelCard,
    /// What the card leaves open.
    pub remarks: Vec<String>,
}

/// Reads the weights at `path`: a file of ours or of another program, a folder or an archive that holds one.
///
/// # Errors
/// [`ModelError::Io`], or [`ModelError::Weights`] with the reason: damaged, hostile, of no architecture of ours, or a card that is
/// incomplete.
pub fn import(path: &Path, claims: &Claims) -> Result<Imported, ModelError> {
    let shown = path.display().to_string();
    let unread = ModelError::weights(&shown);
    // Many libraries parse an untrusted file: where one panics, the file is refused.
    guarded(|| read(path, claims)).unwrap_or_else(|panic| Err(unread(format!("it cannot be read: {panic}"))))
}

fn read(path: &Path, claims: &Claims) -> Result<Imported, ModelError> {
    let source = source::find(path, claims.member.as_deref())?;
    let fault = ModelError::weights(&source.name);
    if source.name.ends_with(".safetensors.zst") {
        return ours(&source, claims);
    }
    let checkpoint = checkpoint_of(&source).map_err(&fault)?;
    let found = convert(checkpoint, claims, &Device::flex()).map_err(|e| fault(e.into()))?;
    described(found, &source, claims).map_err(|e| fault(e.into()))
}

/// A file of our own: its card stays, but for what is claimed.
fn ours(source: &Source, claims: &Claims) -> Result<Imported, ModelError> {
    let (net, mut card) = own::load(&source.bytes, &source.name, &Device::flex())?;
    let stated = |own: &mut String, claimed: &Option<String>| own.clone_from(claimed.as_ref().unwrap_or(&own.clone()));
    stated(&mut card.name, &claims.name);
    stated(&mut card.target, &claims.property);
    stated(&mut card.unit, &claims.unit);
    card.correction_scheme = claims.correction_scheme.clone().or(card.correction_scheme);
    Ok(Imported { net, card, remarks: Vec::new() })
}

fn checkpoint_of(source: &Source) -> Result<Checkpoint, Cause> {
    let bytes = &source.bytes;
    if bytes.starts_with(b"\x89HDF") {
        return Err("HDF5 is not read; convert it to safetensors with the lines in queries/models.md".into());
    }
    let mut checkpoint = match source.name.ends_with(".safetensors") {
        true => checkpoint::from_safetensors(bytes)?,
        false if nqx::looks_like(bytes) => nqx::read(bytes)?,
        false => torch::read(bytes)?,
    };
    checkpoint.title.clone_from(&source.title);
    if let Some(json) = &source.companion {
        checkpoint.companion =
            serde_json::from_slice(json).map_err(|e| explained(format!("the JSON beside it: {e}"), e))?;
    }
    Ok(checkpoint)
}

fn convert(checkpoint: Checkpoint, claims: &Claims, device: &Device) -> Result<Found<Config, Net>, String> {
    // A width that one tensor announces is that of all others: the network must not be larger than its file.
    let widest = checkpoint.arrays.values().flat_map(|a| a.shape.iter()).max().copied().unwrap_or(0);
    if widest > WIDEST {
        return Err(format!("a tensor with a dimension of {widest}; no network of this kind is that wide"));
    }
    network::convert(checkpoint, claims, device)
}

/// Largest dimension of a tensor: a layer of this width alone has 16 million values.
const WIDEST: usize = 4096;

/// What stands in a card for what the file does not say.
const NOT_STATED: &str = "not stated";

/// The card of a foreign network.
fn described(found: Found<Config, Net>, source: &Source, claims: &Claims) -> Result<Imported, String> {
    let title = source.title.to_lowercase();
    let energy = ["eform", "formation_energy", "formation-energy", "e_form"].iter().any(|word| title.contains(word));
    let by_title = |what: &str| energy.then(|| what.to_owned());
    let ask = |what: &str, option: &str| format!("the file does not say {what}; add {option}");
    let property = claims.property.clone().or(found.property).or_else(|| by_title("formation_energy_per_atom"));
    let property = property.ok_or_else(|| ask("what it predicts", "--property formation_energy_per_atom"))?;
    let unit = claims.unit.clone().or(found.unit).or_else(|| by_title("eV/atom"));
    let unit = unit.ok_or_else(|| ask("the unit of its prediction", "--units eV/atom"))?;
    let elements = match &claims.elements {
        Some(list) => elements_of(list)?,
        None if found.elements.is_empty() => {
            return Err(ask(
                "which elements it was trained on",
                "--elements Li,O,Ti or --elements mp (the 89 of the Materials Project)",
            ));
        }
        None => found.elements,
    };
    if !(found.mean.is_finite() && found.scale.is_finite() && found.scale != 0.0) {
        return Err(format!("its target has mean {} and scale {}", found.mean, found.scale));
    }
    let database = ["2018.6.1", "2019.4.1"].iter().find(|d| title.contains(&format!("mp-{d}")));
    let legacy = database.map(|d| format!("Materials Project database {d}, legacy GGA/GGA+U corrections"));
    let correction_scheme = claims.correction_scheme.clone().or(found.correction_scheme).or(legacy);
    let mut remarks = Vec::new();
    if correction_scheme.is_none() {
        remarks
            .push("the card names no correction scheme: its energies may not compare with those of a table".to_owned());
    }
    let name = match claims.name.as_ref().or(found.name.as_ref()) {
        Some(name) => name.clone(),
        None => title.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' }).collect(),
    };
    let card = ModelCard {
        architecture: found.config.architecture().into(),
        id: weights_id(&found.net, &found.config, found.mean, found.scale),
        target: property,
        unit,
        parameters: fitted_parameters(&found.net),
        mean: found.mean,
        scale: found.scale,
        data: found
            .data
            .or(database.map(|d| format!("Materials Project database {d}.")))
            .unwrap_or_else(|| NOT_STATED.into()),
        split: SplitCard { kind: NOT_STATED.into(), ..SplitCard::default() },
        training: TrainingCard { loss: NOT_STATED.into(), ..TrainingCard::default() },
        elements: elements.iter().map(|e| (e.symbol().to_owned(), 0)).collect(),
        metrics: std::collections::BTreeMap::new(),
        reliability: None,
        references: std::collections::BTreeMap::new(),
        correction_scheme,
        origin: Some(Origin {
            file: source.name.clone(),
            sha256: hex(&Sha256::digest(&source.bytes)),
            licence: claims.licence.clone(),
        }),
        config: found.config,
        name,
    };
    Ok(Imported { net: found.net, card, remarks })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::megnet::MegnetConfig;

    fn bare(title: &str) -> (Found<Config, Net>, Source) {
        let config = MegnetConfig::original();
        let net = crate::megnet::Megnet::new(&config, &Device::flex());
        let source = Source { name: format!("{title}.pt"), title: title.into(), bytes: vec![1], companion: None };
        (Found::new(Net::Megnet(net), Config::Megnet(config)), source)
    }

    #[test]
    fn what_nobody_says_is_asked_for_one_by_one() {
        let mut claims = Claims::default();
        let mut ask = |option: &str, set: &dyn Fn(&mut Claims)| {
            let (found, source) = bare("x");
            let message = described(found, &source, &claims).unwrap_err();
            assert!(message.contains(option), "{message}");
            set(&mut claims);
        };
        ask("--property", &|c| c.property = Some("formation_energy_per_atom".into()));
        ask("--units", &|c| c.unit = Some("eV/atom".into()));
        ask("--elements", &|c| c.elements = Some("Xx".into()));
        ask("'Xx' is not an element", &|c| c.elements = Some("Ti, O".into()));
        let (found, source) = bare("My Model");
        let imported = described(found, &source, &claims).unwrap();
        assert_eq!(imported.card.name, "my-model");
        assert_eq!(imported.card.elements.keys().collect::<Vec<_>>(), ["O", "Ti"]);
        assert!(imported.remarks[0].contains("correction scheme"));
        assert_eq!(imported.card.origin.unwrap().sha256[..8], *"4bf5122f");
    }

    #[test]
    fn a_title_may_say_what_it_predicts() {
        let (found, source) = bare("MEGNet-MP-2018.6.1-Eform");
        let claims = Claims { elements: Some("mp".into()), ..Claims::default() };
        let card = described(found, &source, &claims).unwrap().card;
        assert_eq!((card.target.as_str(), card.unit.as_str()), ("formation_energy_per_atom", "eV/atom"));
        assert!(card.correction_scheme.unwrap().contains("2018.6.1") && card.elements.len() == 89);
    }

    #[test]
    fn strange_tensors_are_of_no_architecture() {
        let mut strange = Checkpoint::default();
        strange.arrays.insert("blocks.attn".into(), checkpoint::Array { shape: vec![1], values: vec![0.0] });
        let message = convert(strange.clone(), &Claims::default(), &Device::flex()).err().unwrap();
        assert!(message.contains("blocks.attn") && message.contains("MEGNet"), "{message}");
        strange.arrays.get_mut("blocks.attn").unwrap().shape = vec![1 << 20];
        assert!(convert(strange, &Claims::default(), &Device::flex()).err().unwrap().contains("1048576"));
    }
}
