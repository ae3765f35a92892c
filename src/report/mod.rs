//! What leaves the program: results as files ([`Exporter`]), as polars frames ([`dataframe`], [`describe`]), as pictures
//! ([`plots`]) and as the page of a screening ([`page`]).

mod crystals;
mod error;
mod export;
mod exporter;
mod folder;
mod frames;
mod headings;
pub mod page;
pub mod plots;
mod sink;

pub use crystals::structure_column;
pub use error::ReportError;
pub use export::{Format, exporter, optimade_exporter, plain_layouts, recast, stream_exporter};
pub use exporter::Exporter;
pub use frames::{dataframe, describe, record_batch};
pub use headings::{Headings, with_units};
pub use sink::{PartialFile, Sink, Written, remove_partial_files};
