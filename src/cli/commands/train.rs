//! `hollandite train`: fit a model to the labels of a table, with checkpoints, and leave weights, card and plots.

use std::collections::BTreeMap;
use std::path::Path;

use super::training::{share, usage};
use super::{named, progress::Bar, samples, wyckoff};
use crate::cli::args::{Train, Training};
use crate::cli::{CliError, render};
use crate::models::card::{SplitCard, TrainingCard};
use crate::models::network::{Config, architectures};
use crate::models::train::{Recipe, TrainOptions, train_with};
use crate::models::{Found, Metrics, find};
use crate::report::plots;
use crate::store::Store;

pub(crate) async fn run(store: Option<&Path>, args: &Train) -> Result<(), CliError> {
    if args.training.model == wyckoff::NAME && args.from.is_none() && args.from_tuning.is_none() {
        return wyckoff::run(store, args).await;
    }
    let store = super::open(store).await?;
    let tuned = args.from_tuning.as_deref().map(|name| super::tune::winning(&store, name, args)).transpose()?;
    let args = tuned.as_ref().map_or(args, |(args, _)| args);
    check_name(&store, args)?;
    let mut options = options(&store, args)?;
    if let Some((_, config)) = &tuned {
        options.config = config.clone();
    }
    let Training { table, target, condition, at, .. } = &args.training;
    let session = super::session_of(&store, at.snapshot).await?;
    let crystals = samples::read(&session, table, target, condition.as_deref()).await?;
    let more = match &args.also {
        Some(table) => samples::read(&session, table, target, None).await?,
        None => Vec::new(),
    };
    if let Some(condition) = &args.leave_out {
        let wrong = samples::read(&session, table, target, Some(condition)).await?;
        options.unfitted = wrong.into_iter().map(|sample| sample.hash).collect();
    }
    let newest = store.snapshots()?.last().map(|s| s.id);
    let snapshot = at.snapshot.or(newest).map_or_else(String::new, |n| format!(", snapshot {n}"));
    let rows = condition.as_ref().map(|c| format!(", WHERE {c}")).unwrap_or_default();
    let left = args.leave_out.as_ref().map(|c| format!(", not fitted WHERE {c}")).unwrap_or_default();
    let also = args.also.as_ref().map(|table| format!("; table {table}")).unwrap_or_default();
    let source = args.data.as_ref().map(|d| format!("{d}; ")).unwrap_or_default();
    options.data = format!("{source}table {table}{snapshot}{rows}{left}{also}");
    options.unit = match &args.unit {
        Some(unit) => unit.clone(),
        None => samples::unit(&session, table, target).await?,
    };
    options.name = name(&store, args, &options)?;
    if args.out.is_none() {
        options.directory = store.models_folder().join(&options.name);
    }
    // The workers of a training are the parallelism: tensor operations that start threads of their own only get in their way.
    // Building fails where another pool is in use already; then that one serves.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(1).build_global();

    let directory = options.directory.clone();
    let bar = Bar::new(options.epochs, directory.join("learning.svg"), options.unit.clone());
    // Hours of arithmetic: not on a thread that should be answering the terminal.
    let (trained, bar) = tokio::task::spawn_blocking(move || {
        let trained = train_with(&crystals, &more, &options, &bar);
        (trained, bar)
    })
    .await
    .map_err(|e| CliError::Failed(format!("training stopped: {e}")))?;
    bar.close();
    let trained = trained.map_err(|e| {
        if args.out.is_none() {
            // A name that nothing came of is free again; a folder with a checkpoint is not empty, and stays.
            let _ = std::fs::remove_dir(&directory);
        }
        CliError::Below(e.into())
    })?;
    let card = &trained.card;

    plots::learning_curve(&trained.history, &card.unit).save(&directory.join("learning.svg"))?;
    let pairs: Vec<(f64, f64)> = trained.test.iter().map(|&(_, predicted, label)| (predicted, label)).collect();
    if !pairs.is_empty() {
        plots::parity(&format!("{}, test set", card.name), &card.unit, &pairs).save(&directory.join("parity.svg"))?;
    }
    for (set, metrics) in &card.metrics {
        render::print(&format!("{set}: {}\n", metrics.described(&card.unit)))?;
    }
    let asked = if args.out.is_some() { directory.display().to_string() } else { card.name.clone() };
    let call = match card.quantity().is_formation_energy() {
        true => format!("predict_ef(structure, '{asked}')"),
        false => format!("predict(structure, '{asked}')['value']"),
    };
    render::print(&format!(
        "model {} ({}) predicts {}; it is asked with {call}\nweights, card and plots: {}\n",
        card.name,
        card.id,
        card.quantity(),
        directory.display()
    ))
}

/// Before anything is read: that the model may have the name that it is given. A run that goes on has it already.
fn check_name(store: &Store, args: &Train) -> Result<(), CliError> {
    let Some(name) = &args.name else { return Ok(()) };
    let is_ensemble = || matches!(find(name, Some(&store.models_folder())), Ok(Found::Ensemble(_)));
    if args.out.is_some() || args.resume && !is_ensemble() {
        return Ok(store.model_name(name)?);
    }
    Ok(store.free_model_name(name)?)
}

/// The name of the model to come, which no other has.
fn name(store: &Store, args: &Train, options: &TrainOptions) -> Result<String, CliError> {
    let stem = options.start.as_ref().map_or(&options.config, |model| &model.card().config).architecture();
    Ok(match (&args.name, &args.out) {
        (Some(name), _) => name.clone(),
        // That of the folder, where it can be one.
        (None, Some(_)) => options.name.clone(),
        (None, None) => match store.last_model(stem).filter(|_| args.resume) {
            Some(last) => last,
            None => store.new_model(stem)?,
        },
    })
}

/// What the arguments say, apart from the store's share.
fn options(store: &Store, args: &Train) -> Result<TrainOptions, CliError> {
    let start = args.from.as_deref().map(|name| store.model(name)).transpose()?;
    let config = match &start {
        Some(model) => model.card().config.clone(),
        None => architecture(args)?,
    };
    config.can_be_trained().map_err(usage)?;
    let usual = args.training.options(TrainOptions::new(config, args.out.clone().unwrap_or_default()))?;
    let quoted = quoted(store, &usual.config, &args.quote)?;
    Ok(TrainOptions {
        split_seed: args.split_seed,
        epochs: args.epochs,
        learning_rate: args.learning_rate,
        loss: args.loss.parse().map_err(usage)?,
        recipe: Recipe {
            schedule: args.schedule.parse().map_err(usage)?,
            weight_decay: args.weight_decay,
            clip: (args.clip > 0.0).then_some(args.clip),
            average: args.ema.map(|decay| share("ema", decay)).transpose()?,
            batch_atoms: args.batch_atoms,
            criterion: args.best.parse().map_err(usage)?,
        },
        start,
        resume: args.resume,
        time_limit: args.training.time_limit,
        quoted,
        ..usual
    })
}

/// The errors of runs of this network on other divisions, by the division.
fn quoted(store: &Store, config: &Config, runs: &[String]) -> Result<BTreeMap<String, Metrics>, CliError> {
    let mut quoted = BTreeMap::new();
    for run in runs {
        let model = store.model(run)?;
        let card = model.card();
        if (card.config.architecture(), card.config.settings()) != (config.architecture(), config.settings()) {
            return Err(CliError::Usage(format!(
                "--quote {run}: it is a {} ({}), and this one a {} ({})",
                card.config.architecture(),
                card.config.settings(),
                config.architecture(),
                config.settings()
            )));
        }
        let test = card.metrics.get("test").ok_or_else(|| CliError::Usage(format!("--quote {run}: no test set")))?;
        let TrainingCard { epochs, .. } = card.training;
        let SplitCard { kind, train, .. } = &card.split;
        quoted.insert(format!("test of a run split by {kind} ({train} to train, {epochs} epochs)"), *test);
    }
    Ok(quoted)
}

/// The architecture with the requested settings.
fn architecture(args: &Train) -> Result<Config, CliError> {
    let mut config = named("--model", &architectures(), &args.training.model)?;
    if let Some(width) = args.hidden {
        config = config.with_hidden(width).map_err(usage)?;
    }
    if let Some(layers) = args.layers {
        config = config.with_layers(layers).map_err(usage)?;
    }
    config.with(&args.set).map_err(usage)
}
