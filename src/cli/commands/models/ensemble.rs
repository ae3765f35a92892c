//! `hollandite models ensemble NAME MEMBER...`: the members, a calibration, a small file.

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use crate::cli::args::ModelsEnsemble;
use crate::cli::commands::{samples, session};
use crate::cli::{CliError, render};
use crate::error::ModelError;
use crate::models::ensemble::{Ensemble, Weighting};
use crate::models::reliability::Part;
use crate::models::train::Sample;
use crate::models::{Model, kept};
use crate::store::Store;

/// With fewer crystals an interval of 90 % is the largest error or none at all.
const FEW: usize = 20;
/// Crystals in one forward pass.
const BATCH: usize = 16;

pub async fn run(store: Option<&Path>, args: &ModelsEnsemble) -> Result<(), CliError> {
    let weighting = match args.weights.as_str() {
        "equal" => Weighting::Equal,
        "validation" => Weighting::Validation,
        other => return Err(CliError::Usage(format!("--weights {other}: expected equal or validation"))),
    };
    let (store, session) = session(store, args.at).await?;
    check_name(&store, &args.name)?;
    let below = |e: ModelError| CliError::Below(e.into());
    let models = args.members.iter().map(|name| member(name, &store)).collect::<Result<Vec<_>, _>>();
    let ensemble = Ensemble::new(&args.name, models?, weighting).map_err(below)?;

    let target = args.target.as_deref().unwrap_or(ensemble.quantity().target);
    let crystals = samples::read(&session, &args.table, target, args.condition.as_deref()).await?;
    let vouched = args.condition.is_some();
    let held_out: Vec<Sample> = crystals.into_iter().filter(|sample| is_held_out(&ensemble, sample, vouched)).collect();
    let (n, data) = (held_out.len(), described(args, held_out.len()));
    let ensemble = if n < FEW {
        eprintln!(
            "{n} crystals of {} can calibrate the intervals, {FEW} are needed: predict() will give none. A crystal can that \
             one member at least was validated with and none was fitted to, so train the members with one --split and \
             --seed; or name rows that no member was fitted to with --where",
            args.table
        );
        ensemble
    } else {
        let answers = tokio::task::spawn_blocking(move || (answers(&ensemble, &held_out), ensemble)).await;
        let (answers, ensemble) = answers.map_err(|e| CliError::Failed(format!("the calibration stopped: {e}")))?;
        ensemble.calibrated(&answers, data)
    };
    let folder = args.out.clone().unwrap_or_else(|| store.models_folder().join(&args.name));
    let file = ensemble.save(&folder).map_err(below)?;
    for (member, (_, weight)) in ensemble.card().members.iter().zip(ensemble.members()) {
        render::print(&format!("{:6.3}  {}\n", weight, member.model))?;
    }
    if let Some(metrics) = ensemble.card().metrics {
        render::print(&format!("calibration: {}\n", metrics.described(&ensemble.card().unit)))?;
    }
    render::print(&format!("ensemble {} ({}): {}\n", ensemble.card().name, ensemble.card().id, file.display()))
}

/// That the ensemble may have the name: no model has it, and an ensemble of that name is made anew.
fn check_name(store: &Store, name: &str) -> Result<(), CliError> {
    store.model_name(name)?;
    match store.model(name) {
        Ok(_) => Err(CliError::Usage(format!("there is a model {name}: give the ensemble another name"))),
        Err(_) => Ok(()),
    }
}

/// A member by name or path, with what finds it again: the folder, of a model of the store.
fn member(name: &str, store: &Store) -> Result<(String, Arc<Model>), CliError> {
    let model = store.model(name)?;
    let home = kept(name, &store.models_folder()).map(|(_, home)| home.to_string_lossy().into_owned());
    Ok((home.unwrap_or_else(|| name.to_owned()), model))
}

/// Whether the crystal can tell how far off the mean is. `vouched`: the caller names the rows and says that no member was
/// fitted to them; a test crystal that calibrates the intervals is no longer one of them.
fn is_held_out(ensemble: &Ensemble, sample: &Sample, vouched: bool) -> bool {
    match ensemble.part(sample.hash, sample.split.as_deref()) {
        Some(Part::Train) => false,
        Some(Part::Validation) => true,
        Some(Part::Test | Part::Unseen) | None => vouched,
    }
}

/// (mean, spread, label) of the samples that all members answer for.
fn answers(ensemble: &Ensemble, samples: &[Sample]) -> Vec<(f64, f64, f64)> {
    let batch = |samples: &[Sample]| {
        let structures: Vec<_> = samples.iter().map(|sample| sample.structure.clone()).collect();
        let answers = ensemble.predict(&structures).into_iter().zip(samples);
        answers.filter_map(|(answer, sample)| answer.ok().map(|(m, s)| (m, s, sample.target))).collect::<Vec<_>>()
    };
    samples.par_chunks(BATCH).flat_map_iter(batch).collect()
}

fn described(args: &ModelsEnsemble, n: usize) -> String {
    let condition = args.condition.as_ref().map(|c| format!(", WHERE {c}")).unwrap_or_default();
    format!("{n} crystals of table {}{condition}, that no member was fitted to", args.table)
}
