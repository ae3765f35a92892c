//! What leaves the program: results as files ([`Exporter`]), as polars frames ([`dataframe`], [`describe`]) and as pictures
//! ([`plots`]).

mod cif;
mod export;
mod frames;
pub mod plots;
mod sink;

pub use export::{Exporter, Format, exporter, stream_exporter};
pub use frames::{dataframe, describe, record_batch};
pub use sink::{PartialFile, Sink};
