//! Hollandite: an embedded datastore of crystals, in which transition-metal oxides are screened by SQL and a trained graph
//! network answers inside the query.
//!
//! The layers stand on each other, and each knows only those before it:
//! [`crystal`] (what a crystal is), [`formats`] (CIF, POSCAR, JSON, CSV), [`features`] (numbers that are computed),
//! [`models`] (numbers that are learned), [`columns`] (crystals as Arrow arrays), [`store`] (a DuckLake of Parquet files
//! with a SQLite catalog), [`sql`] (functions, and the plans that call models late and once), [`report`] (files and polars
//! frames), and the command line.
//!
//! # A crystal
//!
//! Rutile, with the cell and the oxygen coordinate of Swope, Smyth & Larson, *Am. Mineral.* **80** (1995) 448:
//!
//! ```
//! use hollandite::crystal::{DEFAULT_SYMPREC, Element, Lattice, Structure, Symmetry};
//! use hollandite::features::density;
//!
//! let (ti, o, x) = (Element::from_symbol("Ti")?, Element::from_symbol("O")?, 0.30496);
//! let rutile = Structure::new(
//!     Lattice::from_parameters(4.5922, 4.5922, 2.9574, 90.0, 90.0, 90.0)?, // Å and degrees
//!     vec![ti, ti, o, o, o, o],
//!     vec![
//!         [0.0, 0.0, 0.0],
//!         [0.5, 0.5, 0.5],
//!         [x, x, 0.0],
//!         [1.0 - x, 1.0 - x, 0.0],
//!         [0.5 - x, 0.5 + x, 0.5],
//!         [0.5 + x, 0.5 - x, 0.5],
//!     ],
//! )?;
//! let symmetry = Symmetry::of(&rutile, DEFAULT_SYMPREC)?;
//! assert_eq!((symmetry.number, symmetry.symbol.as_str()), (136, "P4_2/mnm"));
//! assert!((density(&rutile) - 4.25).abs() < 0.01); // g/cm³
//! assert_eq!(rutile.composition().reduced_formula(), "TiO2");
//! # Ok::<(), hollandite::Error>(())
//! ```
#![warn(missing_docs)]

pub mod columns;
pub mod crystal;
pub mod error;
pub mod features;
pub mod formats;
pub mod models;
pub mod report;
pub mod sql;
pub mod store;

pub use error::Error;
pub use store::Store;
