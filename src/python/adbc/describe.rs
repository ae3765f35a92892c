//! What a store holds, in the shapes that ADBC gives it.

use std::collections::HashSet;
use std::sync::Arc;

use adbc_core::error::{Error, Result, Status};
use adbc_core::options::{InfoCode, ObjectDepth};
use adbc_core::schemas::{GET_INFO_SCHEMA, GET_OBJECTS_SCHEMA};
use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, UInt32Array, UnionArray, new_empty_array};
use arrow::buffer::ScalarBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use arrow::json::ReaderBuilder;
use hollandite::sql::{Bound, Session, Values};
use serde_json::{Value, json};

/// Names and versions.
pub(crate) fn info(codes: Option<&HashSet<InfoCode>>) -> Result<RecordBatch> {
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    let texts = [
        (InfoCode::VendorName, "hollandite"),
        (InfoCode::VendorVersion, VERSION),
        (InfoCode::DriverName, "ADBC driver of hollandite"),
        (InfoCode::DriverVersion, VERSION),
    ];
    let wanted = |code: &InfoCode| codes.is_none_or(|codes| codes.contains(code));
    let texts: Vec<_> = texts.into_iter().filter(|(code, _)| wanted(code)).collect();
    // The version of ADBC, 1.1.0, as the protocol numbers it.
    let numbers: Vec<_> =
        [(InfoCode::DriverAdbcVersion, 1_001_000_i64)].into_iter().filter(|(c, _)| wanted(c)).collect();

    let DataType::Union(fields, _) = GET_INFO_SCHEMA.field(1).data_type().clone() else {
        return Err(Error::with_message_and_status("the schema of the protocol has no union", Status::Internal));
    };
    let kinds = texts.iter().map(|_| 0_i8).chain(numbers.iter().map(|_| 2_i8)).collect::<ScalarBuffer<i8>>();
    let places = (0..texts.len() as i32).chain(0..numbers.len() as i32).collect::<ScalarBuffer<i32>>();
    let children = fields.iter().map(|(kind, field)| -> ArrayRef {
        match kind {
            0 => Arc::new(StringArray::from_iter_values(texts.iter().map(|(_, text)| *text))),
            2 => Arc::new(Int64Array::from_iter_values(numbers.iter().map(|(_, number)| *number))),
            _ => new_empty_array(field.data_type()),
        }
    });
    let values = UnionArray::try_new(fields.clone(), kinds, Some(places), children.collect())?;
    let codes = texts.iter().map(|(code, _)| u32::from(code)).chain(numbers.iter().map(|(code, _)| u32::from(code)));
    let codes = UInt32Array::from_iter_values(codes);
    Ok(RecordBatch::try_new(Arc::clone(&GET_INFO_SCHEMA), vec![Arc::new(codes), Arc::new(values)])?)
}

/// Patterns of LIKE; `None` admits everything.
pub struct Asked {
    pub catalog: Option<String>,
    pub schema: Option<String>,
    pub table: Option<String>,
    pub kinds: Option<Vec<String>>,
    pub column: Option<String>,
}

/// A column of a table.
pub struct Found {
    catalog: String,
    schema: String,
    table: String,
    kind: String,
    column: String,
    position: i64,
    data_type: String,
    nullable: bool,
}

/// The columns of all requested tables.
pub(crate) async fn objects(session: &Session, asked: &Asked) -> std::result::Result<Vec<Found>, hollandite::Error> {
    let text = |value: &Option<String>| Bound::Text(value.clone().unwrap_or_else(|| "%".into()));
    let values =
        Values::InOrder(vec![text(&asked.catalog), text(&asked.schema), text(&asked.table), text(&asked.column)]);
    let query = "SELECT c.table_catalog, c.table_schema, c.table_name, t.table_type, c.column_name, c.ordinal_position, \
                 c.data_type, c.is_nullable FROM information_schema.columns c JOIN information_schema.tables t \
                 ON c.table_catalog = t.table_catalog AND c.table_schema = t.table_schema AND c.table_name = t.table_name \
                 WHERE c.table_catalog LIKE $1 AND c.table_schema LIKE $2 AND c.table_name LIKE $3 AND c.column_name LIKE $4 \
                 ORDER BY c.table_catalog, c.table_schema, c.table_name, c.ordinal_position";
    let batches = session.sql(&session.bind(query, &values)?).await?.collect().await?;
    let mut found = Vec::new();
    for batch in batches {
        let texts = |i: usize| cast(batch.column(i), &DataType::Utf8).map_err(datafusion::error::DataFusionError::from);
        let columns = [0, 1, 2, 3, 4, 6, 7].map(texts).into_iter().collect::<std::result::Result<Vec<_>, _>>()?;
        let positions = cast(batch.column(5), &DataType::Int64).map_err(datafusion::error::DataFusionError::from)?;
        for i in 0..batch.num_rows() {
            let text = |k: usize| columns[k].as_string::<i32>().value(i).to_owned();
            let kind = text(3);
            if asked.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind)) {
                found.push(Found {
                    catalog: text(0),
                    schema: text(1),
                    table: text(2),
                    kind,
                    column: text(4),
                    position: positions.as_primitive::<Int64Type>().value(i),
                    data_type: text(5),
                    nullable: text(6) == "YES",
                });
            }
        }
    }
    Ok(found)
}

/// Catalogs, their schemas, their tables and their columns, as deep as is asked.
pub(crate) fn nested(found: &[Found], depth: ObjectDepth) -> Result<RecordBatch> {
    let (schemas, tables, columns) = match depth {
        ObjectDepth::Catalogs => (false, false, false),
        ObjectDepth::Schemas => (true, false, false),
        ObjectDepth::Tables => (true, true, false),
        ObjectDepth::All | ObjectDepth::Columns => (true, true, true),
    };
    let deeper = |wanted: bool, values: Vec<Value>| if wanted { Value::Array(values) } else { Value::Null };
    let mut catalogs = Vec::new();
    for in_catalog in found.chunk_by(|a, b| a.catalog == b.catalog) {
        let mut in_catalogs = Vec::new();
        for in_schema in in_catalog.chunk_by(|a, b| a.schema == b.schema) {
            let in_schemas = in_schema.chunk_by(|a, b| a.table == b.table).map(|table| {
                let described = table.iter().map(|column| {
                    json!({
                        "column_name": column.column,
                        "ordinal_position": column.position + 1,
                        "xdbc_type_name": column.data_type,
                        "xdbc_nullable": i32::from(column.nullable),
                        "xdbc_is_nullable": if column.nullable { "YES" } else { "NO" },
                    })
                });
                json!({
                    "table_name": table[0].table,
                    "table_type": table[0].kind,
                    "table_columns": deeper(columns, described.collect()),
                    "table_constraints": deeper(columns, Vec::new()),
                })
            });
            let in_schemas = in_schemas.collect();
            in_catalogs.push(json!({
                "db_schema_name": in_schema[0].schema,
                "db_schema_tables": deeper(tables, in_schemas),
            }));
        }
        catalogs.push(json!({
            "catalog_name": in_catalog[0].catalog,
            "catalog_db_schemas": deeper(schemas, in_catalogs),
        }));
    }
    let mut decoder = ReaderBuilder::new(Arc::clone(&GET_OBJECTS_SCHEMA)).build_decoder()?;
    decoder.serialize(&catalogs)?;
    Ok(decoder.flush()?.unwrap_or_else(|| RecordBatch::new_empty(Arc::clone(&GET_OBJECTS_SCHEMA))))
}
