//! A job in shards is the same job: merged, its tables are those of one run, row for row. A shard that is missing, unfinished, there
//! twice or unlike the others is refused by its name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::util::pretty::pretty_format_batches;
use hollandite::crystal::Element;
use hollandite::jobs::{self, ComputeOptions, EnumerateOptions, EvaluateOptions, FeaturizeOptions};
use hollandite::sql::Session;
use hollandite::stability::CandidateOptions;
use hollandite::store::{ImportOptions, Shard, Store};

use crate::common::crystals::Counting;

const ROWS: usize = 240;
const SHARDS: u32 = 4;

/// Rutile-like cells, all unlike, with labels; every tenth crystal comes under two names.
fn crystals(rows: usize) -> String {
    let metals = ["Ti", "V", "Cr", "Mn", "Nb", "Mo", "W", "Ru"];
    let line = |i: usize| {
        let crystal = if i % 10 == 9 { i - 1 } else { i };
        let (metal, a, energy) = (metals[crystal % 8], 4.5 + crystal as f64 * 1e-3, -2.0 - i as f64 * 1e-3);
        format!(
            r#"{{"id":"x{i:04}","formation_energy_per_atom":{energy},"lattice":[[{a},0,0],[0,{a},0],[0,0,2.96]],"species":["{metal}","{metal}","O","O","O","O"],"frac_coords":[[0,0,0],[0.5,0.5,0.5],[0.305,0.305,0],[0.695,0.695,0],[0.195,0.805,0.5],[0.805,0.195,0.5]]}}"#
        ) + "\n"
    };
    (0..rows).map(line).collect()
}

async fn store(path: &Path) -> Store {
    let store = Store::init(path).await.unwrap();
    let file = path.with_extension("jsonl");
    std::fs::write(&file, crystals(ROWS)).unwrap();
    store.import(&[file], &ImportOptions::default(), &()).await.unwrap();
    store
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &target) } else { std::fs::copy(&path, &target).map(drop).unwrap() }
    }
}

async fn session(store: &Store) -> Session {
    Session::open(store, None).await.unwrap().with_model("counting", Counting::new("counting-1"))
}

async fn text(session: &Session, sql: &str) -> String {
    let frame = session.sql(sql).await.unwrap_or_else(|e| panic!("{sql}\n{e}"));
    pretty_format_batches(&frame.collect().await.unwrap()).unwrap().to_string()
}

fn shard(number: u32) -> Shard {
    Shard::new(number, SHARDS).unwrap()
}

fn nothing<K, V>() -> BTreeMap<K, V> {
    BTreeMap::new()
}

/// One of the jobs, over the whole store or in a shard.
async fn job(name: &str, session: &Session, store: &Store, shard: Option<Shard>) {
    let condition = shard.map(|shard| shard.condition("structure_hash"));
    match name {
        "featurize" => {
            let features = vec!["void(ionic,0.3),fingerprint".into()];
            let options = FeaturizeOptions { features, condition, commit_rows: 25, ..FeaturizeOptions::default() };
            jobs::featurize(session, store, &options, &()).await.map(drop).unwrap();
        }
        "evaluate" => {
            let (model, table) = ("counting".into(), "tmo".into());
            let options = EvaluateOptions { model, table, target: None, condition, coverage: 0.9, unlabelled: true };
            jobs::evaluate(session, store, &options, &()).await.map(drop).unwrap();
        }
        "enumerate" => {
            let elements = ["Ti", "Zr", "Sn", "V", "Mn", "Ge", "Hf", "Pb", "Si", "Ce"];
            let options = EnumerateOptions {
                prototypes: "SELECT id, structure FROM tmo ORDER BY id LIMIT 3".into(),
                candidates: CandidateOptions {
                    elements: elements.iter().map(|symbol| Element::from_symbol(symbol).unwrap()).collect(),
                    orderings: 4,
                    cells: 2,
                    replaced: None,
                    radius_change: None,
                    limit: None,
                },
                into: "candidates".into(),
                against: vec!["tmo".into()],
                dry_run: false,
                shard,
            };
            jobs::enumerate(session, store, &options, &()).await.map(drop).unwrap();
        }
        "compute" => {
            let columns = [
                "void(structure, 'vdw', 0.2) AS open",
                "2 * natoms AS twice",
                "predict_ef(structure, 'counting') AS ef",
            ];
            let condition = condition.map_or("id < 'x0200'".into(), |shard| format!("(id < 'x0200') AND {shard}"));
            let options = ComputeOptions {
                columns: columns.map(String::from).to_vec(),
                condition: Some(condition),
                into: "opened".into(),
                commit_rows: 20,
                ..ComputeOptions::default()
            };
            jobs::compute(session, store, &options, &()).await.map(drop).unwrap();
        }
        other => panic!("{other}"),
    }
}

/// A job in all of its shards, one after the other.
async fn in_shards(store: &Store, name: &str) {
    for number in 1..=SHARDS {
        let branch = store.branch(name, shard(number), name).await.unwrap();
        let (place, session) = (branch.store().clone(), session(branch.store()).await);
        job(name, &session, &place, Some(shard(number))).await;
        let done = branch.finish(session.loaded_models(), nothing()).unwrap();
        assert!(done.rows() > 0, "shard {number} of {name} has rows: {done:?}");
        assert!(place.verify().await.unwrap().is_clean());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn merged_shards_are_what_one_run_makes() {
    let dir = tempfile::tempdir().unwrap();
    let one = store(&dir.path().join("one")).await;
    copy(one.dir(), &dir.path().join("many"));
    let many = Store::open(&dir.path().join("many")).await.unwrap();
    for (name, query) in [
        ("featurize", "SELECT * FROM features ORDER BY id, structure_hash"),
        ("evaluate", "SELECT * FROM predictions ORDER BY id, structure_hash"),
        ("enumerate", "SELECT * FROM candidates ORDER BY id, structure_hash"),
        ("compute", "SELECT * FROM opened ORDER BY id, structure_hash"),
    ] {
        job(name, &session(&one).await, &one, None).await;
        let before = many.snapshots().unwrap().len();
        in_shards(&many, name).await;
        assert_eq!(many.snapshots().unwrap().len(), before, "{name}: a shard writes nothing to the store");
        let merged = many.merge_run(name, false, &()).await.unwrap();
        assert!(!merged.merged_before && merged.present == 0, "{merged:?}");
        let expected = text(&session(&one).await, query).await;
        assert!(expected.lines().count() > 100, "{name}:\n{expected}");
        assert_eq!(text(&session(&many).await, query).await, expected, "{name}");
        // The rows come in one snapshot; only a table of features is made before it.
        let messages = many.snapshots().unwrap().split_off(before);
        let merges = messages.iter().filter(|s| s.message.as_ref().is_some_and(|m| m.starts_with("merge run"))).count();
        let made = if name == "featurize" { 2 } else { 0 };
        assert_eq!((messages.len(), merges), (made + usize::from(name != "evaluate"), usize::from(name != "evaluate")));
        assert_eq!(merged.snapshot, (merges == 1).then(|| many.snapshots().unwrap().pop().unwrap().id));
        // A merge that is killed before it says that it is done.
        std::fs::remove_file(many.dir().join("shards").join(name).join("merged.json")).unwrap();
        let resumed = many.merge_run(name, false, &()).await.unwrap();
        assert!(!resumed.merged_before && resumed.snapshot == merged.snapshot, "{resumed:?}");
        // Again, in its branches and after them.
        let again = many.merge_run(name, true, &()).await.unwrap();
        assert!(again.merged_before && again.snapshot == merged.snapshot, "{again:?}");
        let again = many.merge_run(name, true, &()).await.unwrap();
        assert!(again.to_string().contains("merged already"), "{again}");
        assert_eq!(many.snapshots().unwrap().len(), before + messages.len());
        let error = many.branch(name, shard(1), name).await.unwrap_err().to_string();
        assert!(error.contains("merged already"), "{error}");
        assert_eq!(text(&session(&many).await, query).await, expected, "{name}");
    }
    for query in [
        "SELECT name, featurizer, rows, nulls, seconds > 0 AS timed FROM featurizers",
        "SELECT table_name, state, sum(added) AS added FROM imports GROUP BY 1, 2 ORDER BY 1",
        "SELECT c.column_name, c.data_type FROM information_schema.columns c WHERE table_name IN ('candidates', 'opened') ORDER BY 1",
    ] {
        assert_eq!(text(&session(&many).await, query).await, text(&session(&one).await, query).await, "{query}");
    }
    let comments = |store: &Store| -> i64 {
        let connection = rusqlite::Connection::open(store.dir().join("catalog.sqlite")).unwrap();
        connection.query_row("SELECT count(*) FROM ducklake_column_tag", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(comments(&many), comments(&one), "columns are explained as they are elsewhere");
    for store in [&one, &many] {
        let report = store.verify().await.unwrap();
        assert!(report.is_clean() && report.checksums == report.files && report.leftovers.is_empty(), "{report}");
    }
    // What was computed is known: nothing is asked again.
    let counting = Counting::new("counting-1");
    let known = Session::open(&many, None).await.unwrap().with_model("counting", counting.clone());
    text(&known, "SELECT predict_ef(structure, 'counting') FROM tmo").await;
    assert_eq!(counting.take().1, 0);
}

/// A run of four shards that compute, none of which is merged.
async fn run_of_four(dir: &Path) -> (Store, PathBuf) {
    let store = store(&dir.join("store")).await;
    in_shards(&store, "compute").await;
    let folder = store.dir().join("shards/compute");
    (store, folder)
}

fn edit(shard: &Path, from: &str, to: &str) {
    let file = shard.join("shard.json");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    std::fs::write(&file, text.replace(from, to)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn shards_that_do_not_belong_together_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let (store, folder) = run_of_four(dir.path()).await;
    let refused = async |words: &[&str]| {
        let before = store.snapshots().unwrap().len();
        let error = store.merge_run("compute", false, &()).await.unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{words:?} in {error}");
        assert_eq!(store.snapshots().unwrap().len(), before);
    };
    let (second, third) = (folder.join("002-of-004"), folder.join("003-of-004"));
    let away = dir.path().join("away");
    std::fs::rename(&second, &away).unwrap();
    refused(&["run compute", "not begun: shard 2 of 4"]).await;
    std::fs::rename(&away, &second).unwrap();

    copy(&second, &folder.join("copied"));
    refused(&["shard 2 is there twice", "002-of-004", "copied"]).await;
    std::fs::remove_dir_all(folder.join("copied")).unwrap();

    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    for (from, to, words) in [
        (version.as_str(), "\"version\": \"0.0.1\"", &["shard 3", "version 0.0.1"][..]),
        (
            "\"command\": \"compute\"",
            "\"command\": \"compute more\"",
            &["shard 3", "asks something else", "compute more"][..],
        ),
        ("\"snapshot\": ", "\"snapshot\": 1", &["shard 3", "begins from snapshot"][..]),
        ("counting-1", "counting-2", &["model counting is counting-1 in shard 1 and counting-2 in shard 3"][..]),
        ("\"shards\": 4", "\"shards\": 5", &["shard 3 is one of 5"][..]),
    ] {
        edit(&third, from, to);
        refused(words).await;
        edit(&third, to, from);
    }
    let whole = [&second, &third].map(|shard| std::fs::read_to_string(shard.join("shard.json")).unwrap());
    for (shard, text) in [&second, &third].into_iter().zip(&whole) {
        let finished = text.lines().find(|line| line.contains("\"finished\"")).unwrap();
        edit(shard, finished, "  \"finished\": null,");
    }
    refused(&["not finished: shards 2 and 3 of 4", "run them again"]).await;

    // Whole again, all of it goes in.
    for (shard, text) in [&second, &third].into_iter().zip(&whole) {
        std::fs::write(shard.join("shard.json"), text).unwrap();
    }
    assert_eq!(store.merge_run("compute", false, &()).await.unwrap().tables["opened"], 200);
    let error = store.merge_run("other", false, &()).await.unwrap_err().to_string();
    assert!(error.contains("run other") && error.contains("the store has compute"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_that_asks_something_else_does_not_begin() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir.path().join("store")).await;
    // All at once: one of them begins the run.
    let begun = futures::future::join_all((1..=SHARDS).map(|number| store.branch("r", shard(number), "job"))).await;
    let begun: Vec<_> = begun.into_iter().map(Result::unwrap).collect();
    assert!(begun.iter().all(|branch| branch.manifest().plan == begun[0].manifest().plan));
    assert_eq!(begun[0].store().models_folder(), store.models_folder());
    let refused = async |run: &str, shard: Shard, command: &str, words: &str| {
        let error = store.branch(run, shard, command).await.unwrap_err().to_string();
        assert!(error.contains(words), "{words} in {error}");
    };
    refused("r", shard(1), "job", "another process works on shard 1/4").await;
    let held = begun[0].store().clone();
    drop(begun);
    refused("r", shard(1), "other job", "asks something else").await;
    refused("r", Shard::new(1, 8).unwrap(), "job", "the run has 4 shards").await;
    refused("a/b", shard(1), "job", "a name has letters").await;
    let error = held.branch("r", shard(1), "job").await.unwrap_err().to_string();
    assert!(error.contains("branch of a shard itself"), "{error}");
    let error = store.merge_run("r", false, &()).await.unwrap_err().to_string();
    assert!(error.contains("not finished: shards 1, 2, 3 and 4 of 4"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_after_the_store_has_moved_and_grown() {
    let dir = tempfile::tempdir().unwrap();
    let first = store(&dir.path().join("first")).await;
    for number in [1, 2] {
        let branch = first.branch("r", shard(number), "compute").await.unwrap();
        let (place, session) = (branch.store().clone(), session(branch.store()).await);
        job("compute", &session, &place, Some(shard(number))).await;
        if number == 2 {
            branch.finish(nothing(), nothing()).unwrap();
        }
    }
    drop(first);
    let moved = dir.path().join("jürgen's store");
    std::fs::rename(dir.path().join("first"), &moved).unwrap();
    let store = Store::open(&moved).await.unwrap();
    // What the store gets meanwhile is not seen by the run, and stays.
    let file = dir.path().join("more.jsonl");
    std::fs::write(&file, crystals(ROWS).replace("\"x", "\"a")).unwrap();
    store.import(&[file], &ImportOptions::default(), &()).await.unwrap();
    job("compute", &session(&store).await, &store, Some(shard(1))).await;
    for number in [1, 3, 4] {
        let branch = store.branch("r", shard(number), "compute").await.unwrap();
        let (place, session) = (branch.store().clone(), session(branch.store()).await);
        assert!(text(&session, "SELECT count(*) FROM tmo").await.contains(&ROWS.to_string()));
        job("compute", &session, &place, Some(shard(number))).await;
        branch.finish(nothing(), nothing()).unwrap();
    }
    let merged = store.merge_run("r", true, &()).await.unwrap();
    assert!(merged.present > 0 && merged.present < 200, "{merged}");
    let session = session(&store).await;
    let counts = text(
        &session,
        "SELECT count(*) FILTER (WHERE id LIKE 'x%') AS n, count(*) - count(DISTINCT id) AS twice FROM opened",
    )
    .await;
    assert!(counts.contains("| 200 | 0 "), "{counts}");
    assert!(store.verify().await.unwrap().is_clean());
}
