//! `hollandite models ensemble NAME MEMBER...`: the members, a calibration, a small file.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use crate::cli::args::ModelsEnsemble;
use crate::cli::commands::{samples, session};
use crate::cli::console::note;
use crate::cli::{CliError, render};
use crate::error::ModelError;
use crate::models::ensemble::{Ensemble, Weighting};
use crate::models::reliability::Part;
use crate::models::train::Sample;
use crate::models::{Metrics, Model, kept};
use crate::store::Store;

/// With fewer crystals an interval of 90 % is the largest error or none at all.
const FEW: usize = 20;
/// Crystals in one forward pass.
const BATCH: usize = 16;

pub(crate) async fn run(store: Option<&Path>, args: &ModelsEnsemble) -> Result<(), CliError> {
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
    let unseen = args.condition.is_some();
    let held_out = crystals.iter().filter(|sample| is_held_out(&ensemble, sample, unseen));
    let held_out: Vec<Sample> = held_out.cloned().collect();
    let crystals = match unseen {
        true => samples::read(&session, &args.table, target, None).await?,
        false => crystals,
    };
    let mean = fitted_mean(&ensemble, &crystals);
    let test = unseen_sets(&ensemble, crystals, &held_out);
    let (n, data) = (held_out.len(), described(args, held_out.len()));
    let ensemble = if n < FEW {
        note(&format!(
            "{n} crystals of {} can calibrate the intervals, {FEW} are needed: predict() will give none. A crystal can that \
             one member at least was validated with and none was fitted to, so train the members with one --split and \
             --seed; or name rows that no member was fitted to with --where",
            args.table
        ));
        ensemble
    } else {
        let judged = move || {
            let answers = answers(&ensemble, &held_out);
            let tested =
                test.into_iter().filter_map(|(set, samples)| Some((set, errors(&ensemble, &samples, mean)?))).collect();
            ensemble.calibrated(&answers, data, mean).tested(tested)
        };
        let judged = tokio::task::spawn_blocking(judged).await;
        judged.map_err(|e| CliError::Failed(format!("the calibration stopped: {e}")))?
    };
    let folder = args.out.clone().unwrap_or_else(|| store.models_folder().join(&args.name));
    let file = ensemble.save(&folder).map_err(below)?;
    for (member, (_, weight)) in ensemble.card().members.iter().zip(ensemble.members()) {
        render::print(&format!("{:6.3}  {}\n", weight, member.model))?;
    }
    let card = ensemble.card();
    let calibration = card.metrics.iter().map(|metrics| ("calibration", metrics));
    for (set, metrics) in calibration.chain(card.test.iter().map(|(set, metrics)| (set.as_str(), metrics))) {
        render::print(&format!("{set}: {}\n", metrics.described(&card.unit)))?;
    }
    render::print(&format!("ensemble {} ({}): {}\n", ensemble.card().name, ensemble.card().id, file.display()))
}

/// That the ensemble may have the name: no model has it, and an ensemble of that name is replaced.
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

/// Whether the crystal can measure the error of the mean. `unseen`: the caller names the rows and says that no member was
/// trained on them; a test crystal that calibrates the intervals is no longer one of them.
fn is_held_out(ensemble: &Ensemble, sample: &Sample, unseen: bool) -> bool {
    match ensemble.part(sample.hash, sample.split.as_deref()) {
        Some(Part::Train) => false,
        Some(Part::Validation) => true,
        Some(Part::Test | Part::Unseen) | None => unseen,
    }
}

/// The test crystals of all members by the name of the set: all, and those whose formula no member saw. One that calibrates is none.
fn unseen_sets(ensemble: &Ensemble, samples: Vec<Sample>, held_out: &[Sample]) -> Vec<(String, Vec<Sample>)> {
    let part = |sample: &Sample| ensemble.part(sample.hash, sample.split.as_deref());
    let seen = |sample: &&Sample| matches!(part(sample), Some(Part::Train | Part::Validation));
    let formulas: HashSet<String> = samples.iter().filter(seen).map(|sample| sample.formula.clone()).collect();
    let calibrates: HashSet<_> = held_out.iter().map(|sample| sample.hash).collect();
    let is_test = |sample: &Sample| part(sample) == Some(Part::Test) && !calibrates.contains(&sample.hash);
    let test: Vec<Sample> = samples.into_iter().filter(is_test).collect();
    let new = test.iter().filter(|sample| !formulas.contains(&sample.formula)).cloned().collect();
    vec![("test".into(), test), ("test, formula not in training".into(), new)]
}

/// Mean label of the crystals that some member was fitted to; where the table has none of them, of the members' own, or of all.
fn fitted_mean(ensemble: &Ensemble, samples: &[Sample]) -> f64 {
    let fitted = |sample: &&Sample| ensemble.part(sample.hash, sample.split.as_deref()) == Some(Part::Train);
    let mean = |labels: &[f64]| (!labels.is_empty()).then(|| labels.iter().sum::<f64>() / labels.len() as f64);
    let [of_fitted, of_all] = [samples.iter().filter(fitted).collect::<Vec<_>>(), samples.iter().collect()]
        .map(|samples| mean(&samples.iter().map(|sample| sample.target).collect::<Vec<f64>>()));
    of_fitted.or(ensemble.training_mean()).or(of_all).unwrap_or_default()
}

/// The errors on some samples; `None` where there are none.
fn errors(ensemble: &Ensemble, samples: &[Sample], mean: f64) -> Option<Metrics> {
    let pairs: Vec<(f64, f64)> = answers(ensemble, samples).into_iter().map(|(mean, _, label)| (mean, label)).collect();
    Metrics::of(&pairs, mean)
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
