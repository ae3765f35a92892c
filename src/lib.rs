//! Hollandite: an embedded datastore in which transition-metal oxides are screened by SQL.
#![warn(missing_docs)]

pub mod columns;
pub mod crystal;
pub mod error;
pub mod features;
pub mod formats;
pub mod store;

pub use error::Error;
pub use store::Store;
