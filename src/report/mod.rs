//! What leaves the program: results as files ([`Exporter`]) and as polars frames ([`dataframe`], [`describe`]).

mod cif;
mod export;
mod frames;
pub mod plots;

pub use export::{Exporter, Format, PartialFile, Sink, exporter, stream_exporter};
pub use frames::{dataframe, describe, record_batch};
