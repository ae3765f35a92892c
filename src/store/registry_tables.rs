//! The registry in SQL: `snapshots`, `imports`, `quarantine`, `models`, `predictions`, `featurizers`, `tunings` and `trials` stand
//! beside the tables of the lake, read-only.
//! A query reads them as they are when it starts, at any snapshot of the session: they are no part of the lake.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{MemTable, Session, TableProvider};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use rusqlite::types::ValueRef;

use super::evaluations;
use super::features;
use super::lake::Store;
use super::model_list;
use crate::StoreError;

/// A table of the registry: its name, and where its rows come from.
struct Spec {
    name: &'static str,
    rows: Rows,
}

enum Rows {
    /// A query on `catalog.sqlite`, and the types of its columns.
    Sql { sql: &'static str, columns: &'static [(&'static str, DataType)] },
    /// What the store finds in its folders.
    Made { rows: fn(&Store) -> std::result::Result<RecordBatch, StoreError>, schema: fn() -> SchemaRef },
}

const TEXT: DataType = DataType::Utf8;
const INT: DataType = DataType::Int64;
const FLOAT: DataType = DataType::Float64;
const BOOL: DataType = DataType::Boolean;

static TABLES: LazyLock<Vec<(Spec, SchemaRef)>> = LazyLock::new(|| {
    let specs = [
        Spec {
            name: "imports",
            rows: Rows::Sql { sql: "SELECT import_id, table_name, state, started, seconds, snapshot_id, files, added, present, duplicates, skipped,
                      quarantined, version FROM hollandite_imports ORDER BY import_id", columns: &[
                ("import_id", INT),
                ("table_name", TEXT),
                ("state", TEXT),
                ("started", TEXT),
                ("seconds", FLOAT),
                ("snapshot_id", INT),
                ("files", INT),
                ("added", INT),
                ("present", INT),
                ("duplicates", INT),
                ("skipped", INT),
                ("quarantined", INT),
                ("version", TEXT),
            ] },
        },
        Spec {
            name: "snapshots",
            rows: Rows::Sql { sql: "SELECT snapshot_id, strftime('%Y-%m-%d %H:%M:%f', CASE WHEN snapshot_time GLOB '* *[+-][0-9][0-9]'
                      THEN snapshot_time || ':00' ELSE snapshot_time END), schema_version, changes_made, author, commit_message
                  FROM ducklake_snapshot LEFT JOIN ducklake_snapshot_changes USING (snapshot_id) ORDER BY snapshot_id", columns: &[
                ("snapshot_id", INT),
                ("time", TEXT),
                ("schema_version", INT),
                ("changes", TEXT),
                ("author", TEXT),
                ("message", TEXT),
            ] },
        },
        Spec {
            name: "quarantine",
            rows: Rows::Sql { sql: "SELECT q.import_id, q.table_name, path, nullif(line, 0), record_id, reason, raw_hint
                  FROM hollandite_quarantine q JOIN hollandite_imports i USING (import_id) WHERE i.state = 'done'
                  ORDER BY path, line, q.rowid", columns: &[
                ("import_id", INT),
                ("table_name", TEXT),
                ("path", TEXT),
                ("line", INT),
                ("record_id", TEXT),
                ("reason", TEXT),
                ("raw_hint", TEXT),
            ] },
        },
        Spec {
            name: "models",
            rows: Rows::Made { rows: Store::models, schema: model_list::schema },
        },
        Spec {
            name: "predictions",
            rows: Rows::Sql { sql: evaluations::LIST, columns: &[
                ("model", TEXT),
                ("model_id", TEXT),
                ("table_name", TEXT),
                ("id", TEXT),
                ("structure_hash", TEXT),
                ("split", TEXT),
                ("value", FLOAT),
                ("lower", FLOAT),
                ("upper", FLOAT),
                ("coverage", FLOAT),
                ("in_domain", BOOL),
                ("reason", TEXT),
                ("target_column", TEXT),
                ("target", FLOAT),
                ("unit", TEXT),
            ] },
        },
        Spec {
            name: "featurizers",
            rows: Rows::Sql { sql: features::LIST, columns: &[
                ("name", TEXT),
                ("featurizer", TEXT),
                ("rows", INT),
                ("nulls", INT),
                ("files", INT),
                ("bytes", INT),
                ("seconds", FLOAT),
                ("updated", TEXT),
            ] },
        },
        Spec {
            name: "tunings",
            rows: Rows::Sql { sql: "SELECT name, json_extract(definition, '$.model'), json_extract(definition, '$.space'),
                      json_extract(definition, '$.table'), json_extract(definition, '$.target'),
                      json_extract(definition, '$.split'), count(trial), count(CASE state WHEN 'pruned' THEN 1 END),
                      min(CASE state WHEN 'done' THEN error END), total(seconds), definition, created
                  FROM hollandite_tunings LEFT JOIN hollandite_trials ON tuning = name GROUP BY name ORDER BY created, name", columns: &[
                ("name", TEXT),
                ("model", TEXT),
                ("space", TEXT),
                ("table_name", TEXT),
                ("target", TEXT),
                ("split", TEXT),
                ("trials", INT),
                ("pruned", INT),
                ("error", FLOAT),
                ("seconds", FLOAT),
                ("definition", TEXT),
                ("created", TEXT),
            ] },
        },
        Spec {
            name: "trials",
            rows: Rows::Sql { sql: "SELECT tuning, trial, state, error, epoch, json_array_length(curve), seconds, settings, curve, reason, updated
                  FROM hollandite_trials ORDER BY tuning, trial", columns: &[
                ("tuning", TEXT),
                ("trial", INT),
                ("state", TEXT),
                ("error", FLOAT),
                ("epoch", INT),
                ("epochs", INT),
                ("seconds", FLOAT),
                ("settings", TEXT),
                ("curve", TEXT),
                ("reason", TEXT),
                ("updated", TEXT),
            ] },
        },
    ];
    let schema = |spec: &Spec| match spec.rows {
        Rows::Sql { columns, .. } => {
            let fields = columns.iter().map(|(name, dt)| Field::new(*name, dt.clone(), true));
            Arc::new(Schema::new(fields.collect::<Vec<_>>()))
        }
        Rows::Made { schema, .. } => schema(),
    };
    specs
        .into_iter()
        .map(|spec| {
            let schema = schema(&spec);
            (spec, schema)
        })
        .collect()
});

/// Their names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|(spec, _)| spec.name)
}

/// The table of that name.
pub(super) fn table(name: &str, store: &Store) -> Option<Arc<dyn TableProvider>> {
    let table = names().position(|known| known == name)?;
    Some(Arc::new(RegistryTable { table, store: store.clone() }))
}

#[derive(Debug)]
struct RegistryTable {
    table: usize,
    store: Store,
}

#[async_trait]
impl TableProvider for RegistryTable {
    fn schema(&self) -> SchemaRef {
        TABLES[self.table].1.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (spec, schema) = &TABLES[self.table];
        let batch = match spec.rows {
            Rows::Sql { sql, .. } => read(&self.store, sql, schema),
            Rows::Made { rows, .. } => rows(&self.store),
        };
        let batch = batch.map_err(|e| DataFusionError::External(Box::new(e)))?;
        MemTable::try_new(schema.clone(), vec![vec![batch]])?.scan(state, projection, filters, limit).await
    }
}

/// A column under construction.
enum Builder {
    Text(StringBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Bool(BooleanBuilder),
}

fn read(store: &Store, sql: &str, schema: &SchemaRef) -> std::result::Result<RecordBatch, StoreError> {
    let connection = store.connect()?;
    let mut statement = connection.prepare(sql)?;
    let mut builders: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| match field.data_type() {
            DataType::Int64 => Builder::Int(Int64Builder::new()),
            DataType::Float64 => Builder::Float(Float64Builder::new()),
            DataType::Boolean => Builder::Bool(BooleanBuilder::new()),
            _ => Builder::Text(StringBuilder::new()),
        })
        .collect();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for (i, builder) in builders.iter_mut().enumerate() {
            // SQLite's columns have no types, its values do: what does not fit the column's is NULL.
            match (builder, row.get_ref(i)?) {
                (Builder::Text(b), ValueRef::Text(text)) => b.append_value(String::from_utf8_lossy(text)),
                (Builder::Text(b), _) => b.append_null(),
                (Builder::Int(b), ValueRef::Integer(n)) => b.append_value(n),
                (Builder::Int(b), _) => b.append_null(),
                (Builder::Float(b), ValueRef::Real(x)) => b.append_value(x),
                (Builder::Float(b), ValueRef::Integer(n)) => b.append_value(n as f64),
                (Builder::Float(b), _) => b.append_null(),
                (Builder::Bool(b), ValueRef::Integer(n)) => b.append_value(n != 0),
                (Builder::Bool(b), _) => b.append_null(),
            }
        }
    }
    let columns = builders.into_iter().map(|builder| -> ArrayRef {
        match builder {
            Builder::Text(mut b) => Arc::new(b.finish()),
            Builder::Int(mut b) => Arc::new(b.finish()),
            Builder::Float(mut b) => Arc::new(b.finish()),
            Builder::Bool(mut b) => Arc::new(b.finish()),
        }
    });
    RecordBatch::try_new(schema.clone(), columns.collect()).map_err(|e| StoreError::Registry(e.into()))
}
