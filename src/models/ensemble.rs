//! Several models that answer as one: the mean of the members, and their spread, which is large where data are few.
//!
//! An ensemble is a small file, `NAME.ensemble.json`, that names its members and the identity of their weights. Its intervals
//! are calibrated on crystals that no member was fitted to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    conformal::Calibration, embedded::is_embedded, metrics::Metrics, model::Model, quantity::Quantity,
    reliability::Part, splits::SplitKind,
};
use crate::ModelError;
use crystal::{ContentHash, Structure, explained, hex};

const EXTENSION: &str = ".ensemble.json";

/// How much each member counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weighting {
    /// All the same.
    Equal,
    /// By the inverse of the mean square error on the validation set: the mean of independent errors is then smallest.
    Validation,
}

/// A member as the file of the ensemble names it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Name of a model, or the path of its weights; one that begins with `..` is relative to the folder of the file.
    pub model: String,
    /// Identity of its weights.
    pub id: String,
    /// Share in the mean; the shares of all members sum to 1.
    pub weight: f64,
}

/// What the file holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnsembleCard {
    /// Name by which queries ask for it.
    pub name: String,
    /// First 16 hex digits of the SHA-256 of members, weights and calibration.
    pub id: String,
    /// What it predicts: the label column.
    pub target: String,
    /// Unit of the prediction.
    pub unit: String,
    /// The members.
    pub members: Vec<Member>,
    /// Crystals that it was calibrated with.
    pub data: String,
    /// Errors on these crystals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Metrics>,
    /// Errors on crystals that no member saw while it was fitted, by the name of the set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub test: BTreeMap<String, Metrics>,
    /// Their residuals, by the spread of the members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
}

/// A card with its members at hand.
#[derive(Debug)]
pub struct Ensemble {
    card: EnsembleCard,
    members: Vec<(Arc<Model>, f64)>,
}

/// The weighted mean of (value, weight) and the standard deviation around it, in the unit of the values.
pub fn combine(values: &[(f64, f64)]) -> (f64, f64) {
    let total: f64 = values.iter().map(|(_, weight)| weight).sum();
    let mean = values.iter().map(|(value, weight)| weight * value).sum::<f64>() / total;
    let variance = values.iter().map(|(value, weight)| weight * (value - mean).powi(2)).sum::<f64>() / total;
    (mean, variance.sqrt())
}

impl Ensemble {
    /// An ensemble of models, each with the name or path by which it is found again.
    ///
    /// # Errors
    /// No member, one that is there twice, members that predict different quantities, or a card without the validation
    /// error that its weight is to be taken from.
    pub fn new(name: &str, models: Vec<(String, Arc<Model>)>, weighting: Weighting) -> Result<Self, ModelError> {
        let fault = |message: String| ModelError::Ensemble { name: name.to_owned(), message };
        let first = &models.first().ok_or_else(|| fault("it has no members".into()))?.1;
        let (target, unit) = (first.card().target.clone(), first.card().unit.clone());
        for (k, (reference, model)) in models.iter().enumerate() {
            if models[..k].iter().any(|(_, other)| other.id() == model.id()) {
                return Err(fault(format!("{reference} is there twice: name each model once")));
            }
            if model.quantity() != first.quantity() {
                let (other, quantity) = (model.quantity(), first.quantity());
                return Err(fault(format!("{reference} predicts {other}, the first member {quantity}")));
            }
        }
        let share = |(reference, model): &(String, Arc<Model>)| match weighting {
            Weighting::Equal => Ok(1.0),
            Weighting::Validation => match model.card().metrics.get("validation").map(|metrics| metrics.rmse) {
                Some(rmse) if rmse > 0.0 => Ok(rmse.powi(-2)),
                _ => Err(fault(format!("the card of {reference} has no validation error: weight the members equally"))),
            },
        };
        let shares: Vec<f64> = models.iter().map(share).collect::<Result<_, _>>()?;
        let total: f64 = shares.iter().sum();
        let (mut cards, mut members) = (vec![], vec![]);
        for ((reference, model), share) in models.into_iter().zip(shares) {
            cards.push(Member { model: reference, id: model.id().to_owned(), weight: share / total });
            members.push((model, share / total));
        }
        let card = EnsembleCard {
            name: name.to_owned(),
            id: String::new(),
            target,
            unit,
            members: cards,
            data: "not calibrated".into(),
            metrics: None,
            test: BTreeMap::new(),
            calibration: None,
        };
        Ok(Self { card: identified(card), members })
    }

    /// The same ensemble, calibrated with `predictions`: (mean, spread, label) of crystals that no member was fitted to.
    /// `data` names them, and `mean` is the constant prediction to compare with.
    pub fn calibrated(mut self, predictions: &[(f64, f64, f64)], data: String, mean: f64) -> Self {
        let residuals: Vec<(f64, f64)> =
            predictions.iter().map(|(mean, spread, label)| (label - mean, *spread)).collect();
        // Members that always agree give no information.
        self.card.calibration =
            Calibration::of_ensemble(&residuals).or_else(|| Calibration::of(residuals.iter().map(|(e, _)| *e)));
        let pairs: Vec<(f64, f64)> = predictions.iter().map(|(mean, _, label)| (*mean, *label)).collect();
        self.card.metrics = Metrics::of(&pairs, mean);
        self.card.data = data;
        Self { card: identified(self.card), members: self.members }
    }

    /// The file that `name` means: itself, or the only one in that folder; `None` where there is none.
    pub fn find(name: &Path) -> Option<PathBuf> {
        let is_ensemble = |path: &Path| path.to_string_lossy().ends_with(EXTENSION);
        if name.is_file() {
            return is_ensemble(name).then(|| name.to_owned());
        }
        let mut files: Vec<PathBuf> = std::fs::read_dir(name)
            .ok()?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|p| is_ensemble(p))
            .collect();
        if files.len() == 1 { files.pop() } else { None }
    }

    /// Reads what [`Ensemble::save`] wrote, and its members.
    ///
    /// # Errors
    /// A file that cannot be read or is no ensemble; a member that is gone, or whose weights are no longer those that the
    /// ensemble was made of.
    pub fn load(file: &Path) -> Result<Arc<Self>, ModelError> {
        let text = std::fs::read_to_string(file).map_err(ModelError::io(file))?;
        Self::read(&text, file)
    }

    /// As [`Ensemble::load`], of the text of the file.
    ///
    /// # Errors
    /// As [`Ensemble::load`].
    pub(super) fn read(text: &str, file: &Path) -> Result<Arc<Self>, ModelError> {
        let io = ModelError::io(file);
        let card: EnsembleCard =
            serde_json::from_str(text).map_err(|e| io(explained(format!("no ensemble: {e}"), e)))?;
        let folder = file.parent().unwrap_or(Path::new("."));
        let mut members = Vec::with_capacity(card.members.len());
        for member in &card.members {
            let reference = if member.model.starts_with("..") {
                folder.join(&member.model).to_string_lossy().into_owned()
            } else {
                member.model.clone()
            };
            let model = Model::load(&reference)?;
            if model.id() != member.id {
                return Err(ModelError::io(file)(format!(
                    "{reference} holds other weights ({}) than those that the ensemble was made of ({}): make it anew with \
                     `hollandite models ensemble`",
                    model.id(),
                    member.id
                )));
            }
            if !(member.weight.is_finite() && member.weight > 0.0) {
                return Err(ModelError::io(file)(format!(
                    "{reference} has the weight {}, which is not a positive number",
                    member.weight
                )));
            }
            members.push((model, member.weight));
        }
        if members.is_empty() {
            return Err(ModelError::io(file)("the ensemble has no members"));
        }
        Ok(Arc::new(Self { card, members }))
    }

    /// Writes the file into `folder`, which is made; returns its path. Members that lie beside the folder are named
    /// relative to it, so that both can be moved together.
    ///
    /// # Errors
    /// A folder that cannot be written to.
    pub fn save(&self, folder: &Path) -> Result<PathBuf, ModelError> {
        let io = ModelError::io(folder);
        std::fs::create_dir_all(folder).map_err(&io)?;
        let around = folder.canonicalize().map_err(&io)?.parent().map(Path::to_owned);
        let mut card = self.card.clone();
        // A built-in model goes by its name, even where a folder has that name.
        for member in card.members.iter_mut().filter(|member| !is_embedded(&member.model)) {
            let Ok(path) = Path::new(&member.model).canonicalize() else { continue };
            let beside = around.as_ref().and_then(|around| path.strip_prefix(around).ok());
            let path = beside.map_or_else(|| path.clone(), |beside| Path::new("..").join(beside));
            member.model = path.to_string_lossy().into_owned();
        }
        let text = serde_json::to_string_pretty(&card).map_err(ModelError::io(folder))?;
        let file = folder.join(format!("{}{EXTENSION}", self.card.name));
        let unfinished = file.with_extension("unfinished");
        std::fs::write(&unfinished, text + "\n").map_err(&io)?;
        std::fs::rename(&unfinished, &file).map_err(io)?;
        Ok(file)
    }

    /// The same ensemble under that name.
    pub(super) fn called(self: Arc<Self>, name: &str) -> Arc<Self> {
        if self.card.name == name {
            return self;
        }
        let card = EnsembleCard { name: name.to_owned(), ..self.card.clone() };
        Arc::new(Self { card, members: self.members.clone() })
    }

    /// What it predicts.
    pub fn quantity(&self) -> Quantity<'_> {
        Quantity { target: &self.card.target, unit: &self.card.unit }
    }

    /// The elements that every member has seen.
    pub fn elements(&self) -> Vec<&str> {
        let Some(((first, _), others)) = self.members.split_first() else { return Vec::new() };
        let seen = |element: &&str| others.iter().all(|(model, _)| model.card().elements.contains_key(*element));
        first.card().elements.keys().map(String::as_str).filter(seen).collect()
    }

    /// The same ensemble, with its errors on what no member saw while it was fitted.
    pub fn tested(mut self, test: BTreeMap<String, Metrics>) -> Self {
        self.card.test = test;
        self
    }

    /// Mean label of the training sets of its members, by their weights; `None` where one has none.
    pub fn training_mean(&self) -> Option<f64> {
        self.members.iter().map(|(model, weight)| Some(weight * model.training_mean()?)).sum()
    }

    /// Its members and its calibration.
    pub fn card(&self) -> &EnsembleCard {
        &self.card
    }

    /// The members with their weights, which sum to 1.
    pub fn members(&self) -> &[(Arc<Model>, f64)] {
        &self.members
    }

    /// (mean, spread) for each structure, from one forward pass a member.
    ///
    /// # Errors
    /// Per structure: that of the first member which cannot answer.
    pub fn predict(&self, structures: &[Structure]) -> Vec<Result<(f64, f64), ModelError>> {
        let mut rows: Vec<Result<Vec<(f64, f64)>, ModelError>> = structures.iter().map(|_| Ok(vec![])).collect();
        for (model, weight) in &self.members {
            for (row, value) in rows.iter_mut().zip(model.predict(structures)) {
                match (row.as_mut(), value) {
                    (Ok(values), Ok(value)) => values.push((value, *weight)),
                    (Ok(_), Err(reason)) => *row = Err(reason),
                    (Err(_), _) => {}
                }
            }
        }
        rows.into_iter().map(|row| row.map(|values| combine(&values))).collect()
    }

    /// The part of training nearest to fitting that the crystal has for any member; `None` where a member does not record it, and no other
    /// was fitted to it. `split`: the column `split` of its table.
    pub fn part(&self, hash: ContentHash, split: Option<&str>) -> Option<Part> {
        let parts: Vec<Option<Part>> = self.members.iter().map(|(model, _)| model.part(hash, split)).collect();
        if parts.contains(&Some(Part::Train)) {
            return Some(Part::Train);
        }
        parts.into_iter().collect::<Option<Vec<Part>>>()?.into_iter().min()
    }
}

impl Model {
    /// The part of its training that a crystal belongs to; `None` where the card does not record it. `split`: the column `split` of its
    /// table, by which a card without a list of crystals may say it was trained.
    pub fn part(&self, hash: ContentHash, split: Option<&str>) -> Option<Part> {
        if let Some(reliability) = &self.card().reliability {
            return Some(reliability.crystals.part(hash));
        }
        match split.filter(|_| self.card().split.kind == SplitKind::Column.to_string()) {
            Some("train") => Some(Part::Train),
            Some("test") => Some(Part::Test),
            _ => None,
        }
    }
}

fn identified(card: EnsembleCard) -> EnsembleCard {
    let mut hasher = Sha256::new();
    for member in &card.members {
        hasher.update(&member.id);
        hasher.update(member.weight.to_le_bytes());
    }
    hasher.update(serde_json::to_vec(&card.calibration).unwrap_or_default());
    let id = hex(&hasher.finalize()[..8]);
    EnsembleCard { id, ..card }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one() -> Vec<(String, Arc<Model>)> {
        vec![("schnet".to_string(), Model::load("schnet").unwrap())]
    }

    #[test]
    fn the_mean_and_the_spread_are_weighted() {
        assert_eq!(combine(&[(1.0, 0.5), (3.0, 0.5)]), (2.0, 1.0));
        let (mean, spread) = combine(&[(1.0, 3.0), (5.0, 1.0)]);
        assert!((mean - 2.0).abs() < 1e-12 && (spread - 3.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!(combine(&[(-2.5, 1.0)]), (-2.5, 0.0));
    }

    #[test]
    fn an_ensemble_is_read_back_and_its_identity_is_that_of_what_it_says() {
        let dir = tempfile::tempdir().unwrap();
        let plain = Ensemble::new("both", one(), Weighting::Equal).unwrap();
        let plain_id = plain.card().id.clone();
        let predictions: Vec<(f64, f64, f64)> = (0..50).map(|k| (-2.0, 0.0, -2.0 + 0.01 * f64::from(k))).collect();
        let ensemble = plain.calibrated(&predictions, "fifty".into(), -2.0);
        assert_ne!(ensemble.card().id, plain_id, "intervals are part of what it answers");
        let calibration = ensemble.card().calibration.as_ref().unwrap();
        assert_eq!((calibration.count, calibration.floor), (50, None), "members that never differ");
        let file = ensemble.save(&dir.path().join("both")).unwrap();
        assert_eq!(Ensemble::find(&dir.path().join("both")), Some(file.clone()));
        assert_eq!(Ensemble::find(dir.path()), None);
        let read = Ensemble::load(&file).unwrap();
        assert_eq!(read.card(), ensemble.card());
        assert_eq!(read.members().len(), 1);

        let text = std::fs::read_to_string(&file).unwrap();
        let id = &ensemble.card().members[0].id;
        std::fs::write(&file, text.replace(id, "0123456789abcdef")).unwrap();
        let message = Ensemble::load(&file).unwrap_err().to_string();
        assert!(message.contains("other weights") && message.contains("0123456789abcdef"), "{message}");
        std::fs::write(&file, "{}").unwrap();
        assert!(Ensemble::load(&file).unwrap_err().to_string().contains("no ensemble"));
    }

    #[test]
    fn what_makes_no_ensemble_is_refused() {
        let message = |models, weighting| Ensemble::new("e", models, weighting).unwrap_err().to_string();
        assert!(message(vec![], Weighting::Equal).contains("no members"));
        assert!(message([one(), one()].concat(), Weighting::Equal).contains("there twice"));
        assert_eq!(Ensemble::new("e", one(), Weighting::Validation).unwrap().members()[0].1, 1.0);
    }
}
