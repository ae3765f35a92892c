//! `hollandite evaluate`: a model's errors on the labels of a table, and a parity plot.

use std::collections::HashMap;
use std::path::Path;

use super::samples;
use crate::cli::args::{At, Evaluate};
use crate::cli::{CliError, render};
use crate::models::evaluate::evaluate;
use crate::models::{Metrics, Model};
use crate::report::plots;

pub async fn run(store: Option<&Path>, args: &Evaluate) -> Result<(), CliError> {
    let (_, session) = super::session(store, At { snapshot: args.at.snapshot }).await?;
    let model = Model::load(&args.model).map_err(|e| CliError::Below(e.into()))?;
    let crystals = samples::read(&session, &args.table, &args.target, args.condition.as_deref()).await?;
    let (done, crystals) = tokio::task::spawn_blocking({
        let model = std::sync::Arc::clone(&model);
        move || (evaluate(&model, &crystals), crystals)
    })
    .await
    .map_err(|e| CliError::Failed(format!("evaluation stopped: {e}")))?;

    render::print(&format!("model {} ({})\n", model.name(), model.id()))?;
    let mean = model.card().mean;
    match done.metrics {
        Some(metrics) => render::print(&format!("all: {metrics}\n"))?,
        None => render::print("all: no crystal could be predicted\n")?,
    }
    let mut by_split: HashMap<&str, Vec<(f64, f64)>> = HashMap::new();
    for &(i, predicted, label) in &done.pairs {
        if let Some(split) = &crystals[i].split {
            by_split.entry(split).or_default().push((predicted, label));
        }
    }
    let mut splits: Vec<_> = by_split.into_iter().collect();
    splits.sort_unstable_by_key(|(name, _)| *name);
    for (name, pairs) in splits {
        if let Some(metrics) = Metrics::of(&pairs, mean) {
            render::print(&format!("split {name}: {metrics}\n"))?;
        }
    }
    if !done.refused.is_empty() {
        let (i, reason) = &done.refused[0];
        eprintln!("{} crystals have no prediction; the first, {}: {reason}", done.refused.len(), crystals[*i].id);
    }
    if let Some(file) = &args.plot {
        let pairs: Vec<(f64, f64)> = done.pairs.iter().map(|&(_, predicted, label)| (predicted, label)).collect();
        plots::parity(&format!("{} on {}", model.name(), args.table), &pairs).save(file)?;
    }
    Ok(())
}
