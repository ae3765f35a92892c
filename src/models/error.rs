//! What can go wrong with a model, its weights and its training.

use std::path::PathBuf;

use crystal::Cause;

/// A model that cannot be loaded, trained or applied.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Unknown name; the known ones are listed.
    #[error("no model '{name}'; known models: {known}")]
    Unknown {
        /// As asked for.
        name: String,
        /// Comma-separated list.
        known: String,
    },
    /// A weights file that does not fit the architecture.
    #[error("weights {source_name}: {source}")]
    Weights {
        /// File or embedded name.
        source_name: String,
        /// What does not fit.
        source: Cause,
    },
    /// Models that cannot answer as one.
    #[error("ensemble {name}: {message}")]
    Ensemble {
        /// Its name.
        name: String,
        /// Why not.
        message: String,
    },
    /// A model that predicts no formation energy.
    #[error(
        "model {model} predicts {quantity}, not a formation energy in eV/atom: ask it with predict(structure, '{model}')['value']"
    )]
    Quantity {
        /// Model name.
        model: String,
        /// What it predicts, with its unit.
        quantity: String,
    },
    /// No energy model of that name.
    #[error("no energy model '{name}' is installed: {}", remedy(name))]
    NoEnergyModel {
        /// As asked for.
        name: String,
    },
    /// A model without a smooth energy surface.
    #[error(
        "model {model} predicts a property of a fixed crystal and has no forces; forces need an energy model, such as \
             CHGNet: `pip download chgnet --no-deps`, then `hollandite models add chgnet-*.whl`"
    )]
    NoForces {
        /// Model name.
        model: String,
    },
    /// An energy model without magnetic moments.
    #[error("model {model} has no magnetic moments; CHGNet has")]
    NoMoments {
        /// Model name.
        model: String,
    },
    /// An element that the model never saw.
    #[error("{element} is outside the training coverage of model {model}")]
    Coverage {
        /// Symbol.
        element: &'static str,
        /// Model id.
        model: String,
    },
    /// An element whose elemental reference energy is not known on the scale of the model.
    #[error("model {model} has no reference energy of {element}, which a formation energy needs")]
    NoReference {
        /// Symbol.
        element: &'static str,
        /// Model name.
        model: String,
    },
    /// The work was cancelled.
    #[error("the model was stopped before it answered")]
    Stopped,
    /// No pair of atoms lies within the cutoff.
    #[error("no two atoms lie within the model's cutoff of {cutoff} Å; the crystal graph has no bonds")]
    NoBonds {
        /// Å.
        cutoff: f64,
    },
    /// A crystal whose graph would not fit into memory.
    #[error(
        "more than {most} pairs of atoms lie within the model's reach of {cutoff:.1} Å; take the primitive cell, or a smaller one"
    )]
    TooManyBonds {
        /// Å.
        cutoff: f64,
        /// How many are accepted.
        most: usize,
    },
    /// A descriptor that the crystal does not have.
    #[error("the model's descriptor is not defined: {0}")]
    Input(String),
    /// Training data that cannot be trained on.
    #[error("training: {0}")]
    Training(String),
    /// Reading or writing a checkpoint, card or weights file.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error, or what is wrong with the file.
        source: Cause,
    },
}

impl ModelError {
    /// What is wrong with the file or folder at `path`.
    pub fn io<E: Into<Cause>>(path: impl Into<PathBuf>) -> impl Fn(E) -> Self {
        let path = path.into();
        move |source| Self::Io { path: path.clone(), source: source.into() }
    }

    /// What is wrong with the weights that `name` names.
    pub(crate) fn weights<E: Into<Cause>>(name: &str) -> impl Fn(E) -> Self {
        move |source| Self::Weights { source_name: name.to_owned(), source: source.into() }
    }
}

/// How an energy model comes in.
fn remedy(name: &str) -> &'static str {
    if name.eq_ignore_ascii_case("chgnet") {
        return "`pip download chgnet --no-deps`, then `hollandite models add chgnet-*.whl`";
    }
    "`hollandite models` lists those that are; `hollandite models add FILE` brings in the weights of CHGNet, TensorNet or Nequix"
}
