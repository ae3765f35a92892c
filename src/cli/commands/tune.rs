//! `hollandite tune`: search for the settings of a network by trial, and go on with a search that was stopped or killed.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::training::usage;
use super::training_bar::TrainingBar;
use super::{named, samples};
use crate::cli::args::{At, Train, Training, Tune};
use crate::cli::console::note;
use crate::cli::{CliError, render};
use crate::models::behind;
use crate::models::network::{Config, architectures};
use crate::models::splits::SplitKind;
use crate::models::train::{Criterion, Loss, Recipe, TrainOptions};
use crate::models::tune::{
    Choice, Definition, Pruning, Settings, Space, State, Study, Trial, TrialObserver, tune, winner,
};
use crate::store::{Store, Tuning};

pub(crate) async fn run(store: Option<&Path>, args: &Tune) -> Result<(), CliError> {
    let store = super::open(store).await?;
    if !store.is_writable() {
        return Err(CliError::Failed("the store is read-only; copy it to a folder that you may write to".into()));
    }
    let name = args.name.as_deref().unwrap_or(&args.training.model);
    if name.starts_with('.') || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) || name.is_empty()
    {
        return Err(CliError::Usage(format!("--name {name}: expected letters, digits, '-', '_' and '.'")));
    }
    let (definition, config, space) = definition(&store, args)?;
    let directory = store.dir().join("tuning").join(name);
    let options = options_of(args, config, directory.join("trials"))?;
    let _alone = turn(&directory, name)?;

    let tuning = Tuning::open(&store, name)?;
    let definition = match tuning.definition()? {
        Some(begun) if !args.restart => goes_on(begun, definition, args, name)?,
        _ => {
            // What an earlier search of the name left would be taken for checkpoints of this one.
            remove(&options.directory)?;
            tuning.begin(&definition)?;
            definition
        }
    };
    let unit = unit(&store, &definition).await;
    let session = super::session_of(&store, definition.snapshot).await?;
    let crystals =
        samples::read(&session, &definition.table, &definition.target, definition.condition.as_deref()).await?;
    let study = Study { space, seed: definition.seed, epochs: definition.epochs, pruning: definition.pruning };
    // The workers of a training are the parallelism, as for `train`.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(1).build_global();
    let wanted = args.trials;
    let bar = Bar::new(definition.epochs, wanted, args.training.time_limit, unit.clone());
    // Hours of arithmetic: not on a thread that should be answering the terminal.
    let trials = tokio::task::spawn_blocking(move || {
        let trials = tune(&crystals, &options, &study, wanted, &tuning, &bar);
        bar.shown.close();
        trials
    })
    .await
    .map_err(|e| CliError::Failed(format!("tuning stopped: {e}")))?;
    report(&trials.map_err(|e| CliError::Below(e.into()))?, wanted, name, &unit)
}

/// The unit of the label that a tuning is of; empty where none is known, or the table is gone.
pub(crate) async fn unit(store: &Store, definition: &Definition) -> String {
    let Ok(session) = super::session_of(store, definition.snapshot).await else { return String::new() };
    samples::unit(&session, &definition.table, &definition.target).await.unwrap_or_default()
}

/// What was asked for.
fn definition(store: &Store, args: &Tune) -> Result<(Definition, Config, Space), CliError> {
    let fitted = &args.training;
    let config = named("--model", &architectures(), &fitted.model)?;
    let known = config.spaces();
    let space = match &args.space {
        Some(asked) => asked.as_str(),
        None => known.first().map_or("", |(name, _)| name),
    };
    let chosen = named("--space", &known, space)?;
    let loss: Loss = args.loss.parse().map_err(usage)?;
    let split: SplitKind = fitted.split.parse().map_err(usage)?;
    let newest = store.snapshots()?.last().map(|s| s.id);
    let definition = Definition {
        model: fitted.model.clone(),
        space: space.to_owned(),
        pruning: named("--prune", &Pruning::NAMES, &args.prune)?,
        epochs: args.epochs,
        patience: fitted.patience,
        batch: fitted.batch,
        loss: loss.to_string(),
        table: fitted.table.clone(),
        snapshot: fitted.at.snapshot.or(newest),
        target: fitted.target.clone(),
        condition: fitted.condition.clone(),
        split: split.to_string(),
        test: fitted.test,
        validation: fitted.validation,
        seed: fitted.seed,
    };
    Ok((definition, config, chosen))
}

/// The definition under which a search that was begun goes on: its own, where it is what was asked for.
fn goes_on(begun: Definition, asked: Definition, args: &Tune, name: &str) -> Result<Definition, CliError> {
    // Crystals that came since must not change what its trials are compared by.
    let snapshot = args.training.at.snapshot.or(begun.snapshot);
    let differences = begun.differences(&Definition { snapshot, ..asked });
    if differences.is_empty() {
        return Ok(begun);
    }
    let listed: Vec<String> =
        differences.iter().map(|(field, was, is)| format!("{field} was {was}, now {is}")).collect();
    Err(CliError::Usage(format!(
        "tuning {name} was started with other settings: {}; give it as it was to go on, another --name to begin beside it, or \
         --restart to forget it",
        listed.join("; ")
    )))
}

/// The training that the trials vary, in `directory`. The best epoch is that of the error by which trials are judged.
fn options_of(args: &Tune, config: Config, directory: PathBuf) -> Result<TrainOptions, CliError> {
    let usual = args.training.options(TrainOptions::new(config, directory))?;
    Ok(TrainOptions {
        epochs: args.epochs,
        loss: args.loss.parse().map_err(usage)?,
        recipe: Recipe { criterion: Criterion::Rmse, ..usual.recipe },
        ..usual
    })
}

/// One process tunes under a name at a time: the file is locked until it is dropped, however the process ends.
fn turn(directory: &Path, name: &str) -> Result<File, CliError> {
    let io = |source| CliError::Io { path: directory.to_owned(), source };
    std::fs::create_dir_all(directory).map_err(io)?;
    let file = File::options().create(true).append(true).open(directory.join("lock")).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(CliError::Failed(format!(
            "another process is at work on tuning {name}: wait for it, or give another --name"
        ))),
        Err(TryLockError::Error(source)) => Err(io(source)),
    }
}

fn remove(folder: &Path) -> Result<(), CliError> {
    match std::fs::remove_dir_all(folder) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(CliError::Io { path: folder.to_owned(), source })
        }
        _ => Ok(()),
    }
}

fn report(trials: &[Trial], wanted: usize, name: &str, unit: &str) -> Result<(), CliError> {
    let count = |state| trials.iter().filter(|t| t.state == state).count();
    let mut text = format!(
        "{} trials: {} completed, {} stopped early, {} failed\n",
        trials.len(),
        count(State::Done),
        count(State::Pruned),
        count(State::Failed)
    );
    if let Some((best, (epoch, error))) = winner(trials).and_then(|best| Some((best, best.best()?))) {
        text += &format!("best: trial {}, validation RMSE {error:.4}{} at epoch {epoch}\n", best.number, behind(unit));
        text += &format!("  {}\n", listed(&best.settings));
        text += &format!("fit it fully: hollandite train --from-tuning {name}\n");
    }
    let over = trials.iter().all(|t| t.state != State::Running);
    if !over {
        text += "stopped; the same command goes on\n";
    } else if trials.len() < wanted {
        text += "every combination of settings has been tried\n";
    }
    render::print(&text)
}

fn listed(settings: &Settings) -> String {
    settings.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

/// A bar over the epochs of a trial, one line for each trial that is over.
struct Bar {
    shown: TrainingBar,
    trials: usize,
    end: Option<Instant>,
    /// Of the label, behind a number.
    unit: String,
}

impl Bar {
    fn new(epochs: usize, trials: usize, time_limit: Option<f64>, unit: String) -> Self {
        let shown = TrainingBar::new("{prefix} {bar:30} epoch {pos}/{len}  {msg}  {eta}");
        shown.bar.set_length(epochs as u64);
        let end = time_limit.and_then(|s| Instant::now().checked_add(Duration::try_from_secs_f64(s).ok()?));
        Self { shown, trials, end, unit: behind(&unit) }
    }
}

impl TrialObserver for Bar {
    fn begins(&self, trial: &Trial, best: Option<&Trial>) {
        let best = best.and_then(|best| Some(format!(", best {:.4} (trial {})", best.error()?, best.number)));
        self.shown.bar.set_prefix(format!("trial {} of {}{}", trial.number, self.trials, best.unwrap_or_default()));
        self.shown.bar.set_position(trial.curve.len() as u64);
        self.shown.bar.set_message("");
        self.shown.bar.reset_eta();
    }

    fn step(&self, _: usize, done: usize, total: usize) {
        self.shown.bar.set_message(format!("{done}/{total}"));
    }

    fn epoch(&self, trial: &Trial) {
        self.shown.bar.set_position(trial.curve.len() as u64);
        let error = trial.error().map_or_else(|| "not a number".into(), |error| format!("{error:.4}{}", self.unit));
        self.shown.bar.set_message(error);
    }

    fn ends(&self, trial: &Trial) {
        let error = match trial.best() {
            Some((epoch, error)) => format!("{error:.4}{} at epoch {epoch} of {}", self.unit, trial.curve.len()),
            None => "no error".into(),
        };
        let reason = trial.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        self.shown.line(&format!(
            "trial {:3}  {error}  {:.0} s  {}{reason}  {}",
            trial.number,
            trial.seconds,
            trial.state.name(),
            listed(&trial.settings)
        ));
    }

    fn stop(&self) -> bool {
        self.shown.stop.is_given() || self.end.is_some_and(|end| Instant::now() >= end)
    }
}

/// The definition of a tuning and its trials.
///
/// # Errors
/// No tuning of that name; those there are, are listed.
pub(crate) fn read(store: &Store, name: &str) -> Result<(Definition, Vec<Trial>), CliError> {
    let tuning = Tuning::open(store, name)?;
    let Some(definition) = tuning.definition()? else {
        let known = Tuning::names(store)?;
        let known = if known.is_empty() { "none; `hollandite tune` begins one".into() } else { known.join(", ") };
        return Err(CliError::Usage(format!("no tuning '{name}' in this store; there are: {known}")));
    };
    Ok((definition, tuning.trials()?))
}

/// `train --from-tuning NAME`: the command line with everything that the tuning decides, and the network of its best trial.
///
/// # Errors
/// No such tuning, or none of its trials was fitted to its end.
pub(crate) fn winning(store: &Store, name: &str, args: &Train) -> Result<(Train, Config), CliError> {
    let (definition, trials) = read(store, name)?;
    let best = winner(&trials).ok_or_else(|| {
        CliError::Failed(format!("no trial of tuning {name} was fitted to its end: go on with `hollandite tune`"))
    })?;
    let usual = TrainOptions {
        batch: definition.batch,
        loss: definition.loss.parse().map_err(usage)?,
        ..TrainOptions::new(named("model", &architectures(), &definition.model)?, PathBuf::new())
    };
    let choice = Choice::of(&best.settings, &Choice::usual(&usual)).ok_or_else(|| {
        CliError::Failed(format!("trial {} of tuning {name} has settings of another version: tune anew", best.number))
    })?;
    note(&format!("settings of trial {} of {name}: {}", best.number, listed(&best.settings)));
    let training = Training {
        model: definition.model,
        table: definition.table,
        target: definition.target,
        condition: definition.condition,
        split: definition.split,
        test: definition.test,
        validation: definition.validation,
        seed: definition.seed,
        batch: choice.batch,
        at: At { snapshot: definition.snapshot },
        ..args.training.clone()
    };
    let loss = choice.loss.to_string();
    let args = Train { training, learning_rate: choice.learning_rate, loss, ..args.clone() };
    Ok((args, choice.config))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::{Args, Command};

    fn asked(line: &[&str]) -> Tune {
        let line = ["hollandite", "tune"].iter().chain(line).copied();
        match Args::try_parse_from(line).unwrap().command {
            Command::Tune(tune) => *tune,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_search_goes_on_only_as_it_was_begun_and_at_its_own_snapshot() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::init(&dir.path().join("s")).await.unwrap();
        let first = asked(&["--model", "cnn-xrd", "--epochs", "9"]);
        let (begun, ..) = definition(&store, &first).unwrap();
        assert_eq!((begun.space.as_str(), begun.pruning), ("paper", Pruning::Median));
        let begun = Definition { snapshot: Some(-1), ..begun };
        let (again, ..) = definition(&store, &first).unwrap();
        assert_eq!(goes_on(begun.clone(), again, &first, "x").unwrap().snapshot, Some(-1));
        let other = asked(&["--model", "cnn-xrd", "--epochs", "10", "--space", "wide"]);
        let (again, ..) = definition(&store, &other).unwrap();
        let message = goes_on(begun, again, &other, "x").unwrap_err().to_string();
        assert!(message.contains("epochs was 9, now 10") && message.contains("space was"), "{message}");
        for line in [["--space", "narrow"], ["--model", "cnn"], ["--prune", "all"]] {
            let message = definition(&store, &asked(&line)).unwrap_err().to_string();
            assert!(message.contains(line[0]) && message.contains("expected one of"), "{message}");
        }
    }
}
