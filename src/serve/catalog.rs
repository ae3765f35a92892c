//! What there is to ask: tables with their columns, and functions.

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use serde::Serialize;
use sql::table_functions::reads_files;
use sql::{FunctionDoc, quoted_name, sql_type};

use crate::error::{Kind, Refusal};
use crate::gate::{Gate, Question};

/// A table or view.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// `table` or `view`.
    pub kind: String,
    /// Its columns.
    pub columns: Vec<Column>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type as SQL spells it.
    #[serde(rename = "type")]
    pub sql_type: String,
    /// Its unit, where it has one.
    pub unit: Option<String>,
    /// What it holds, where the dictionary says.
    pub meaning: Option<&'static str>,
}

/// A column of texts.
pub(crate) fn texts(column: &ArrayRef) -> Vec<String> {
    let texts = cast(column, &DataType::Utf8).ok();
    let texts = texts.iter().flat_map(|texts| texts.as_string::<i32>().iter());
    texts.map(|text| text.unwrap_or_default().to_owned()).collect()
}

/// The names of the tables and views that a bare name finds, with their kinds, and the snapshot.
pub(crate) async fn names(gate: &Gate) -> Result<(i64, Vec<(String, String)>), Refusal> {
    let query =
        "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'main' ORDER BY table_name";
    let answer = gate.ask(Question::from(query)).await?;
    let snapshot = answer.snapshot();
    let mut named = Vec::new();
    for batch in answer.collect().await? {
        named.extend(texts(batch.column(0)).into_iter().zip(texts(batch.column(1))));
    }
    Ok((snapshot, named))
}

/// Whether there is a table or view of that name.
pub(crate) async fn is_there(gate: &Gate, name: &str) -> Result<bool, Refusal> {
    Ok(names(gate).await?.1.iter().any(|(known, _)| known == name))
}

/// What is said of a table that is not there.
pub(crate) fn no_table(name: &str) -> Refusal {
    Refusal::new(Kind::Missing, format!("there is no table {name}"))
}

/// One table.
pub(crate) async fn table(gate: &Gate, name: &str, kind: &str) -> Result<Table, Refusal> {
    let planned = gate.plan(Question::from(format!("SELECT * FROM {}", quoted_name(name)).as_str())).await?;
    let meanings = store::meanings(name, &planned.schema);
    let units = planned.units.iter().map(|units| units.unit.as_ref().map(ToString::to_string));
    let columns = planned.schema.fields().iter().zip(units).map(|(field, unit)| Column {
        name: field.name().clone(),
        sql_type: sql_type(field.data_type()),
        unit,
        meaning: meanings.get(field.name().as_str()).copied(),
    });
    let kind = if kind == "BASE TABLE" { "table" } else { "view" };
    Ok(Table { name: name.to_owned(), kind: kind.to_owned(), columns: columns.collect() })
}

/// Tables and views, at one snapshot. What cannot be planned here, as a view of files, is left out.
pub(crate) async fn tables(gate: &Gate) -> Result<(i64, Vec<Table>), Refusal> {
    let (snapshot, named) = names(gate).await?;
    let mut tables = Vec::with_capacity(named.len());
    for (name, kind) in named {
        match table(gate, &name, &kind).await {
            Ok(table) => tables.push(table),
            Err(refusal) if refusal.is_lasting() => {}
            Err(refusal) => return Err(refusal),
        }
    }
    Ok((snapshot, tables))
}

/// The functions that are served.
pub(crate) fn functions() -> Vec<FunctionDoc> {
    sql::functions().into_iter().filter(|function| !reads_files(&function.name)).collect()
}
