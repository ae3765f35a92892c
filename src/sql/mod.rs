//! SQL over crystals: the cartridge that plugs pure functions of crystals and trained models into a query engine.
//!
//! [`Session`] opens a store at a snapshot and plans queries. Its [functions](mod@functions) are declared by theme; the
//! [`optimizer`] knows what they cost and decides where in a plan a model is called, for which rows, and how often.
//! DataFusion's error appears here and is turned into a readable sentence before it leaves.

pub mod aggregates;
mod asked;
mod bind;
mod bounded;
mod copy;
mod cost;
mod docs;
mod environment;
mod error;
mod feature;
mod feature_column;
pub mod functions;
mod insertions;
mod interval;
mod journeys;
mod json_operators;
pub mod optimizer;
mod options;
mod parameters;
mod pass;
mod predictor;
mod property_model;
mod quote;
mod register;
mod relaxations;
mod reuse;
mod run;
mod sample;
mod sampler;
mod session;
mod single_points;
mod statements;
mod structure_type;
pub mod table_functions;
mod templates;
mod units;
mod warnings;
mod watchers;
mod write;

pub use asked::{models_asked, relaxes};
pub use bind::{Bound, Values};
pub use docs::{FunctionDoc, ResultField, functions, reference_markdown};
pub use environment::Environment;
pub use error::Error;
pub use feature::Feature;
pub use feature_column::FeatureColumn;
pub use options::HollanditeOptions;
pub use property_model::PropertyModel;
pub use quote::{quoted_name, quoted_text};
pub use sampler::ChosenSampler;
pub use session::Session;
pub use statements::{Parsed, Sweep};
pub use structure_type::{Crystals, sql_type};
pub use templates::{request_of_elements, request_of_formula};
pub use units::{ColumnUnits, Unit, column_units, units};
pub use warnings::{Carried as CarriedWarnings, Warnings};
pub use watchers::{RowsDone, RowsWatcher, Watcher};
