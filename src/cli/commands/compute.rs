//! `hollandite compute`: columns of SQL for the rows of a table, kept; a bar while it runs (on a terminal).

use std::collections::BTreeMap;
use std::path::Path;

use super::place::place;
use super::{job_bar::JobBar, sql::warn};
use crate::cli::args::{At, Compute};
use crate::cli::{CliError, render};
use crate::jobs::{self, ComputeOptions};

pub(crate) async fn run(store: Option<&Path>, args: &Compute) -> Result<(), CliError> {
    let mut options = ComputeOptions {
        columns: args.columns.clone(),
        table: args.table.clone(),
        condition: args.condition.clone(),
        into: args.into.clone(),
        commit_rows: args.commit_every,
        ..ComputeOptions::default()
    };
    let Some(place) = place(store, At { snapshot: None }, &args.sharded, &format!("{options:?}")).await? else {
        return Ok(());
    };
    options.condition = place.condition(options.condition);
    let bar = JobBar::new("counting rows");
    let summary = jobs::compute(&place.session, &place.store, &options, &bar).await;
    bar.close();
    warn(&place.session);
    render::print(&format!("{}\n", summary?))?;
    place.finish(BTreeMap::new())
}
