//! Hollandite: an embedded datastore of crystals, in which transition-metal oxides are screened by SQL and a trained graph
//! network answers inside the query.
//!
//! The layers stand on each other, each a package in a folder of `src` that knows only those before it:
//! [`crystal`] (what a crystal is), [`formats`] (CIF, POSCAR, JSON, extended XYZ, VASP), [`features`] (numbers that are
//! computed), [`models`] (numbers that are learned), [`adsorption`] (ions in tunnels), [`stability`] (the convex hull),
//! [`generation`] (hypothetical crystals), [`columns`] (crystals as Arrow arrays), [`store`] (a DuckLake of Parquet files with a
//! SQLite catalog), [`sql`] (functions, and the plans that call models late and once), [`jobs`] (work over a whole table,
//! resumable), [`report`] (files, pictures and polars frames), and the command line. The feature `serve` adds a server,
//! `src/serve`, in which all that others ask goes through one gate; the feature `cluster` runs queries on several machines,
//! `src/cluster`.
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
//!
//! # Adding to it
//!
//! What depends on each of these follows from it, and the compiler or a test names what was forgotten.
//!
//! - **A SQL function**: a `Function` in the file of its theme under `src/sql/functions`: name, text, parameters, unit, example and
//!   kernel. The kernel calls what computes on a crystal in the layers below. `UPDATE=1 cargo test --test docs drift` writes the
//!   reference, a case in `tests/slt` holds the value, a call in `tests/hostile/crystals.rs` meets odd cells.
//! - **A file format**: a file under `src/formats` with its `FORMAT`, its `mod`, and a line in [`formats::FORMATS`].
//! - **A network**: a folder under `src/models` that implements `Architecture`, its `mod`, a line in the list of `models::network`, and,
//!   where it is packed for inference, its forms in `configs()` of the tests of `models::fused`.
//! - **A column of every table of crystals**: its line at the end of `tmo` in `schema/lake.sql`, with unit and comment, and its value in
//!   `src/store/tables/values.rs`. Its comment ends with `tables of earlier releases lack it`: readers find it by name.
//! - **A stored query**: `queries/NAME.sql`, its first lines `-- What:` and `-- Why:`.
//! - **A guide**: `queries/NAME.md`; its `console` blocks are run by `cargo test --test docs`, and must print what they show.
//!
//! Terms are those of `queries/GLOSSARY.md`. Imports go down only: each layer is a package whose manifest names those below.
//! `.ci/run` is all that must hold.
#![warn(missing_docs)]

pub use {adsorption, columns, crystal, features, formats, generation, jobs, models, report, sql, stability, store};

#[doc(hidden)]
pub mod cli;
pub mod error;

pub use crystal::{progress, stop};
pub use sql::Error;
pub use store::Store;
