//! `hollandite completions SHELL`.

use clap::CommandFactory;

use crate::cli::args::{Args, Completions};
use crate::cli::{CliError, render};

pub(crate) fn run(completions: &Completions) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(completions.shell, &mut Args::command(), "hollandite", &mut script);
    render::print(&String::from_utf8_lossy(&script))
}
