//! Making and dropping a table.

use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion_ducklake::types::arrow_to_ducklake_type;
use rusqlite::{Connection, params};

use super::Commit;
use super::commit::quoted;
use crate::StoreError;
use crate::lake::{SCHEMA, Store};

impl Store {
    /// Makes an empty table, with comments on its columns: a snapshot of its own, there as a whole or not at all.
    ///
    /// # Errors
    /// A store that may not be written to, a name that is taken, a type that the lake cannot keep.
    pub(crate) fn make_table<'a>(
        &self,
        table: &str,
        columns: &Schema,
        comments: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), StoreError> {
        self.writer()?;
        let mut connection = self.connect()?;
        let mut commit = Commit::begin(&mut connection)?;
        commit.check_free(table)?;
        let id = commit.next_id()?;
        insert_table(commit.sql(), id, table, commit.snapshot())?;
        let mut order = 0;
        for field in columns.fields() {
            insert_column(&commit, id, field, &mut order, None)?;
        }
        for (column, comment) in comments {
            comment_on(commit.sql(), id, column, comment)?;
        }
        commit.changed(format!("created_table:{}.{}", quoted(SCHEMA), quoted(table)));
        commit.new_version_of(id)?;
        commit.finish(&format!("create table {table}")).map(drop)
    }

    /// Takes a name and an id for a table that a write will make, if there is no table of that name. It is nothing before that write
    /// commits; if that never happens, [`Store::forget_reserved`] removes it. The caller has the writer's turn.
    ///
    /// # Errors
    /// A store that may not be written to.
    pub(crate) fn reserve_table(&self, table: &str) -> Result<(), StoreError> {
        self.writer()?;
        let mut connection = self.connect()?;
        let transaction = connection.transaction()?;
        let living = "SELECT count(*) FROM ducklake_table WHERE table_name = ? AND end_snapshot IS NULL";
        if transaction.query_row(living, [table], |row| row.get::<_, i64>(0))? == 0 {
            let next =
                "SELECT next_catalog_id, snapshot_id + 1 FROM ducklake_snapshot ORDER BY snapshot_id DESC LIMIT 1";
            let (id, snapshot) = transaction.query_row(next, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
            insert_table(&transaction, id, table, snapshot)?;
        }
        Ok(transaction.commit()?)
    }

    /// Removes tables that were reserved for a write that never came to its end. The caller has the writer's turn.
    ///
    /// # Errors
    /// SQLite's own.
    pub(crate) fn forget_reserved(&self) -> Result<(), StoreError> {
        self.connect()?.execute(&format!("DELETE FROM ducklake_table WHERE {RESERVED}"), [])?;
        Ok(())
    }

    /// Whether there are such tables.
    ///
    /// # Errors
    /// SQLite's own.
    pub(crate) fn has_reserved(&self) -> Result<bool, StoreError> {
        let sql = format!("SELECT count(*) FROM ducklake_table WHERE {RESERVED}");
        Ok(self.connect()?.query_row(&sql, [], |row| row.get::<_, i64>(0))? > 0)
    }
}

/// A table that was made has columns, and keeps them when it is dropped.
const RESERVED: &str = "end_snapshot IS NULL AND table_id NOT IN (SELECT table_id FROM ducklake_column)";

fn insert_table(sql: &Connection, id: i64, table: &str, snapshot: i64) -> Result<(), StoreError> {
    sql.execute(
        "INSERT INTO ducklake_table (table_id, begin_snapshot, schema_id, table_name, path)
         SELECT ?, ?, schema_id, ?, ? FROM ducklake_schema WHERE schema_name = ? AND end_snapshot IS NULL",
        params![id, snapshot, table, format!("{table}/"), SCHEMA],
    )?;
    Ok(())
}

/// Inserts a column and, behind it, those of which it consists; `order` counts them all. Returns its id.
pub(super) fn insert_column(
    commit: &Commit<'_>,
    table: i64,
    field: &Field,
    order: &mut i64,
    parent: Option<i64>,
) -> Result<i64, StoreError> {
    let (kind, below) = parts(field.data_type())?;
    // The trigger on this table raises the counter.
    let id = commit.sql().query_row(
        "INSERT INTO ducklake_column (column_id, begin_snapshot, table_id, column_order, column_name, column_type,
             nulls_allowed, parent_column)
         SELECT CAST(value AS INTEGER) + 1, ?, ?, ?, ?, ?, ?, ? FROM ducklake_metadata
         WHERE key = 'next_column_id' AND scope IS NULL
         RETURNING column_id",
        params![commit.snapshot(), table, *order, field.name(), kind, field.is_nullable(), parent],
        |row| row.get(0),
    )?;
    *order += 1;
    for field in &below {
        insert_column(commit, table, field, order, Some(id))?;
    }
    Ok(id)
}

/// DuckLake's name of a type, and the columns of which a nested one consists.
fn parts(data_type: &DataType) -> Result<(String, Vec<FieldRef>), StoreError> {
    let element = |field: &FieldRef| vec![FieldRef::new(field.as_ref().clone().with_name("element"))];
    Ok(match data_type {
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            ("list".into(), element(field))
        }
        DataType::Struct(fields) => ("struct".into(), fields.to_vec()),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 => {
                let key = Field::new("key", pair[0].data_type().clone(), false);
                let value = Field::new("value", pair[1].data_type().clone(), pair[1].is_nullable());
                ("map".into(), vec![key.into(), value.into()])
            }
            _ => return Err(unknown(data_type)),
        },
        other => (arrow_to_ducklake_type(other).map_err(|_| unknown(data_type))?, Vec::new()),
    })
}

fn unknown(data_type: &DataType) -> StoreError {
    StoreError::Statement(format!("a table of the store cannot keep values of type {data_type}"))
}

/// Puts a comment on a living column.
pub(super) fn comment_on(sql: &Connection, table: i64, column: &str, comment: &str) -> Result<(), StoreError> {
    sql.execute(
        "INSERT INTO ducklake_column_tag (table_id, column_id, begin_snapshot, key, value)
         SELECT table_id, column_id, begin_snapshot, 'comment', ? FROM ducklake_column
         WHERE table_id = ? AND end_snapshot IS NULL AND parent_column IS NULL AND column_name = ?",
        params![comment, table, column],
    )?;
    Ok(())
}

/// Ends a table with all that belongs to it; its past stays.
pub(super) fn drop_table(commit: &mut Commit<'_>, table: i64) -> Result<(), StoreError> {
    let belongings =
        ["ducklake_table", "ducklake_column", "ducklake_column_tag", "ducklake_data_file", "ducklake_delete_file"];
    for part in belongings {
        let end = format!("UPDATE {part} SET end_snapshot = ? WHERE table_id = ? AND end_snapshot IS NULL");
        commit.sql().execute(&end, params![commit.snapshot(), table])?;
    }
    end_tags(commit, table)?;
    commit.changed(format!("dropped_table:{table}"));
    Ok(())
}

/// Ends the comments of a table or view.
pub(super) fn end_tags(commit: &Commit<'_>, object: i64) -> Result<(), StoreError> {
    let end = "UPDATE ducklake_tag SET end_snapshot = ? WHERE object_id = ? AND end_snapshot IS NULL";
    commit.sql().execute(end, params![commit.snapshot(), object])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_table_that_was_only_reserved_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let store = Store::init(&path).await.unwrap();
        store.reserve_table("ghost").unwrap();
        store.reserve_table("ghost").unwrap();
        // The next snapshot would show it: a table without columns.
        store.make_table("other", &Schema::new(vec![Field::new("a", DataType::Int32, true)]), []).unwrap();
        assert!(store.has_reserved().unwrap());
        drop(store);
        let store = Store::open(&path).await.unwrap();
        assert!(!store.has_reserved().unwrap());
        let tables: Vec<String> = store.info(None).unwrap().tables.into_iter().map(|table| table.name).collect();
        assert!(tables.contains(&"other".into()) && !tables.contains(&"ghost".into()), "{tables:?}");
    }

    #[test]
    fn nested_types_have_their_parts() {
        let list = DataType::new_list(DataType::Float64, true);
        let (kind, below) = parts(&list).unwrap();
        assert_eq!((kind.as_str(), below[0].name().as_str()), ("list", "element"));
        let fields = vec![Field::new("x", list, true), Field::new("y", DataType::Int32, false)];
        let (kind, below) = parts(&DataType::Struct(fields.into())).unwrap();
        assert_eq!((kind.as_str(), below.len(), below[1].is_nullable()), ("struct", 2, false));
        assert_eq!(parts(&DataType::Utf8View).unwrap().0, "varchar");
        let unknown =
            parts(&DataType::Union(arrow::datatypes::UnionFields::empty(), arrow::datatypes::UnionMode::Sparse));
        assert!(unknown.unwrap_err().to_string().contains("cannot keep values"));
    }
}
