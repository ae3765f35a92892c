//! Tables that are queries in disguise, planned when their rows are fetched: what a session knows (values that were computed before,
//! models, warnings) holds here too.

use std::sync::Arc;

use arrow::datatypes::{Fields, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, internal_err};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, TableType, col};
use datafusion::physical_plan::ExecutionPlan;

use crate::functions::FieldDoc;

/// The table of one call.
#[derive(Debug)]
pub(super) struct Query {
    sql: String,
    schema: SchemaRef,
}

impl Query {
    /// The rows of `sql`, which have these columns.
    pub fn new(sql: String, columns: &[FieldDoc]) -> Self {
        Self { sql, schema: Arc::new(Schema::new(columns.iter().map(FieldDoc::field).collect::<Fields>())) }
    }
}

#[async_trait]
impl TableProvider for Query {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(session) = state.as_any().downcast_ref::<SessionState>() else {
            return internal_err!("a table function is planned outside a session");
        };
        let mut plan = LogicalPlanBuilder::from(session.create_logical_plan(&self.sql).await?);
        if let Some(limit) = limit {
            plan = plan.limit(0, Some(limit))?;
        }
        if let Some(columns) = projection {
            plan = plan.project(columns.iter().map(|&i| col(self.schema.field(i).name())))?;
        }
        session.create_physical_plan(&plan.build()?).await
    }
}
