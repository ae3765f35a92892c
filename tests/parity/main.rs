//! The same numbers as other programs: their outputs, to the stated tolerance, one file a subject.

#[path = "../skip/mod.rs"]
mod skip;

mod channels;
mod charges;
mod corrections;
mod crystal;
mod dft;
mod formats;
mod insertion;
mod magpie;
mod matching;
mod matrices;
mod models;
mod stability;
mod voronoi;
mod xrd;
