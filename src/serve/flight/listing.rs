//! What the trees of clients show: the server itself, its catalog, schemas, tables and types.

use std::sync::{Arc, LazyLock};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema};
use arrow_flight::error::FlightError;
use arrow_flight::sql::metadata::{SqlInfoData, SqlInfoDataBuilder, XdbcTypeInfoData, XdbcTypeInfoDataBuilder};
use arrow_flight::sql::{
    CommandGetCatalogs, CommandGetDbSchemas, CommandGetTableTypes, CommandGetTables, SqlInfo,
    SqlSupportedCaseSensitivity, SqlSupportedTransaction,
};
use sql::quoted_name;

use crate::catalog::texts;
use crate::error::{Kind, Refusal};
use crate::gate::{Gate, Question};

/// The catalog, and the schemas that it shows.
const CATALOG: &str = "lake";
const SCHEMAS: [&str; 2] = ["information_schema", "main"];

/// What the library says of a listing that it cannot make.
pub(super) fn fault(error: FlightError) -> Refusal {
    Refusal::new(Kind::Fault, error.to_string())
}

/// What the server can do.
static ABOUT: LazyLock<Option<SqlInfoData>> = LazyLock::new(|| {
    let mut about = SqlInfoDataBuilder::new();
    about.append(SqlInfo::FlightSqlServerName, "hollandite");
    about.append(SqlInfo::FlightSqlServerVersion, env!("CARGO_PKG_VERSION"));
    about.append(SqlInfo::FlightSqlServerArrowVersion, "1.3");
    about.append(SqlInfo::FlightSqlServerReadOnly, true);
    about.append(SqlInfo::FlightSqlServerSql, true);
    about.append(SqlInfo::FlightSqlServerSubstrait, false);
    about.append(SqlInfo::FlightSqlServerTransaction, SqlSupportedTransaction::None as i32);
    about.append(SqlInfo::FlightSqlServerCancel, true);
    about.append(SqlInfo::SqlDdlCatalog, false);
    about.append(SqlInfo::SqlDdlSchema, false);
    about.append(SqlInfo::SqlDdlTable, false);
    about.append(SqlInfo::SqlIdentifierCase, SqlSupportedCaseSensitivity::SqlCaseSensitivityLowercase as i32);
    about.append(SqlInfo::SqlIdentifierQuoteChar, "\"");
    about.append(
        SqlInfo::SqlQuotedIdentifierCase,
        SqlSupportedCaseSensitivity::SqlCaseSensitivityCaseInsensitive as i32,
    );
    about.build().ok()
});

/// Types as JDBC numbers them: none are listed.
static TYPES: LazyLock<Option<XdbcTypeInfoData>> = LazyLock::new(|| XdbcTypeInfoDataBuilder::new().build().ok());

/// # Errors
/// A description of the server that could not be made.
pub(super) fn about() -> Result<&'static SqlInfoData, Refusal> {
    ABOUT.as_ref().ok_or_else(|| Refusal::new(Kind::Fault, "nothing is known of the server"))
}

/// # Errors
/// A list of types that could not be made.
pub(super) fn types() -> Result<&'static XdbcTypeInfoData, Refusal> {
    TYPES.as_ref().ok_or_else(|| Refusal::new(Kind::Fault, "no types are known"))
}

pub(super) fn catalogs(command: CommandGetCatalogs) -> Result<RecordBatch, Refusal> {
    let mut builder = command.into_builder();
    builder.append(CATALOG);
    builder.build().map_err(fault)
}

/// Without a catalog, those of all.
pub(super) fn schemas(command: CommandGetDbSchemas) -> Result<RecordBatch, Refusal> {
    let mut builder = command.into_builder();
    SCHEMAS.iter().for_each(|schema| builder.append(CATALOG, schema));
    builder.build().map_err(fault)
}

pub(super) fn table_types(command: CommandGetTableTypes) -> Result<RecordBatch, Refusal> {
    let mut builder = command.into_builder();
    ["TABLE", "VIEW"].iter().for_each(|kind| builder.append(kind));
    builder.build().map_err(fault)
}

/// The primary keys of a table. A store has no keys; clients ask all the same.
pub(super) fn primary_keys() -> RecordBatch {
    let text = |name, nullable| Field::new(name, DataType::Utf8, nullable);
    RecordBatch::new_empty(Arc::new(Schema::new(vec![
        text("catalog_name", true),
        text("db_schema_name", true),
        text("table_name", false),
        text("column_name", false),
        text("key_name", true),
        Field::new("key_sequence", DataType::Int32, false),
    ])))
}

/// The keys by which tables name rows of others.
pub(super) fn foreign_keys() -> RecordBatch {
    let end = |end: &str| {
        let text = |name: &str, nullable| Field::new(format!("{end}_{name}"), DataType::Utf8, nullable);
        [
            text("catalog_name", true),
            text("db_schema_name", true),
            text("table_name", false),
            text("column_name", false),
        ]
    };
    let rest = [
        Field::new("key_sequence", DataType::Int32, false),
        Field::new("fk_key_name", DataType::Utf8, true),
        Field::new("pk_key_name", DataType::Utf8, true),
        Field::new("update_rule", DataType::UInt8, false),
        Field::new("delete_rule", DataType::UInt8, false),
    ];
    let columns: Vec<Field> = end("pk").into_iter().chain(end("fk")).chain(rest).collect();
    RecordBatch::new_empty(Arc::new(Schema::new(columns)))
}

/// The requested tables, with their columns where those are.
pub(super) async fn tables(gate: &Gate, command: CommandGetTables) -> Result<RecordBatch, Refusal> {
    let none = Schema::empty();
    let mut builder = CommandGetTables { include_schema: false, ..command.clone() }.into_builder();
    let query = "SELECT table_schema, table_name, table_type FROM information_schema.tables WHERE table_catalog = 'lake' \
                 AND table_schema IN ('main', 'information_schema')";
    for batch in gate.ask(Question::from(query)).await?.collect().await? {
        let [schemas, names, kinds] = [0, 1, 2].map(|i| texts(batch.column(i)));
        for ((schema, name), kind) in schemas.iter().zip(&names).zip(&kinds) {
            let kind = if kind == "BASE TABLE" { "TABLE" } else { "VIEW" };
            builder.append(CATALOG, schema, name, kind, &none).map_err(fault)?;
        }
    }
    let listed = builder.build().map_err(fault)?;
    if !command.include_schema {
        return Ok(listed);
    }
    // Only those that are left are planned.
    let mut builder = command.into_builder();
    let [schemas, names, kinds] = [1, 2, 3].map(|i| texts(listed.column(i)));
    for ((schema, name), kind) in schemas.iter().zip(&names).zip(&kinds) {
        let query = format!("SELECT * FROM {}.{}", quoted_name(schema), quoted_name(name));
        // What cannot be planned here, as a view of files, has no columns.
        let columns = match gate.plan(Question::from(query.as_str())).await {
            Ok(planned) => planned.schema,
            Err(refusal) if refusal.is_lasting() => Arc::new(Schema::empty()),
            Err(refusal) => return Err(refusal),
        };
        builder.append(CATALOG, schema, name, kind, &columns).map_err(fault)?;
    }
    builder.build().map_err(fault)
}
