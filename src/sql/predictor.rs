//! From crystals to energies, each distinct crystal once.
//!
//! Equal crystals are computed once (content hash), known ones are answered from memory, and the rest is sorted by size and cut into
//! batches. An ensemble calls each of its members so, and is remembered through them. Both ways into a model come through here, the
//! plan node and the plain function, and both functions, `predict_ef` and `predict`, so their answers are the same.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use rayon::prelude::*;

use crate::Error;
use crystal::stop::Stop;
use crystal::{ContentHash, Structure, content_hash};
use features::neutral_states;
use models::ModelError;
use models::ensemble::combine;
use models::graph::batches_by_size;

use super::environment::Environment;
use super::functions::Function;
use super::interval::{self, Answer};
use super::options::HollanditeOptions;
use super::property_model::PropertyModel;
use super::structure_type::Crystals;

/// Atoms of a batch, at most; a larger crystal goes alone. A batch is the step in which work is shared among threads, told and
/// stopped: a network takes each crystal of it by itself, so that its size costs no time.
const BATCH_ATOMS: usize = 512;

/// Why a crystal may not be what was measured. In many a hydrate the hydrogen was never located, and models err twice as much
/// on what lacks it.
fn doubt(structure: &Structure) -> Option<String> {
    let unbalanced = neutral_states(&structure.composition()).is_none();
    unbalanced.then(|| "no common oxidation states make it charge-neutral: is hydrogen missing?".to_owned())
}

/// Something for each of some crystals, or why there is none.
type Answers<T> = HashMap<ContentHash, Result<T, String>>;

/// Takes the share of the work that is done, from 0 to 1.
type Share<'a> = dyn Fn(f64) + Sync + 'a;

/// Answers of one query.
pub(super) type Known = HashMap<ContentHash, Answer>;

/// One model with a session's options and memory.
#[derive(Clone)]
pub(super) struct Predictor {
    function: &'static str,
    /// Name or path of the model, as the call gives it.
    name: String,
    /// Coverage of the requested intervals; `None` where a number is.
    coverage: Option<f64>,
    model: Arc<dyn PropertyModel>,
    environment: Environment,
    options: HollanditeOptions,
}

impl std::fmt::Debug for Predictor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Predictor").field("model", &self.model.id()).finish_non_exhaustive()
    }
}

/// What became of the requested crystals.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    /// Distinct crystals.
    pub distinct: usize,
    /// Answers found in the prediction cache, one a member of an ensemble.
    pub cache_hits: usize,
    /// Forward passes run.
    pub forward_passes: usize,
    /// Crystals that went through them.
    pub graphs: usize,
}

impl Predictor {
    /// The predictor of a call. `constants`: its arguments after the crystal, a model's name and a coverage, as far as they
    /// are given.
    ///
    /// # Errors
    /// No such model, weights that cannot be read, or a number asked of a model that predicts no formation energy.
    pub fn of_call(
        function: &Function,
        constants: &[&ScalarValue],
        environment: &Environment,
        options: HollanditeOptions,
    ) -> Result<Self, Error> {
        let named = constants.first().and_then(|constant| constant.try_as_str().flatten()).unwrap_or_default();
        let name = if named.is_empty() { &options.model } else { named };
        // What has an interval is a struct.
        let coverage = matches!(function.kernel.data_type(), DataType::Struct(_)).then(|| match constants.get(1) {
            Some(constant) => interval::coverage(constant).unwrap_or(options.coverage),
            None => options.coverage,
        });
        Self::of_model(function, name.to_owned(), coverage, environment, options)
    }

    /// The predictor of a function that calls the model of a name, for intervals where a coverage is given.
    ///
    /// # Errors
    /// As [`Predictor::of_call`].
    pub fn of_model(
        function: &Function,
        name: String,
        coverage: Option<f64>,
        environment: &Environment,
        options: HollanditeOptions,
    ) -> Result<Self, Error> {
        let model = environment.model(&name)?;
        // What is asked for a formation energy answers no other number; `predict` says what it is of.
        let quantity = model.quantity();
        if coverage.is_none() && !quantity.is_formation_energy() {
            let (model, quantity) = (model.name().to_owned(), quantity.to_string());
            return Err(ModelError::Quantity { model, quantity }.into());
        }
        Ok(Self { function: function.name, name, coverage, model, environment: environment.clone(), options })
    }

    /// What is asked: the function, the name of the model, the hash of its content, the coverage.
    pub fn asked(&self) -> (&'static str, &str, &str, Option<f64>) {
        (self.function, &self.name, self.model.id(), self.coverage)
    }

    /// How a plan shows the model, and the coverage that is requested.
    pub fn label(&self) -> String {
        let coverage = self.coverage.map_or_else(String::new, |c| format!(", coverage={c}"));
        self.model.label() + &coverage
    }

    /// The session options of this predictor.
    pub fn options(&self) -> &HollanditeOptions {
        &self.options
    }

    /// The crystal of row `i`; `None` for NULL, and with a warning for a row that is no crystal.
    pub fn read(&self, crystals: &Crystals, i: usize) -> Option<Structure> {
        crystals.get(i)?.map_err(|reason| self.environment.warnings().note(self.function, reason)).ok()
    }

    /// An answer for every crystal, NULL for `None`: a number, NULL with a warning where there is none, or the
    /// struct of `predict`, which says itself what there is to warn of. `known` carries the answers of earlier calls of the
    /// same query. Gives up between batches when `stop` is given; `share` takes how much of the work is
    /// done.
    ///
    /// # Errors
    /// The answers of earlier queries cannot be read. A crystal that the model refuses is a NULL, and a warning.
    pub fn predict(
        &self,
        structures: Vec<Option<Structure>>,
        known: &mut Known,
        stop: &Stop,
        share: &Share<'_>,
    ) -> Result<(ArrayRef, Tally), Error> {
        // Of the crystal that is asked about, not the column structure_hash of its row: a call is about any expression, and another client
        // of the lake may change a crystal and leave the column. It costs 4 µs for 40 atoms, 6 ms for 1530 crystals, of which a query takes
        // 100 ms and more where all its answers are remembered.
        let hashes: Vec<Option<ContentHash>> =
            structures.par_iter().with_min_len(16).map(|s| s.as_ref().map(content_hash)).collect();
        let mut seen = HashSet::new();
        let asked: Vec<(ContentHash, Structure)> = structures
            .into_iter()
            .zip(&hashes)
            .filter_map(|(structure, &hash)| Some((hash?, structure?)))
            .filter(|(hash, _)| !known.contains_key(hash) && seen.insert(*hash))
            .collect();
        let mut tally = Tally { distinct: asked.len(), ..Tally::default() };

        let mut judged: HashMap<ContentHash, [Option<String>; 2]> = match self.coverage {
            Some(_) => {
                let reasons =
                    |(hash, structure): &(_, Structure)| (*hash, [self.model.outside(structure), doubt(structure)]);
                asked.par_iter().with_min_len(16).map(reasons).collect()
            }
            None => HashMap::new(),
        };
        for (hash, answer) in self.ask(asked, &mut tally, stop, share)? {
            let (value, spread) = match answer {
                Ok((value, spread)) => (Ok(value), spread),
                Err(reason) => (Err(reason), 0.0),
            };
            let [outside, doubt] = judged.remove(&hash).unwrap_or_default();
            known.insert(hash, Answer { value, spread, outside, doubt });
        }

        let answers: Vec<Option<&Answer>> = hashes.into_iter().map(|hash| known.get(&hash?)).collect();
        Ok((
            match self.coverage {
                Some(coverage) => interval::column(&answers, self.model.as_ref(), coverage),
                None => Arc::new(Float64Array::from_iter(answers.into_iter().map(|answer| self.number(answer?)))),
            },
            tally,
        ))
    }

    fn number(&self, answer: &Answer) -> Option<f64> {
        answer.value.as_ref().map_err(|reason| self.environment.warnings().note(self.function, reason)).ok().copied()
    }

    /// (value, spread) for each of some distinct crystals, or why there is none.
    fn ask(
        &self,
        asked: Vec<(ContentHash, Structure)>,
        tally: &mut Tally,
        stop: &Stop,
        share: &Share<'_>,
    ) -> Result<Answers<(f64, f64)>, Error> {
        let members = self.model.members();
        if members.is_empty() {
            let answers = self.ask_one(self.model.as_ref(), asked, tally, stop, share)?;
            return Ok(answers.into_iter().map(|(hash, value)| (hash, value.map(|value| (value, 0.0)))).collect());
        }
        let hashes: Vec<ContentHash> = asked.iter().map(|(hash, _)| *hash).collect();
        let mut answers: Answers<Vec<(f64, f64)>> = HashMap::new();
        for (i, (member, weight)) in members.iter().enumerate() {
            let share = |part: f64| share((i as f64 + part) / members.len() as f64);
            let mut values = self.ask_one(member.as_ref(), asked.clone(), tally, stop, &share)?;
            for hash in &hashes {
                // A member that was stopped has no answer.
                let value = values.remove(hash).unwrap_or_else(|| Err("the query was stopped".into()));
                let all = answers.entry(*hash).or_insert_with(|| Ok(vec![]));
                match (all, value) {
                    (Ok(all), Ok(value)) => all.push((value, *weight)),
                    (all @ Ok(_), Err(reason)) => *all = Err(reason),
                    (Err(_), _) => {}
                }
            }
        }
        Ok(answers.into_iter().map(|(hash, values)| (hash, values.map(|values| combine(&values)))).collect())
    }

    /// The value of one model for each of some distinct crystals, or why there is none.
    fn ask_one(
        &self,
        model: &dyn PropertyModel,
        mut asked: Vec<(ContentHash, Structure)>,
        tally: &mut Tally,
        stop: &Stop,
        share: &Share<'_>,
    ) -> Result<Answers<f64>, Error> {
        let mut answers = HashMap::with_capacity(asked.len());
        if self.options.cache && !asked.is_empty() {
            let wanted: Vec<ContentHash> = asked.iter().map(|(hash, _)| *hash).collect();
            let remembered = self.environment.memory().get(model.id(), &wanted)?;
            tally.cache_hits += remembered.len();
            asked.retain(|(hash, _)| !remembered.contains_key(hash));
            answers.extend(remembered.into_iter().map(|(hash, e)| (hash, Ok(e))));
        }
        let (all, done) = (asked.len(), AtomicUsize::new(0));
        let sizes: Vec<usize> = asked.iter().map(|(_, structure)| structure.len()).collect();
        let mut asked: Vec<Option<(ContentHash, Structure)>> = asked.into_iter().map(Some).collect();
        let batches = batches_by_size(&sizes, BATCH_ATOMS).into_iter();
        let batches: Vec<(Vec<ContentHash>, Vec<Structure>)> =
            batches.map(|batch| batch.into_iter().filter_map(|i| asked[i].take()).unzip()).collect();
        let passes: Vec<(Vec<ContentHash>, Vec<_>)> = batches
            .into_par_iter()
            .filter(|_| !stop.is_given())
            .map(|(hashes, structures)| {
                let energies = model.predict(&structures);
                let before = done.fetch_add(structures.len(), Ordering::Relaxed);
                share((before + structures.len()) as f64 / all as f64);
                (hashes, energies)
            })
            .collect();
        let mut fresh = Vec::new();
        for (hashes, energies) in passes {
            let graphs = energies.iter().filter(|energy| energy.is_ok()).count();
            tally.forward_passes += usize::from(graphs > 0);
            tally.graphs += graphs;
            for (hash, energy) in hashes.into_iter().zip(energies) {
                let energy = energy.map_err(|reason: ModelError| reason.to_string());
                let energy =
                    energy.and_then(|e| if e.is_finite() { Ok(e) } else { Err(format!("the model returned {e}")) });
                fresh.extend(energy.as_ref().ok().map(|&e| (hash, e)));
                answers.insert(hash, energy);
            }
        }
        if self.options.cache {
            self.environment.remember_predictions(model.id(), &fresh);
        }
        Ok(answers)
    }
}
