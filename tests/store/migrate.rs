//! A store that an older program wrote is brought to the present layout when it is opened, and loses nothing.
//!
//! fixtures/stores/layout_8 is such a store: two crystals, one of which was updated, a table of two notes, one of which was
//! deleted, a table that was dropped, and one feature. Its catalog is there as text.

use std::path::{Path, PathBuf};

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use hollandite::sql::Session;
use hollandite::store::Store;

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &to) } else { std::fs::copy(&path, &to).map(drop).unwrap() }
    }
}

/// The store of the fixture, in a folder of its own.
fn old(dir: &Path) -> PathBuf {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stores/layout_8");
    let store = dir.join("store");
    copy(&fixture.join("data"), &store.join("data"));
    let catalog = rusqlite::Connection::open(store.join("catalog.sqlite")).unwrap();
    // Its tables are in no particular order.
    catalog.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    catalog.execute_batch(&std::fs::read_to_string(fixture.join("catalog.sql")).unwrap()).unwrap();
    store
}

async fn number(session: &Session, sql: &str) -> i64 {
    let batches = session.sql(sql).await.unwrap_or_else(|e| panic!("{sql}\n{e}")).collect().await;
    batches.unwrap_or_else(|e| panic!("{sql}\n{e}"))[0].column(0).as_primitive::<Int64Type>().value(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_an_older_layout_is_migrated_and_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = old(dir.path());
    let key = "SELECT count(*) FROM pragma_table_info('ducklake_table') WHERE name = 'table_id' AND pk > 0";
    let keyed = || -> i64 {
        let catalog = rusqlite::Connection::open(path.join("catalog.sqlite")).unwrap();
        catalog.query_row(key, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(keyed(), 1, "the fixture is of the old layout");

    for _ in 0..2 {
        let store = Store::open(&path).await.unwrap();
        let session = Session::open(&store, None).await.unwrap();
        assert_eq!(number(&session, "SELECT count(*) FROM tmo WHERE density(structure) > 1").await, 2);
        assert_eq!(number(&session, "SELECT count(*) FROM tmo WHERE id = 'rutile' AND split = 'test'").await, 1);
        assert_eq!(number(&session, "SELECT sum(n) FROM notes").await, 2);
        assert_eq!(number(&session, "SELECT sum(n) FROM notes AT (VERSION => 7)").await, 3);
        assert_eq!(number(&session, "SELECT count(*) FROM gone AT (VERSION => 10)").await, 0);
        assert_eq!(number(&session, "SELECT count(*) FROM features WHERE density > 1").await, 2);
        assert_eq!(number(&session, "SELECT count(*) FROM imports WHERE state = 'done'").await, 1);
        assert_eq!(number(&session, "SELECT count(*) FROM snapshots WHERE time LIKE '2026-11-29 14:28:2%'").await, 12);
        assert!(store.verify().await.unwrap().is_clean());
    }
    assert_eq!(keyed(), 0);

    let store = Store::open(&path).await.unwrap();
    let session = Session::open(&store, None).await.unwrap();
    for statement in [
        "ALTER TABLE notes RENAME TO remarks",
        "INSERT INTO remarks VALUES ('c', 3)",
        "CREATE TABLE notes AS SELECT id FROM tmo",
        "UPDATE tmo SET split = NULL WHERE id = 'rutile'",
    ] {
        session.sql(statement).await.unwrap_or_else(|e| panic!("{statement}\n{e}")).collect().await.unwrap();
    }
    assert_eq!(number(&session, "SELECT sum(n) FROM remarks").await, 5);
    assert_eq!(number(&session, "SELECT count(*) FROM notes").await, 2);
    assert_eq!(number(&session, "SELECT count(*) FROM tmo WHERE split IS NULL").await, 2);
    assert!(store.verify().await.unwrap().is_clean());
}
