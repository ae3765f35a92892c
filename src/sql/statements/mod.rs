//! From text to a statement: what the engine does not know, or does not carry out on a store, one file each.

mod alter;
mod calls;
mod clauses;
mod comments;
mod files;
mod mentions;
mod parsed;
mod reads;
mod sweeps;
mod views;

use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::catalog::SchemaProvider;
use datafusion::common::{DFSchema, DataFusionError};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr as EngineExpr, LogicalPlan};
use datafusion::sql::parser::{CopyToSource, Statement as EngineStatement};
use datafusion::sql::sqlparser::ast::{
    Expr, Ident, ObjectName, ObjectNamePart, ObjectType, Statement, VisitMut, VisitorMut,
};

use super::error::{missing_table, no_table};
use super::session::Session;
use crate::Error;
use store::StoreError;
use store::{self, Store};

pub use parsed::Parsed;
pub use sweeps::Sweep;

/// What is left to do of a statement.
pub(super) enum Next {
    /// Nothing.
    Done,
    /// What the engine planned.
    Plan(Box<LogicalPlan>),
}

/// Carries a statement out, or plans it.
pub(super) async fn begin(session: &Session, text: &str) -> Result<Next, Error> {
    let state = session.context().state();
    let mut statement = parse(&state, text)?;
    ready(session, &state, &mut statement)?;
    if let (EngineStatement::Statement(inner), Some(store)) = (&statement, session.store()) {
        let done = match inner.as_ref() {
            Statement::AlterTable(alter) => alter::run(session, store, alter).await?,
            Statement::CreateView(view) if !view.temporary => views::create(session, store, text, view).await?,
            Statement::Comment { object_type, object_name, comment, if_exists, .. } => {
                comments::run(store, *object_type, object_name, comment.as_deref(), *if_exists).await?
            }
            Statement::Drop { object_type: ObjectType::Table | ObjectType::View, if_exists: false, names, .. } => {
                names.iter().try_for_each(|name| check_there(&state, name))?;
                false
            }
            _ => false,
        };
        if done {
            return Ok(Next::Done);
        }
    }
    planned(&state, views::temporary(statement)).await.map(|plan| Next::Plan(Box::new(plan)))
}

/// # Errors
/// A statement that the session does not take, or as [`prepare`].
fn ready(session: &Session, state: &SessionState, statement: &mut EngineStatement) -> Result<(), Error> {
    files::check(session, statement)?;
    prepare(state, statement)
}

/// What the engine plans of a statement.
async fn planned(state: &SessionState, statement: EngineStatement) -> Result<LogicalPlan, Error> {
    let plan = state.statement_to_plan(statement).await;
    plan.map_err(|error| unknown_table(state, &error).unwrap_or_else(|| error.into()))
}

/// Puts a statement into words that the engine takes as they are meant.
///
/// # Errors
/// What cannot be: a clause that the engine passes over, a file that nothing reads, a call that fits no function.
fn prepare(state: &SessionState, statement: &mut EngineStatement) -> Result<(), Error> {
    walk(statement, &mut clauses::Clauses).map_err(refused)?;
    walk(statement, &mut files::Readers).map_err(refused)?;
    walk(statement, &mut calls::Calls(state)).map_err(refused)
}

/// An expression over columns, with the calls in it completed.
///
/// # Errors
/// Text that is no expression or too deep, a name that does not exist, a call that fits no function.
pub(super) fn expression(state: &SessionState, text: &str, columns: &DFSchema) -> Result<EngineExpr, Error> {
    store::check_depth(text)?;
    let mut parsed = state.sql_to_expr_with_alias(text, &state.config_options().sql_parser.dialect)?;
    if let ControlFlow::Break(reason) = parsed.expr.visit(&mut calls::Calls(state)) {
        return Err(refused(reason));
    }
    Ok(state.create_logical_expr_from_sql_expr(parsed, columns)?)
}

/// Leads a visitor through a statement, and through the query that it explains or copies.
///
/// # Errors
/// Why the visitor broke off.
fn walk<E>(statement: &mut EngineStatement, visitor: &mut impl VisitorMut<Break = E>) -> Result<(), E> {
    let done = match statement {
        EngineStatement::Explain(explain) => return walk(&mut explain.statement, visitor),
        EngineStatement::Statement(plain) => plain.visit(visitor),
        EngineStatement::CopyTo(copy) => match &mut copy.source {
            CopyToSource::Query(query) => query.visit(visitor),
            CopyToSource::Relation(_) => ControlFlow::Continue(()),
        },
        _ => ControlFlow::Continue(()),
    };
    match done {
        ControlFlow::Break(reason) => Err(reason),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// Changes every expression of a statement, those within others first.
///
/// # Errors
/// That of `change`.
pub(super) fn each_expression<E>(
    statement: &mut EngineStatement,
    change: impl FnMut(&mut Expr) -> Result<(), E>,
) -> Result<(), E> {
    struct Expressions<F>(F);

    impl<E, F: FnMut(&mut Expr) -> Result<(), E>> VisitorMut for Expressions<F> {
        type Break = E;

        fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<E> {
            self.0(expression).map_or_else(ControlFlow::Break, ControlFlow::Continue)
        }
    }

    walk(statement, &mut Expressions(change))
}

/// Says which table may have been meant, where the error is that there is no such table.
fn unknown_table(state: &SessionState, error: &DataFusionError) -> Option<Error> {
    no_table(error, tables(state)?.as_ref())
}

/// The tables that a bare name finds.
fn tables(state: &SessionState) -> Option<Arc<dyn SchemaProvider>> {
    let names = &state.config_options().catalog;
    state.catalog_list().catalog(&names.default_catalog)?.schema(&names.default_schema)
}

/// # Errors
/// A name of the store that no table or view has.
fn check_there(state: &SessionState, name: &ObjectName) -> Result<(), Error> {
    match (table_name(name), tables(state)) {
        (Ok(name), Some(tables)) if !tables.table_exist(&name) => Err(missing_table(&name, tables.as_ref())),
        _ => Ok(()),
    }
}

/// The one statement that a text is.
fn parse(state: &SessionState, text: &str) -> Result<EngineStatement, Error> {
    let options = &state.config_options().sql_parser;
    match store::with_versions(text, options.recursion_limit.get())? {
        Some(statement) => Ok(statement),
        None => Ok(state.sql_to_statement(text, &options.dialect)?),
    }
}

/// The name of a table of the store, as it is looked up.
fn table_name(name: &ObjectName) -> Result<String, Error> {
    let parts: Option<Vec<&Ident>> = name.0.iter().map(ObjectNamePart::as_ident).collect();
    let parts: Vec<String> = parts.unwrap_or_default().into_iter().map(folded).collect();
    match parts.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [table] | ["main", table] | ["lake", "main", table] => Ok((*table).to_owned()),
        _ => Err(refused(format!("{name} is not a table of the store"))),
    }
}

/// A name as it is looked up: quoted as it stands, else in lower case.
fn folded(name: &Ident) -> String {
    match name.quote_style {
        Some(_) => name.value.clone(),
        None => name.value.to_lowercase(),
    }
}

/// # Errors
/// A session that is fixed at an older snapshot.
fn check_newest(session: &Session, store: &Store) -> Result<(), Error> {
    match (session.snapshot(), store.is_writable()) {
        (Some(_), _) => Err(refused("this session is fixed at an older snapshot, which is not written".into())),
        (None, false) => Err(StoreError::ReadOnly { dir: store.dir().to_owned() }.into()),
        (None, true) => Ok(()),
    }
}

fn refused(message: String) -> Error {
    Error::Store(StoreError::Statement(message))
}
