//! Features are computed once: by `featurize`, and never again by a call of the same function at the same version. A
//! function that counts its rows says so; a process that is killed keeps what it had committed.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::common::program;
use arrow::array::{ArrayRef, AsArray, Float64Array, Int32Array, ListArray, RecordBatch, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields, Int64Type};
use arrow::util::pretty::pretty_format_batches;
use datafusion::common::Result;
use hollandite::jobs::{self, FeaturizeOptions, FeaturizeSummary};
use hollandite::sql::Session;
use hollandite::sql::functions::{Arguments, Function, Kernel, Kind, required, themes};
use hollandite::sql::optimizer::Cost;
use hollandite::store::{ImportOptions, Store};

/// A function of a crystal that counts the rows on which it is evaluated.
struct Counted {
    function: Arc<Function>,
    rows: Arc<AtomicUsize>,
}

impl Counted {
    fn new(name: &'static str, returns: DataType, answer: fn(&Arguments) -> Result<ArrayRef>) -> Self {
        let parameters = vec![required("structure", Kind::Crystal, "A structure.")];
        let kernel = Kernel::new(Cost::Costly, returns, answer);
        Self::of(Function { name, text: "Counts.", parameters, unit: None, example: "", kernel }, 1)
    }

    /// `void`, at a version.
    fn void(version: u32) -> Self {
        let mut all = themes().into_iter().flat_map(|(_, functions)| functions);
        Self::of(all.find(|function| function.name == "void").unwrap(), version)
    }

    fn of(function: Function, version: u32) -> Self {
        let (rows, kernel) = (Arc::new(AtomicUsize::new(0)), function.kernel.clone());
        let (counter, returns) = (Arc::clone(&rows), kernel.data_type().clone());
        let counting = Kernel::new(Cost::Costly, returns, move |arguments| {
            counter.fetch_add(arguments.len(), Ordering::SeqCst);
            kernel.answer(arguments)
        });
        Self { function: Arc::new(Function { kernel: counting.with_version(version), ..function }), rows }
    }

    /// Rows since the last call.
    fn take(&self) -> usize {
        self.rows.swap(0, Ordering::SeqCst)
    }
}

/// Rutile-like cells `NAMEfrom`..`NAMEto`, all unlike.
fn crystals(name: &str, range: std::ops::Range<usize>) -> String {
    let line = |i: usize| {
        let a = 4.5 + i as f64 * 1e-3;
        format!(
            r#"{{"id":"{name}{i:04}","lattice":[[{a},0,0],[0,{a},0],[0,0,2.96]],"species":["Ti","Ti","O","O","O","O"],"frac_coords":[[0,0,0],[0.5,0.5,0.5],[0.305,0.305,0],[0.695,0.695,0],[0.195,0.805,0.5],[0.805,0.195,0.5]]}}"#
        ) + "\n"
    };
    range.map(line).collect()
}

async fn import(store: &Store, dir: &Path, lines: &str) {
    let file = dir.join("in.jsonl");
    std::fs::write(&file, lines).unwrap();
    store.import(&[file], &ImportOptions::default(), &()).await.unwrap();
}

async fn store(rows: usize) -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::init(&dir.path().join("store")).await.unwrap();
    import(&store, dir.path(), &crystals("x", 0..rows)).await;
    (dir, store)
}

async fn session(store: &Store, snapshot: Option<i64>, functions: &[&Counted]) -> Session {
    let session = Session::open(store, snapshot).await.unwrap();
    functions.iter().fold(session, |session, function| session.with_function(Arc::clone(&function.function)))
}

async fn rows(session: &Session, sql: &str) -> Vec<RecordBatch> {
    let frame = session.sql(sql).await.unwrap_or_else(|e| panic!("{sql}\n{e}"));
    frame.collect().await.unwrap_or_else(|e| panic!("{sql}\n{e}"))
}

async fn text(session: &Session, sql: &str) -> String {
    pretty_format_batches(&rows(session, sql).await).unwrap().to_string()
}

async fn number(session: &Session, sql: &str) -> i64 {
    rows(session, sql).await[0].column(0).as_primitive::<Int64Type>().value(0)
}

fn options(features: &str) -> FeaturizeOptions {
    FeaturizeOptions { features: vec![features.into()], ..FeaturizeOptions::default() }
}

async fn featurize(session: &Session, store: &Store, options: &FeaturizeOptions) -> FeaturizeSummary {
    jobs::featurize(session, store, options, &()).await.unwrap()
}

/// Rows computed and present of the only feature.
fn counts(summary: &FeaturizeSummary) -> (u64, u64) {
    (summary.features[0].computed, summary.features[0].present)
}

const CALL: &str = "SELECT id, void(structure) AS v FROM tmo";

#[tokio::test(flavor = "multi_thread")]
async fn only_rows_without_a_value_are_computed_and_calls_read_it() {
    let (dir, store) = store(100).await;
    let void = Counted::void(1);
    let s = session(&store, None, &[&void]).await;
    let some = FeaturizeOptions { condition: Some("id < 'x0040'".into()), ..options("void") };
    assert_eq!(counts(&featurize(&s, &store, &some).await), (40, 0));
    assert_eq!(void.take(), 40);

    // A query computes the rest, whatever stands around the call.
    let reference = text(&s, &format!("{CALL} ORDER BY id")).await;
    assert_eq!(void.take(), 60);
    rows(&s, &format!("{CALL} WHERE id >= 'x0030' AND id < 'x0050' AND void(structure) > 0")).await;
    assert_eq!(void.take(), 10);
    rows(&s, &format!("{CALL} WHERE id < 'x0040' ORDER BY id LIMIT 5")).await;
    rows(&s, "CREATE VIEW v AS SELECT id, void(structure) AS v FROM tmo").await;
    rows(&s, "SELECT max(v) FROM v WHERE id < 'x0010'").await;
    rows(&s, "SELECT a.id FROM tmo a JOIN tmo b ON a.id = b.id WHERE void(b.structure) > 0.1 AND a.id < 'x0004'").await;
    assert_eq!(void.take(), 0);

    assert_eq!(counts(&featurize(&s, &store, &options("void")).await), (60, 40));
    assert_eq!(void.take(), 60);
    assert_eq!(counts(&featurize(&s, &store, &options("void, void")).await), (0, 100));
    assert_eq!(text(&s, &format!("{CALL} ORDER BY id")).await, reference);
    assert_eq!(void.take(), 0);
    let plan = text(&s, &format!("EXPLAIN ANALYZE {CALL}")).await;
    assert!(plan.contains("[materialised=void/1, 100 crystals]") && plan.contains("materialised=100"), "{plan}");
    rows(&s, "SET hollandite.features = false").await;
    assert_eq!(text(&s, &format!("{CALL} ORDER BY id")).await, reference);
    assert_eq!(void.take(), 100, "the same to the last bit, computed");

    // Crystals under another id share the value; new ones are computed, in the same session too.
    import(&store, dir.path(), &(crystals("y", 90..110) + &crystals("z", 0..5))).await;
    let s = session(&store, None, &[&void]).await;
    rows(&s, CALL).await;
    assert_eq!(void.take(), 10);
    assert_eq!(counts(&featurize(&s, &store, &options("void")).await), (25, 100));
    assert_eq!(void.take(), 10);
    rows(&s, CALL).await;
    assert_eq!(void.take(), 0, "a session sees what was materialised after it began");
    let forced = FeaturizeOptions { force: true, ..options("void") };
    assert_eq!(counts(&featurize(&s, &store, &forced).await), (125, 0));
    assert_eq!(void.take(), 125);
    assert!(store.verify().await.unwrap().is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn other_arguments_versions_and_numbers_are_computed() {
    let (_dir, store) = store(20).await;
    let (one, two) = (Counted::void(1), Counted::void(2));
    let s = session(&store, None, &[&one]).await;
    let before = store.snapshots().unwrap().pop().unwrap().id;
    featurize(&s, &store, &options("void,void(ionic,0.5)")).await;
    assert_eq!(one.take(), 40);
    for (sql, computed) in [
        ("SELECT void(structure, 'ionic', 0.50) FROM tmo", 0),
        ("SELECT void(structure, 'ionic', 0.25 + 0.25) FROM tmo", 0),
        ("SELECT void(structure, 'ionic', 0.6) FROM tmo", 20),
        ("SELECT void(structure, 'ionic') FROM tmo", 20),
        ("SELECT void(structure, 'ionic', void) FROM tmo", 20),
        ("SELECT void(CASE WHEN id < 'x0007' THEN structure END) FROM tmo", 0),
    ] {
        rows(&s, sql).await;
        assert_eq!(one.take(), computed, "{sql}");
    }
    // A larger cell with the same sites is another crystal.
    let altered = "SELECT void(named_struct('lattice', make_array(9.0,0.0,0.0, 0.0,9.0,0.0, 0.0,0.0,9.0), \
                   'numbers', structure['numbers'], 'frac_coords', structure['frac_coords'])) AS v FROM tmo";
    assert_eq!(number(&s, &format!("SELECT count(*) FROM ({altered}) WHERE v > 0.8")).await, 20);
    assert_eq!(one.take(), 20);

    // A value hangs on the crystal and not on the moment.
    let past = session(&store, Some(before), &[&one]).await;
    rows(&past, CALL).await;
    assert_eq!(one.take(), 0);
    assert_eq!(number(&past, "SELECT count(void) FROM features").await, 20);

    let s = session(&store, None, &[&two]).await;
    rows(&s, CALL).await;
    assert_eq!(two.take(), 20, "another version is not read");
    let summary = featurize(&s, &store, &options("void")).await;
    assert_eq!((counts(&summary), summary.features[0].featurizer.as_str()), ((20, 0), "void/2"));
    for known in ["name = 'void' AND featurizer = 'void/2'", "featurizer = 'void(ionic,0.5)/1' AND nulls = 0"] {
        assert_eq!(number(&s, &format!("SELECT rows FROM featurizers WHERE {known}")).await, 20);
    }
    assert_eq!(number(&s, "SELECT count(*) FROM features WHERE void_featurizer = 'void/2'").await, 20);
    one.take();
    rows(&session(&store, None, &[&one]).await, CALL).await;
    assert_eq!(one.take(), 20, "the older version is gone");
}

/// Names as Magpie has them, 132 of them, and a value for each.
fn wide(arguments: &Arguments) -> Result<ArrayRef> {
    let columns: Vec<ArrayRef> = (0..132)
        .map(|k| {
            let values = (0..arguments.len()).map(|i| (k % 2 == 0 || i % 2 == 0).then_some((k + i) as f64));
            Arc::new(values.collect::<Float64Array>()) as ArrayRef
        })
        .collect();
    Ok(Arc::new(StructArray::new(wide_fields(), columns, None)))
}

fn wide_fields() -> Fields {
    (0..132).map(|k| Field::new(format!("mean Property {k} (max)"), DataType::Float64, true)).collect()
}

/// As `xrd_peaks`: `i` peaks for row `i` of a batch, each with a list.
fn peaks(arguments: &Arguments) -> Result<ArrayRef> {
    let n = arguments.len();
    let total = n * n.saturating_sub(1) / 2;
    let hkl = ListArray::new(
        Arc::new(Field::new_list_field(DataType::Int32, true)),
        OffsetBuffer::from_repeated_length(3, total),
        Arc::new(Int32Array::from_iter_values(0..3 * total as i32)),
        None,
    );
    let d = Float64Array::from_iter_values((0..total).map(|i| i as f64));
    let peak = StructArray::new(peak_fields(), vec![Arc::new(d), Arc::new(hkl)], None);
    let item = Arc::new(Field::new_list_field(peak_type(), true));
    Ok(Arc::new(ListArray::new(item, OffsetBuffer::from_lengths(0..n), Arc::new(peak), None)))
}

fn peak_fields() -> Fields {
    let hkl = DataType::new_list(DataType::Int32, true);
    Fields::from(vec![Field::new("d", DataType::Float64, true), Field::new("hkl", hkl, true)])
}

fn peak_type() -> DataType {
    DataType::Struct(peak_fields())
}

#[tokio::test(flavor = "multi_thread")]
async fn features_of_any_type_are_joined_and_read_back_as_they_were() {
    let (_dir, store) = store(30).await;
    let wide = Counted::new("wide", DataType::Struct(wide_fields()), wide);
    let peaks = Counted::new("peaks", DataType::new_list(peak_type(), true), peaks);
    let s = session(&store, None, &[&wide, &peaks]).await;
    featurize(&s, &store, &options("wide,peaks,density,formula")).await;
    assert_eq!((wide.take(), peaks.take()), (30, 30));
    for call in ["wide(structure)", "peaks(structure)"] {
        let materialised = format!("SELECT {call} AS x FROM tmo ORDER BY id");
        let name = call.trim_end_matches("(structure)");
        let stored = format!("SELECT {name} AS x FROM features ORDER BY id");
        assert_eq!(text(&s, &materialised).await, text(&s, &stored).await, "{call}");
    }
    assert_eq!((wide.take(), peaks.take()), (0, 0));
    let schema = |batches: &[RecordBatch]| batches[0].schema().field(0).data_type().clone();
    assert_eq!(schema(&rows(&s, "SELECT peaks(structure) FROM tmo").await), DataType::new_list(peak_type(), true));

    let joined = "SELECT count(*) FROM tmo JOIN features USING (id) WHERE features.density = tmo.density";
    assert_eq!(number(&s, joined).await, 30);
    let by_name = "SELECT count(*) FROM features f WHERE f.wide['mean Property 2 (max)'] >= 2 AND f.formula = 'Ti2O4'";
    assert_eq!(number(&s, by_name).await, 30);
    assert_eq!(number(&s, "SELECT count(f.wide['mean Property 3 (max)']) FROM features f").await, 15);
    assert_eq!(number(&s, "SELECT CAST(sum(cardinality(peaks)) AS BIGINT) FROM features").await, 435);
    let all = rows(&s, "SELECT * FROM tmo JOIN features USING (id, structure_hash) LIMIT 3").await;
    assert_eq!(all.iter().map(RecordBatch::num_rows).sum::<usize>(), 3);
    assert!(all[0].schema().field_with_name("wide_featurizer").is_ok());
    // Features that a query does not name are not read.
    let plan = text(&s, "EXPLAIN SELECT id, density FROM features").await;
    assert!(plan.contains("features_density") && !plan.contains("features_wide"), "{plan}");

    for (sql, why) in [
        ("CREATE TABLE features (a INT)", "already exists"),
        ("CREATE VIEW features_mine AS SELECT 1 AS a", "cannot name a table"),
        ("DROP VIEW features", "doesn't exist"),
    ] {
        let message = match s.sql(sql).await {
            Ok(frame) => frame.collect().await.map(drop).map_err(hollandite::Error::from),
            Err(error) => Err(error),
        };
        let message = message.unwrap_err().to_string();
        assert!(message.contains(why), "{sql}: {message}");
    }
    let report = store.verify().await.unwrap();
    assert!(report.is_clean() && report.checksums == report.files, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_without_an_answer_is_null_and_not_tried_again() {
    let (_dir, store) = store(20).await;
    let moody = Counted::new("moody", DataType::Float64, |arguments| {
        assert!(arguments.len() > 1, "a crystal that it cannot stand");
        Ok(Arc::new((0..arguments.len()).map(|i| (i % 2 == 0).then_some(1.0)).collect::<Float64Array>()))
    });
    let s = session(&store, None, &[&moody]).await;
    let summary = featurize(&s, &store, &options("moody")).await;
    assert_eq!((counts(&summary), summary.features[0].nulls), ((20, 0), 10));
    assert_eq!(counts(&featurize(&s, &store, &options("moody")).await), (0, 20));
    assert_eq!(store.info(None).unwrap().features[0].nulls, 10);
    let kept = "SELECT count(*) FROM ducklake_snapshot_changes WHERE commit_extra_info LIKE '%\"nulls\":10%'";
    let connection = rusqlite::Connection::open(store.dir().join("catalog.sqlite")).unwrap();
    let counted_with_the_rows: i64 = connection.query_row(kept, [], |row| row.get(0)).unwrap();
    assert_eq!(counted_with_the_rows, 1, "a kill between the rows and their count is none");
    rows(&s, "SELECT moody(structure) FROM tmo").await;
    assert_eq!(s.warnings(), ["moody is NULL for 10 rows: it was NULL when the feature table was built"]);

    // One crystal on which the function panics.
    let lone = FeaturizeOptions { commit_rows: 1, force: true, ..options("moody") };
    let summary = featurize(&s, &store, &lone).await;
    assert_eq!((summary.features[0].computed, summary.features[0].nulls), (20, 20));
    assert_eq!(s.warnings(), ["moody is NULL for 20 rows: it panicked; please report this crystal"]);
    assert_eq!(store.info(None).unwrap().features[0].files, 20, "a commit is a file");

    let unknown = jobs::featurize(&s, &store, &options("void,magpi"), &()).await.unwrap_err().to_string();
    assert!(unknown.contains("no feature 'magpi'; known features: ") && unknown.contains(", density, "), "{unknown}");
    for (wrong, why) in [
        (FeaturizeOptions { table: "imports".into(), ..options("void") }, "no column 'id'"),
        (FeaturizeOptions { condition: Some("nope > 1".into()), ..options("void") }, "nope"),
        (options("void(slater)"), "no radius set"),
        (options(""), "no feature is named"),
    ] {
        let message = jobs::featurize(&s, &store, &wrong, &()).await.unwrap_err().to_string();
        assert!(message.contains(why), "{message}");
    }
}

const KILLED: &str = "HOLLANDITE_FEATURIZE_STORE";
const ROWS: usize = 600;
const COMMIT_ROWS: usize = 20;

/// Takes a millisecond a row, and has no answer for every fourth of them.
fn slow() -> Counted {
    Counted::new("slow", DataType::Float64, |arguments| {
        std::thread::sleep(Duration::from_millis(arguments.len() as u64));
        Ok(Arc::new((0..arguments.len()).map(|i| (i % 4 != 0).then_some(1.0)).collect::<Float64Array>()))
    })
}

fn slowly() -> FeaturizeOptions {
    FeaturizeOptions { commit_rows: COMMIT_ROWS, ..options("slow") }
}

/// The process that is killed; does nothing unless it was started by the test below.
#[test]
fn child() {
    let Ok(path) = std::env::var(KILLED) else { return };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = Store::open(Path::new(&path)).await.unwrap();
        featurize(&session(&store, None, &[&slow()]).await, &store, &slowly()).await;
    });
}

#[test]
fn a_killed_process_loses_the_rows_that_it_had_not_committed() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (_dir, store) = runtime.block_on(store(ROWS));
    let mut kept = vec![0];
    for round in 0..6 {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "featurize::child", "--test-threads=1"])
            .env(KILLED, store.dir())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Not before it has committed something, and then at any moment.
        let before = *kept.last().unwrap();
        let rows = || store.info(None).unwrap().features.first().map_or(0, |f| f.rows);
        for _ in 0..3000 {
            if rows() > before || child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(7 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let report = runtime.block_on(store.verify()).unwrap();
        assert!(report.is_clean(), "{report}");
        let now = rows();
        assert!(now >= before && now % COMMIT_ROWS as u64 == 0, "{before} rows became {now}");
        let nulls = store.info(None).unwrap().features.first().map_or(0, |f| f.nulls);
        assert_eq!(nulls, now / 4, "NULL counts come with the rows that they count");
        kept.push(now);
    }
    let kept = *kept.last().unwrap();
    assert!(kept > 0);
    let slow = slow();
    runtime.block_on(async {
        let s = session(&store, None, &[&slow]).await;
        assert_eq!(counts(&featurize(&s, &store, &slowly()).await), (ROWS as u64 - kept, kept));
        assert_eq!(slow.take() as u64, ROWS as u64 - kept, "nothing that was kept is computed again");
        assert_eq!(number(&s, "SELECT count(DISTINCT id) FROM features_slow").await, ROWS as i64);
        assert_eq!(number(&s, "SELECT count(*) FROM features_slow").await, ROWS as i64);
        assert_eq!(number(&s, "SELECT nulls FROM featurizers").await, ROWS as i64 / 4);
        assert_eq!(number(&s, "SELECT count(*) FROM features_slow WHERE slow IS NULL").await, ROWS as i64 / 4);
    });
}

#[test]
fn the_command_computes_once_and_tells() {
    let store = program::Store::new();
    let file = store.file("in.jsonl", &crystals("x", 0..12));
    store.run(&["import", &file]).assert().success();
    let first = store.stdout(&["featurize", "--features", "density,void(ionic,0.76)", "--where", "id < 'x0008'"]);
    let lines: Vec<&str> = first.lines().collect();
    assert!(lines[0].starts_with("density: 8 rows of tmo in ") && lines[0].ends_with(" rows/s)"), "{first}");
    assert!(lines[1].starts_with("void_ionic_0_76: 8 rows of tmo in "), "{first}");
    let second = store.stdout(&["featurize", "--features", "density", "--features", "void"]);
    assert!(second.starts_with("density: 4 rows of tmo in ") && second.contains("), 8 already there\n"), "{second}");
    assert_eq!(store.stdout(&["featurize", "--features", "void"]), "void: 0 rows of tmo, 12 already there\n");
    let info = store.stdout(&["info"]);
    assert!(
        info.lines().any(|line| line.starts_with("feature void_ionic_0_76 ")
            && line.contains(" void(ionic,0.76)/1, 8 rows, 1 file, ")),
        "{info}"
    );
    assert!(!info.contains("table features"), "{info}");
    let list = store.stdout(&["featurize", "--list"]);
    let row = |id: &str| list.lines().find(|line| line.starts_with(id)).map(|line| line.split_whitespace().nth(1));
    assert_eq!(row("void(ionic,0.76)/1"), Some(Some("8")), "{list}");
    assert_eq!(row("spacegroup/1"), Some(Some("Space-group")), "{list}");
    assert!(store.stdout(&["verify"]).contains("all agree"));
    let failed = store.run(&["featurize", "--features", "nothing"]).assert().failure();
    assert!(String::from_utf8_lossy(&failed.get_output().stderr).contains(", density, "));
    store.run(&["featurize"]).assert().failure().code(2);
}
