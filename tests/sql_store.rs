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

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_made_of_a_query_and_not_replaced_by_one() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_or_embed(&dir.path().join("store")).await.unwrap();
    let session = Session::open(&store, None).await.unwrap();
    rows(&session, "CREATE TABLE open AS SELECT id, void, structure FROM tmo WHERE void > 0.6").await;
    let counts =
        rows(&session, "SELECT count(*) - (SELECT count(*) FROM tmo WHERE void > 0.6), count(*) FROM open").await;
    let number = |i: usize| counts[0].column(i).as_primitive::<Int64Type>().value(0);
    assert!(number(0) == 0 && number(1) > 0);
    for again in ["CREATE TABLE open AS SELECT 1 AS a", "CREATE OR REPLACE TABLE open AS SELECT 1 AS a"] {
        let message = session.sql(again).await.unwrap_err().to_string();
        assert!(message.contains("exists"), "{message}");
    }
    let other = Session::open(&store, None).await.unwrap();
    assert_eq!(
        rows(&other, "SELECT natoms(structure) FROM open").await.iter().map(|b| b.num_rows() as i64).sum::<i64>(),
        number(1)
    );
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
