//! What the functions of one session share: its models, its memory of predictions, materialised features, its warnings.

use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use crate::Error;
use adsorption::Round;
use crystal::ContentHash;
use crystal::stop::Stop;
use generation::{GenerationError, SamplerKind, WyckoffModel};
use models::ModelError;
use models::{DEFAULT_MODEL, Found, ModelPotential, find, find_by_name};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{FeatureValues, PredictionCache, References, Store};

use super::property_model::PropertyModel;
use super::single_points::SinglePoints;
use super::warnings::Warnings;
use super::watchers::{RowsDone, RowsWatcher, Watcher};

/// Shared by every function of a session; a clone is another handle. Two are equal if they are the same one.
#[derive(Clone, Default)]
pub struct Environment(Arc<Shared>, Arc<Warnings>);

#[derive(Default)]
struct Shared {
    models: Mutex<HashMap<String, Arc<dyn PropertyModel>>>,
    potentials: Mutex<HashMap<String, Arc<ModelPotential>>>,
    memory: Memory,
    /// Where the store keeps models and ensembles, a folder each.
    folder: Option<PathBuf>,
    features: Option<FeatureValues>,
    references: Option<References>,
    single_points: SinglePoints,
    /// Whether statements may not name files.
    no_files: AtomicBool,
    /// Whether nothing is to be kept in the store.
    keeps_nothing: AtomicBool,
    /// The watcher of relaxations, which may end them.
    watcher: OnceLock<Box<Watcher>>,
    /// The watcher of passes over rows.
    rows_watcher: OnceLock<Box<RowsWatcher>>,
}

impl Environment {
    /// An environment that remembers predictions in a store's cache, finds models and ensembles in its folder of models, and
    /// reads its materialised features and reference energies.
    ///
    /// # Errors
    /// A store whose catalog cannot be opened.
    pub fn of(store: &Store) -> Result<Self, Error> {
        let shared = Shared {
            memory: Memory::Store(store.predictions()?),
            folder: Some(store.models_folder()),
            features: Some(store.feature_values()),
            references: Some(store.references()),
            ..Shared::default()
        };
        Ok(Self(Arc::new(shared), Arc::default()))
    }

    /// From here on no statement may read or write a file that it names.
    pub fn take_files(&self) {
        self.0.no_files.store(true, Ordering::Relaxed);
    }

    /// Whether statements may name files.
    pub fn has_files(&self) -> bool {
        !self.0.no_files.load(Ordering::Relaxed)
    }

    /// From here on no answer is kept. What the store has is read still.
    pub fn keep_nothing(&self) {
        self.0.keeps_nothing.store(true, Ordering::Relaxed);
    }

    fn keeps(&self) -> bool {
        !self.0.keeps_nothing.load(Ordering::Relaxed)
    }

    /// Makes `model` answer to its name, instead of any model of that name that is shipped.
    pub fn add_model(&self, name: &str, model: Arc<dyn PropertyModel>) {
        self.models().insert(name.to_string(), model);
    }

    /// The model or ensemble of that name or path, loaded once; the empty name is the default model.
    ///
    /// # Errors
    /// No such model, or weights that cannot be read.
    pub fn model(&self, name: &str) -> Result<Arc<dyn PropertyModel>, Error> {
        let name = if name.is_empty() { DEFAULT_MODEL } else { name };
        if let Some(model) = self.models().get(name) {
            return Ok(Arc::clone(model));
        }
        // Loading takes a while: the lock is not held meanwhile, and a second loader finds the first one's model.
        let loaded = self.load(name)?;
        Ok(Arc::clone(self.models().entry(name.to_string()).or_insert(loaded)))
    }

    /// The energy model of that name or path, loaded once.
    ///
    /// # Errors
    /// No such model, weights that cannot be read, or a model without forces.
    pub fn potential(&self, name: &str) -> Result<Arc<ModelPotential>, Error> {
        let potentials = || self.0.potentials.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(model) = potentials().get(name) {
            return Ok(Arc::clone(model));
        }
        let model = self.find(name).and_then(Found::one).map_err(|error| match error {
            ModelError::Unknown { .. } => ModelError::NoEnergyModel { name: name.to_owned() },
            other => other,
        })?;
        let loaded = Arc::new(model.potential()?);
        Ok(Arc::clone(potentials().entry(name.to_string()).or_insert(loaded)))
    }

    /// The models that were loaded so far: the name or path, and the hash of the content.
    pub fn loaded_models(&self) -> BTreeMap<String, String> {
        let potentials = self.0.potentials.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let potentials = potentials.iter().map(|(name, model)| (name.clone(), model.model().id().to_owned()));
        potentials.chain(self.models().iter().map(|(name, model)| (name.clone(), model.id().to_owned()))).collect()
    }

    /// The network that draws crystals, where the sampler is one: that of its name, or, where statements may name files, of its path.
    ///
    /// # Errors
    /// A name that no sampler has, or weights that cannot be read.
    pub fn network(&self, sampler: &SamplerKind) -> Result<Option<Arc<WyckoffModel>>, GenerationError> {
        sampler.network(self.0.folder.as_deref(), self.has_files())
    }

    /// A path names a model only where statements may name files.
    fn find(&self, name: &str) -> Result<Found, ModelError> {
        let folder = self.0.folder.as_deref();
        if self.has_files() { find(name, folder) } else { find_by_name(name, folder) }
    }

    fn load(&self, name: &str) -> Result<Arc<dyn PropertyModel>, Error> {
        match self.find(name)? {
            Found::Model(model) => {
                self.introduce(model.id(), model.name(), model.card().to_json());
                Ok(model)
            }
            Found::Ensemble(ensemble) => {
                for (member, _) in ensemble.members() {
                    self.introduce(member.id(), member.name(), member.card().to_json());
                }
                self.introduce(&ensemble.card().id, &ensemble.card().name, serde_json::to_value(ensemble.card()));
                Ok(ensemble)
            }
        }
    }

    /// Leaves the card of a model with the numbers it answers. A store that cannot take it still answers queries.
    fn introduce(&self, id: &str, name: &str, card: serde_json::Result<serde_json::Value>) {
        if let (Memory::Store(cache), Ok(card), true) = (&self.0.memory, card, self.keeps()) {
            let _ = cache.remember_model(id, name, &card.to_string());
        }
    }

    /// Sets the watcher of relaxations; the first one stays.
    pub fn set_watcher(&self, watcher: Box<Watcher>) {
        let _ = self.0.watcher.set(watcher);
    }

    /// After a round of relaxations: whether to go on.
    pub(super) fn watch(&self, round: Round) -> ControlFlow<()> {
        if Stop::current().is_given() {
            return ControlFlow::Break(());
        }
        self.0.watcher.get().map_or(ControlFlow::Continue(()), |watcher| watcher(round))
    }

    /// Sets the watcher of passes over rows; the first one stays.
    pub fn set_rows_watcher(&self, watcher: Box<RowsWatcher>) {
        let _ = self.0.rows_watcher.set(watcher);
    }

    /// Reports the progress of a pass over rows.
    pub fn tell_rows(&self, rows: RowsDone<'_>) {
        if let Some(watcher) = self.0.rows_watcher.get() {
            watcher(rows);
        }
    }

    /// Predictions that are already known.
    pub(super) fn memory(&self) -> &Memory {
        &self.0.memory
    }

    /// What an energy model computed for a crystal before, as it was kept; `None` of what is kept in another form: it is computed again.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub(super) fn recall<T: DeserializeOwned>(
        &self,
        model: &str,
        task: &str,
        hash: ContentHash,
    ) -> Result<Option<T>, Error> {
        let text = self.0.memory.computed(model, task, hash)?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Keeps it. Where that fails the answer is there all the same; it only has to be computed again the next time. `what`: the
    /// kind of answer, for the remark that says so.
    pub(super) fn remember<T: Serialize + ?Sized>(
        &self,
        what: &str,
        model: &str,
        task: &str,
        hash: ContentHash,
        answer: &T,
    ) {
        if !self.keeps() {
            return;
        }
        let Ok(text) = serde_json::to_string(answer) else { return };
        if let Err(reason) = self.0.memory.keep_computed(model, task, hash, &text) {
            self.warnings().remark(format!("{what} are not remembered: {reason}"));
        }
    }

    /// Keeps predictions of a model. Where that fails the answers are there all the same; they only have to be computed again the
    /// next time.
    pub(super) fn remember_predictions(&self, model: &str, answers: &[(ContentHash, f64)]) {
        if answers.is_empty() || !self.keeps() {
            return;
        }
        if let Err(reason) = self.0.memory.put(model, answers) {
            self.warnings().remark(format!("predictions are not remembered: {reason}"));
        }
    }

    /// Values that are materialised.
    pub(super) fn features(&self) -> Option<&FeatureValues> {
        self.0.features.as_ref()
    }

    /// What energy models said of the last crystals.
    pub(super) fn single_points(&self) -> &SinglePoints {
        &self.0.single_points
    }

    /// Elemental reference energies.
    pub(super) fn references(&self) -> Option<&References> {
        self.0.references.as_ref()
    }

    /// Where single rows complain.
    pub fn warnings(&self) -> &Warnings {
        &self.1
    }

    /// The same environment, with warnings of its own.
    pub(super) fn apart(&self) -> Self {
        Self(Arc::clone(&self.0), Arc::default())
    }

    fn models(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<dyn PropertyModel>>> {
        self.0.models.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Environment")
    }
}

impl PartialEq for Environment {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Environment {}

impl Hash for Environment {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

/// What is already known: in the store's tables, or for this session only.
pub(super) enum Memory {
    Session(SessionMemory),
    Store(PredictionCache),
}

/// What a session without a store knows.
#[derive(Default)]
pub(super) struct SessionMemory {
    predictions: Mutex<HashMap<(String, ContentHash), f64>>,
    /// By model, task and crystal.
    computed: Mutex<HashMap<(String, String, ContentHash), String>>,
}

impl Default for Memory {
    fn default() -> Self {
        Self::Session(SessionMemory::default())
    }
}

impl Memory {
    /// Which of `hashes` the model has answered before, and what.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn get(&self, model: &str, hashes: &[ContentHash]) -> Result<HashMap<ContentHash, f64>, Error> {
        match self {
            Self::Store(cache) => Ok(cache.get(model, hashes)?),
            Self::Session(session) => {
                let known = session.predictions.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                Ok(hashes.iter().filter_map(|&hash| Some((hash, *known.get(&(model.to_string(), hash))?))).collect())
            }
        }
    }

    /// What an energy model computed for a crystal.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn computed(&self, model: &str, task: &str, hash: ContentHash) -> Result<Option<String>, Error> {
        match self {
            Self::Store(cache) => Ok(cache.computed(model, task, hash)?),
            Self::Session(session) => {
                let known = session.computed.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                Ok(known.get(&(model.to_owned(), task.to_owned(), hash)).cloned())
            }
        }
    }

    /// Remembers such a result; not one that was broken off.
    ///
    /// # Errors
    /// SQLite's own; the caller loses nothing but time.
    pub fn keep_computed(&self, model: &str, task: &str, hash: ContentHash, value: &str) -> Result<(), Error> {
        if Stop::current().is_given() {
            return Ok(());
        }
        match self {
            Self::Store(cache) => Ok(cache.keep_computed(model, task, hash, value)?),
            Self::Session(session) => {
                let mut known = session.computed.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                known.insert((model.to_owned(), task.to_owned(), hash), value.to_owned());
                Ok(())
            }
        }
    }

    /// Remembers answers of a model.
    ///
    /// # Errors
    /// SQLite's own; the caller loses nothing but time.
    pub fn put(&self, model: &str, answers: &[(ContentHash, f64)]) -> Result<(), Error> {
        match self {
            Self::Store(cache) => Ok(cache.put(model, answers)?),
            Self::Session(session) => {
                let mut known = session.predictions.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                known.extend(answers.iter().map(|&(hash, e)| ((model.to_string(), hash), e)));
                Ok(())
            }
        }
    }
}
