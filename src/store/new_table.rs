//! An empty table of crystals, and the comments on its columns.

use arrow::datatypes::SchemaRef;
use rusqlite::params;

use super::Store;
use super::names::check_table_name;
use super::tables::{self, Shape};
use crate::StoreError;

impl Store {
    /// Makes an empty table of crystals, with its comments.
    pub(super) async fn create_wide_table(&self, table: &str, shape: &Shape) -> Result<(), StoreError> {
        check_table_name(table)?;
        let comments = shape.columns().map(|column| (column.name.as_str(), column.comment.as_str()));
        self.create_table(table, shape.schema(), comments).await
    }

    /// Makes an empty table, with comments on its columns.
    pub(super) async fn create_table<'a>(
        &self,
        table: &str,
        columns: SchemaRef,
        comments: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), StoreError> {
        self.make_table(table, &columns, comments)
    }

    /// Puts the comments of the dictionary on the columns of an imported table.
    pub(super) fn comment_imported(&self, table: &str) -> Result<(), StoreError> {
        let columns: Vec<String> = self
            .connect()?
            .prepare(
                "SELECT c.column_name FROM ducklake_column c JOIN ducklake_table t USING (table_id)
                 WHERE t.table_name = ? AND t.end_snapshot IS NULL AND c.end_snapshot IS NULL AND c.parent_column IS NULL",
            )?
            .query_map([table], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let comments: Vec<String> = columns.iter().map(|column| tables::comment_on_imported(column)).collect();
        self.comment(table, columns.iter().map(String::as_str).zip(comments.iter().map(String::as_str)))
    }

    /// Puts comments on columns of a table that have none, as DuckLake tags of the snapshot that made the column.
    pub(super) fn comment<'a>(
        &self,
        table: &str,
        comments: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), StoreError> {
        let mut connection = self.connect()?;
        let transaction = connection.transaction()?;
        for (column, comment) in comments {
            transaction.execute(
                "INSERT INTO ducklake_column_tag (table_id, column_id, begin_snapshot, key, value)
                 SELECT c.table_id, c.column_id, c.begin_snapshot, 'comment', ?
                 FROM ducklake_column c JOIN ducklake_table t USING (table_id)
                 WHERE t.table_name = ? AND t.end_snapshot IS NULL AND c.end_snapshot IS NULL
                   AND c.parent_column IS NULL AND c.column_name = ?
                   AND NOT EXISTS (SELECT 1 FROM ducklake_column_tag g WHERE g.table_id = c.table_id
                       AND g.column_id = c.column_id AND g.key = 'comment' AND g.end_snapshot IS NULL)",
                params![comment, table, column],
            )?;
        }
        Ok(transaction.commit()?)
    }
}
