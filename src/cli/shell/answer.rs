//! The `\` commands that ask something of the store, and statements that SQL itself does not have.

use super::catalog;
use super::meta::Meta;
use crate::cli::commands::{functions, sql};
use crate::cli::render::{self, Printer};
use crate::cli::{CliError, statements};
use crate::sql::Session;
use crate::store::Store;

/// Answers a command; false for one that is a matter of the shell alone.
pub(crate) async fn answer(meta: &Meta, store: &Store, session: &Session, printer: &Printer) -> Result<bool, CliError> {
    match meta {
        Meta::Tables => printer.print_batch(&catalog::tables(store, session).await?)?,
        Meta::Table(name) => printer.print_batch(&catalog::columns(session, name).await?)?,
        Meta::Functions(None) => printer.print_batch(&functions::batch()?)?,
        Meta::Functions(Some(name)) => render::print(&functions::page(name)?)?,
        Meta::Describe(query) => sql::describe(session, query, printer).await?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// What stands behind a word that is no SQL, or that we answer better.
#[derive(Debug, PartialEq, Eq)]
pub enum Word {
    /// `SUMMARIZE TABLE|QUERY`: the query.
    Summarize(String),
    /// `DESCRIBE TABLE`
    Describe(String),
}

impl Word {
    /// Reads a statement; `None` where it is plain SQL.
    pub(crate) fn of(statement: &str) -> Option<Self> {
        let (word, rest) = statements::lead(statement).split_once(char::is_whitespace)?;
        let rest = statements::lead(rest).trim();
        let is_name = !rest.is_empty() && rest.chars().all(|c| c.is_alphanumeric() || "_.\"".contains(c));
        let is = |known: &str| word.eq_ignore_ascii_case(known);
        if is("summarize") && !rest.is_empty() {
            return Some(Self::Summarize(if is_name { format!("SELECT * FROM {rest}") } else { rest.to_owned() }));
        }
        ((is("describe") || is("desc")) && is_name).then(|| Self::Describe(rest.to_owned()))
    }

    /// Prints the answer.
    pub(crate) async fn answer(&self, session: &Session, printer: &Printer) -> Result<(), CliError> {
        match self {
            Self::Summarize(query) => sql::describe(session, query, printer).await,
            Self::Describe(table) => printer.print_batch(&catalog::columns(session, table).await?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_and_queries_are_summarized_and_tables_described() {
        let summarize = |query: &str| Some(Word::Summarize(query.into()));
        assert_eq!(Word::of("SUMMARIZE tmo"), summarize("SELECT * FROM tmo"));
        assert_eq!(Word::of("-- why\nsummarize SELECT void FROM tmo"), summarize("SELECT void FROM tmo"));
        assert_eq!(Word::of("DESC lake.main.tmo"), Some(Word::Describe("lake.main.tmo".into())));
        for sql in ["DESCRIBE SELECT 1", "SELECT 1", "summarize", "WITH describe AS (SELECT 1) SELECT * FROM describe"]
        {
            assert_eq!(Word::of(sql), None, "{sql}");
        }
    }
}
