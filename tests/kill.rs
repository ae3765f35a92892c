//! `kill -9` in the middle of an import: afterwards the store is clean and holds only whole imports.
//!
//! The test starts itself again as the process to be killed.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use datafusion::prelude::SessionContext;
use hollandite::store::{ImportOptions, Store};

const STORE: &str = "HOLLANDITE_KILL_STORE";
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
        .args(["--exact", "child", "--test-threads=1"])
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
    let rows = store.info().unwrap().tables.iter().find(|t| t.name == "tmo").and_then(|t| t.rows);
    assert_eq!(rows, Some(((finished + 1) * (ROWS - 1)) as u64));
}
