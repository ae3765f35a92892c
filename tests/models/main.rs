//! Models from training to intervals.

#[path = "../common/mod.rs"]
mod common;

mod train;
mod uncertainty;
