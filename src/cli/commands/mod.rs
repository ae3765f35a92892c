//! One file per command.

mod charges;
#[cfg(feature = "cluster")]
mod cluster;
mod completions;
mod compute;
mod enumerate;
mod evaluate;
mod export;
mod featurize;
pub mod functions;
mod generate;
mod import;
mod import_dft;
mod info;
mod init;
mod job_bar;
mod man;
mod merge;
mod models;
mod place;
mod plot;
mod progress;
mod report;
mod restore;
mod samples;
#[cfg(feature = "serve")]
mod serve;
mod shell;
pub mod sql;
mod steps;
mod train;
mod training;
mod training_bar;
mod tune;
mod verify;
mod wyckoff;

use std::path::Path;

use super::args::{Args, At, Command};
use super::{CliError, bars, console};
use crate::sql::Session;
use crate::store::{Store, waiting_for};

/// Run the command that was typed.
pub(crate) async fn run(args: Args) -> Result<(), CliError> {
    let store = args.store.as_deref();
    match args.command {
        Command::Init(init) => init::run(store, &init).await,
        Command::Import(import) => import::run(store, &import).await,
        Command::ImportDft(import) => import_dft::run(store, &import).await,
        Command::Sql(sql) => sql::run(store, &sql).await,
        Command::Shell(shell) => shell::run(store, &shell).await,
        Command::Export(export) => export::run(store, &export).await,
        Command::Plot(plot) => plot::run(store, &plot).await,
        Command::Report(report) => report::run(store, &report).await,
        Command::Charges(charges) => charges::run(store, &charges).await,
        Command::Featurize(options) => featurize::run(store, &options).await,
        Command::Compute(options) => compute::run(store, &options).await,
        Command::Enumerate(options) => enumerate::run(store, &options).await,
        Command::Generate(options) => generate::run(store, &options).await,
        Command::Train(train) => train::run(store, &train).await,
        Command::Tune(tune) => tune::run(store, &tune).await,
        Command::Evaluate(evaluate) => evaluate::run(store, &evaluate).await,
        Command::Merge(merge) => merge::run(store, &merge).await,
        Command::Models(models) => models::run(store, &models).await,
        Command::Functions(functions) => functions::run(&functions),
        Command::Info(info) => info::run(store, &info).await,
        Command::Restore(restore) => restore::run(store, &restore).await,
        Command::Verify(verify) => verify::run(store, &verify).await,
        #[cfg(feature = "serve")]
        Command::Serve(options) => serve::serve(store, options).await,
        #[cfg(feature = "serve")]
        Command::Mcp(options) => serve::mcp(store, options).await,
        #[cfg(feature = "cluster")]
        Command::Cluster(options) => cluster::run(options).await,
        Command::Completions(completions) => completions::run(&completions),
        Command::Man(man) => man::run(&man),
    }
}

/// The store that `--store` or HOLLANDITE_STORE names, or the default one, made on first use.
async fn open(store: Option<&Path>) -> Result<Store, CliError> {
    let store = match store {
        Some(dir) => Store::open(dir).await?,
        None => Store::open_default().await?,
    };
    tell_of_waiting(&store);
    Ok(store)
}

/// Shows which other process a command waits for.
fn tell_of_waiting(store: &Store) {
    let console = console::listener();
    store.watch_waiting(Box::new(move |holder| {
        let line = waiting_for(holder);
        match &console {
            Some(console) => console.note(&line),
            None => eprintln!("{line}"),
        }
    }));
}

/// A SQL session over it.
async fn session(store: Option<&Path>, at: At) -> Result<(Store, Session), CliError> {
    let store = open(store).await?;
    let session = session_of(&store, at.snapshot).await?;
    Ok((store, session))
}

/// A SQL session over a store that is open, with the caller's own tables.
async fn session_of(store: &Store, snapshot: Option<i64>) -> Result<Session, CliError> {
    let session = Session::open(store, snapshot).await?;
    match console::listener() {
        Some(console) => console.opened(&session)?,
        None => bars::watch(&session),
    }
    Ok(session)
}

/// What `asked` names, for an option that takes one of several names.
fn named<T: Clone>(option: &str, known: &[(&'static str, T)], asked: &str) -> Result<T, CliError> {
    let found = known.iter().find(|(name, _)| *name == asked).map(|(_, value)| value.clone());
    found.ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        CliError::Usage(format!("{option} {asked}: expected one of {}", names.join(", ")))
    })
}
