//! `hollandite enumerate`: how many passed each step while it runs (on a terminal), and when it is done.

use std::collections::BTreeMap;
use std::path::Path;

use super::place::place;
use super::{job_bar::JobBar, sql::warn};
use crate::cli::args::{At, Enumerate};
use crate::cli::queries::Query;
use crate::cli::{CliError, render};
use crate::jobs::{self, EnumerateOptions};
use crate::stability::CandidateOptions;

pub(crate) async fn run(store: Option<&Path>, args: &Enumerate) -> Result<(), CliError> {
    // An unknown name fails before a store is made.
    let prototypes = Query::of_text(&args.prototypes)?.sql().to_owned();
    let mut options = EnumerateOptions {
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
        shard: None,
    };
    let at = At { snapshot: None };
    let Some(place) = place(store, at, &args.sharded, &format!("{options:?}")).await? else { return Ok(()) };
    options.shard = place.shard();
    let bar = JobBar::new("reading prototypes and known crystals");
    let summary = jobs::enumerate(&place.session, &place.store, &options, &bar).await;
    bar.close();
    warn(&place.session);
    render::print(&format!("{}\n", summary?))?;
    place.finish(BTreeMap::new())
}
