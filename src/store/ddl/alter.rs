//! `ALTER TABLE`: another name, columns more or less, another name or a wider type for a column.

use arrow::datatypes::Field;
use datafusion_ducklake::MetadataWriter;
use rusqlite::params;

use super::Commit;
use super::commit::quoted;
use super::create::{comment_on, insert_column};
use crate::StoreError;
use crate::lake::{SCHEMA, Store};
use crate::names::{is_reserved, refused};
use crate::nearest::did_you_mean;

/// Tables of the registry that name tables of the lake.
const NAMING: [&str; 4] =
    ["hollandite_imports", "hollandite_quarantine", "hollandite_featurized", "hollandite_evaluations"];

impl Store {
    /// Gives a table another name. What imports, quarantine, features and evaluations know of it follows.
    ///
    /// # Errors
    /// No such table, a table of features or of the registry, or a name that is taken.
    pub async fn rename_table(&self, from: &str, to: &str) -> Result<(), StoreError> {
        if is_reserved(to) {
            return Err(refused(to));
        }
        let message = format!("rename table {from} to {to}");
        self.alter(from, &message, |commit, table| {
            commit.check_free(to)?;
            let now = commit.snapshot();
            commit.sql().execute(
                "INSERT INTO ducklake_table (table_id, table_uuid, begin_snapshot, schema_id, table_name, path, path_is_relative)
                 SELECT table_id, table_uuid, ?, schema_id, ?, path, path_is_relative FROM ducklake_table
                 WHERE table_id = ? AND end_snapshot IS NULL",
                params![now, to, table],
            )?;
            commit.sql().execute(
                "UPDATE ducklake_table SET end_snapshot = ?1 WHERE table_id = ?2 AND end_snapshot IS NULL AND begin_snapshot < ?1",
                params![now, table],
            )?;
            for naming in NAMING {
                let follow = format!("UPDATE OR REPLACE {naming} SET table_name = ? WHERE table_name = ?");
                commit.sql().execute(&follow, params![to, from])?;
            }
            commit.changed(format!("created_table:{}.{}", quoted(SCHEMA), quoted(to)));
            Ok(())
        })
        .await
    }

    /// Adds a column behind the others. Rows that are there have `default` in it, and so have new ones that say nothing; without
    /// one they have NULL.
    ///
    /// # Errors
    /// No such table, a column of that name, or a type that the lake cannot keep.
    pub async fn add_column(&self, table: &str, column: &Field, default: Option<&str>) -> Result<(), StoreError> {
        let name = column.name();
        self.alter(table, &format!("add column {name} to {table}"), |commit, id| {
            if column_id(commit, id, name)?.is_some() {
                return Err(StoreError::Statement(format!("table {table} has a column '{name}' already")));
            }
            let last = "SELECT max(column_order) FROM ducklake_column WHERE table_id = ? AND end_snapshot IS NULL";
            let last: i64 = commit.sql().query_row(last, [id], |row| row.get(0))?;
            let new = insert_column(commit, id, column, &mut (last + 1), None)?;
            if let Some(default) = default {
                commit.sql().execute(
                    "UPDATE ducklake_column SET initial_default = ?1, default_value = ?1, default_value_type = 'literal',
                         default_value_dialect = 'duckdb'
                     WHERE table_id = ?2 AND column_id = ?3 AND end_snapshot IS NULL",
                    params![default, id, new],
                )?;
            }
            altered(commit, id);
            Ok(())
        })
        .await
    }

    /// Gives a column another name. Its values and its comment stay.
    ///
    /// # Errors
    /// No such table or column, or a name that is taken.
    pub async fn rename_column(&self, table: &str, from: &str, to: &str) -> Result<(), StoreError> {
        self.alter(table, &format!("rename column {from} of {table} to {to}"), |commit, id| {
            let column = existing(commit, table, id, from)?;
            if column_id(commit, id, to)?.is_some() {
                return Err(StoreError::Statement(format!("table {table} has a column '{to}' already")));
            }
            let now = commit.snapshot();
            commit.sql().execute(
                "INSERT INTO ducklake_column SELECT column_id, ?1, NULL, table_id, column_order, ?2, column_type, initial_default,
                     default_value, nulls_allowed, parent_column, default_value_type, default_value_dialect
                 FROM ducklake_column WHERE table_id = ?3 AND column_id = ?4 AND end_snapshot IS NULL",
                params![now, to, id, column],
            )?;
            commit.sql().execute(
                "UPDATE ducklake_column SET end_snapshot = ?1
                 WHERE table_id = ?2 AND column_id = ?3 AND end_snapshot IS NULL AND begin_snapshot < ?1",
                params![now, id, column],
            )?;
            altered(commit, id);
            Ok(())
        })
        .await
    }

    /// Drops a column. Older snapshots have it still.
    ///
    /// # Errors
    /// No such table or column, its only column, or one by which another client has divided or sorted the table.
    pub async fn drop_column(&self, table: &str, column: &str) -> Result<(), StoreError> {
        self.alter(table, &format!("drop column {column} of {table}"), |commit, id| {
            let ended = existing(commit, table, id, column)?;
            let others: i64 = commit.sql().query_row(
                "SELECT count(*) FROM ducklake_column WHERE table_id = ? AND end_snapshot IS NULL AND parent_column IS NULL",
                [id],
                |row| row.get(0),
            )?;
            if others == 1 {
                return Err(StoreError::Statement(format!("'{column}' is the only column of {table}; DROP TABLE {table}")));
            }
            let divides: i64 = commit.sql().query_row(
                "SELECT count(*) FROM ducklake_partition_column JOIN ducklake_partition_info USING (partition_id, table_id)
                 WHERE table_id = ? AND column_id = ? AND end_snapshot IS NULL",
                params![id, ended],
                |row| row.get(0),
            )?;
            if divides > 0 {
                let message = format!("the files of {table} are divided by '{column}'; reset the partitioning first");
                return Err(StoreError::Statement(message));
            }
            for part in ["ducklake_column", "ducklake_column_tag"] {
                let sql = format!(
                    "WITH RECURSIVE below (id) AS (
                         SELECT ?3 UNION
                         SELECT column_id FROM ducklake_column JOIN below ON parent_column = id
                         WHERE table_id = ?2 AND end_snapshot IS NULL)
                     UPDATE {part} SET end_snapshot = ?1
                     WHERE table_id = ?2 AND end_snapshot IS NULL AND column_id IN (SELECT id FROM below)"
                );
                commit.sql().execute(&sql, params![commit.snapshot(), id, ended])?;
            }
            altered(commit, id);
            Ok(())
        })
        .await
    }

    /// Gives a column a wider type: INTEGER to BIGINT, FLOAT to DOUBLE. Rows that are there are read in it.
    ///
    /// # Errors
    /// No such table or column, or a type that does not hold every value of the present one.
    pub async fn widen_column(&self, table: &str, column: &Field) -> Result<(), StoreError> {
        let writer = self.writer()?;
        let _turn = self.lock().await?;
        let (id, name) = {
            let mut connection = self.connect()?;
            let commit = Commit::begin(&mut connection)?;
            let id = alterable(&commit, table)?;
            existing(&commit, table, id, column.name())?;
            (id, datafusion_ducklake::types::arrow_to_ducklake_type(column.data_type()))
        };
        let doing = "changing the type of a column";
        let name = name.map_err(StoreError::lake(doing))?;
        writer.promote_column_type(id, column.name(), &name).map_err(StoreError::lake(doing))?;
        Ok(())
    }

    /// Puts a comment on a column, or on the table itself where `column` is `None`, in place of the one that is there.
    ///
    /// # Errors
    /// No such table or column.
    pub async fn set_comment(
        &self,
        table: &str,
        column: Option<&str>,
        comment: Option<&str>,
    ) -> Result<(), StoreError> {
        self.alter(table, &format!("comment on {table}"), |commit, id| {
            match column {
                Some(name) => {
                    let column = existing(commit, table, id, name)?;
                    commit.sql().execute(
                        "UPDATE ducklake_column_tag SET end_snapshot = ?
                         WHERE table_id = ? AND column_id = ? AND key = 'comment' AND end_snapshot IS NULL",
                        params![commit.snapshot(), id, column],
                    )?;
                    if let Some(comment) = comment {
                        comment_on(commit.sql(), id, name, comment)?;
                        commit.sql().execute(
                            "UPDATE ducklake_column_tag SET begin_snapshot = ?
                             WHERE table_id = ? AND column_id = ? AND key = 'comment' AND end_snapshot IS NULL",
                            params![commit.snapshot(), id, column],
                        )?;
                    }
                }
                None => {
                    super::create::end_tags(commit, id)?;
                    if let Some(comment) = comment {
                        commit.sql().execute(
                            "INSERT INTO ducklake_tag (object_id, begin_snapshot, key, value) VALUES (?, ?, 'comment', ?)",
                            params![id, commit.snapshot(), comment],
                        )?;
                    }
                }
            }
            commit.changed(format!("altered_table:{id}"));
            Ok(())
        })
        .await
    }

    /// One snapshot that alters a table: `change` is given its id.
    async fn alter(
        &self,
        table: &str,
        message: &str,
        change: impl FnOnce(&mut Commit<'_>, i64) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.writer()?;
        let _turn = self.lock().await?;
        self.move_inlined_in_turn().await?;
        let mut connection = self.connect()?;
        let mut commit = Commit::begin(&mut connection)?;
        let id = alterable(&commit, table)?;
        change(&mut commit, id)?;
        commit.new_version_of(id)?;
        commit.finish(message).map(drop)
    }
}

fn altered(commit: &mut Commit<'_>, table: i64) {
    commit.changed(format!("altered_table:{table}"));
}

/// The living table of that name, if it may be altered.
fn alterable(commit: &Commit<'_>, table: &str) -> Result<i64, StoreError> {
    if is_reserved(table) {
        let message = format!("'{table}' belongs to the registry or to features and stays as it is");
        return Err(StoreError::Statement(message));
    }
    if let Some(id) = commit.table(table)? {
        return Ok(id);
    }
    let names = commit.names("SELECT table_name FROM ducklake_table WHERE end_snapshot IS NULL", [])?;
    let known = names.iter().map(String::as_str).filter(|name| !is_reserved(name));
    let like = did_you_mean(table, known, "; SHOW TABLES lists those that are there");
    Err(StoreError::Statement(format!("no table '{table}'{like}")))
}

/// The id of a living column that is no part of another.
fn column_id(commit: &Commit<'_>, table: i64, column: &str) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT max(column_id) FROM ducklake_column
               WHERE table_id = ? AND column_name = ? AND parent_column IS NULL AND end_snapshot IS NULL";
    Ok(commit.sql().query_row(sql, params![table, column], |row| row.get(0))?)
}

fn existing(commit: &Commit<'_>, table: &str, id: i64, column: &str) -> Result<i64, StoreError> {
    if let Some(found) = column_id(commit, id, column)? {
        return Ok(found);
    }
    let living =
        "SELECT column_name FROM ducklake_column WHERE table_id = ? AND parent_column IS NULL AND end_snapshot IS NULL";
    let names = commit.names(living, [id])?;
    let otherwise = format!("; DESCRIBE {table} lists those that are there");
    let like = did_you_mean(column, names.iter().map(String::as_str), &otherwise);
    Err(StoreError::Statement(format!("no column '{column}' in {table}{like}")))
}
