//! A checksum of the rows of our own tables in the catalog, kept by SQLite itself: triggers add what is written and take away what
//! is removed. A bit that flips on disk changes the rows and not the sum.
//!
//! The functions that the triggers call are defined by [`registry::connect`](super::registry::connect): another program may read these
//! tables, and not write to them.

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use crate::StoreError;

/// The table of the sums, a row for each table.
const SUMS: &str = "hollandite_sums";

/// Defines `hollandite_with(sum, row..)` and `hollandite_without(sum, row..)` on a connection.
pub(super) fn define(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("hollandite_with", -1, flags, |context| {
        Ok(context.get::<i64>(0)?.wrapping_add(row_hash(context)?))
    })?;
    connection.create_scalar_function("hollandite_without", -1, flags, |context| {
        Ok(context.get::<i64>(0)?.wrapping_sub(row_hash(context)?))
    })?;
    // A row that INSERT OR REPLACE takes away is taken from the sum too.
    connection.pragma_update(None, "recursive_triggers", true)
}

/// 64 bits of the values behind the first argument.
fn row_hash(context: &Context<'_>) -> rusqlite::Result<i64> {
    let mut hasher = Sha256::new();
    for i in 1..context.len() {
        let (kind, bytes): (u8, Vec<u8>) = match context.get_raw(i) {
            ValueRef::Null => (0, Vec::new()),
            ValueRef::Integer(n) => (1, n.to_le_bytes().to_vec()),
            ValueRef::Real(x) => (2, x.to_le_bytes().to_vec()),
            ValueRef::Text(text) => (3, text.to_vec()),
            ValueRef::Blob(bytes) => (4, bytes.to_vec()),
        };
        hasher.update([kind]);
        hasher.update((bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    }
    let digest = hasher.finalize();
    Ok(i64::from_le_bytes(std::array::from_fn(|k| digest[k])))
}

/// Makes the triggers of every table as it is now, and the sums of its rows: whenever tables were made or altered.
pub(super) fn install(connection: &Connection) -> Result<(), StoreError> {
    connection.execute(&format!("DELETE FROM {SUMS}"), [])?;
    for table in tables(connection)? {
        connection.execute(&format!("INSERT INTO {SUMS} VALUES (?, ?)"), params![table, sum(connection, &table)?])?;
        let row = |prefix: &str| {
            Ok::<_, StoreError>(columns(connection, &table)?.map(|c| format!(", {prefix}{c}")).collect::<String>())
        };
        let (new, old) = (row("NEW.")?, row("OLD.")?);
        let change = |call: String| format!("UPDATE {SUMS} SET sum = {call} WHERE table_name = '{table}';");
        for (event, changes) in [
            ("INSERT", change(format!("hollandite_with(sum{new})"))),
            ("DELETE", change(format!("hollandite_without(sum{old})"))),
            ("UPDATE", change(format!("hollandite_with(hollandite_without(sum{old}){new})"))),
        ] {
            connection.execute_batch(&format!(
                "DROP TRIGGER IF EXISTS {table}_{event};
                 CREATE TRIGGER {table}_{event} AFTER {event} ON {table} BEGIN {changes} END;"
            ))?;
        }
    }
    Ok(())
}

/// The tables whose rows are not what was written, each in words.
pub(super) fn check(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let kept: Vec<(String, i64)> = connection
        .prepare(&format!("SELECT table_name, sum FROM {SUMS} ORDER BY table_name"))?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut changed = Vec::new();
    for (table, kept) in kept {
        match sum(connection, &table) {
            Ok(found) if found == kept => {}
            Ok(_) => changed.push(format!("the rows of {table} are not those that were written")),
            Err(error) => changed.push(format!("the rows of {table} cannot be read: {error}")),
        }
    }
    Ok(changed)
}

/// Our tables, without those that hold the sums.
fn tables(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let sql = format!(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'hollandite\\_%' ESCAPE '\\'
             AND name NOT IN ('{SUMS}', 'hollandite_migrations') ORDER BY name"
    );
    let mut statement = connection.prepare(&sql)?;
    let names = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(names)
}

/// The columns of a table, quoted.
fn columns(connection: &Connection, table: &str) -> Result<impl Iterator<Item = String>, StoreError> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?) ORDER BY cid")?;
    let names: Vec<String> = statement.query_map([table], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(names.into_iter().map(|name| format!("\"{name}\"")))
}

/// The sum over the rows of a table.
fn sum(connection: &Connection, table: &str) -> Result<i64, StoreError> {
    let row: String = columns(connection, table)?.map(|column| format!(", {column}")).collect();
    let mut statement = connection.prepare(&format!("SELECT hollandite_with(0{row}) FROM {table}"))?;
    let mut sum = 0_i64;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        sum = sum.wrapping_add(row.get(0)?);
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::super::registry::{self, Access};
    use super::*;

    #[test]
    fn sums_follow_every_kind_of_write_and_tell_of_a_change_behind_their_back() {
        let dir = tempfile::tempdir().unwrap();
        let catalog = dir.path().join("catalog.sqlite");
        registry::create(&catalog, "/").unwrap();
        let c = registry::connect(&catalog, Access::Write).unwrap();
        c.execute_batch(
            "INSERT INTO hollandite_files VALUES ('a', '1'), ('b', '2'), ('c', '3');
             INSERT OR REPLACE INTO hollandite_files VALUES ('a', '4');
             INSERT OR IGNORE INTO hollandite_files VALUES ('b', '5');
             UPDATE hollandite_files SET sha256 = '6' WHERE path = 'c';
             DELETE FROM hollandite_files WHERE path = 'b';
             INSERT INTO hollandite_predictions VALUES ('m', 'h', 1.5);
             UPDATE hollandite_predictions SET value = NULL WHERE 1 = 0;",
        )
        .unwrap();
        assert_eq!(check(&c).unwrap(), Vec::<String>::new());
        c.execute_batch("DROP TRIGGER hollandite_predictions_UPDATE; UPDATE hollandite_predictions SET value = 1.25;")
            .unwrap();
        assert_eq!(check(&c).unwrap(), ["the rows of hollandite_predictions are not those that were written"]);
        install(&c).unwrap();
        assert_eq!(check(&c).unwrap(), Vec::<String>::new());
    }
}
