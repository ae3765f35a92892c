//! What can go wrong, one enum per layer. A message names the quantity that was found, what was expected and, where a
//! person can do something about it, the remedy. DataFusion's own error appears only at the `sql` boundary.

use std::path::PathBuf;

/// A crystal that cannot exist, or that we refuse to guess about.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CrystalError {
    /// The symbol is not one of the 118 elements.
    #[error("'{0}' is not a chemical element; expected a symbol such as O, Ti or Mo")]
    UnknownElement(String),
    /// The atomic number is outside 1..=118.
    #[error("atomic number {0} is outside 1..=118")]
    UnknownAtomicNumber(i64),
    /// A formula that cannot be read; `column` counts characters from 1.
    #[error("formula '{formula}', column {column}: {message}")]
    Formula {
        /// The text as given.
        formula: String,
        /// Character position of the fault, from 1.
        column: usize,
        /// What was expected and what was found.
        message: String,
    },
    /// A lattice that is not finite, is flat, or is too large to be a crystal.
    #[error("lattice: {0}")]
    Lattice(String),
    /// Lists of unlike lengths, or no site at all.
    #[error("{0}")]
    Sites(String),
    /// Two sites nearer than [`crate::crystal::MIN_SITE_DISTANCE`].
    #[error(
        "sites {i} ({first}) and {j} ({second}) are {distance:.3} Å apart, nearer than {limit} Å; \
         check the symmetry operations (origin choice) or delete the duplicate site"
    )]
    Overlap {
        /// Index of the first site, from 1.
        i: usize,
        /// Index of the second site, from 1.
        j: usize,
        /// Symbol of the first site.
        first: &'static str,
        /// Symbol of the second site.
        second: &'static str,
        /// Distance in Å, periodic images included.
        distance: f64,
        /// The smallest distance accepted, Å.
        limit: f64,
    },
    /// Partially occupied sites have no single crystal to compute with.
    #[error(
        "site {site} has occupancy {occupancy}; only fully occupied sites are accepted: `hollandite import --order` orders the \
         structure, or order it first (for instance with a supercell enumeration)"
    )]
    PartialOccupancy {
        /// Label of the site.
        site: String,
        /// Occupancy as read.
        occupancy: f64,
    },
    /// The symmetry search failed.
    #[error("symmetry search at symprec {symprec} Å failed: {message}")]
    Symmetry {
        /// Tolerance in Å.
        symprec: f64,
        /// moyo's own words.
        message: String,
    },
}

/// Where in a text a fault lies, both counted from 1. Column 0: the whole line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1; 0 where the whole line is meant.
    pub column: usize,
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.column {
            0 => write!(f, "line {}", self.line),
            column => write!(f, "line {}, column {column}", self.line),
        }
    }
}

/// A text that is not the crystal it claims to be.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The file cannot be opened, read or decompressed.
    #[error("{}: {message}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's own words, and the remedy.
        message: String,
    },
    /// A fault at a place in the text.
    #[error("{at}: {message}")]
    Syntax {
        /// Where.
        at: Position,
        /// Expected and found, and the remedy.
        message: String,
    },
    /// The text is well formed but its crystal is not; `at` is the line of the block or record.
    #[error("{at}: {source}")]
    Crystal {
        /// First line of the block or record, or of the offending site where known.
        at: Position,
        /// What is wrong with it.
        source: CrystalError,
    },
}

impl FormatError {
    /// A syntax error at a line and column (both from 1).
    pub fn syntax(line: usize, column: usize, message: impl Into<String>) -> Self {
        Self::Syntax { at: Position { line, column }, message: message.into() }
    }

    /// The same error where its text stands below `lines` other lines.
    pub fn below(mut self, lines: usize) -> Self {
        if let Self::Syntax { at, .. } | Self::Crystal { at, .. } = &mut self {
            at.line += lines;
        }
        self
    }

    /// The place of the fault, where there is one.
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::Io { .. } => None,
            Self::Syntax { at, .. } | Self::Crystal { at, .. } => Some(*at),
        }
    }
}

/// A feature that is not defined for the crystal or the arguments given.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FeatureError {
    /// The element has no value in the table asked for.
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
    /// A quantity that this crystal does not have, or that cannot be computed for it, and why.
    #[error("{0}")]
    Undefined(String),
}

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
    #[error("weights {source_name}: {message}")]
    Weights {
        /// File or embedded name.
        source_name: String,
        /// What does not fit.
        message: String,
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
    #[error(
        "no energy model '{name}' is installed: `pip download chgnet --no-deps`, then `hollandite models add chgnet-*.whl`"
    )]
    NoEnergyModel {
        /// As asked for.
        name: String,
    },
    /// A model without a smooth energy surface.
    #[error(
        "model {model} predicts a property of a fixed crystal and has no forces; forces need CHGNet: \
             `pip download chgnet --no-deps`, then `hollandite models add chgnet-*.whl`"
    )]
    NoSlopes {
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
    /// An element whose energy by itself is not known on the scale of the model.
    #[error("model {model} has no reference energy of {element}, which a formation energy needs")]
    NoReference {
        /// Symbol.
        element: &'static str,
        /// Model name.
        model: String,
    },
    /// The work was no longer wanted.
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
    #[error("{}: {message}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's own words.
        message: String,
    },
}

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
    /// The catalog or its Parquet files, in DuckLake's own words.
    #[error("{doing}: {message}")]
    Lake {
        /// What was attempted.
        doing: &'static str,
        /// The cause.
        message: String,
    },
    /// The tables in `catalog.sqlite`, in SQLite's own words.
    #[error("catalog.sqlite: {0}")]
    Registry(String),
    /// A file or folder of the store.
    #[error("{}: {message}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's own words.
        message: String,
    },
    /// The files to import cannot be listed.
    #[error(transparent)]
    Format(#[from] FormatError),
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
    /// A statement that cannot be carried out on the store as it is: what stands against it, and the remedy.
    #[error("{0}")]
    Statement(String),
    /// A name that cannot be a table, or is one of the registry's.
    #[error(
        "'{0}' cannot name a table; use lower-case letters, digits and _, a letter first, and none of featurizers, \
         imports, models, predictions, quarantine, snapshots, trials, tunings, nor features or a name that begins with features_"
    )]
    TableName(String),
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
    /// An operating-system error at a path.
    pub fn io(path: impl Into<PathBuf>, error: &std::io::Error) -> Self {
        Self::Io { path: path.into(), message: error.to_string() }
    }

    /// An error of the lake while `doing` something.
    pub fn lake(doing: &'static str) -> impl Fn(datafusion_ducklake::DuckLakeError) -> Self {
        move |error| Self::Lake { doing, message: error.to_string() }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Registry(error.to_string())
    }
}

/// A result that cannot be written, or cannot become a frame.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The file or folder cannot be written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
    /// The stream that the result goes to is closed or full.
    #[error("output: {0}")]
    Stream(#[from] std::io::Error),
    /// The result does not fit the format asked for.
    #[error("{0}")]
    Format(String),
    /// A column that Arrow cannot convert.
    #[error(transparent)]
    Arrow(#[from] arrow::error::ArrowError),
    /// A column that Parquet cannot hold.
    #[error(transparent)]
    Parquet(#[from] parquet::errors::ParquetError),
    /// A column that polars cannot hold.
    #[error(transparent)]
    Frame(#[from] polars::error::PolarsError),
}

impl ReportError {
    /// The system refused `path`.
    pub fn io(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::Io { path: path.into(), source: std::io::Error::new(error.kind(), error.to_string()) }
    }

    /// Whether the reader of the output went away, as `head` does: no error to a person.
    pub fn is_broken_pipe(&self) -> bool {
        let broken = |e: &std::io::Error| e.kind() == std::io::ErrorKind::BrokenPipe;
        match self {
            Self::Io { source, .. } | Self::Stream(source) => broken(source),
            Self::Arrow(arrow::error::ArrowError::IoError(_, source)) => broken(source),
            // Arrow's CSV writer keeps the words of the system's error and not the error.
            Self::Arrow(arrow::error::ArrowError::CsvError(message)) => message.contains("Broken pipe"),
            _ => false,
        }
    }
}

/// Any error of the layers below `sql`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// See [`CrystalError`].
    #[error(transparent)]
    Crystal(#[from] CrystalError),
    /// See [`FormatError`].
    #[error(transparent)]
    Format(#[from] FormatError),
    /// See [`FeatureError`].
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// See [`ModelError`].
    #[error(transparent)]
    Model(#[from] ModelError),
    /// See [`AdsorptionError`].
    #[error(transparent)]
    Adsorption(#[from] AdsorptionError),
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A query that cannot be planned or run: one sentence, without the engine's nested prefixes.
    #[error("{0}")]
    Sql(String),
}
