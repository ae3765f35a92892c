//! `hollandite plot funnel`: the rows of a query as the steps of a screening.

use std::path::Path;

use crate::cli::CliError;
use crate::cli::args::PlotFunnel;
use crate::cli::commands::{session, steps};
use crate::cli::queries::Query;
use crate::report::plots::funnel::funnel;

pub(crate) async fn run(store: Option<&Path>, args: &PlotFunnel) -> Result<(), CliError> {
    // An unknown name fails before a store is made.
    Query::of_text(&args.query)?;
    let (_, session) = session(store, args.at).await?;
    let (rows, steps) = steps::counted(&session, &args.query).await?;
    super::save(&funnel(&rows, &steps), &args.out)
}
