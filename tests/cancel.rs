//! Work ends when it is no longer wanted: within a second after its stream is dropped, no thread of the process computes.
//! The processor time of the whole process is measured, so the tests take turns.

#![cfg(target_os = "linux")]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use common::{crystals, potential};
use futures::StreamExt;
use hollandite::crystal::Structure;
use hollandite::crystal::testing::{alpha_moo3, rutile, rutile_of, v2o5};
use hollandite::error::ModelError;
use hollandite::jobs::{FeaturizeOptions, featurize};
use hollandite::sql::{PropertyModel, Session};
use hollandite::stop::Stop;
use hollandite::store::{ImportOptions, Store};

static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A model that computes for 5 ms a crystal.
struct Slow;

impl PropertyModel for Slow {
    fn id(&self) -> &str {
        "slow"
    }

    fn predict(&self, structures: &[Structure]) -> Vec<Result<f64, ModelError>> {
        let answer = |_| {
            let begun = Instant::now();
            let mut x = 1.0_f64;
            while begun.elapsed() < Duration::from_millis(5) {
                x = (x + 1.0).sqrt();
            }
            Ok(x)
        };
        structures.iter().map(answer).collect()
    }
}

/// Seconds of processor time of this process so far.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    // User and system time, in the hundredths of a second that Linux counts in.
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

/// Fails where the process still computes a second after `what` was cancelled.
async fn assert_quiet(what: &str) {
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = cpu();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let used = cpu() - before;
    assert!(used < 0.15, "{what}: {used:.2} s of processor time in half a second, long after it was cancelled");
}

/// Reads a result for a while, and drops it.
async fn drop_midway(session: &Session, query: &str) {
    let frame = session.sql(query).await.unwrap();
    let mut stream = frame.execute_stream().await.unwrap();
    let begun = Instant::now();
    let while_reading = async {
        while let Some(batch) = stream.next().await {
            batch.unwrap();
        }
    };
    let read = tokio::time::timeout(Duration::from_millis(700), while_reading).await;
    assert!(read.is_err(), "{query}: was done before it could be cancelled");
    // An unoptimised step of sorting takes a while, and longer where other programs compute.
    assert!(begun.elapsed() < Duration::from_secs(4), "{query}: holds up its caller");
    drop(stream);
    assert_quiet(query).await;
}

async fn answer(session: Session, query: String) -> Result<Vec<RecordBatch>, hollandite::Error> {
    Ok(session.sql(&query).await?.collect().await?)
}

/// Runs a query under a sign, gives the sign, and waits for its end.
async fn stop(session: &Session, query: &str) {
    let sign = Stop::new();
    let work = tokio::spawn(sign.clone().over(answer(session.clone(), query.to_owned())));
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!work.is_finished(), "{query}: was done before it could be stopped");
    sign.give();
    let ended = tokio::time::timeout(Duration::from_secs(1), work).await.expect("it ends within a second");
    let error = ended.unwrap().unwrap_err().to_string();
    assert!(error.contains("the query was cancelled"), "{query}: {error}");
    assert_quiet(query).await;
}

/// A store with some crystals, a table of very many, and a small energy model.
async fn store(folder: &Path) -> (Store, Session) {
    let store = Store::init(&folder.join("store")).await.unwrap();
    let crystals = [rutile(), alpha_moo3(), v2o5()];
    let files = folder.join("crystals");
    std::fs::create_dir(&files).unwrap();
    for (i, crystal) in crystals.iter().enumerate() {
        let text = hollandite::formats::to_poscar(crystal, "crystal");
        std::fs::write(files.join(format!("POSCAR_{i}")), text).unwrap();
    }
    store.import(&[files], &ImportOptions::default(), &()).await.unwrap();
    let (net, card) = potential::chgnet(&["Ti", "Mo", "V", "O"], &[]);
    store.add_model(&net, &card).unwrap();
    let session = Session::open(&store, None).await.unwrap().with_model("slow", Arc::new(Slow));
    let copies = "CREATE TABLE big AS SELECT id || '-' || CAST(value AS VARCHAR) AS id, structure_hash, structure \
                  FROM tmo, generate_series(1, 3000)";
    session.sql(copies).await.unwrap().collect().await.unwrap();
    (store, session)
}

/// A session with a slow model and crystals of which no two are equal.
fn models() -> Session {
    let session = Session::without_store().with_model("slow", Arc::new(Slow));
    let rows: Vec<crystals::Row> =
        (0..2000).map(|i| (i.to_string(), "binary", None, Some(rutile_of("Ti", 1.0 + f64::from(i) * 1e-4)))).collect();
    session.context().register_batch("crystals", crystals::batch(&rows)).unwrap();
    session
}

const MANY: &str = "generate_series(1, 10000000)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_dropped_stops_computing() {
    let _alone = ALONE.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let (store, session) = store(folder.path()).await;
    for query in [
        // A cross join that an aggregate takes in; a join whose condition turns down every pair; three tables.
        format!("SELECT count(*), sum(a.value * b.value) FROM {MANY} a, {MANY} b"),
        format!("SELECT count(*) FROM {MANY} a, {MANY} b WHERE a.value * b.value = -1"),
        format!("SELECT count(*) FROM {MANY} a, {MANY} b, {MANY} c WHERE a.value + b.value + c.value = -1"),
        // Two keys, so that each row of one side meets half of the other.
        "SELECT count(*) FROM (SELECT value, value % 2 AS k FROM generate_series(1, 400000)) a JOIN (SELECT value, value % 2 AS k \
         FROM generate_series(1, 400000)) b ON a.k = b.k AND a.value * b.value < 0"
            .to_owned(),
        "SELECT max(r) FROM (SELECT row_number() OVER (ORDER BY value * 7919 % 1000003) AS r FROM generate_series(1, 20000000))"
            .to_owned(),
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT sum(n) FROM t".to_owned(),
        "SELECT sum(largest_free_sphere(structure)) FROM big".to_owned(),
        "SELECT sum(relax(structure, 1e-12, 100000)['energy']) FROM tmo".to_owned(),
        "SELECT count(*), sum(instability) FROM generate('Ti,Mo,V,O', 1000000)".to_owned(),
    ] {
        drop_midway(&session, &query).await;
    }
    let models = models();
    drop_midway(&models, "SELECT sum(predict_ef(structure, 'slow')) FROM crystals").await;
    stop(&models, "SELECT sum(predict_ef(structure, 'slow')) FROM crystals").await;
    for query in [
        format!("SELECT count(*) FROM {MANY} a, {MANY} b WHERE a.value * b.value = -1"),
        "SELECT sum(largest_free_sphere(structure)) FROM big".to_owned(),
        "SELECT sum(relax(structure, 1e-12, 100000)['energy']) FROM tmo".to_owned(),
        "SELECT count(*), sum(instability) FROM predict_structure('Ti2O4', 1000000)".to_owned(),
    ] {
        stop(&session, &query).await;
    }

    let options = FeaturizeOptions { features: vec!["soap_average".into()], table: "big".into(), ..Default::default() };
    let work = featurize(&session, &store, &options, &());
    assert!(tokio::time::timeout(Duration::from_millis(700), work).await.is_err(), "featurize was done before");
    assert_quiet("featurize").await;
}

/// What was broken off is no answer: nothing of it is kept, and the same query answers in full when it is asked again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_broken_off_is_not_kept() {
    let _alone = ALONE.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let (_store, session) = store(folder.path()).await;
    let insert =
        "INSERT INTO big SELECT id || 'x', CAST(largest_free_sphere(structure) AS VARCHAR), structure FROM big";
    let sign = Stop::new();
    let work = tokio::spawn(sign.clone().over(answer(session.clone(), insert.to_owned())));
    tokio::time::sleep(Duration::from_millis(400)).await;
    sign.give();
    assert!(work.await.unwrap().is_err());
    let rows = session.sql("SELECT structure_hash FROM big").await.unwrap().count().await.unwrap();
    assert_eq!(rows, 9000);
}
