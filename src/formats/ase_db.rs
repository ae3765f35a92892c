//! The SQLite databases of ASE (`ase.db`, versions 5 to 9): one table `systems` with a row for each crystal.
//!
//! `numbers` (32-bit integers), `positions` (Å) and `cell` (rows a, b, c in Å; 64-bit floats) are blobs of little-endian
//! numbers, `pbc` has a bit for each direction, `key_value_pairs` is a JSON object. A row's number is its line. Rows are read a few hundred
//! at a time, whatever the size of the file.

mod writer;

use std::{
    collections::VecDeque,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags, Row, types::ValueRef};
use serde_json::Value;

use super::{
    Format, Properties, Record, Records, Rejection,
    ase::{Atoms, SCALARS},
    format::Open,
    plain, stem,
};
use crate::FormatError;
use crystal::{Structure, explained};

pub use writer::AseDbWriter;

/// Rows read at a time.
const PAGE: i64 = 256;
/// The versions of the schema whose columns are read here.
const VERSIONS: std::ops::RangeInclusive<i64> = 5..=9;
/// See [`Format`].
pub(super) static FORMAT: Format = Format {
    name: "database of ASE",
    extensions: &["db"],
    begins: &[],
    packed: false,
    open: Open::File(|input, reading| Ok(plain(records(&input.path)?, input, &reading.mapping))),
};

/// Every row of a database.
pub(super) fn records(path: &Path) -> Result<Records, FormatError> {
    let fail = |message: &str| FormatError::io(path, message);
    let mut head = [0; 16];
    let read = File::open(path).and_then(|mut file| file.read(&mut head)).map_err(|e| FormatError::io(path, e))?;
    if head.starts_with(&[0x1f, 0x8b]) || head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return Err(fail("a compressed database cannot be read in place; unpack it first (gunzip, unzstd)"));
    }
    match read {
        0 => return Err(fail("the file is empty")),
        _ if &head != b"SQLite format 3\0" => {
            return Err(fail("this is not an SQLite database; expected one that ASE wrote (ase.db.connect('x.db'))"));
        }
        _ => {}
    }
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(|e| fault(path, e))?;
    let tables =
        names(&connection, "SELECT name FROM sqlite_master WHERE type = 'table'").map_err(|e| fault(path, e))?;
    if !tables.iter().any(|t| t == "systems") {
        let message = format!("no table 'systems' among: {}; expected a database of ASE", tables.join(", "));
        return Err(fail(&message));
    }
    // Before version 3 the file had no version.
    let version = connection.query_row("SELECT value FROM information WHERE name = 'version'", [], |row| {
        Ok(match row.get_ref(0)? {
            ValueRef::Integer(n) => n,
            ValueRef::Text(text) => std::str::from_utf8(text).ok().and_then(|t| t.parse().ok()).unwrap_or(0),
            _ => 0,
        })
    });
    let version = version.unwrap_or(0);
    if !VERSIONS.contains(&version) {
        let (first, last) = (VERSIONS.start(), VERSIONS.end());
        return Err(fail(&format!(
            "version {version} of ASE's schema, expected {first} to {last}; rewrite the file: python -m ase.db.convert"
        )));
    }
    let count = connection.query_row("SELECT count(*) FROM systems", [], |row| row.get::<_, i64>(0));
    let rows = usize::try_from(count.unwrap_or(0)).unwrap_or(0);
    Ok(Box::new(Rows {
        path: path.to_owned(),
        stem: stem(path),
        connection,
        page: VecDeque::new(),
        after: i64::MIN,
        left: rows,
        ended: false,
    }))
}

fn names(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

struct Rows {
    path: PathBuf,
    stem: String,
    connection: Connection,
    page: VecDeque<Result<Record, Rejection>>,
    /// Number of the last row read.
    after: i64,
    /// Rows that are still to come.
    left: usize,
    ended: bool,
}

impl Iterator for Rows {
    type Item = Result<Record, Rejection>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.is_empty() && !self.ended {
            let read = self.turn();
            self.ended = match read {
                Ok(rows) => rows < PAGE,
                Err(error) => {
                    let fault = fault(&self.path, error);
                    self.page.push_back(Err(Rejection::new(&self.path, None, &fault, "", 0)));
                    true
                }
            };
        }
        self.left = self.left.saturating_sub(1);
        self.page.pop_front()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left.max(self.page.len())))
    }
}

impl Rows {
    /// Reads the next rows; how many there were.
    fn turn(&mut self) -> rusqlite::Result<i64> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, unique_id, numbers, positions, cell, pbc, key_value_pairs, calculator, energy, free_energy, magmom,
                 charge, fmax FROM systems WHERE id > ? ORDER BY id LIMIT ?",
        )?;
        let mut rows = statement.query((self.after, PAGE))?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            let number: i64 = row.get(0)?;
            (self.after, count) = (number, count + 1);
            let line = usize::try_from(number).unwrap_or(0);
            let mut id = None;
            let record = read(row, line, &mut id).map(|(structure, properties)| Record {
                id: id.clone().unwrap_or_else(|| format!("{}#{number}", self.stem)),
                structure,
                line,
                properties,
            });
            self.page.push_back(record.map_err(|error| Rejection::new(&self.path, id, &error, "", 0)));
        }
        Ok(count)
    }
}

/// One row; `id` as soon as it is known: a key of the row's own that names it, else ASE's unique id.
fn read(row: &Row, line: usize, id: &mut Option<String>) -> Result<(Structure, Properties), FormatError> {
    let syntax = |message: String| FormatError::syntax(line, 0, message);
    let column = |name: &'static str| row.get_ref(name).map_err(|e| syntax(format!("column {name}: {e}")));
    let text = |name| Ok(column(name)?.as_str_or_null().ok().flatten().map(str::to_owned));
    *id = text("unique_id")?;
    let mut properties = Properties::default();
    let pairs = text("key_value_pairs")?.filter(|pairs| !pairs.is_empty());
    let pairs: serde_json::Map<String, Value> = match pairs.as_deref().map(serde_json::from_str) {
        Some(Ok(pairs)) => pairs,
        Some(Err(e)) => return Err(syntax(format!("key_value_pairs is not a JSON object: {e}"))),
        None => Default::default(),
    };
    for (key, value) in pairs {
        properties.enter(&key, value).map_err(syntax)?;
    }
    if let Some(own) = properties.take_id() {
        let unique = id.replace(own);
        properties.extra.extend(unique.map(|unique| ("unique_id".to_owned(), unique.into())));
    }
    for name in SCALARS {
        let value = match column(name)? {
            ValueRef::Real(x) => x.into(),
            ValueRef::Integer(n) => n.into(),
            ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
            _ => continue,
        };
        properties.enter(name, value).map_err(syntax)?;
    }
    let blob = |name: &'static str| match column(name)? {
        ValueRef::Blob(bytes) => Ok(bytes),
        other => Err(syntax(format!("column {name} is {}; expected a blob of numbers", other.data_type()))),
    };
    let numbers = array(blob("numbers")?, "numbers", i32::from_le_bytes).map_err(syntax)?;
    let cell = array(blob("cell")?, "cell", f64::from_le_bytes).map_err(syntax)?;
    let positions = array(blob("positions")?, "positions", f64::from_le_bytes).map_err(syntax)?;
    let numbers = numbers.into_iter().map(i64::from).collect();
    let periodic = matches!(column("pbc")?, ValueRef::Integer(7));
    Ok((Atoms { numbers, positions, cell, periodic }.crystal(line)?, properties))
}

/// The numbers of a blob.
fn array<T, const N: usize>(bytes: &[u8], name: &str, of: fn([u8; N]) -> T) -> Result<Vec<T>, String> {
    let (chunks, rest) = bytes.as_chunks::<N>();
    if !rest.is_empty() {
        return Err(format!("{name} holds {} bytes, which is not a whole number of {N}-byte numbers", bytes.len()));
    }
    Ok(chunks.iter().map(|bytes| of(*bytes)).collect())
}

fn fault(path: &Path, error: rusqlite::Error) -> FormatError {
    FormatError::io(path, explained(words(&error), error))
}

/// SQLite's message, with the remedy where there is one.
fn words(error: &rusqlite::Error) -> String {
    let text = error.to_string();
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
            format!("the database is damaged ({text}); fetch it again, or save what is left: sqlite3 x.db .recover")
        }
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
            format!("another program is writing to it ({text}); try again")
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests;
