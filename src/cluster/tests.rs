//! A scheduler, two executors and a client in one process, beside the same session without them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use sql::Session;
use store::Store;

use super::*;

#[path = "../../tests/common/port.rs"]
mod free;

use free::port;

/// Starts a cluster; where its scheduler is.
async fn cluster(executors: usize) -> String {
    let address = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let (host, at) = ("127.0.0.1".to_owned(), port());
    tokio::spawn(scheduler(Scheduler { listen: address(at), host: host.clone() }));
    while tokio::net::TcpStream::connect(address(at)).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    for _ in 0..executors {
        let given = Executor {
            scheduler: (host.clone(), at),
            listen: address(port()),
            host: host.clone(),
            cores: 1,
            work: None,
        };
        tokio::spawn(executor(given));
    }
    format!("df://127.0.0.1:{at}")
}

/// The published hosts and the sample, here and by a cluster.
struct Room {
    _folder: tempfile::TempDir,
    store: Store,
    here: Session,
    there: Session,
}

impl Room {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_or_embed(&folder.path().join("store")).await.unwrap();
        let here = Session::open(&store, None).await.unwrap();
        let there = session(&here, &cluster(2).await).await.unwrap();
        Self { _folder: folder, store, here, there }
    }

    /// Both answer the same, in the same order where the query says one; how many rows.
    async fn same(&self, query: &str) -> usize {
        let (mut here, mut there) = (rows(&self.here, query).await, rows(&self.there, query).await);
        // One that stands in a subquery orders nothing here.
        if query.rfind("ORDER BY") <= query.rfind(')') {
            here.sort();
            there.sort();
        }
        assert!(there == here, "{query}: {} rows there, {} here", there.len(), here.len());
        here.len()
    }
}

async fn batches(session: &Session, query: &str) -> Vec<RecordBatch> {
    let frame = session.sql(query).await.unwrap_or_else(|e| panic!("{query}: {e}"));
    frame.collect().await.unwrap_or_else(|e| panic!("{query}: {e}"))
}

async fn rows(session: &Session, query: &str) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    let mut rows = vec![];
    for batch in batches(session, query).await {
        let columns: Vec<_> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap()).collect();
        rows.extend(
            (0..batch.num_rows())
                .map(|i| columns.iter().map(|column| column.value(i).to_string()).collect::<Vec<_>>().join(" | ")),
        );
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_answer_as_they_do_here() {
    let room = Room::open().await;
    for query in [
        "SELECT id, formula, predict_ef(structure, 'cgcnn') AS ef FROM tmo WHERE void > 0.5 ORDER BY ef LIMIT 20",
        "SELECT id, structure FROM tmo WHERE natoms < 20",
        "SELECT chemsys, count(*), round(avg(predict_ef(structure, 'cgcnn')), 6) FROM sample GROUP BY chemsys",
        "SELECT count(*) FROM sample WHERE predict_ef(structure, 'cgcnn') < -2",
        "SELECT t.id, s.id FROM tmo t JOIN sample s ON t.formula = s.formula WHERE void(t.structure) > 0.5",
        "SELECT id, predict(structure, 'cgcnn')['upper'] AS upper FROM tmo ORDER BY upper, id LIMIT 5",
        "SELECT max(void), min(density(structure)) FROM tmo",
        "WITH open AS (SELECT * FROM tmo WHERE void > 0.6) SELECT spacegroup, count(*) FROM open GROUP BY 1 ORDER BY 1",
        "SELECT id FROM tmo WHERE id IN (SELECT id FROM tmo ORDER BY void DESC LIMIT 5)",
        "SELECT t.id, p.reason FROM tmo t LEFT JOIN predictions p ON p.id = t.id WHERE predict_ef(t.structure, 'cgcnn') < -1",
        "SELECT id, row_number() OVER (ORDER BY void DESC, id) AS n FROM tmo ORDER BY n LIMIT 7",
    ] {
        assert!(room.same(query).await > 0, "{query}");
    }
    assert!(std::fs::read_dir(room.store.dir().join("shards")).unwrap().next().is_none(), "what was lent is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_in_a_table_is_seen() {
    let room = Room::open().await;
    batches(&room.here, "CREATE TABLE mine AS SELECT id, formula, void, structure FROM tmo").await;
    for statement in [
        "DELETE FROM mine WHERE void > 0.6",
        "ALTER TABLE mine RENAME COLUMN formula TO composition",
        "ALTER TABLE mine ADD COLUMN grade INT DEFAULT 7",
        "UPDATE mine SET void = void + 1 WHERE id = 'rutile'",
        "INSERT INTO mine (id, composition) VALUES ('empty', NULL)",
    ] {
        batches(&room.here, statement).await;
        assert!(room.same("SELECT * FROM mine").await > 10);
        assert_eq!(room.same("SELECT count(*), round(sum(void), 9) FROM mine WHERE id <> 'anatase'").await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_distinct_crystal_is_asked_once() {
    let room = Room::open().await;
    let query = "SELECT a.id, b.id, predict_ef(a.structure, 'cgcnn') FROM sample a, sample b WHERE b.natoms < 4";
    let plan = room.there.sql(query).await.unwrap().create_physical_plan().await.unwrap();
    let context = room.there.context().task_ctx();
    let found = datafusion::physical_plan::collect(Arc::clone(&plan), context).await.unwrap();
    assert!(found.iter().map(RecordBatch::num_rows).sum::<usize>() > 1000);
    let distinct: usize =
        rows(&room.here, "SELECT count(DISTINCT structure_hash) FROM sample").await[0].parse().unwrap();
    let asked = plan.metrics().unwrap().sum_by_name("predictions").unwrap().as_usize();
    assert_eq!(asked, distinct);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_and_warnings_come_back() {
    let room = Room::open().await;
    let query = "SELECT id, predict_ef(structure, 'cgcnn') AS ef FROM tmo";
    let count = batches(&room.there, query).await.iter().map(RecordBatch::num_rows).sum::<usize>();
    let passes = models::Model::forward_passes();
    assert_eq!(rows(&room.here, query).await.len(), count);
    assert_eq!(models::Model::forward_passes(), passes, "the store knows what the cluster computed");

    let strange = "SELECT id, predict_ef(structure('not a crystal ' || id), 'cgcnn') AS ef FROM tmo";
    assert_eq!(rows(&room.there, strange).await.len(), count);
    let warnings = room.there.warnings().join("\n");
    assert!(warnings.contains(&format!("NULL for {count} rows")) || warnings.contains("not a crystal"), "{warnings}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_says_what_it_should_be() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::init(&folder.path().join("store")).await.unwrap();
    let here = Session::open(&store, None).await.unwrap();
    for wrong in ["localhost:50050", "df://localhost", "http://localhost:1"] {
        let error = session(&here, wrong).await.err().expect("it is refused").to_string();
        assert!(error.contains("df://HOST:PORT"), "{error}");
    }
}
