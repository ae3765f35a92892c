//! Who knocks with bad intentions: each is refused, with nothing written, nothing shown, and nothing left running.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use arrow::util::pretty::pretty_format_batches;
use futures::StreamExt;

use super::*;
use crate::error::Kind::{self, Bad, Forbidden, Late, TooMuch};

/// What no answer may show.
const SECRET: &str = "the-secret-of-the-host";

/// A gate before a store with one crystal, beside files that are nobody's business.
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
}

/// What changes something.
const WRITES: &[&str] = &[
    "CREATE TABLE x AS SELECT 1",
    "CREATE TABLE x (a INT)",
    "CREATE OR REPLACE TABLE crystals AS SELECT 1",
    "CREATE VIEW v AS SELECT 1",
    "CREATE TEMPORARY VIEW v AS SELECT 1",
    "CREATE SCHEMA s",
    "CREATE DATABASE d",
    "CREATE EXTERNAL TABLE e STORED AS CSV LOCATION '{folder}/secret.csv'",
    "CREATE UNBOUNDED EXTERNAL TABLE e (a TEXT) STORED AS CSV LOCATION '{folder}/secret.csv'",
    "CREATE FUNCTION f(BIGINT) RETURNS BIGINT RETURN $1 + 1",
    "CREATE INDEX i ON crystals (id)",
    "DROP TABLE crystals",
    "DROP TABLE IF EXISTS crystals",
    "DROP VIEW IF EXISTS features",
    "DROP SCHEMA main CASCADE",
    "INSERT INTO crystals (id) VALUES ('x')",
    "INSERT INTO crystals SELECT * FROM crystals",
    "INSERT OVERWRITE crystals SELECT * FROM crystals",
    "UPDATE crystals SET id = 'x'",
    "DELETE FROM crystals",
    "TRUNCATE TABLE crystals",
    "MERGE INTO crystals USING crystals AS o ON crystals.id = o.id WHEN MATCHED THEN DELETE",
    "ALTER TABLE crystals ADD COLUMN x INT",
    "ALTER TABLE crystals RENAME TO y",
    "COMMENT ON TABLE crystals IS 'x'",
    "COPY (SELECT 1) TO '{folder}/out.csv'",
    "COPY crystals TO '{folder}/out.parquet'",
    "COPY (SELECT 1) TO '{folder}/out' STORED AS JSON",
    "EXPLAIN COPY (SELECT 1) TO '{folder}/out.csv'",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{folder}/out.csv'",
    "EXPLAIN INSERT INTO crystals (id) VALUES ('x')",
    "EXPLAIN ANALYZE INSERT INTO crystals (id) VALUES ('x')",
    "EXPLAIN ANALYZE DELETE FROM crystals",
    "EXPLAIN CREATE TABLE x AS SELECT 1",
    "WITH a AS (SELECT 1) INSERT INTO crystals (id) SELECT 'x' FROM a",
    "SELECT 1 AS a INTO x",
    "SET hollandite.model = 'cgcnn'",
    "SET datafusion.execution.batch_size = 1",
    "SET datafusion.runtime.memory_limit = '900G'",
    "SET TIME ZONE 'UTC'",
    "RESET datafusion.execution.batch_size",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "DEALLOCATE p",
    "BEGIN",
    "START TRANSACTION",
    "COMMIT",
    "ROLLBACK",
    "USE other",
    "ATTACH '{folder}/secret.csv' AS other",
    "INSTALL httpfs",
    "LOAD httpfs",
    "PRAGMA database_list",
    "CALL something()",
    "GRANT ALL ON crystals TO everybody",
    "VACUUM",
    "ANALYZE TABLE crystals COMPUTE STATISTICS",
    "KILL 1",
    "SELECT 1; DROP TABLE crystals",
    "SELECT 1; SELECT 2",
    "",
    "-- nothing",
];

/// What opens a file, while it is planned or later.
const FILES: &[&str] = &[
    "SELECT * FROM read_csv('{folder}/secret.csv')",
    "SELECT * FROM read_json('{folder}/secret.jsonl')",
    "SELECT * FROM read_parquet('{folder}/store/data/main/crystals/*.parquet')",
    "SELECT * FROM read_structures('{folder}/secret.cif')",
    "SELECT * FROM read_structures('{folder}')",
    "SELECT * FROM TABLE(read_csv('{folder}/secret.csv'))",
    "SELECT * FROM LATERAL read_csv('{folder}/secret.csv')",
    "SELECT * FROM '{folder}/secret.csv'",
    "SELECT * FROM '{folder}/secret.txt'",
    "SELECT * FROM \"{folder}/secret.csv\"",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM \"/etc/passwd\"",
    "SELECT * FROM 'file:///etc/passwd'",
    "SELECT * FROM 'https://localhost/x.parquet'",
    "EXPLAIN SELECT * FROM read_csv('{folder}/secret.csv')",
    "SELECT (SELECT count(*) FROM read_csv('{folder}/secret.csv'))",
    "WITH a AS (SELECT * FROM read_csv('{folder}/secret.csv')) SELECT 1",
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM read_csv('{folder}/secret.csv'))",
    "SELECT id FROM crystals UNION ALL SELECT * FROM '{folder}/secret.csv'",
    "SELECT * FROM crystals JOIN '{folder}/secret.csv' AS s ON true",
    "DESCRIBE '{folder}/secret.csv'",
    "SELECT predict_ef(structure, '{folder}/secret.txt') FROM crystals",
    "SELECT predict_ef(structure, '{folder}/none.txt') FROM crystals",
    "SELECT predict_ef(structure, '{folder}') FROM crystals",
    "SELECT predict(structure, '{folder}/secret.txt') FROM crystals",
    "SELECT predict_ef(structure, '../../store/secret.txt') FROM crystals",
    "SELECT predict_energy(structure, '{folder}/secret.txt') FROM crystals",
    "SELECT predict_forces(structure, '/etc/passwd') FROM crystals",
    "EXPLAIN SELECT predict_ef(structure, '/etc/passwd') FROM crystals",
    "SELECT formation_energy('TiO2', -9.0, '/etc/passwd')",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM ducklake_snapshot",
    "SELECT * FROM other.main.crystals",
    "SELECT * FROM crystals AT (VERSION => 99999)",
    "SELECT * FROM crystals AT (VERSION => -1)",
    "SELECT * FROM crystals AT (VERSION => 9223372036854775808)",
    "SELECT * FROM most_similar('rutile', 2, '../../secret.csv')",
    "SELECT * FROM most_similar('rutile', 2, 'crystals\" UNION SELECT * FROM read_csv(''secret.csv'') --')",
    "SELECT * FROM main.\"../../secret.csv\"",
    "SELECT * FROM \"..\".\"..\".\"secret\"",
    "SELECT predict_ef(structure, '.') FROM crystals",
    "SELECT predict_ef(structure, '..') FROM crystals",
    "SELECT predict_ef(structure, 'cgcnn/../cgcnn') FROM crystals",
    "SELECT predict_ef(structure, 'file:///etc/passwd') FROM crystals",
    "SELECT predict_ef(structure, '{folder}/secret.txt' || '') FROM crystals",
    "SELECT predict_ef(structure, id) FROM crystals",
];

/// What takes minutes a row, where nobody has allowed it.
const COSTLY: &[&str] = &[
    "SELECT relax(structure) FROM crystals",
    "SELECT id FROM crystals WHERE relax(structure)['converged']",
    "SELECT adsorption(structure, 'Li') FROM crystals",
    "SELECT adsorption_potential(structure, 'Li') FROM crystals",
    "SELECT migration_barrier(structure, 'Li') FROM crystals",
    "SELECT * FROM migration_paths('rutile', 'Li', table => 'crystals')",
    "SELECT voltage_curve(structure, 'Li') FROM crystals",
    "SELECT extraction_voltage(structure, 'O') FROM crystals",
    "SELECT (SELECT max(adsorption_potential(structure, 'Li')) FROM crystals)",
    "EXPLAIN SELECT relax(structure) FROM crystals",
];

/// What makes one value that is longer than any memory.
const LONG: &[&str] = &[
    "SELECT repeat('x', 2000000000)",
    "SELECT lpad('x', 2000000000)",
    "SELECT rpad('x', 2000000000, 'y')",
    "SELECT array_repeat(1, 2000000000)",
    "SELECT array_resize([1], 2000000000, 0)",
    "SELECT count(*) FROM crystals WHERE repeat(id, 1000000000) = 'x'",
    "SELECT range(0, 100000000000)",
    "SELECT cardinality(generate_series(1, 100000000000))",
    "SELECT unnest(range(100000000000))",
    "SELECT arrow_cast(NULL, 'FixedSizeBinary(2000000000)')",
    "SELECT arrow_try_cast(NULL, 'FixedSizeList(2000000000, Int64)')",
    "SELECT arrow_cast(NULL, 'List(FixedSizeBinary(2000000000))') IS NULL FROM crystals",
    "SELECT CAST(NULL AS BIGINT[2000000000])",
    "SELECT NULL::BIGINT[2000][2000][2000]",
    "SELECT approx_percentile_cont(value, 0.5, 1000000000000) FROM generate_series(1, 10)",
    "SELECT approx_percentile_cont(0.5, CAST('1000000000000' AS BIGINT)) WITHIN GROUP (ORDER BY value) FROM generate_series(1, 10)",
    "SELECT approx_percentile_cont(0.5, 10 + 1000000000000) WITHIN GROUP (ORDER BY value) FROM generate_series(1, 10)",
    "SELECT levenshtein(id, id) FROM crystals",
    "SELECT count(*) FROM crystals WHERE TRY_CAST(NULL AS BIGINT[2000000000]) IS NULL",
];

/// What tells where the files of the store lie.
const PLACES: &[&str] = &[
    "SELECT input_file_name() FROM crystals",
    "SELECT input_file_name() FROM tmo",
    "SELECT id FROM crystals WHERE input_file_name() LIKE '%/%'",
    "SELECT id, file_row_index() FROM crystals",
    "SELECT * FROM information_schema.df_settings",
    "SELECT value FROM information_schema.df_settings WHERE name = 'datafusion.runtime.temp_directory'",
    "SELECT value FROM information_schema.df_settings WHERE name = 'hollandite.model' OR true",
    "SELECT value FROM information_schema.df_settings AS s WHERE name > 'hollandite.model'",
    "SELECT a.value FROM information_schema.df_settings AS a JOIN crystals ON true",
    "SHOW datafusion.runtime.temp_directory",
    "SHOW ALL",
    "SHOW ALL VERBOSE",
];

#[tokio::test(flavor = "multi_thread")]
async fn hostile_statements_are_refused_and_leave_nothing() {
    let place = Place::new().await;
    let folder = place.folder.path().display().to_string();
    let (files, snapshots) = (place.files(), place.store.snapshots().unwrap());
    let mut asked = 0;
    let groups = [
        (WRITES, &[Forbidden, Bad][..]),
        (FILES, &[Forbidden, Bad][..]),
        (COSTLY, &[Forbidden][..]),
        (LONG, &[Forbidden][..]),
        (PLACES, &[Forbidden, Bad][..]),
    ];
    for (statements, kinds) in groups {
        for statement in statements {
            let statement = statement.replace("{folder}", &folder);
            let refusal = match place.ask(statement.as_str()).await {
                Err(refusal) => refusal,
                Ok(rows) => panic!("{statement}\nis answered\n{rows}"),
            };
            assert!(kinds.contains(&refusal.kind), "{statement}: {refusal:?}");
            let told = [SECRET, folder.as_str(), folder.trim_start_matches('/'), "/etc/"];
            assert!(told.iter().all(|told| !refusal.message.contains(told)), "{statement}: {}", refusal.message);
            assert!(!refusal.message.is_empty(), "{statement}");
            asked += 1;
        }
    }
    assert!(asked >= 100, "{asked} statements");
    place.quiet().await;
    assert_eq!(place.store.snapshots().unwrap(), snapshots);
    let after = place.files();
    assert_eq!(after.keys().collect::<Vec<_>>(), files.keys().collect::<Vec<_>>());
    assert!(after == files, "a file has changed");
    assert!(place.ask("SELECT id FROM crystals").await.unwrap().contains("rutile"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_tells_nothing_of_whether_it_is_there() {
    let place = Place::new().await;
    let said = async |name: &str| {
        let path = place.folder.path().join(name).display().to_string();
        let refusal = place.ask(format!("SELECT predict_ef(structure, '{path}') FROM crystals").as_str()).await;
        refusal.unwrap_err().message
    };
    assert_eq!(said("secret.txt").await, said("nothing.txt").await);
    assert_eq!(said("secret.csv").await, said("store").await);
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

#[test]
fn what_is_too_long_too_much_or_too_late_ends() {
    let runtime = crate::runtime().unwrap();
    // On one of its threads, and not on this one: the stack is theirs.
    runtime.block_on(runtime.spawn(too_much())).unwrap();
}

async fn too_much() {
    let place = Place::new().await;
    let nested = |n: usize| format!("SELECT {}1{}", "(".repeat(n), ")".repeat(n));
    let chain = |n: usize| format!("SELECT 1{}", "+1".repeat(n));
    let union = |n: usize| format!("SELECT 1{}", " UNION SELECT 1".repeat(n));
    let subqueries =
        |n: usize| format!("SELECT * FROM {}(SELECT 1 AS a) AS t{}", "(SELECT * FROM ".repeat(n), ") AS t".repeat(n));
    // Each step names the one before twice.
    let doubled = |step: &str, end: &str| {
        let steps: String =
            (1..40).map(|n| format!(", a{n} AS ({})", step.replace('?', &format!("a{}", n - 1)))).collect();
        format!("WITH a0 AS (SELECT value AS a FROM generate_series(1, 9)){steps} SELECT a FROM a39 {end}")
    };
    let cases = format!("SELECT {} 1 {}", "CASE WHEN true THEN ".repeat(1_500), "END ".repeat(1_500));
    let refused: &[(String, &[Kind])] = &[
        (nested(4_000), &[Bad]),
        (nested(10_000), &[Bad]),
        (nested(32_000), &[Bad]),
        (subqueries(300), &[Bad]),
        (subqueries(2_000), &[TooMuch]),
        (cases, &[TooMuch]),
        (format!("SELECT {}1", "-".to_owned() + &" -".repeat(9_000)), &[TooMuch]),
        (format!("SELECT {}true", "NOT ".repeat(9_000)), &[TooMuch]),
        (chain(2_000), &[TooMuch]),
        (chain(32_000), &[TooMuch]),
        (union(1_000), &[TooMuch]),
        (doubled("SELECT a + a AS a FROM ?", "WHERE a > 0"), &[TooMuch]),
        (doubled("SELECT CASE WHEN a > 1 THEN a ELSE -a END AS a FROM ?", "ORDER BY a"), &[TooMuch]),
        (doubled("SELECT x.a FROM ? AS x, ? AS y", ""), &[TooMuch]),
        (doubled("SELECT a FROM ? WHERE a IN (SELECT a FROM ?)", ""), &[TooMuch]),
        (format!("SELECT a{} FROM (SELECT 1 AS a)", "[1]".repeat(2_000)), &[TooMuch]),
        (format!("SELECT 1{}", "::int".repeat(1_000)), &[TooMuch]),
        (format!("SELECT 1 FROM crystals{}", ", crystals".repeat(2_000)), &[TooMuch]),
        ("x".repeat(70_000), &[TooMuch]),
        ("SELECT value FROM generate_series(1, 100000000) ORDER BY value % 1000, value".into(), &[TooMuch, Late]),
        ("SELECT count(DISTINCT value) FROM generate_series(1, 1000000000)".into(), &[TooMuch, Late]),
        ("SELECT array_agg(value) FROM generate_series(1, 1000000000)".into(), &[TooMuch, Late]),
        ("SELECT count(*) FROM generate_series(1, 10000000) a CROSS JOIN generate_series(1, 10000000) b".into(), &[Late, TooMuch]),
        ("WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n".into(), &[Late, TooMuch]),
        ("SELECT sum(a.value * b.value) FROM generate_series(1, 1000000) a JOIN generate_series(1, 1000000) b ON a.value < b.value".into(), &[Late, TooMuch]),
    ];
    for (statement, kinds) in refused {
        let shown: String = statement.chars().take(80).collect();
        let began = std::time::Instant::now();
        let refusal = match place.ask(statement.as_str()).await {
            Err(refusal) => refusal,
            Ok(_) => panic!("{shown} is answered"),
        };
        assert!(kinds.contains(&refusal.kind), "{shown}: {refusal:?}");
        assert!(began.elapsed() < Duration::from_secs(20), "{shown} took {:?}", began.elapsed());
    }
    // What is deep and still within the bounds is answered or refused, and ends nothing.
    for statement in [chain(1_900), union(300), nested(20)] {
        let _ = place.ask(statement.as_str()).await;
    }
    let many = Question { values: Values::InOrder(vec![sql::Bound::Null; 2000]), ..Question::from("SELECT $1") };
    assert_eq!(place.ask(many).await.unwrap_err().kind, TooMuch);
    place.quiet().await;
    assert!(place.ask("SELECT id FROM crystals").await.unwrap().contains("rutile"));
}

/// What makes more of a short statement than there is memory: folded while it is planned, once for every row, or for all rows together.
#[tokio::test(flavor = "multi_thread")]
async fn texts_and_lists_do_not_grow_beyond_the_bounds() {
    let place = Place::within(Duration::from_secs(60)).await;
    let x = |n: usize| "x".repeat(n);
    let (long, short) = (x(60_000), x(2_000));
    let doubled = |step: &str, first: &str| {
        let steps: String = (1..15).map(|n| format!(", a{n} AS (SELECT {step} AS a FROM a{})", n - 1)).collect();
        format!("WITH a0 AS (SELECT {first} AS a){steps} SELECT a FROM a14")
    };
    let text = format!("'{}'", x(8_000));
    let list = format!("string_to_array({text}, NULL)");
    let rows = "FROM generate_series(1, 100000)";
    let hostile = [
        format!("SELECT replace(replace('{short}', 'x', '{short}'), 'x', '{short}')"),
        format!("SELECT replace('{}', '', '{}')", x(30_000), x(30_000)),
        format!("SELECT count(*) {rows} WHERE replace('{short}' || value, 'x', '{short}') = 'y'"),
        format!("SELECT regexp_replace('{}', 'x', '{}', 'g')", x(30_000), x(30_000)),
        format!(
            "SELECT count(*) {rows} WHERE regexp_replace('{short}' || value, '(.*)', '{}') = 'y'",
            "\\1".repeat(20_000)
        ),
        format!("SELECT length(string_agg('{long}', ',')) {rows}"),
        format!("SELECT length(string_agg(value || '', '{long}')) {rows}"),
        format!("SELECT array_length(array_agg('{long}')) {rows}"),
        format!("SELECT length(array_to_string(array_agg(value), '{long}')) {rows}"),
        format!("SELECT array_length(array_replace_all(array_agg('a'), 'a', '{long}')) {rows}"),
        format!("SELECT count(*) {rows} WHERE concat('{long}', value) = 'y'"),
        format!("SELECT max('{long}' || value) {rows}"),
        format!("SELECT length(concat_ws('{}', {}''))", x(50_000), "'', ".repeat(900)),
        format!("SELECT count(*) {rows} WHERE to_char(to_timestamp(value), '{}') = 'y'", "%c".repeat(20_000)),
        doubled("a || a", &text),
        doubled("concat(a, a)", &text),
        doubled("overlay(a PLACING a FROM 1 FOR 0)", &text),
        doubled("array_concat(a, a)", &list),
        doubled("a || a", &list),
        format!("SELECT '{long}' AS a {rows}"),
        format!("SELECT CASE WHEN value > 1 THEN '{long}' END AS a {rows}"),
        format!("SELECT coalesce(CASE WHEN value < 0 THEN 'y' END, '{long}') AS a {rows}"),
        format!("SELECT a, value {rows} CROSS JOIN (SELECT '{long}' AS a) AS b"),
        format!("SELECT '{long}' AS a, unnest([1, 2, 3]) AS b"),
    ];
    for statement in hostile {
        let shown: String = statement.chars().filter(|c| *c != 'x').take(120).collect();
        let began = std::time::Instant::now();
        match place.ask(statement.as_str()).await {
            Err(refusal) => assert_eq!(refusal.kind, TooMuch, "{shown}: {refusal:?}"),
            Ok(_) => panic!("{shown} is answered"),
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{shown} took {:?}", began.elapsed());
    }
    // The arguments of table functions are folded where there is no plan yet, and what is not folded is none.
    let folded = format!(
        "SELECT * FROM generate_series(1, length(replace(replace('{short}', 'x', '{short}'), 'x', '{short}')))"
    );
    assert!([Bad, TooMuch].contains(&place.ask(folded.as_str()).await.unwrap_err().kind));
    // A long text that is asked about, and not copied, is no harm.
    let rows = "FROM generate_series(1, 9000)";
    for (statement, shows) in [
        (format!("SELECT count(*) AS n {rows} WHERE strpos('{long}', value || '') = 0"), "| 9000 |"),
        (format!("SELECT sum(length(split_part('{long}', 'y', value % 2 + 2))) AS n {rows}"), "| 0 |"),
        (format!("SELECT count(*) AS n FROM crystals WHERE id = '{long}'"), "| 0 |"),
        (format!("SELECT length('{long}' || '{short}') AS n"), "| 62000 |"),
    ] {
        let shown: String = statement.chars().filter(|c| *c != 'x').take(120).collect();
        let rows = place.ask(statement.as_str()).await.unwrap_or_else(|refusal| panic!("{shown}: {refusal:?}"));
        assert!(rows.contains(shows), "{shown}\n{rows}");
    }
    place.quiet().await;
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
    // Cancelled by the handle that whoever planned it holds.
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
    place.quiet().await;
    assert!(place.ask("SELECT id FROM crystals").await.unwrap().contains("rutile"));
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
async fn who_takes_no_rows_holds_up_nobody_beyond_the_deadline() {
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
async fn values_do_not_make_a_short_statement_long() {
    let place = Place::within(Duration::from_secs(60)).await;
    let with = |text: String, value: sql::Bound| Question {
        values: Values::InOrder(vec![value]),
        ..Question::from(text.as_str())
    };
    let often = |n: usize| format!("SELECT {}$1 AS x", "$1, ".repeat(n));
    let text = |n: usize| sql::Bound::Text("x".repeat(n));
    let list = |n: usize| sql::Bound::List(vec![sql::Bound::Integer(1); n]);
    for hostile in [with(often(900), text(900_000)), with(often(900), list(300_000)), with(often(0), list(1 << 21))] {
        assert_eq!(place.ask(hostile).await.unwrap_err().kind, TooMuch);
    }
    let lengths = place.ask(with("SELECT length($1) AS n, length($1) AS m".into(), text(400_000))).await.unwrap();
    assert!(lengths.contains("| 400000 | 400000 |"), "{lengths}");
    let found = with("SELECT id FROM crystals WHERE array_has($1, natoms(structure) - 5)".into(), list(10_000));
    assert!(place.ask(found).await.unwrap().contains("rutile"));
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
async fn one_training_runs_at_a_time_and_ends_with_whoever_asked_for_it() {
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
