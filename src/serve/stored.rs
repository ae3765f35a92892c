//! The queries that the program stores, at the gate: users begin with them.

use std::path::{Path, PathBuf};

use store::Store;

use crate::{Allowed, Gate, Kind, Limits, Question, Refusal};

/// Those that relax crystals, which the operator allows.
const RELAX: [&str; 8] = [
    "funnel",
    "paper_adsorption",
    "screen_ca",
    "screen_ions",
    "voltage_errors",
    "voltages",
    "voltages_inserted",
    "voltages_relaxed",
];

/// Those of tables that another command makes first.
const OF_MADE_TABLES: [&str; 2] = ["funnel_candidates", "sun"];

#[test]
fn every_stored_query_is_let_through_or_needs_what_the_refusal_says() {
    // On threads that have room for plans.
    let runtime = crate::runtime().unwrap();
    runtime.block_on(runtime.spawn(all())).unwrap();
}

async fn all() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::init(&folder.path().join("store")).await.unwrap();
    let strict = Gate::open(&store, Limits::default(), Allowed::default()).await.unwrap();
    let allowed = Allowed { relax: true, ..Allowed::default() };
    let relaxing = Gate::open(&store, Limits::default(), allowed).await.unwrap();
    let queries = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../queries");
    let mut files: Vec<PathBuf> = std::fs::read_dir(queries).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    assert!(files.len() >= 40, "{} queries", files.len());
    for path in files {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let (relaxes, of_made) = (RELAX.contains(&name), OF_MADE_TABLES.contains(&name));
        match strict.plan(Question::from(text.as_str())).await {
            Ok(_) => assert!(!relaxes && !of_made, "{name} is let through"),
            Err(Refusal { kind: Kind::Forbidden, message }) => {
                assert!(relaxes && message.contains("--allow relax"), "{name}: {message}");
            }
            Err(Refusal { kind, message }) => {
                assert!(of_made && kind == Kind::Bad && message.contains("no table"), "{name}: {message}");
            }
        }
        let allowed = relaxing.plan(Question::from(text.as_str())).await.err();
        assert_eq!(allowed.is_some(), of_made, "{name}: {allowed:?}");
    }
}
