//! `hollandite shell`: see [`crate::cli::shell`].

use std::path::Path;

use crate::cli::args::Shell;
use crate::cli::{CliError, shell};

pub(crate) async fn run(store: Option<&Path>, options: &Shell) -> Result<(), CliError> {
    let (store, session) = super::session(store, options.at).await?;
    shell::Shell::new(store, session, options.format, options.yes)?.run().await
}
