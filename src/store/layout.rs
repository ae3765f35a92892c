//! The files in the folder of a store.

/// The catalog.
pub(super) const CATALOG_FILE: &str = "catalog.sqlite";
/// The Parquet files.
pub(super) const DATA_FOLDER: &str = "data";
/// Locked by the writer.
pub(super) const LOCK_FILE: &str = "writer.lock";
