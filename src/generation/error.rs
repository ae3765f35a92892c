//! What keeps a crystal from being described, or made.

use std::path::PathBuf;

use crystal::{Cause, CrystalError};
use models::ModelError;

/// A crystal that cannot be written as tokens, tokens that are no crystal, or a prototype that cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum GenerationError {
    /// No choice of oxidation states is charge-neutral.
    #[error(
        "{0} is not charge-neutral in any of the usual oxidation states: is an atom missing, hydrogen for instance?"
    )]
    Charges(String),
    /// A space group outside 1 to 230.
    #[error("space group {0} is outside 1 to 230")]
    Group(u16),
    /// A letter that names no Wyckoff position of the space group.
    #[error("space group {group} has no Wyckoff position '{letter}'; its positions are {known}")]
    Position {
        /// Number of the space group.
        group: u16,
        /// The letter.
        letter: char,
        /// The letters that there are.
        known: String,
    },
    /// A position without a free coordinate that is occupied twice.
    #[error("Wyckoff position {letter} of space group {group} has no free coordinate, and holds one ion, not two")]
    Occupied {
        /// Number of the space group.
        group: u16,
        /// The letter.
        letter: char,
    },
    /// An ion of which Shannon lists no radius.
    #[error("Shannon lists no ion of {element} with a charge of {charge:+}")]
    Radius {
        /// Symbol.
        element: &'static str,
        /// Charge, e.
        charge: i8,
    },
    /// Tokens whose ions had room in no draw.
    #[error("in no draw of coordinates the ions of {0} have room")]
    Overlap(String),
    /// Tokens whose best draw is of another symmetry than they say, which fewer tokens describe.
    #[error("the best draw of {tokens} is of space group {found}")]
    Symmetry {
        /// The tokens.
        tokens: String,
        /// Number of its space group.
        found: u16,
    },
    /// A prototype outside what its geometry allows.
    #[error("{0}")]
    Prototype(String),
    /// A name that no sampler has.
    #[error("no sampler '{name}'; known: {known}")]
    Sampler {
        /// The name.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// A condition that the sampler does not support.
    #[error(
        "sampler '{sampler}' knows nothing of {condition}: take sampler '{other}', which has learned what crystals of it are made of"
    )]
    Condition {
        /// Name of the sampler.
        sampler: &'static str,
        /// Name of the condition.
        condition: &'static str,
        /// Name of a sampler that supports it.
        other: &'static str,
    },
    /// An element that the sampler does not know.
    #[error(
        "sampler '{sampler}' has learned from no crystal with {element}: leave it out, or take sampler '{instead}'"
    )]
    Element {
        /// Name of the sampler.
        sampler: String,
        /// Symbol.
        element: &'static str,
        /// Name of a sampler that may know it.
        instead: &'static str,
    },
    /// Weights of a network that do not fit.
    #[error("weights of a generator: {0}")]
    Weights(#[source] Cause),
    /// Crystals that a network cannot learn from.
    #[error("training: {0}")]
    Training(String),
    /// A file of a training that cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error, or what is wrong with the file.
        source: Cause,
    },
    /// See [`CrystalError`].
    #[error(transparent)]
    Crystal(#[from] CrystalError),
    /// See [`ModelError`]: a checkpoint that cannot be read or written, or is of another run.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl GenerationError {
    /// What is wrong with the file or folder at `path`.
    pub fn io<E: Into<Cause>>(path: impl Into<PathBuf>) -> impl Fn(E) -> Self {
        let path = path.into();
        move |source| Self::Io { path: path.clone(), source: source.into() }
    }

    /// What is wrong with weights.
    pub(crate) fn weights(source: impl Into<Cause>) -> Self {
        Self::Weights(source.into())
    }
}
