//! The tables that a statement names, and other names in their place.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Ident, ObjectName, ObjectNamePart, Query, TableAlias, TableFactor, TableVersion, VisitMut, VisitorMut,
};

/// Another name for a table, or what is wrong with it.
type Renamed = Result<Option<ObjectName>, String>;

/// Puts other names in place of those of tables after FROM and JOIN, as `rename` says: given the name and the version after it.
/// A table keeps the name under which columns call it, and its version where `keeps_version`. Names of WITH are no tables.
///
/// # Errors
/// Those of `rename`.
pub(super) fn rename(
    statement: &mut impl VisitMut,
    keeps_version: bool,
    rename: impl FnMut(&ObjectName, Option<&TableVersion>) -> Renamed,
) -> Result<(), String> {
    let mut named = Named(HashSet::new());
    let _ = statement.visit(&mut named);
    match statement.visit(&mut Rename { rename, keeps_version, named: named.0 }) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// Names that WITH introduces.
struct Named(HashSet<String>);

impl VisitorMut for Named {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let names = query.with.iter().flat_map(|with| &with.cte_tables).map(|cte| folded(&cte.alias.name));
        self.0.extend(names);
        ControlFlow::Continue(())
    }
}

struct Rename<F> {
    rename: F,
    keeps_version: bool,
    named: HashSet<String>,
}

impl<F: FnMut(&ObjectName, Option<&TableVersion>) -> Renamed> VisitorMut for Rename<F> {
    type Break = String;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<String> {
        let TableFactor::Table { name, alias, args: None, version, .. } = factor else {
            return ControlFlow::Continue(());
        };
        let parts: Option<Vec<&Ident>> = name.0.iter().map(ObjectNamePart::as_ident).collect();
        let Some(last) = parts.as_ref().and_then(|parts| parts.last().copied().cloned()) else {
            return ControlFlow::Continue(());
        };
        if name.0.len() == 1 && self.named.contains(&folded(&last)) {
            return ControlFlow::Continue(());
        }
        match (self.rename)(name, version.as_ref()) {
            Err(error) => return ControlFlow::Break(error),
            Ok(None) => {}
            Ok(Some(renamed)) => {
                *name = renamed;
                if !self.keeps_version {
                    *version = None;
                }
                alias.get_or_insert_with(|| TableAlias { explicit: true, name: last, columns: Vec::new(), at: None });
            }
        }
        ControlFlow::Continue(())
    }
}

/// A name as it is looked up: quoted as it stands, else in lower case.
pub(super) fn folded(name: &Ident) -> String {
    match name.quote_style {
        Some(_) => name.value.clone(),
        None => name.value.to_lowercase(),
    }
}
