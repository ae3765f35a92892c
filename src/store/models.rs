//! Models that are kept with a store: a folder each under `STORE/models`, and a row of the table `models`.

use std::path::PathBuf;

use super::lake::Store;
use crate::error::{Error, StoreError};
use crate::models::network::Net;
use crate::models::{Model, ModelCard, is_name, kept_in, weights};

impl Store {
    /// Keeps a network under the name of its card, whole or not at all.
    ///
    /// # Errors
    /// A name that cannot be one or is taken, a store that may not be written to.
    pub fn add_model(&self, net: &Net, card: &ModelCard) -> Result<PathBuf, Error> {
        self.writer()?;
        let name = &card.name;
        let refuse = |message: &str| StoreError::Model { name: name.clone(), message: message.into() };
        if !is_name(name) {
            return Err(
                refuse("a name has letters, digits, '.', '_' and '-' only, 64 at most; give one with --name").into()
            );
        }
        if Model::is_embedded(name) {
            return Err(refuse("a model of that name ships with the program; give another with --name").into());
        }
        let home = self.models_folder().join(name);
        if home.exists() {
            return Err(
                refuse("the store has a model of that name; remove it first, or give another with --name").into()
            );
        }
        let draft = self.models_folder().join(format!(".{name}.{}.new", std::process::id()));
        let io = |e: std::io::Error| StoreError::io(&draft, &e);
        let _ = std::fs::remove_dir_all(&draft);
        std::fs::create_dir_all(&draft).map_err(io)?;
        let file = format!("{name}.safetensors.zst");
        let written = weights::save(&draft.join(&file), net, card).map_err(Error::from);
        let renamed = written.and_then(|()| Ok(std::fs::rename(&draft, &home).map_err(io)?));
        if let Err(error) = renamed {
            let _ = std::fs::remove_dir_all(&draft);
            return Err(error);
        }
        let json = serde_json::to_string(card).map_err(|e| refuse(&e.to_string()))?;
        self.predictions()?.remember_model(&card.id, name, &json)?;
        Ok(home.join(file))
    }

    /// The model of that name or path: one that ships, one of the store, or a file.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn model(&self, name: &str) -> Result<std::sync::Arc<Model>, Error> {
        Ok(Model::find(name, Some(&self.models_folder()))?)
    }

    /// Names of the models that are kept here, in order.
    pub fn model_names(&self) -> Vec<String> {
        kept_in(&self.models_folder())
    }

    /// Takes a model out of the store. The numbers that it answered stay, with its card.
    ///
    /// # Errors
    /// No model of that name, a store that may not be written to.
    pub fn remove_model(&self, name: &str) -> Result<(), Error> {
        self.writer()?;
        if !self.model_names().iter().any(|known| known == name) {
            let known = match self.model_names() {
                names if names.is_empty() => "the store keeps none".to_owned(),
                names => format!("the store keeps {}", names.join(", ")),
            };
            return Err(StoreError::Model { name: name.to_owned(), message: format!("no such model; {known}") }.into());
        }
        let home = self.models_folder().join(name);
        // Weights that can no longer be read are removed all the same.
        let id = self.model(name).ok().map(|model| model.id().to_owned());
        std::fs::remove_dir_all(&home).map_err(|e| StoreError::io(&home, &e))?;
        if let Some(id) = id {
            self.predictions()?.forget_model(&id)?;
        }
        Ok(())
    }
}
