//! `hollandite import PATH...`: a bar while it runs (on a terminal), one line when it is done.

use std::path::{Path, PathBuf};

use super::job_bar::JobBar;
use crate::cli::args::Import;
use crate::cli::console::note;
use crate::cli::{CliError, render};
use crate::formats::{Naming, Reading};
use crate::store::{Electrode, ImportOptions, ResultRow, Store};

pub(crate) async fn run(store: Option<&Path>, import: &Import) -> Result<(), CliError> {
    let store = super::open(store).await?;
    let paths: Vec<PathBuf> = import.paths.iter().map(PathBuf::from).collect();
    if import.into == Electrode::TABLE {
        return electrodes(&store, &paths, import).await;
    }
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
        note("`hollandite info --quarantine` says why rows were refused");
    }
    Ok(())
}

/// Lists of electrodes go into a table of their own, which takes no crystals by themselves.
async fn electrodes(store: &Store, paths: &[PathBuf], import: &Import) -> Result<(), CliError> {
    if import.dry_run || import.dedupe || import.order.is_some() || import.map.is_some() || !import.promote.is_empty() {
        let message =
            "--into electrodes reads lists of electrodes: it has no --dry-run, --dedupe, --order, --map and --promote";
        return Err(CliError::Usage(message.into()));
    }
    let summary = store.import_electrodes(paths, import.source.as_deref()).await?;
    render::print(&format!("{summary}\n"))?;
    for refused in &summary.refused {
        eprintln!("refused {refused}");
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
