//! SQL over crystals: the cartridge that plugs pure functions of crystals and trained models into a query engine.
//!
//! [`Session`] opens a store at a snapshot and plans queries. Its [functions](mod@functions) are declared by theme; the
//! [`optimizer`] knows what they cost and decides where in a plan a model is asked, for which rows, and how often.
//! DataFusion's error appears here and is turned into a sentence for people before it leaves.

mod adsorption;
pub mod aggregates;
mod copy;
mod cost;
mod docs;
mod enumerate;
mod environment;
mod error;
mod evaluate;
mod features;
mod featurize;
pub mod functions;
mod interval;
mod json_operators;
pub mod optimizer;
mod options;
mod pass;
mod predictor;
mod quote;
mod register;
mod relaxations;
mod reuse;
mod sample;
mod screening;
mod session;
mod statements;
mod structure_type;
pub mod table_functions;
mod units;
mod warnings;
mod write;

pub use docs::{FunctionDoc, ResultField, functions, reference_markdown};
pub use enumerate::{EnumerateOptions, EnumerateProgress, EnumerateSummary};
pub use environment::{Environment, Watcher};
pub use error::Error;
pub use evaluate::{EvaluateOptions, EvaluateProgress, EvaluateSummary, PartSummary};
pub use featurize::{FeatureSummary, FeaturizeOptions, FeaturizeProgress, FeaturizeSummary};
pub use options::HollanditeOptions;
pub use pass::{RowsDone, RowsWatcher};
pub use predictor::EnergyModel;
pub use quote::{quoted_name, quoted_text};
pub use screening::{Step, models_asked};
pub use session::Session;
pub use statements::Sweep;
pub use units::{ColumnUnits, Unit, column_units, units};
pub use warnings::Warnings;
