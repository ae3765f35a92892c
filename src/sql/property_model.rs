//! What is asked for a number of a crystal: a model, an ensemble of them, or what a test brings.

use std::sync::Arc;

use crystal::{ContentHash, Structure};
use models::conformal::Calibration;
use models::ensemble::Ensemble;
use models::reliability::Part;
use models::{Model, ModelError, Quantity};

/// A model that predicts a number for a crystal: an energy per atom, unless it says otherwise. [`Model`] is one; tests bring
/// their own.
pub trait PropertyModel: Send + Sync {
    /// Names the weights: predictions are remembered under it.
    fn id(&self) -> &str;
    /// Name in queries.
    fn name(&self) -> &str {
        self.id()
    }
    /// How a plan shows the model.
    fn label(&self) -> String {
        self.id().to_string()
    }
    /// What it predicts.
    fn quantity(&self) -> Quantity<'_> {
        Quantity::FORMATION_ENERGY
    }
    /// Values in the unit of its quantity, in order, or why there is none: an element that it has not seen, say.
    fn predict(&self, structures: &[Structure]) -> Vec<Result<f64, ModelError>>;
    /// The models whose mean it is, with their weights; none where it answers itself.
    fn members(&self) -> Vec<(Arc<dyn PropertyModel>, f64)> {
        vec![]
    }
    /// Why a crystal is of a kind that the model never saw; `None` where it is not.
    fn outside(&self, _structure: &Structure) -> Option<String> {
        None
    }
    /// Its residuals on crystals that it was not fitted to.
    fn calibration(&self) -> Option<&Calibration> {
        None
    }
    /// The part of its training that a crystal belongs to; `None` where that is not known. `split`: what its table says.
    fn part(&self, _hash: ContentHash, _split: Option<&str>) -> Option<Part> {
        None
    }
    /// Mean label of its training set.
    fn training_mean(&self) -> Option<f64> {
        None
    }
}

impl PropertyModel for Model {
    fn id(&self) -> &str {
        Model::id(self)
    }

    fn name(&self) -> &str {
        Model::name(self)
    }

    fn label(&self) -> String {
        format!("{}@{:.8}", self.name(), Model::id(self))
    }

    fn quantity(&self) -> Quantity<'_> {
        Model::quantity(self)
    }

    fn predict(&self, structures: &[Structure]) -> Vec<Result<f64, ModelError>> {
        Model::predict(self, structures)
    }

    fn outside(&self, structure: &Structure) -> Option<String> {
        self.card().reliability.as_ref()?.domain?.outside(structure)
    }

    fn calibration(&self) -> Option<&Calibration> {
        self.card().reliability.as_ref()?.calibration.as_ref()
    }

    fn part(&self, hash: ContentHash, split: Option<&str>) -> Option<Part> {
        Model::part(self, hash, split)
    }

    fn training_mean(&self) -> Option<f64> {
        Model::training_mean(self)
    }
}

impl PropertyModel for Ensemble {
    fn id(&self) -> &str {
        &self.card().id
    }

    fn name(&self) -> &str {
        &self.card().name
    }

    fn label(&self) -> String {
        format!("{}@{:.8}, {} members", self.name(), self.card().id, self.members().len())
    }

    fn quantity(&self) -> Quantity<'_> {
        Ensemble::quantity(self)
    }

    fn predict(&self, structures: &[Structure]) -> Vec<Result<f64, ModelError>> {
        Ensemble::predict(self, structures).into_iter().map(|answer| answer.map(|(mean, _)| mean)).collect()
    }

    fn members(&self) -> Vec<(Arc<dyn PropertyModel>, f64)> {
        let member = |(model, weight): &(Arc<Model>, f64)| (Arc::clone(model) as Arc<dyn PropertyModel>, *weight);
        Ensemble::members(self).iter().map(member).collect()
    }

    fn outside(&self, structure: &Structure) -> Option<String> {
        Ensemble::members(self).iter().find_map(|(member, _)| PropertyModel::outside(member.as_ref(), structure))
    }

    fn calibration(&self) -> Option<&Calibration> {
        self.card().calibration.as_ref()
    }

    fn part(&self, hash: ContentHash, split: Option<&str>) -> Option<Part> {
        Ensemble::part(self, hash, split)
    }

    fn training_mean(&self) -> Option<f64> {
        Ensemble::training_mean(self)
    }
}
