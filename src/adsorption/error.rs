//! What can go wrong with ions in tunnels.

use crystal::CrystalError;
use features::FeatureError;
use models::ModelError;

/// A quantity of ions in tunnels that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum AdsorptionError {
    /// A reference energy that is missing, or that two sources state differently.
    #[error("reference energy of {ion}: {message}")]
    Reference {
        /// Symbol of the element.
        ion: String,
        /// What is known instead, and the remedy.
        message: String,
    },
    /// A quantity that is not defined for the numbers or the crystal given, and why.
    #[error("{0}")]
    Undefined(String),
    /// See [`CrystalError`].
    #[error(transparent)]
    Crystal(#[from] CrystalError),
    /// See [`FeatureError`].
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// See [`ModelError`].
    #[error(transparent)]
    Model(#[from] ModelError),
}
