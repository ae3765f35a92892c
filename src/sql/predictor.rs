//! From crystals to energies, in as few forward passes as possible.
//!
//! Equal crystals are asked for once (content hash), known ones are answered from memory, those that the model does not
//! cover answer NULL with a warning, and the rest is sorted by size and cut into batches. Both ways into a model come
//! through here, the plan node and the plain function, so their answers are the same.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use crate::crystal::{ContentHash, Structure, content_hash};
use crate::error::{Error, ModelError};
use crate::models::Model;

use super::environment::Environment;
use super::options::HollanditeOptions;
use super::structure_type::Crystals;

/// A model that predicts an energy per atom. [`Model`] is one; tests bring their own.
pub trait EnergyModel: Send + Sync {
    /// Names the weights: predictions are remembered under it.
    fn id(&self) -> &str;
    /// How a plan shows the model.
    fn label(&self) -> String {
        self.id().to_string()
    }
    /// Whether the model may be asked about this crystal, and if not, why.
    fn covers(&self, structure: &Structure) -> Result<(), ModelError>;
    /// Energies in eV/atom, in order, by one forward pass.
    fn predict(&self, structures: &[Structure]) -> Vec<Result<f64, ModelError>>;
}

impl EnergyModel for Model {
    fn id(&self) -> &str {
        Model::id(self)
    }

    fn label(&self) -> String {
        format!("{}@{:.8}", self.name(), Model::id(self))
    }

    fn covers(&self, structure: &Structure) -> Result<(), ModelError> {
        Model::covers(self, structure)
    }

    fn predict(&self, structures: &[Structure]) -> Vec<Result<f64, ModelError>> {
        Model::predict(self, structures)
    }
}

/// Answers of one query, and why there is none.
pub(super) type Known = HashMap<ContentHash, Result<f64, String>>;

/// One model with a session's options and memory.
#[derive(Clone)]
pub(super) struct Predictor {
    function: &'static str,
    model: Arc<dyn EnergyModel>,
    environment: Environment,
    options: HollanditeOptions,
}

impl std::fmt::Debug for Predictor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Predictor").field("model", &self.model.id()).finish_non_exhaustive()
    }
}

/// What became of the crystals that were asked for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    /// Distinct crystals.
    pub distinct: usize,
    /// Of these, answered from the prediction cache.
    pub cache_hits: usize,
    /// Forward passes run.
    pub forward_passes: usize,
    /// Crystals that went through them.
    pub graphs: usize,
}

impl Predictor {
    /// A predictor that warns in the name of `function`.
    ///
    /// # Errors
    /// No such model, or weights that cannot be read.
    pub fn new(
        function: &'static str,
        model: &str,
        environment: &Environment,
        options: HollanditeOptions,
    ) -> Result<Self, Error> {
        let name = if model.is_empty() { &options.model } else { model };
        Ok(Self { function, model: environment.model(name)?, environment: environment.clone(), options })
    }

    /// How a plan shows the model.
    pub fn label(&self) -> String {
        self.model.label()
    }

    /// The session options of this predictor.
    pub fn options(&self) -> &HollanditeOptions {
        &self.options
    }

    /// The crystal of row `i`; `None` for NULL, and with a warning for a row that is no crystal.
    pub fn read(&self, crystals: &Crystals, i: usize) -> Option<Structure> {
        crystals.get(i)?.map_err(|reason| self.environment.warnings().note(self.function, reason)).ok()
    }

    /// An energy per atom for every crystal, eV/atom; `None` in: `None` out, and no answer: `None` and a warning. `known`
    /// carries the answers of earlier calls of the same query. Gives up between batches when `stop` is set.
    pub fn predict(
        &self,
        structures: Vec<Option<Structure>>,
        known: &mut Known,
        stop: &AtomicBool,
    ) -> Result<(Vec<Option<f64>>, Tally), Error> {
        let hashes: Vec<Option<ContentHash>> =
            structures.par_iter().with_min_len(16).map(|s| s.as_ref().map(content_hash)).collect();
        let mut seen = HashSet::new();
        let mut asked: Vec<(ContentHash, Structure)> = structures
            .into_iter()
            .zip(&hashes)
            .filter_map(|(structure, &hash)| Some((hash?, structure?)))
            .filter(|(hash, _)| !known.contains_key(hash) && seen.insert(*hash))
            .collect();
        let mut tally = Tally { distinct: asked.len(), ..Tally::default() };

        if self.options.cache && !asked.is_empty() {
            let wanted: Vec<ContentHash> = asked.iter().map(|(hash, _)| *hash).collect();
            let remembered = self.environment.memory().get(self.model.id(), &wanted)?;
            tally.cache_hits = remembered.len();
            asked.retain(|(hash, _)| !remembered.contains_key(hash));
            known.extend(remembered.into_iter().map(|(hash, e)| (hash, Ok(e))));
        }
        asked.retain(|(hash, structure)| match self.model.covers(structure) {
            Ok(()) => true,
            Err(reason) => {
                known.insert(*hash, Err(reason.to_string()));
                false
            }
        });

        let answers: Vec<(Vec<ContentHash>, Vec<_>)> = self
            .batches(asked)
            .into_par_iter()
            .filter(|_| !stop.load(Ordering::Relaxed))
            .map(|batch| {
                let (hashes, structures): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
                let energies = self.model.predict(&structures);
                (hashes, energies)
            })
            .collect();
        let mut fresh = Vec::new();
        for (hashes, energies) in answers {
            tally.forward_passes += 1;
            tally.graphs += hashes.len();
            for (hash, energy) in hashes.into_iter().zip(energies) {
                let energy = energy.map_err(|reason: ModelError| reason.to_string());
                let energy = energy.and_then(|e| if e.is_finite() { Ok(e) } else { Err(format!("it answered {e}")) });
                fresh.extend(energy.as_ref().ok().map(|&e| (hash, e)));
                known.insert(hash, energy);
            }
        }
        if self.options.cache && !fresh.is_empty() {
            // The answers are there all the same; they only have to be computed again the next time.
            if let Err(reason) = self.environment.memory().put(self.model.id(), &fresh) {
                self.environment.warnings().remark(format!("predictions are not remembered: {reason}"));
            }
        }
        let answer = |hash: Option<ContentHash>| match known.get(&hash?)? {
            Ok(energy) => Some(*energy),
            Err(reason) => {
                self.environment.warnings().note(self.function, reason);
                None
            }
        };
        Ok((hashes.into_iter().map(answer).collect(), tally))
    }

    /// Crystals of like size together: a batch takes as long as its largest member makes it.
    fn batches(&self, mut asked: Vec<(ContentHash, Structure)>) -> Vec<Vec<(ContentHash, Structure)>> {
        asked.sort_by_key(|(_, structure)| structure.len());
        let mut batches: Vec<Vec<_>> = Vec::new();
        let mut atoms = 0;
        for item in asked {
            let n = item.1.len();
            let full = |batch: &Vec<_>| {
                batch.len() >= self.options.batch_graphs.max(1) || atoms + n > self.options.batch_atoms
            };
            match batches.last_mut() {
                Some(batch) if !full(batch) => {
                    atoms += n;
                    batch.push(item);
                }
                _ => {
                    atoms = n;
                    batches.push(vec![item]);
                }
            }
        }
        batches
    }
}
