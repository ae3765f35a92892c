//! What stands beside the tables of the lake under the same names' roof: tables of another time, the registry's tables, the view
//! `features`, and the temporary views and external tables of a session, which live as long as it does. Views of the lake are
//! planned by the session, so that they may call our functions.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use arrow::datatypes::Schema;
use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, SchemaProvider, TableProvider};
use datafusion::common::{Result, plan_err};
use datafusion::datasource::ViewTable;
use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::listing::ListingTable;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::TableType;

use super::features;
use super::lake::{SCHEMA, Store};
use super::names::is_reserved;
use super::nearest::did_you_mean;
use super::planner::Planner;
use super::query::Version;
use super::registry_tables;
use crate::StoreError;

/// Tables of one session, by name.
type Own = Arc<RwLock<BTreeMap<String, Arc<dyn TableProvider>>>>;

/// The catalog of the lake, in which the schema `main` shows more than the lake holds.
#[derive(Debug)]
pub(super) struct Overlay {
    lake: Arc<dyn CatalogProvider>,
    store: Store,
    /// The snapshot at which the session is fixed. Only without one, at the newest, a table can be made or dropped.
    fixed: Option<i64>,
    planner: Planner,
    own: Own,
}

impl Overlay {
    /// `lake`, with the registry of `store`; `fixed` where the lake is fixed at a snapshot. Views are planned by `planner`.
    pub fn new(lake: Arc<dyn CatalogProvider>, store: Store, fixed: Option<i64>, planner: Planner) -> Self {
        Self { lake, store, fixed, planner, own: Own::default() }
    }
}

impl CatalogProvider for Overlay {
    fn schema_names(&self) -> Vec<String> {
        self.lake.schema_names()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        let lake = self.lake.schema(name)?;
        match name == SCHEMA {
            true => Some(Arc::new(MainSchema {
                lake,
                store: self.store.clone(),
                fixed: self.fixed,
                planner: self.planner.clone(),
                own: self.own.clone(),
            })),
            false => Some(lake),
        }
    }

    fn register_schema(&self, name: &str, schema: Arc<dyn SchemaProvider>) -> Result<Option<Arc<dyn SchemaProvider>>> {
        self.lake.register_schema(name, schema)
    }

    fn deregister_schema(&self, name: &str, cascade: bool) -> Result<Option<Arc<dyn SchemaProvider>>> {
        self.lake.deregister_schema(name, cascade)
    }
}

#[derive(Debug)]
struct MainSchema {
    lake: Arc<dyn SchemaProvider>,
    store: Store,
    fixed: Option<i64>,
    planner: Planner,
    own: Own,
}

impl MainSchema {
    /// A table or view of another time.
    async fn at(&self, name: &str, version: Version) -> Result<Option<Arc<dyn TableProvider>>> {
        let snapshot = match version {
            Version::Snapshot(snapshot) => snapshot,
            Version::Moment(moment) => self.store.snapshot_at(moment).map_err(external)?,
        };
        let catalog = self.store.catalog(Some(snapshot)).map_err(external)?;
        let Some(schema) = catalog.schema(SCHEMA) else { return Ok(None) };
        match schema.table(name).await? {
            Some(view) if view.table_type() == TableType::View => {
                self.planner.view(&self.store, name, snapshot, Some(snapshot), view).await.map(Some)
            }
            Some(table) => Ok(Some(table)),
            None => {
                let names = schema.table_names();
                let like = did_you_mean(name, names.iter().map(String::as_str), "");
                plan_err!("snapshot {snapshot} has no table '{name}'{like}")
            }
        }
    }

    fn own(&self, name: &str) -> Option<Arc<dyn TableProvider>> {
        self.own.read().unwrap_or_else(|poisoned| poisoned.into_inner()).get(name).cloned()
    }
}

#[async_trait]
impl SchemaProvider for MainSchema {
    fn table_names(&self) -> Vec<String> {
        let mut names = self.lake.table_names();
        names.extend(registry_tables::names().chain([features::VIEW]).map(str::to_string));
        names.extend(self.own.read().unwrap_or_else(|poisoned| poisoned.into_inner()).keys().cloned());
        names.sort();
        names.dedup();
        names
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if let Some(own) = self.own(name) {
            return Ok(Some(own));
        }
        if let Some((table, version)) = Version::of(name) {
            return self.at(table, version).await;
        }
        // A table of the lake that took a name of the registry first stays what it is.
        match self.lake.table(name).await? {
            Some(view) if view.table_type() == TableType::View => {
                let snapshot = self.fixed.map_or_else(|| self.store.newest_snapshot(), Ok).map_err(external)?;
                self.planner.view(&self.store, name, snapshot, None, view).await.map(Some)
            }
            Some(table) => Ok(Some(table)),
            None if name == features::VIEW => Ok(Some(features::view(&self.store, self.lake.as_ref()).await?)),
            None => Ok(registry_tables::table(name, &self.store)),
        }
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        Ok(self.table(name).await?.map(|table| table.table_type()))
    }

    fn register_table(&self, name: String, table: Arc<dyn TableProvider>) -> Result<Option<Arc<dyn TableProvider>>> {
        if is_reserved(&name) {
            return plan_err!("'{name}' is kept for the registry or for features; choose another name");
        }
        if table.downcast_ref::<ViewTable>().is_some() || table.downcast_ref::<ListingTable>().is_some() {
            if self.lake.table_exist(&name) {
                return plan_err!("the store has a table '{name}'; choose another name");
            }
            return Ok(self.own.write().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(name, table));
        }
        if self.fixed.is_some() {
            return plan_err!("this session is fixed at an older snapshot, which is not written");
        }
        // Rows come with an INSERT of their own.
        self.store.make_table(&name, &table.schema(), []).map_err(external)?;
        Ok(None)
    }

    fn deregister_table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let own = self.own.write().unwrap_or_else(|poisoned| poisoned.into_inner()).remove(name);
        if own.is_some() {
            return Ok(own);
        }
        if self.fixed.is_none() && self.lake.table_exist(name) {
            // The catalog provider of datafusion-ducklake drops nothing, its writer does. What is asked for is whether
            // there was a table; which one does not matter.
            if !self.store.drop_view(name).map_err(external)? {
                let writer = self.store.writer().map_err(external)?;
                writer.drop_table(SCHEMA, name).map_err(|e| DataFusionError::External(Box::new(e)))?;
            }
            return Ok(Some(Arc::new(EmptyTable::new(Arc::new(Schema::empty())))));
        }
        if !self.lake.table_exist(name) && is_beside(name) {
            return plan_err!("'{name}' belongs to the registry and stays");
        }
        self.lake.deregister_table(name)
    }

    fn table_exist(&self, name: &str) -> bool {
        self.own(name).is_some() || self.lake.table_exist(name) || is_beside(name)
    }
}

fn external(error: StoreError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// Whether a table of that name stands beside those of the lake in every store.
fn is_beside(name: &str) -> bool {
    name == features::VIEW || registry_tables::names().any(|known| known == name)
}

#[cfg(test)]
mod tests {
    use arrow::array::RecordBatch;
    use datafusion::prelude::SessionContext;

    use super::*;

    async fn rows(ctx: &SessionContext, sql: &str) -> Result<usize> {
        Ok(ctx.sql(sql).await?.collect().await?.iter().map(RecordBatch::num_rows).sum())
    }

    async fn store(dir: &tempfile::TempDir) -> (Store, SessionContext) {
        let store = Store::init(&dir.path().join("s")).await.unwrap();
        let ctx = SessionContext::new();
        store.register(&ctx, None).await.unwrap();
        (store, ctx)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_registry_is_read_as_tables_and_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let (store, ctx) = store(&dir).await;
        for table in ["imports", "quarantine", "predictions"] {
            assert_eq!(rows(&ctx, &format!("SELECT * FROM {table}")).await.unwrap(), 0);
        }
        let bad = dir.path().join("bad.cif");
        std::fs::write(&bad, "not a crystal").unwrap();
        store.import(&[bad], &super::super::ImportOptions::default(), &()).await.unwrap();
        assert_eq!(rows(&ctx, "SELECT reason FROM quarantine WHERE path LIKE '%bad.cif'").await.unwrap(), 1);
        assert_eq!(rows(&ctx, "SELECT 1 FROM imports WHERE state = 'done' AND quarantined = 1").await.unwrap(), 1);
        assert_eq!(rows(&ctx, "SELECT * FROM tmo").await.unwrap(), 0, "tables of the lake are found as before");
        assert!(rows(&ctx, "CREATE TABLE models (a INT)").await.is_err());
        assert!(rows(&ctx, "DROP TABLE models").await.is_err());
        assert!(rows(&ctx, "INSERT INTO models VALUES ('a', 'b', 'c', 'd')").await.is_err());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn views_belong_to_the_session_and_tables_to_the_lake() {
        let dir = tempfile::tempdir().unwrap();
        let (store, ctx) = store(&dir).await;
        rows(&ctx, "CREATE TABLE numbers (a INT)").await.unwrap();
        rows(&ctx, "INSERT INTO numbers VALUES (1), (2), (3)").await.unwrap();
        rows(&ctx, "CREATE VIEW large AS SELECT a FROM numbers WHERE a > 1").await.unwrap();
        assert_eq!(rows(&ctx, "SELECT * FROM large").await.unwrap(), 2);
        assert!(rows(&ctx, "CREATE VIEW tmo AS SELECT 1 AS a").await.is_err(), "a view does not hide a table");
        let other = SessionContext::new();
        store.register(&other, None).await.unwrap();
        assert_eq!(rows(&other, "SELECT * FROM numbers").await.unwrap(), 3);
        assert!(rows(&other, "SELECT * FROM large").await.is_err());
        rows(&ctx, "DROP VIEW large").await.unwrap();
        assert!(rows(&ctx, "SELECT * FROM large").await.is_err());
        let before = store.snapshots().unwrap().pop().unwrap().id;
        rows(&ctx, "DROP TABLE numbers").await.unwrap();
        assert!(rows(&ctx, "SELECT * FROM numbers").await.is_err());
        assert!(rows(&ctx, "DROP TABLE numbers").await.is_err(), "it is gone");
        let past = SessionContext::new();
        store.register(&past, Some(before)).await.unwrap();
        assert_eq!(rows(&past, "SELECT * FROM numbers").await.unwrap(), 3, "the past stays");
        assert!(rows(&past, "DROP TABLE numbers").await.is_err(), "and is not written");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_external_file_is_read_where_it_lies() {
        let dir = tempfile::tempdir().unwrap();
        let (_, ctx) = store(&dir).await;
        let file = dir.path().join("x.parquet");
        let copy = format!("COPY (SELECT 7 AS a) TO '{}' STORED AS PARQUET", file.display());
        assert_eq!(rows(&ctx, &copy).await.unwrap(), 1);
        rows(&ctx, &format!("CREATE EXTERNAL TABLE back STORED AS PARQUET LOCATION '{}'", file.display()))
            .await
            .unwrap();
        assert_eq!(rows(&ctx, "SELECT * FROM back WHERE a = 7").await.unwrap(), 1);
    }
}
