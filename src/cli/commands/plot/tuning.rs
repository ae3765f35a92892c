//! `hollandite plot tuning`: the trials of a search for settings.

use std::path::Path;

use crate::cli::CliError;
use crate::cli::args::PlotTuning;
use crate::cli::commands::{open, tune};
use crate::report::plots;

pub(crate) async fn run(store: Option<&Path>, args: &PlotTuning) -> Result<(), CliError> {
    let store = open(store).await?;
    let (definition, trials) = tune::read(&store, &args.name)?;
    let title = format!("{}: settings of {}", args.name, definition.model);
    let unit = tune::unit(&store, &definition).await;
    super::save(&plots::tuning(&title, &unit, &trials), &args.out)
}
