//! What a shard leaves in the registry of its branch, and how it comes into that of the store: answers of models, evaluations, results
//! that took long, imports of candidates. The catalog that the run found shows what the branch had from the store already.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::{BASE_FILE, refused};
use crate::StoreError;
use crate::lake::Store;
use crate::layout::CATALOG_FILE;

/// Rows of a table of the branch that the run did not find.
fn since(table: &str) -> String {
    format!("SELECT * FROM shard.{table} EXCEPT SELECT * FROM base.{table}")
}

impl Store {
    /// How many answers of models for rows a branch has that its run did not find.
    pub(super) fn evaluations_since_the_run(&self) -> Result<u64, StoreError> {
        let connection = self.connect()?;
        let base = self.dir().join("..").join(BASE_FILE);
        connection.execute("ATTACH ? AS base", params![base.to_string_lossy()])?;
        let sql = "SELECT count(*) FROM (SELECT * FROM main.hollandite_evaluations EXCEPT SELECT * FROM base.hollandite_evaluations)";
        Ok(connection.query_row(sql, [], |row| row.get::<_, i64>(0))?.unsigned_abs())
    }

    /// Takes over what the branch in `dir` has in its registry; its candidates came with `snapshot`. Doing so twice is the same as once.
    /// How many predictions the branch has that its run did not find.
    pub(super) fn take_over(&self, run: &str, dir: &Path, snapshot: Option<i64>) -> Result<u64, StoreError> {
        let mut connection = self.connect()?;
        for (file, name) in [(dir.join(CATALOG_FILE), "shard"), (self.run_folder(run).join(BASE_FILE), "base")] {
            if !file.is_file() {
                return Err(refused(run, format!("{} is not there", file.display())));
            }
            connection.execute(&format!("ATTACH ? AS {name}"), params![file.to_string_lossy()])?;
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction
            .execute("INSERT OR IGNORE INTO main.hollandite_models SELECT * FROM shard.hollandite_models", [])?;
        // Of a model of the same name and other weights the answers are forgotten, as where it is evaluated here.
        transaction.execute(
            &format!(
                "WITH fresh AS MATERIALIZED (SELECT DISTINCT model, model_id, table_name FROM ({}))
                 DELETE FROM main.hollandite_evaluations AS e WHERE EXISTS (
                     SELECT 1 FROM fresh n
                     WHERE n.model = e.model AND n.table_name = e.table_name AND n.model_id <> e.model_id)",
                since("hollandite_evaluations")
            ),
            [],
        )?;
        let fresh = format!("SELECT count(*) FROM ({})", since("hollandite_predictions"));
        let predictions = transaction.query_row(&fresh, [], |row| row.get::<_, i64>(0))?.unsigned_abs();
        for (table, how) in [
            ("hollandite_evaluations", "REPLACE"),
            ("hollandite_predictions", "IGNORE"),
            ("hollandite_computed", "IGNORE"),
            ("hollandite_featurized", "IGNORE"),
        ] {
            transaction.execute(&format!("INSERT OR {how} INTO main.{table} {}", since(table)), [])?;
        }
        imports(&transaction, snapshot)?;
        transaction.commit()?;
        Ok(predictions)
    }
}

/// The imports of a branch, under numbers of their own.
fn imports(transaction: &Transaction<'_>, snapshot: Option<i64>) -> Result<(), StoreError> {
    let known: i64 =
        transaction
            .query_row("SELECT coalesce(max(import_id), 0) FROM base.hollandite_imports", [], |row| row.get(0))?;
    let columns = columns(transaction, "hollandite_imports")?;
    let others = columns.iter().filter(|name| !["import_id", "snapshot_id"].contains(&name.as_str()));
    let others = others.cloned().collect::<Vec<_>>().join(", ");
    let mut statement = transaction.prepare(
        "SELECT import_id FROM shard.hollandite_imports n WHERE state = 'done' AND import_id > ?
         AND NOT EXISTS (SELECT 1 FROM main.hollandite_imports o WHERE o.table_name = n.table_name AND o.started = n.started
                         AND o.seconds = n.seconds AND o.added = n.added)",
    )?;
    let fresh: Vec<i64> = statement.query_map([known], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for old in fresh {
        let new: i64 = transaction.query_row(
            &format!(
                "INSERT INTO main.hollandite_imports (snapshot_id, {others})
                 SELECT ?, {others} FROM shard.hollandite_imports WHERE import_id = ? RETURNING import_id"
            ),
            params![snapshot, old],
            |row| row.get(0),
        )?;
        transaction.execute(
            "INSERT INTO main.hollandite_quarantine (import_id, table_name, path, line, record_id, reason, raw_hint)
             SELECT ?, table_name, path, line, record_id, reason, raw_hint FROM shard.hollandite_quarantine
             WHERE import_id = ? ORDER BY rowid",
            params![new, old],
        )?;
    }
    Ok(())
}

fn columns(connection: &Connection, table: &str) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?, 'main')")?;
    let names = statement.query_map([table], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(names)
}
