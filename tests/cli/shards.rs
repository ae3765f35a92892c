//! Jobs in shards, started by hand and by a queue of jobs; and one that is killed.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use predicates::str::contains;

use crate::common::program::{Store, stdout};

/// A store with labelled crystals.
fn sample() -> Store {
    let store = Store::new();
    let parquet = store.beside("sample.parquet");
    stdout(&["export", "sample", "--to", &parquet]);
    store.run(&["import", &parquet, "--into", "tmo"]).assert().success();
    store
}

fn csv(store: &Store, query: &str) -> String {
    store.stdout(&["sql", query, "--format", "csv"])
}

#[test]
fn a_task_of_an_array_computes_its_shard() {
    let store = sample();
    let compute = ["compute", "void(structure, 'ionic', 0.76) AS li", "--where", "natoms <= 30", "--into", "room"];
    store.run(&[&compute[..], &["--run", "r"]].concat()).assert().failure().code(2).stderr(contains("--shard 3/16"));
    store.run(&[&compute[..], &["--shard", "5/4", "--run", "r"]].concat()).assert().failure().code(2);
    store.run(&[&compute[..], &["--shard", "1/4"]].concat()).assert().failure().code(2).stderr(contains("--run"));
    for id in 0..4 {
        let mut task = store.run(&[&compute[..], &["--run", "r"]].concat());
        for (name, value) in [("ID", id), ("COUNT", 4), ("MIN", 0), ("MAX", 3)] {
            task.env(format!("SLURM_ARRAY_TASK_{name}"), value.to_string());
        }
        task.assert()
            .success()
            .stdout(contains("room: "))
            .stderr(contains(format!("shard {}/4 of run r is done", id + 1)));
    }
    store
        .run(&[&compute[..], &["--shard", "2/4", "--run", "r"]].concat())
        .assert()
        .success()
        .stderr(contains("done already"));
    store
        .run(&[&compute[..], &["--shard", "2/5", "--run", "r"]].concat())
        .assert()
        .failure()
        .stderr(contains("4 shards"));
    let room = "SELECT count(*), sum(CASE WHEN r.li = void(t.structure, 'ionic', 0.76) THEN 1 ELSE 0 END) FROM tmo t JOIN room r USING (id, structure_hash)";
    store.run(&["sql", room]).assert().failure().stderr(contains("room"));
    store.run(&["merge", "r"]).assert().success().stdout(contains("merged 4 shards of run r (snapshot"));
    store.run(&["merge", "r", "--remove"]).assert().success().stdout(contains("merged already"));
    let rows = csv(&store, "SELECT count(*) FROM tmo WHERE natoms <= 30").lines().nth(1).unwrap().to_owned();
    assert!(rows.parse::<u32>().unwrap() > 100, "{rows}");
    assert_eq!(csv(&store, room).lines().nth(1).unwrap(), format!("{rows},{rows}"));
    store.run(&["verify"]).assert().success().stdout(contains("all agree"));
}

#[test]
fn parts_of_an_export_are_the_whole() {
    let store = sample();
    let query =
        "SELECT id, structure_hash, predict_ef(structure) AS ef FROM tmo WHERE natoms <= 12 ORDER BY id LIMIT 50";
    let file = store.beside("ef.parquet");
    for number in ["1/3", "2/3", "3/3"] {
        store.run(&["export", query, "--to", &file, "--shard", number, "--run", "e"]).assert().success();
    }
    assert!(!Path::new(&file).exists());
    let all = (1..=3).map(|n| format!("SELECT * FROM '{}'", store.beside(&format!("ef-00{n}-of-003.parquet"))));
    let all = format!("SELECT * FROM ({}) ORDER BY id", all.collect::<Vec<_>>().join(" UNION ALL "));
    assert_eq!(csv(&store, &all), csv(&store, query));
    store.run(&["merge", "e"]).assert().success().stdout(contains("3 files with 50 rows"));
    let without = "SELECT id FROM tmo";
    let refused = ["export", without, "--to", &file, "--shard", "1/2", "--run", "f"];
    store.run(&refused).assert().failure().code(2).stderr(contains("structure_hash"));
}

#[test]
fn a_shard_that_was_killed_goes_on() {
    let store = sample();
    // A commit for each row, so that it is killed in the middle.
    let featurize = ["featurize", "--features", "void(ionic,0.5)", "--commit-every", "1"];
    let first = [&featurize[..], &["--shard", "1/2", "--run", "k"]].concat();
    let path = store.path();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_hollandite"))
        .args(["--store", path.to_str().unwrap()])
        .args(&first)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let values = path.join("shards/k/001-of-002/data/main/features_void_ionic_0_5");
    let begun = Instant::now();
    while std::fs::read_dir(&values).map_or(0, Iterator::count) < 5 {
        assert!(begun.elapsed() < Duration::from_secs(120) && child.try_wait().unwrap().is_none(), "nothing to kill");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    store.run(&["merge", "k"]).assert().failure().stderr(contains("not begun: shard 2 of 2"));
    store.stdout(&[&featurize[..4], &["1", "--shard", "2/2", "--run", "k"]].concat());
    store.run(&["merge", "k"]).assert().failure().stderr(contains("not finished: shard 1 of 2"));
    let again = store.stdout(&first);
    assert!(again.contains("already there"), "{again}");
    store.run(&["merge", "k", "--remove"]).assert().success();
    let counts = "SELECT count(*), count(DISTINCT t.id), min(CASE WHEN f.void_ionic_0_5 = void(t.structure, 'ionic', 0.5) THEN 1 ELSE 0 END)
                  FROM tmo t JOIN features f USING (id, structure_hash)";
    let computed = csv(&store, &format!("SET hollandite.features = false; {counts}"));
    let rows = csv(&store, "SELECT count(*) FROM tmo WHERE structure IS NOT NULL").lines().nth(1).unwrap().to_owned();
    assert!(computed.contains(&format!("{rows},{rows},1")), "{computed} of {rows}");
    store.run(&["verify"]).assert().success().stdout(contains("all agree"));
}
