//! `hollandite verify`: exit code 0 where every file is what the catalog says, and with --deep every row what its crystal gives; 1
//! otherwise.

use std::path::Path;

use super::job_bar::JobBar;
use crate::cli::args::Verify;
use crate::cli::{CliError, render};

pub(crate) async fn run(store: Option<&Path>, verify: &Verify) -> Result<(), CliError> {
    let store = super::open(store).await?;
    let report = store.verify().await?;
    render::print(&format!("{report}\n"))?;
    if verify.remove_leftovers && !report.leftovers.is_empty() {
        let removed = store.remove_leftovers(&report).await?;
        render::print(&format!("{removed} leftover file{} removed\n", if removed == 1 { "" } else { "s" }))?;
    }
    if !report.is_clean() {
        let n = report.problems.len();
        return Err(CliError::Failed(format!(
            "{n} problem{} in {}; restore the files named above from a copy, or import their sources into a new store",
            if n == 1 { "" } else { "s" },
            store.dir().display()
        )));
    }
    if verify.deep {
        let bar = JobBar::new("counting rows");
        let deep = store.verify_deep(&bar).await;
        bar.close();
        let deep = deep?;
        render::print(&format!("{deep}\n"))?;
        if deep.wrong > 0 {
            return Err(CliError::Failed(format!("columns of {} rows are not what their crystals give", deep.wrong)));
        }
    }
    Ok(())
}
