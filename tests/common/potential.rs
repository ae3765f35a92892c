//! Small energy models with random weights, which compute in a moment.

use burn::prelude::Device;
use hollandite::models::chgnet::ChgnetConfig;
use hollandite::models::network::{Config, Net};
use hollandite::models::weights::{fitted_parameters, weights_id};
use hollandite::models::{Model, ModelCard};

/// A CHGNet, as [`of`] has it.
pub fn chgnet(elements: &[&str], referenced: &[&str]) -> (Net, ModelCard) {
    let published = ChgnetConfig::published();
    of(Config::Chgnet(ChgnetConfig { radial: 7, angular: 7, convolutions: 2, ..published }), elements, referenced)
}

/// A network, called like its architecture, and its card, which says that it was trained on `elements` and has an elemental
/// reference energy, -1.5 eV/atom, of those of `referenced`.
pub fn of(config: Config, elements: &[&str], referenced: &[&str]) -> (Net, ModelCard) {
    let net = Net::new(&config, 1, &Device::flex());
    let card = ModelCard {
        name: config.architecture().into(),
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
