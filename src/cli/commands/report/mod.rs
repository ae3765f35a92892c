//! `hollandite report QUERY --to FILE.html`: run a screening, gather what a reader needs beside its rows, write the page.

mod candidates;
mod funnel;
mod provenance;

use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::prelude::DataFrame;
use futures::StreamExt;
use indicatif::{ProgressBar, ProgressDrawTarget};

use crate::cli::args::{At, Report};
use crate::cli::commands::steps;
use crate::cli::console::note;
use crate::cli::queries::{Asked, Query};
use crate::cli::{CliError, render, statements};
use crate::report::page::{Page, Table};
use crate::sql::{Session, units};

pub(crate) async fn run(store: Option<&Path>, args: &Report) -> Result<(), CliError> {
    let text = match &args.file {
        Some(path) => std::fs::read_to_string(path).map_err(|source| CliError::Io { path: path.clone(), source })?,
        None => args.query.clone().unwrap_or_default(),
    };
    let asked = if args.file.is_some() { Asked::Statements(&text) } else { Query::of_text(&text)? };
    args.funnel.as_deref().map(Query::of_text).transpose()?;
    writable(&args.to)?;
    let say = Stages::new();

    // What is read, and what the page says was read, is one snapshot.
    let at = match args.at.snapshot {
        Some(_) => args.at,
        None => At { snapshot: super::open(store).await?.snapshots()?.last().map(|s| s.id) },
    };
    let (store, session) = super::session(store, at).await?;
    say.stage("running the query");
    let frame = last(&session, asked.sql()).await?;
    // What the steps cannot be counted without is missed now, and not after minutes.
    if let Some(query) = &args.funnel {
        steps::planned(&session, query).await?;
    }
    let (schema, batches, total) = first_rows(frame.clone(), args.rows as usize).await?;
    if total == 0 {
        return Err(CliError::Failed(
            "the query returns no row, no page written; loosen its conditions one by one, \
             `hollandite sql \"SELECT count(*) ..\"` shows which of them leaves none"
                .into(),
        ));
    }
    // Before the steps are counted, which asks the same again.
    let warnings = session.warnings();
    for warning in &warnings {
        say.bar.suspend(|| note(&format!("warning: {warning}")));
    }
    say.stage("counting the steps");
    let funnel = match &args.funnel {
        Some(query) => Some(funnel::counted(&session, query).await?),
        None => funnel::derived(&session, &frame, total).await?,
    };
    say.stage("looking for the crystals");
    let found = candidates::find(&session, &frame, args, &schema, &batches).await?;
    let provenance = provenance::facts(&store, &session, &frame, args, at, found.model.as_deref()).await?;

    say.stage("drawing");
    let stored = match asked {
        Asked::Stored(query) => Some(query),
        Asked::Statements(_) => None,
    };
    let title = args.title.clone().unwrap_or_else(|| stored.map_or("Screening", |q| q.name).to_string());
    let about = stored.map(|q| ["What", "Why"].into_iter().filter_map(|label| q.header(label)).collect());
    let page = Page {
        title,
        about: about.unwrap_or_default(),
        query: without_header(asked.sql()),
        funnel,
        table: Table::new(&schema, &batches, total, &units(&session, &frame))?,
        candidates: found.candidates,
        remark: found.remark,
        provenance,
        warnings,
    };
    page.save(&args.to)?;
    say.bar.finish_and_clear();
    render::print(&format!("wrote {}\n", args.to.display()))
}

/// Before minutes of work: whether the file has a folder to stand in.
fn writable(path: &Path) -> Result<(), CliError> {
    let usage = |why: &str| Err(CliError::Usage(format!("--to {}: {why}", path.display())));
    if path.is_dir() {
        return usage("this is a folder; name a file, such as report.html");
    }
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) if !folder.is_dir() => usage("there is no such folder; make it first"),
        _ => Ok(()),
    }
}

/// Runs all statements but the last, whose rows are wanted.
async fn last(session: &Session, text: &str) -> Result<DataFrame, CliError> {
    let statements = statements::all(text);
    let Some((last, before)) = statements.split_last() else {
        return Err(CliError::Usage("there is no statement to run".into()));
    };
    for statement in before {
        session.sql(statement).await?.collect().await?;
    }
    let frame = session.sql(last).await?;
    if frame.schema().fields().is_empty() {
        return Err(CliError::Usage("the last statement returns no rows to report: end with a SELECT".into()));
    }
    Ok(frame)
}

/// The first rows of a result, and how many there are.
async fn first_rows(frame: DataFrame, most: usize) -> Result<(SchemaRef, Vec<RecordBatch>, u64), CliError> {
    let mut stream = frame.execute_stream().await?;
    let (schema, mut batches, mut kept, mut total) = (stream.schema(), Vec::new(), 0, 0);
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        let take = batch.num_rows().min(most - kept);
        if take > 0 {
            batches.push(batch.slice(0, take));
        }
        (kept, total) = (kept + take, total + batch.num_rows() as u64);
    }
    Ok((schema, batches, total))
}

/// A stored query without its header comment, which the page prints as its introduction.
fn without_header(sql: &str) -> String {
    let body: Vec<&str> = sql.trim().lines().skip_while(|line| line.starts_with("--")).collect();
    if body.is_empty() { sql.trim().to_string() } else { body.join("\n") }
}

/// What is being done, on a terminal.
struct Stages {
    bar: ProgressBar,
}

impl Stages {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(indicatif::ProgressStyle::default_spinner());
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        Self { bar }
    }

    fn stage(&self, what: &'static str) {
        self.bar.set_message(what);
    }
}

impl Drop for Stages {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_comment_is_taken_off_and_others_stay() {
        assert_eq!(without_header("-- What: x\n-- Why: y\nSELECT 1 -- one\n"), "SELECT 1 -- one");
        assert_eq!(without_header("-- nothing"), "-- nothing");
    }

    #[test]
    fn a_file_needs_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        assert!(writable(&folder.path().join("x.html")).is_ok() && writable(Path::new("x.html")).is_ok());
        let error = writable(&folder.path().join("none/x.html")).unwrap_err().to_string();
        assert!(error.contains("make it first"), "{error}");
        assert!(writable(folder.path()).unwrap_err().to_string().contains("name a file"));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn settings_before_the_query_are_made_and_the_rest_is_counted() {
        let session = Session::without_store();
        let frame = last(&session, "SET hollandite.coverage = 0.8; SELECT value AS x FROM generate_series(1, 10)")
            .await
            .unwrap();
        let (_, batches, total) = first_rows(frame, 3).await.unwrap();
        assert_eq!((batches.iter().map(RecordBatch::num_rows).sum::<usize>(), total), (3, 10));
        assert!(last(&session, " ;").await.is_err());
        let error = last(&session, "SET hollandite.coverage = 0.8").await.unwrap_err().to_string();
        assert!(error.contains("end with a SELECT"), "{error}");
    }
}
