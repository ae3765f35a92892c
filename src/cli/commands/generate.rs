//! `hollandite generate`: how many draws are made while it runs (on a terminal), and what passed each step when it is done.

use std::path::Path;

use super::{job_bar::JobBar, sql::warn};
use crate::cli::args::{At, Generate};
use crate::cli::{CliError, render};
use crate::generation::{Request, SamplerKind};
use crate::jobs::{self, GenerateOptions};

pub(crate) async fn run(store: Option<&Path>, args: &Generate) -> Result<(), CliError> {
    let conditions = args.wanted.conditions();
    let request = Request { sites: Some(args.sites), conditions, ..args.request.clone() };
    // Wrong requests fail before a store is made.
    args.sampler.check(&request).map_err(|e| CliError::Usage(e.to_string()))?;
    let options = GenerateOptions {
        request,
        sampler: args.sampler.clone(),
        draws: args.draws,
        seed: args.seed,
        from: args.from.clone(),
        against: args.against.clone(),
        into: args.into.clone(),
        relax: args.relax,
    };
    let (store, session) = super::session(store, At { snapshot: None }).await?;
    let bar = JobBar::new(match args.sampler {
        SamplerKind::Templates => "reading templates",
        SamplerKind::Wyckoff | SamplerKind::Trained(_) => "reading the network",
    });
    let summary = jobs::generate(&session, &store, &options, &bar).await;
    bar.close();
    warn(&session);
    render::print(&format!("{}\n", summary?))
}
