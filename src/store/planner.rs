//! Views of the lake become plans.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::config::Dialect;
use datafusion::common::{Column, Result, plan_err};
use datafusion::datasource::ViewTable;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::Statement as Plain;
use datafusion::sql::sqlparser::dialect::DuckDbDialect;

use super::ddl::View;
use super::lake::Store;
use super::query;
use crate::StoreError;

tokio::task_local! {
    /// Views that are being planned, the outermost first.
    static OPEN: Vec<String>;
}

/// Plans views in a session, with its functions and options.
#[derive(Clone)]
pub(super) struct Planner(Arc<dyn Fn() -> Option<SessionState> + Send + Sync>);

impl std::fmt::Debug for Planner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Planner")
    }
}

impl Planner {
    /// A planner of this session, which it does not keep alive.
    pub fn of(ctx: &SessionContext) -> Self {
        let state = ctx.state_weak_ref();
        Self(Arc::new(move || state.upgrade().map(|state| state.read().clone())))
    }

    /// The view `name` of a snapshot; its tables are read at `fixed` where that is given. `fallback` is what stands for a view
    /// that the session cannot plan: DuckDB made it, and its SQL or its functions are other than ours.
    ///
    /// # Errors
    /// A catalog that cannot be read.
    pub async fn view(
        &self,
        store: &Store,
        name: &str,
        snapshot: i64,
        fixed: Option<i64>,
        fallback: Arc<dyn TableProvider>,
    ) -> Result<Arc<dyn TableProvider>> {
        let external = |e: StoreError| DataFusionError::External(Box::new(e));
        let views = store.views(snapshot).map_err(external)?;
        let (Some(view), Some(state)) = (views.into_iter().find(|view| view.name == name), (self.0)()) else {
            return Ok(fallback);
        };
        let mut open = OPEN.try_with(Clone::clone).unwrap_or_default();
        if open.iter().any(|outer| outer == name) {
            return plan_err!("view '{name}' reads itself");
        }
        open.push(name.to_owned());
        let planned = OPEN.scope(open, plan(&state, &view, fixed)).await;
        Ok(planned.map_or(fallback, |plan| Arc::new(ViewTable::new(plan, Some(view.sql.clone())))))
    }
}

/// The plan of a view's query.
async fn plan(state: &SessionState, view: &View, fixed: Option<i64>) -> Result<LogicalPlan> {
    let external = |e: StoreError| DataFusionError::External(Box::new(e));
    let text = view.query(&DuckDbDialect {}).map_err(external)?;
    let limit = state.config_options().sql_parser.recursion_limit.get();
    let statement = match query::with_versions(&text, limit).map_err(external)? {
        Some(statement) => Ok(statement),
        None => state.sql_to_statement(&text, &Dialect::Generic),
    };
    let mut statement = match statement {
        Ok(statement) => statement,
        Err(_) => state.sql_to_statement(&text, &Dialect::DuckDB)?,
    };
    let Statement::Statement(inner) = &mut statement else { return plan_err!("view '{}' is not a query", view.name) };
    if !matches!(inner.as_ref(), Plain::Query(_)) {
        return plan_err!("view '{}' is not a query", view.name);
    }
    if let Some(snapshot) = fixed {
        query::at_snapshot(inner, snapshot).map_err(external)?;
    }
    named(state.statement_to_plan(statement).await?, &view.aliases)
}

/// A plan whose first columns have the names given.
fn named(plan: LogicalPlan, aliases: &[String]) -> Result<LogicalPlan> {
    if aliases.is_empty() {
        return Ok(plan);
    }
    let columns: Vec<Expr> = (0..plan.schema().fields().len())
        .map(|i| {
            let column = Expr::Column(Column::from(plan.schema().qualified_field(i)));
            aliases.get(i).map_or(column.clone(), |alias| column.alias(alias))
        })
        .collect();
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}
