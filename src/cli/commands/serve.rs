//! `hollandite serve` and `hollandite mcp`: the store, for others to read.

use std::io::BufReader;
use std::path::Path;

use serve::{Allowed, Limits, Options, ServeError, StoredQuery, Tls};

use crate::cli::CliError;
use crate::cli::args::{Allow, Bounds, Mcp, Serve};
use crate::cli::interrupt;
use crate::cli::queries::QUERIES;

impl From<ServeError> for CliError {
    fn from(error: ServeError) -> Self {
        match error {
            error @ (ServeError::Usage(_) | ServeError::Tls { .. }) => Self::Usage(error.to_string()),
            ServeError::Store(error) => Self::Store(error),
            ServeError::Session(error) => Self::Below(error),
            ServeError::File { path, source } => Self::Io { path, source },
            other => Self::Failed(other.to_string()),
        }
    }
}

pub(crate) async fn serve(store: Option<&Path>, given: Serve) -> Result<(), CliError> {
    let store = super::open(given.dir.as_deref().or(store)).await?;
    let (limits, allowed) = bounds(&given.bounds);
    let options = Options {
        flight: Some(given.listen),
        http: Some(given.http),
        token: given.token_file,
        tls: given.tls_cert.zip(given.tls_key).map(|(certificate, key)| Tls { certificate, key }),
        limits,
        allowed,
        queries: queries(),
        logs: given.log,
    };
    let end = interrupt::leave_to_the_server().map_err(|e| CliError::Failed(format!("listening to signals: {e}")))?;
    let (grpc, http) = if options.tls.is_some() { ("grpc+tls", "https") } else { ("grpc", "http") };
    let dir = store.dir().display().to_string();
    let ready = move |at: serve::Listening| {
        eprintln!("serving {dir}");
        at.flight.iter().for_each(|at| eprintln!("Flight SQL at {grpc}://{at}"));
        at.http.iter().for_each(|at| eprintln!("HTTP at {http}://{at}"));
    };
    on_threads(async move { serve::serve(&store, options, ready, end).await }).await?;
    eprintln!("ended");
    Ok(())
}

pub(crate) async fn mcp(store: Option<&Path>, given: Mcp) -> Result<(), CliError> {
    let store = super::open(given.dir.as_deref().or(store)).await?;
    let (limits, allowed) = bounds(&given.bounds);
    let input = BufReader::new(std::io::stdin());
    on_threads(async move { serve::mcp(&store, limits, allowed, queries(), input, std::io::stdout()).await }).await
}

/// Runs it on threads of its own, whose stacks are made for what strangers send.
async fn on_threads(work: impl Future<Output = Result<(), ServeError>> + Send + 'static) -> Result<(), CliError> {
    let failed = |error: String| CliError::Failed(format!("the server: {error}"));
    let runtime = serve::runtime().map_err(|error| failed(error.to_string()))?;
    let done = runtime.spawn(work).await;
    // A query that was cancelled may still be computing its last batch.
    runtime.shutdown_background();
    Ok(done.map_err(|error| failed(error.to_string()))??)
}

fn bounds(given: &Bounds) -> (Limits, Allowed) {
    let limits = Limits {
        memory: given.memory,
        spill: 4 * given.memory as u64,
        timeout: given.timeout,
        queries: given.queries,
        waiting: 4 * given.queries,
        rows: given.rows,
        ..Limits::default()
    };
    let allows = |what| given.allow.contains(&what);
    let allowed =
        Allowed { relax: allows(Allow::Relax), train: allows(Allow::Train), keep_nothing: given.keep_nothing };
    (limits, allowed)
}

fn queries() -> Vec<StoredQuery> {
    let stored = |query: &'static crate::cli::queries::Query| StoredQuery {
        name: query.name,
        answers: query.header("What").unwrap_or_default(),
        sql: query.sql,
    };
    QUERIES.iter().map(stored).collect()
}
