//! What a name means: one model or ensemble, the same everywhere.
//!
//! The names of the models that ship with the program are theirs alone, in any spelling: no other can be kept under one, so that
//! a query answers the same in every store. Any other name means what the store keeps under it, again in any spelling, and then
//! the file or folder of that path. What is read by its path and calls itself by a name that means something else goes by the
//! path, so that their cached answers stay separate.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::embedded::{EMBEDDED, ENSEMBLES, embedded, is_embedded};
use super::ensemble::Ensemble;
use super::model::{Model, is_name};
use crate::ModelError;

/// What a name stands for.
#[derive(Debug, Clone)]
pub enum Found {
    /// One network.
    Model(Arc<Model>),
    /// An ensemble.
    Ensemble(Arc<Ensemble>),
}

impl Found {
    /// The one network.
    ///
    /// # Errors
    /// [`ModelError::Ensemble`] where there are several.
    pub fn one(self) -> Result<Arc<Model>, ModelError> {
        match self {
            Self::Model(model) => Ok(model),
            Self::Ensemble(ensemble) => Err(ModelError::Ensemble {
                name: ensemble.card().name.clone(),
                message: "several models, where one is asked for: name one of its members".into(),
            }),
        }
    }

    fn id(&self) -> &str {
        match self {
            Self::Model(model) => model.id(),
            Self::Ensemble(ensemble) => &ensemble.card().id,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Model(model) => model.name(),
            Self::Ensemble(ensemble) => &ensemble.card().name,
        }
    }

    fn called(self, name: &str) -> Self {
        match self {
            Self::Model(model) => Self::Model(model.called(name)),
            Self::Ensemble(ensemble) => Self::Ensemble(ensemble.called(name)),
        }
    }
}

impl Model {
    /// The model of that name that ships with the program, or the weights in a file (`*.safetensors.zst`) or in a folder written
    /// by `train`.
    ///
    /// # Errors
    /// As [`Model::find`].
    pub fn load(name: &str) -> Result<Arc<Self>, ModelError> {
        Self::find(name, None)
    }

    /// What [`find`] finds, where it is no ensemble.
    ///
    /// # Errors
    /// As [`find`], and an ensemble.
    pub fn find(name: &str, folder: Option<&Path>) -> Result<Arc<Self>, ModelError> {
        find(name, folder)?.one()
    }
}

/// The model or ensemble of that name, or of that path; `folder` keeps some, a folder of its name for each.
///
/// # Errors
/// [`ModelError::Unknown`] for a name that is neither, [`ModelError::NoEnergyModel`] where it is the usual energy model's;
/// [`ModelError::Io`], [`ModelError::Weights`] and [`ModelError::Ensemble`] for what cannot be read.
pub fn find(name: &str, folder: Option<&Path>) -> Result<Found, ModelError> {
    match find_by_name(name, folder) {
        Err(ModelError::Unknown { .. } | ModelError::NoEnergyModel { .. }) => {}
        found => return found,
    }
    let path = Path::new(name);
    // A folder of that name without a model does not count.
    if !path.exists() || is_name(name) && path.is_dir() && !holds_one(path) {
        return Err(unknown(name, folder));
    }
    let found = read(path)?;
    // The same weights may well go by the name that they have in the store.
    match by_name(found.name(), folder)? {
        Some(other) if other.id() != found.id() => Ok(found.called(name)),
        _ => Ok(found),
    }
}

/// The same of names alone: no file is opened but those of `folder`.
///
/// # Errors
/// As [`find`].
pub fn find_by_name(name: &str, folder: Option<&Path>) -> Result<Found, ModelError> {
    by_name(name, folder)?.ok_or_else(|| unknown(name, folder))
}

fn by_name(name: &str, folder: Option<&Path>) -> Result<Option<Found>, ModelError> {
    static LOADED: [OnceLock<Arc<Model>>; EMBEDDED.len()] = [const { OnceLock::new() }; EMBEDDED.len()];
    if let Some(place) = EMBEDDED.iter().position(|(known, _)| name.eq_ignore_ascii_case(known)) {
        if let Some(model) = LOADED[place].get() {
            return Ok(Some(Found::Model(Arc::clone(model))));
        }
        let (name, bytes) = EMBEDDED[place];
        let model = Model::from_bytes(bytes, name)?.called(name);
        return Ok(Some(Found::Model(Arc::clone(LOADED[place].get_or_init(|| model)))));
    }
    static MADE: [OnceLock<Arc<Ensemble>>; ENSEMBLES.len()] = [const { OnceLock::new() }; ENSEMBLES.len()];
    if let Some(place) = ENSEMBLES.iter().position(|(known, _)| name.eq_ignore_ascii_case(known)) {
        if let Some(ensemble) = MADE[place].get() {
            return Ok(Some(Found::Ensemble(Arc::clone(ensemble))));
        }
        let (name, text) = ENSEMBLES[place];
        let ensemble = Ensemble::read(text, Path::new(name))?.called(name);
        return Ok(Some(Found::Ensemble(Arc::clone(MADE[place].get_or_init(|| ensemble)))));
    }
    let Some((name, home)) = folder.and_then(|folder| kept(name, folder)) else { return Ok(None) };
    read(&home).map(|found| Some(found.called(&name)))
}

/// The name under which `folder` keeps what `name` means, in whatever spelling, and its folder.
pub fn kept(name: &str, folder: &Path) -> Option<(String, PathBuf)> {
    if !is_name(name) || is_embedded(name) {
        return None;
    }
    let found = spelled(name, kept_in(folder))?;
    let home = folder.join(&found);
    Some((found, home))
}

/// Which of `names` is meant by a name, in whatever spelling.
pub fn spelled(name: &str, names: Vec<String>) -> Option<String> {
    let exact = names.iter().position(|known| known == name);
    let found = exact.or_else(|| names.iter().position(|known| known.eq_ignore_ascii_case(name)))?;
    names.into_iter().nth(found)
}

/// Names of the models and ensembles that are kept in a folder, in order.
pub fn kept_in(folder: &Path) -> Vec<String> {
    names_in(folder, holds_one)
}

/// Names of the folders in a folder that hold a given file, in order.
pub fn names_in(folder: &Path, holds: impl Fn(&Path) -> bool) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let models = entries.filter(|entry| holds(&entry.path()));
    let mut names: Vec<String> = models.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| is_name(name));
    names.sort_unstable();
    names
}

fn holds_one(folder: &Path) -> bool {
    folder.is_dir() && (Ensemble::find(folder).is_some() || weights_in(folder).is_ok())
}

/// What a file or folder holds.
fn read(path: &Path) -> Result<Found, ModelError> {
    if let Some(file) = Ensemble::find(path) {
        return Ok(Found::Ensemble(Ensemble::load(&file)?));
    }
    let file = if path.is_dir() { weights_in(path)? } else { path.to_owned() };
    let bytes = std::fs::read(&file).map_err(ModelError::io(&file))?;
    Ok(Found::Model(Model::from_bytes(&bytes, &file.display().to_string())?))
}

/// The only weights in a folder.
fn weights_in(folder: &Path) -> Result<PathBuf, ModelError> {
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .map_err(ModelError::io(folder))?
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|p| p.to_string_lossy().ends_with(".safetensors.zst"))
        .collect();
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(ModelError::io(folder)("no *.safetensors.zst in this folder; name one written by `hollandite train`")),
        n => Err(ModelError::io(folder)(format!("{n} *.safetensors.zst in this folder; name one of them"))),
    }
}

fn unknown(name: &str, folder: Option<&Path>) -> ModelError {
    if name.eq_ignore_ascii_case("chgnet") {
        return ModelError::NoEnergyModel { name: name.to_owned() };
    }
    let mut known: Vec<String> = embedded().map(str::to_owned).collect();
    known.extend(folder.map(kept_in).unwrap_or_default().into_iter().filter(|name| !is_embedded(name)));
    ModelError::Unknown {
        name: name.to_owned(),
        known: format!(
            "{}, or the path of a *.safetensors.zst written by `hollandite train`; `hollandite models add FILE` brings in \
             the weights of others",
            known.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str, folder: &Path) -> (String, String) {
        let found = find(name, Some(folder)).unwrap();
        (found.name().to_owned(), found.id().to_owned())
    }

    /// Writes the weights of one of ours into a folder.
    fn write(home: &Path, of: &str) {
        std::fs::create_dir_all(home).unwrap();
        let bytes = EMBEDDED.iter().find(|(name, _)| *name == of).unwrap().1;
        std::fs::write(home.join("x.safetensors.zst"), bytes).unwrap();
    }

    #[test]
    fn a_name_means_one_model_in_any_spelling() {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("Mine"), "megnet");
        std::fs::create_dir(folder.path().join("empty")).unwrap();
        let megnet = Model::load("megnet").unwrap();
        for spelling in ["Mine", "mine", "MINE"] {
            assert_eq!(id(spelling, folder.path()), ("Mine".into(), megnet.id().to_owned()));
        }
        assert_eq!(id("MEGNet", folder.path()).0, "megnet");
        let message = find("other", Some(folder.path())).unwrap_err().to_string();
        assert!(message.contains("trees-magpie, Mine, or") && message.contains("models add FILE"), "{message}");
        let message = find("chgnet", Some(folder.path())).unwrap_err().to_string();
        assert!(message.contains("pip download chgnet"), "{message}");
    }

    #[test]
    fn what_calls_itself_by_the_name_of_another_goes_by_its_path() {
        let folder = tempfile::tempdir().unwrap();
        // A folder of an older program, or one that was copied: the name is that of the program's own.
        let home = folder.path().join("cgcnn");
        write(&home, "megnet");
        let path = home.display().to_string();
        assert_eq!(id("cgcnn", folder.path()).1, Model::load("cgcnn").unwrap().id());
        assert_eq!(kept("cgcnn", folder.path()), None);
        // The card says megnet, and so does the model; renamed, it would pass for another.
        assert_eq!(id(&path, folder.path()).0, "megnet");
        let model = Model::load("megnet").unwrap();
        let card = super::super::ModelCard { name: "cgcnn".into(), ..model.card().clone() };
        super::super::weights::save(&home.join("x.safetensors.zst"), model.net(), &card).unwrap();
        assert_eq!(id(&path, folder.path()), (path.clone(), model.id().to_owned()));
    }
}
