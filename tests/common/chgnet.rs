//! A small CHGNet with random weights: an energy model that computes in a moment.

use burn::prelude::Device;
use hollandite::models::chgnet::ChgnetConfig;
use hollandite::models::network::{Config, Net};
use hollandite::models::weights::{fitted_parameters, weights_id};
use hollandite::models::{Model, ModelCard};

/// The network and its card, which says that it was trained on `elements` and has an elemental reference energy, -1.5 eV/atom, of
/// those of `referenced`.
pub fn small(elements: &[&str], referenced: &[&str]) -> (Net, ModelCard) {
    let config = Config::Chgnet(ChgnetConfig { radial: 7, angular: 7, convolutions: 2, ..ChgnetConfig::published() });
    let net = Net::new(&config, &Device::flex());
    let card = ModelCard {
        name: "chgnet".into(),
        architecture: config.architecture().into(),
        id: weights_id(&net, &config, 0.0, 1.0),
        parameters: fitted_parameters(&net),
        mean: 0.0,
        scale: 1.0,
        elements: elements.iter().map(|s| ((*s).to_owned(), 0)).collect(),
        references: referenced.iter().map(|s| ((*s).to_owned(), -1.5)).collect(),
        config,
        ..Model::load("cgcnn").unwrap().card().clone()
    };
    (net, card)
}
