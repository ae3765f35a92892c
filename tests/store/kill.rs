//! `kill -9` in the middle of an import or of statements that write: afterwards the store is clean and holds only whole ones.
//!
//! The test starts itself again as the process to be killed.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use datafusion::prelude::SessionContext;
use hollandite::sql::Session;
use hollandite::store::{ImportOptions, Store};

const STORE: &str = "HOLLANDITE_KILL_STORE";
const SCRIPT: &str = "HOLLANDITE_KILL_SCRIPT";
const FILE: &str = "HOLLANDITE_KILL_FILE";
const ROWS: usize = 1500;
const ROUNDS: usize = 20;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

/// The process that is killed; does nothing unless it was started by the test below.
#[test]
fn child() {
    let (Ok(store), Ok(file)) = (std::env::var(STORE), std::env::var(FILE)) else { return };
    runtime().block_on(async {
        let store = Store::open(Path::new(&store)).await.unwrap();
        store.import(&[file.into()], &ImportOptions::default(), &()).await.unwrap();
    });
}

/// The process that is killed while it writes by SQL; does nothing unless it was started by the test below.
#[test]
fn child_script() {
    let (Ok(store), Ok(script)) = (std::env::var(STORE), std::env::var(SCRIPT)) else { return };
    runtime().block_on(async {
        let session = Session::open(&Store::open(Path::new(&store)).await.unwrap(), None).await.unwrap();
        for statement in script.split(';') {
            session.sql(statement).await.unwrap().collect().await.unwrap();
        }
    });
}

fn start_script(store: &Path, script: &str) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child_script", "--test-threads=1"])
        .env(STORE, store)
        .env(SCRIPT, script)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// What a table holds, as text that two equal states share; `None` where there is none.
async fn state(session: &Session, table: &str) -> Option<String> {
    let frame =
        session.sql(&format!("SELECT count(*) AS rows, sum(n) AS sum, max(name) AS last FROM {table}")).await.ok()?;
    let batches = frame.collect().await.unwrap();
    Some(arrow::util::pretty::pretty_format_batches(&batches).unwrap().to_string())
}

#[test]
fn killed_statements_are_whole_or_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    runtime().block_on(Store::init(&path)).unwrap();
    let statements = |table: &str| {
        [
            format!(
                "CREATE TABLE {table} AS SELECT value AS n, 'row ' || CAST(value AS VARCHAR) AS name FROM generate_series(1, 20000)"
            ),
            format!("INSERT INTO {table} SELECT n + 20000, name FROM {table}"),
            format!("UPDATE {table} SET name = name || '!' WHERE n > 15000"),
            format!("DELETE FROM {table} WHERE n < 500"),
        ]
    };
    // The states between whole statements.
    let states: Vec<Option<String>> = runtime().block_on(async {
        let session = Session::open(&Store::open(&path).await.unwrap(), None).await.unwrap();
        let mut states = vec![None];
        for statement in statements("undisturbed") {
            session.sql(&statement).await.unwrap().collect().await.unwrap();
            states.push(state(&session, "undisturbed").await);
        }
        states
    });
    let begun = Instant::now();
    assert!(start_script(&path, &statements("timed").join(";")).wait().unwrap().success());
    let whole = begun.elapsed();
    let mut random = 2_463_534_242_u64;
    let mut reached = vec![0; states.len()];
    for round in 0..ROUNDS {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let table = format!("t{round}");
        let before = runtime().block_on(Store::open(&path)).unwrap().snapshots().unwrap().len();
        let mut child = start_script(&path, &statements(&table).join(";"));
        let moment = whole.mul_f64(0.2 + 0.9 * (random % 1000) as f64 / 1000.0);
        std::thread::sleep(moment);
        child.kill().unwrap();
        child.wait().unwrap();
        runtime().block_on(async {
            let store = Store::open(&path).await.unwrap();
            let session = Session::open(&store, None).await.unwrap();
            let found = state(&session, &table).await;
            let done = states.iter().position(|state| *state == found);
            let done = done
                .unwrap_or_else(|| panic!("killed after {moment:?}: no sequence of whole statements gives {found:?}"));
            reached[done] += 1;
            assert_eq!(store.snapshots().unwrap().len(), before + done, "a statement is a snapshot");
            let listed = store.info(None).unwrap().tables.iter().any(|listed| listed.name == table);
            assert_eq!(listed, found.is_some(), "what is listed is found");
            // The next writer clears away what was left, and goes on.
            let next = format!("CREATE OR REPLACE TABLE next AS SELECT {round} AS n, 'x' AS name");
            session.sql(&next).await.unwrap().collect().await.unwrap();
            assert_eq!(state(&session, &table).await, found);
            let report = store.verify().await.unwrap();
            assert!(report.is_clean() && report.leftovers.is_empty(), "{report}");
            assert_eq!(report.checksums, report.files, "{report}");
        });
    }
    println!("statements done when killed, of {ROUNDS} rounds: {reached:?}");
    assert!(reached.iter().filter(|n| **n > 0).count() > 1, "all were killed at one moment: {reached:?}");
}

/// Rows of round `round`, one of them refused.
fn write(file: &Path, round: usize) {
    let mut text = String::new();
    for i in 0..ROWS {
        let a = 4.0 + i as f64 * 2e-3;
        let species = if i == ROWS / 2 { r#"["Xx","O","O"]"# } else { r#"["Ti","O","O"]"# };
        text += &format!(
            r#"{{"id":"r{round}-{i}","lattice":[[{a},0,0],[0,{a},0],[0,0,{a}]],"species":{species},"frac_coords":[[0,0,0],[0.5,0.5,0],[0.5,0,0.5]]}}"#
        );
        text.push('\n');
    }
    std::fs::write(file, text).unwrap();
}

fn start(store: &Path, file: &Path) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child", "--test-threads=1"])
        .env(STORE, store)
        .env(FILE, file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_killed_import_leaves_only_whole_imports() {
    let dir = tempfile::tempdir().unwrap();
    let (path, file) = (dir.path().join("store"), dir.path().join("in.jsonl"));
    runtime().block_on(Store::init(&path)).unwrap();

    // How long an import takes here decides when to kill.
    write(&file, ROUNDS);
    let begun = Instant::now();
    assert!(start(&path, &file).wait().unwrap().success());
    let whole = begun.elapsed();

    let (mut killed, mut finished) = (0, 1);
    // A fixed generator: the moments differ from round to round and not from run to run.
    let mut random = 88_172_645_463_325_252_u64;
    for round in 0..ROUNDS {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        write(&file, round);
        let mut child = start(&path, &file);
        let moment = whole.mul_f64(1.1 * (random % 1000) as f64 / 1000.0);
        std::thread::sleep(moment.max(Duration::from_millis(1)));
        child.kill().unwrap();
        child.wait().unwrap();

        runtime().block_on(async {
            let store = Store::open(&path).await.unwrap();
            let report = store.verify().await.unwrap();
            assert!(report.is_clean(), "round {round}, killed after {moment:?}: {report}");
            let ctx = SessionContext::new();
            store.register(&ctx, None).await.unwrap();
            let sql = "SELECT split_part(id, '-', 1) AS round, count(*) AS n FROM tmo GROUP BY 1";
            let rows: usize = ctx
                .sql(&format!("SELECT * FROM ({sql}) WHERE n <> {}", ROWS - 1))
                .await
                .unwrap()
                .count()
                .await
                .unwrap();
            assert_eq!(rows, 0, "round {round}, killed after {moment:?}: a part of an import is in the store");
            let imports = ctx.sql(sql).await.unwrap().count().await.unwrap();
            // One record of each whole import was refused, and none of the others: each file replaces the last one's.
            let refused = store.quarantine().unwrap();
            assert!(refused.len() <= 1, "{refused:?}");
            match imports - finished {
                0 => killed += 1,
                1 => finished += 1,
                n => panic!("{n} imports appeared in one round"),
            }
            store.remove_leftovers(&report).await.unwrap();
            let report = store.verify().await.unwrap();
            assert!(report.is_clean() && report.leftovers.is_empty(), "{report}");
        });
    }
    println!("{killed} of {ROUNDS} imports were killed before their commit, {} after it", finished - 1);
    assert!(killed > 0, "no import was killed: the moments are too late");
    // And the store still takes an import.
    write(&file, ROUNDS + 1);
    assert!(start(&path, &file).wait().unwrap().success());
    let store = runtime().block_on(Store::open(&path)).unwrap();
    let rows = store.info(None).unwrap().tables.iter().find(|t| t.name == "tmo").and_then(|t| t.rows);
    assert_eq!(rows, Some(((finished + 1) * (ROWS - 1)) as u64));
}
