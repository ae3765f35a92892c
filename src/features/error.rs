//! What keeps a feature from being computed.

use crystal::CrystalError;

/// A feature that is not defined for the crystal or the arguments given.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FeatureError {
    /// The element has no value in the table.
    #[error("{element} has no {quantity} in the {table} table; choose another radius set")]
    MissingElementData {
        /// Symbol.
        element: &'static str,
        /// What was looked up.
        quantity: &'static str,
        /// The table.
        table: &'static str,
    },
    /// An argument outside its range.
    #[error("{0}")]
    Argument(String),
    /// Power cells that do not fill the lattice cell; NaN where none could be made.
    #[error(
        "the power cells of the sites fill {filled} Å³ of a lattice cell of {volume} Å³: are sites all but on one point?"
    )]
    Tessellation {
        /// Sum over the sites, Å³.
        filled: f64,
        /// Of the lattice cell, Å³.
        volume: f64,
    },
    /// See [`CrystalError`].
    #[error(transparent)]
    Crystal(#[from] CrystalError),
    /// A quantity that this crystal does not have, or that cannot be computed for it, and why.
    #[error("{0}")]
    Undefined(String),
}
