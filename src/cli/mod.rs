//! What a person types. [`main`] parses the arguments once, opens the store, runs one command and prints at most one
//! error. Data goes to standard output; progress, timings and errors go to standard error.

mod args;
mod bars;
mod commands;
mod consent;
mod interrupt;
mod queries;
mod render;
mod shell;
mod statements;

use std::process::ExitCode;

use clap::Parser;
use datafusion::error::DataFusionError;

use crate::error::{Error, ReportError, StoreError};

/// A command that could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The command line asks for something that cannot be done; exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The command ran and found that something is wrong.
    #[error("{0}")]
    Failed(String),
    /// A layer below.
    #[error(transparent)]
    Below(#[from] Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The result could not be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A file could not be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: std::path::PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
}

impl From<DataFusionError> for CliError {
    fn from(error: DataFusionError) -> Self {
        Self::Below(error.into())
    }
}

impl From<arrow::error::ArrowError> for CliError {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::Report(error.into())
    }
}

/// Run the command line of this process.
pub fn main() -> ExitCode {
    // clap prints help and usage errors itself, and exits with 0 or 2.
    let args = args::Args::parse();
    interrupt::watch();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&CliError::Failed(format!("cannot start worker threads: {error}"))),
    };
    let done = runtime.block_on(commands::run(args));
    // A query that was cancelled may still be computing its last batch: do not wait for it.
    runtime.shutdown_background();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(CliError::Report(error)) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &CliError) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(if matches!(error, CliError::Usage(_)) { 2 } else { 1 })
}
