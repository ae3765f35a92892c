//! What can go wrong with a store.

use std::path::PathBuf;

use crystal::Cause;
use formats::FormatError;
use models::ModelError;

/// A store that cannot be found, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No store in the folder.
    #[error("no store in {}; make one with `hollandite --store {} init`", dir.display(), dir.display())]
    Missing {
        /// The folder.
        dir: PathBuf,
    },
    /// A folder that holds something else, or a store already.
    #[error("{}: {message}", dir.display())]
    Folder {
        /// The folder.
        dir: PathBuf,
        /// What is there, and the remedy.
        message: String,
    },
    /// A model that cannot be kept or removed.
    #[error("model {name}: {message}")]
    Model {
        /// Its name.
        name: String,
        /// Why, and the remedy.
        message: String,
    },
    /// The store may be read but not written.
    #[error("the store {} is read-only; copy it to a folder that you may write to", dir.display())]
    ReadOnly {
        /// The store.
        dir: PathBuf,
    },
    /// The catalog or its Parquet files.
    #[error("{doing}: {source}")]
    Lake {
        /// What was attempted.
        doing: &'static str,
        /// What DuckLake, DataFusion or Arrow say, or we where they say nothing.
        source: Cause,
    },
    /// The tables in `catalog.sqlite`.
    #[error("catalog.sqlite: {0}")]
    Registry(#[source] Cause),
    /// A file or folder of the store.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error, or what is wrong with the file.
        source: Cause,
    },
    /// The files to import cannot be listed.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The weights of a model. See [`ModelError`].
    #[error(transparent)]
    Weights(#[from] ModelError),
    /// A table of another shape than the one that imports fill.
    #[error("table {table} cannot take an import: {message}; import into a new table with --into NAME")]
    Shape {
        /// The table.
        table: String,
        /// The first difference.
        message: String,
    },
    /// A table that stands where features would be kept.
    #[error("table {table} cannot take features: {message}")]
    Feature {
        /// The table.
        table: String,
        /// Why, and the remedy.
        message: String,
    },
    /// A run in shards that cannot go on or be merged.
    #[error("run {run}: {message}")]
    Run {
        /// Its name.
        run: String,
        /// What stands against it, and the remedy.
        message: String,
    },
    /// A statement that cannot be carried out on the store as it is: what stands against it, and the remedy.
    #[error("{0}")]
    Statement(String),
    /// A name that cannot be a table, or is one of the registry's.
    #[error(
        "'{name}' cannot name a table; use lower-case letters, digits and _, a letter first, and none of {reserved}, nor features or \
         a name that begins with features_"
    )]
    TableName {
        /// The name.
        name: String,
        /// The names of the registry.
        reserved: String,
    },
    /// A snapshot that does not exist.
    #[error("the store has no snapshot {asked}; the newest is {newest} and the oldest {oldest}")]
    Snapshot {
        /// As asked for.
        asked: i64,
        /// First snapshot still in the catalog.
        oldest: i64,
        /// Last snapshot.
        newest: i64,
    },
}

impl StoreError {
    /// What is wrong with the file or folder at `path`.
    pub fn io(path: impl Into<PathBuf>, source: impl Into<Cause>) -> Self {
        Self::Io { path: path.into(), source: source.into() }
    }

    /// What stopped the lake while `doing` something.
    pub fn lake<E: Into<Cause>>(doing: &'static str) -> impl Fn(E) -> Self + Copy {
        move |source| Self::Lake { doing, source: source.into() }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Registry(error.into())
    }
}
