//! How much a statement names: a step of `WITH` that names the one before twice is planned twice.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as EngineStatement;
use datafusion::sql::sqlparser::ast::{ObjectName, Query, Statement, Visit, Visitor};

use super::Parsed;

impl Parsed {
    /// How many tables the statement reads, those of a step of `WITH` as often as it is named. No less than that, and no plan is made.
    pub fn tables_read(&self) -> usize {
        let mut inner = &self.0;
        while let EngineStatement::Explain(explain) = inner {
            inner = &explain.statement;
        }
        let mut mentions = Mentions::default();
        if let EngineStatement::Statement(plain) = inner
            && let Statement::Query(query) = plain.as_ref()
        {
            let ControlFlow::Continue(()) = query.visit(&mut mentions);
        }
        mentions.most
    }
}

#[derive(Default)]
struct Mentions {
    /// The tables of each query that is being visited, the innermost last.
    within: Vec<usize>,
    /// Names of steps by the place of their query.
    steps: HashMap<*const Query, String>,
    /// What each step reads, the most where several have a name: which of them is meant does not matter then.
    known: HashMap<String, usize>,
    /// The most that any query reads.
    most: usize,
}

impl Visitor for Mentions {
    type Break = std::convert::Infallible;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
        for step in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.steps.insert(&raw const *step.query, step.alias.name.value.to_lowercase());
        }
        self.within.push(1);
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<Self::Break> {
        let name = relation.0.last().map(|part| part.to_string().trim_matches('"').to_lowercase());
        let read = name.and_then(|name| self.known.get(&name).copied()).unwrap_or(1);
        if let Some(own) = self.within.last_mut() {
            *own = own.saturating_add(read);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
        let read = self.within.pop().unwrap_or_default();
        self.most = self.most.max(read);
        if let Some(name) = self.steps.remove(&std::ptr::from_ref(query)) {
            let known = self.known.entry(name).or_default();
            *known = read.max(*known);
        } else if let Some(outer) = self.within.last_mut() {
            *outer = outer.saturating_add(read);
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use crate::Session;

    #[test]
    fn a_step_counts_as_often_as_it_is_named() {
        let session = Session::without_store();
        let read = |text: &str| session.parsed(text).unwrap().unwrap().tables_read();
        assert_eq!(read("SELECT 1"), 1);
        assert_eq!(read("SELECT * FROM a JOIN b ON a.x = b.x"), 3);
        let doubled = |n: usize| {
            let steps: String =
                (1..n).map(|k| format!(", a{k} AS (SELECT 1 FROM a{0} AS x, A{0} AS y)", k - 1)).collect();
            format!("WITH a0 AS (SELECT 1 FROM t){steps} SELECT 1 FROM a{}", n - 1)
        };
        assert!(read(&doubled(3)) < 20 && read(&doubled(20)) > 1 << 20 && read(&doubled(100)) == usize::MAX);
        // Anywhere in the statement, also where something else has their names.
        let hidden = doubled(20);
        for text in [
            format!("EXPLAIN {hidden}"),
            format!("SELECT * FROM ({hidden}) AS t"),
            format!("SELECT 1 WHERE 1 IN ({hidden})"),
            hidden.replace(" FROM a18 ", " FROM (WITH a18 AS (SELECT 1) SELECT 1 FROM a18) AS z, a18 "),
        ] {
            assert!(read(&text) > 1 << 20, "{text}");
        }
    }
}
