//! `COMMENT ON TABLE` and `COMMENT ON COLUMN`: what `\d` shows of a column, any DuckLake client too.

use datafusion::sql::sqlparser::ast::{CommentObject, ObjectName};

use super::{folded, refused, table_name};
use crate::Error;
use store::Store;

/// Carries it out.
pub(super) async fn run(
    store: &Store,
    object: CommentObject,
    name: &ObjectName,
    comment: Option<&str>,
    if_exists: bool,
) -> Result<bool, Error> {
    let mut table = name.clone();
    let column = match object {
        CommentObject::Table => None,
        CommentObject::Column if name.0.len() > 1 => table.0.pop(),
        _ => return Err(refused("COMMENT ON takes TABLE name or COLUMN table.column".into())),
    };
    let table = table_name(&table)?;
    if if_exists && !store.is_in_lake(&table)? {
        return Ok(true);
    }
    let column = column.as_ref().and_then(|part| part.as_ident()).map(folded);
    store.set_comment(&table, column.as_deref(), comment).await?;
    Ok(true)
}
