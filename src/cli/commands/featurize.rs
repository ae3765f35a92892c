//! `hollandite featurize --features LIST`: a bar while it runs (on a terminal), one line a feature when it is done.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};

use super::place::place;
use super::{job_bar::JobBar, sql::warn};
use crate::cli::args::{At, Featurize, Format};
use crate::cli::render::{self, Printer};
use crate::cli::{CliError, commands};
use crate::jobs::{self, FeaturizeOptions};
use crate::sql::Session;
use crate::store::Store;

pub(crate) async fn run(store: Option<&Path>, args: &Featurize) -> Result<(), CliError> {
    let at = At { snapshot: None };
    if args.list {
        let (store, session) = commands::session(store, at).await?;
        return list(&store, &session);
    }
    let mut options = FeaturizeOptions {
        features: args.features.clone(),
        table: args.table.clone(),
        condition: args.condition.clone(),
        force: args.force,
        commit_rows: args.commit_every,
        ..FeaturizeOptions::default()
    };
    let Some(place) = place(store, at, &args.sharded, &format!("{options:?}")).await? else { return Ok(()) };
    options.condition = place.condition(options.condition);
    let bar = JobBar::new("counting rows");
    let summary = jobs::featurize(&place.session, &place.store, &options, &bar).await;
    bar.close();
    warn(&place.session);
    render::print(&format!("{}\n", summary?))?;
    place.finish(BTreeMap::new())
}

/// Every feature that has no arguments, and those with arguments that are there.
fn list(store: &Store, session: &Session) -> Result<(), CliError> {
    let there = store.info(None)?.features;
    let mut rows: Vec<[String; 3]> = session
        .featurizers()
        .into_iter()
        .map(|f| {
            let comment = f.comment.split_inclusive(". ").next().unwrap_or_default().trim_end().to_string();
            let rows = there.iter().find(|t| t.featurizer == f.id).map(|t| t.rows.to_string());
            [f.id, rows.unwrap_or_default(), comment]
        })
        .collect();
    let known: Vec<String> = rows.iter().map(|[id, ..]| id.clone()).collect();
    let others = there.into_iter().filter(|t| !known.contains(&t.featurizer));
    rows.extend(others.map(|t| [t.featurizer, t.rows.to_string(), String::new()]));
    rows.sort();
    let column =
        |k: usize| -> ArrayRef { Arc::new(rows.iter().map(|row| Some(row[k].as_str())).collect::<StringArray>()) };
    let columns = [("featurizer", column(0)), ("rows", column(1)), ("returns", column(2))];
    let batch = RecordBatch::try_from_iter(columns)?;
    Printer::stdout(Format::Table)?.print_batch(&batch)
}
