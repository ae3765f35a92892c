//! Statements that take a whole table with them: whoever typed one is asked first.

use datafusion::sql::parser::Statement as EngineStatement;
use datafusion::sql::sqlparser::ast::{
    AlterTableOperation, FromTable, ObjectName, ObjectType, Statement, TableFactor, TableObject, TableWithJoins,
};

use super::{parse, table_name};
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
    /// What a statement would sweep away: a DELETE or UPDATE of every row, a DROP TABLE, a TRUNCATE, a DROP COLUMN on a table of
    /// the store. `None` for any other, and for text that is no statement.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn sweeps(&self, text: &str) -> Result<Option<Sweep>, Error> {
        let Some(store) = self.store() else { return Ok(None) };
        let Ok(EngineStatement::Statement(statement)) = parse(&self.context().state(), text) else { return Ok(None) };
        let Some((does, name)) = swept(&statement) else { return Ok(None) };
        let Ok(table) = table_name(name) else { return Ok(None) };
        let info = store.info()?;
        let Some(found) = info.tables.iter().find(|known| known.name == table) else { return Ok(None) };
        let rows = match found.rows {
            Some(0) => return Ok(None),
            Some(1) => "the one row".into(),
            Some(rows) => format!("all {rows} rows"),
            None => "all rows".into(),
        };
        let what = does.replace("ROWS", &format!("{rows} of {table}")).replace("TABLE", &table);
        Ok(Some(Sweep { what, table, snapshot: info.snapshot.map_or(0, |snapshot| snapshot.id) }))
    }
}

/// What is done, in words, and to which table.
fn swept(statement: &Statement) -> Option<(String, &ObjectName)> {
    match statement {
        Statement::Delete(delete) if delete.selection.is_none() && delete.limit.is_none() => {
            let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
            Some(("deletes ROWS".into(), only_table(from.as_slice())?))
        }
        Statement::Update(update) if update.selection.is_none() && update.limit.is_none() => {
            Some(("changes ROWS".into(), only_table(std::slice::from_ref(&update.table))?))
        }
        Statement::Drop { object_type: ObjectType::Table, names, .. } => {
            Some(("drops TABLE with ROWS".into(), names.first()?))
        }
        Statement::Truncate(truncate) => Some(("deletes ROWS".into(), &truncate.table_names.first()?.name)),
        Statement::Insert(insert) if insert.overwrite => match &insert.table {
            TableObject::TableName(name) => Some(("replaces ROWS".into(), name)),
            _ => None,
        },
        Statement::AlterTable(alter) => alter.operations.iter().find_map(|operation| match operation {
            AlterTableOperation::DropColumn { column_names, .. } => {
                let columns: Vec<String> = column_names.iter().map(ToString::to_string).collect();
                Some((format!("drops {} from ROWS", columns.join(", ")), &alter.name))
            }
            _ => None,
        }),
        _ => None,
    }
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
