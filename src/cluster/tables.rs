//! The tables of a store, as a query reads them that travels.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, SchemaProvider, Session, TableProvider};
use datafusion::common::Result;
use datafusion::datasource::ViewTable;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::dml::InsertOp;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use store::{SCHEMA, Store};

use crate::scan::{Rows, ScanExec};

/// The catalog of a store.
#[derive(Debug)]
pub struct Tables {
    lake: Arc<dyn CatalogProvider>,
    store: Store,
}

impl Tables {
    /// Those of `lake`, the catalog of `store`.
    pub fn new(lake: Arc<dyn CatalogProvider>, store: Store) -> Self {
        Self { lake, store }
    }
}

impl CatalogProvider for Tables {
    fn schema_names(&self) -> Vec<String> {
        self.lake.schema_names()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        let lake = self.lake.schema(name)?;
        let main = name == SCHEMA;
        Some(if main { Arc::new(MainSchema { lake, store: self.store.clone() }) } else { lake })
    }
}

#[derive(Debug)]
struct MainSchema {
    lake: Arc<dyn SchemaProvider>,
    store: Store,
}

#[async_trait]
impl SchemaProvider for MainSchema {
    fn table_names(&self) -> Vec<String> {
        self.lake.table_names()
    }

    /// A table of the lake is read at the snapshot that is the newest now; a view is a query, whose tables come through here.
    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some(found) = self.lake.table(name).await? else { return Ok(None) };
        if found.downcast_ref::<ViewTable>().is_some() {
            return Ok(Some(found));
        }
        let snapshot = self.store.newest_snapshot().map_err(|e| DataFusionError::External(Box::new(e)))?;
        let versioned = format!("{name} AT (VERSION => {snapshot})");
        let (table, name) = match self.lake.table(&versioned).await {
            Ok(Some(table)) => (table, versioned),
            // It is at a version already, or belongs to the registry, which has none.
            _ => (Arc::clone(&found), name.to_owned()),
        };
        Ok(Some(Arc::new(Table { table, name, written: found })))
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        self.lake.table_type(name).await
    }

    fn register_table(&self, name: String, table: Arc<dyn TableProvider>) -> Result<Option<Arc<dyn TableProvider>>> {
        self.lake.register_table(name, table)
    }

    fn deregister_table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        self.lake.deregister_table(name)
    }

    fn table_exist(&self, name: &str) -> bool {
        self.lake.table_exist(name)
    }
}

/// A table that is read by [`ScanExec`].
#[derive(Debug)]
struct Table {
    table: Arc<dyn TableProvider>,
    name: String,
    /// What rows are added to.
    written: Arc<dyn TableProvider>,
}

#[async_trait]
impl TableProvider for Table {
    fn schema(&self) -> SchemaRef {
        self.table.schema()
    }

    fn table_type(&self) -> TableType {
        self.table.table_type()
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = self.schema();
        let names = |i: usize| schema.field(i).name().clone();
        let columns = match projection {
            Some(columns) => columns.iter().copied().map(names).collect(),
            None => (0..schema.fields().len()).map(names).collect(),
        };
        let rows = Rows {
            table: self.name.clone(),
            columns,
            filters: filters.to_vec(),
            streams: session.config().target_partitions(),
        };
        Ok(Arc::new(ScanExec::planned(rows, Arc::clone(&self.table), session).await?))
    }

    /// What names only columns of the table holds within the scan.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let travels = |filter: &&Expr| !filter.is_volatile() && !filter.contains_outer();
        Ok(filters
            .iter()
            .map(|filter| match travels(filter) {
                true => TableProviderFilterPushDown::Exact,
                false => TableProviderFilterPushDown::Unsupported,
            })
            .collect())
    }

    async fn insert_into(
        &self,
        session: &dyn Session,
        input: Arc<dyn ExecutionPlan>,
        how: InsertOp,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.written.insert_into(session, input, how).await
    }
}
