//! `hollandite train`: fit a model to the labels of a table, with checkpoints, and leave weights, card and plots.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::samples;
use crate::cli::args::{At, Train};
use crate::cli::{CliError, render};
use crate::models::network::ARCHITECTURES;
use crate::models::splits::SplitKind;
use crate::models::train::{Epoch, Loss, Observer, TrainOptions, train};
use crate::report::plots;

pub async fn run(store: Option<&Path>, args: &Train) -> Result<(), CliError> {
    let (store, session) = super::session(store, At { snapshot: args.at.snapshot }).await?;
    let crystals = samples::read(&session, &args.table, &args.target, args.condition.as_deref()).await?;
    let newest = store.snapshots()?.last().map(|s| s.id);
    let snapshot = args.at.snapshot.or(newest).map_or_else(String::new, |n| format!(", snapshot {n}"));
    let one_of = |names: &[&str]| names.join(", ");
    let split =
        SplitKind::NAMES.iter().find(|(name, _)| *name == args.split).map(|(_, kind)| *kind).ok_or_else(|| {
            CliError::Usage(format!(
                "--split {}: expected one of {}",
                args.split,
                one_of(&SplitKind::NAMES.map(|(n, _)| n))
            ))
        })?;
    let loss = Loss::NAMES.iter().find(|(name, _)| *name == args.loss).map(|(_, loss)| *loss).ok_or_else(|| {
        CliError::Usage(format!("--loss {}: expected one of {}", args.loss, one_of(&Loss::NAMES.map(|(n, _)| n))))
    })?;
    let config =
        ARCHITECTURES.iter().find(|(name, _)| *name == args.model).map(|(_, config)| config()).ok_or_else(|| {
            CliError::Usage(format!(
                "--model {}: expected one of {}",
                args.model,
                one_of(&ARCHITECTURES.map(|(n, _)| n))
            ))
        })?;
    let threads = args.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    // The workers below are the parallelism: tensor operations that start threads of their own only get in their way.
    // Building fails where another pool is in use already; then that one serves.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(1).build_global();

    let directory = args.out.clone().unwrap_or_else(|| store.models_folder().join(&args.name));
    let options = TrainOptions {
        config,
        split,
        test_fraction: args.test,
        validation_fraction: args.validation,
        seed: args.seed,
        epochs: args.epochs,
        batch: args.batch,
        learning_rate: args.learning_rate,
        loss,
        patience: args.patience,
        threads,
        directory: directory.clone(),
        resume: args.resume,
        time_limit: args.time_limit,
        name: args.name.clone(),
        target: args.target.clone(),
        data: {
            let rows = args.condition.as_ref().map(|c| format!(", WHERE {c}")).unwrap_or_default();
            let source = args.data.as_ref().map(|d| format!("{d}; ")).unwrap_or_default();
            format!("{source}table {}{snapshot}{rows}", args.table)
        },
    };
    let bar = Bar::new();
    // Hours of arithmetic: not on a thread that should be answering the terminal.
    let (trained, bar) = tokio::task::spawn_blocking(move || {
        let trained = train(&crystals, &options, &bar);
        (trained, bar)
    })
    .await
    .map_err(|e| CliError::Failed(format!("training stopped: {e}")))?;
    bar.0.finish_and_clear();
    let trained = trained.map_err(|e| CliError::Below(e.into()))?;

    plots::learning_curve(&trained.history).save(&directory.join("learning.svg"))?;
    let pairs: Vec<(f64, f64)> = trained.test.iter().map(|&(_, predicted, label)| (predicted, label)).collect();
    if !pairs.is_empty() {
        plots::parity(&format!("{}, test set", trained.card.name), &pairs).save(&directory.join("parity.svg"))?;
    }
    for (set, metrics) in &trained.card.metrics {
        render::print(&format!("{set}: {metrics}\n"))?;
    }
    render::print(&format!("weights, card and plots: {}\n", directory.display()))
}

/// A bar over the graphs of an epoch, one line for each epoch that is over.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len}  {msg}  {eta}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(500));
        Self(bar)
    }

    fn line(&self, text: &str) {
        // On a terminal above the bar, elsewhere plainly: an epoch's line is the log of a run in the background.
        if self.0.is_hidden() { eprintln!("{text}") } else { self.0.println(text) }
    }
}

impl Observer for Bar {
    fn step(&self, epoch: usize, done: usize, total: usize, loss: f64) {
        self.0.set_prefix(format!("epoch {epoch}"));
        self.0.set_length(total as u64);
        self.0.set_position(done as u64);
        self.0.set_message(format!("loss {loss:.4}"));
    }

    fn epoch(&self, epoch: &Epoch) -> ControlFlow<()> {
        self.line(&format!(
            "epoch {:4}  loss {:.4}  validation RMSE {:.4} MAE {:.4} eV/atom  learning rate {:.2e}  {:.0} s",
            epoch.epoch,
            epoch.train_loss,
            epoch.validation_rmse,
            epoch.validation_mae,
            epoch.learning_rate,
            epoch.seconds
        ));
        ControlFlow::Continue(())
    }

    fn note(&self, message: &str) {
        self.line(message);
    }
}
