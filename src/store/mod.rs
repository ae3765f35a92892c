//! The store: a folder with a DuckLake catalog and its Parquet files.
//!
//! ```text
//! STORE/catalog.sqlite     snapshots, tables, files, statistics (DuckLake 1.0); our own tables are hollandite_*
//! STORE/data/main/tmo/     Parquet
//! STORE/models/NAME/       weights that `train` and `models add` put there
//! STORE/writer.lock        held by the import in progress, and says which it is; the next one waits
//! STORE/shards/RUN/          branches in which the shards of a run work, until they are merged
//! STORE/features.lock      the same for `featurize`, which takes the writer's turn for each of its commits
//! ```
//!
//! Any DuckLake client attaches it: `ATTACH 'ducklake:sqlite:STORE/catalog.sqlite'`. An import is one snapshot, present
//! as a whole or not at all. Every snapshot stays readable.

mod adopt;
mod computed;
mod data_only;
mod ddl;
mod deep;
mod derived;
mod dft;
mod electrodes;
mod embedded;
mod error;
mod evaluations;
mod features;
mod files;
mod holder;
mod import;
mod info;
mod inlined;
mod lake;
mod layout;
mod model_list;
mod models;
mod moments;
mod names;
mod nearest;
mod new_table;
mod overlay;
mod planner;
mod predictions;
mod quarantine;
mod query;
mod register;
mod registry;
mod registry_tables;
mod results;
mod row_sums;
mod rows;
mod shards;
mod spool;
mod storable;
mod sums;
mod sweep;
mod tables;
mod tidy;
mod tunings;
mod turn;
mod verify;

pub use ddl::{Restored, View, definition_for_the_lake};
pub use deep::DeepReport;
pub use derived::{columns_of_crystals, derive, derived, derived_fields, holds_crystals};
pub use dft::{DftOptions, DftSummary};
pub use electrodes::ElectrodeSummary;
pub use error::StoreError;
pub use evaluations::{Evaluated, EvaluatedBy};
pub use features::{FeatureInfo, FeatureTable, FeatureValues, Featurizer, Materialised, Place};
pub use holder::{Holder, WaitWatcher, waiting_for};
pub use import::{ImportOptions, ImportSummary};
pub use info::{Info, Snapshot, TableInfo};
pub use lake::{CATALOG, SCHEMA, Store};
pub use model_list::KnownModel;
pub use moments::moment;
pub use nearest::{did_you_mean, nearest};
pub use predictions::PredictionCache;
pub use quarantine::Quarantined;
pub use query::{STACK, check_depth, depth, parsed, replace_tables, tables_of, with_versions};
pub use results::{AdsorptionRow, ChargeRow, Crystal, DftRunRow, Electrode, ReferenceEnergy, References, ResultRow};
pub use rows::{Onto, is_of_the_lake};
pub use shards::{Branch, Lent, Manifest, MergeSummary, Plan, Shard};
pub use tables::{Column, columns, dictionary, meanings, schema};
pub use tunings::Tuning;
pub use turn::Turn;
pub use verify::{Problem, VerifyReport};
