//! `hollandite models ensemble NAME MEMBER...`: the members, a calibration, a small file.

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use crate::cli::args::ModelsEnsemble;
use crate::cli::commands::{samples, session};
use crate::cli::{CliError, render};
use crate::error::ModelError;
use crate::models::Model;
use crate::models::ensemble::{Ensemble, Weighting};
use crate::models::reliability::Part;
use crate::models::train::Sample;

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
    if args.name.is_empty() || args.name.contains(['/', '\\']) || args.name.starts_with('.') {
        return Err(CliError::Usage(format!("'{}' is no name: it may not be a path", args.name)));
    }
    if Model::load(&args.name).is_ok() {
        return Err(CliError::Usage(format!("there is a model {}: give the ensemble another name", args.name)));
    }
    let (store, session) = session(store, args.at).await?;
    let below = |e: ModelError| CliError::Below(e.into());
    let models = args.members.iter().map(|name| member(name, &store.models_folder())).collect::<Result<Vec<_>, _>>();
    let ensemble = Ensemble::new(&args.name, models.map_err(below)?, weighting).map_err(below)?;

    let crystals = samples::read(&session, &args.table, &args.target, args.condition.as_deref()).await?;
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
        render::print(&format!("calibration: {metrics}\n"))?;
    }
    render::print(&format!("ensemble {} ({}): {}\n", ensemble.card().name, ensemble.card().id, file.display()))
}

/// A member by name or path, or by the name of a folder in the store; with what finds it again.
fn member(name: &str, folder: &Path) -> Result<(String, Arc<Model>), ModelError> {
    let trained = folder.join(name);
    match Model::load(name) {
        Err(ModelError::Unknown { .. }) if trained.is_dir() => {
            let path = trained.to_string_lossy().into_owned();
            Model::load(&path).map(|model| (path, model))
        }
        other => other.map(|model| (name.to_owned(), model)),
    }
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
