//! Crystals as rows of an ASE database, version 9 of its schema.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, params};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::fault;
use crate::FormatError;
use crystal::{Structure, content_hash, hex};

/// The tables of a new database.
const TABLES: &str = "
CREATE TABLE systems (id INTEGER PRIMARY KEY AUTOINCREMENT, unique_id TEXT UNIQUE, ctime REAL, mtime REAL, username TEXT,
    numbers BLOB, positions BLOB, cell BLOB, pbc INTEGER, initial_magmoms BLOB, initial_charges BLOB, masses BLOB, tags BLOB,
    momenta BLOB, constraints TEXT, calculator TEXT, calculator_parameters TEXT, energy REAL, free_energy REAL, forces BLOB,
    stress BLOB, dipole BLOB, magmoms BLOB, magmom REAL, charges BLOB, key_value_pairs TEXT, data BLOB, natoms INTEGER, fmax REAL,
    smax REAL, volume REAL, mass REAL, charge REAL);
CREATE TABLE species (Z INTEGER, n INTEGER, id INTEGER, FOREIGN KEY (id) REFERENCES systems(id));
CREATE TABLE keys (key TEXT, id INTEGER, FOREIGN KEY (id) REFERENCES systems(id));
CREATE TABLE text_key_values (key TEXT, value TEXT, id INTEGER, FOREIGN KEY (id) REFERENCES systems(id));
CREATE TABLE number_key_values (key TEXT, value REAL, id INTEGER, FOREIGN KEY (id) REFERENCES systems(id));
CREATE TABLE information (name TEXT, value TEXT);
INSERT INTO information VALUES ('version', '9');";

/// What ASE finds rows by.
const INDEXES: &str = "
CREATE INDEX unique_id_index ON systems(unique_id);
CREATE INDEX ctime_index ON systems(ctime);
CREATE INDEX username_index ON systems(username);
CREATE INDEX calculator_index ON systems(calculator);
CREATE INDEX species_index ON species(Z);
CREATE INDEX key_index ON keys(key);
CREATE INDEX text_index ON text_key_values(key);
CREATE INDEX number_index ON number_key_values(key);";

/// Names that ASE keeps for itself, beside the symbols of the elements.
const RESERVED: [&str; 30] = [
    "energy",
    "forces",
    "stress",
    "stresses",
    "dipole",
    "charges",
    "magmom",
    "magmoms",
    "free_energy",
    "energies",
    "dielectric_tensor",
    "born_effective_charges",
    "polarization",
    "positions",
    "numbers",
    "cell",
    "pbc",
    "initial_charges",
    "initial_magmoms",
    "id",
    "unique_id",
    "ctime",
    "mtime",
    "user",
    "fmax",
    "smax",
    "momenta",
    "constraints",
    "age",
    "data",
];
/// What ASE computes from the crystal itself.
const DERIVED: [&str; 2] = ["formula", "natoms"];

/// Seconds from the epoch of Unix to ASE's, which counts years of 365.25 days from 2000.
const EPOCH: f64 = 946_681_200.0;
const YEAR: f64 = 31_557_600.0;

/// Writes an ASE database row by row, in one transaction: nothing is in the file before [`AseDbWriter::finish`].
#[derive(Debug)]
pub struct AseDbWriter {
    path: PathBuf,
    connection: Connection,
    rows: u64,
    now: f64,
}

impl AseDbWriter {
    /// Begins a database in an empty or new file.
    ///
    /// # Errors
    /// The file cannot be written, or is not empty.
    pub fn create(path: &Path) -> Result<Self, FormatError> {
        let begin = || {
            let connection = Connection::open(path)?;
            connection.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; BEGIN;")?;
            connection.execute_batch(TABLES)?;
            Ok(connection)
        };
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(EPOCH, |time| time.as_secs_f64());
        let connection = begin().map_err(|e| fault(path, e))?;
        Ok(Self { path: path.to_owned(), connection, rows: 0, now: (seconds - EPOCH) / YEAR })
    }

    /// Adds a crystal. Of `properties`, numbers, booleans and texts become key-value pairs; `energy` and `free_energy` (eV), `magmom`,
    /// `fmax`, `charge` and `calculator` go into ASE's columns of these names; lists and objects into `data`. A name that ASE keeps for
    /// itself gets `_` at its end, `id` is called `material_id`; `formula` and `natoms` follow from the crystal.
    ///
    /// # Errors
    /// The disk is full, or the file was taken away.
    pub fn write(&mut self, structure: &Structure, properties: &Map<String, Value>) -> Result<(), FormatError> {
        self.rows += 1;
        self.insert(structure, properties).map_err(|e| fault(&self.path, e))
    }

    /// Makes the indexes and commits.
    ///
    /// # Errors
    /// As [`AseDbWriter::write`].
    pub fn finish(self) -> Result<(), FormatError> {
        let Self { path, connection, .. } = self;
        connection
            .execute_batch(INDEXES)
            .and_then(|()| connection.execute_batch("COMMIT"))
            .map_err(|e| fault(&path, e))?;
        connection.close().map_err(|(_, e)| fault(&path, e))
    }

    fn insert(&self, structure: &Structure, properties: &Map<String, Value>) -> rusqlite::Result<()> {
        let row = Said::new(properties);
        let floats = |numbers: &[f64]| numbers.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
        let numbers: Vec<u8> = structure.species().iter().flat_map(|e| i32::from(e.z()).to_le_bytes()).collect();
        let calculator = row.text("calculator").or(row.number("energy").map(|_| "unknown"));
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO systems (unique_id, ctime, mtime, username, numbers, positions, cell, pbc, calculator, calculator_parameters,
                 energy, free_energy, magmom, key_value_pairs, data, natoms, fmax, volume, mass, charge)
             VALUES (?1, ?2, ?2, 'hollandite', ?3, ?4, ?5, 7, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        )?;
        statement.execute(params![
            self.unique_id(structure),
            self.now,
            numbers,
            floats(structure.cart_coords().as_flattened()),
            floats(structure.lattice().rows().as_flattened()),
            calculator,
            calculator.map(|_| "{}"),
            row.number("energy"),
            row.number("free_energy"),
            row.number("magmom"),
            Value::Object(row.pairs.clone()).to_string(),
            data(&row.data),
            structure.len() as i64,
            row.number("fmax"),
            structure.volume(),
            structure.composition().mass(),
            row.number("charge").unwrap_or(0.0),
        ])?;
        let id = self.connection.last_insert_rowid();
        let add = |sql, key: &dyn rusqlite::ToSql, value: &dyn rusqlite::ToSql| {
            self.connection.prepare_cached(sql)?.execute(params![key, value, id])
        };
        for (element, n) in structure.composition().iter() {
            add("INSERT INTO species VALUES (?, ?, ?)", &element.z(), &(n as i64))?;
        }
        for (key, value) in &row.pairs {
            self.connection.prepare_cached("INSERT INTO keys VALUES (?, ?)")?.execute(params![key, id])?;
            match value {
                Value::String(text) => add("INSERT INTO text_key_values VALUES (?, ?, ?)", key, text)?,
                other => {
                    let number = other.as_f64().unwrap_or(f64::from(u8::from(*other == Value::Bool(true))));
                    add("INSERT INTO number_key_values VALUES (?, ?, ?)", key, &number)?
                }
            };
        }
        Ok(())
    }

    /// A name of 32 hex digits that no other row has, the same at every export.
    fn unique_id(&self, structure: &Structure) -> String {
        hex(&Sha256::digest(format!("{} {}", self.rows, content_hash(structure)))[..16])
    }
}

/// The properties of a row, where ASE has them.
struct Said<'a> {
    all: &'a Map<String, Value>,
    pairs: Map<String, Value>,
    data: Map<String, Value>,
}

impl<'a> Said<'a> {
    fn new(all: &'a Map<String, Value>) -> Self {
        let mut said = Self { all, pairs: Map::new(), data: Map::new() };
        for (name, value) in all.iter().filter(|(name, value)| !value.is_null() && !said_in_column(name, value)) {
            match value {
                _ if DERIVED.contains(&name.as_str()) => {}
                Value::Array(_) | Value::Object(_) => drop(said.data.insert(name.clone(), value.clone())),
                _ => drop(said.pairs.insert(key(name), value.clone())),
            }
        }
        said
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.all.get(name)?.as_f64()
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.all.get(name)?.as_str()
    }
}

/// Whether ASE has a column for a property.
fn said_in_column(name: &str, value: &Value) -> bool {
    match name {
        "energy" | "free_energy" | "magmom" | "fmax" | "charge" => value.is_number(),
        "calculator" => value.is_string(),
        _ => false,
    }
}

/// A name as ASE accepts it.
fn key(name: &str) -> String {
    if name == "id" {
        return "material_id".into();
    }
    let mut key: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if !key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        key.insert(0, '_');
    }
    let reserved = RESERVED.contains(&key.as_str()) || crystal::Element::from_symbol(&key).is_ok();
    if reserved || key.starts_with("calculator") || key == "key_value_pairs" {
        key.push('_');
    }
    key
}

/// ASE's bytes of an object without arrays: where its JSON begins, eight bytes, and the JSON.
fn data(object: &Map<String, Value>) -> Vec<u8> {
    let json = Value::Object(object.clone()).to_string();
    [8_i64.to_le_bytes().as_slice(), json.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_ase_keeps_for_itself_are_marked() {
        for (name, want) in [
            ("id", "material_id"),
            ("band_gap", "band_gap"),
            ("energy", "energy_"),
            ("Ti", "Ti_"),
            ("2 theta", "_2_theta"),
            ("calculator", "calculator_"),
            ("a-b", "a_b"),
            ("", "_"),
        ] {
            assert_eq!(key(name), want);
        }
    }
}
