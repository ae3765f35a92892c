//! The view `features`: every row of every table that was featurized, with one column for each feature, and beside it the
//! featurizer that its value is of. Features that a query does not name are not read.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, SchemaProvider, Session, TableProvider};
use datafusion::common::{Column, DFSchema, JoinType, Result};
use datafusion::datasource::provider_as_source;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{EmptyRelation, Expr, LogicalPlan, LogicalPlanBuilder, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::{PREFIX, list};
use crate::lake::{DEFAULT_TABLE, SCHEMA, Store};

const KEYS: [&str; 2] = ["id", "structure_hash"];

/// The view over the tables of `lake`, at any snapshot, and the features as they are now: a value hangs on
/// its crystal and not on the moment.
pub(crate) async fn view(store: &Store, lake: &dyn SchemaProvider) -> Result<Arc<dyn TableProvider>> {
    let external = |e: crate::StoreError| DataFusionError::External(Box::new(e));
    let connection = store.connect().map_err(external)?;
    let known = list(&connection, None).map_err(external)?;
    let mut tables = vec![];
    for name in featurized(&connection).map_err(|e| external(e.into()))? {
        tables.extend(lake.table(&name).await?);
    }
    let mut features = vec![];
    if let Some(newest) = store.catalog_now().map_err(external)?.schema(SCHEMA) {
        for feature in known {
            let table = newest.table(&format!("{PREFIX}{}", feature.name)).await?;
            features.extend(table.map(|table| (feature.name, table)));
        }
    }
    let view = View { tables, features, schema: SchemaRef::new(Schema::empty()) };
    let schema = Arc::clone(view.plan(None)?.schema().inner());
    Ok(Arc::new(View { schema, ..view }))
}

/// The tables whose rows the view shows: those that were featurized, and in any case `tmo`.
fn featurized(connection: &rusqlite::Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT ? UNION SELECT table_name FROM hollandite_featurized ORDER BY 1";
    connection.prepare(sql)?.query_map([DEFAULT_TABLE], |row| row.get(0))?.collect()
}

#[derive(Debug)]
struct View {
    tables: Vec<Arc<dyn TableProvider>>,
    features: Vec<(String, Arc<dyn TableProvider>)>,
    schema: SchemaRef,
}

impl View {
    /// The view with the columns of those numbers, or with all.
    fn plan(&self, projection: Option<&Vec<usize>>) -> Result<LogicalPlan> {
        let scan = |name: &str, table: &Arc<dyn TableProvider>| {
            LogicalPlanBuilder::scan(name, provider_as_source(Arc::clone(table)), None)
        };
        let keys = || KEYS.map(Column::new_unqualified).map(Expr::Column);
        let mut rows = None;
        for table in &self.tables {
            let next = scan("t", table)?.project(keys())?.build()?;
            rows = Some(match rows {
                None => LogicalPlanBuilder::from(next),
                Some(rows) => LogicalPlanBuilder::union_distinct(rows, next)?,
            });
        }
        // At an old snapshot none of the tables may be there yet.
        let rows = match rows {
            Some(rows) => rows,
            None => nothing()?,
        };
        let mut plan = rows.alias("rows")?;
        let wanted = |i: usize| projection.is_none_or(|columns| columns.contains(&i));
        let mut outputs: Vec<Expr> = KEYS.map(|key| Expr::Column(Column::new(Some("rows"), key))).to_vec();
        for (i, (name, table)) in self.features.iter().enumerate() {
            let at = KEYS.len() + 2 * i;
            if !wanted(at) && !wanted(at + 1) {
                // Keeps the numbers of the columns right; they are not read.
                outputs.extend([Expr::default(), Expr::default()]);
                continue;
            }
            let left = KEYS.map(|key| Column::new(Some("rows"), key)).to_vec();
            let right = KEYS.map(|key| Column::new(Some(name.as_str()), key)).to_vec();
            plan = plan.join(scan(name, table)?.build()?, JoinType::Left, (left, right), None)?;
            let column = |column: &str| Expr::Column(Column::new(Some(name.as_str()), column));
            outputs.extend([column(name).alias(name), column("featurizer").alias(format!("{name}_featurizer"))]);
        }
        let outputs = match projection {
            Some(columns) => columns.iter().map(|&i| outputs[i].clone()).collect(),
            None => outputs,
        };
        plan.project(outputs)?.build()
    }
}

/// No rows, with the columns of the keys.
fn nothing() -> Result<LogicalPlanBuilder> {
    let schema = Schema::new(KEYS.map(|key| Field::new(key, DataType::Utf8View, true)).to_vec());
    let schema = Arc::new(DFSchema::try_from(schema)?);
    Ok(LogicalPlanBuilder::from(LogicalPlan::EmptyRelation(EmptyRelation { produce_one_row: false, schema })))
}

#[async_trait]
impl TableProvider for View {
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
        let plan = LogicalPlanBuilder::from(self.plan(projection)?).limit(0, limit)?.build()?;
        state.create_physical_plan(&plan).await
    }
}
