//! Views that last: a name for a query, kept in the catalog as DuckDB keeps it.

use std::collections::HashSet;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::dialect::{Dialect, GenericDialect};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer, Word};
use rusqlite::params;

use super::Commit;
use super::commit::quoted;
use super::create::end_tags;
use crate::StoreError;
use crate::lake::{SCHEMA, Store};
use crate::names::{check_table_name, is_reserved};
use crate::query::{parsed, tables_of};

/// What stands in a definition for the lake, under any name that a client attaches it by.
const PLACEHOLDER: &str = "DUCKLAKE_CATALOG";

/// How deep the queries of views may be nested.
const RECURSION: usize = 50;

/// A view of the lake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Its name.
    pub name: String,
    /// Its query, in which `{DUCKLAKE_CATALOG}.` stands before tables of the lake.
    pub sql: String,
    /// Names of its columns, from the first on; the others have those of the query.
    pub aliases: Vec<String>,
}

impl View {
    /// The query as a session over the store plans it.
    ///
    /// # Errors
    /// Text that has no tokens of SQL.
    pub fn query(&self, dialect: &dyn Dialect) -> Result<String, StoreError> {
        let words = |e| StoreError::Statement(format!("view '{}' cannot be read: {e}", self.name));
        let tokens = Tokenizer::new(dialect, &self.sql).with_unescape(false).tokenize().map_err(words)?;
        let mut query = String::with_capacity(self.sql.len());
        let mut rest = tokens.as_slice();
        while let Some((first, after)) = rest.split_first() {
            rest = match rest {
                [Token::LBrace, Token::Word(word), Token::RBrace, Token::Period, after @ ..]
                    if is_placeholder(word) =>
                {
                    // Before a bare name of a table stands the schema too.
                    query += match after {
                        [_, Token::Period, ..] => "lake.",
                        _ => "lake.main.",
                    };
                    after
                }
                _ => {
                    query += &first.to_string();
                    after
                }
            };
        }
        Ok(query)
    }
}

fn is_placeholder(word: &Word) -> bool {
    word.quote_style.is_none() && word.value == PLACEHOLDER && word.keyword == Keyword::NoKeyword
}

/// The name of a table of the lake as a definition has it.
pub fn definition_for_the_lake(table: &str) -> String {
    format!("{{{PLACEHOLDER}}}.{}", quoted(table))
}

impl Store {
    /// Makes a view, or replaces the one of that name.
    ///
    /// # Errors
    /// A store that may not be written to, or a name that is taken.
    pub async fn create_view(&self, view: &View, replace: bool) -> Result<(), StoreError> {
        self.writer()?;
        check_table_name(&view.name)?;
        let _turn = self.lock().await?;
        let mut connection = self.connect()?;
        let mut commit = Commit::begin(&mut connection)?;
        if let (Some(old), true) = (commit.view(&view.name)?, replace) {
            end(&mut commit, old)?;
        }
        insert(&mut commit, view)?;
        commit.finish(&format!("create view {}", view.name)).map(drop)
    }

    /// Drops a view; false where there is none of that name.
    ///
    /// # Errors
    /// A store that may not be written to.
    pub(crate) fn drop_view(&self, name: &str) -> Result<bool, StoreError> {
        self.writer()?;
        let mut connection = self.connect()?;
        let mut commit = Commit::begin(&mut connection)?;
        let Some(view) = commit.view(name)? else { return Ok(false) };
        end(&mut commit, view)?;
        commit.finish(&format!("drop view {name}"))?;
        Ok(true)
    }

    /// The views of a snapshot, by name.
    ///
    /// # Errors
    /// A catalog that cannot be read.
    pub fn views(&self, snapshot: i64) -> Result<Vec<View>, StoreError> {
        let connection = self.connect()?;
        let mut statement = connection.prepare(
            "SELECT view_name, sql, coalesce(column_aliases, '') FROM ducklake_view
             JOIN ducklake_schema USING (schema_id)
             WHERE schema_name = ?1 AND ducklake_view.begin_snapshot <= ?2
               AND (ducklake_view.end_snapshot IS NULL OR ducklake_view.end_snapshot > ?2) ORDER BY view_name",
        )?;
        let rows = statement.query_map(params![SCHEMA, snapshot], |row| {
            Ok(View { name: row.get(0)?, sql: row.get(1)?, aliases: aliases(&row.get::<_, String>(2)?) })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The view of that name, at the newest snapshot.
    ///
    /// # Errors
    /// A catalog that cannot be read.
    pub fn view(&self, name: &str) -> Result<Option<View>, StoreError> {
        Ok(self.views(self.newest_snapshot()?)?.into_iter().find(|view| view.name == name))
    }

    /// Whether the lake has a table or view of that name, at the newest snapshot.
    ///
    /// # Errors
    /// A catalog that cannot be read.
    pub fn is_in_lake(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.tables_at(self.newest_snapshot()?)?.contains(name) || self.view(name)?.is_some())
    }

    /// Whether `name` stands beside the lake in every store: a table of the registry, or `features`.
    pub fn is_beside(&self, name: &str) -> bool {
        is_reserved(name)
    }

    /// Whether the table or view `from` is `name`, or a view that reads it, directly or through others.
    ///
    /// # Errors
    /// A catalog that cannot be read.
    pub fn reads(&self, from: &str, name: &str) -> Result<bool, StoreError> {
        let views = self.views(self.newest_snapshot()?)?;
        let (mut open, mut seen) = (vec![from.to_owned()], HashSet::new());
        while let Some(next) = open.pop() {
            if next == name {
                return Ok(true);
            }
            if let (true, Some(view)) = (seen.insert(next.clone()), views.iter().find(|view| view.name == next)) {
                let text = view.query(&GenericDialect {})?;
                if let Some(Statement::Statement(mut query)) = parsed(&text, RECURSION) {
                    open.extend(tables_of(query.as_mut()));
                }
            }
        }
        Ok(false)
    }

    /// The tables of a snapshot, by name.
    ///
    /// # Errors
    /// A catalog that cannot be read.
    pub(super) fn tables_at(&self, snapshot: i64) -> Result<HashSet<String>, StoreError> {
        let connection = self.connect()?;
        let mut statement = connection.prepare(
            "SELECT table_name FROM ducklake_table JOIN ducklake_schema USING (schema_id)
             WHERE schema_name = ?1 AND ducklake_table.begin_snapshot <= ?2
               AND (ducklake_table.end_snapshot IS NULL OR ducklake_table.end_snapshot > ?2)",
        )?;
        let names = statement.query_map(params![SCHEMA, snapshot], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }
}

/// Inserts a view whose name is free.
pub(super) fn insert(commit: &mut Commit<'_>, view: &View) -> Result<(), StoreError> {
    commit.check_free(&view.name)?;
    let aliases: Vec<String> = view.aliases.iter().map(|alias| quoted(alias)).collect();
    commit.sql().execute(
        "INSERT INTO ducklake_view (view_id, begin_snapshot, schema_id, view_name, dialect, sql, column_aliases)
         SELECT ?, ?, schema_id, ?, 'duckdb', ?, ? FROM ducklake_schema WHERE schema_name = ? AND end_snapshot IS NULL",
        params![commit.next_id()?, commit.snapshot(), view.name, view.sql, aliases.join(","), SCHEMA],
    )?;
    commit.changed(format!("created_view:{}.{}", quoted(SCHEMA), quoted(&view.name)));
    Ok(())
}

/// Ends a view.
pub(super) fn end(commit: &mut Commit<'_>, view: i64) -> Result<(), StoreError> {
    let end = "UPDATE ducklake_view SET end_snapshot = ? WHERE view_id = ? AND end_snapshot IS NULL";
    commit.sql().execute(end, params![commit.snapshot(), view])?;
    end_tags(commit, view)?;
    commit.changed(format!("dropped_view:{view}"));
    Ok(())
}

/// `"a","b""c"`, as the catalog lists names.
fn aliases(list: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    // Every second piece between quotes is a name; two quotes in a row are one of the name itself.
    let mut inside = false;
    let mut characters = list.chars().peekable();
    while let Some(c) = characters.next() {
        match (c, inside) {
            ('"', false) => {
                inside = true;
                names.push(String::new());
            }
            ('"', true) if characters.peek() == Some(&'"') => {
                characters.next();
                names.last_mut().into_iter().for_each(|name| name.push('"'));
            }
            ('"', true) => inside = false,
            (c, true) => names.last_mut().into_iter().for_each(|name| name.push(c)),
            (_, false) => {}
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_placeholder_becomes_the_lake_outside_of_texts() {
        let view = |sql: &str| View { name: "v".into(), sql: sql.into(), aliases: Vec::new() };
        let query = |sql: &str| view(sql).query(&GenericDialect {}).unwrap();
        assert_eq!(query("SELECT a FROM {DUCKLAKE_CATALOG}.t"), "SELECT a FROM lake.main.t");
        assert_eq!(query("SELECT a FROM {DUCKLAKE_CATALOG}.\"t\" x"), "SELECT a FROM lake.main.\"t\" x");
        assert_eq!(query("SELECT a FROM {DUCKLAKE_CATALOG}.main.t"), "SELECT a FROM lake.main.t");
        assert_eq!(query("SELECT '{DUCKLAKE_CATALOG}.t'"), "SELECT '{DUCKLAKE_CATALOG}.t'");
        assert_eq!(query("SELECT {'a': 1} FROM t"), "SELECT {'a': 1} FROM t");
        assert_eq!(definition_for_the_lake("t"), "{DUCKLAKE_CATALOG}.\"t\"");
    }

    #[test]
    fn lists_of_names_are_read() {
        assert_eq!(aliases("\"p\",\"q\"\"r\",\"s,t\""), ["p", "q\"r", "s,t"]);
        assert!(aliases("").is_empty());
    }
}
