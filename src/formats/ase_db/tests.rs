use rusqlite::params;

use super::*;

/// The columns that ASE's schema of version 9 has and we read.
const SCHEMA: &str = "CREATE TABLE systems (id INTEGER PRIMARY KEY AUTOINCREMENT, unique_id TEXT UNIQUE, numbers BLOB, positions BLOB,
    cell BLOB, pbc INTEGER, calculator TEXT, energy REAL, free_energy REAL, magmom REAL, key_value_pairs TEXT, fmax REAL, charge REAL);
    CREATE TABLE information (name TEXT, value TEXT);
    INSERT INTO information VALUES ('version', '9');";

fn bytes(numbers: &[f64]) -> Vec<u8> {
    numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// A database of `rows` periclases, changed by `sql`.
fn database(rows: usize, sql: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mgo.db");
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    let numbers: Vec<u8> = [12_i32, 8].iter().flat_map(|z| z.to_le_bytes()).collect();
    connection.execute_batch("BEGIN").unwrap();
    for i in 0..rows {
        let a = 4.2 + 1e-3 * i as f64;
        connection
            .execute(
                "INSERT INTO systems (unique_id, numbers, positions, cell, pbc, key_value_pairs, energy) VALUES (?, ?, ?, ?, 7, ?, ?)",
                params![
                    format!("u{i}"),
                    numbers,
                    bytes(&[0.0, 0.0, 0.0, a / 2.0, a / 2.0, a / 2.0]),
                    bytes(&[a, 0.0, 0.0, 0.0, a, 0.0, 0.0, 0.0, a]),
                    r#"{"gap": 4.5, "band_gap": 7.8, "relaxed": true}"#,
                    -12.0 - i as f64
                ],
            )
            .unwrap();
    }
    connection.execute_batch("COMMIT").unwrap();
    connection.execute_batch(sql).unwrap();
    (dir, path)
}

fn read_all(path: &Path) -> Vec<Result<Record, Rejection>> {
    crate::read_file(path).collect()
}

#[test]
fn rows_come_page_by_page_with_what_is_said_of_them() {
    let (_dir, path) = database(600, "DELETE FROM systems WHERE id = 2");
    let read: Vec<Record> = read_all(&path).into_iter().map(Result::unwrap).collect();
    assert_eq!(read.len(), 599);
    let record = &read[1];
    assert_eq!((record.line, record.id.as_str()), (3, "u2"));
    assert_eq!(record.structure.composition().formula(), "MgO");
    assert!((record.structure.lattice().parameters()[0] - 4.202).abs() < 1e-12);
    assert!((record.structure.frac_coords()[1][2] - 0.5).abs() < 1e-15);
    assert_eq!(record.properties.band_gap, Some(7.8));
    assert_eq!(
        Value::Object(record.properties.extra.clone()),
        serde_json::json!({"gap": 4.5, "relaxed": true, "energy": -14.0})
    );
}

#[test]
fn a_row_may_name_itself() {
    let (_dir, path) = database(
        2,
        r#"UPDATE systems SET key_value_pairs = '{"mp_id": "mp-1265"}' WHERE id = 1; UPDATE systems SET unique_id = NULL WHERE id = 2"#,
    );
    let ids: Vec<String> = read_all(&path).into_iter().map(|r| r.unwrap().id).collect();
    assert_eq!(ids, ["mp-1265", "mgo#2"]);
}

#[test]
fn pairs_are_called_as_a_mapping_says() {
    use crate::{Input, Reading, read};
    let pairs = r#"UPDATE systems SET key_value_pairs = '{"mpid": "mp-' || id || '", "gap": 4.5, "band_gap": 7.8}'"#;
    let (_dir, path) = database(2, pairs);
    let of = |map: &str| -> Vec<Result<Record, Rejection>> {
        read(&Input::new(&path), &Reading { mapping: map.parse().unwrap(), ..Reading::default() }).collect()
    };
    let read: Vec<Record> = of("id=mpid,band_gap=gap").into_iter().map(Result::unwrap).collect();
    assert_eq!((read[1].id.as_str(), read[1].properties.band_gap), ("mp-2", Some(4.5)));
    assert_eq!(read[1].properties.extra["source_id"], "u1");
    let misspelt = of("id=mpdi");
    let reason = &misspelt[0].as_ref().unwrap_err().reason;
    assert!(misspelt.len() == 2 && reason.contains("no 'mpdi' to name it"), "{reason}");
}

#[test]
fn a_bad_row_is_refused_by_its_number_and_the_others_are_read() {
    for (set, said) in [
        ("pbc = 0", "pbc is not true"),
        ("pbc = 3", "pbc is not true"),
        ("numbers = x'0c00'", "2 bytes"),
        ("numbers = x'c8000000c8000000'", "200"),
        ("numbers = NULL", "numbers is Null"),
        ("positions = substr(positions, 1, 24)", "2 atomic numbers but 3 numbers"),
        ("cell = zeroblob(72)", "lattice"),
        ("cell = zeroblob(24)", "3 numbers"),
        ("key_value_pairs = '{'", "not a JSON object"),
        ("key_value_pairs = '{\"band_gap\": \"wide\"}'", "band_gap is 'wide'"),
        ("positions = zeroblob(48)", "apart"),
    ] {
        let (_dir, path) = database(3, &format!("UPDATE systems SET {set} WHERE id = 2"));
        let read = read_all(&path);
        assert_eq!((read.len(), read[0].is_ok(), read[2].is_ok()), (3, true, true), "{set}");
        let rejection = read[1].as_ref().unwrap_err();
        assert!(rejection.line == 2 && rejection.reason.contains(said), "{set}: {rejection}");
        assert_eq!(rejection.id.as_deref(), Some("u1"));
    }
}

#[test]
fn what_is_no_database_of_ase_says_what_it_is() {
    let said = |path: &Path, words: &str| {
        let read = read_all(path);
        let reason = &read[0].as_ref().unwrap_err().reason;
        assert!(read.len() == 1 && reason.contains(words), "{reason}");
    };
    let (_dir, path) = database(1, "ALTER TABLE systems RENAME TO atoms");
    said(&path, "no table 'systems' among: atoms");
    let (_dir, path) = database(1, "UPDATE information SET value = '4'");
    said(&path, "version 4 of ASE's schema, expected 5 to 9");
    let (_dir, path) = database(1, "ALTER TABLE systems DROP COLUMN cell");
    said(&path, "no such column: cell");
    let (dir, path) = database(1, "");
    for (bytes, words) in [
        (&b"no database at all"[..], "not an SQLite database"),
        (b"", "is empty"),
        (&[0x1f, 0x8b, 8], "unpack it first"),
    ] {
        let other = dir.path().join("other.db");
        std::fs::write(&other, bytes).unwrap();
        said(&other, words);
    }
    let whole = std::fs::read(&path).unwrap();
    let cut = dir.path().join("cut.db");
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    said(&cut, "the database is damaged");
}
