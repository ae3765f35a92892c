//! Other programs read and write our files. Their clients live in the Python that `HOLLANDITE_PYTHON` names, with the
//! packages of tests/interop/requirements.txt; `.ci/run` makes it. Without it these tests say that they are skipped.

use std::path::{Path, PathBuf};
use std::process::Command;

use datafusion::prelude::SessionContext;
use hollandite::jobs::{FeaturizeOptions, featurize};
use hollandite::report::{Format, exporter};
use hollandite::sql::Session;
use hollandite::store::{ImportOptions, Store};

/// What a script of tests/interop prints, or `None` where there is no Python for it.
fn python(script: &str, argument: &Path) -> Option<serde_json::Value> {
    python_with(script, argument, &[])
}

fn python_with(script: &str, argument: &Path, more: &[&str]) -> Option<serde_json::Value> {
    let Some(python) = std::env::var_os("HOLLANDITE_PYTHON") else {
        crate::common::skip("HOLLANDITE_PYTHON names no Python with tests/interop/requirements.txt");
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(script);
    let output = Command::new(python).arg(script).arg(argument).args(more).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

async fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let line = |id: &str, a: f64, c: f64, x: f64| {
        let (y, z) = (0.5 - x, 0.5 + x);
        format!(
            r#"{{"id":"{id}","lattice":[[{a},0,0],[0,{a},0],[0,0,{c}]],"species":["Ti","Ti","O","O","O","O"],"frac_coords":[[0,0,0],[0.5,0.5,0.5],[{x},{x},0],[{},{},0],[{y},{z},0.5],[{z},{y},0.5]]}}"#,
            -x, -x
        ) + "\n"
    };
    let mut text = line("rutile", 4.594, 2.959, 0.305);
    text.extend((0..20).map(|i| line(&format!("x{i}"), 4.6 + f64::from(i) * 0.01, 2.959, 0.305)));
    let file: PathBuf = dir.path().join("in.jsonl");
    std::fs::write(&file, text).unwrap();
    let store = Store::init(&dir.path().join("store")).await.unwrap();
    store.import(&[file], &ImportOptions::default(), &()).await.unwrap();
    (dir, store)
}

async fn count(store: &Store, condition: &str) -> usize {
    let ctx = SessionContext::new();
    store.register(&ctx, None).await.unwrap();
    ctx.sql(&format!("SELECT * FROM {condition}")).await.unwrap().count().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn duckdb_reads_and_writes_the_store_and_we_see_it() {
    let (dir, store) = store().await;
    let session = Session::open(&store, None).await.unwrap();
    let options = FeaturizeOptions { features: vec!["density,magpie,xrd_peaks".into()], ..FeaturizeOptions::default() };
    featurize(&session, &store, &options, &()).await.unwrap();
    let Some(seen) = python("duckdb_roundtrip.py", store.dir()) else { return };
    assert_eq!(seen["features"], serde_json::json!([21, "magpie/1", 22.0]), "{}", seen["features"]);
    assert_eq!(seen["peak"], serde_json::json!([[1, 1, 0]]));
    assert_eq!((&seen["rows"], &seen["rows_after"], &seen["old_rows"]), (&21.into(), &71.into(), &0.into()));
    assert_eq!(seen["structure"][0], serde_json::json!([4.594, 0.0, 0.0, 0.0, 4.594, 0.0, 0.0, 0.0, 2.959]));
    assert_eq!(seen["structure"][1], serde_json::json!([22, 22, 8, 8, 8, 8]));
    assert_eq!(seen["structure"][2].as_array().unwrap().len(), 18);
    assert_eq!(seen["elements"], serde_json::json!(["O", "Ti"]));
    assert!(seen["comment"].as_str().unwrap().contains("outside all atomic spheres"), "{}", seen["comment"]);

    assert_eq!(count(&store, "tmo").await, 71);
    assert_eq!(count(&store, "tmo WHERE id = 'x3'").await, 0);
    assert_eq!(count(&store, "tmo WHERE id = 'x4' AND split = 'duck'").await, 1);
    assert_eq!(count(&store, "tmo WHERE id = 'duck' AND cardinality(structure['numbers']) = 6").await, 1);
    assert_eq!(count(&store, "ducks WHERE void > 0.5").await, 50);
    let report = store.verify().await.unwrap();
    assert!(report.is_clean() && report.leftovers.is_empty(), "{report}");

    // And after DuckDB it is our turn again: the deleted row comes back, DuckDB sees it and writes once more.
    let summary = store.import(&[dir.path().join("in.jsonl")], &ImportOptions::default(), &()).await.unwrap();
    assert_eq!((summary.added, summary.present), (1, 20));
    let ctx = SessionContext::new();
    store.register(&ctx, None).await.unwrap();
    for sql in ["DELETE FROM tmo WHERE id LIKE 'flock-%' OR id = 'duck'", "DELETE FROM ducks WHERE id = 'flock-7'"] {
        ctx.sql(sql).await.unwrap().collect().await.unwrap();
    }
    assert_eq!((count(&store, "tmo").await, count(&store, "ducks").await), (21, 49));
    let catalog = rusqlite::Connection::open(store.dir().join("catalog.sqlite")).unwrap();
    catalog.execute_batch("UPDATE ducklake_table SET table_name = 'drake' WHERE table_name = 'ducks'").unwrap();
    let again = python("duckdb_roundtrip.py", store.dir()).unwrap();
    assert_eq!((&again["rows"], &again["rows_after"]), (&21.into(), &71.into()));
    assert!(store.verify().await.unwrap().is_clean());
}

/// The rows of a query, as JSON.
async fn rows(session: &Session, sql: &str) -> serde_json::Value {
    let batches = session.sql(sql).await.unwrap_or_else(|e| panic!("{sql}\n{e}")).collect().await;
    let batches = batches.unwrap_or_else(|e| panic!("{sql}\n{e}"));
    let mut rows = Vec::new();
    let mut writer = arrow::json::LineDelimitedWriter::new(&mut rows);
    writer.write_batches(&batches.iter().collect::<Vec<_>>()).unwrap();
    writer.finish().unwrap();
    String::from_utf8(rows)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn duckdb_reads_every_snapshot_of_a_table_whose_small_files_were_merged() {
    const SUMS: &str = "SELECT count(*) AS n, sum(a) AS a, sum(b) AS b FROM numbers";
    let (_dir, store) = store().await;
    let session = Session::open(&store, None).await.unwrap();
    rows(&session, "CREATE TABLE numbers (a BIGINT, b BIGINT)").await;
    let mut known = Vec::new();
    for turn in 0..50 {
        let statement = match turn % 3 {
            2 => "UPDATE numbers SET b = b + 1 WHERE a % 2 = 0".to_owned(),
            _ => format!("INSERT INTO numbers VALUES ({turn}, 0)"),
        };
        rows(&session, &statement).await;
        known.push((store.snapshots().unwrap().pop().unwrap().id, rows(&session, SUMS).await[0].clone()));
    }
    let files = store.info(None).unwrap().tables.into_iter().find(|table| table.name == "numbers").unwrap().files;
    assert!(files < 33, "{files} files of 50 statements");
    let Some(seen) = python_with("duckdb_versions.py", store.dir(), &["numbers"]) else { return };
    for (snapshot, sums) in &known {
        assert_eq!(seen["versions"][snapshot.to_string()], *sums, "DuckDB at {snapshot}");
        let then = SUMS.replace("numbers", &format!("numbers AT (VERSION => {snapshot})"));
        assert_eq!(rows(&session, &then).await[0], *sums, "at {snapshot}, after DuckDB removed what nothing needs");
    }
    assert_eq!(rows(&session, SUMS).await[0], seen["changed"]);
    let report = store.verify().await.unwrap();
    assert!(report.is_clean() && report.leftovers.is_empty(), "{report}");
}

#[test]
fn the_catalog_is_laid_out_as_duckdb_lays_out_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let Some(theirs) = python("catalog_layout.py", dir.path()) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (_dir, store) = runtime.block_on(store());
    let catalog = rusqlite::Connection::open(store.dir().join("catalog.sqlite")).unwrap();
    let mut ours = serde_json::Map::new();
    for table in theirs.as_object().unwrap().keys() {
        let mut columns = catalog.prepare("SELECT name, type, pk FROM pragma_table_info(?)").unwrap();
        let columns = columns.query_map([table], |row| {
            // A key that is the row's own number is of a type that SQLite calls INTEGER, and that DuckDB reads as BIGINT.
            let (name, kind, key) = (row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?);
            let kind = if key > 0 && kind == "INTEGER" { "BIGINT".into() } else { kind };
            Ok(serde_json::json!([name, kind, key]))
        });
        ours.insert(table.clone(), columns.unwrap().map(Result::unwrap).collect());
    }
    for (table, columns) in theirs.as_object().unwrap() {
        assert_eq!(&ours[table], columns, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_of_duckdb_on_our_store_is_understood() {
    let (dir, store) = store().await;
    let session = Session::open(&store, None).await.unwrap();
    for statement in [
        "CREATE TABLE t (a INT, s STRUCT<x DOUBLE[], y INT>, b VARCHAR)",
        "INSERT INTO t VALUES (1, {x: [1.5, 2.0], y: 3}, 'one')",
        "INSERT INTO t VALUES (2, NULL, 'two')",
        "CREATE TABLE u (a INT, extra VARCHAR)",
        "CREATE VIEW ours AS SELECT a, b FROM t WHERE a > 0",
        "ALTER TABLE u RENAME TO w",
        "ALTER TABLE w RENAME TO u",
    ] {
        session.sql(statement).await.unwrap().collect().await.unwrap();
    }
    let Some(seen) = python("duckdb_statements.py", store.dir()) else { return };
    assert_eq!(seen["view"], serde_json::json!([[1, "one"], [2, "two"]]));
    assert_eq!(seen["changes"], serde_json::json!([["insert", 10], ["insert", 11], ["insert", 12]]));
    assert_eq!(seen["u"], serde_json::json!([[11], [12], [100]]));
    assert!(seen["merged"].as_array().unwrap().iter().any(|merged| merged[1] == "u"), "{}", seen["merged"]);

    let session = Session::open(&Store::open(store.dir()).await.unwrap(), None).await.unwrap();
    let expected = serde_json::json!([
        {"number": 1, "b": "ONE", "c": 0.5, "w": 3, "x": [1.5, 2.0]},
        {"number": 500, "b": "duck", "c": 0.5, "w": 4, "z": 5, "x": [0.25]},
    ]);
    let query = "SELECT number, b, c, l, s.w AS w, s.z AS z, s.x AS x FROM renamed ORDER BY number";
    assert_eq!(rows(&session, query).await, expected);
    assert_eq!(
        rows(&session, "SELECT k, word FROM aliased ORDER BY k").await[0],
        serde_json::json!({"k": 1, "word": "ONE"})
    );
    assert_eq!(
        rows(&session, "SELECT a FROM u ORDER BY a").await,
        serde_json::json!([{"a": 11}, {"a": 12}, {"a": 100}])
    );
    assert_eq!(rows(&session, "SELECT sum(b) AS b FROM part WHERE a = 1").await, serde_json::json!([{"b": 9}]));
    // And we write to what DuckDB has altered.
    for statement in [
        "INSERT INTO renamed (number, b) VALUES (7, 'ours')",
        "UPDATE renamed SET b = 'ours too' WHERE number = 500",
        "DELETE FROM renamed WHERE number = 1",
        "ALTER TABLE renamed RENAME COLUMN c TO cc",
        "INSERT INTO part VALUES (1, 100)",
        "INSERT INTO widened VALUES (5000000000)",
    ] {
        session.sql(statement).await.unwrap_or_else(|e| panic!("{statement}\n{e}")).collect().await.unwrap();
    }
    let expected =
        serde_json::json!([{"number": 7, "b": "ours", "cc": 0.5}, {"number": 500, "b": "ours too", "cc": 0.5}]);
    assert_eq!(rows(&session, "SELECT number, b, cc FROM renamed ORDER BY number").await, expected);
    assert_eq!(rows(&session, "SELECT sum(a) AS a FROM widened").await, serde_json::json!([{"a": 5_000_000_001_i64}]));
    assert!(store.verify().await.unwrap().is_clean());

    let kept = python_with("duckdb_statements.py", store.dir(), &["maintain"]).unwrap();
    let tables = serde_json::json!({"tmo": 21, "renamed": 2, "u": 3, "part": 7, "aliased": 2});
    assert_eq!(kept["tables"], tables);
    for (table, rows) in tables.as_object().unwrap() {
        assert_eq!(count(&store, table).await as u64, rows.as_u64().unwrap(), "{table}");
    }
    let report = store.verify().await.unwrap();
    assert!(report.is_clean() && report.leftovers.is_empty(), "{report}");
    let summary = store.import(&[dir.path().join("in.jsonl")], &ImportOptions::default(), &()).await.unwrap();
    assert_eq!((summary.added, summary.present), (0, 21));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lake_that_duckdb_made_becomes_a_store() {
    let dir = tempfile::tempdir().unwrap();
    let lake = dir.path().join("lake");
    std::fs::create_dir(&lake).unwrap();
    let Some(made) = python("duckdb_store.py", &lake) else { return };
    let refused = Store::open(&lake).await.unwrap_err().to_string();
    assert!(Store::is_lake_of_others(&lake) && refused.contains("hollandite init"), "{refused}");
    // Files that are not there are noticed before anything is written.
    std::fs::rename(lake.join("data"), lake.join("elsewhere")).unwrap();
    let lost = Store::adopt(&lake).await.unwrap_err().to_string();
    assert!(lost.contains("which is not there") && Store::is_lake_of_others(&lake), "{lost}");
    std::fs::rename(lake.join("elsewhere"), lake.join("data")).unwrap();

    let store = Store::adopt(&lake).await.unwrap();
    assert!(!Store::is_lake_of_others(&lake));
    let session = Session::open(&store, None).await.unwrap();
    let sums = "SELECT count(*) AS n, sum(a) AS a FROM things";
    assert_eq!(rows(&session, sums).await, serde_json::json!([{"n": made[0], "a": made[1]}]));
    let one = "SELECT s.x AS x, word, m FROM things WHERE a IN (7, 1000, 2000) ORDER BY a";
    let three = serde_json::json!([{"x": [7.5], "word": "row 7", "m": 1.75}, {"x": [0.25], "word": "none"}, {"word": "late", "m": 1.125}]);
    assert_eq!(rows(&session, one).await, three);
    assert_eq!(rows(&session, "SELECT count(*) AS n FROM few").await, serde_json::json!([{"n": 3}]));
    let version = "SELECT max(snapshot_id) AS v FROM snapshots WHERE changes LIKE 'inserted_into_table:1%'";
    assert!(rows(&session, version).await[0]["v"].as_i64().unwrap() > 1);

    for statement in [
        "ALTER TABLE things RENAME COLUMN a TO number",
        "ALTER TABLE things RENAME TO everything",
        "ALTER TABLE everything ADD COLUMN more DOUBLE DEFAULT 0.5",
        "INSERT INTO everything (number, word) VALUES (5, 'five more')",
        "DELETE FROM everything WHERE number = 3",
        "CREATE VIEW fewer AS SELECT number FROM everything WHERE number < 3",
        "CREATE TABLE ours (a INT, b VARCHAR)",
        "INSERT INTO ours VALUES (1, 'a'), (2, NULL)",
        "INSERT INTO divided VALUES (2, 1000)",
        "DELETE FROM divided WHERE b < 3",
    ] {
        session.sql(statement).await.unwrap_or_else(|e| panic!("{statement}\n{e}")).collect().await.unwrap();
    }
    let (n, sum) = (made[0].as_i64().unwrap(), made[1].as_i64().unwrap());
    let sums = "SELECT count(*) AS n, sum(number) AS s, min(more) AS m FROM everything";
    assert_eq!(rows(&session, sums).await, serde_json::json!([{"n": n, "s": sum + 2, "m": 0.5}]));
    let report = store.verify().await.unwrap();
    assert!(report.is_clean() && report.leftovers.is_empty(), "{report}");

    let seen = python_with("duckdb_store.py", &lake, &["again"]).unwrap();
    assert_eq!(seen["things"], serde_json::json!([[n, sum + 2]]));
    assert_eq!(seen["shared"], serde_json::json!([[1, "a"], [2, null], [3, "duck"]]));
    assert_eq!(seen["few"], serde_json::json!([[0], [1], [2]]));
    assert_eq!(seen["divided"], serde_json::json!([[0, 99], [1, 99], [2, 100]]));
    // Crystals come in beside it.
    let (other, _) = self::store().await;
    let file = other.path().join("in.jsonl");
    store.import(&[file], &ImportOptions::default(), &()).await.unwrap();
    assert_eq!(count(&store, "tmo").await, 21);
    assert_eq!(count(&store, "shared").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exported_parquet_file_is_read_by_pandas_polars_and_pyarrow() {
    let (dir, store) = store().await;
    let file = dir.path().join("out.parquet");
    let ctx = SessionContext::new();
    store.register(&ctx, None).await.unwrap();
    let copy = format!(
        "COPY (SELECT * FROM tmo ORDER BY id) TO '{}' STORED AS PARQUET OPTIONS ('format.compression' 'zstd(3)')",
        file.display()
    );
    ctx.sql(&copy).await.unwrap().collect().await.unwrap();
    let Some(seen) = python("exports.py", &file) else { return };
    assert_eq!((&seen["rows"], &seen["natoms"]), (&21.into(), &6.into()));
    let void = seen["void"].as_f64().unwrap();
    assert!(void > 0.5 && void < 0.7, "{void}");
}

#[test]
fn what_ase_writes_we_read_as_ase_holds_it() {
    let dir = tempfile::tempdir().unwrap();
    let Some(held) = python("ase_files.py", dir.path()) else { return };
    let Some(held) = held.as_array() else { return crate::common::skip("that Python has no ase") };
    let numbers = |value: &serde_json::Value| -> Vec<f64> {
        value.as_array().unwrap().iter().flat_map(|r| r.as_array().unwrap()).map(|x| x.as_f64().unwrap()).collect()
    };
    // A database keeps every digit; extended XYZ has eight behind the point.
    for (name, tolerance) in [("crystals.db", 1e-12), ("crystals.xyz", 1e-8)] {
        let read: Vec<_> = hollandite::formats::read_file(&dir.path().join(name)).map(Result::unwrap).collect();
        assert_eq!(read.len(), held.len());
        for (record, held) in read.iter().zip(held) {
            let close =
                |a: &[f64], b: &[f64]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < tolerance);
            let structure = &record.structure;
            let z: Vec<u8> = structure.species().iter().map(|e| e.z()).collect();
            assert_eq!(serde_json::json!(z), held["numbers"], "{name}");
            assert!(close(structure.lattice().rows().as_flattened(), &numbers(&held["cell"])), "{name}");
            assert!(close(structure.frac_coords().as_flattened(), &numbers(&held["frac_coords"])), "{name}");
            assert_eq!(record.properties.extra["energy"], held["energy"], "{name}");
            assert_eq!(record.properties.band_gap, Some(0.5), "{name}");
            match name {
                "crystals.db" => assert_eq!(record.id, held["id"]),
                _ => {
                    assert_eq!(record.properties.extra["name with blank"], "a \"quoted\" {text}");
                    assert_eq!(record.properties.extra["flag"], true);
                    assert!(!record.properties.extra.contains_key("array"));
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pymatgen_and_ase_read_the_crystals_that_we_write() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_or_embed(&dir.path().join("store")).await.unwrap();
    let ctx = SessionContext::new();
    store.register(&ctx, None).await.unwrap();
    let query = "SELECT id, structure, formula, elements, void, spacegroup, -1.5 AS energy, '007' AS code, 'a \"b\" {c}' AS note
        FROM tmo WHERE natoms < 40 ORDER BY id";
    let batches = ctx.sql(query).await.unwrap().collect().await.unwrap();
    for (name, format, symprec) in [
        ("a.xyz", Format::ExtXyz, None),
        ("a.db", Format::AseDb, None),
        ("a.json.gz", Format::Pymatgen, None),
        ("cif/", Format::Cif, None),
        ("symmetrised/", Format::Cif, Some(0.01)),
        ("poscar/", Format::Poscar, None),
    ] {
        let mut exporter = exporter(format, symprec, &batches[0].schema(), &dir.path().join(name)).unwrap();
        batches.iter().for_each(|batch| exporter.write(batch).unwrap());
        exporter.finish().unwrap();
    }
    let Some(seen) = python("written.py", dir.path()) else { return };
    let want = seen["found"]["a.json.gz"].as_array().unwrap();
    assert!(want.len() > 50);
    for (kind, found) in seen["found"].as_object().unwrap() {
        let found = found.as_array().unwrap();
        assert_eq!(found.len(), want.len(), "{kind}");
        for (found, want) in found.iter().zip(want) {
            assert_eq!((&found[0], &found[1], &found[3]), (&want[0], &want[1], &want[3]), "{kind}");
            let [v, w] = [found, want].map(|row| row[2].as_f64().unwrap());
            assert!((v - w).abs() < 1e-4, "{kind}: {found} {want}");
        }
    }
    for (kind, beside) in seen["beside"].as_object().unwrap() {
        assert_eq!((&beside["code"], &beside["note"]), (&"007".into(), &"a \"b\" {c}".into()), "{kind}");
        assert_eq!((&beside["energy"], beside["elements"].is_array()), (&(-1.5).into(), true), "{kind}");
        assert!(beside["void"].as_f64().is_some_and(|void| void > 0.0 && void < 1.0), "{kind}");
    }
    // What ASE added to the database is read as the rest of it.
    let count = hollandite::formats::read_file(&dir.path().join("a.db")).filter(Result::is_ok).count();
    assert_eq!(count, want.len() + 1);
}
