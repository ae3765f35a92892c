//! `hollandite verify`: exit code 0 where every file is what the catalog says, 1 otherwise.

use std::path::Path;

use crate::cli::{CliError, render};

pub async fn run(store: Option<&Path>) -> Result<(), CliError> {
    let store = super::open(store).await?;
    let report = store.verify().await?;
    render::print(&format!("{report}\n"))?;
    match report.problems.len() {
        0 => Ok(()),
        n => Err(CliError::Failed(format!(
            "{n} problem{} in {}; restore the files named above from a copy, or import their sources into a new store",
            if n == 1 { "" } else { "s" },
            store.dir().display()
        ))),
    }
}
