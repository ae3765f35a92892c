//! Crystals as Arrow columns, both ways.
//!
//! A structure is a `STRUCT<lattice LIST<DOUBLE>, numbers LIST<INT>, frac_coords LIST<DOUBLE>>`: plain columns that any
//! Arrow or Parquet reader understands without us. [`StructureBuilder`] writes such a column, [`StructureColumn`] reads
//! one, borrowing its numbers where they already have the right type.

mod structure;

pub use structure::{StructureBuilder, StructureColumn, structure_type, structures};
