//! `hollandite evaluate`: a model's answers for the rows of a table into `predictions`, its errors, and a parity plot.

use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::sql::warn;
use crate::cli::args::Evaluate;
use crate::cli::{CliError, render};
use crate::report::plots;
use crate::sql::{EvaluateOptions, EvaluateProgress};

pub async fn run(store: Option<&Path>, args: &Evaluate) -> Result<(), CliError> {
    let (store, session) = super::session(store, args.at).await?;
    let options = EvaluateOptions {
        model: args.model.clone(),
        table: args.table.clone(),
        target: args.target.clone(),
        condition: args.condition.clone(),
        coverage: args.coverage,
        unlabelled: args.unlabelled,
    };
    let bar = Bar::new();
    let summary = session.evaluate(&store, &options, &bar).await;
    bar.0.finish_and_clear();
    warn(&session);
    let summary = summary?;
    render::print(&format!("{summary}\n"))?;
    if let (refused, Some((id, reason))) = &summary.refused {
        eprintln!("{refused} crystals have no prediction; the first, {id}: {reason}");
    }
    if let Some(file) = &args.plot {
        plots::parity(&format!("{} on {}", summary.evaluation.model, args.table), &summary.pairs).save(file)?;
    }
    Ok(())
}

struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} rows  {per_sec}  {elapsed}, {eta} to go");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self(bar)
    }
}

impl EvaluateProgress for Bar {
    fn step(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }
}
