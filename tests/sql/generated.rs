//! Generated crystals: those of a network; and relaxed, and judged as the field does it, by the stored query `sun`.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use hollandite::generation::{Conditions, Request, SamplerKind};
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

/// Number, id and tokens of the crystals that a call makes, in order.
async fn crystals(session: &Session, call: &str) -> Vec<(i64, String, String)> {
    let query = format!("SELECT draw, id, tokens FROM {call} ORDER BY draw");
    let mut all = Vec::new();
    for batch in session.sql(&query).await.unwrap().collect().await.unwrap() {
        let draws = batch.column(0).as_primitive::<Int64Type>();
        let [ids, tokens] = [1, 2].map(|k| cast(batch.column(k), &DataType::Utf8).unwrap());
        let (ids, tokens) = (ids.as_string::<i32>(), tokens.as_string::<i32>());
        all.extend((0..batch.num_rows()).map(|i| (draws.value(i), ids.value(i).into(), tokens.value(i).into())));
    }
    all
}

/// Least and largest total charge, e, of what tokens name: 0 and 0 of `136 Ti4+:2a O2-:4f`.
fn charge(tokens: &str) -> (i64, i64) {
    let state = |text: &str| -> i64 {
        let digits = text.trim_end_matches(['+', '-']);
        let size = if digits.is_empty() { 1 } else { digits.parse().unwrap() };
        if text.ends_with('-') { -size } else { size }
    };
    tokens.split_whitespace().skip(1).fold((0, 0), |(low, high), orbit| {
        let (ion, place) = orbit.split_once(':').unwrap();
        let states = ion.trim_start_matches(char::is_alphabetic);
        let (lower, higher) = states.split_once('/').unwrap_or((states, states));
        let n: i64 = place.trim_end_matches(char::is_alphabetic).parse().unwrap();
        (low + n * state(lower), high + n * state(higher))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_writes_neutral_crystals_and_reads_no_table() {
    assert_eq!((charge("136 Ti4+:2a O2-:4f"), charge("1 K+:1a Mn3+/4+:8a F-:2a")), ((0, 0), (23, 31)));
    let session = Session::without_store();
    let call = |seed: u64, how: &str| {
        format!("generate('Mn,Ti,O', 20, seed => {seed}, sites => 24, sampler => 'wyckoff'{how})")
    };
    let open = crystals(&session, &call(5, "")).await;
    let wanted = crystals(&session, &call(5, ", void => 0.65")).await;
    for (what, made) in [("open", &open), ("wanted", &wanted)] {
        assert!(made.len() > 3, "{what}: {made:?}");
        for (_, _, tokens) in made {
            let (low, high) = charge(tokens);
            let asked =
                |ion: &str| ["Mn", "Ti", "O"].contains(&ion.split(|c: char| !c.is_alphabetic()).next().unwrap());
            assert!(low <= 0 && high >= 0 && tokens.split(' ').skip(1).all(asked), "{what}: {tokens}");
        }
    }
    // A seed makes the same crystals, another one and a condition make others, and one that is NULL asks for nothing.
    assert_eq!(crystals(&session, &call(5, "")).await, open);
    assert_eq!(crystals(&session, &call(5, ", largest_free_sphere => NULL, void => NULL")).await, open);
    assert_eq!(crystals(&session, &call(5, ", void => 0.65")).await, wanted);
    assert_ne!(crystals(&session, &call(6, "")).await, open);
    assert_ne!(wanted, open);
    // All else is as without it.
    for how in ["", ", void => 0.65"] {
        let wrong = format!(
            "SELECT count(*) AS n FROM {} WHERE sampler <> 'wyckoff' OR template IS NOT NULL OR seed <> 5 OR natoms > 24 \
             OR spacegroup <> spacegroup(structure, 0.01) OR formula <> reduced_formula(structure)",
            call(5, how)
        );
        assert_eq!(numbers(&session, &wrong, "n").await, [0], "{how}");
    }
    let oxide = "SELECT count(*) AS n FROM predict_structure('SnO2', 16, sampler => 'wyckoff') WHERE formula = 'SnO2'";
    let all = oxide.replace(" WHERE formula = 'SnO2'", "");
    let made = numbers(&session, oxide, "n").await;
    assert!(made[0] > 2, "{made:?}");
    assert_eq!(numbers(&session, &all, "n").await, made);
    // Templates are of a table, which there is none of.
    let error = match session.sql("SELECT * FROM generate('Mn,Ti,O', 20)").await {
        Ok(frame) => frame.collect().await.unwrap_err().to_string(),
        Err(error) => error.to_string(),
    };
    assert!(error.contains("tmo"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn draws_of_a_network_are_kept_with_what_was_asked_for_and_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_or_embed(&folder.path().join("store")).await.unwrap();
    let session = Session::open(&store, None).await.unwrap();
    let first = GenerateOptions {
        request: Request { sites: Some(16), ..request_of_elements("Mn,Ti,O").unwrap() },
        sampler: SamplerKind::Wyckoff,
        draws: 12,
        seed: 2,
        from: "tmo".into(),
        against: vec![],
        into: "written".into(),
        relax: 0,
    };
    let made = generate(&session, &store, &first, &()).await.unwrap();
    assert!(made.counts.drawn == 12 && made.counts.crystals > 2 && made.added > 0, "{made}");
    // More draws go on where those ended, and are those of one run.
    let more = GenerateOptions { draws: 20, ..first.clone() };
    let continued = generate(&session, &store, &more, &()).await.unwrap();
    let whole = GenerateOptions { into: "whole".into(), ..more.clone() };
    let whole = generate(&session, &store, &whole, &()).await.unwrap();
    assert_eq!((continued.counts, continued.added), (whole.counts, whole.added - made.added));
    // With a condition they are others, which begin at the first draw.
    let conditions = Conditions { void: Some(0.65), ..Conditions::default() };
    let wanted = GenerateOptions { request: Request { conditions, ..first.request.clone() }, ..first.clone() };
    let wanted = generate(&session, &store, &wanted, &()).await.unwrap();
    assert_eq!(wanted.counts.drawn, 12);
    let of = |what: &str| format!("SELECT sum(drawn) AS n FROM written_draws WHERE strpos(request, '{what}') > 0");
    assert_eq!(numbers(&session, &of("network wyckoff of"), "n").await, [32]);
    assert_eq!(numbers(&session, &of(", void = 0.65; network wyckoff of"), "n").await, [12]);
    let lineage =
        "SELECT count(*) AS n FROM written WHERE sampler <> 'wyckoff' OR template IS NOT NULL OR tokens IS NULL";
    assert_eq!(numbers(&session, lineage, "n").await, [0]);
    // Templates would leave it out of account.
    let ignored = GenerateOptions {
        request: Request { conditions, ..first.request.clone() },
        sampler: SamplerKind::Templates,
        ..first
    };
    let error = generate(&session, &store, &ignored, &()).await.unwrap_err().to_string();
    assert!(error.contains("knows nothing of void: take sampler 'wyckoff'"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_of_the_store_draws_by_its_name_and_no_path_is_opened_where_none_may_be() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_or_embed(&folder.path().join("store")).await.unwrap();
    let home = store.models_folder().join("Mine");
    std::fs::create_dir_all(&home).unwrap();
    let weights = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/generators/wyckoff.safetensors");
    std::fs::copy(weights, home.join("mine.safetensors")).unwrap();
    let call = |sampler: &str| format!("generate('Mn,Ti,O', 20, 5, 24, sampler => '{sampler}')");
    let session = Session::open(&store, None).await.unwrap();
    let shipped = crystals(&session, &call("wyckoff")).await;
    assert!(!shipped.is_empty());
    // The same weights under another name, in any spelling, and by their path.
    for sampler in ["Mine", "mine", weights] {
        assert_eq!(crystals(&session, &call(sampler)).await, shipped, "{sampler}");
    }
    let named = format!("SELECT count(*) AS n FROM {} WHERE sampler = 'Mine'", call("mine"));
    assert_eq!(numbers(&session, &named, "n").await, [shipped.len() as i64]);
    let listed = "SELECT count(*) AS n FROM models WHERE name = 'Mine' AND architecture = 'wyckoff' AND reason IS NULL";
    assert_eq!(numbers(&session, listed, "n").await, [1]);
    let options = GenerateOptions {
        request: Request { sites: Some(24), ..request_of_elements("Mn,Ti,O").unwrap() },
        sampler: SamplerKind::from("mine"),
        draws: 20,
        seed: 5,
        from: "tmo".into(),
        against: vec![],
        into: "mine".into(),
        relax: 0,
    };
    let made = generate(&session, &store, &options, &()).await.unwrap();
    assert_eq!(made.counts.crystals, shipped.len() as u64);
    let lineage = "SELECT count(*) AS n FROM mine WHERE sampler <> 'Mine' OR strpos(request, 'network Mine of') = 0";
    assert_eq!(numbers(&session, lineage, "n").await, [0]);
    // Where a statement may name no file, a name still means what the store keeps, and a path nothing.
    let served = Session::served(&store, Arc::default()).await.unwrap();
    assert_eq!(crystals(&served, &call("MINE")).await, shipped);
    let home = home.display().to_string();
    for path in [weights, home.as_str(), "../models/Mine"] {
        let refused = served.sql(&format!("SELECT * FROM {}", call(path))).await.map(drop).unwrap_err().to_string();
        assert!(refused.contains(&format!("no sampler '{path}'; known: templates, wyckoff, Mine")), "{refused}");
    }
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
        sampler: SamplerKind::Templates,
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
