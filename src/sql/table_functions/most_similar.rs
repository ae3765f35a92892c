//! `most_similar(crystal, k)`: the crystals of a table whose fingerprints are nearest to that of one.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;

use super::query::Query;
use super::table::{Table, id_or_crystal, is_crystal, table};
use crate::functions::arguments::whole;
use crate::functions::kernel::Row;
use crate::functions::{FieldDoc, Function, Kind, required};
use crate::structure_type::crystal_text;
use crate::{quoted_name, quoted_text};

/// Most rows that a call may ask for.
const MOST: f64 = 1e6;

pub(super) fn function() -> Function<Table> {
    Function {
        name: "most_similar",
        text: crystal_text!(
            "The k crystals of a table that are most similar to a given one, best first. That one is named by its id in the table \
             (and is not among the rows; for an unknown id there are none), or given as ",
            "."
        ),
        parameters: vec![
            id_or_crystal(),
            required("k", Kind::Number, "Number of rows.").measured(|k| whole("k", k, 1.0, MOST)),
            table(),
        ],
        unit: None,
        example: "SELECT * FROM most_similar('rutile', 10)",
        kernel: Table { reads_files: false, columns: columns(), call },
    }
}

fn columns() -> Vec<FieldDoc> {
    vec![
        FieldDoc::new("id", DataType::Utf8, None, "Id of the crystal."),
        FieldDoc::new("formula", DataType::Utf8, None, "Its reduced formula."),
        FieldDoc::new("spacegroup", DataType::Int32, None, "Its space-group number."),
        FieldDoc::new("similarity", DataType::Float64, None, "Its similarity to the given crystal, 0 to 1."),
    ]
}

fn call(_: &dyn Session, row: Row) -> Result<Arc<dyn TableProvider>> {
    let is_text = !matches!(is_crystal(row.text(0)), Ok(false));
    Ok(Arc::new(Query::new(query(row.text(0), is_text, row.number(1), row.text(2)), &columns())))
}

fn query(crystal: &str, is_text: bool, k: f64, table: &str) -> String {
    let (crystal, table) = (quoted_text(crystal), quoted_name(table));
    let (other, from, filter) = if is_text {
        (format!("fingerprint({crystal})"), String::new(), String::new())
    } else {
        let one = format!("SELECT fingerprint(structure) AS print FROM {table} WHERE id = {crystal} LIMIT 1");
        ("one.print".to_string(), format!(" CROSS JOIN ({one}) AS one"), format!(" AND t.id <> {crystal}"))
    };
    // Formula and space group are compared for the crystals that are left.
    let ranked = format!(
        "SELECT t.id, t.structure, similarity(fingerprint(t.structure), {other}) AS similarity FROM {table} AS \
         t{from} WHERE t.structure IS NOT NULL{filter} ORDER BY similarity DESC NULLS LAST, t.id LIMIT {k}"
    );
    format!(
        "SELECT arrow_cast(id, 'Utf8') AS id, reduced_formula(structure) AS formula, spacegroup(structure) AS \
         spacegroup, similarity FROM ({ranked}) AS ranked ORDER BY similarity DESC NULLS LAST, id"
    )
}
