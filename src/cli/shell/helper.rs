//! What the line editor knows of SQL: where a statement ends, and which names a word may be completed to.

use std::collections::BTreeSet;

use rustyline::completion::{Completer, Pair};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper, Highlighter, Hinter};

use super::meta::Meta;
use crate::cli::statements;
use crate::sql::Session;

const KEYWORDS: &str = "ALL ALTER ANALYZE AND AS ASC BETWEEN BY CASE CAST COPY CREATE CROSS DELETE DESC DESCRIBE DISTINCT DROP \
    ELSE END EXCEPT EXISTS EXPLAIN FALSE FROM FULL GROUP HAVING ILIKE IN INNER INSERT INTERSECT INTO IS JOIN LEFT LIKE LIMIT \
    NOT NULL OFFSET ON OR ORDER OUTER OVER PARTITION RIGHT SELECT SET SHOW SUMMARIZE TABLE THEN TO TRUE UNION UPDATE USING VALUES VIEW \
    WHEN WHERE WITH";

const META: [&str; 13] =
    [r"\d", r"\dt", r"\df", r"\describe", r"\x", r"\full", r"\pager", r"\pset", r"\timing", r"\o", r"\?", r"\q", r"\h"];

/// The names that completion offers.
#[derive(Debug, Default)]
pub struct Names {
    tables: BTreeSet<String>,
    columns: BTreeSet<String>,
    functions: BTreeSet<String>,
}

impl Names {
    /// The names that `session` resolves.
    pub(crate) async fn of(session: &Session) -> Self {
        let context = session.context();
        let mut names = Self::default();
        for table in super::catalog::table_names(session) {
            if let Ok(provider) = context.table_provider(table.as_str()).await {
                names.columns.extend(provider.schema().fields().iter().map(|f| f.name().clone()));
            }
            names.tables.insert(table);
        }
        let state = context.state();
        names.functions.extend(state.scalar_functions().keys().cloned());
        names.functions.extend(state.aggregate_functions().keys().cloned());
        names.functions.extend(state.window_functions().keys().cloned());
        names.functions.extend(state.table_functions().keys().cloned());
        names
    }

    /// Where the word under the cursor starts, and what it may become.
    fn complete(&self, line: &str) -> (usize, Vec<String>) {
        let start = line
            .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
            .map_or(0, |i| i + line[i..].chars().next().map_or(1, char::len_utf8));
        let (before, word) = line.split_at(start);
        let command = line.trim_start();
        if command.starts_with('\\') && !command.contains(char::is_whitespace) {
            let found = META.iter().filter(|m| m.starts_with(command)).map(|m| (*m).to_string()).collect();
            return (line.len() - command.len(), found);
        }
        let fits = |name: &&String| name.len() > word.len() && name.to_lowercase().starts_with(&word.to_lowercase());
        let plain = |names: &BTreeSet<String>| names.iter().filter(fits).cloned().collect::<Vec<_>>();
        let functions = || self.functions.iter().filter(fits);
        if command.starts_with(r"\df ") {
            return (start, functions().cloned().collect());
        }
        if command.starts_with(r"\d ") {
            return (start, plain(&self.tables));
        }
        if command.starts_with(r"\o ") || (word.is_empty() && !before.ends_with('.')) {
            return (start, Vec::new());
        }
        if before.ends_with('.') {
            return (start, plain(&self.columns));
        }
        let mut found = plain(&self.tables);
        if !matches!(last_keyword(before).as_deref(), Some("from" | "join" | "into" | "update" | "table")) {
            found.extend(plain(&self.columns));
            found.extend(functions().map(|f| format!("{f}(")));
            let upper = word.chars().next().is_some_and(char::is_uppercase);
            let keywords =
                KEYWORDS.split_whitespace().filter(|k| k.len() > word.len() && k.starts_with(&word.to_uppercase()));
            found.extend(keywords.map(|k| if upper { k.to_string() } else { k.to_lowercase() }));
        }
        (start, found)
    }
}

/// The word right before the cursor's, in lower case: after FROM and its like only tables make sense.
fn last_keyword(before: &str) -> Option<String> {
    before.split_whitespace().last().map(str::to_lowercase)
}

/// The editor's helper.
#[derive(Helper, Highlighter, Hinter)]
pub struct SqlHelper {
    /// What completion offers.
    pub names: Names,
}

impl Completer for SqlHelper {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, found) = self.names.complete(&line[..pos]);
        Ok((start, found.into_iter().map(|name| Pair { display: name.clone(), replacement: name }).collect()))
    }
}

impl Validator for SqlHelper {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if is_whole(context.input()) { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

/// Whether Enter ends the input: at a `;`, after a `\` command, or on an empty line.
fn is_whole(input: &str) -> bool {
    input.trim().is_empty() || input.trim_start().starts_with('\\') || Meta::of_word(input).is_some() || {
        let (whole, rest) = statements::split(input);
        !whole.is_empty() && statements::is_blank(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let set = |names: &[&str]| names.iter().map(|n| (*n).to_string()).collect();
        Names {
            tables: set(&["tmo", "tunnels"]),
            columns: set(&["void", "volume"]),
            functions: set(&["void", "volume"]),
        }
    }

    #[test]
    fn words_become_tables_columns_functions_and_keywords() {
        let complete = |line| names().complete(line);
        assert_eq!(complete("SELECT voi"), (7, vec!["void".into(), "void(".into()]));
        assert_eq!(complete("SELECT * FROM t"), (14, vec!["tmo".into(), "tunnels".into()]));
        assert_eq!(complete("SELECT tmo.vol"), (11, vec!["volume".into()]));
        assert_eq!(complete("sel"), (0, vec!["select".into()]));
        assert_eq!(complete("SEL"), (0, vec!["SELECT".into()]));
        assert_eq!(complete("SELECT 'Å' || vo").0, "SELECT 'Å' || ".len());
        assert!(complete("SELECT ").1.is_empty());
    }

    #[test]
    fn meta_commands_complete_to_their_own_kind() {
        let complete = |line| names().complete(line);
        assert_eq!(complete(r"\ti"), (0, vec![r"\timing".into()]));
        assert_eq!(complete(r"\d tu"), (3, vec!["tunnels".into()]));
        assert_eq!(complete(r"\df v"), (4, vec!["void".into(), "volume".into()]));
    }

    #[test]
    fn enter_ends_a_statement_and_not_a_quoted_semicolon() {
        for (input, whole) in [
            ("SELECT 1;", true),
            ("SELECT 1; -- done", true),
            ("SELECT ';", false),
            ("SELECT 1", false),
            ("-- a note", false),
            (r"\dt", true),
            ("quit", true),
            ("Exit", true),
            ("", true),
        ] {
            assert_eq!(is_whole(input), whole, "{input:?}");
        }
    }
}
