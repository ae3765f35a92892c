//! What can go wrong with a cluster.

/// Why a cluster does not answer.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// An address that cannot be one.
    #[error("{0}")]
    Address(String),
    /// The engine's own.
    #[error("{doing}: {source}")]
    Engine {
        /// What was attempted.
        doing: &'static str,
        /// Why it failed.
        source: ballista_core::error::BallistaError,
    },
    /// A store that cannot be read.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// A session that cannot be made.
    #[error(transparent)]
    Session(#[from] sql::Error),
}
