//! `hollandite evaluate`: a model's answers for the rows of a table into `predictions`, its errors, and a parity plot.

use std::collections::BTreeMap;
use std::path::Path;

use super::place::place;
use super::{job_bar::JobBar, plot::errors, sql::warn};
use crate::cli::args::Evaluate;
use crate::cli::console::note;
use crate::cli::{CliError, render};
use crate::jobs::{self, EvaluateOptions};
use crate::report::plots;

pub(crate) async fn run(store: Option<&Path>, args: &Evaluate) -> Result<(), CliError> {
    let mut options = EvaluateOptions {
        model: args.model.clone(),
        table: args.table.clone(),
        target: args.target.clone(),
        condition: args.condition.clone(),
        coverage: args.coverage,
        unlabelled: args.unlabelled,
    };
    let Some(place) = place(store, args.at, &args.sharded, &format!("{options:?}")).await? else { return Ok(()) };
    options.condition = place.condition(options.condition);
    let bar = JobBar::new("counting rows");
    let summary = jobs::evaluate(&place.session, &place.store, &options, &bar).await;
    bar.close();
    warn(&place.session);
    let summary = summary?;
    render::print(&format!("{summary}\n"))?;
    if let (refused, Some((id, reason))) = &summary.refused {
        note(&format!("{refused} crystals have no prediction; the first, {id}: {reason}"));
    }
    if let Some(file) = &args.plot {
        let title = errors::title(&summary.evaluation.model, &args.table, "all", summary.fitted());
        plots::parity(&title, &summary.unit, &summary.pairs).save(file)?;
    }
    place.finish(BTreeMap::new())
}
