//! `hollandite sql`: statements from the command line, a file, a pipe or the stored queries; their rows to a printer.

use std::io::{IsTerminal, Read};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;

use crate::cli::args::Sql;
use crate::cli::console::note;
use crate::cli::queries::{QUERIES, Query};
use crate::cli::render::Printer;
use crate::cli::shell::{self, Meta, Word};
use crate::cli::{CliError, consent, statements};
use crate::report;
use crate::sql::{Session, column_units};
use crate::store::Store;

pub(crate) async fn run(store: Option<&Path>, sql: &Sql) -> Result<(), CliError> {
    let printer = Printer::new(&sql.output)?;
    if sql.list {
        return list(&printer);
    }
    let text = text(sql)?;
    let statements = statements::all(&text);
    if statements.is_empty() {
        return Err(CliError::Usage("there is no statement to run".into()));
    }
    let (store, session) = super::session(store, sql.at).await?;
    #[cfg(feature = "cluster")]
    let session = super::cluster::session(session, sql.cluster.as_deref()).await?;
    let mut printed = false;
    for (at, statement) in statements.iter().enumerate() {
        if printed && printer.file().is_some() {
            let message = "--output takes the result of one statement: run the statements after it separately";
            return Err(at_statement(CliError::Usage(message.into()), &statements, at));
        }
        let ran = if statement.starts_with('\\') {
            command(statement, &store, &session, &printer).await.map(|()| true)
        } else if sql.describe {
            describe(&session, statement, &printer).await.map(|()| true)
        } else {
            match consent::ask(&session, statement, sql.yes).await {
                Ok(()) => run_one(&session, statement, &printer).await,
                Err(error) => Err(error),
            }
        };
        printed |= ran.map_err(|error| at_statement(error, &statements, at))?;
    }
    Ok(())
}

/// An error of one of several statements: which one it was, and what became of the others.
fn at_statement(error: CliError, statements: &[&str], at: usize) -> CliError {
    let message = || {
        let (number, all) = (at + 1, statements.len());
        format!("statement {number} of {all}: {error}\n{}", statements::aftermath(statements, at))
    };
    match &error {
        _ if statements.len() == 1 => error,
        CliError::Below(_) | CliError::Store(_) | CliError::Failed(_) => CliError::Failed(message()),
        CliError::Usage(_) => CliError::Usage(message()),
        _ => error,
    }
}

/// Run one statement and print its rows; false where it has no columns to print, as CREATE and SET.
pub(crate) async fn run_one(session: &Session, statement: &str, printer: &Printer) -> Result<bool, CliError> {
    if let Some(word) = Word::of(statement) {
        return word.answer(session, printer).await.map(|()| true);
    }
    let frame = session.sql(statement).await?;
    let prints = !frame.schema().fields().is_empty();
    if prints {
        let units = column_units(session, &frame);
        printer.print(frame.execute_stream().await?, &units).await?;
    } else {
        frame.collect().await?;
    }
    warn(session);
    Ok(prints)
}

/// A `\` command of the shell, which prints something.
async fn command(line: &str, store: &Store, session: &Session, printer: &Printer) -> Result<(), CliError> {
    let meta = Meta::parse(line).map_err(CliError::Usage)?;
    if shell::answer(&meta, store, session, printer).await? {
        return Ok(());
    }
    Err(CliError::Usage(format!("{line} is for `hollandite shell`; here work \\d, \\dt, \\df and \\describe")))
}

/// Prints which rows answered NULL, and why.
pub(crate) fn warn(session: &Session) {
    for warning in session.warnings() {
        note(&format!("warning: {warning}"));
    }
}

/// Summary statistics of a result in place of its rows, computed by polars.
pub(crate) async fn describe(session: &Session, query: &str, printer: &Printer) -> Result<(), CliError> {
    let frame = session.sql(query).await?;
    let schema = SchemaRef::new(frame.schema().as_arrow().clone());
    let batches = frame.collect().await?;
    let summary = report::describe(&report::dataframe(&schema, &batches)?)?;
    printer.print_batch(&report::record_batch(&summary)?)?;
    warn(session);
    Ok(())
}

fn list(printer: &Printer) -> Result<(), CliError> {
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(QUERIES.iter().map(|q| q.name)));
    let answers: ArrayRef = Arc::new(QUERIES.iter().map(|q| q.header("What")).collect::<StringArray>());
    printer.print_batch(&RecordBatch::try_from_iter([("query", names), ("answers", answers)])?)
}

/// The text to run.
fn text(sql: &Sql) -> Result<String, CliError> {
    if let Some(path) = &sql.file {
        return std::fs::read_to_string(path).map_err(|source| CliError::Io { path: path.clone(), source });
    }
    let Some(query) = &sql.query else {
        let mut text = String::new();
        if std::io::stdin().is_terminal() {
            return Err(CliError::Usage(
                "give a query, the name of a stored one (--list) or -f FILE; `hollandite shell` takes them one by one"
                    .into(),
            ));
        }
        let read = std::io::stdin().read_to_string(&mut text);
        return read.map(|_| text).map_err(|source| CliError::Io { path: "standard input".into(), source });
    };
    Ok(Query::of_text(query)?.sql().to_string())
}
