//! `most_similar(crystal, k)`: the crystals of a table whose fingerprints are nearest to that of one.
//!
//! A call is a query in disguise, planned when its rows are asked for: what a session knows of fingerprints (values that
//! were materialised before, warnings) holds here too.

use std::sync::Arc;

use arrow::datatypes::{DataType, Fields, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableFunctionArgs, TableProvider};
use datafusion::common::{Result, ScalarValue, internal_err, plan_err};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, TableType, col};
use datafusion::physical_plan::ExecutionPlan;

use super::{Table, text};
use crate::functions::{FieldDoc, Function, Kind, Omitted, optional, required};
use crate::{quoted_name, quoted_text};
use formats;

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
        example: "SELECT * FROM most_similar('mp-2657', 10)",
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
    // What has several lines, or is a JSON object, is no id.
    let is_text = crystal.contains('\n') || crystal.trim_start().starts_with('{');
    if is_text && let Err(error) = formats::parse_structure(&crystal) {
        return plan_err!("most_similar: {error}");
    }
    Ok(Arc::new(Ranked { sql: query(&crystal, is_text, k, &table), schema: schema() }))
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

fn schema() -> SchemaRef {
    Arc::new(Schema::new(columns().iter().map(FieldDoc::field).collect::<Fields>()))
}

/// The table of one call.
#[derive(Debug)]
struct Ranked {
    sql: String,
    schema: SchemaRef,
}

#[async_trait]
impl TableProvider for Ranked {
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
        let Some(session) = state.as_any().downcast_ref::<SessionState>() else {
            return internal_err!("most_similar is planned outside a session");
        };
        let mut plan = LogicalPlanBuilder::from(session.create_logical_plan(&self.sql).await?);
        if let Some(limit) = limit {
            plan = plan.limit(0, Some(limit))?;
        }
        if let Some(columns) = projection {
            plan = plan.project(columns.iter().map(|&i| col(self.schema.field(i).name())))?;
        }
        session.create_physical_plan(&plan.build()?).await
    }
}
