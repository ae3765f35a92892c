//! A trained model, ready for predictions.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use burn::prelude::*;
use rayon::prelude::*;

use super::{
    bond_graph::BondGraph,
    card::ModelCard,
    fused::{Fused, Surface},
    network::{Input, Net},
    potential::{Potential, SinglePoint},
    quantity::Quantity,
    weights,
};
use crate::ModelError;
use crystal::stop::Stop;
use crystal::{Element, Structure};

static FORWARD_PASSES: AtomicU64 = AtomicU64::new(0);

/// Weights and their card.
#[derive(Debug)]
pub struct Model {
    net: Net,
    card: ModelCard,
    /// The network as inference runs it; `None` where burn does.
    fused: Option<Fused>,
}

impl Model {
    pub(super) fn from_bytes(bytes: &[u8], source_name: &str) -> Result<Arc<Self>, ModelError> {
        let (net, card) = weights::load(bytes, source_name, &Device::flex())?;
        Ok(Self::new(net, card))
    }

    /// Of a network and its card.
    pub fn new(net: Net, card: ModelCard) -> Arc<Self> {
        let fused = net.fused(&card.config);
        Arc::new(Self { net, card, fused })
    }

    /// The same weights under that name.
    pub(super) fn called(self: Arc<Self>, name: &str) -> Arc<Self> {
        if self.card.name == name {
            return self;
        }
        Self::new(self.net.clone(), ModelCard { name: name.to_owned(), ..self.card.clone() })
    }

    /// Identity of the weights: predictions are remembered under it.
    pub fn id(&self) -> &str {
        &self.card.id
    }

    /// Name in queries.
    pub fn name(&self) -> &str {
        &self.card.name
    }

    /// What it was trained on and how well it does.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// What it predicts.
    pub fn quantity(&self) -> Quantity<'_> {
        self.card.quantity()
    }

    /// Mean label of its training set; `None` where its labels are scaled as those of the fit that it began with.
    pub fn training_mean(&self) -> Option<f64> {
        self.card.training.start.is_none().then_some(self.card.mean)
    }

    /// Whether every element of the crystal was seen in training, and has a reference energy where one is needed.
    ///
    /// # Errors
    /// [`ModelError::Coverage`] naming the first element that was not, [`ModelError::NoReference`] the first that has none.
    pub fn covers(&self, structure: &Structure) -> Result<(), ModelError> {
        self.has_seen(structure)?;
        let lacks = |e: &&Element| !self.card.references.contains_key(e.symbol());
        match structure.species().iter().find(lacks) {
            Some(element) if self.answers_with_totals() => {
                Err(ModelError::NoReference { element: element.symbol(), model: self.card.name.clone() })
            }
            _ => Ok(()),
        }
    }

    /// Whether the network's own number is a total energy.
    fn answers_with_totals(&self) -> bool {
        self.surface().is_some()
    }

    fn has_seen(&self, structure: &Structure) -> Result<(), ModelError> {
        let unseen = |e: &&Element| !self.card.elements.contains_key(e.symbol());
        match structure.species().iter().find(unseen) {
            Some(element) => Err(ModelError::Coverage { element: element.symbol(), model: self.card.name.clone() }),
            None => Ok(()),
        }
    }

    /// Predictions in the unit of its quantity, one per structure, from one forward pass over all of them.
    ///
    /// # Errors
    /// Per structure: an element outside the coverage, or no bond within the cutoff.
    pub fn predict(&self, structures: &[Structure]) -> Vec<Result<f64, ModelError>> {
        let inputs: Vec<Result<Input, ModelError>> = structures.par_iter().map(|s| self.input(s)).collect();
        let good: Vec<&Input> = inputs.iter().filter_map(|input| input.as_ref().ok()).collect();
        let mut values = self.forward(&good).into_iter();
        inputs.into_iter().map(|input| input.map(|_| values.next().unwrap_or(f64::NAN))).collect()
    }

    /// The weights, where training begins with them.
    pub(super) fn net(&self) -> &Net {
        &self.net
    }

    /// What the network reads of a crystal.
    ///
    /// # Errors
    /// An element outside the coverage, no bond within the cutoff, or a descriptor that is not defined.
    pub fn input(&self, structure: &Structure) -> Result<Input, ModelError> {
        self.covers(structure)?;
        self.card.config.input(structure)
    }

    /// One forward pass: a value per input.
    pub fn forward(&self, inputs: &[&Input]) -> Vec<f64> {
        if inputs.is_empty() {
            return Vec::new();
        }
        FORWARD_PASSES.fetch_add(1, Ordering::Relaxed);
        let standardised = match &self.fused {
            Some(fused) => fused.forward(inputs),
            None => self.net.forward(&self.card.config, inputs, &Device::flex()).into_data().iter::<f32>().collect(),
        };
        let values = standardised.into_iter().map(|x| f64::from(x) * self.card.scale + self.card.mean);
        values.zip(inputs).map(|(value, input)| value - self.elements_of(input)).collect()
    }

    /// Elemental reference energy of a crystal's composition, eV/atom, where it is to be subtracted from a total
    /// energy.
    fn elements_of(&self, input: &Input) -> f64 {
        let Input::Bonds(graph) = input else { return 0.0 };
        let energy =
            |&z: &u8| Element::from_z(z.into()).ok().and_then(|e| self.card.references.get(e.symbol())).copied();
        graph.numbers.iter().map(|z| energy(z).unwrap_or(f64::NAN)).sum::<f64>() / graph.numbers.len() as f64
    }

    fn surface(&self) -> Option<&dyn Surface> {
        self.fused.as_ref()?.surface()
    }

    /// The same weights as an energy model.
    ///
    /// # Errors
    /// [`ModelError::NoForces`] where the network has no smooth energy surface.
    pub fn potential(self: &Arc<Self>) -> Result<ModelPotential, ModelError> {
        match self.surface() {
            Some(_) => Ok(ModelPotential(Arc::clone(self))),
            None => Err(ModelError::NoForces { model: self.card.name.clone() }),
        }
    }

    /// Whether it has forces: whether the same weights are an energy model (see [`Model::potential`]).
    pub fn has_forces(&self) -> bool {
        self.surface().is_some()
    }

    /// Forward passes of this process so far, all models.
    pub fn forward_passes() -> u64 {
        FORWARD_PASSES.load(Ordering::Relaxed)
    }
}

/// A model used for total energies and their gradients.
#[derive(Debug, Clone)]
pub struct ModelPotential(Arc<Model>);

impl ModelPotential {
    /// The weights and their card.
    pub fn model(&self) -> &Arc<Model> {
        &self.0
    }

    /// `f(network, bonds)` for every structure.
    fn each<T: Send>(
        &self,
        structures: &[&Structure],
        f: impl Fn(&dyn Surface, &BondGraph) -> T + Sync,
    ) -> Vec<Result<T, ModelError>> {
        let Some(net) = self.0.surface() else { unreachable!("asked for when it was made") };
        FORWARD_PASSES.fetch_add(1, Ordering::Relaxed);
        let stop = Stop::current();
        let one = |structure: &&Structure| {
            if stop.is_given() {
                return Err(ModelError::Stopped);
            }
            self.0.has_seen(structure)?;
            Ok(f(net, self.0.card.config.input(structure)?.bonds()))
        };
        match structures {
            // Alone: its own layers are shared among the threads.
            [structure] => vec![one(structure)],
            _ => structures.par_iter().map(one).collect(),
        }
    }
}

impl Potential for ModelPotential {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn id(&self) -> &str {
        self.0.id()
    }

    fn single_points(&self, structures: &[&Structure]) -> Vec<Result<SinglePoint, ModelError>> {
        self.each(structures, |net, graph| net.single_point(graph))
    }

    fn energies(&self, structures: &[&Structure]) -> Vec<Result<f64, ModelError>> {
        self.each(structures, |net, graph| net.energy(graph))
    }
}

/// Whether a text can name a model that is kept in a folder: no path, nothing hidden.
pub fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !text.is_empty() && text.len() <= 64 && !text.starts_with('.') && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::testing::cscl;

    #[test]
    fn the_embedded_model_answers_alone_as_in_company() {
        let model = Model::load("megnet").unwrap();
        let before = Model::forward_passes();
        let both = model.predict(&[cscl("Ni", 2.6), cscl("Ti", 2.7)]);
        assert!(Model::forward_passes() > before);
        let alone = model.predict(&[cscl("Ti", 2.7)]);
        let (a, b) = (*both[1].as_ref().unwrap(), *alone[0].as_ref().unwrap());
        assert!((a - b).abs() < 1e-5 && a.is_finite(), "{a} {b}");
    }

    #[test]
    fn unseen_elements_and_lone_atoms_get_no_number() {
        let model = Model::load("megnet").unwrap();
        let answers = model.predict(&[cscl("Og", 2.7), cscl("Ti", 2.7), cscl("Ti", 90.0)]);
        assert!(matches!(answers[0], Err(ModelError::Coverage { element: "Og", .. })));
        assert!(answers[1].is_ok());
        assert!(matches!(answers[2], Err(ModelError::NoBonds { .. })));
    }

    #[test]
    fn unknown_models_are_answered_with_the_known_ones() {
        let message = Model::load("alignn9").unwrap_err().to_string();
        assert!(message.contains("alignn9") && message.contains("megnet"), "{message}");
    }

    #[test]
    fn a_name_is_no_path() {
        assert!(is_name("megnet-mp_2018.6.1") && !is_name("../mine") && !is_name("") && !is_name(".hidden"));
    }

    #[test]
    fn the_card_names_the_weights_by_their_content() {
        let model = Model::load("megnet").unwrap();
        let card = model.card();
        assert_eq!(card.id, weights::weights_id(&model.net, &card.config, card.mean, card.scale));
        assert_eq!(card.parameters, weights::fitted_parameters(&model.net));
    }
}
