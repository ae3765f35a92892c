//! `hollandite enumerate`: how many passed each step while it runs (on a terminal), and when it is done.

use std::path::Path;

use super::{job_bar::JobBar, sql::warn};
use crate::cli::args::{At, Enumerate};
use crate::cli::queries::Query;
use crate::cli::{CliError, render};
use crate::jobs::{self, EnumerateOptions};
use crate::stability::CandidateOptions;

pub async fn run(store: Option<&Path>, args: &Enumerate) -> Result<(), CliError> {
    // A name that is none is told before a store is made.
    let prototypes = Query::of_text(&args.prototypes)?.sql().to_owned();
    let (store, session) = super::session(store, At { snapshot: None }).await?;
    let options = EnumerateOptions {
        prototypes,
        candidates: CandidateOptions {
            elements: args.elements.clone(),
            orderings: args.split,
            cells: args.cells.into(),
            replaced: args.replaced,
            radius_change: args.radius_change,
            limit: args.limit,
        },
        into: args.into.clone(),
        against: args.against.clone(),
        dry_run: args.dry_run,
    };
    let bar = JobBar::new("reading prototypes and known crystals");
    let summary = jobs::enumerate(&session, &store, &options, &bar).await;
    bar.close();
    warn(&session);
    render::print(&format!("{}\n", summary?))
}
