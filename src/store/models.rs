//! Models that are kept with a store: a folder each under `STORE/models`, and a row of the table `models`.

use std::path::PathBuf;

use super::lake::Store;
use crate::StoreError;
use generation::{SamplerKind, WyckoffModel};
use models::network::Net;
use models::{Model, ModelCard, is_embedded, is_name, kept, kept_in, weights};

impl Store {
    /// Keeps a network under the name of its card, whole or not at all.
    ///
    /// # Errors
    /// A name that cannot be one or is taken, a store that may not be written to.
    pub fn add_model(&self, net: &Net, card: &ModelCard) -> Result<PathBuf, StoreError> {
        self.writer()?;
        let name = &card.name;
        self.free_model_name(name)?;
        let home = self.models_folder().join(name);
        let refuse = |message: &str| StoreError::Model { name: name.clone(), message: message.into() };
        if home.exists() {
            return Err(refuse("a training of that name has begun; give another with --name"));
        }
        let draft = self.models_folder().join(format!(".{name}.{}.new", std::process::id()));
        let io = |e: std::io::Error| StoreError::io(&draft, e);
        let _ = std::fs::remove_dir_all(&draft);
        std::fs::create_dir_all(&draft).map_err(io)?;
        let file = format!("{name}.safetensors.zst");
        let written = weights::save(&draft.join(&file), net, card).map_err(StoreError::from);
        let renamed = written.and_then(|()| std::fs::rename(&draft, &home).map_err(io));
        if let Err(error) = renamed {
            let _ = std::fs::remove_dir_all(&draft);
            return Err(error);
        }
        let json = serde_json::to_string(card).map_err(|e| refuse(&e.to_string()))?;
        self.predictions()?.remember_model(&card.id, name, &json)?;
        Ok(home.join(file))
    }

    /// Refuses a name under which no other model can be kept: what a name means is decided once.
    ///
    /// # Errors
    /// A name that cannot be one, that of a model that ships with the program, or that of a model or ensemble of the store.
    pub fn free_model_name(&self, name: &str) -> Result<(), StoreError> {
        self.model_name(name)?;
        let folder = self.models_folder();
        match kept(name, &folder).or_else(|| WyckoffModel::kept(name, &folder)) {
            None => Ok(()),
            Some((known, _)) => Err(StoreError::Model {
                name: name.to_owned(),
                message: format!(
                    "the store has a model of that name; remove it first (`hollandite models remove {known}`), or give \
                     another with --name"
                ),
            }),
        }
    }

    /// Refuses what cannot be the name of a model of the store.
    ///
    /// # Errors
    /// A name that cannot be one, or that of a model that ships with the program.
    pub fn model_name(&self, name: &str) -> Result<(), StoreError> {
        let refuse = |message: &str| StoreError::Model { name: name.to_owned(), message: message.into() };
        if !is_name(name) {
            return Err(refuse("a name has letters, digits, '.', '_' and '-' only, 64 at most; give one with --name"));
        }
        if is_embedded(name) || !matches!(SamplerKind::from(name), SamplerKind::Trained(_)) {
            return Err(refuse("a model of that name ships with the program; give another with --name"));
        }
        Ok(())
    }

    /// Makes the folder of a model to come, `STEM-1`, `STEM-2`, ..., the first that is free; returns its name.
    ///
    /// # Errors
    /// A store that may not be written to.
    pub fn new_model(&self, stem: &str) -> Result<String, StoreError> {
        let folder = self.models_folder();
        std::fs::create_dir_all(&folder).map_err(|e| StoreError::io(&folder, e))?;
        for number in 1_usize.. {
            let name = format!("{stem}-{number}");
            let home = folder.join(&name);
            match std::fs::create_dir(&home) {
                Ok(()) => return Ok(name),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(StoreError::io(&home, e)),
            }
        }
        unreachable!("some number is free")
    }

    /// The last name that [`Store::new_model`] gave for `stem`.
    pub fn last_model(&self, stem: &str) -> Option<String> {
        let entries = std::fs::read_dir(self.models_folder()).into_iter().flatten().flatten();
        let number = |name: &str| name.strip_prefix(stem)?.strip_prefix('-')?.parse::<usize>().ok();
        entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter_map(|name| Some((number(&name)?, name)))
            .max()
            .map(|(_, name)| name)
    }

    /// The model of that name or path, as [`find`](models::find) has it.
    ///
    /// # Errors
    /// As [`Model::find`].
    pub fn model(&self, name: &str) -> Result<std::sync::Arc<Model>, StoreError> {
        Ok(Model::find(name, Some(&self.models_folder()))?)
    }

    /// Names of the models and ensembles that are kept here, in order.
    pub fn model_names(&self) -> Vec<String> {
        kept_in(&self.models_folder())
    }

    /// Names of the networks that write crystals and are kept here, in order.
    pub fn generator_names(&self) -> Vec<String> {
        WyckoffModel::kept_in(&self.models_folder())
    }

    /// Takes a model, an ensemble or a generator out of the store. The numbers that it answered stay, with its card.
    ///
    /// # Errors
    /// No model of that name, a store that may not be written to.
    pub fn remove_model(&self, name: &str) -> Result<(), StoreError> {
        self.writer()?;
        let names = [self.model_names(), self.generator_names()].concat();
        if !names.iter().any(|known| known == name) {
            let known = match names.is_empty() {
                true => "the store keeps none".to_owned(),
                false => format!("the store keeps {}", names.join(", ")),
            };
            let ships = if is_embedded(name) { ", for it ships with the program" } else { "" };
            let message = format!("no such model{ships}; {known}");
            return Err(StoreError::Model { name: name.to_owned(), message });
        }
        let home = self.models_folder().join(name);
        // Weights that can no longer be read are removed all the same.
        let id = Model::load(&home.display().to_string()).ok().map(|model| model.id().to_owned());
        std::fs::remove_dir_all(&home).map_err(|e| StoreError::io(&home, e))?;
        if let Some(id) = id {
            self.predictions()?.forget_model(&id)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_name_is_given_once() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::init(&dir.path().join("s")).await.unwrap();
        assert_eq!(store.last_model("cgcnn"), None);
        assert_eq!(["cgcnn"; 2].map(|stem| store.new_model(stem).unwrap()), ["cgcnn-1", "cgcnn-2"]);
        assert_eq!(store.last_model("cgcnn").as_deref(), Some("cgcnn-2"));
        assert_eq!(store.last_model("cg"), None);
        let refused = |name: &str| store.free_model_name(name).unwrap_err().to_string();
        for (name, said) in [
            ("CGCNN", "ships with the program"),
            ("Wyckoff", "ships with the program"),
            ("templates", "ships with the program"),
            ("a/b", "letters, digits"),
            ("", "letters, digits"),
        ] {
            assert!(refused(name).contains(said), "{name}: {}", refused(name));
        }
        let weights = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/models/megnet.safetensors.zst");
        std::fs::copy(weights, dir.path().join("s/models/cgcnn-2/x.safetensors.zst")).unwrap();
        assert_eq!(store.model("cgcnn-2").unwrap().name(), "cgcnn-2");
        assert!(refused("cgcnn-2").contains("remove cgcnn-2") && refused("CGCNN-2").contains("remove cgcnn-2"));
        store.free_model_name("cgcnn-3").unwrap();
        assert!(
            store.remove_model("megnet").unwrap_err().to_string().contains("ships with the program; the store keeps")
        );
        store.remove_model("cgcnn-2").unwrap();
        assert!(store.model("cgcnn-2").is_err());
        // A generator has its name for itself too.
        let weights = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/generators/wyckoff.safetensors");
        std::fs::copy(weights, dir.path().join("s/models/cgcnn-1/x.safetensors")).unwrap();
        assert_eq!((store.model_names(), store.generator_names()), (vec![], vec!["cgcnn-1".to_owned()]));
        assert!(refused("Cgcnn-1").contains("remove cgcnn-1"));
        store.remove_model("cgcnn-1").unwrap();
        assert!(store.generator_names().is_empty());
        store.free_model_name("cgcnn-1").unwrap();
    }
}
