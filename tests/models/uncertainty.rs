//! From training to intervals through the command line: a small model, its answers for every row with the part of the
//! training that each belongs to, the coverage of its intervals on crystals that it was not fitted to, and an ensemble.

use crate::common::program::Store;
use predicates::prelude::*;
use predicates::str::contains;

const METALS: [(&str, f64); 4] = [("Mn", -1.9), ("Ni", -1.2), ("Ti", -2.6), ("V", -2.1)];
/// Share of the intervals that must hold the label.
const COVERAGE: f64 = 0.8;

/// Rock salts as JSON lines. Their labels scatter around a smooth function of metal and cell by up to 0.3 eV/atom, so that no
/// model can be without error.
fn salts(n: usize) -> String {
    let mut state = 11_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        0.6 * ((state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5)
    };
    let line = |k: usize| {
        let (metal, energy) = METALS[k % 4];
        let a = 3.9 + 0.8 * (k / 4) as f64 / (n / 4) as f64;
        let h = a / 2.0;
        serde_json::json!({
            "id": format!("{metal}-{k}"), "species": [metal, "O"], "frac_coords": [[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]],
            "lattice": [[0.0, h, h], [h, 0.0, h], [h, h, 0.0]],
            "formation_energy_per_atom": energy + (a - 4.2).powi(2) + noise(),
        })
        .to_string()
    };
    (0..n).map(line).collect::<Vec<_>>().join("\n")
}

/// The rows of a query as JSON.
fn rows(store: &Store, sql: &str) -> Vec<serde_json::Value> {
    let text = store.stdout(&["sql", sql, "--format", "jsonl"]);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn train(store: &Store, name: &str, model: &str, epochs: &str) {
    let args = ["train", "--model", model, "--name", name, "--epochs", epochs, "--threads", "2", "--seed", "5"];
    let shares = ["--test", "0.4", "--validation", "0.4", "--learning-rate", "3e-3"];
    store.stdout(&[&args[..], &shares[..]].concat());
}

#[test]
fn a_trained_model_states_intervals_that_hold_what_they_promise() {
    let store = Store::new();
    let file = store.file("salts.jsonl", &salts(600));
    store.stdout(&["import", &file]);
    train(&store, "small", "cnn-magpie", "4");
    let small = store.beside("store/models/small");
    let coverage = COVERAGE.to_string();
    let evaluate = ["evaluate", "--model", &small, "--coverage", &coverage];

    // Half of it, then the rest: nothing is asked for twice.
    store
        .run(&[&evaluate[..], &["--where", "id LIKE 'Mn%'"]].concat())
        .assert()
        .success()
        .stdout(contains("150 predicted"));
    let said = store.stdout(&evaluate);
    assert!(said.contains("600 rows of tmo, 150 already there") && said.contains("450 predicted"), "{said}");
    for part in ["\ntrain: RMSE", "\nvalidation: RMSE", "\ntest: RMSE", "stated coverage of the intervals: 80.0 %"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let again = store.stdout(&evaluate);
    assert!(again.contains("600 already there") && !again.contains("predicted in"), "{again}");
    // Another coverage is another question, whose numbers are remembered.
    store.stdout(&["evaluate", "--model", &small, "--coverage", "0.5", "--where", "id = 'Mn-0'"]);
    store.stdout(&evaluate);

    // The parts are those of the card, and each crystal is in one.
    let card: serde_json::Value = serde_json::from_str(&store.stdout(&["models", &small, "--format", "json"])).unwrap();
    let parts = rows(&store, "SELECT split, count(*) AS n FROM predictions WHERE id IS NOT NULL GROUP BY split");
    for row in &parts {
        let part = row["split"].as_str().unwrap();
        assert_eq!(row["n"], card["split"][part], "{part}");
    }
    assert_eq!(parts.len(), 3);
    assert!(card["reliability"]["crystals"].is_null(), "the list of crystals is for the program alone");

    // Stated against observed, on the test set: calibration and test are draws, so both vary by sqrt(c (1 - c) / n).
    let text = store.stdout(&["sql", "coverage", "--format", "jsonl"]);
    let test =
        text.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()).find(|r| r["split"] == "test");
    let test = test.unwrap();
    let (n, m) = (test["intervals"].as_f64().unwrap(), card["split"]["validation"].as_f64().unwrap());
    let deviation = (COVERAGE * (1.0 - COVERAGE) * (1.0 / n + 1.0 / m)).sqrt();
    let observed = test["observed"].as_f64().unwrap();
    assert!(n > 150.0 && (observed - COVERAGE).abs() < 4.0 * deviation, "{observed} of {n}, calibrated with {m}");
    assert_eq!(test["stated"], serde_json::json!(COVERAGE));
    // The largest and smallest cells may all have been held out.
    assert!(test["without_interval"].as_i64().unwrap() <= 20, "{test}");

    // More coverage is a wider interval; more than the residuals can support is none.
    let ask = |coverage: &str| {
        let sql = format!(
            "SELECT p['value'] AS value, p['upper'] - p['lower'] AS width, p['in_domain'] AS in_domain, p['reason'] AS reason \
             FROM (SELECT predict(structure, '{small}', {coverage}) AS p FROM tmo WHERE id = 'Ti-302')"
        );
        rows(&store, &sql).remove(0)
    };
    let [half, most, none] = ["0.5", "0.95", "0.9999"].map(ask);
    assert!(half["width"].as_f64() < most["width"].as_f64(), "{half} {most}");
    assert_eq!((&none["width"], &none["in_domain"]), (&serde_json::Value::Null, &serde_json::json!(true)));
    assert!(none["reason"].as_str().unwrap().contains("coverage of"), "{none}");

    // What the model never saw: an element, a size.
    let poscar =
        |metal: &str, a: f64| format!("x\n{a}\n0 1 1\n1 0 1\n1 1 0\n{metal} O\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n");
    for (metal, a, said, number) in
        [("Tc", 2.1, "Tc", false), ("Ni", 3.0, "volume per atom", true), ("Ni", 2.1, "", true)]
    {
        let sql = format!(
            "SELECT p['value'] IS NOT NULL AS has_value, p['lower'] IS NOT NULL AS has_interval, p['in_domain'] AS in_domain, \
             p['reason'] AS reason FROM (SELECT predict('{}', '{small}') AS p)",
            poscar(metal, a)
        );
        let row = rows(&store, &sql).remove(0);
        let inside = said.is_empty();
        let found = ["has_value", "has_interval", "in_domain"].map(|name| row[name].as_bool().unwrap());
        assert_eq!(found, [number, inside, inside], "{row}");
        assert!(inside || row["reason"].as_str().unwrap().contains(said), "{row}");
    }

    pictures(&store);
    ensemble(&store);
}

/// The errors as pictures, and as the stored queries give them.
fn pictures(store: &Store) {
    for picture in ["parity", "errors"] {
        let out = store.beside(&format!("{picture}.svg"));
        store.run(&["plot", picture, "small", "--out", &out]).assert().success().stdout(contains("wrote"));
        let svg = std::fs::read_to_string(&out).unwrap();
        assert!(svg.contains("small on tmo, test") && svg.contains("MAE"), "{picture}");
    }
    // Under whatever name it is asked for; of all parts the picture says how much was fitted to: 216 of 600.
    let out = store.beside("all.svg");
    store.stdout(&["plot", "parity", &store.beside("store/models/small"), "--split", "all", "--out", &out]);
    assert!(std::fs::read_to_string(&out).unwrap().contains("small on tmo: 36 % of it training data"));
    store.stdout(&["evaluate", "--model", "Small", "--coverage", "0.8", "--plot", &out]);
    assert!(std::fs::read_to_string(&out).unwrap().contains("small on tmo: 36 % of it training data"));
    let run = store.run(&["plot", "parity", "small", "--split", "unseen"]).assert().failure();
    run.stderr(contains("hollandite evaluate --model small"));
    for query in
        ["fig10a", "fig10b", "worst", "model_error", "error_by_chemistry", "error_by_class", "error_by_distance"]
    {
        let text = store.stdout(&["sql", query, "--format", "jsonl"]);
        assert!(text.lines().any(|line| line.contains("\"small\"")), "{query}: {text}");
    }
    let worst = store.stdout(&["sql", "worst", "--format", "jsonl"]);
    assert_eq!(worst.lines().count(), 10);
}

/// Two models of one division answer as one, whose interval is calibrated on what neither was fitted to.
fn ensemble(store: &Store) {
    train(store, "other", "megnet", "1");
    let said = store.stdout(&["models", "ensemble", "both", "small", "other", "--weights", "validation"]);
    for part in ["calibration: RMSE", "\ntest: RMSE", "both.ensemble.json"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let evaluated = store.stdout(&["evaluate", "--model", "both", "--coverage", "0.8"]);
    assert!(evaluated.contains("model both") && evaluated.contains("test: RMSE"), "{evaluated}");
    let row = rows(
        store,
        "SELECT split, avg(CASE WHEN target BETWEEN lower AND upper THEN 1.0 ELSE 0.0 END) AS observed, count(lower) AS n, \
         count(DISTINCT round(upper - lower, 6)) AS widths FROM predictions WHERE model = 'both' AND split = 'test' GROUP BY split",
    )
    .remove(0);
    let (n, observed) = (row["n"].as_f64().unwrap(), row["observed"].as_f64().unwrap());
    assert!((observed - 0.8).abs() < 4.0 * (0.16 * 2.5 / n).sqrt(), "{row}");
    assert!(row["widths"].as_i64().unwrap() > 20, "the width follows the disagreement: {row}");
    // The mean of the members, by the weights that the file names.
    let card: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(store.beside("store/models/both/both.ensemble.json")).unwrap())
            .unwrap();
    let weight = |k: usize| card["members"][k]["weight"].as_f64().unwrap();
    assert!((weight(0) + weight(1) - 1.0).abs() < 1e-12 && weight(0) > 0.0);
    let of = |name: &str| store.beside(&format!("store/models/{name}"));
    let row = rows(
        store,
        &format!(
            "SELECT predict_ef(structure, 'both') AS mean, predict_ef(structure, '{}') AS a, predict_ef(structure, '{}') AS b \
             FROM tmo WHERE id = 'V-303'",
            of("small"),
            of("other")
        ),
    )
    .remove(0);
    let number = |name: &str| row[name].as_f64().unwrap();
    assert!((number("mean") - weight(0) * number("a") - weight(1) * number("b")).abs() < 1e-9, "{row}");

    let refused = |args: &[&str]| store.run(&[&["models", "ensemble"], args].concat()).assert().failure();
    refused(&["megnet", "small"]).stderr(contains("give another"));
    refused(&["small", "other"]).stderr(contains("another name"));
    refused(&["third", "both", "small"]).stderr(contains("name one of its members"));
    let row = rows(store, "SELECT test_rmse, parameters FROM models WHERE name = 'both'").remove(0);
    assert!(row["test_rmse"].as_f64().unwrap() > 0.0 && row["parameters"].as_i64().unwrap() > 1000, "{row}");
    let list = store.stdout(&["models", "list", "--format", "csv"]);
    assert!(list.contains("\nboth,ensemble of 2,formation_energy_per_atom,eV/atom,"), "{list}");
    assert!(store.stdout(&["models", "show", "both"]).contains("weight 0."));
    refused(&["twice", "small", &of("small")]).stderr(contains("there twice"));
    refused(&["e", "nosuch"]).stderr(contains("no model 'nosuch'"));
    refused(&["e", "small", "--weights", "some"]).code(2);
    // Rows that all members were fitted to calibrate nothing: the ensemble answers without intervals, and says so.
    let run = store.run(&["models", "ensemble", "blind", "small", "--where", "id = 'Mn-0'"]).assert().success();
    run.stderr(contains("predict() will give none")).stdout(contains("calibration").not());
    let row = rows(store, "SELECT predict(structure, 'blind') AS p FROM tmo WHERE id = 'V-303'").remove(0);
    assert!(row["p"]["lower"].is_null() && row["p"]["reason"].as_str().unwrap().contains("not calibrated"), "{row}");
}
