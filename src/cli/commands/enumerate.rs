//! `hollandite enumerate`: how many passed each step while it runs (on a terminal), and when it is done.

use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::sql::warn;
use crate::cli::args::{At, Enumerate};
use crate::cli::queries::Query;
use crate::cli::{CliError, render};
use crate::sql::{EnumerateOptions, EnumerateProgress};
use crate::stability::{CandidateCounts, CandidateOptions};

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
    let bar = Bar::new();
    let summary = session.enumerate(&store, &options, &bar).await;
    bar.0.finish_and_clear();
    warn(&session);
    render::print(&format!("{}\n", summary?))
}

/// How many there will be is not known: what is shown is how many there are.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{spinner} {msg}  {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_message("reading prototypes and known crystals");
        Self(bar)
    }
}

impl EnumerateProgress for Bar {
    fn step(&self, counts: &CandidateCounts, written: u64) {
        self.0.set_message(format!("{} choices, {} neutral, {written} candidates", counts.choices, counts.neutral));
        self.0.tick();
    }
}
