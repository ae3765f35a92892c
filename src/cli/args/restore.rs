//! Going back to a snapshot.

use clap::Args as ClapArgs;

/// `hollandite restore`
#[derive(Debug, ClapArgs)]
pub struct Restore {
    /// Table to restore; without it, every table and view: those that did not exist then are dropped
    pub table: Option<String>,
    /// A snapshot (see `hollandite info --snapshots`), or a moment, UTC: '2026-05-01 12:30'
    #[arg(long, value_name = "SNAPSHOT|MOMENT")]
    pub to: String,
}
