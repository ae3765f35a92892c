//! `hollandite merge RUN`: what the shards of a run computed goes into the store.

use std::path::Path;

use super::job_bar::JobBar;
use crate::cli::args::Merge;
use crate::cli::{CliError, render};

pub(crate) async fn run(store: Option<&Path>, args: &Merge) -> Result<(), CliError> {
    let store = super::open(store).await?;
    let bar = JobBar::new("reading the manifests of the shards");
    let summary = store.merge_run(&args.run, args.remove, &bar).await;
    bar.close();
    render::print(&format!("{}\n", summary?))
}
