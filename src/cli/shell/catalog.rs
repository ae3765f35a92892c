//! What `\dt` and `\d TABLE` print: the tables of the session, and the columns of one with their meaning.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

use crate::cli::CliError;
use crate::sql::{Session, sql_type};
use crate::store::{self, Store};

/// The tables and views that a bare name finds, sorted.
pub(crate) fn table_names(session: &Session) -> Vec<String> {
    let context = session.context();
    let config = context.state().config_options().catalog.clone();
    let schema = context.catalog(&config.default_catalog).and_then(|c| c.schema(&config.default_schema));
    let mut names = schema.map(|s| s.table_names()).unwrap_or_default();
    names.sort();
    names
}

/// `\dt`
pub(crate) async fn tables(store: &Store, session: &Session) -> Result<RecordBatch, CliError> {
    let info = store.info(session.snapshot())?;
    let rows: HashMap<&str, Option<u64>> = info.tables.iter().map(|t| (t.name.as_str(), t.rows)).collect();
    let names = table_names(session);
    let kind = |name: &String| if rows.contains_key(name.as_str()) { "table" } else { "view" };
    let kinds = StringArray::from_iter_values(names.iter().map(kind));
    let counts =
        names.iter().map(|n| rows.get(n.as_str()).copied().flatten().map(|n| n as i64)).collect::<Int64Array>();
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("table", Arc::new(StringArray::from(names.clone())) as ArrayRef, false),
        ("kind", Arc::new(kinds), false),
        ("rows", Arc::new(counts), true),
    ])?)
}

/// `\d TABLE`
pub(crate) async fn columns(session: &Session, table: &str) -> Result<RecordBatch, CliError> {
    let provider = session.context().table_provider(table).await?;
    let schema = provider.schema();
    let dictionary = store::meanings(table, &schema);
    let names = StringArray::from_iter_values(schema.fields().iter().map(|f| f.name()));
    let types = StringArray::from_iter_values(schema.fields().iter().map(|f| sql_type(f.data_type())));
    let meaning = |f: &Arc<arrow::datatypes::Field>| dictionary.get(f.name().as_str()).copied();
    let meanings = schema.fields().iter().map(meaning).collect::<StringArray>();
    let mut columns = vec![("column", Arc::new(names) as ArrayRef, false), ("type", Arc::new(types), false)];
    if !dictionary.is_empty() {
        columns.push(("meaning", Arc::new(meanings), true));
    }
    Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
}
