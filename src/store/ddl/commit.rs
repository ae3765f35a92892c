//! One snapshot that changes the catalog and no file.

use rusqlite::{Connection, OptionalExtension, Params, Transaction, TransactionBehavior, params};

use crate::StoreError;

/// A snapshot under way. Dropped unfinished, it leaves no trace.
pub(super) struct Commit<'c> {
    transaction: Transaction<'c>,
    snapshot: i64,
    schema_version: i64,
    /// In DuckLake's words: `altered_table:3`.
    changes: Vec<String>,
}

impl<'c> Commit<'c> {
    /// The next snapshot, of the next version of the schema. Other writers wait until it is finished.
    ///
    /// # Errors
    /// SQLite's own; another writer that does not finish.
    pub fn begin(connection: &'c mut Connection) -> Result<Self, StoreError> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (snapshot, schema_version) = transaction.query_row(
            "INSERT INTO ducklake_snapshot (snapshot_id, schema_version)
             SELECT max(snapshot_id) + 1, max(schema_version) + 1 FROM ducklake_snapshot
             RETURNING snapshot_id, schema_version",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        Ok(Self { transaction, snapshot, schema_version, changes: Vec::new() })
    }

    /// Its number.
    pub fn snapshot(&self) -> i64 {
        self.snapshot
    }

    /// The connection, inside the transaction.
    pub fn sql(&self) -> &Connection {
        &self.transaction
    }

    /// The next id of a table or view. It is taken when a row with it is inserted.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn next_id(&self) -> Result<i64, StoreError> {
        let sql = "SELECT next_catalog_id FROM ducklake_snapshot WHERE snapshot_id = ?";
        Ok(self.transaction.query_row(sql, [self.snapshot], |row| row.get(0))?)
    }

    /// The living table of that name.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn table(&self, name: &str) -> Result<Option<i64>, StoreError> {
        self.living("SELECT table_id FROM ducklake_table WHERE table_name = ? AND end_snapshot IS NULL", name)
    }

    /// The living view of that name.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn view(&self, name: &str) -> Result<Option<i64>, StoreError> {
        self.living("SELECT view_id FROM ducklake_view WHERE view_name = ? AND end_snapshot IS NULL", name)
    }

    fn living(&self, sql: &str, name: &str) -> Result<Option<i64>, StoreError> {
        Ok(self.transaction.query_row(sql, [name], |row| row.get(0)).optional()?)
    }

    /// Names that a query of one column answers with.
    ///
    /// # Errors
    /// SQLite's own, or a value that is no text.
    pub fn names(&self, sql: &str, parameters: impl Params) -> Result<Vec<String>, StoreError> {
        let mut statement = self.transaction.prepare(sql)?;
        let names = statement.query_map(parameters, |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(names)
    }

    /// # Errors
    /// A living table or view of that name.
    pub fn check_free(&self, name: &str) -> Result<(), StoreError> {
        match (self.table(name)?, self.view(name)?) {
            (Some(_), _) => Err(StoreError::Statement(format!("the store has a table '{name}'; choose another name"))),
            (_, Some(_)) => Err(StoreError::Statement(format!("the store has a view '{name}'; choose another name"))),
            (None, None) => Ok(()),
        }
    }

    /// Says what changed, in DuckLake's words.
    pub fn changed(&mut self, what: String) {
        self.changes.push(what);
    }

    /// Says that the columns or the name of a table have changed: by it clients know which files have which columns.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn new_version_of(&mut self, table: i64) -> Result<(), StoreError> {
        self.transaction.execute(
            "INSERT INTO ducklake_schema_versions (begin_snapshot, schema_version, table_id) VALUES (?, ?, ?)",
            params![self.snapshot, self.schema_version, table],
        )?;
        Ok(())
    }

    /// Makes it the newest snapshot, with a readable message, and returns its number.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn finish(self, message: &str) -> Result<i64, StoreError> {
        self.transaction.execute(
            "INSERT INTO ducklake_snapshot_changes (snapshot_id, changes_made, author, commit_message) VALUES (?, ?, ?, ?)",
            params![
                self.snapshot,
                self.changes.join(","),
                concat!("hollandite ", env!("CARGO_PKG_VERSION")),
                message
            ],
        )?;
        self.transaction.commit()?;
        Ok(self.snapshot)
    }
}

/// A name as DuckLake's list of changes has it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
