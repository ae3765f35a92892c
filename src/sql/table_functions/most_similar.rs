//! `most_similar(crystal, k)`: the crystals of a table whose fingerprints are nearest to that of one.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::catalog::{TableFunctionArgs, TableProvider};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::Expr;

use super::query::Query;
use super::{Table, is_crystal, text};
use crate::functions::{FieldDoc, Function, Kind, Omitted, optional, required};
use crate::{quoted_name, quoted_text};

/// Most rows that a call may ask for.
const MOST: i64 = 1_000_000;

pub(super) fn function() -> Function<Table> {
    Function {
        name: "most_similar",
        text: "The k crystals of a table that are most similar to a given one, best first. That one is named by its \
               id in the table (and is not among the rows; for an unknown id there are none), or given as CIF, \
               POSCAR or JSON text.",
        parameters: vec![
            required("crystal", Kind::Text, "An id, or CIF, POSCAR or JSON text, as a constant."),
            required("k", Kind::Number, "Number of rows."),
            optional("table", Kind::Text, Omitted::Text("tmo"), "Name of the table."),
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

fn call(args: &TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
    let (crystal, k, table) = match args.exprs() {
        [crystal, k] => (crystal, k, "tmo".to_string()),
        [crystal, k, table] => (crystal, k, text("most_similar", "a table's name", table)?),
        more => {
            return plan_err!("most_similar takes a crystal, a number of rows and a table, found {}", more.len());
        }
    };
    let crystal = text("most_similar", "an id or a crystal", crystal)?;
    let k = match k {
        Expr::Literal(ScalarValue::Int64(Some(k)), _) if (1..=MOST).contains(k) => *k,
        other => return plan_err!("most_similar needs a number of rows from 1 to {MOST}, found {other}"),
    };
    let is_text = is_crystal("most_similar", &crystal)?;
    Ok(Arc::new(Query::new(query(&crystal, is_text, k, &table), &columns())))
}

fn query(crystal: &str, is_text: bool, k: i64, table: &str) -> String {
    let (crystal, table) = (quoted_text(crystal), quoted_name(table));
    let (other, from, filter) = if is_text {
        (format!("fingerprint({crystal})"), String::new(), String::new())
    } else {
        let one = format!("SELECT fingerprint(structure) AS print FROM {table} WHERE id = {crystal} LIMIT 1");
        ("one.print".to_string(), format!(" CROSS JOIN ({one}) AS one"), format!(" AND t.id <> {crystal}"))
    };
    // Formula and space group are asked of the crystals that are left.
    let ranked = format!(
        "SELECT t.id, t.structure, similarity(fingerprint(t.structure), {other}) AS similarity FROM {table} AS \
         t{from} WHERE t.structure IS NOT NULL{filter} ORDER BY similarity DESC NULLS LAST, t.id LIMIT {k}"
    );
    format!(
        "SELECT arrow_cast(id, 'Utf8') AS id, reduced_formula(structure) AS formula, spacegroup(structure) AS \
         spacegroup, similarity FROM ({ranked}) AS ranked ORDER BY similarity DESC NULLS LAST, id"
    )
}
