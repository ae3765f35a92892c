//! `hollandite plot path QUERY`: the energy of an ion on its way.

use std::path::Path;

use super::pairs;
use crate::cli::CliError;
use crate::cli::args::PlotPath;
use crate::report::plots::path;

pub async fn run(store: Option<&Path>, args: &PlotPath) -> Result<(), CliError> {
    let Some(query) = pairs::query(&args.query) else {
        return Err(CliError::Usage(format!(
            "'{}' is no query: give one such as \"SELECT * FROM migration_paths('hollandite-mno2', 'Li')\"",
            args.query
        )));
    };
    let (_, session) = super::super::session(store, args.at).await?;
    let (_, points) = pairs::read(&session, query, ["distance", "energy"]).await?;
    if points.is_empty() {
        return Err(CliError::Failed("no row of the query has both a distance and an energy".into()));
    }
    super::save(&path(&points), &args.out)
}
