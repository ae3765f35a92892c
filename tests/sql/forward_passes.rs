//! How often a query asks a model, and about which crystals. The plan is the product: these numbers are its promise.

use std::sync::Arc;

use crate::common::crystals::{Counting, batch, few, many, session};
use arrow::array::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use hollandite::crystal::Structure;
use hollandite::error::ModelError;
use hollandite::sql::{HollanditeOptions, PropertyModel, Session};

struct Bench {
    session: Session,
    model: Arc<Counting>,
    other: Arc<Counting>,
}

impl Bench {
    /// A fresh session: no prediction is remembered from another test.
    fn new() -> Self {
        let (session, model, other) = session();
        Self { session, model, other }
    }

    async fn rows(&self, sql: &str) -> Vec<RecordBatch> {
        let frame = self.session.sql(sql).await.unwrap_or_else(|e| panic!("{sql}\n{e}"));
        frame.collect().await.unwrap_or_else(|e| panic!("{sql}\n{e}"))
    }

    /// Rows of the answer, forward passes, crystals that went through them.
    async fn ask(&self, sql: &str) -> (usize, usize, usize) {
        let rows = self.rows(sql).await.iter().map(RecordBatch::num_rows).sum();
        let (passes, graphs) = self.model.take();
        (rows, passes, graphs)
    }

    async fn text(&self, sql: &str) -> String {
        pretty_format_batches(&self.rows(sql).await).unwrap().to_string()
    }
}

/// `ask` in a fresh session.
async fn ask(sql: &str) -> (usize, usize, usize) {
    Bench::new().ask(sql).await
}

// In `tmo`, void > 0.5 holds for rutile (twice, one crystal), MoO3, V2O5, WO3, and TcO2, which the model does not cover.

#[tokio::test]
async fn only_rows_that_survive_the_cheap_predicate_are_asked_for() {
    assert_eq!(ask("SELECT id, predict_ef(structure) FROM tmo WHERE void > 0.5").await, (6, 1, 4));
    assert_eq!(ask("SELECT id FROM many WHERE predict_ef(structure) < 0 AND void >= 0.5").await, (200, 4, 200));
}

#[tokio::test]
async fn a_call_in_where_select_and_order_by_is_evaluated_once() {
    let sql = "SELECT id, predict_ef(structure) e, -predict_ef(structure) FROM tmo \
               WHERE predict_ef(structure) < -0.55 AND void > 0.5 ORDER BY predict_ef(structure), id";
    assert_eq!(ask(sql).await, (4, 1, 4));
}

#[tokio::test]
async fn rows_that_the_cheap_side_of_an_or_decides_are_not_asked_for() {
    let or = "FROM many WHERE void > 0.5 OR predict_ef(structure) < -2";
    assert_eq!(ask(&format!("SELECT id {or}")).await, (199, 4, 201));
    // What is selected must have its value.
    assert_eq!(ask(&format!("SELECT id, predict_ef(structure) {or}")).await, (199, 6, 400));
    assert_eq!(ask("SELECT count(*) FROM tmo WHERE void > 0.5 OR predict_ef(structure) < -2").await, (1, 1, 2));
}

#[tokio::test]
async fn a_branch_that_is_not_taken_is_not_asked_for() {
    let case = "SELECT id, CASE WHEN class = 'ternary' THEN predict_ef(structure) ELSE 0 END FROM tmo";
    assert_eq!(ask(case).await, (9, 1, 1));
    let coalesce = "SELECT coalesce(void, predict_ef(structure)) FROM many";
    assert_eq!(ask(coalesce).await, (400, 0, 0));
    let filter = "SELECT class, avg(predict_ef(structure)) FILTER (WHERE void > 0.75) FROM many GROUP BY class";
    assert_eq!(ask(filter).await, (2, 2, 99));
}

#[tokio::test]
async fn a_join_comes_before_the_model() {
    let sql = "SELECT a.id, predict_ef(a.structure) FROM many a JOIN many b ON a.id = b.id WHERE b.void < 0.05";
    assert_eq!(ask(sql).await, (20, 1, 20));
    let sql = "SELECT a.id FROM many a, tmo t WHERE a.natoms = t.natoms AND t.id = 'rutile' AND a.void < 0.1 \
               AND predict_ef(a.structure) < -0.5";
    assert_eq!(ask(sql).await, (40, 1, 40));
    let sql = "SELECT e FROM (SELECT id, predict_ef(structure) e FROM many) p JOIN tmo ON p.id = tmo.id";
    assert_eq!(ask(sql).await, (0, 0, 0));
    let sql = "SELECT a.id, predict_ef(b.structure) FROM tmo a LEFT JOIN many b ON a.id = b.id AND b.void < 0.5";
    assert_eq!(ask(sql).await, (9, 0, 0));
    // A join that repeats a crystal repeats no forward pass.
    let sql = "SELECT predict_ef(a.structure) FROM tmo a JOIN many b ON a.natoms = b.natoms WHERE a.id = 'rutile'";
    assert_eq!(ask(sql).await, (400, 1, 1));
}

#[tokio::test]
async fn views_subqueries_and_common_tables_are_seen_through() {
    let bench = Bench::new();
    bench.rows("CREATE VIEW p AS SELECT id, class, void, predict_ef(structure) AS e FROM many").await;
    assert_eq!(bench.ask("SELECT id, e FROM p WHERE e < 0 AND void < 0.1").await, (40, 1, 40));
    assert_eq!(bench.ask("SELECT count(*), max(void) FROM p").await, (1, 0, 0));

    let sql = "SELECT * FROM (SELECT id, void, predict_ef(structure) e FROM many) WHERE e < 0 AND void < 0.1";
    assert_eq!(ask(sql).await, (40, 1, 40));
    let sql = "WITH p AS (SELECT id, void v, predict_ef(structure) e FROM many), \
               q AS (SELECT id, v, e, e * 2 AS twice FROM p WHERE e < 0) SELECT * FROM q WHERE v < 0.1 ORDER BY twice, id";
    assert_eq!(ask(sql).await, (40, 1, 40));
    let sql =
        "SELECT id FROM tmo WHERE natoms IN (SELECT natoms FROM many WHERE void < 0.1 AND predict_ef(structure) < 0)";
    assert_eq!(ask(sql).await, (4, 1, 40));
    let sql = "SELECT id FROM many m WHERE void < 0.1 AND predict_ef(structure) < 0 \
               AND EXISTS (SELECT 1 FROM tmo t WHERE t.natoms = m.natoms AND t.class = m.class)";
    assert_eq!(ask(sql).await, (0, 0, 0));
    let sql = "SELECT id FROM many WHERE void < 0.1 AND predict_ef(structure) <= (SELECT avg(predict_ef(structure)) FROM tmo)";
    assert_eq!(ask(sql).await.2, 45, "40, and the 6 of tmo, of which rutile is one of the 40");
}

#[tokio::test]
async fn a_limit_is_respected() {
    assert_eq!(ask("SELECT id, predict_ef(structure) FROM many LIMIT 5").await, (5, 1, 5));
    assert_eq!(ask("SELECT id, predict_ef(structure) FROM many ORDER BY void DESC LIMIT 5").await, (5, 1, 5));
    assert_eq!(ask("SELECT id, predict_ef(structure) e FROM many ORDER BY id LIMIT 5 OFFSET 7").await, (5, 1, 5));
    assert_eq!(ask("SELECT * FROM (SELECT id, predict_ef(structure) e FROM many) LIMIT 5").await, (5, 1, 5));
    // Where the model decides which rows count, it is asked until they are found.
    assert_eq!(ask("SELECT id FROM many WHERE predict_ef(structure) < 0 LIMIT 5").await, (5, 1, 64));
    assert_eq!(ask("SELECT id FROM many WHERE predict_ef(structure) < 0 ORDER BY void DESC LIMIT 5").await, (5, 1, 64));
    // Ordered by the prediction itself, every row counts.
    assert_eq!(ask("SELECT id FROM many ORDER BY predict_ef(structure), id LIMIT 5").await.2, 400);
}

#[tokio::test]
async fn an_order_that_is_not_read_still_decides_which_rows_a_limit_keeps() {
    let kept = "SELECT natoms, id AS i FROM many WHERE predict_ef(structure) < 0 ORDER BY void DESC, id LIMIT 5";
    let bench = Bench::new();
    let text = bench.text(&format!("SELECT count(*) AS c, min(q.i) AS i, sum(q.natoms) FROM ({kept}) q")).await;
    assert!(text.contains("| 5 | r395 | 30 "), "{text}");
    assert_eq!(bench.model.take(), (1, 64), "and the model stops where enough rows are found");
    let text = bench
        .text(&format!("SELECT q.n, min(q.i) AS i FROM (SELECT natoms % 5 AS n, i FROM ({kept})) q GROUP BY 1"))
        .await;
    assert!(text.contains("| 1 | r395 |"), "{text}");
    // The order may be one of calls too.
    let sql = "SELECT min(q.id) FROM (SELECT id FROM many WHERE predict_ef(structure) < 0 \
               ORDER BY volume(structure) + distance_min(structure) DESC LIMIT 3 OFFSET 2) q";
    assert!(bench.text(sql).await.contains("| r395 "), "{}", bench.text(sql).await);
}

#[tokio::test]
async fn what_is_asked_twice_under_two_names_is_one_column() {
    assert_eq!(ask("SELECT DISTINCT predict_ef(structure) k, predict_ef(structure) g FROM many").await, (1, 6, 400));
    let sql = "SELECT class, predict_ef(structure) k, max(void), predict_ef(structure) g FROM tmo GROUP BY 1, 2, 4";
    assert_eq!(ask(sql).await, (6, 1, 6));
}

#[tokio::test]
async fn a_lateral_subquery_may_ask_and_be_filtered_by_what_costs() {
    let lateral = "SELECT a.id, l.m FROM tmo a, LATERAL (SELECT min(predict_ef(b.structure)) m FROM tmo b \
                   WHERE b.class = a.class) l WHERE spacegroup(a.structure) = 221";
    let bench = Bench::new();
    let text = bench.text(&format!("{lateral} ORDER BY a.id")).await;
    assert!(text.contains("| SrTiO3 | -0.5 |") && text.contains("| WO3    | -1.6 |"), "{text}");
}

#[tokio::test]
async fn equal_crystals_are_asked_for_once_and_answers_are_remembered() {
    let bench = Bench::new();
    let sql = "SELECT id, predict_ef(structure) FROM tmo";
    assert_eq!(bench.ask(sql).await, (9, 1, 6));
    assert_eq!(bench.ask(sql).await, (9, 0, 0));
    assert_eq!(bench.ask("SELECT id FROM tmo WHERE predict_ef(structure) < -0.55").await, (5, 0, 0));
    bench.rows("SET hollandite.cache = false").await;
    assert_eq!(bench.ask(sql).await, (9, 1, 6));
    // Another model has answers of its own.
    bench.rows("SELECT predict_ef(structure, 'other') FROM tmo").await;
    assert_eq!((bench.model.take(), bench.other.take()), ((0, 0), (1, 6)));
}

#[tokio::test]
async fn the_second_model_sees_what_the_first_lets_through() {
    let bench = Bench::new();
    let sql = "SELECT id FROM tmo WHERE predict_ef(structure) < -1 AND predict_ef(structure, 'other') < -1.5";
    assert_eq!(bench.ask(sql).await, (1, 1, 6));
    assert_eq!(bench.other.take(), (1, 2));
}

#[tokio::test]
async fn costly_features_come_before_the_model() {
    let sql =
        "SELECT id, spacegroup(structure) FROM tmo WHERE predict_ef(structure) < 0 AND spacegroup(structure) = 221";
    assert_eq!(ask(sql).await, (2, 1, 2));
    let sql = "SELECT id FROM tmo WHERE predict_ef(structure) < 0 OR spacegroup(structure) = 221";
    assert_eq!(ask(sql).await, (7, 1, 4));
}

#[tokio::test]
async fn aggregates_distinct_unions_and_windows() {
    let sql = "SELECT class, avg(predict_ef(structure)), min(predict_ef(structure)) FROM many WHERE void < 0.1 \
               GROUP BY class HAVING class = 'a'";
    assert_eq!(ask(sql).await, (1, 1, 10));
    assert_eq!(ask("SELECT DISTINCT predict_ef(structure) FROM many WHERE void < 0.1").await, (1, 1, 40));
    let sql = "SELECT predict_ef(structure), count(*) FROM tmo GROUP BY predict_ef(structure)";
    assert_eq!(ask(sql).await, (6, 1, 6));
    let sql = "SELECT id, predict_ef(structure) FROM tmo WHERE void > 0.7 UNION ALL \
               SELECT id, predict_ef(structure) FROM many WHERE void < 0.01";
    assert_eq!(ask(sql).await, (7, 2, 7));
    let sql =
        "SELECT id, rank() OVER (PARTITION BY class ORDER BY predict_ef(structure)) r, void FROM tmo WHERE void > 0.5";
    assert_eq!(ask(sql).await, (6, 1, 4));
}

/// Between two batches a query can be stopped, and tells how far it is.
#[tokio::test]
async fn batches_are_small() {
    let bench = Bench::new();
    assert_eq!(bench.ask("SELECT predict_ef(structure) FROM many").await, (400, 6, 400), "64, 128 and 208 crystals");
    assert_eq!(bench.model.largest_batch(), 510, "85 crystals of 6 atoms");
}

#[tokio::test]
async fn the_plain_function_gives_the_same_answers() {
    let bench = Bench::new();
    let lifted = bench.text("SELECT id, predict_ef(structure) e FROM tmo ORDER BY id").await;
    assert_eq!(bench.model.take(), (1, 6));
    // An argument that may change from one evaluation to the next is not lifted.
    let plain = "SELECT id, predict_ef(CASE WHEN random() >= 0 THEN structure END) e FROM tmo ORDER BY id";
    assert!(!bench.text(&format!("EXPLAIN {plain}")).await.contains("PredictExec"));
    assert_eq!(lifted, bench.text(plain).await);
    assert_eq!(bench.model.take(), (0, 0), "both ways share one memory");
}

#[tokio::test]
async fn what_the_model_does_not_cover_is_null_with_a_warning() {
    let bench = Bench::new();
    let text =
        bench.text("SELECT id, predict_ef(structure) IS NULL AS unknown FROM tmo WHERE void > 0.5 ORDER BY id").await;
    assert!(text.contains("| TcO2         | true    |") && text.contains("| MoO3         | false   |"), "{text}");
    assert_eq!(
        bench.session.warnings(),
        ["predict_ef is NULL for 1 row: Tc is outside the training coverage of model counting@1"]
    );
}

#[tokio::test]
async fn plans_say_what_was_done() {
    let bench = Bench::new();
    let sql = "EXPLAIN ANALYZE SELECT id, predict_ef(structure) FROM tmo WHERE void > 0.5";
    let text = bench.text(sql).await;
    for part in [
        "PredictExec: predict_ef(tmo.structure)",
        "[model=counting@1]",
        "output_rows=6",
        "distinct=5",
        "cache_hits=0",
        "forward_passes=1",
        "graphs=4",
        "elapsed_compute=",
    ] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    let text = bench.text(sql).await;
    assert!(text.contains("cache_hits=4") && text.contains("forward_passes=0"), "{text}");
}

#[tokio::test]
async fn over_parquet_the_model_is_never_part_of_the_scan() {
    let (session, model, other) = session();
    let dir = tempfile::tempdir().unwrap();
    for (name, rows) in [("few", few()), ("lots", many())] {
        let path = dir.path().join(format!("{name}.parquet"));
        let data = batch(&rows);
        let file = std::fs::File::create(&path).unwrap();
        let mut writer = parquet::arrow::ArrowWriter::try_new(file, data.schema(), None).unwrap();
        writer.write(&data).unwrap();
        writer.close().unwrap();
        session.context().register_parquet(name, path.to_str().unwrap(), Default::default()).await.unwrap();
    }
    let bench = Bench { session, model, other };
    let sql = "SELECT id, predict_ef(structure) FROM few WHERE void > 0.5 AND predict_ef(structure) < -0.55";
    assert_eq!(bench.ask(sql).await, (4, 1, 4));
    let sql = "SELECT id FROM lots WHERE predict_ef(structure) < 0 AND void > 0.9 LIMIT 3";
    assert_eq!(bench.ask(sql).await, (3, 1, 39));
    let plan = bench.text(&format!("EXPLAIN {sql}")).await;
    let scan = plan.lines().rfind(|line| line.contains("DataSourceExec")).unwrap();
    assert!(scan.contains("void") && !scan.contains("predict_ef"), "{plan}");
}

/// The mean of the two models of a session.
struct Pair([Arc<Counting>; 2]);

impl PropertyModel for Pair {
    fn id(&self) -> &str {
        "pair@1"
    }

    fn predict(&self, _: &[Structure]) -> Vec<Result<f64, ModelError>> {
        unreachable!("an ensemble is asked through its members")
    }

    fn members(&self) -> Vec<(Arc<dyn PropertyModel>, f64)> {
        self.0.iter().zip([0.25, 0.75]).map(|(member, weight)| (Arc::clone(member) as _, weight)).collect()
    }
}

#[tokio::test]
async fn predict_and_predict_ef_share_their_answers() {
    let bench = Bench::new();
    assert_eq!(bench.ask("SELECT id, predict(structure)['value'] FROM tmo WHERE void > 0.5").await, (6, 1, 4));
    assert_eq!(bench.ask("SELECT id, predict_ef(structure) FROM tmo WHERE void > 0.5").await, (6, 0, 0));
    // Three uses, one evaluation.
    let sql = "SELECT predict(structure)['upper'] FROM many WHERE predict(structure)['in_domain'] AND void >= 0.5 \
               ORDER BY predict(structure)['lower']";
    assert_eq!(bench.ask(sql).await, (200, 4, 200));
}

#[tokio::test]
async fn an_ensemble_asks_each_member_once_and_is_remembered_through_them() {
    let bench = Bench::new();
    let session = bench.session.clone().with_model("pair", Arc::new(Pair([bench.model.clone(), bench.other.clone()])));
    let bench = Bench { session, ..bench };
    assert_eq!(bench.ask("SELECT predict_ef(structure) FROM tmo WHERE void > 0.5").await, (6, 1, 4));
    // The default model has answered, the other has not.
    let sql = "SELECT id, predict(structure, 'pair')['value'] FROM tmo WHERE void > 0.5";
    assert_eq!((bench.ask(sql).await, bench.other.take()), ((6, 0, 0), (1, 4)));
    assert_eq!((bench.ask(sql).await, bench.other.take()), ((6, 0, 0), (0, 0)));
    let text =
        bench.text("SELECT predict(structure, 'pair') AS p FROM tmo WHERE id IN ('WO3', 'TcO2') ORDER BY id").await;
    for part in ["Tc is outside", "value: -0.4", "was not calibrated"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// The watcher of a long query gets a report of every batch: the call, how many rows are done, and of how many.
#[tokio::test]
async fn a_watcher_gets_the_progress_of_a_pass() {
    let bench = Bench::new();
    type Heard = Vec<(String, u64, Option<u64>, bool)>;
    let heard: Arc<std::sync::Mutex<Heard>> = Arc::default();
    let tell = Arc::clone(&heard);
    let watcher = move |rows: hollandite::sql::RowsDone<'_>| {
        tell.lock().unwrap().push((rows.what.to_owned(), rows.done, rows.of, rows.ended));
    };
    bench.session.watch_rows(Box::new(watcher));
    bench.rows("SELECT id, predict_ef(structure) FROM many").await;
    let heard = std::mem::take(&mut *heard.lock().unwrap());
    assert!(heard.iter().all(|(what, ..)| what == "predict_ef(many.structure) by counting@1"), "{heard:?}");
    assert!(heard.iter().all(|(_, done, of, _)| *done <= 400 && *of == Some(400)), "{heard:?}");
    // More often than the windows end, which double: 64, 128, 256.
    assert!(heard.iter().filter(|(_, _, _, ended)| !ended).count() > 8, "{heard:?}");
    assert_eq!(heard.last().map(|(_, done, _, ended)| (*done, *ended)), Some((400, true)));
}

#[tokio::test]
async fn divided_among_streams_a_model_is_asked_about_the_same_crystals() {
    // Rows in an order of their own, so that another order of the answers is not taken for other answers.
    let queries = [
        "SELECT id, predict_ef(structure) FROM tmo WHERE void > 0.5",
        "SELECT id, natoms, predict_ef(structure) e, -predict_ef(structure) FROM many WHERE predict_ef(structure) < -0.55",
        "SELECT a.id, b.id, predict_ef(a.structure) FROM tmo a JOIN many b ON a.natoms = b.natoms",
        "SELECT class, round(avg(predict_ef(structure)), 9), count(*) FROM many GROUP BY class",
        "SELECT id, predict_ef(structure), predict_ef(structure, 'other') FROM many WHERE predict_ef(structure) < -0.2",
        "SELECT structure, predict_ef(structure) AS e FROM many UNION ALL SELECT structure, void FROM tmo",
        "SELECT id, CASE WHEN class = 'ternary' THEN predict_ef(structure) ELSE 0 END FROM tmo",
        "SELECT DISTINCT round(predict_ef(structure), 1) FROM many",
        "SELECT id, rank() OVER (PARTITION BY class ORDER BY predict_ef(structure), id) FROM many",
        "SELECT id, predict_ef(structure) e FROM many ORDER BY predict_ef(structure), id LIMIT 7",
        // A limit reads an order that was there before the model.
        "SELECT id FROM many WHERE predict_ef(structure) < 0 ORDER BY void DESC, id LIMIT 5",
        "SELECT count(*), sum(n) FROM (SELECT natoms n, id FROM many WHERE predict_ef(structure) < -0.3 ORDER BY void, id LIMIT 20) q",
        "SELECT id, predict_ef(structure) FROM many ORDER BY void DESC, id OFFSET 390",
        "SELECT round(avg(a.e - b.e), 9) FROM (SELECT id, predict_ef(structure) e FROM many) a \
         JOIN (SELECT id, predict_ef(structure) e FROM many) b USING (id)",
    ];
    let lines = |text: String, ordered: bool| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if !ordered {
            lines.sort();
        }
        lines
    };
    for sql in queries {
        let ordered = sql.contains("ORDER BY void") || sql.ends_with("LIMIT 7");
        let whole = Bench::new();
        let expected = (lines(whole.text(sql).await, ordered), whole.model.take().1, whole.other.take().1);
        let mut several = false;
        for streams in [1, 2, 8] {
            let bench = Bench::new();
            let state = bench.session.context().state_ref();
            let set = |key: &str, value: &str| state.write().config_mut().options_mut().set(key, value).unwrap();
            set("datafusion.execution.target_partitions", &streams.to_string());
            state.write().config_mut().options_mut().extensions.get_mut::<HollanditeOptions>().unwrap().partitioned =
                true;
            // More rows than a batch are worth dividing.
            set("datafusion.execution.batch_size", "4");
            let found = (lines(bench.text(sql).await, ordered), bench.model.take().1, bench.other.take().1);
            assert_eq!(found, expected, "{streams} streams: {sql}");
            let plan = bench.text(&format!("EXPLAIN {sql}")).await;
            several |= plan.contains("structure_hash(");
        }
        // Nor are rows divided that are about two crystals.
        assert_eq!(several, !sql.contains("ORDER BY void") && !sql.contains("JOIN (SELECT"), "{sql}");
    }
}
