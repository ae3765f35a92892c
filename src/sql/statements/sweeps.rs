//! Statements that remove a whole table: they need a confirmation.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::{DFSchema, TableReference};
use datafusion::logical_expr::lit;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::sql::parser::Statement as EngineStatement;
use datafusion::sql::sqlparser::ast::{
    AlterTableOperation, Expr, FromTable, Ident, ObjectName, ObjectType, Statement, TableFactor, TableObject,
    TableWithJoins,
};

use super::{folded, parse, table_name};
use crate::Error;
use crate::session::Session;

/// What a statement would sweep away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep {
    /// In words: `deletes all 18352 rows of tmo`.
    pub what: String,
    /// The table.
    pub table: String,
    /// The snapshot that has it still.
    pub snapshot: i64,
}

impl Session {
    /// What a statement would sweep away: a DELETE or UPDATE of every row, a DROP TABLE, a TRUNCATE, a DROP COLUMN, a CREATE OR REPLACE
    /// on a table of the store that has rows. `None` for any other, and for text that is no statement.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn sweeps(&self, text: &str) -> Result<Option<Sweep>, Error> {
        let Some(store) = self.store() else { return Ok(None) };
        let Ok(EngineStatement::Statement(statement)) = parse(&self.context().state(), text) else { return Ok(None) };
        let Some(Swept { does, table, provided }) = swept(&statement) else { return Ok(None) };
        let Ok(table) = table_name(table) else { return Ok(None) };
        let info = store.info(None)?;
        let Some(found) = info.tables.iter().find(|known| known.name == table) else { return Ok(None) };
        let rows = match found.rows {
            Some(0) => return Ok(None),
            Some(1) => "the one row".into(),
            Some(rows) => format!("all {rows} rows"),
            None => "all rows".into(),
        };
        let columns =
            self.context().table_provider(TableReference::full("lake", "main", table.as_str())).await?.schema();
        if !provided.holds(self, &table, &columns) {
            return Ok(None);
        }
        let what = does.replace("ROWS", &format!("{rows} of {table}")).replace("TABLE", &table);
        Ok(Some(Sweep { what, table, snapshot: info.snapshot.map_or(0, |snapshot| snapshot.id) }))
    }
}

/// What a statement does to a whole table.
struct Swept<'a> {
    /// In words, with `ROWS` and `TABLE` for those of the table.
    does: String,
    table: &'a ObjectName,
    provided: Provided<'a>,
}

/// Where it does so.
enum Provided<'a> {
    /// Anyhow.
    Nothing,
    /// Where the condition is one that every row meets, with any values: `WHERE true`.
    Always(&'a Expr),
    /// Where the table has all of these columns, or one of them under IF EXISTS: else the statement is refused, or does nothing.
    Columns(&'a [Ident], bool),
}

impl Provided<'_> {
    fn holds(&self, session: &Session, table: &str, columns: &SchemaRef) -> bool {
        let has = |name: &Ident| columns.column_with_name(&folded(name)).is_some();
        match self {
            Self::Nothing => true,
            Self::Always(condition) => always(session, table, columns, condition).unwrap_or(false),
            Self::Columns(names, true) => names.iter().any(has),
            Self::Columns(names, false) => names.iter().all(has),
        }
    }
}

/// Whether every row of a table of these columns meets a condition; `None` where only the rows can show it.
fn always(session: &Session, table: &str, columns: &SchemaRef, condition: &Expr) -> Option<bool> {
    let schema = Arc::new(DFSchema::try_from_qualified_schema(table, columns).ok()?);
    let condition = session.context().state().create_logical_expr(&condition.to_string(), &schema).ok()?;
    let context = SimplifyContext::builder().with_schema(Arc::clone(&schema)).with_current_time().build();
    let simplifier = ExprSimplifier::new(context);
    let simplified = simplifier.simplify(simplifier.coerce(condition, &schema).ok()?).ok()?;
    Some(simplified == lit(true))
}

fn where_(condition: Option<&Expr>) -> Provided<'_> {
    condition.map_or(Provided::Nothing, Provided::Always)
}

fn swept(statement: &Statement) -> Option<Swept<'_>> {
    let (does, table, provided): (String, _, _) = match statement {
        Statement::Delete(delete) if delete.limit.is_none() => {
            let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
            ("deletes ROWS".into(), only_table(from.as_slice())?, where_(delete.selection.as_ref()))
        }
        Statement::Update(update) if update.limit.is_none() => {
            ("changes ROWS".into(), only_table(std::slice::from_ref(&update.table))?, where_(update.selection.as_ref()))
        }
        Statement::Drop { object_type: ObjectType::Table, names, .. } => {
            ("drops TABLE with ROWS".into(), names.first()?, Provided::Nothing)
        }
        Statement::Truncate(truncate) => {
            ("deletes ROWS".into(), &truncate.table_names.first()?.name, Provided::Nothing)
        }
        Statement::CreateTable(create) if create.or_replace && !create.temporary => {
            ("replaces ROWS".into(), &create.name, Provided::Nothing)
        }
        Statement::Insert(insert) if insert.overwrite => match &insert.table {
            TableObject::TableName(name) => ("replaces ROWS".into(), name, Provided::Nothing),
            _ => return None,
        },
        Statement::AlterTable(alter) => alter.operations.iter().find_map(|operation| match operation {
            AlterTableOperation::DropColumn { column_names, if_exists, .. } => {
                let columns: Vec<String> = column_names.iter().map(ToString::to_string).collect();
                let does = format!("drops {} from ROWS", columns.join(", "));
                Some((does, &alter.name, Provided::Columns(column_names, *if_exists)))
            }
            _ => None,
        })?,
        _ => return None,
    };
    Some(Swept { does, table, provided })
}

fn only_table(from: &[TableWithJoins]) -> Option<&ObjectName> {
    match from {
        [one] if one.joins.is_empty() => match &one.relation {
            TableFactor::Table { name, .. } => Some(name),
            _ => None,
        },
        _ => None,
    }
}
