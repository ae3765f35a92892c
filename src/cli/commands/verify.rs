//! `hollandite verify`: exit code 0 where every file is what the catalog says, 1 otherwise.

use std::path::Path;

use crate::cli::args::Verify;
use crate::cli::{CliError, render};

pub async fn run(store: Option<&Path>, verify: &Verify) -> Result<(), CliError> {
    let store = super::open(store).await?;
    let report = store.verify().await?;
    render::print(&format!("{report}\n"))?;
    if verify.remove_leftovers && !report.leftovers.is_empty() {
        let removed = store.remove_leftovers(&report).await?;
        render::print(&format!("{removed} leftover file{} removed\n", if removed == 1 { "" } else { "s" }))?;
    }
    match report.problems.len() {
        0 => Ok(()),
        n => Err(CliError::Failed(format!(
            "{n} problem{} in {}; restore the files named above from a copy, or import their sources into a new store",
            if n == 1 { "" } else { "s" },
            store.dir().display()
        ))),
    }
}
