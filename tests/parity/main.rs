//! The same numbers as other programs: their outputs, to the stated tolerance, one file a subject.

#[path = "../common/mod.rs"]
mod common;

mod band;
mod bvse;
mod channels;
mod charges;
mod corrections;
mod crystal;
mod data;
mod dft;
mod formats;
mod hosts;
mod insertion;
mod magpie;
mod matching;
mod matrices;
mod models;
mod stability;
mod voronoi;
mod xrd;
