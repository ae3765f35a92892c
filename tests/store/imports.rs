//! The store as its users meet it: imports, quarantine, snapshots, moving, verifying.

use std::path::{Path, PathBuf};

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use datafusion::prelude::SessionContext;
use hollandite::crystal::ContentHash;
use hollandite::error::StoreError;
use hollandite::formats::{Naming, Reading};
use hollandite::progress::{Done, Progress};
use hollandite::store::{ImportOptions, ImportSummary, Store};

/// One record of a JSON lines file: a cubic rock-salt-like cell of a metal and oxygen.
fn line(id: &str, metal: &str, a: f64) -> String {
    format!(
        r#"{{"id":"{id}","lattice":[[{a},0,0],[0,{a},0],[0,0,{a}]],"species":["{metal}","O"],"frac_coords":[[0,0,0],[0.5,0.5,0.5]],"formation_energy_per_atom":-1.5}}"#
    ) + "\n"
}

struct Bench {
    _dir: tempfile::TempDir,
    root: PathBuf,
    store: Store,
}

impl Bench {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let store = Store::init(&root.join("store")).await.unwrap();
        Self { _dir: dir, root, store }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.root.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    async fn import(&self, path: &Path, into: &str) -> ImportSummary {
        let options = ImportOptions { into: into.into(), ..ImportOptions::default() };
        self.store.import(&[path.to_owned()], &options, &()).await.unwrap()
    }

    fn parquet(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = std::fs::read_dir(self.root.join("store/data/main/tmo"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        files
    }

    /// Changes the catalog behind the store's back.
    fn execute(&self, sql: &str) {
        let catalog = rusqlite::Connection::open(self.root.join("store/catalog.sqlite")).unwrap();
        assert_eq!(catalog.execute(sql, []).unwrap(), 1, "{sql}");
    }
}

/// First column of the first row.
async fn number(store: &Store, snapshot: Option<i64>, sql: &str) -> i64 {
    let ctx = SessionContext::new();
    store.register(&ctx, snapshot).await.unwrap();
    let batches = ctx.sql(sql).await.unwrap().collect().await.unwrap();
    batches[0].column(0).as_primitive::<Int64Type>().value(0)
}

const COUNT: &str = "SELECT count(*) FROM tmo";

#[tokio::test(flavor = "multi_thread")]
async fn importing_twice_adds_nothing() {
    let bench = Bench::new().await;
    let text = line("a", "Ti", 4.2) + &line("b", "Mn", 4.4) + &line("a", "Ti", 4.2) + &line("c", "Ti", 4.2);
    let file = bench.file("in.jsonl", &text);
    let first = bench.import(&file, "tmo").await;
    // The repeated line is one row; another id for the same crystal is another row.
    assert_eq!((first.added, first.present, first.quarantined), (3, 1, 0));
    let second = bench.import(&file, "tmo").await;
    assert_eq!((second.added, second.present, second.snapshot), (0, 4, None));
    assert_eq!(number(&bench.store, None, COUNT).await, 3);
    assert_eq!(number(&bench.store, None, "SELECT count(DISTINCT structure_hash) FROM tmo").await, 2);
    assert!(second.to_string().contains("4 already in tmo"), "{second}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_in_quarantine_with_line_and_reason_until_it_is_mended() {
    let bench = Bench::new().await;
    let good = line("good", "Ti", 4.2);
    let text =
        good.clone() + &line("bad", "Xx", 4.2) + "{\"id\": 7 7}\n" + &line("salt", "Na", 4.8) + &line("more", "V", 4.1);
    let file = bench.file("in.jsonl", &text);
    let summary = bench.import(&file, "tmo").await;
    assert_eq!((summary.added, summary.quarantined, summary.skipped), (2, 2, 1));
    let refused = bench.store.quarantine().unwrap();
    let lines: Vec<_> = refused.iter().map(|q| q.line).collect();
    assert_eq!(lines, [2, 3, 4]);
    assert!(refused.iter().all(|q| q.path == file && q.table == "tmo"));
    assert!(refused[0].reason.contains("Xx"), "{}", refused[0].reason);
    assert!(refused[2].reason.contains("--into"), "{}", refused[2].reason);
    assert_eq!(refused[2].id.as_deref(), Some("salt"));
    assert_eq!(bench.store.info(None).unwrap().quarantined, 3);

    // Again: nothing is listed twice. Mended: the quarantine is empty.
    bench.import(&file, "tmo").await;
    assert_eq!(bench.store.quarantine().unwrap().len(), 3);
    std::fs::write(&file, good).unwrap();
    bench.import(&file, "tmo").await;
    assert_eq!(bench.store.quarantine().unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_structure_is_kept_once_where_asked_and_the_others_are_in_quarantine() {
    let bench = Bench::new().await;
    // The same crystal: as it is, expanded by 2 % with its origin elsewhere, doubled. And another, of other distances.
    let shifted = r#"{"id":"shifted","lattice":[[4.28,0,0],[0,4.28,0],[0,0,4.28]],"species":["O","Ti"],"frac_coords":[[0.1,0.2,0.3],[0.6,0.7,0.8]]}"#;
    let doubled = r#"{"id":"doubled","lattice":[[8.4,0,0],[0,4.2,0],[0,0,4.2]],"species":["Ti","Ti","O","O"],"frac_coords":[[0,0,0],[0.5,0,0],[0.25,0.5,0.5],[0.75,0.5,0.5]]}"#;
    let other = r#"{"id":"other","lattice":[[4.2,0,0],[0,4.2,0],[0,0,4.2]],"species":["Ti","O"],"frac_coords":[[0,0,0],[0.5,0.5,0]]}"#;
    let first = bench.file("first.jsonl", &line("a", "Ti", 4.2));
    let second = bench.file("second.jsonl", &format!("{}{shifted}\n{doubled}\n{other}\n", line("a", "Ti", 4.2)));
    bench.import(&first, "tmo").await;
    let asked = ImportOptions { dedupe: true, ..ImportOptions::default() };
    let try_it = ImportOptions { dry_run: true, ..asked.clone() };
    for (options, rows) in [(try_it, 1), (asked, 2)] {
        let summary = bench.store.import(std::slice::from_ref(&second), &options, &()).await.unwrap();
        assert_eq!((summary.added, summary.present, summary.duplicates, summary.skipped), (1, 1, 2, 0), "{summary}");
        assert_eq!(number(&bench.store, None, COUNT).await, rows);
        assert!(summary.to_string().contains("2 the same structure as another row, in quarantine"), "{summary}");
    }
    let refused = bench.store.quarantine().unwrap();
    let found: Vec<_> = refused.iter().map(|q| (q.id.as_deref().unwrap_or_default(), q.line)).collect();
    assert_eq!(found, [("shifted", 2), ("doubled", 3)]);
    assert!(refused.iter().all(|q| q.reason.starts_with("same structure as a: rms 0.0000")), "{}", refused[0].reason);
    assert_eq!(number(&bench.store, None, "SELECT sum(duplicates) FROM imports").await, 2);
    // Without the wish they are rows like any other, and leave the quarantine.
    assert_eq!(bench.import(&second, "tmo").await.added, 2);
    assert_eq!(bench.store.quarantine().unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_table_admits_every_crystal() {
    let bench = Bench::new().await;
    let file = bench.file("in.jsonl", &(line("salt", "Na", 4.8) + &line("rutile", "Ti", 4.2)));
    assert_eq!(bench.import(&file, "tmo").await.added, 1);
    let summary = bench.import(&file, "everything").await;
    assert_eq!((summary.added, summary.skipped), (2, 0));
    assert_eq!(number(&bench.store, None, "SELECT count(*) FROM everything JOIN tmo USING (id)").await, 1);
    for name in ["Everything", "1st", "a-b", "", "quarantine"] {
        let options = ImportOptions { into: name.into(), ..ImportOptions::default() };
        let error = bench.store.import(std::slice::from_ref(&file), &options, &()).await.unwrap_err();
        assert!(matches!(error, StoreError::TableName { .. }), "{error}");
    }
}

/// A folder of three calculations whose files have one name, and files of other formats.
fn runs(bench: &Bench) -> PathBuf {
    let runs = bench.root.join("runs");
    for (k, metal) in ["Ti", "V", "Mn"].iter().enumerate() {
        let folder = runs.join(format!("r{k}"));
        std::fs::create_dir_all(&folder).unwrap();
        let a = 4.0 + 0.1 * k as f64;
        let poscar = format!("{metal}O\n1\n{a} 0 0\n0 {a} 0\n0 0 {a}\n{metal} O\n1 1\nDirect\n0 0 0\n.5 .5 .5\n");
        std::fs::write(folder.join("final.vasp"), poscar).unwrap();
        std::fs::write(folder.join("run.log"), "x").unwrap();
    }
    std::fs::write(runs.join("notes.txt"), "x").unwrap();
    runs
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_files_of_one_name_differ_by_their_paths() {
    let bench = Bench::new().await;
    let runs = runs(&bench);
    let summary = bench.import(&runs, "plain").await;
    assert_eq!((summary.added, summary.namesakes, summary.unread.len()), (3, 2, 4));
    let said = summary.to_string();
    assert!(said.contains("skipped 4 files of other formats: notes.txt, 3 *.log"), "{said}");
    assert!(said.contains("2 rows share an id with another row (--id path"), "{said}");
    assert_eq!(number(&bench.store, None, "SELECT count(DISTINCT path) FROM plain").await, 3);
    assert_eq!(number(&bench.store, None, "SELECT count(DISTINCT id) FROM plain").await, 1);
    let reading = Reading { naming: Naming::Path, ..Reading::default() };
    let options = ImportOptions { into: "named".into(), reading, ..ImportOptions::default() };
    let summary = bench.store.import(std::slice::from_ref(&runs), &options, &()).await.unwrap();
    assert_eq!((summary.added, summary.namesakes), (3, 0));
    let by_path = format!("SELECT count(*) FROM named WHERE id = path AND path = '{}/r1/final.vasp'", runs.display());
    assert_eq!(number(&bench.store, None, &by_path).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn properties_are_promoted_into_columns_and_stay_so() {
    let bench = Bench::new().await;
    let with = |id: &str, property: &str| {
        line(id, "Ti", 4.2).replacen('{', &format!("{{\"My_Energy\": {property}, \"left\": 1, "), 1)
    };
    let file = bench.file("a.jsonl", &(with("a", "-1.5") + &with("b", "\"none\"")));
    let promote = |what: &str| vec![what.parse().unwrap()];
    let options =
        ImportOptions { into: "mine".into(), promote: promote("my_energy:double"), ..ImportOptions::default() };
    let summary = bench.store.import(&[file], &options, &()).await.unwrap();
    assert_eq!(summary.unfit.get("my_energy"), Some(&1), "{summary}");
    assert!(summary.to_string().contains("1 row: my_energy does not fit its column and stays in extra"), "{summary}");
    assert_eq!(number(&bench.store, None, "SELECT count(*) FROM mine WHERE my_energy = -1.5").await, 1);
    assert_eq!(number(&bench.store, None, "SELECT count(*) FROM mine WHERE extra LIKE '%My_Energy%'").await, 1);
    // Later imports fill the column without being asked again.
    let more = bench.file("b.jsonl", &with("c", "-2.5"));
    bench.import(&more, "mine").await;
    assert_eq!(number(&bench.store, None, "SELECT count(my_energy) FROM mine").await, 2);
    // A table that has no such column says so.
    let options = ImportOptions { into: "mine".into(), promote: promote("gap:double"), ..ImportOptions::default() };
    let error = bench.store.import(&[more], &options, &()).await.unwrap_err().to_string();
    assert!(error.contains("ALTER TABLE mine ADD COLUMN gap DOUBLE"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_an_earlier_release_takes_imports_as_it_is() {
    let bench = Bench::new().await;
    // It had every column but the path.
    bench.execute(
        "DELETE FROM ducklake_column WHERE column_name = 'path'
         AND table_id = (SELECT table_id FROM ducklake_table WHERE table_name = 'tmo')",
    );
    let file = bench.file("in.jsonl", &line("a", "Ti", 4.2));
    let store = Store::open(&bench.root.join("store")).await.unwrap();
    let summary = store.import(&[file], &ImportOptions::default(), &()).await.unwrap();
    assert_eq!(summary.added, 1, "{summary}");
    assert_eq!(number(&store, None, "SELECT count(*) FROM tmo WHERE formula = 'TiO'").await, 1);
    let ctx = SessionContext::new();
    store.register(&ctx, None).await.unwrap();
    assert!(ctx.sql("SELECT path FROM tmo").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_as_its_file_has_it_is_counted_and_kept_with_the_row() {
    let bench = Bench::new().await;
    let file = bench.file("a.jsonl", &(line("a", "D", 4.2) + &line("b", "T", 4.2) + &line("c", "Ti", 4.2)));
    let summary = bench.import(&file, "notes2").await;
    assert!(summary.to_string().contains("2 rows: deuterium or tritium read as hydrogen"), "{summary}");
    let noted = "SELECT count(*) FROM notes2 WHERE extra LIKE '%read as hydrogen%' AND formula = 'HO'";
    assert_eq!(number(&bench.store, None, noted).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_another_shape_is_left_alone() {
    let bench = Bench::new().await;
    let ctx = SessionContext::new();
    bench.store.register(&ctx, None).await.unwrap();
    ctx.sql("CREATE TABLE notes (id VARCHAR, note VARCHAR)").await.unwrap().collect().await.unwrap();
    let file = bench.file("in.jsonl", &line("a", "Ti", 4.2));
    let options = ImportOptions { into: "notes".into(), ..ImportOptions::default() };
    let error = bench.store.import(&[file], &options, &()).await.unwrap_err().to_string();
    assert!(error.contains("column 2 is note, expected source"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_table_and_its_first_rows_are_one_snapshot() {
    let bench = Bench::new().await;
    let before = bench.store.snapshots().unwrap().len();
    let file = bench.file("1.jsonl", &line("a", "Ti", 4.2));
    bench.import(&file, "fresh").await;
    assert_eq!(bench.store.snapshots().unwrap().len(), before + 1);
    // Nothing to import makes the table too.
    let none = bench.import(&bench.file("none.jsonl", ""), "empty").await;
    assert_eq!((none.added, none.snapshot), (0, None));
    assert_eq!(number(&bench.store, None, "SELECT count(*) FROM empty").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_snapshot_stays_readable() {
    let bench = Bench::new().await;
    let first = bench.import(&bench.file("1.jsonl", &line("a", "Ti", 4.2)), "tmo").await.snapshot.unwrap();
    let second = bench.import(&bench.file("2.jsonl", &line("b", "Ti", 4.3)), "tmo").await.snapshot.unwrap();
    assert_eq!(number(&bench.store, Some(first - 1), COUNT).await, 0);
    assert_eq!(number(&bench.store, Some(first), COUNT).await, 1);
    assert_eq!(number(&bench.store, Some(second), COUNT).await, 2);
    let ctx = SessionContext::new();
    let error = bench.store.register(&ctx, Some(99)).await.unwrap_err();
    assert!(matches!(error, StoreError::Snapshot { asked: 99, newest, .. } if newest == second), "{error}");
    let snapshots = bench.store.snapshots().unwrap();
    assert_eq!(snapshots.last().unwrap().message.as_deref(), Some("import 1 rows into tmo"));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_deleted_by_sql_are_gone_and_can_be_imported_again() {
    let bench = Bench::new().await;
    let new = bench.store.verify().await.unwrap();
    let file = bench.file("1.jsonl", &(line("a", "Ti", 4.2) + &line("b", "Ti", 4.3)));
    bench.import(&file, "tmo").await;
    let ctx = SessionContext::new();
    bench.store.register(&ctx, None).await.unwrap();
    ctx.sql("DELETE FROM tmo WHERE id = 'a'").await.unwrap().collect().await.unwrap();
    assert_eq!(number(&bench.store, None, COUNT).await, 1);
    let tables = bench.store.info(None).unwrap().tables;
    assert_eq!(tables.iter().find(|t| t.name == "tmo").unwrap().rows, Some(1));
    let report = bench.store.verify().await.unwrap();
    assert!(report.is_clean() && report.files == new.files + 2, "{report}");
    assert_eq!(bench.import(&file, "tmo").await.added, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_may_be_moved_and_its_name_may_hold_odd_characters() {
    let bench = Bench::new().await;
    bench.import(&bench.file("1.jsonl", &line("a", "Ti", 4.2)), "tmo").await;
    let Bench { store, root, _dir } = bench;
    drop(store);
    let moved = root.join("my store #1 (ü) 50%");
    std::fs::rename(root.join("store"), &moved).unwrap();
    let store = Store::open(&moved).await.unwrap();
    assert_eq!(number(&store, None, COUNT).await, 1);
    let file = root.join("2.jsonl");
    std::fs::write(&file, line("b", "Ti", 4.3)).unwrap();
    store.import(&[file], &ImportOptions::default(), &()).await.unwrap();
    assert_eq!(number(&store, None, COUNT).await, 2);
    let report = store.verify().await.unwrap();
    assert!(report.is_clean() && report.files == report.checksums, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_may_only_be_read_answers_even_where_it_was_moved() {
    let bench = Bench::new().await;
    bench.import(&bench.file("1.jsonl", &line("a", "Ti", 4.2)), "tmo").await;
    let hash = ContentHash(5);
    bench.store.predictions().unwrap().put("m", &[(hash, -2.5)]).unwrap();
    let Bench { store, root, _dir } = bench;
    drop(store);
    let moved = root.join("archive");
    std::fs::rename(root.join("store"), &moved).unwrap();
    let catalog = moved.join("catalog.sqlite");
    let mut permissions = std::fs::metadata(&catalog).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&catalog, permissions).unwrap();

    let store = Store::open(&moved).await.unwrap();
    assert!(!store.is_writable());
    assert_eq!(number(&store, None, COUNT).await, 1);
    let cache = store.predictions().unwrap();
    assert_eq!(cache.get("m", &[hash]).unwrap()[&hash], -2.5);
    cache.put("m", &[(ContentHash(6), 1.0)]).unwrap();
    assert!(!cache.is_writable() && cache.get("m", &[ContentHash(6)]).unwrap().is_empty());
    let file = root.join("2.jsonl");
    std::fs::write(&file, line("b", "Ti", 4.3)).unwrap();
    let error = store.import(&[file], &ImportOptions::default(), &()).await.unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_that_are_no_store_are_refused_with_the_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let error = Store::open(dir.path()).await.unwrap_err().to_string();
    assert!(error.contains("hollandite") && error.contains("init"), "{error}");
    std::fs::write(dir.path().join("thesis.tex"), "x").unwrap();
    let error = Store::init(dir.path()).await.unwrap_err().to_string();
    assert!(error.contains("other files"), "{error}");
    let inner = dir.path().join("store");
    Store::init(&inner).await.unwrap();
    assert!(Store::init(&inner).await.unwrap_err().to_string().contains("already"));
    let foreign = dir.path().join("foreign");
    std::fs::create_dir(&foreign).unwrap();
    rusqlite::Connection::open(foreign.join("catalog.sqlite")).unwrap().execute("CREATE TABLE t (x)", []).unwrap();
    assert!(Store::open(&foreign).await.unwrap_err().to_string().contains("not made by hollandite"));
    // No draft is left beside any of them.
    assert!(std::fs::read_dir(dir.path()).unwrap().all(|e| !e.unwrap().file_name().to_string_lossy().starts_with('.')));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_store_is_made_once_and_holds_the_published_hosts() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("share/hollandite/store");
    // Two processes that start at once both get the one store.
    let (one, two) = tokio::join!(Store::open_or_embed(&path), Store::open_or_embed(&path));
    let (one, two) = (one.unwrap(), two.unwrap());
    let hosts = hollandite::formats::hosts::embedded().len() as i64;
    assert_eq!(number(&one, None, COUNT).await, hosts);
    assert_eq!(number(&two, None, "SELECT count(*) FROM tmo WHERE spacegroup IS NOT NULL AND void > 0").await, hosts);
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    let info = one.info(None).unwrap();
    let rows: u64 = info.tables.iter().filter_map(|t| t.rows).sum();
    let report = Store::open_or_embed(&path).await.unwrap().verify().await.unwrap();
    assert!(report.is_clean() && report.leftovers.is_empty() && report.rows == rows, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_writes_nothing() {
    let bench = Bench::new().await;
    let file = bench.file("1.jsonl", &(line("a", "Ti", 4.2) + &line("salt", "Na", 4.2)));
    let options = ImportOptions { dry_run: true, ..ImportOptions::default() };
    let before = std::fs::read(bench.root.join("store/catalog.sqlite")).unwrap();
    let summary = bench.store.import(&[file], &options, &()).await.unwrap();
    assert_eq!((summary.added, summary.skipped, summary.snapshot), (1, 1, None));
    assert_eq!(before, std::fs::read(bench.root.join("store/catalog.sqlite")).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_small_files_arrive_in_order_and_progress_counts_them() {
    struct Last(std::sync::Mutex<Option<Done>>);
    impl Progress for Last {
        fn step(&self, done: &Done) {
            *self.0.lock().unwrap() = Some(done.clone());
        }
    }
    let bench = Bench::new().await;
    let folder = bench.root.join("many");
    std::fs::create_dir(&folder).unwrap();
    for i in 0..1500 {
        std::fs::write(
            folder.join(format!("{i:04}.jsonl")),
            line(&format!("x{i:04}"), "Ti", 4.0 + f64::from(i) * 1e-3),
        )
        .unwrap();
    }
    let progress = Last(None.into());
    let summary = bench.store.import(&[folder], &ImportOptions::default(), &progress).await.unwrap();
    assert_eq!((summary.added, summary.files), (1500, 1500));
    let last = progress.0.into_inner().unwrap().unwrap();
    assert_eq!((Some(last.done), last.unit, last.words.as_str()), (last.of, "bytes", "1500 crystals"));
    // Batches do not reorder: the row number of DuckLake is the place in the import.
    let ctx = SessionContext::new();
    bench.store.register(&ctx, None).await.unwrap();
    let batches = ctx.sql("SELECT id FROM tmo").await.unwrap().collect().await.unwrap();
    let ids: Vec<String> = batches
        .iter()
        .flat_map(|b| b.column(0).as_string_view().iter().map(|id| id.unwrap().to_owned()).collect::<Vec<_>>())
        .collect();
    assert!(ids.is_sorted() && ids.len() == 1500);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_imports_take_turns() {
    let bench = Bench::new().await;
    let one = bench.file(
        "1.jsonl",
        &(0..600).map(|i| line(&format!("a{i}"), "Ti", 4.0 + f64::from(i) * 1e-3)).collect::<String>(),
    );
    let two = bench.file(
        "2.jsonl",
        &(300..900).map(|i| line(&format!("a{i}"), "Ti", 4.0 + f64::from(i) * 1e-3)).collect::<String>(),
    );
    let other = Store::open(bench.store.dir()).await.unwrap();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async { other.import(&[two], &ImportOptions::default(), &()).await.unwrap() })
    });
    let first = bench.import(&one, "tmo").await;
    let second = thread.join().unwrap();
    assert_eq!(first.added + second.added, 900);
    assert_eq!(first.present + second.present, 300);
    assert_eq!(number(&bench.store, None, COUNT).await, 900);
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_names_every_kind_of_damage() {
    let bench = Bench::new().await;
    let new = bench.store.verify().await.unwrap();
    for (i, metal) in ["Ti", "V", "Mn", "Fe"].into_iter().enumerate() {
        bench.import(&bench.file("in.jsonl", &line(&format!("r{i}"), metal, 4.2)), "tmo").await;
    }
    let clean = bench.store.verify().await.unwrap();
    assert!(clean.is_clean() && clean.leftovers.is_empty(), "{clean}");
    assert_eq!((clean.files, clean.rows, clean.checksums), (new.files + 4, new.rows + 4, new.checksums + 4));

    let files = bench.parquet();
    let mut bytes = std::fs::read(&files[0]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&files[0], &bytes).unwrap();
    std::fs::write(&files[1], &bytes[..middle]).unwrap();
    std::fs::remove_file(&files[2]).unwrap();
    let name = files[3].file_name().unwrap().to_string_lossy().into_owned();
    bench.execute(&format!("UPDATE ducklake_data_file SET record_count = 7 WHERE path = '{name}'"));
    std::fs::write(bench.root.join("store/data/main/tmo/left.parquet"), "x").unwrap();

    let report = bench.store.verify().await.unwrap();
    let message = |file: &Path| report.problems.iter().find(|p| p.path == file).map(|p| p.message.clone()).unwrap();
    assert_eq!(report.problems.len(), 4, "{report}");
    assert!(message(&files[0]).contains("SHA-256"), "{report}");
    assert!(message(&files[1]).contains("bytes long"), "{report}");
    assert!(message(&files[2]).contains("cannot be read"), "{report}");
    assert!(message(&files[3]).contains("holds 1 rows, the catalog says 7"), "{report}");
    assert_eq!(report.leftovers.len(), 1);
    assert_eq!(bench.store.remove_leftovers(&report).await.unwrap(), 1);
    assert!(bench.store.verify().await.unwrap().leftovers.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_without_a_checksum_are_read_through() {
    let bench = Bench::new().await;
    let rows: String = (0..50).map(|i| line(&format!("a{i}"), "Ti", 4.0 + f64::from(i) * 1e-3)).collect();
    bench.import(&bench.file("1.jsonl", &rows), "tmo").await;
    // A name that another client gave it.
    let name = bench.parquet()[0].file_name().unwrap().to_string_lossy().into_owned();
    std::fs::rename(&bench.parquet()[0], bench.parquet()[0].with_file_name("ducklake-1.parquet")).unwrap();
    bench.execute(&format!("UPDATE ducklake_data_file SET path = 'ducklake-1.parquet' WHERE path = '{name}'"));
    let report = bench.store.verify().await.unwrap();
    assert!(report.is_clean() && report.checksums == report.files - 1, "{report}");
    // The first data page, of the column id, is behind the four magic bytes.
    let file = &bench.parquet()[0];
    let mut bytes = std::fs::read(file).unwrap();
    bytes[4..64].fill(0xff);
    std::fs::write(file, bytes).unwrap();
    let report = bench.store.verify().await.unwrap();
    assert!(report.problems[0].message.contains("cannot be decoded"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_set_arrives_whole() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/tmo.jsonl.gz");
    if !file.exists() {
        crate::common::skip(format_args!("{} is absent", file.display()));
        return;
    }
    let bench = Bench::new().await;
    let summary = bench.import(&file, "tmo").await;
    println!("{summary}");
    assert_eq!((summary.added, summary.quarantined, summary.skipped), (18_352, 0, 0));
    assert_eq!(number(&bench.store, None, COUNT).await, 18_352);
    assert_eq!(number(&bench.store, None, "SELECT CAST(max(natoms) AS BIGINT) FROM tmo").await, 392);
    assert_eq!(number(&bench.store, None, "SELECT CAST(median(natoms) AS BIGINT) FROM tmo").await, 32);
    assert_eq!(number(&bench.store, None, "SELECT count(*) FROM tmo WHERE split = 'train'").await, 7_838);
}
