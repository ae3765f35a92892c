//! What a query answers, and what it asks to get there.
//!
//! Forward passes of networks are counted for the whole process: only `energy` asks networks here, and keeps count of who does.

#[path = "../common/mod.rs"]
mod common;

mod discharge;
mod energy;
mod forward_passes;
mod generated;
mod random_queries;
mod slt;
