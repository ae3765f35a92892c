//! `CREATE VIEW`: kept in the store. `CREATE TEMPORARY VIEW`: kept by the session.

use datafusion::sql::parser::Statement as EngineStatement;
use datafusion::sql::sqlparser::ast::{CreateView, Statement};

use super::{check_newest, folded, prepare, refused, table_name};
use crate::Error;
use crate::session::Session;
use store::{Store, View, definition_for_the_lake, parsed, replace_tables, tables_of};

/// Makes a view of the lake; false where the engine must say what is not supported.
pub(super) async fn create(session: &Session, store: &Store, text: &str, view: &CreateView) -> Result<bool, Error> {
    if view.materialized || view.or_alter || !view.cluster_by.is_empty() || view.to.is_some() {
        return Ok(false);
    }
    check_newest(session, store)?;
    let name = table_name(&view.name)?;
    let exists = store.view(&name)?.is_some();
    if view.if_not_exists && exists {
        return Ok(true);
    }
    let state = session.context().state();
    let query = Statement::Query(view.query.clone());
    let plan = state.statement_to_plan(EngineStatement::Statement(Box::new(query))).await?;
    let columns = plan.schema().fields();
    let aliases: Vec<String> = view.columns.iter().map(|column| folded(&column.name)).collect();
    if aliases.len() > columns.len() {
        return Err(refused(format!("view {name} names {} columns of {}", aliases.len(), columns.len())));
    }
    let mut names: Vec<&str> = columns.iter().map(|field| field.name().as_str()).collect();
    names.splice(..aliases.len(), aliases.iter().map(String::as_str));
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(refused(format!("view {name} would have two columns '{}'; name one of them by AS", pair[0])));
    }
    // As it was written: with its versions, which the plan has in the names of tables.
    let limit = state.config_options().sql_parser.recursion_limit.get();
    let mut written = parsed(text, limit);
    if let Some(statement) = &mut written {
        prepare(&state, statement)?;
    }
    let mut written = match written {
        Some(EngineStatement::Statement(statement)) => match *statement {
            Statement::CreateView(view) => Statement::Query(view.query),
            other => other,
        },
        _ => Statement::Query(view.query.clone()),
    };
    check_readable(store, &name, &mut written)?;
    replace_tables(&mut written, |table| {
        store.is_in_lake(table).is_ok_and(|lake| lake).then(|| definition_for_the_lake(table))
    });
    store.create_view(&View { name, sql: written.to_string(), aliases }, view.or_replace).await?;
    Ok(true)
}

/// # Errors
/// A table that this session alone has, or a circle of views.
fn check_readable(store: &Store, name: &str, query: &mut Statement) -> Result<(), Error> {
    for table in tables_of(query) {
        if store.reads(&table, name)? {
            return Err(refused(format!("view {name} would read itself")));
        }
        if !store.is_in_lake(&table)? && !store.is_beside(&table) {
            let message =
                format!("'{table}' is gone with this session, and a view stays: CREATE TEMPORARY VIEW {name}");
            return Err(refused(message));
        }
    }
    Ok(())
}

/// A temporary view as the engine knows views: those of a session.
pub(super) fn temporary(mut statement: EngineStatement) -> EngineStatement {
    if let EngineStatement::Statement(inner) = &mut statement
        && let Statement::CreateView(view) = inner.as_mut()
    {
        view.temporary = false;
    }
    statement
}
