//! Other programs read and write our files. Their clients live in the Python that `HOLLANDITE_PYTHON` names, with the
//! packages of tests/interop/requirements.txt; `.ci/run` makes it. Without it these tests say that they are skipped.

mod skip;

use std::path::{Path, PathBuf};
use std::process::Command;

use datafusion::prelude::SessionContext;
use hollandite::sql::{FeaturizeOptions, Session};
use hollandite::store::{ImportOptions, Store};

/// What a script of tests/interop prints, or `None` where there is no Python for it.
fn python(script: &str, argument: &Path) -> Option<serde_json::Value> {
    let Some(python) = std::env::var_os("HOLLANDITE_PYTHON") else {
        skip::skip("HOLLANDITE_PYTHON names no Python with tests/interop/requirements.txt");
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(script);
    let output = Command::new(python).arg(script).arg(argument).output().unwrap();
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
    session.featurize(&store, &options, &()).await.unwrap();
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
    let Some(held) = held.as_array() else { return skip::skip("that Python has no ase") };
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
