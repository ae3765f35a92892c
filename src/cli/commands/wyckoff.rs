//! `hollandite train --model wyckoff`: a generator, which learns from crystals and not from labels.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Float64Type;
use indicatif::HumanDuration;

use super::training_bar::TrainingBar;
use crate::cli::args::Train;
use crate::cli::{CliError, render};
use crate::columns::StructureColumn;
use crate::crystal::Structure;
use crate::generation::wyckoff::{WyckoffConfig, WyckoffEpoch, WyckoffObserver, WyckoffOptions, examples, train};
use crate::generation::{GenerationError, SamplerKind};
use crate::sql::{Session, quoted_name};
use crate::store::Store;

/// Name of the generator on the command line.
pub const NAME: &str = SamplerKind::WYCKOFF;
/// The column with the distance to the hull, where a table has it.
const HULL: &str = "e_above_hull";

pub(crate) async fn run(store: Option<&Path>, args: &Train) -> Result<(), CliError> {
    check(args)?;
    let store = super::open(store).await?;
    let name = name(&store, args)?;
    let directory = args.out.clone().unwrap_or_else(|| store.models_folder().join(&name));
    let session = super::session_of(&store, args.training.at.snapshot).await?;
    let mut crystals = crystals(&session, &args.training.table, args.training.condition.as_deref()).await?;
    if let Some(table) = &args.also {
        crystals.extend(self::crystals(&session, table, None).await?);
    }
    let rows = args.training.condition.as_ref().map(|c| format!(", WHERE {c}")).unwrap_or_default();
    let also = args.also.as_ref().map(|table| format!("; table {table}")).unwrap_or_default();
    let source = args.data.as_ref().map(|d| format!("{d}; ")).unwrap_or_default();
    let usual = WyckoffConfig::usual();
    let mut options = WyckoffOptions {
        config: WyckoffConfig { layers: args.layers.unwrap_or(usual.layers), ..usual },
        seed: args.training.seed,
        epochs: args.epochs,
        batch: args.training.batch,
        learning_rate: args.learning_rate,
        weight_decay: args.weight_decay,
        clip: (args.clip > 0.0).then_some(args.clip),
        validation: super::training::share("validation", args.training.validation)?,
        threads: args
            .training
            .threads
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
            .max(1),
        directory: directory.clone(),
        resume: args.resume,
        time_limit: args.training.time_limit,
        name,
        data: format!("{source}table {}{rows}{also}", args.training.table),
        without_tokens: 0,
    };
    // The workers of a training are the parallelism, as in every training.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(1).build_global();
    let bar = Bar::new(options.epochs);
    let (trained, bar) = tokio::task::spawn_blocking(move || {
        let mut learn = || {
            std::fs::create_dir_all(&directory).map_err(GenerationError::io(&directory))?;
            let (known, without) = examples(&crystals, &directory.join("crystals.jsonl"), options.threads, &bar)?;
            options.without_tokens = without;
            train(&known, &options, &bar)
        };
        (learn(), bar)
    })
    .await
    .map_err(|e| CliError::Failed(format!("training stopped: {e}")))?;
    bar.bar.close();
    let trained = trained.map_err(|e| CliError::Failed(e.to_string()))?;
    let card = trained.model.card();
    render::print(&format!(
        "generator {} of {} crystals: {:.2} nats per crystal after {} epochs, {:.2} of {} that were held out (epoch {})\n\
         {} crystals have no tokens, {} are too long or of other species\n\
         weights and card: {}\n",
        card.name,
        card.crystals,
        card.loss,
        card.epochs,
        card.held_out_loss,
        card.held_out,
        card.best_epoch,
        card.without_tokens,
        card.too_long,
        trained.weights.display()
    ))?;
    if args.out.is_none() {
        render::print(&format!("it is asked with generate(.., sampler => '{}')\n", card.name))?;
    }
    Ok(())
}

/// The name of the generator to come, which no other model of the store has; that of a run that goes on.
fn name(store: &Store, args: &Train) -> Result<String, CliError> {
    Ok(match (&args.name, &args.out) {
        (Some(name), out) => {
            // A run that goes on has its name already.
            match out.is_some() || args.resume {
                true => store.model_name(name)?,
                false => store.free_model_name(name)?,
            }
            name.clone()
        }
        (None, Some(_)) => NAME.to_owned(),
        (None, None) => match store.last_model(NAME).filter(|_| args.resume) {
            Some(last) => last,
            None => store.new_model(NAME)?,
        },
    })
}

/// What is said of labels and of other networks has no meaning here.
fn check(args: &Train) -> Result<(), CliError> {
    let meaningless = [
        ("--hidden", args.hidden.is_some()),
        ("--set", !args.set.is_empty()),
        ("--leave-out", args.leave_out.is_some()),
        ("--split-seed", args.split_seed.is_some()),
        ("--batch-atoms", args.batch_atoms.is_some()),
        ("--ema", args.ema.is_some()),
        ("--unit", args.unit.is_some()),
        ("--quote", !args.quote.is_empty()),
    ];
    match meaningless.iter().find(|(_, given)| *given) {
        Some((option, _)) => {
            Err(CliError::Usage(format!("{option}: the generator {NAME} learns from crystals, without labels")))
        }
        None => Ok(()),
    }
}

/// The crystals of a table with their distances to the hull, where it has them.
async fn crystals(
    session: &Session,
    table: &str,
    condition: Option<&str>,
) -> Result<Vec<(Structure, Option<f64>)>, CliError> {
    let name = quoted_name(table);
    let schema = session.sql(&format!("SELECT * FROM {name} LIMIT 0")).await?;
    let has_hull = schema.schema().fields().iter().any(|field| field.name() == HULL);
    let hull = if has_hull { quoted_name(HULL) } else { "NULL".into() };
    let filter = condition.map(|c| format!(" AND ({c})")).unwrap_or_default();
    let query = format!(
        "SELECT structure, CAST({hull} AS DOUBLE) AS hull FROM {name} WHERE structure IS NOT NULL{filter} \
         ORDER BY id, structure_hash"
    );
    let mut all = Vec::new();
    for batch in session.sql(&query).await?.collect().await? {
        let structures = StructureColumn::try_new(batch.column(0).as_ref())
            .map_err(|why| CliError::Failed(format!("column structure: {why}")))?;
        let hulls = batch.column(1).as_primitive::<Float64Type>();
        for i in 0..batch.num_rows() {
            if let Some(Ok(structure)) = structures.get(i) {
                all.push((structure, hulls.is_valid(i).then(|| hulls.value(i))));
            }
        }
    }
    if all.is_empty() {
        return Err(CliError::Failed(format!("no row of {table} has a structure: import crystals first")));
    }
    Ok(all)
}

/// What a training shows while it runs.
struct Bar {
    bar: TrainingBar,
    epochs: usize,
    seconds: Mutex<Vec<f64>>,
}

impl Bar {
    fn new(epochs: usize) -> Self {
        let bar = TrainingBar::new("{prefix} {bar:30} {pos}/{len}  {msg}  {eta} left");
        Self { bar, epochs, seconds: Mutex::default() }
    }
}

impl WyckoffObserver for Bar {
    fn read(&self, done: usize, total: usize) {
        self.bar.crystals("reading".into(), "symmetry and spheres".into(), done, total);
    }

    fn step(&self, epoch: usize, done: usize, total: usize, loss: f64) {
        self.bar.crystals(format!("epoch {epoch}/{}", self.epochs), format!("loss {loss:.3}"), done, total);
    }

    fn epoch(&self, epoch: &WyckoffEpoch) -> ControlFlow<()> {
        let mut seconds = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        seconds.push(epoch.seconds);
        let pace = seconds.iter().sum::<f64>() / seconds.len() as f64;
        let left = Duration::from_secs_f64((pace * self.epochs.saturating_sub(epoch.epoch) as f64).max(0.0));
        self.note(&format!(
            "epoch {:4}  loss {:.3}  held out {:.3} nats per crystal  learning rate {:.2e}  {:.0} s  {} left",
            epoch.epoch,
            epoch.loss,
            epoch.held_out,
            epoch.learning_rate,
            epoch.seconds,
            HumanDuration(left)
        ));
        self.bar.flow()
    }

    fn note(&self, message: &str) {
        self.bar.line(message);
    }
}
