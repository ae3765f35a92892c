//! Generated crystals relaxed, and judged as the field does it: the stored query `sun`.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use hollandite::generation::Request;
use hollandite::jobs::{GenerateOptions, generate};
use hollandite::sql::{Session, request_of_elements};
use hollandite::store::Store;

use super::energy::MODELS;
use crate::common::potential;

/// The whole numbers in one column of a query.
async fn numbers(session: &Session, query: &str, column: &str) -> Vec<i64> {
    let batches = session.sql(query).await.unwrap().collect().await.unwrap();
    let of = |batch: &arrow::array::RecordBatch| {
        batch.column_by_name(column).unwrap().as_primitive::<Int64Type>().values().to_vec()
    };
    batches.iter().flat_map(of).collect()
}

/// The crystals that each step leaves, every crystal being called converged where it is.
async fn funnel(session: &Session) -> Vec<i64> {
    let query = include_str!("../../queries/sun.sql")
        .replace("relax(structure)", "relax(structure, 1000.0, 1)")
        .replace("relax(known.structure)", "relax(known.structure, 1000.0, 1)");
    numbers(session, &query, "crystals").await
}

#[tokio::test(flavor = "multi_thread")]
async fn crystals_are_relaxed_and_pass_the_steps_of_the_stored_query() {
    let _beside = MODELS.read().await;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_or_embed(&folder.path().join("store")).await.unwrap();
    let (net, card) = potential::chgnet(&["Mn", "O"], &["Mn", "O"]);
    store.add_model(&net, &card).unwrap();
    let session = Session::open(&store, None).await.unwrap();
    session.sql("SET hollandite.model = 'chgnet'").await.unwrap().collect().await.unwrap();
    let options = GenerateOptions {
        request: Request { sites: Some(12), ..request_of_elements("Mn,O").unwrap() },
        draws: 16,
        seed: 1,
        from: "tmo".into(),
        against: vec![],
        into: "generated".into(),
        relax: 2,
    };
    let first = generate(&session, &store, &options, &()).await.unwrap();
    let [relaxed, converged, symmetric] = first.relaxed.unwrap();
    assert!(relaxed == 2 && converged <= relaxed && symmetric <= converged && first.novel >= 2, "{first}");
    // What is there is neither drawn nor relaxed again.
    let again = generate(&session, &store, &options, &()).await.unwrap();
    assert_eq!((again.relaxed, again.counts, again.added), (first.relaxed, first.counts, 0));
    assert_eq!(numbers(&session, "SELECT count(*) AS n FROM generated_relaxed", "n").await, [2]);
    // What is kept of a crystal is its relaxation.
    let kept = "SELECT count(*) AS n FROM generated_relaxed AS r JOIN generated AS g ON r.id = g.id AND r.structure_hash = g.structure_hash \
                WHERE structure_hash(r.structure) = structure_hash(relax(g.structure)['structure'])";
    assert_eq!(numbers(&session, kept, "n").await, [2]);

    let before = funnel(&session).await;
    assert_eq!((before.len(), before[0]), (9, numbers(&session, "SELECT count(*) AS n FROM generated", "n").await[0]));
    assert!(before[..6].is_sorted_by(|a, b| a >= b) && before[5..].is_sorted_by(|a, b| a >= b), "{before:?}");
    assert!(before[2] > 5 && before[4] > 1, "{before:?}");
    // A known crystal twice is valid twice, unique once, and novel never.
    for name in ["copy", "another copy"] {
        let copy = format!(
            "INSERT INTO generated (id, structure) SELECT '{name}', structure FROM tmo WHERE id = 'pyrolusite'"
        );
        session.sql(&copy).await.unwrap().collect().await.unwrap();
    }
    let after = funnel(&session).await;
    let more: Vec<i64> = after.iter().zip(&before).map(|(a, b)| a - b).collect();
    assert!(more[..3] == [2, 2, 2] && more[3] <= 1 && more[4..].iter().all(|n| *n == 0), "{before:?} {after:?}");
}
