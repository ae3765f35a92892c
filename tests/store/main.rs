//! The store on disk: what is written, changed, killed half-way, brought up to date, and read by other programs.
//!
//! Forward passes of networks are counted for the whole process: only one test of `queries` asks networks here.

#[path = "../common/mod.rs"]
mod common;

mod ddl;
mod featurize;
mod imports;
mod interop;
mod kill;
mod migrate;
mod queries;
mod shards;
