//! The command line. [`main`] parses the arguments once, opens the store, runs one command and prints at most one
//! error. Data goes to standard output; progress, timings and errors go to standard error.

mod args;
mod bars;
mod commands;
mod consent;
mod console;
mod interrupt;
pub mod python;
pub mod queries;
mod render;
mod shell;
pub mod statements;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::JoinHandle;

use clap::{CommandFactory, Parser};
use datafusion::error::DataFusionError;

use crate::error::{Error, ReportError, StoreError};
use crate::store::STACK;

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

pub use console::Console;
pub use render::{cell_texts, table_text};

/// Every command, with its options and their help.
pub fn command() -> clap::Command {
    let mut command = args::Args::command();
    command.build();
    command
}

/// Runs a command for another program, which gets its output. `words` are those after the name of the program.
///
/// # Errors
/// Those of the command; words that are none.
pub async fn run(words: Vec<OsString>, console: Arc<dyn Console>) -> Result<(), CliError> {
    let words = std::iter::once(OsString::from("hollandite")).chain(words);
    let args = args::Args::try_parse_from(words).map_err(|error| {
        let text = error.render().to_string();
        let text = text.trim_start_matches("error: ").split("\n\nUsage:").next().unwrap_or_default().to_owned();
        CliError::Usage(text)
    })?;
    console::speaking_to(console, commands::run(args)).await
}

/// Run the command line of this process.
pub fn main() -> ExitCode {
    ExitCode::from(main_with(std::env::args_os()))
}

/// Run a command line, the name of the program first, and say with which code the process should end.
pub fn main_with(words: impl Iterator<Item = OsString>) -> u8 {
    // clap prints help and usage errors itself, and exits with 0 or 2.
    let args = args::Args::parse_from(words);
    interrupt::watch();
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK).build();
    // A statement may be deeper than the stack that the system gives the first thread of a process.
    let first = std::thread::Builder::new().name("main".into()).stack_size(STACK);
    let started = threads.and_then(|runtime| {
        first.spawn(move || {
            let done = runtime.block_on(commands::run(args));
            // A query that was cancelled may still be computing its last batch: do not wait for it.
            runtime.shutdown_background();
            done
        })
    });
    let done = match started.map(JoinHandle::join) {
        Ok(Ok(done)) => done,
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        Err(error) => return fail(&CliError::Failed(format!("cannot start worker threads: {error}"))),
    };
    match done {
        Ok(()) => 0,
        Err(CliError::Report(error)) if error.is_broken_pipe() => 0,
        Err(error) => fail(&error),
    }
}

fn fail(error: &CliError) -> u8 {
    eprintln!("error: {error}");
    if matches!(error, CliError::Usage(_)) { 2 } else { 1 }
}
