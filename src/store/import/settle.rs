//! What a kill left of imports: one that is marked as running while none runs is settled by its snapshot.

use rusqlite::params;

use super::write::mark;
use crate::StoreError;
use crate::lake::Store;
use crate::quarantine;

impl Store {
    /// Settles imports that did not end and tables that were never made, where no writer is active.
    pub(crate) fn recover(&self) -> Result<(), StoreError> {
        if !self.is_writable() {
            return Ok(());
        }
        let connection = self.connect()?;
        let running = "SELECT EXISTS (SELECT 1 FROM hollandite_imports WHERE state = 'running')";
        let open: bool = connection.query_row(running, [], |row| row.get(0))?;
        match open || self.has_reserved()? {
            false => Ok(()),
            true => match self.try_lock()? {
                Some(_turn) => {
                    self.sweep()?;
                    self.settle()
                }
                None => Ok(()),
            },
        }
    }

    /// Settles every import that is marked as running; the caller has the writer's turn. A committed snapshot makes it
    /// done; without one nothing of it remains.
    pub(crate) fn settle(&self) -> Result<(), StoreError> {
        let mut connection = self.connect()?;
        let open: Vec<(i64, String)> = connection
            .prepare("SELECT import_id, table_name FROM hollandite_imports WHERE state = 'running'")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        for (import, table) in open {
            let snapshot: Option<i64> = connection.query_row(
                "SELECT max(snapshot_id) FROM ducklake_snapshot_changes WHERE commit_extra_info = ?",
                params![mark(import)],
                |row| row.get(0),
            )?;
            if snapshot.is_some() {
                // Of a table that this import made the comments may be missing.
                self.comment_imported(&table)?;
            }
            let transaction = connection.transaction()?;
            if let Some(snapshot) = snapshot {
                transaction.execute(
                    "UPDATE hollandite_imports SET state = 'done', snapshot_id = ?1, added =
                         (SELECT coalesce(sum(record_count), 0) FROM ducklake_data_file JOIN ducklake_table USING (table_id)
                          WHERE ducklake_data_file.begin_snapshot = ?1 AND table_name = ?3),
                         files = (SELECT count(*) FROM hollandite_import_paths WHERE import_id = ?2),
                         quarantined = (SELECT count(*) FROM hollandite_quarantine WHERE import_id = ?2)
                     WHERE import_id = ?2",
                    params![snapshot, import, table],
                )?;
                quarantine::supersede(&transaction, import, &table)?;
            } else {
                transaction.execute("DELETE FROM hollandite_quarantine WHERE import_id = ?", params![import])?;
                transaction.execute("DELETE FROM hollandite_import_paths WHERE import_id = ?", params![import])?;
                transaction.execute(
                    "UPDATE hollandite_imports SET state = 'interrupted' WHERE import_id = ?",
                    params![import],
                )?;
            }
            transaction.commit()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::ImportOptions;
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn comments_that_a_kill_left_out_are_put_on_the_columns_by_the_next_writer() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::init(&dir.path().join("s")).await.unwrap();
        let crystal = dir.path().join("in.jsonl");
        let line = r#"{"id":"a","lattice":[[4,0,0],[0,4,0],[0,0,4]],"species":["Ti","O"],"frac_coords":[[0,0,0],[0.5,0.5,0.5]],"my":1.5}"#;
        std::fs::write(&crystal, line).unwrap();
        let options = ImportOptions {
            into: "fresh".into(),
            promote: vec!["my:double".parse().unwrap()],
            ..ImportOptions::default()
        };
        store.import(&[crystal], &options, &()).await.unwrap();
        let of_fresh = "table_id IN (SELECT table_id FROM ducklake_table WHERE table_name = 'fresh')";
        let comments = || -> Vec<String> {
            let sql = format!("SELECT value FROM ducklake_column_tag WHERE {of_fresh} ORDER BY column_id");
            let connection = store.connect().unwrap();
            let mut statement = connection.prepare(&sql).unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        let whole = comments();
        assert!(whole.len() > 20 && whole.contains(&"property my of the records".to_owned()), "{whole:?}");
        let connection = store.connect().unwrap();
        connection.execute(&format!("DELETE FROM ducklake_column_tag WHERE {of_fresh}"), []).unwrap();
        connection.execute("UPDATE hollandite_imports SET state = 'running' WHERE table_name = 'fresh'", []).unwrap();
        assert!(comments().is_empty());
        store.settle().unwrap();
        assert_eq!(comments(), whole);
    }
}
