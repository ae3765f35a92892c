//! `most_similar(crystal, k)`: the crystals of a table whose fingerprints are nearest to that of one.
//!
//! A call is a query in disguise, planned when its rows are asked for: what a session knows of fingerprints (values that
//! were materialised before, warnings) holds here too.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{Result, ScalarValue, internal_err, plan_err};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Documentation, Expr, LogicalPlanBuilder, TableType, col};
use datafusion::physical_plan::ExecutionPlan;
use datafusion_macros::user_doc;

use super::{TableFunction, text};
use crate::formats;
use crate::sql::{quoted_name, quoted_text};

/// Most rows that a call may ask for.
const MOST: i64 = 1_000_000;

#[user_doc(
    doc_section(label = "Table Functions"),
    description = "The k crystals of a table that are most similar to one, best first: id, formula, spacegroup and similarity. The one is named by its id in the table (it is not among the rows; an unknown id has none), or given as CIF, POSCAR or JSON text.",
    syntax_example = "most_similar(crystal, k[, table])",
    sql_example = "SELECT * FROM most_similar('mp-2657', 10)",
    argument(name = "crystal", description = "An id, or CIF, POSCAR or JSON text, as a constant."),
    argument(name = "k", description = "Number of rows."),
    argument(name = "table", description = "Name of the table; tmo where left out.")
)]
/// `most_similar(crystal, k[, table])`
#[derive(Debug)]
pub struct MostSimilar;

impl TableFunction for MostSimilar {
    fn name(&self) -> &'static str {
        "most_similar"
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

impl TableFunctionImpl for MostSimilar {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
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
        "SELECT t.id, t.structure, similarity(fingerprint(t.structure), {other}) AS similarity FROM {table} AS t{from} \
         WHERE t.structure IS NOT NULL{filter} ORDER BY similarity DESC NULLS LAST, t.id LIMIT {k}"
    );
    format!(
        "SELECT arrow_cast(id, 'Utf8') AS id, reduced_formula(structure) AS formula, spacegroup(structure) AS spacegroup, \
         similarity FROM ({ranked}) AS ranked ORDER BY similarity DESC NULLS LAST, id"
    )
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Utf8, true),
        Field::new("formula", DataType::Utf8, true),
        Field::new("spacegroup", DataType::Int32, true),
        Field::new("similarity", DataType::Float64, true),
    ]))
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
