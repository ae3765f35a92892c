//! Hollandite: an embedded datastore of crystals, in which transition-metal oxides are screened by SQL and a trained graph
//! network answers inside the query.
//!
//! The layers stand on each other, and each knows only those before it:
//! [`crystal`] (what a crystal is), [`formats`] (CIF, POSCAR, JSON, extended XYZ, VASP), [`features`] (numbers that are
//! computed), [`models`] (numbers that are learned), [`adsorption`] (ions in tunnels), [`stability`] (the convex hull), [`columns`] (crystals as Arrow
//! arrays), [`store`] (a DuckLake of Parquet files with a SQLite catalog), [`sql`] (functions, and the plans that call
//! models late and once), [`report`] (files, pictures and polars frames), and the command line.
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
//!
//! # A query
//!
//! The functions take a column of crystals, or the text of a CIF or POSCAR. A result is a stream of Arrow batches, and a
//! polars frame where that is wanted:
//!
//! ```
//! use hollandite::{report, sql::Session};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let session = Session::without_store();
//! let perovskite = "SrTiO3
//! 1.0
//! 3.905 0 0
//! 0 3.905 0
//! 0 0 3.905
//! Sr Ti O
//! 1 1 3
//! Direct
//! 0.5 0.5 0.5
//! 0 0 0
//! 0.5 0 0
//! 0 0.5 0
//! 0 0 0.5
//! ";
//! let query = format!("SELECT spacegroup(s) AS spacegroup, density(s) AS density FROM (SELECT structure('{perovskite}') AS s)");
//! let result = session.sql(&query).await?;
//! let schema = std::sync::Arc::new(result.schema().as_arrow().clone());
//! let frame = report::dataframe(&schema, &result.collect().await?)?;
//! assert_eq!(frame.column("spacegroup")?.get(0)?.try_extract::<i64>()?, 221);
//! assert!((frame.column("density")?.f64()?.get(0).unwrap() - 5.12).abs() < 0.01); // g/cm³
//! # Ok(())
//! # }
//! ```
#![warn(missing_docs)]

pub mod adsorption;
#[doc(hidden)]
pub mod cli;
pub mod columns;
pub mod crystal;
pub mod error;
pub mod features;
pub mod formats;
pub mod models;
pub mod report;
pub mod sql;
pub mod stability;
pub mod stop;
pub mod store;

pub use error::Error;
pub use store::Store;
