//! `ALTER TABLE`, on tables of a store.

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field};
use datafusion::sql::sqlparser::ast::{
    AlterColumnOperation, AlterTable, AlterTableOperation, ColumnDef, ColumnOption, RenameTableNameKind,
};

use super::{check_newest, folded, refused, table_name};
use crate::Error;
use crate::quoted_name;
use crate::session::Session;
use store::Store;

/// Carries it out: each of its operations is a snapshot.
pub(super) async fn run(session: &Session, store: &Store, alter: &AlterTable) -> Result<bool, Error> {
    check_newest(session, store)?;
    let table = table_name(&alter.name)?;
    if alter.if_exists && !store.is_in_lake(&table)? {
        return Ok(true);
    }
    for operation in &alter.operations {
        run_one(session, store, &table, operation).await?;
    }
    Ok(true)
}

async fn run_one(session: &Session, store: &Store, table: &str, operation: &AlterTableOperation) -> Result<(), Error> {
    match operation {
        AlterTableOperation::RenameTable { table_name: RenameTableNameKind::To(to) | RenameTableNameKind::As(to) } => {
            store.rename_table(table, &table_name(to)?).await?;
        }
        AlterTableOperation::RenameColumn { old_column_name, new_column_name } => {
            check_not_of_crystals(store, table, &folded(old_column_name), "renamed").await?;
            store.rename_column(table, &folded(old_column_name), &folded(new_column_name)).await?;
        }
        AlterTableOperation::AddColumn { if_not_exists, column_def, column_position: None, .. } => {
            add_column(session, store, table, column_def, *if_not_exists).await?;
        }
        AlterTableOperation::DropColumn { column_names, if_exists, .. } => {
            for column in column_names.iter().map(folded) {
                if !*if_exists || has_column(session, table, &column).await? {
                    check_not_of_crystals(store, table, &column, "dropped").await?;
                    store.drop_column(table, &column).await?;
                }
            }
        }
        AlterTableOperation::AlterColumn {
            column_name,
            op: AlterColumnOperation::SetDataType { data_type, using: None, .. },
        } => {
            let field = column(session, &folded(column_name), &data_type.to_string()).await?;
            store.widen_column(table, &field).await?;
        }
        other => {
            let message = format!(
                "ALTER TABLE {table} {other} is not supported; RENAME TO, RENAME COLUMN, ADD COLUMN, DROP COLUMN and \
                 ALTER COLUMN .. TYPE are"
            );
            return Err(refused(message));
        }
    }
    Ok(())
}

/// # Errors
/// A column without which the table would be none of crystals any more, and what is computed from `structure` would stay behind it.
async fn check_not_of_crystals(store: &Store, table: &str, column: &str, what: &str) -> Result<(), Error> {
    let is_one = store.table_schema(table).await?.is_some_and(|schema| store::holds_crystals(&schema));
    if is_one && store::columns_of_crystals().any(|own| own == column) {
        return Err(refused(format!(
            "{table} is a table of crystals, and {column} one of its own columns: without it the columns that are computed from \
             structure would no longer follow it, so it cannot be {what}. CREATE VIEW .. AS SELECT gives it another name, CREATE \
             TABLE .. AS SELECT makes a table without it"
        )));
    }
    Ok(())
}

async fn add_column(
    session: &Session,
    store: &Store,
    table: &str,
    definition: &ColumnDef,
    if_not_exists: bool,
) -> Result<(), Error> {
    let name = folded(&definition.name);
    if if_not_exists && has_column(session, table, &name).await? {
        return Ok(());
    }
    let data_type = definition.data_type.to_string();
    let mut default = None;
    for option in &definition.options {
        match &option.option {
            ColumnOption::Null => {}
            ColumnOption::Default(value) => default = text_of(session, &value.to_string(), &data_type).await?,
            other => return Err(refused(format!("{other} is not supported for a column that is added; DEFAULT is"))),
        }
    }
    store.add_column(table, &column(session, &name, &data_type).await?, default.as_deref()).await?;
    Ok(())
}

async fn has_column(session: &Session, table: &str, column: &str) -> Result<bool, Error> {
    let frame = session.context().table(format!("lake.main.{}", quoted_name(table))).await?;
    Ok(frame.schema().fields().iter().any(|field| field.name() == column))
}

/// A column of a type as SQL names it.
async fn column(session: &Session, name: &str, data_type: &str) -> Result<Field, Error> {
    let typed = session.context().sql(&format!("SELECT CAST(NULL AS {data_type})")).await?;
    Ok(Field::new(name, typed.schema().field(0).data_type().clone(), true))
}

/// A constant of a type as the catalog writes it; `None` for NULL.
async fn text_of(session: &Session, value: &str, data_type: &str) -> Result<Option<String>, Error> {
    let batches = session.context().sql(&format!("SELECT CAST({value} AS {data_type})")).await?.collect().await?;
    let Some(column) = batches.first().map(|batch| batch.column(0)) else { return Ok(None) };
    if column.data_type().is_nested() {
        return Err(refused("a list or a struct cannot be the default of a column".into()));
    }
    let text = cast(column, &DataType::Utf8).map_err(|e| refused(e.to_string()))?;
    let text = text.as_string::<i32>();
    Ok((!text.is_empty() && text.is_valid(0)).then(|| text.value(0).to_owned()))
}
