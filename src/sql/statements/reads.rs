//! Which statements only read.

use datafusion::sql::parser::Statement as EngineStatement;
use datafusion::sql::sqlparser::ast::{Query, SetExpr, Statement};

use super::parse;
use crate::Error;
use crate::session::Session;

impl Session {
    /// Whether a statement changes nothing: no table, no option and no file.
    ///
    /// # Errors
    /// Text that is no statement, or several.
    pub fn only_reads(&self, text: &str) -> Result<bool, Error> {
        Ok(reads(&parse(&self.context().state(), text)?))
    }

    /// Whether a statement sets an option of the session.
    ///
    /// # Errors
    /// Text that is no statement, or several.
    pub fn sets(&self, text: &str) -> Result<bool, Error> {
        let parsed = parse(&self.context().state(), text)?;
        Ok(matches!(parsed, EngineStatement::Statement(plain) if matches!(*plain, Statement::Set(_))))
    }
}

pub(super) fn reads(statement: &EngineStatement) -> bool {
    match statement {
        EngineStatement::Explain(explain) => reads(&explain.statement),
        EngineStatement::Statement(plain) => match plain.as_ref() {
            Statement::Query(query) => is_select(query),
            Statement::ShowVariable { .. }
            | Statement::ShowTables { .. }
            | Statement::ShowColumns { .. }
            | Statement::ShowFunctions { .. }
            | Statement::ExplainTable { .. } => true,
            _ => false,
        },
        _ => false,
    }
}

/// A query may hold a statement that writes: `WITH x AS (..) INSERT ..`.
fn is_select(query: &Query) -> bool {
    let within = query.with.iter().flat_map(|with| &with.cte_tables);
    within.into_iter().all(|table| is_select(&table.query)) && is_select_body(&query.body)
}

fn is_select_body(body: &SetExpr) -> bool {
    match body {
        SetExpr::Select(select) => select.into.is_none(),
        SetExpr::Query(query) => is_select(query),
        SetExpr::SetOperation { left, right, .. } => is_select_body(left) && is_select_body(right),
        SetExpr::Values(_) | SetExpr::Table(_) => true,
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_is_not_taken_for_what_changes() {
        let session = Session::without_store();
        let reads = |text: &str| session.only_reads(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        for text in [
            "SELECT 1",
            "EXPLAIN ANALYZE SELECT 1",
            "WITH a AS (SELECT 1) SELECT * FROM a UNION ALL VALUES (2)",
            "SHOW TABLES",
            "DESCRIBE tmo",
            "SELECT * FROM tmo AT (VERSION => 1)",
        ] {
            assert!(reads(text), "{text}");
        }
        for text in [
            "INSERT INTO t VALUES (1)",
            "EXPLAIN INSERT INTO t VALUES (1)",
            "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
            "SELECT 1 INTO t",
            "SELECT * FROM (SELECT 1) UNION (SELECT 1 INTO t)",
            "SET a = 1",
            "COPY (SELECT 1) TO 'x.csv'",
            "CREATE VIEW v AS SELECT 1",
            "DROP TABLE t",
            "PREPARE p AS SELECT 1",
        ] {
            assert!(!reads(text), "{text}");
        }
        assert!(session.sets("SET a = 1").unwrap() && !session.sets("SELECT 1").unwrap());
        assert!(session.only_reads("SELECT 1; SELECT 2").is_err());
    }
}
