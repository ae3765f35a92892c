//! `hollandite import PATH...`: a bar while it runs (on a terminal), one line when it is done.

use std::path::{Path, PathBuf};

use super::job_bar::JobBar;
use crate::cli::args::Import;
use crate::cli::{CliError, render};
use crate::formats::{Naming, Reading};
use crate::store::ImportOptions;

pub async fn run(store: Option<&Path>, import: &Import) -> Result<(), CliError> {
    let store = super::open(store).await?;
    let paths: Vec<PathBuf> = import.paths.iter().map(PathBuf::from).collect();
    let options = ImportOptions {
        into: import.into.clone(),
        source: import.source.clone(),
        reading: reading(import)?,
        promote: import.promote.clone(),
        dry_run: import.dry_run,
        dedupe: import.dedupe,
        order: import.order,
    };
    let bar = JobBar::new("looking for files");
    let summary = store.import(&paths, &options, &bar).await;
    bar.close();
    let summary = summary?;
    render::print(&format!("{summary}\n"))?;
    if summary.skipped + summary.quarantined + summary.duplicates > 0 && !summary.dry_run {
        eprintln!("`hollandite info --quarantine` says why rows were refused");
    }
    Ok(())
}

/// How the files are read, where they leave a choice.
fn reading(import: &Import) -> Result<Reading, CliError> {
    let mapping = import.map.clone().unwrap_or_default();
    let (mapping, naming) = match import.id.as_deref() {
        Some("path") => (mapping, Naming::Path),
        Some(column) => (mapping.with_id(column).map_err(CliError::Failed)?, Naming::Own),
        None => (mapping, Naming::Own),
    };
    Ok(Reading { mapping, naming, frames: import.frames })
}
