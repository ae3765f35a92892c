//! Queries over a store on disk with the model that ships: the first question of the README, asked twice.
//!
//! Only one test here asks a model: the model counts its forward passes for the whole process.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type};
use arrow::util::pretty::pretty_format_batches;
use hollandite::models::Model;
use hollandite::sql::Session;
use hollandite::store::Store;

const EXAMPLE: &str = "SELECT predict_ef(structure) FROM tmo WHERE void>0.5";

async fn rows(session: &Session, sql: &str) -> Vec<RecordBatch> {
    session
        .sql(sql)
        .await
        .unwrap_or_else(|e| panic!("{sql}\n{e}"))
        .collect()
        .await
        .unwrap_or_else(|e| panic!("{sql}\n{e}"))
}

async fn energies(session: &Session, sql: &str) -> Vec<Option<f64>> {
    let batches = rows(session, sql).await;
    batches.iter().flat_map(|b| b.column(0).as_primitive::<Float64Type>().iter().collect::<Vec<_>>()).collect()
}

async fn count(session: &Session, condition: &str) -> i64 {
    let batches = rows(session, &format!("SELECT count(*) FROM tmo WHERE {condition}")).await;
    batches[0].column(0).as_primitive::<Int64Type>().value(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_query_answers_and_the_second_run_asks_no_model() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_or_embed(&dir.path().join("store")).await.unwrap();
    let session = Session::open(&store, None).await.unwrap();

    let before = Model::forward_passes();
    let first = energies(&session, EXAMPLE).await;
    let asked = Model::forward_passes() - before;
    assert_eq!(first.len() as i64, count(&session, "void > 0.5").await);
    assert!(asked > 0);
    // Formation energies of oxides lie between those of noble-metal oxides and of the rare earths'.
    assert!(first.iter().flatten().all(|e| (-4.5..1.0).contains(e)), "{first:?}");
    assert!(first.iter().flatten().count() > 10);

    assert_eq!(energies(&session, EXAMPLE).await, first);
    // Another session finds the answers in the store.
    let other = Session::open(&Store::open(store.dir()).await.unwrap(), None).await.unwrap();
    assert_eq!(energies(&other, EXAMPLE).await, first);
    assert_eq!(Model::forward_passes() - before, asked);

    let plan = pretty_format_batches(&rows(&other, &format!("EXPLAIN ANALYZE {EXAMPLE}")).await).unwrap().to_string();
    println!("{plan}");
    let predict = plan.lines().position(|line| line.contains("PredictExec")).unwrap();
    let scan = plan.lines().position(|line| line.contains("DataSourceExec")).unwrap();
    assert!(predict < scan && plan.contains("forward_passes=0"), "{plan}");
    let below: String = plan.lines().skip(predict + 1).collect();
    assert!(below.contains("void@") && !below.contains("predict_ef"), "{plan}");
}

/// A store with the published structures, and a session over it.
async fn published() -> (tempfile::TempDir, Store, Session) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_or_embed(&dir.path().join("store")).await.unwrap();
    let session = Session::open(&store, None).await.unwrap();
    (dir, store, session)
}

async fn text(session: &Session, sql: &str) -> String {
    pretty_format_batches(&rows(session, sql).await).unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_of_structures_is_read_without_the_others() {
    let (_dir, _store, session) = published().await;
    for (what, read, condition) in [
        ("sum(array_length(structure['numbers']))", Some("get_field(structure@"), "true"),
        ("sum(array_length(structure['numbers']))", Some("get_field(structure@"), "void > 0.5 AND density < 6"),
        ("count(*)", None, "array_has(structure['numbers'], 11)"),
        ("max(density)", Some("density]"), "void > 0.5 AND natoms < 20"),
    ] {
        let plan = text(&session, &format!("EXPLAIN SELECT {what} FROM tmo WHERE {condition}")).await;
        let scan = plan.lines().find(|line| line.contains("DataSourceExec")).unwrap();
        let found = scan.split_once("projection=[").map(|(_, columns)| columns);
        assert_eq!(
            found.map(|columns| read.is_some_and(|read| columns.starts_with(read))),
            read.map(|_| true),
            "{plan}"
        );
    }
    // Every row was checked when it was imported: natoms is the length of the list.
    let lengths = "CAST(array_length(structure['numbers']) AS BIGINT) <> natoms";
    assert_eq!((count(&session, lengths).await, count(&session, "void > 0.5").await > 0), (0, true));
    let sodium = "has_element(structure, 'Na')";
    assert_eq!(count(&session, "array_has(structure['numbers'], 11)").await, count(&session, sodium).await);
    // Rows that are NULL, and a file of which rows are deleted.
    let dense = count(&session, "density > 5").await;
    rows(&session, "UPDATE tmo SET structure = NULL WHERE density > 5").await;
    rows(&session, "DELETE FROM tmo WHERE density < 3").await;
    assert_eq!((dense > 0, count(&session, "structure['numbers'] IS NULL").await), (true, dense));
}

async fn number(session: &Session, sql: &str) -> i64 {
    rows(session, sql).await[0].column(0).as_primitive::<Int64Type>().value(0)
}

/// Planning or carrying out `sql` fails; its words.
async fn refused(session: &Session, sql: &str) -> String {
    match session.sql(sql).await {
        Err(error) => error.to_string(),
        Ok(frame) => frame.collect().await.map(|_| panic!("{sql} was carried out")).unwrap_err().to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_made_of_a_query_in_one_snapshot_or_not_at_all() {
    let (_dir, store, session) = published().await;
    let snapshots = || store.snapshots().unwrap().len();
    let before = snapshots();
    rows(&session, "CREATE TABLE open AS SELECT id, void, structure FROM tmo WHERE void > 0.6").await;
    assert_eq!(snapshots(), before + 1);
    let made = store.snapshots().unwrap().pop().unwrap().changes.unwrap();
    assert!(made.contains("created_table") && made.contains("inserted_into_table"), "{made}");
    let counts =
        rows(&session, "SELECT count(*) - (SELECT count(*) FROM tmo WHERE void > 0.6), count(*) FROM open").await;
    let counted = |i: usize| counts[0].column(i).as_primitive::<Int64Type>().value(0);
    assert!(counted(0) == 0 && counted(1) > 0);
    let other = Session::open(&store, None).await.unwrap();
    assert_eq!(number(&other, "SELECT count(natoms(structure)) FROM open").await, counted(1));

    // What fails while it computes leaves nothing, nor does what is refused.
    let fails = "SELECT id, CAST(formula AS INT) AS n FROM tmo";
    let tables = || store.info(None).unwrap().tables.into_iter().map(|table| table.name).collect::<Vec<_>>();
    let known = tables();
    for (sql, why) in [
        (format!("CREATE TABLE broken AS {fails}"), "Cannot cast"),
        (format!("CREATE OR REPLACE TABLE open AS {fails}"), "Cannot cast"),
        (format!("INSERT INTO open (id, void) {fails}"), "Cannot cast"),
        ("CREATE TABLE open AS SELECT 1 AS a".into(), "exists"),
        ("CREATE TABLE broken AS SELECT 1 AS a, 2 AS \"A\"".into(), "two columns"),
        ("CREATE TABLE models AS SELECT 1 AS a".into(), "exists"),
        ("CREATE TABLE features_x AS SELECT 1 AS a".into(), "features"),
        ("CREATE TABLE \"a/../b\" AS SELECT 1 AS a".into(), "path"),
        ("CREATE OR REPLACE TABLE open AS SELECT 1 AS id".into(), "DROP TABLE open"),
        ("CREATE OR REPLACE TABLE features AS SELECT 1 AS a".into(), "not a table of the store"),
        ("EXPLAIN ANALYZE INSERT INTO open (id) VALUES ('x')".into(), "EXPLAIN"),
    ] {
        let message = refused(&session, &sql).await;
        assert!(message.contains(why), "{sql}: {message}");
    }
    assert_eq!((snapshots(), tables()), (before + 1, known));
    assert_eq!(number(&session, "SELECT count(*) FROM open").await, counted(1));

    rows(&session, "CREATE OR REPLACE TABLE open AS SELECT id, 2 * void AS twice FROM tmo WHERE void > 0.5").await;
    assert_eq!(snapshots(), before + 2);
    assert_eq!(
        number(&session, "SELECT count(twice) - (SELECT count(*) FROM tmo WHERE void > 0.5) FROM open").await,
        0
    );
    rows(&session, "CREATE TABLE none AS SELECT id FROM tmo WHERE void > 2").await;
    rows(&session, "INSERT INTO none SELECT id FROM tmo WHERE void > 2").await;
    assert_eq!((snapshots(), number(&session, "SELECT count(*) FROM none").await), (before + 3, 0));
    let past = Session::open(&store, Some(before as i64)).await.unwrap();
    assert!(refused(&past, "INSERT INTO tmo (id) VALUES ('x')").await.contains("snapshot"));
    let report = store.verify().await.unwrap();
    assert!(report.is_clean() && report.leftovers.is_empty(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_query_returns_is_stored_and_read_back() {
    let (_dir, store, session) = published().await;
    let columns = [
        "'text' AS literal",
        "CASE WHEN void > 0.4 THEN 'open' ELSE formula END AS chosen",
        "spacegroup_symbol(structure) AS symbol",
        "to_cif(structure) AS cif",
        "elements AS elements",
        "structure AS crystal",
        "named_struct('name', id, 'parts', [formula, 'x'], 'n', natoms) AS record",
        "[named_struct('a', id)] AS records",
        "NULL AS nothing",
        "map(['a', 'b'], [1, 2]) AS pairs",
        "arrow_cast(id, 'LargeUtf8') AS large",
        "arrow_cast(id, 'Dictionary(Int32, Utf8)') AS dictionary",
        "arrow_cast([1, 2, 3], 'FixedSizeList(3, Int32)') AS three",
        "arrow_cast(['a'], 'LargeList(LargeUtf8)') AS large_list",
        "arrow_cast('2026-01-02T03:04:05', 'Timestamp(Second, None)') AS second",
        "arrow_cast('2026-01-02T03:04:05.123456789', 'Timestamp(Nanosecond, None)') AS nanosecond",
        "CAST('2026-01-02' AS DATE) AS day",
        "CAST('12:34:56' AS TIME) AS clock",
        "CAST(1.25 AS DECIMAL(10, 2)) AS decimal",
        "arrow_cast(natoms, 'UInt8') AS small",
        "arrow_cast(0.5, 'Float16') AS half",
        "arrow_cast(id, 'Binary') AS bytes",
        "natoms > 6 AS large_cell",
        "xrd_peaks(structure) AS peaks",
    ];
    let query = |columns: &str| format!("SELECT {columns} FROM tmo WHERE natoms <= 12 ORDER BY id LIMIT 9");
    for column in columns {
        let query = query(column);
        let should = text(&session, &query).await;
        rows(&session, &format!("CREATE TABLE one AS {query}")).await;
        let other = Session::open(&store, None).await.unwrap();
        assert_eq!(text(&other, "SELECT * FROM one").await, should, "{column}");
        rows(&other, &format!("INSERT INTO one {query}")).await;
        assert_eq!(number(&other, "SELECT count(*) FROM one").await, 18, "{column}");
        rows(&other, "DROP TABLE one").await;
    }
    // Spans of time are kept as text, and all together are one table.
    rows(&session, &format!("CREATE TABLE all_of_them AS {}", query(&columns.join(", ")))).await;
    rows(&session, "CREATE TABLE spans AS SELECT INTERVAL '1 day' AS span, now() - now() AS none").await;
    assert!(text(&session, "SELECT * FROM spans").await.contains("1 day"));
    let report = store.verify().await.unwrap();
    assert!(report.is_clean() && report.checksums == report.files, "{report}");
}

/// The derived columns of two rows side by side.
const PAIR: &str = "SELECT count(DISTINCT named_struct('a', structure_hash, 'b', formula, 'c', elements, 'd', natoms, 'e', volume, \
                    'f', density, 'g', void, 'h', spacegroup, 'i', chemsys, 'j', class, 'k', nelements, 'l', packing_fraction)) \
                    FROM tmo WHERE id IN ";

#[tokio::test(flavor = "multi_thread")]
async fn derived_columns_follow_the_crystal() {
    let (_dir, store, session) = published().await;
    assert_eq!(number(&session, &format!("{PAIR} ('rutile', 'nb12wo33')")).await, 2);
    let changed = rows(
        &session,
        "UPDATE tmo SET structure = (SELECT structure FROM tmo WHERE id = 'nb12wo33'), source = upper(source) WHERE id = 'rutile'",
    )
    .await;
    assert_eq!(changed[0].column(0).as_primitive::<arrow::datatypes::UInt64Type>().value(0), 1);
    assert_eq!(number(&session, &format!("{PAIR} ('rutile', 'nb12wo33')")).await, 1, "all columns are the crystal's");
    rows(&session, "INSERT INTO tmo (id, structure) SELECT 'a', structure FROM tmo WHERE id = 'anatase'").await;
    assert_eq!(number(&session, &format!("{PAIR} ('a', 'anatase')")).await, 1);
    // A copy with columns of its own choice; and one of a table that has more columns, in another order.
    rows(
        &session,
        "CREATE TABLE more AS SELECT 7 AS seven, void, * EXCLUDE (void, volume, structure), 0.5 AS volume, \
         CASE WHEN id = 'anatase' THEN (SELECT structure FROM tmo WHERE id = 'nb12wo33') ELSE structure END AS structure FROM tmo",
    )
    .await;
    let alike = "SELECT count(*) FROM tmo t JOIN more m USING (id) WHERE t.volume = m.volume AND t.void = m.void";
    assert_eq!(
        number(&session, &format!("{alike} AND t.id <> 'anatase'")).await + 1,
        number(&session, "SELECT count(*) FROM tmo").await
    );
    let other = "SELECT count(*) FROM more m JOIN tmo t ON m.structure_hash = t.structure_hash WHERE m.id = 'anatase'";
    assert!(
        number(&session, &format!("{other} AND t.id = 'nb12wo33' AND t.void = m.void AND t.formula = m.formula")).await
            == 1
    );

    let message = refused(&session, "UPDATE tmo SET volume = 1.0 WHERE id = 'rutile'").await;
    assert!(message.contains("volume") && message.contains("SET structure"), "{message}");
    let message = refused(
        &session,
        "INSERT INTO tmo (id, structure) VALUES ('b', {'lattice': [1.0], 'numbers': [22], 'frac_coords': [0.0]})",
    )
    .await;
    assert!(message.contains("'b'") && message.contains("not a crystal"), "{message}");
    rows(&session, "UPDATE tmo SET structure = NULL WHERE id = 'a'").await;
    assert_eq!(
        number(&session, "SELECT count(*) FROM tmo WHERE id = 'a' AND coalesce(formula, structure_hash) IS NULL").await,
        1
    );

    // A row that another program wrote is found, and mended by its crystal.
    assert_eq!(store.verify_deep(&()).await.unwrap().wrong, 0);
    let plain = datafusion::prelude::SessionContext::new();
    store.register(&plain, None).await.unwrap();
    let stale = "UPDATE tmo SET volume = 1.0, formula = 'XO' WHERE id = 'rutile'";
    plain.sql(stale).await.unwrap().collect().await.unwrap();
    let deep = store.verify_deep(&()).await.unwrap();
    assert_eq!((deep.tables, deep.wrong), (3, 1), "{deep}");
    for part in ["tmo, row 'rutile'", "formula is XO", "volume is 1.0", "SET structure = structure"] {
        assert!(deep.to_string().contains(part), "{deep}");
    }
    rows(&session, "UPDATE tmo SET structure = structure WHERE id = 'rutile'").await;
    assert_eq!(store.verify_deep(&()).await.unwrap().wrong, 0);
    let report = store.verify().await.unwrap();
    assert!(report.is_clean() && report.checksums == report.files, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_with_subqueries_choose_the_rows_that_they_say() {
    let (_dir, _store, session) = published().await;
    rows(&session, "CREATE TABLE t AS SELECT id, natoms, void FROM tmo").await;
    rows(&session, "CREATE TABLE few AS SELECT id FROM tmo WHERE natoms <= 12").await;
    let (all, few) =
        (number(&session, "SELECT count(*) FROM t").await, number(&session, "SELECT count(*) FROM few").await);
    assert!(few > 0 && few < all);
    rows(&session, "UPDATE t SET void = -1 WHERE id IN (SELECT id FROM few) AND natoms > 0").await;
    assert_eq!(number(&session, "SELECT count(*) FROM t WHERE void = -1").await, few);
    assert_eq!(number(&session, "SELECT count(*) FROM t WHERE void = -1 AND natoms > 12").await, 0);
    rows(&session, "UPDATE t SET void = (SELECT max(natoms) FROM t) + 0.5 WHERE natoms = (SELECT max(natoms) FROM t)")
        .await;
    assert!(number(&session, "SELECT count(*) FROM t WHERE void = natoms + 0.5").await > 0);
    rows(&session, "DELETE FROM t WHERE EXISTS (SELECT 1 FROM few WHERE id = 'nowhere')").await;
    rows(&session, "DELETE FROM t WHERE id IN (SELECT id FROM few WHERE id = 'nowhere')").await;
    assert_eq!(number(&session, "SELECT count(*) FROM t").await, all);
    rows(&session, "DELETE FROM t WHERE t.id NOT IN (SELECT id FROM few)").await;
    assert_eq!(number(&session, "SELECT count(*) FROM t").await, few);
    for sql in [
        "DELETE FROM t WHERE EXISTS (SELECT 1 FROM few f WHERE f.id = t.id)",
        "UPDATE t SET void = 0 WHERE id = (SELECT id FROM few)",
    ] {
        let message = refused(&session, sql).await;
        assert!(message.contains("IN it") || message.contains("more than one row"), "{message}");
    }
    // One expression in two columns, and a costly function in a condition.
    rows(&session, "UPDATE t SET void = abs(natoms - 3) + 1.0, natoms = abs(natoms - 3) + 2").await;
    assert_eq!(number(&session, "SELECT count(*) FROM t WHERE void + 1 = natoms").await, few);
    rows(&session, "DELETE FROM tmo WHERE void(structure) > 0.5 AND natoms < 1000").await;
    assert_eq!(number(&session, "SELECT count(*) FROM tmo WHERE void > 0.5 AND natoms < 1000").await, 0);
    rows(&session, "DELETE FROM t").await;
    assert_eq!(number(&session, "SELECT count(*) FROM t").await, 0);
}

/// Flips bits in every file of the lake, of any writer: each is noticed.
#[tokio::test(flavor = "multi_thread")]
async fn every_flipped_bit_is_noticed() {
    let (_dir, store, session) = published().await;
    for sql in [
        "CREATE TABLE t AS SELECT id, void, structure FROM tmo",
        "INSERT INTO t SELECT id, void, structure FROM tmo WHERE void > 0.5",
        "UPDATE t SET void = void + 1 WHERE void > 0.6",
        "DELETE FROM t WHERE void < 0.4",
        "CREATE TABLE empty (a INT)",
    ] {
        rows(&session, sql).await;
    }
    let report = store.verify().await.unwrap();
    assert!(report.is_clean() && report.checksums == report.files && report.files >= 6, "{report}");
    let mut folders = vec![store.dir().join("data")];
    let (mut trials, mut random) = (0, 88_172_645_463_325_252_u64);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let whole = std::fs::read(&path).unwrap();
            for _ in 0..10 {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                let mut bytes = whole.clone();
                bytes[(random >> 3) as usize % whole.len()] ^= 1 << (random % 8);
                std::fs::write(&path, bytes).unwrap();
                let report = store.verify().await.unwrap();
                assert_eq!(report.problems.iter().filter(|p| p.path == path).count(), 1, "{}", path.display());
                trials += 1;
            }
            std::fs::write(&path, whole).unwrap();
        }
    }
    assert!(trials >= 60 && store.verify().await.unwrap().is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_labelled_sample_has_whole_hulls() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_or_embed(&dir.path().join("store")).await.unwrap();
    let session = Session::open(&store, None).await.unwrap();
    // What stands in the column follows from the energies beside it, whichever system a phase is of.
    let differences =
        "SELECT abs(e_above_hull - e_above_hull((SELECT phase_diagram(formula, formation_energy_per_atom) FROM sample),
        formula, formation_energy_per_atom)) FROM sample WHERE source LIKE 'Materials Project (CC BY 4.0)%'";
    let differences = energies(&session, differences).await;
    assert_eq!(differences.len(), 377);
    assert!(differences.iter().all(|d| d.is_some_and(|d| d < 1e-6)), "{differences:?}");
    // The oxides that a chemist expects are on the hull, or all but on it.
    let known = "SELECT min(e_above_hull) FROM sample WHERE formula IN ('TiO2', 'Ti2O3', 'V2O5', 'VO2', 'MoO3', 'WO3', 'LiMn2O4',
        'Li2MnO3', 'CaMnO3', 'Li2O', 'CaO', 'MnO') GROUP BY formula";
    let known = energies(&session, known).await;
    assert!(known.len() == 12 && known.iter().all(|e| e.is_some_and(|e| e < 0.05)), "{known:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn structs_and_lists_that_are_null_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_or_embed(&dir.path().join("store")).await.unwrap();
    let session = Session::open(&store, None).await.unwrap();
    let nulls = "SELECT count(*) FILTER (WHERE s IS NULL), count(*) FILTER (WHERE l IS NULL),
                        (SELECT count(*) FROM t WHERE s IS NULL) AS found,
                        (SELECT count(*) FROM t WHERE l IS NOT NULL) AS other FROM t";
    let steps = [
        (
            "CREATE TABLE t AS SELECT 1 AS a, named_struct('x', 1) AS s, [1, 2] AS l UNION ALL SELECT 2, named_struct('x', NULL), [3]",
            [0, 0, 0, 2],
        ),
        ("INSERT INTO t VALUES (3, NULL, NULL)", [1, 1, 1, 2]),
        ("UPDATE t SET s = NULL, l = NULL WHERE a = 1", [2, 2, 2, 1]),
        ("UPDATE t SET s = NULL, l = NULL", [3, 3, 3, 0]),
    ];
    for (statement, want) in steps {
        rows(&session, statement).await;
        let found = rows(&session, nulls).await;
        let found: Vec<i64> = found[0].columns().iter().map(|n| n.as_primitive::<Int64Type>().value(0)).collect();
        assert_eq!(found, want, "{statement}");
    }
}
