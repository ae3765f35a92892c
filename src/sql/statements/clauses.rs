//! Clauses that the parser knows and the engine passes over: an answer without them would be another one than was requested.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    FromTable, GroupByExpr, Select, SelectFlavor, SelectItem, Statement, TableFactor, TableWithJoins, VisitorMut,
};

/// Refuses what would be passed over, with what to write in its place, and reads `FROM tmo` alone as `SELECT * FROM tmo`.
pub(super) struct Clauses;

impl VisitorMut for Clauses {
    type Break = String;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<String> {
        if matches!(select.flavor, SelectFlavor::FromFirstNoSelect) && select.projection.is_empty() {
            select.flavor = SelectFlavor::Standard;
            select.projection = vec![SelectItem::Wildcard(Default::default())];
        }
        let modified = match &select.group_by {
            GroupByExpr::All(with) | GroupByExpr::Expressions(_, with) => !with.is_empty(),
        };
        let passed_over = [
            (select.prewhere.is_some(), "PREWHERE is not supported; use WHERE"),
            (!select.connect_by.is_empty(), "CONNECT BY is not supported; use WITH RECURSIVE"),
            (
                modified,
                "GROUP BY .. WITH ROLLUP, CUBE or TOTALS is not supported; write GROUP BY ROLLUP(..) or CUBE(..)",
            ),
        ];
        match passed_over.into_iter().find(|(there, _)| *there) {
            Some((_, message)) => ControlFlow::Break(message.into()),
            None => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<String> {
        match factor {
            TableFactor::Table { name, partitions, .. } if !partitions.is_empty() => ControlFlow::Break(format!(
                "PARTITION (..) is not supported: the tables of a store have no partitions, {name} too"
            )),
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_statement(&mut self, statement: &mut Statement) -> ControlFlow<String> {
        let (verb, changed): (_, &[TableWithJoins]) = match statement {
            Statement::Delete(delete) => match &delete.from {
                FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables) => ("DELETE", tables),
            },
            Statement::Update(update) => ("UPDATE", std::slice::from_ref(&update.table)),
            _ => return ControlFlow::Continue(()),
        };
        let is_sample = |table: &TableWithJoins| matches!(&table.relation, TableFactor::Table { sample: Some(_), .. });
        match changed.iter().any(is_sample) {
            true => ControlFlow::Break(format!(
                "{verb} of a sample is not supported; choose its rows first: {verb} .. WHERE id IN (SELECT id FROM .. TABLESAMPLE ..)"
            )),
            false => ControlFlow::Continue(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use datafusion::sql::parser::DFParser;

    use super::super::walk;
    use super::*;

    fn checked(text: &str) -> Result<String, String> {
        let mut statement = DFParser::parse_sql(text).unwrap().pop_front().unwrap();
        walk(&mut statement, &mut Clauses)?;
        Ok(statement.to_string())
    }

    #[test]
    fn what_would_be_passed_over_is_refused_wherever_it_stands() {
        for (text, said) in [
            ("SELECT count(*) FROM tmo PREWHERE natoms > 3", "use WHERE"),
            ("SELECT 1 WHERE 1 IN (SELECT natoms FROM tmo GROUP BY natoms WITH ROLLUP)", "GROUP BY ROLLUP(..)"),
            ("EXPLAIN SELECT natoms FROM tmo GROUP BY natoms WITH TOTALS", "GROUP BY ROLLUP(..)"),
            ("SELECT * FROM tmo CONNECT BY natoms > 3", "WITH RECURSIVE"),
            ("SELECT * FROM tmo PARTITION (p0)", "no partitions"),
            ("DELETE FROM tmo TABLESAMPLE (1 PERCENT) WHERE natoms > 3", "DELETE .. WHERE id IN"),
            ("UPDATE tmo TABLESAMPLE (1 PERCENT) SET source = 'y'", "UPDATE .. WHERE id IN"),
            ("CREATE TABLE t AS SELECT * FROM tmo PREWHERE natoms > 3", "use WHERE"),
        ] {
            let error = checked(text).map(|read| panic!("{text} was read as {read}")).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn the_rest_stays_and_from_alone_is_every_column() {
        assert_eq!(checked("FROM tmo LIMIT 1").unwrap(), "SELECT * FROM tmo LIMIT 1");
        for text in [
            "SELECT natoms FROM tmo GROUP BY ROLLUP (natoms)",
            "DELETE FROM tmo WHERE id IN (SELECT id FROM t TABLESAMPLE (1 PERCENT))",
        ] {
            assert_eq!(checked(text).unwrap(), text);
        }
    }
}
