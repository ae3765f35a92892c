//! A store as the catalog of a session, at its newest snapshot or an older one.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::CatalogProvider;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::prelude::SessionContext;
use datafusion_ducklake::{DuckLakeCatalog, MetadataProvider};
use rusqlite::params;

use super::Store;
use super::lake::{CATALOG, SCHEMA};
use super::overlay::Overlay;
use super::planner::Planner;
use crate::StoreError;

impl Store {
    /// Makes the store the default catalog `lake`, schema `main`, of a session: at its newest snapshot, readable and
    /// writable, or fixed at an older one and read-only.
    ///
    /// # Errors
    /// A snapshot that does not exist.
    pub async fn register(&self, ctx: &SessionContext, snapshot: Option<i64>) -> Result<(), StoreError> {
        let catalog = self.catalog(snapshot)?;
        let local = ObjectStoreUrl::local_filesystem();
        ctx.register_object_store(local.as_ref(), self.file_system());
        DuckLakeCatalog::register(ctx, CATALOG, catalog);
        if let Some(lake) = ctx.catalog(CATALOG) {
            ctx.register_catalog(CATALOG, Arc::new(Overlay::new(lake, self.clone(), snapshot, Planner::of(ctx))));
        }
        let state = ctx.state_ref();
        let mut state = state.write();
        let options = state.config_mut().options_mut();
        (options.catalog.default_catalog, options.catalog.default_schema) = (CATALOG.into(), SCHEMA.into());
        // Text read from the lake is in Arrow's view layout. A Parquet file that recorded so could not be read by pandas
        // (lists of views); without the record every reader chooses its own layout.
        options.execution.parquet.skip_arrow_metadata = true;
        Ok(())
    }

    pub(super) fn catalog(&self, snapshot: Option<i64>) -> Result<DuckLakeCatalog, StoreError> {
        let provider = self.inner.provider.clone();
        match (snapshot, &self.inner.writer) {
            (Some(asked), _) => {
                self.check_snapshot(asked)?;
                DuckLakeCatalog::with_snapshot(provider, asked)
            }
            (None, Some(writer)) => DuckLakeCatalog::with_writer(provider, writer.clone()),
            (None, None) => DuckLakeCatalog::new(provider.as_ref().clone()),
        }
        .map_err(StoreError::lake("opening the catalog"))
    }

    /// The catalog at its newest snapshot.
    pub(super) fn catalog_now(&self) -> Result<DuckLakeCatalog, StoreError> {
        self.catalog(None)
    }

    pub(super) fn check_snapshot(&self, asked: i64) -> Result<(), StoreError> {
        let (known, oldest, newest) = self.connect()?.query_row(
            "SELECT count(*) FILTER (WHERE snapshot_id = ?), min(snapshot_id), max(snapshot_id) FROM ducklake_snapshot",
            params![asked],
            |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?)),
        )?;
        if known == 0 { Err(StoreError::Snapshot { asked, oldest, newest }) } else { Ok(()) }
    }

    /// Newest snapshot.
    ///
    /// # Errors
    /// A catalog that cannot be read.
    pub fn newest_snapshot(&self) -> Result<i64, StoreError> {
        self.inner.provider.get_current_snapshot().map_err(StoreError::lake("reading the newest snapshot"))
    }

    /// Arrow schema of a table at the newest snapshot; `None` where there is no such table.
    ///
    /// # Errors
    /// A catalog that cannot be read.
    pub async fn table_schema(&self, table: &str) -> Result<Option<SchemaRef>, StoreError> {
        self.schema_of(SCHEMA, table).await
    }

    /// Arrow schema of a table of some schema, at the newest snapshot; `None` where there is no such table.
    pub(super) async fn schema_of(&self, schema: &str, table: &str) -> Result<Option<SchemaRef>, StoreError> {
        let doing = "reading a table";
        let schema = self
            .catalog(None)?
            .schema(schema)
            .ok_or_else(|| StoreError::lake(doing)(format!("the catalog has no schema {schema}")))?;
        let table = schema.table(table).await.map_err(StoreError::lake(doing))?;
        Ok(table.map(|table| table.schema()))
    }
}
