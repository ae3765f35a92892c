//! Tables, columns and views that change, tables of another time, and the way back.

use std::path::PathBuf;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use futures::future::BoxFuture;
use hollandite::crystal::testing;
use hollandite::sql::Session;
use hollandite::store::{ImportOptions, Store};

/// A store with rutile and SrTiO3 in `tmo`.
async fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::init(&dir.path().join("store")).await.unwrap();
    let crystals = [("rutile", testing::rutile()), ("SrTiO3", testing::srtio3())];
    let files: Vec<PathBuf> = crystals
        .into_iter()
        .map(|(id, crystal)| {
            let path = dir.path().join(format!("{id}.vasp"));
            std::fs::write(&path, hollandite::formats::to_poscar(&crystal, id)).unwrap();
            path
        })
        .collect();
    store.import(&files, &ImportOptions::default(), &()).await.unwrap();
    (dir, store)
}

/// The rows of a statement, a text each, values separated by commas. On the heap, as [`refused`]: the unoptimised futures of thirty statements
/// overflow the stack of a test.
fn rows<'a>(session: &'a Session, sql: &'a str) -> BoxFuture<'a, Vec<String>> {
    Box::pin(async move {
        let batches = session.sql(sql).await.unwrap_or_else(|e| panic!("{sql}\n{e}")).collect().await;
        let batches = batches.unwrap_or_else(|e| panic!("{sql}\n{e}"));
        let options = FormatOptions::default().with_null("NULL");
        let mut rows = Vec::new();
        for batch in &batches {
            let columns: Vec<_> =
                batch.columns().iter().map(|c| ArrayFormatter::try_new(c, &options).unwrap()).collect();
            rows.extend(
                (0..batch.num_rows()).map(|row| {
                    columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join(",")
                }),
            );
        }
        rows
    })
}

fn refused<'a>(session: &'a Session, sql: &'a str) -> BoxFuture<'a, String> {
    Box::pin(async move {
        match session.sql(sql).await {
            Err(error) => error.to_string(),
            Ok(frame) => match frame.collect().await {
                Err(error) => error.to_string(),
                Ok(_) => panic!("{sql} was not refused"),
            },
        }
    })
}

fn newest(store: &Store) -> i64 {
    store.snapshots().unwrap().last().unwrap().id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_and_its_columns_change_and_the_past_stays() {
    let (_dir, store) = store().await;
    let session = Session::open(&store, None).await.unwrap();
    rows(&session, "CREATE TABLE t (a INT, s STRUCT<x DOUBLE[], y INT>, b VARCHAR)").await;
    rows(&session, "INSERT INTO t VALUES (1, {x: [1.5, 2.0], y: 3}, 'one'), (2, NULL, 'two')").await;
    let before = newest(&store);

    for statement in [
        "ALTER TABLE t RENAME COLUMN a TO number",
        "ALTER TABLE t ADD COLUMN c DOUBLE",
        "ALTER TABLE t ADD COLUMN d INTEGER DEFAULT 7",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS d VARCHAR",
        "ALTER TABLE t ADD COLUMN l VARCHAR[]",
        "ALTER TABLE t DROP COLUMN s",
        "ALTER TABLE t DROP COLUMN IF EXISTS s",
        "ALTER TABLE t ALTER COLUMN number TYPE BIGINT",
        "ALTER TABLE t RENAME TO u",
        "ALTER TABLE IF EXISTS t RENAME TO v",
        "COMMENT ON COLUMN u.c IS 'what c is'",
        "COMMENT ON TABLE u IS 'what u is'",
    ] {
        rows(&session, statement).await;
    }
    assert_eq!(rows(&session, "SELECT * FROM u ORDER BY number").await, ["1,one,NULL,7,NULL", "2,two,NULL,7,NULL"]);
    // What is written after the table was renamed lies where the catalog looks for it.
    rows(&session, "INSERT INTO u (number, b, c, l) VALUES (5000000000, 'big', 0.5, ['p', 'q'])").await;
    rows(&session, "UPDATE u SET b = 'ONE' WHERE number = 1").await;
    rows(&session, "DELETE FROM u WHERE number = 2").await;
    assert_eq!(
        rows(&session, "SELECT * FROM u ORDER BY number").await,
        ["1,ONE,NULL,7,NULL", "5000000000,big,0.5,7,[p, q]"]
    );
    let report = store.verify().await.unwrap();
    assert!(report.is_clean() && report.leftovers.is_empty(), "{report}");

    let old = format!("SELECT a, s.y, b FROM t AT (VERSION => {before}) ORDER BY a");
    assert_eq!(rows(&session, &old).await, ["1,3,one", "2,NULL,two"]);
    assert!(refused(&session, "SELECT * FROM t").await.contains("no table 't'"));
    // The name is free again, and its files do not meet those of the table that had it.
    rows(&session, "CREATE TABLE t (a INT)").await;
    rows(&session, "INSERT INTO t VALUES (9)").await;
    assert_eq!(rows(&session, "SELECT * FROM t").await, ["9"]);
    assert_eq!(rows(&session, "SELECT count(*) FROM u").await, ["2"]);
    let reopened = Session::open(&Store::open(store.dir()).await.unwrap(), None).await.unwrap();
    assert_eq!(rows(&reopened, "SELECT count(*) FROM u").await, ["2"]);
    assert_eq!(rows(&reopened, &old).await, ["1,3,one", "2,NULL,two"]);

    for (statement, reason) in [
        ("ALTER TABLE u RENAME TO tmo", "the store has a table 'tmo'"),
        ("ALTER TABLE u RENAME TO models", "cannot name a table"),
        ("ALTER TABLE nothing RENAME TO n", "no table 'nothing'"),
        ("ALTER TABLE models RENAME TO m", "belongs to the registry"),
        ("ALTER TABLE u RENAME COLUMN x TO y", "no column 'x'"),
        ("ALTER TABLE u RENAME COLUMN b TO c", "a column 'c' already"),
        ("ALTER TABLE u ADD COLUMN c INT", "a column 'c' already"),
        ("ALTER TABLE u ADD COLUMN n INT NOT NULL", "not supported"),
        ("ALTER TABLE u ALTER COLUMN number TYPE SMALLINT", "number"),
        ("ALTER TABLE t DROP COLUMN a", "only column"),
        ("ALTER TABLE u ALTER COLUMN b SET DEFAULT 'x'", "is not supported"),
    ] {
        let snapshot = newest(&store);
        let message = refused(&session, statement).await;
        assert!(message.contains(reason), "{statement}: {message}");
        assert_eq!(newest(&store), snapshot, "{statement} left a snapshot");
    }
    let fixed = Session::open(&store, Some(before)).await.unwrap();
    assert!(refused(&fixed, "ALTER TABLE t RENAME TO w").await.contains("older snapshot"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_a_table_follows_its_name() {
    let (dir, store) = store().await;
    let session = Session::open(&store, None).await.unwrap();
    let bad = dir.path().join("bad.cif");
    std::fs::write(&bad, "not a crystal").unwrap();
    store.import(&[bad], &ImportOptions { into: "more".into(), ..ImportOptions::default() }, &()).await.unwrap();
    rows(&session, "ALTER TABLE more RENAME TO others").await;
    assert_eq!(rows(&session, "SELECT DISTINCT table_name FROM quarantine").await, ["others"]);
    assert_eq!(rows(&session, "SELECT table_name FROM imports ORDER BY import_id").await, ["tmo", "others"]);
    // An import finds the table by its new name.
    let file = dir.path().join("rutile.vasp");
    store.import(&[file], &ImportOptions { into: "others".into(), ..ImportOptions::default() }, &()).await.unwrap();
    assert_eq!(rows(&session, "SELECT id FROM others").await, ["rutile"]);
    assert!(store.verify().await.unwrap().is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn views_last_call_our_functions_and_are_read_at_a_version() {
    let (_dir, store) = store().await;
    let session = Session::open(&store, None).await.unwrap();
    rows(&session, "CREATE VIEW dense AS SELECT id, density(structure) AS d FROM tmo WHERE density(structure) > 1")
        .await;
    rows(&session, "CREATE VIEW names (name) AS SELECT id, d FROM dense").await;
    rows(&session, "CREATE VIEW IF NOT EXISTS names AS SELECT 1 AS one").await;
    let made = newest(&store);
    let reopened = Session::open(&Store::open(store.dir()).await.unwrap(), None).await.unwrap();
    assert_eq!(rows(&reopened, "SELECT name, d > 4 FROM names ORDER BY name").await, ["SrTiO3,true", "rutile,true"]);
    assert!(rows(&reopened, "SHOW TABLES").await.iter().any(|row| row.contains("dense,VIEW")));

    rows(&session, "DELETE FROM tmo WHERE id = 'rutile'").await;
    rows(&session, "CREATE OR REPLACE VIEW dense AS SELECT id, 0.0 AS d FROM tmo").await;
    assert_eq!(rows(&session, "SELECT * FROM names").await, ["SrTiO3,0.0"]);
    let then = format!("SELECT n.name FROM names AT (VERSION => {made}) n WHERE n.d > 1 ORDER BY 1");
    assert_eq!(rows(&session, &then).await, ["SrTiO3", "rutile"], "the views and the table of then");
    let fixed = Session::open(&store, Some(made)).await.unwrap();
    assert_eq!(rows(&fixed, "SELECT count(*) FROM names WHERE d > 1").await, ["2"]);

    rows(&session, "CREATE TEMPORARY VIEW mine AS SELECT id FROM tmo").await;
    assert_eq!(rows(&session, "SELECT * FROM mine").await, ["SrTiO3"]);
    assert!(refused(&reopened, "SELECT * FROM mine").await.contains("no table 'mine'"));
    for (statement, reason) in [
        ("CREATE VIEW lasting AS SELECT * FROM mine", "CREATE TEMPORARY VIEW lasting"),
        ("CREATE OR REPLACE VIEW dense AS SELECT name AS id, d FROM names", "would read itself"),
        ("CREATE VIEW tmo AS SELECT 1 AS a", "the store has a table 'tmo'"),
        ("CREATE VIEW dense AS SELECT 1 AS a", "the store has a view 'dense'"),
        ("CREATE VIEW twice AS SELECT t.id, u.id FROM tmo t, tmo u", "two columns 'id'"),
        ("CREATE VIEW wrong AS SELECT voidd FROM tmo", "did you mean 'void'"),
        ("CREATE VIEW imports AS SELECT 1 AS a", "cannot name a table"),
        ("CREATE TABLE dense (a INT)", "dense"),
    ] {
        let message = refused(&session, statement).await;
        assert!(message.contains(reason), "{statement}: {message}");
    }
    rows(&session, "DROP VIEW names").await;
    assert!(refused(&reopened, "SELECT * FROM names").await.contains("no table 'names'"));
    assert!(store.verify().await.unwrap().is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_read_as_it_was_and_restored() {
    let (_dir, store) = store().await;
    let session = Session::open(&store, None).await.unwrap();
    rows(&session, "CREATE TABLE t (a INT, b VARCHAR)").await;
    rows(&session, "INSERT INTO t VALUES (1, 'x'), (2, NULL)").await;
    rows(&session, "COMMENT ON COLUMN t.b IS 'what b is'").await;
    rows(&session, "CREATE VIEW v AS SELECT a FROM t").await;
    let good = newest(&store);
    rows(&session, "DELETE FROM t").await;
    rows(&session, "ALTER TABLE t DROP COLUMN b").await;
    rows(&session, "ALTER TABLE t ALTER COLUMN a TYPE BIGINT").await;
    rows(&session, "DELETE FROM tmo WHERE id = 'rutile'").await;
    rows(&session, "DROP VIEW v").await;
    rows(&session, "CREATE TABLE later AS SELECT 1 AS a").await;

    assert_eq!(rows(&session, &format!("SELECT count(*) FROM t AT (VERSION => {good})")).await, ["2"]);
    let joined = format!(
        "SELECT old.a FROM t AT (VERSION => {good}) AS old LEFT JOIN t ON t.a = old.a WHERE t.a IS NULL ORDER BY 1"
    );
    assert_eq!(rows(&session, &joined).await, ["1", "2"], "two versions of a table in one query");
    assert!(refused(&session, "SELECT * FROM t AT (VERSION => 9999)").await.contains("no snapshot 9999"));
    assert!(refused(&session, "SELECT * FROM t AT (VERSION => 0)").await.contains("snapshot 0 has no table 't'"));
    assert!(refused(&session, "SELECT * FROM t AT (TIMESTAMP => '1999-01-01')").await.contains("no snapshot then"));
    assert_eq!(rows(&session, "SELECT count(*) FROM t AT (TIMESTAMP => '2999-01-01')").await, ["0"]);
    let listed = format!("SELECT message FROM snapshots WHERE snapshot_id = {good}");
    assert_eq!(rows(&session, &listed).await, ["create view v"]);

    let done = store.restore(good, Some("t")).await.unwrap();
    assert_eq!(done.tables, [("t".to_owned(), 2)]);
    assert_eq!(rows(&session, "SELECT a, b, arrow_typeof(a) FROM t ORDER BY a").await, ["1,x,Int64", "2,NULL,Int64"]);
    assert_eq!(rows(&session, "SELECT count(*) FROM tmo").await, ["1"], "no other table is touched");

    let done = store.restore(good, None).await.unwrap();
    assert_eq!((done.dropped.as_slice(), done.views), (&["later".to_owned()][..], 1));
    assert!(done.tables.contains(&("tmo".to_owned(), 2)), "{done:?}");
    assert_eq!(rows(&session, "SELECT * FROM v ORDER BY a").await, ["1", "2"]);
    assert_eq!(rows(&session, "SELECT count(*) FROM tmo WHERE density(structure) > 1").await, ["2"]);
    assert!(refused(&session, "SELECT * FROM later").await.contains("no table 'later'"));
    assert!(store.restore(0, Some("t")).await.unwrap_err().to_string().contains("no table 't'"));
    assert!(store.restore(9999, None).await.unwrap_err().to_string().contains("no snapshot 9999"));
    let report = store.verify().await.unwrap();
    assert!(report.is_clean() && report.leftovers.is_empty(), "{report}");

    // A table that is gone comes back as a whole.
    rows(&session, "DROP TABLE t").await;
    store.restore(good, Some("t")).await.unwrap();
    assert_eq!(rows(&session, "SELECT a, b FROM t ORDER BY a").await, ["1,x", "2,NULL"]);
    let again = store.restore(newest(&store), None).await.unwrap();
    assert!(again.tables.is_empty() && again.dropped.is_empty() && again.views == 0, "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_a_whole_table_with_it_is_known_beforehand() {
    let (_dir, store) = store().await;
    let session = Session::open(&store, None).await.unwrap();
    for (statement, what) in [
        ("DELETE FROM tmo", "deletes all 2 rows of tmo"),
        ("delete from lake.main.tmo;", "deletes all 2 rows of tmo"),
        ("UPDATE tmo SET split = 'x'", "changes all 2 rows of tmo"),
        ("DROP TABLE tmo", "drops tmo with all 2 rows of tmo"),
        ("TRUNCATE TABLE tmo", "deletes all 2 rows of tmo"),
        ("INSERT OVERWRITE tmo SELECT * FROM tmo", "replaces all 2 rows of tmo"),
        ("ALTER TABLE tmo DROP COLUMN void", "drops void from all 2 rows of tmo"),
        ("ALTER TABLE tmo DROP COLUMN IF EXISTS void", "drops void from all 2 rows of tmo"),
        ("DELETE FROM tmo WHERE true", "deletes all 2 rows of tmo"),
        ("DELETE FROM tmo WHERE 1 < 2.0 OR id = 'x'", "deletes all 2 rows of tmo"),
        ("UPDATE tmo SET split = 'x' WHERE 1 = 1", "changes all 2 rows of tmo"),
        ("CREATE OR REPLACE TABLE tmo AS SELECT 1 AS a", "replaces all 2 rows of tmo"),
    ] {
        let sweep = session.sweeps(statement).await.unwrap().unwrap_or_else(|| panic!("{statement}"));
        assert_eq!((sweep.what.as_str(), sweep.table.as_str(), sweep.snapshot), (what, "tmo", newest(&store)));
    }
    for harmless in [
        "DELETE FROM tmo WHERE id = 'x'",
        "UPDATE tmo SET split = 'x' WHERE void > 0",
        "DELETE FROM tmo WHERE false",
        "DELETE FROM tmo WHERE nothing = 1",
        "ALTER TABLE tmo DROP COLUMN voidd",
        "ALTER TABLE tmo DROP COLUMN IF EXISTS voidd",
        "CREATE OR REPLACE TABLE other AS SELECT 1 AS a",
        "DROP VIEW v",
        "DROP TABLE adsorbtion",
        "SELECT 1",
        "EXPLAIN DELETE FROM tmo",
        "no SQL",
    ] {
        assert_eq!(session.sweeps(harmless).await.unwrap(), None, "{harmless}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_kept_as_its_query_was_understood() {
    let (_dir, store) = store().await;
    let session = Session::open(&store, None).await.unwrap();
    rows(&session, "CREATE VIEW probed AS SELECT id, void(structure, probe => 0.5) AS v FROM tmo").await;
    rows(&session, "CREATE VIEW everything AS FROM tmo").await;
    let reopened = Session::open(&Store::open(store.dir()).await.unwrap(), None).await.unwrap();
    assert_eq!(rows(&reopened, "SELECT count(v) FROM probed").await, ["2"]);
    assert_eq!(rows(&reopened, "SELECT count(structure) FROM everything").await, ["2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_crystals_keeps_the_columns_that_make_it_one() {
    let (_dir, store) = store().await;
    let session = Session::open(&store, None).await.unwrap();
    for statement in [
        "ALTER TABLE tmo RENAME COLUMN void TO hole",
        "ALTER TABLE tmo DROP COLUMN split",
        "ALTER TABLE tmo DROP COLUMN structure",
    ] {
        let text = refused(&session, statement).await;
        assert!(text.contains("tmo is a table of crystals") && text.contains("CREATE VIEW"), "{statement}: {text}");
    }
    rows(&session, "ALTER TABLE tmo ADD COLUMN mine DOUBLE").await;
    rows(&session, "ALTER TABLE tmo RENAME COLUMN mine TO yours").await;
    rows(&session, "ALTER TABLE tmo DROP COLUMN yours").await;
    rows(&session, "ALTER TABLE tmo DROP COLUMN path").await;
    rows(&session, "CREATE TABLE part AS SELECT id, structure, structure_hash, volume FROM tmo").await;
    let deep = store.verify_deep(&()).await.unwrap();
    assert_eq!((deep.tables, deep.wrong), (1, 0));
    assert!(deep.problems.len() == 1 && deep.problems[0].starts_with("part: not compared"), "{deep}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_counted_as_they_are_after_a_delete_and_a_restore() {
    let (_dir, store) = store().await;
    let session = Session::open(&store, None).await.unwrap();
    let before = newest(&store);
    rows(&session, "DELETE FROM tmo WHERE id = (SELECT min(id) FROM tmo)").await;
    let counted = |store: &Store| store.info(None).unwrap().tables.iter().find(|t| t.name == "tmo").unwrap().rows;
    assert_eq!(counted(&store), Some(1));
    store.restore(before, Some("tmo")).await.unwrap();
    assert_eq!(rows(&session, "SELECT count(*) FROM tmo").await, ["2"]);
    assert_eq!(counted(&store), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn clauses_that_would_be_passed_over_are_refused() {
    let (_dir, store) = store().await;
    let session = Session::open(&store, None).await.unwrap();
    for (statement, said) in [
        ("DELETE FROM tmo TABLESAMPLE (1 PERCENT) WHERE natoms > 0", "DELETE of a sample is not supported"),
        ("UPDATE tmo TABLESAMPLE (50 PERCENT) SET source = 'y'", "UPDATE of a sample is not supported"),
        ("SELECT count(*) FROM tmo PREWHERE natoms > 300", "use WHERE"),
        ("SELECT natoms, count(*) FROM tmo GROUP BY natoms WITH ROLLUP", "GROUP BY ROLLUP(..)"),
    ] {
        let text = refused(&session, statement).await;
        assert!(text.contains(said), "{statement}: {text}");
    }
    assert_eq!(rows(&session, "SELECT count(*) FROM (FROM tmo LIMIT 1)").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_not_there_suggest_the_nearest() {
    let (_dir, store) = store().await;
    let session = Session::open(&store, None).await.unwrap();
    for (statement, said) in [
        ("SELECT * FROM tmoo", "no table 'tmoo'; did you mean 'tmo'?"),
        ("SELECT * FROM xyzzy", "no table 'xyzzy'; SHOW TABLES lists those that are there"),
        ("SELECT densty FROM tmo", "no column 'densty'; did you mean 'density'?"),
        ("SELECT id FROM tmo WHERE tmo.voidd > 0", "no column 'tmo.voidd'; did you mean 'void'?"),
        ("DROP TABLE tmoo", "no table 'tmoo'; did you mean 'tmo'?"),
        ("DROP VIEW tmoo", "no table 'tmoo'; did you mean 'tmo'?"),
        ("ALTER TABLE tmoo ADD COLUMN x INTEGER", "no table 'tmoo'; did you mean 'tmo'?"),
        ("ALTER TABLE xyzzy ADD COLUMN x INTEGER", "no table 'xyzzy'; SHOW TABLES lists those that are there"),
        ("ALTER TABLE tmo DROP COLUMN voidd", "no column 'voidd' in tmo; did you mean 'void'?"),
        ("ALTER TABLE tmo RENAME COLUMN densty TO d", "no column 'densty' in tmo; did you mean 'density'?"),
        ("ALTER TABLE tmo DROP COLUMN xyzzy", "no column 'xyzzy' in tmo; DESCRIBE tmo lists those that are there"),
    ] {
        assert_eq!(refused(&session, statement).await, said);
    }
    let text = refused(&session, "SELECT id FROM tmo WHERE formula = \"TiO2\"").await;
    assert!(text.contains("single quotes: 'TiO2'") && text.len() < 200, "{text}");
    assert!(refused(&session, "SELECT densty(structure) FROM tmo").await.contains("did you mean 'density'"));
    let earlier = refused(&session, &format!("SELECT * FROM tmoo AT (VERSION => {})", newest(&store))).await;
    assert!(earlier.ends_with("has no table 'tmoo'; did you mean 'tmo'?"), "{earlier}");
    let restored = store.restore(newest(&store), Some("tmoo")).await.unwrap_err().to_string();
    assert!(restored.ends_with("has no table 'tmoo'; did you mean 'tmo'?"), "{restored}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_tables_until_they_are_taken() {
    let (dir, store) = store().await;
    let session = Session::open(&store, None).await.unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    std::fs::write(path("my energies.csv"), "id,energy,note\nrutile,-9.5,\"a, b\"\nSrTiO3,-8,\n").unwrap();
    std::fs::write(path("semicolons.txt"), "id;n\nrutile;1\n").unwrap();
    std::fs::write(path("rows.jsonl"), "{\"id\":\"rutile\",\"l\":[1,2]}\n").unwrap();
    let csv = path("my energies.csv");
    let joined = format!("SELECT t.id, e.energy, e.note FROM tmo t JOIN '{csv}' e USING (id) ORDER BY energy");
    assert_eq!(rows(&session, &joined).await, ["rutile,-9.5,a, b", "SrTiO3,-8.0,NULL"]);
    let named = format!("SELECT \"my energies\".energy FROM '{csv}' WHERE energy < -9");
    assert_eq!(rows(&session, &named).await, ["-9.5"]);
    let semicolons = format!("SELECT n + 1 FROM read_csv('{}', ';')", path("semicolons.txt"));
    assert_eq!(rows(&session, &semicolons).await, ["2"]);
    assert_eq!(rows(&session, &format!("SELECT l[2] FROM '{}'", path("rows.jsonl"))).await, ["2"]);

    rows(&session, "CREATE TABLE energies (id VARCHAR, energy DOUBLE)").await;
    rows(&session, &format!("INSERT INTO energies SELECT id, energy FROM '{csv}'")).await;
    assert_eq!(rows(&session, "SELECT sum(energy) FROM energies").await, ["-17.5"]);
    let parquet = path("out.parquet");
    rows(&session, &format!("COPY (SELECT id, structure FROM tmo) TO '{parquet}' STORED AS PARQUET")).await;
    let dense = format!("SELECT count(*) FROM '{parquet}' WHERE density(structure) > 1");
    assert_eq!(rows(&session, &dense).await, ["2"]);
    assert_eq!(rows(&session, &format!("SELECT count(*) FROM read_parquet('{}')", path("*.parquet"))).await, ["2"]);
    rows(&session, &format!("CREATE VIEW outside AS SELECT id FROM '{csv}'")).await;
    assert_eq!(rows(&session, "SELECT count(*) FROM outside").await, ["2"]);

    for (statement, reason) in [
        (format!("SELECT * FROM '{}'", path("none.csv")), "No such file"),
        ("SELECT * FROM 'POSCAR'".to_owned(), "read_structures"),
        ("SELECT * FROM 's3://bucket/a.csv'".to_owned(), "not a local file"),
        (format!("SELECT * FROM read_csv('{csv}', 'ab')"), "one character"),
        ("SELECT * FROM read_csv()".to_owned(), "takes 1 to 2 arguments"),
    ] {
        let message = refused(&session, &statement).await;
        assert!(message.contains(reason), "{statement}: {message}");
    }

    let served = Session::served(&store, std::sync::Arc::default()).await.unwrap();
    for statement in [
        format!("SELECT * FROM '{csv}'"),
        format!("SELECT * FROM read_csv('{csv}')"),
        format!("SELECT * FROM read_parquet('{parquet}')"),
        format!("SELECT * FROM read_json('{}')", path("rows.jsonl")),
        format!("SELECT * FROM read_structures('{}')", path("rutile.vasp")),
        "SELECT * FROM outside".to_owned(),
        format!("COPY tmo TO '{}' STORED AS PARQUET", path("stolen.parquet")),
        format!("EXPLAIN COPY tmo TO '{}' STORED AS PARQUET", path("stolen.parquet")),
        format!("CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '{csv}'"),
    ] {
        let message = refused(&served, &statement).await;
        assert!(message.contains("files") || message.contains("outside"), "{statement}: {message}");
    }
    assert_eq!(rows(&served, "SELECT count(*) FROM tmo").await, ["2"]);
    assert_eq!(rows(&session, &dense).await, ["2"], "another session keeps its files");
}
