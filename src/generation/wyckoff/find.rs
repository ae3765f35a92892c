//! What a name means: a network that a store keeps, a folder of its name for each, or the weights of that path.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use models::{is_name, names_in, spelled};

use super::WyckoffModel;
use crate::{GenerationError, SamplerKind};

impl WyckoffModel {
    /// The network that `folder` keeps under a name, in any spelling; and where `paths` may be named, the weights of that file or folder.
    /// It goes by the name, or the path, that it was found by.
    ///
    /// # Errors
    /// No such network, with those that there are, or weights that cannot be read.
    pub fn find(name: &str, folder: Option<&Path>, paths: bool) -> Result<Arc<Self>, GenerationError> {
        if let Some((name, home)) = folder.and_then(|folder| Self::kept(name, folder)) {
            return Self::called(&weights_in(&home).unwrap_or(home), &name);
        }
        let path = Path::new(name);
        let file = if path.is_file() && is_weights(path) { Some(path.to_owned()) } else { weights_in(path) };
        match file.filter(|_| paths) {
            Some(file) => Self::called(&file, name),
            None => Err(unknown(name, folder, paths)),
        }
    }

    /// The name under which `folder` keeps what `name` means, in whatever spelling, and its folder.
    pub fn kept(name: &str, folder: &Path) -> Option<(String, PathBuf)> {
        if !is_name(name) {
            return None;
        }
        let found = spelled(name, Self::kept_in(folder))?;
        let home = folder.join(&found);
        Some((found, home))
    }

    /// Names of the networks that are kept in a folder, in order; those of the samplers that ship mean them alone.
    pub fn kept_in(folder: &Path) -> Vec<String> {
        let mut names = names_in(folder, |home| weights_in(home).is_some());
        names.retain(|name| matches!(SamplerKind::from(name.as_str()), SamplerKind::Trained(_)));
        names
    }

    fn called(file: &Path, name: &str) -> Result<Arc<Self>, GenerationError> {
        let mut model = Self::load(file)?;
        name.clone_into(&mut model.card.name);
        Ok(Arc::new(model))
    }
}

fn is_weights(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "safetensors")
}

/// The weights in a folder, where they are the only ones.
fn weights_in(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> = entries.filter(|path| path.is_file() && is_weights(path)).collect();
    found.pop().filter(|_| found.is_empty())
}

fn unknown(name: &str, folder: Option<&Path>, paths: bool) -> GenerationError {
    let mut known = vec![SamplerKind::TEMPLATES.to_owned(), SamplerKind::WYCKOFF.to_owned()];
    known.extend(folder.map(WyckoffModel::kept_in).unwrap_or_default());
    let path = ", or the path of what `hollandite train --model wyckoff` has written";
    GenerationError::Sampler { name: name.to_owned(), known: known.join(", ") + if paths { path } else { "" } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wyckoff::EMBEDDED;

    #[test]
    fn a_name_means_one_network_and_a_path_only_where_paths_may_be_named() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("models");
        for name in ["Mine", "empty", "two", "Wyckoff"] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
        }
        for file in ["Mine/x", "Wyckoff/x", "two/x", "two/y", "../loose"] {
            std::fs::write(folder.join(format!("{file}.safetensors")), EMBEDDED).unwrap();
        }
        // Weights that predict are not of a network that writes.
        std::fs::write(folder.join("empty/x.safetensors.zst"), "").unwrap();
        assert_eq!(WyckoffModel::kept_in(&folder), ["Mine"]);
        let name = |asked: &str, paths| WyckoffModel::find(asked, Some(&folder), paths).map(|m| m.card().name.clone());
        for (asked, paths) in [("Mine", false), ("mine", false), ("MINE", true)] {
            assert_eq!(name(asked, paths).unwrap(), "Mine");
        }
        let [home, loose] = ["models/Mine", "loose.safetensors"].map(|p| place.path().join(p).display().to_string());
        for path in [home, loose] {
            // What is read by its path goes by it, whatever it calls itself.
            assert_eq!(name(&path, true).unwrap(), path);
            let message = name(&path, false).unwrap_err().to_string();
            assert_eq!(message, format!("no sampler '{path}'; known: templates, wyckoff, Mine"));
        }
        for asked in ["empty", "two", "../loose.safetensors", "other", ""] {
            let message = name(asked, true).unwrap_err().to_string();
            assert!(message.contains("templates, wyckoff, Mine, or the path of what"), "{message}");
        }
        std::fs::write(folder.join("Mine/x.safetensors"), "none").unwrap();
        assert!(matches!(name("mine", false), Err(GenerationError::Weights(_))));
    }
}
