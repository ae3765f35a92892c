//! What the gate lets through, and what it refuses or ends; hostile statements, and what grows, have files of their own.

mod growth;
mod hostile;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use arrow::util::pretty::pretty_format_batches;
use futures::StreamExt;

use super::*;
use crate::error::Kind::{self, Bad, Forbidden, Late, TooMuch};

/// What no answer may show.
const SECRET: &str = "the-secret-of-the-host";

/// A gate before a store with one crystal, beside files that it must not show.
struct Place {
    folder: tempfile::TempDir,
    gate: Gate,
    store: Store,
}

impl Place {
    async fn with(limits: Limits, allowed: Allowed) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["secret.csv", "secret.jsonl", "secret.cif", "secret.txt"] {
            std::fs::write(folder.path().join(name), format!("a\n{SECRET}\n")).unwrap();
        }
        let store = Store::init(&folder.path().join("store")).await.unwrap();
        crate::testing::fill(&store).await;
        let gate = Gate::open(&store, limits, allowed).await.unwrap();
        Self { folder, gate, store }
    }

    async fn new() -> Self {
        Self::within(Duration::from_millis(2500)).await
    }

    /// Of little memory and few places, with another clock: for what is refused for its size, however slow the machine.
    async fn within(timeout: Duration) -> Self {
        let limits = Limits { memory: 32 << 20, spill: 8 << 20, timeout, queries: 2, waiting: 2, ..Limits::default() };
        Self::with(limits, Allowed::default()).await
    }

    /// The rows as text, or why there are none.
    async fn ask(&self, question: impl Into<Question>) -> Result<String, Refusal> {
        let batches = self.gate.ask(question.into()).await?.collect().await?;
        Ok(pretty_format_batches(&batches).unwrap().to_string())
    }

    /// Why a statement is refused; it is soon.
    async fn refused(&self, statement: &str) -> Refusal {
        let began = std::time::Instant::now();
        let answer = self.ask(statement).await;
        assert!(began.elapsed() < Duration::from_secs(20), "{} took {:?}", shown(statement), began.elapsed());
        match answer {
            Err(refusal) => refusal,
            Ok(rows) => panic!("{} is answered\n{}", shown(statement), shown(&rows)),
        }
    }

    /// Every file but those in which SQLite keeps its turn, with what is in it.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        fn walk(folder: &Path, into: &mut BTreeMap<String, Vec<u8>>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.display().to_string();
                if path.is_dir() {
                    walk(&path, into);
                } else if !name.ends_with("-wal") && !name.ends_with("-shm") {
                    into.insert(name, std::fs::read(&path).unwrap());
                }
            }
        }
        let mut files = BTreeMap::new();
        walk(self.folder.path(), &mut files);
        files
    }

    /// Waits until nothing runs any more.
    async fn quiet(&self) {
        for _ in 0..3000 {
            if self.gate.load() == (0, 0) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{:?} still run and wait", self.gate.load());
    }

    /// Waits until nothing runs any more, and has the next one answered.
    async fn unharmed(&self) {
        self.quiet().await;
        assert!(self.ask("SELECT id FROM crystals").await.unwrap().contains("rutile"));
    }
}

/// The beginning of a text, without what makes it long.
fn shown(text: &str) -> String {
    text.chars().filter(|c| *c != 'x').take(200).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reads_is_answered() {
    let place = Place::new().await;
    let at_newest = format!("SELECT id FROM crystals AT (VERSION => {})", place.gate.newest_snapshot().unwrap());
    for (statement, shows) in [
        ("SELECT id, formula(structure) AS formula FROM crystals", "rutile"),
        ("SELECT round(density(structure), 1) AS d FROM crystals", "4.3"),
        ("SELECT predict_ef(structure, 'cgcnn') < 0 AS stable FROM crystals", "true"),
        ("WITH a AS (SELECT 1 AS x UNION ALL SELECT 2) SELECT sum(x) FROM a", "3"),
        ("SELECT count(*) FROM generate_series(1, 1000)", "1000"),
        ("SELECT count(*) AS n FROM most_similar('rutile', 2, 'crystals')", "| 0 |"),
        ("SELECT count(DISTINCT spacegroup) AS n FROM generate('Sn,O', 5, table => 'crystals')", "| 1 |"),
        ("SELECT DISTINCT formula FROM predict_structure('SnO2', 5, table => 'crystals')", "SnO2"),
        ("SELECT formula(tunnels('Mn', 2, 2)) AS hollandite", "Mn4O8"),
        ("SELECT adsorption_potential(-12.0, -9.0, -1.5, 1.0) AS v", "1.5"),
        ("SHOW TABLES", "crystals"),
        ("DESCRIBE crystals", "structure"),
        ("SELECT table_name FROM information_schema.tables", "crystals"),
        ("SELECT * FROM snapshots", "snapshot"),
        (at_newest.as_str(), "rutile"),
        ("SELECT id FROM crystals TABLESAMPLE (10 ROWS)", "rutile"),
        ("EXPLAIN SELECT id FROM crystals WHERE void(structure) > 0.1", "void"),
        ("EXPLAIN ANALYZE SELECT id FROM crystals", "metrics"),
        ("WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT max(i) FROM n", "5"),
        ("SELECT first_value(id) OVER (ORDER BY id) AS f FROM crystals", "rutile"),
        ("SELECT approx_percentile_cont(0.5, 50) WITHIN GROUP (ORDER BY value) AS m FROM generate_series(1, 3)", "2"),
        ("SELECT max(id) AS m FROM crystals GROUP BY natoms(structure) ORDER BY m LIMIT 1000000000000", "rutile"),
        ("SELECT CAST([1, 2] AS BIGINT[2]) AS a", "[1, 2]"),
        // What functions and `||` make is bounded, and what they answer is what it was.
        ("SELECT id || '!' FROM crystals GROUP BY id || '!'", "rutile!"),
        ("SELECT ('a' || NULL) IS NULL AS n, 1 || 'a' AS m, [1] || 2 AS o", "| true | 1a | [1, 2] |"),
        ("SELECT concat(replace(id, 'r', 'R'), '-', upper(left(id, 2))) AS a FROM crystals", "Rutile-RU"),
        ("SELECT count(*) AS n FROM crystals WHERE id ~ ('^r' || 'u') AND regexp_like(id, 'le$')", "| 1 |"),
        ("SELECT count(*) AS n FROM crystals WHERE id LIKE ('r' || '%') AND id ILIKE 'R_t%'", "| 1 |"),
        ("SELECT array_to_string(array_agg(value), ',') AS a FROM generate_series(1, 3)", "1,2,3"),
        ("SELECT coalesce(NULL, struct(1, 'a')['c1'], 'b') AS a, now() IS NOT NULL AS b", "| a | true |"),
        ("SELECT count(DISTINCT uuid()) AS n FROM generate_series(1, 20000)", "20000"),
        ("SELECT 1;", "1"),
    ] {
        let rows = place.ask(statement).await.unwrap_or_else(|refusal| panic!("{statement}: {refusal:?}"));
        assert!(rows.contains(shows), "{statement}\n{rows}");
        let folder = place.folder.path().display().to_string();
        assert!(!rows.contains(folder.trim_start_matches('/')), "{statement} shows {folder}\n{rows}");
    }
    let named = Question {
        values: Values::Named(vec![("id".into(), sql::Bound::Text("'; DROP TABLE crystals; --".into()))]),
        ..Question::from("SELECT count(*) AS n FROM crystals WHERE id = :id")
    };
    assert!(place.ask(named).await.unwrap().contains("| 0 |"));
    // A model that is asked again answers from the store's memory.
    let cached = place.ask("SELECT count(*) AS n FROM predictions").await.unwrap();
    assert!(cached.contains("| 1 |"), "{cached}");
}

#[tokio::test(flavor = "multi_thread")]
async fn options_and_snapshots_are_those_of_the_request() {
    let place = Place::new().await;
    let with = |name: &str, value: &str| Question {
        options: vec![(name.into(), value.into())],
        ..Question::from("SHOW hollandite.model")
    };
    assert!(place.ask(with("model", "cgcnn")).await.unwrap().contains("cgcnn"));
    assert!(!place.ask("SHOW hollandite.model").await.unwrap().contains("cgcnn"), "an option stayed");
    for (name, value) in [("batch_atoms", "1"), ("catalog.default_schema", "x"), ("coverage", "much")] {
        assert_eq!(place.ask(with(name, value)).await.unwrap_err().kind, Bad, "{name}");
    }
    let path = place.folder.path().join("secret.txt").display().to_string();
    let by_path = Question {
        options: vec![("model".into(), path)],
        ..Question::from("SELECT predict_ef(structure) FROM crystals")
    };
    assert_eq!(place.ask(by_path).await.unwrap_err().kind, Bad);

    let newest = place.gate.newest_snapshot().unwrap();
    let at = |snapshot| Question { snapshot: Some(snapshot), ..Question::from("SELECT id FROM crystals") };
    assert_eq!(place.gate.ask(at(newest)).await.unwrap().snapshot(), newest);
    assert_eq!(place.ask(at(newest + 7)).await.unwrap_err().kind, Bad);
    // Others write on: the newest snapshot is the newest of the moment.
    let writer = Session::open(&place.store, None).await.unwrap();
    writer.sql("CREATE TABLE later AS SELECT 1 AS a").await.unwrap().collect().await.unwrap();
    assert_eq!(place.gate.ask("SELECT a FROM later".into()).await.unwrap().snapshot(), newest + 1);
    assert_eq!(
        place.ask(Question { snapshot: Some(newest), .."SELECT a FROM later".into() }).await.unwrap_err().kind,
        Bad
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_beyond_the_bound_are_refused_and_streams_are_not_bounded() {
    let place = Place::new().await;
    let ask = async |most: Option<usize>| {
        let answer = place.gate.ask("SELECT value FROM generate_series(1, 20000)".into()).await.unwrap();
        let answer = if let Some(most) = most { answer.at_most(most) } else { answer };
        answer.collect().await.map(|batches| batches.iter().map(arrow::array::RecordBatch::num_rows).sum::<usize>())
    };
    assert_eq!(ask(Some(19_999)).await.unwrap_err().kind, TooMuch);
    assert_eq!(ask(Some(20_000)).await.unwrap(), 20_000);
    assert_eq!(ask(None).await.unwrap(), 20_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_away_or_cancels_ends_what_ran_for_him() {
    let limits = Limits { queries: 1, waiting: 1, timeout: Duration::from_secs(60), ..Limits::default() };
    let place = Place::with(limits, Allowed::default()).await;
    const ENDLESS: &str = "SELECT count(*) FROM generate_series(1, 100000000) a JOIN generate_series(1, 100000000) b ON a.value < b.value";
    // Gone before the first row.
    let gate = place.gate.clone();
    let gone = tokio::spawn(async move { gate.ask(ENDLESS.into()).await?.collect().await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(place.gate.load().0, 1);
    // The queue holds one, and the third is turned away at once.
    let gate = place.gate.clone();
    let waits = tokio::spawn(async move { gate.ask("SELECT 1".into()).await?.collect().await });
    while place.gate.load().1 == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(place.ask("SELECT 1").await.unwrap_err().kind, Kind::Busy);
    gone.abort();
    waits.await.unwrap().unwrap();
    place.quiet().await;
    // Cancelled by the handle of its planner.
    let planned = place.gate.plan(ENDLESS.into()).await.unwrap();
    let stop = planned.stop.clone();
    let mut answer = place.gate.run(planned).await.unwrap();
    let cancelled = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        stop.give();
    };
    let (next, ()) = tokio::join!(answer.next(), cancelled);
    assert_eq!(next.unwrap().unwrap_err().kind, Kind::Cancelled);
    assert!(answer.next().await.is_none());
    place.quiet().await;
    let many = futures::stream::iter(0..20).map(|i| {
        let gate = place.gate.clone();
        async move { gate.ask(format!("SELECT {i}").as_str().into()).await?.collect().await }
    });
    let busy = many.buffer_unordered(20).filter(|done| futures::future::ready(done.is_err())).count().await;
    assert!(busy > 0 && busy < 20, "{busy} of 20 were turned away");
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_asked_no_longer_than_until_the_deadline() {
    let place = Place::with(Limits { timeout: Duration::from_secs(2), ..Limits::default() }, Allowed::default()).await;
    // Rutile, larger from row to row: no two crystals are the same.
    let poscar = crate::testing::rutile();
    let rest = poscar.splitn(3, '\n').nth(2).unwrap();
    let text = format!(
        "SELECT sum(predict_ef(structure(concat('x', chr(10), 1.0 + value / 1000000.0, chr(10), '{rest}')), 'cgcnn')) AS sum \
         FROM generate_series(1, 1000000)"
    );
    let question = Question { options: vec![("cache".into(), "false".into())], ..Question::from(text.as_str()) };
    let began = std::time::Instant::now();
    assert_eq!(place.ask(question).await.unwrap_err().kind, Late);
    assert!(began.elapsed() < Duration::from_secs(20), "it took {:?}", began.elapsed());
    place.unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_is_whole_or_refused() {
    let place = Place::with(Limits { queries: 1, waiting: 0, ..Limits::default() }, Allowed::default()).await;
    let (_, whole) = crate::catalog::tables(&place.gate).await.unwrap();
    assert!(whole.iter().any(|table| table.name == "crystals"));
    let gate = place.gate.clone();
    let others = tokio::spawn(async move {
        loop {
            // Now and then it has the only place.
            drop(gate.ask("SELECT 1".into()).await);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    for _ in 0..30 {
        match crate::catalog::tables(&place.gate).await {
            Ok((_, tables)) => assert_eq!(tables, whole),
            Err(refusal) => assert_eq!(refusal.kind, Kind::Busy),
        }
    }
    others.abort();
    // Where no place is free there is no listing.
    let _ = others.await;
    place.quiet().await;
    let held = place.gate.ask("SELECT value FROM generate_series(1, 100000000)".into()).await.unwrap();
    assert_eq!(crate::catalog::tables(&place.gate).await.unwrap_err().kind, Kind::Busy);
    drop(held);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_not_fetched_block_others_until_the_deadline_only() {
    let limits = Limits { queries: 1, waiting: 1, timeout: Duration::from_secs(2), ..Limits::default() };
    let place = Place::with(limits, Allowed::default()).await;
    let mut idle = place.gate.ask("SELECT value FROM generate_series(1, 100000000)".into()).await.unwrap();
    assert!(idle.next().await.unwrap().is_ok());
    assert_eq!(place.gate.load().0, 1);
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(place.gate.load().0, 0, "rows that nobody takes keep their place");
    assert!(place.ask("SELECT 1 AS a").await.unwrap().contains("| 1 |"));
    // Half of the rows do not pass for all of them.
    assert_eq!(idle.next().await.unwrap().unwrap_err().kind, Kind::Late);
    assert!(idle.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_allowed_is_let_through_to_the_models() {
    let place = Place::with(Limits::default(), Allowed { relax: true, ..Allowed::default() }).await;
    // There is no energy model in the store: the refusal comes from behind the gate.
    let refusal = place.ask("SELECT relax(structure) FROM crystals").await.unwrap_err();
    assert_eq!(refusal.kind, Bad);
    assert!(refusal.message.contains("chgnet") && !refusal.message.contains("--allow"), "{}", refusal.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_kept_where_it_is_said_so() {
    let place = Place::with(Limits::default(), Allowed { keep_nothing: true, ..Allowed::default() }).await;
    let files = place.files();
    let answer = place.ask("SELECT predict_ef(structure, 'cgcnn') < 0 AS stable FROM crystals").await.unwrap();
    assert!(answer.contains("true"), "{answer}");
    assert!(place.ask("SELECT count(*) AS n FROM predictions").await.unwrap().contains("| 0 |"));
    assert!(place.files() == files, "a file has changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_training_runs_at_a_time_and_ends_with_its_client() {
    let place = Place::with(Limits::default(), Allowed { train: true, ..Allowed::default() }).await;
    crate::testing::fill_labelled(&place.store).await;
    let asked = || {
        let asked = serde_json::json!({ "network": "cgcnn", "table": "hosts", "target": "density", "epochs": 10_000 });
        serde_json::from_value::<Training>(asked).unwrap()
    };
    let mut course = place.gate.train(asked()).await.unwrap();
    // What is said before the first epoch are notes.
    while !course.next().await.unwrap().unwrap()["validation_mae"].is_number() {}
    assert_eq!(place.gate.train(asked()).await.err().unwrap().kind, Kind::Busy);
    // Queries are answered meanwhile.
    assert!(place.ask("SELECT id FROM crystals").await.unwrap().contains("rutile"));
    let folders = || std::fs::read_dir(place.store.models_folder()).unwrap().count();
    assert_eq!(folders(), 1);
    drop(course);
    for _ in 0..600 {
        if folders() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(folders(), 0, "it goes on for nobody");
    let mut next = loop {
        match place.gate.train(asked()).await {
            Ok(course) => break course,
            Err(refusal) => assert_eq!(refusal.kind, Kind::Busy),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(next.next().await.unwrap().is_ok());
    place.gate.end_training().await;
    while let Some(said) = next.next().await {
        assert!(said.is_ok() || said == Err(Refusal::new(Kind::Cancelled, "the training was ended")), "{said:?}");
    }
    assert_eq!(folders(), 0, "the server has ended, and left a folder");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_left_that_was_killed_goes_with_the_next_start() {
    let place = Place::new().await;
    let models = place.store.models_folder();
    let folder = |name: &str, begun: bool| {
        std::fs::create_dir_all(models.join(name)).unwrap();
        std::fs::write(models.join(name).join("best.safetensors.zst"), "weights").unwrap();
        begun.then(|| std::fs::File::create(models.join(name).join(".begun")).unwrap())
    };
    folder("killed", true);
    folder("ours", false);
    let running = folder("running", true).unwrap();
    running.lock().unwrap();
    let open = async |train| {
        Gate::open(&place.store, Limits::default(), Allowed { train, ..Allowed::default() }).await.unwrap();
        let mut names: Vec<_> = std::fs::read_dir(&models).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(open(false).await, ["killed", "ours", "running"], "who trains nothing removes nothing");
    assert_eq!(open(true).await, ["ours", "running"]);
}
