//! Hollandite: an embedded datastore in which transition-metal oxides are screened by SQL.
#![warn(missing_docs)]

pub mod columns;
pub mod crystal;
pub mod error;
pub mod features;
pub mod formats;
<<<<<<< HEAD
pub mod store;
=======
>>>>>>> ae02234 (Read CIF, POSCAR, JSON, JSON lines and CSV, and write the first three)

pub use error::Error;
pub use store::Store;
