//! Changes of what the lake is made of: tables, columns and views made, renamed and dropped, and the way back to a snapshot.
//! Each is one snapshot, written to the catalog in one transaction and in DuckLake's own terms, so that any client reads it.

mod alter;
mod commit;
mod create;
mod restore;
mod views;

pub use restore::Restored;
pub use views::{View, definition_for_the_lake};

use commit::Commit;
