//! Magpie descriptors against matminer: six formulas that are always checked, and, where the reference folder lies beside
//! the repository, 60 oxides with and without imputation.

use std::path::PathBuf;

use hollandite::crystal::{Composition, Element};
use hollandite::features::{MissingProperty, magpie, magpie_names, magpie_of};
use serde_json::Value;

/// A file of the reference folder beside the repository.
fn reference(name: &str) -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/reference").join(name);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        crate::common::skip(format_args!("{} is absent", path.display()));
    }
    text
}

fn compositions() -> Option<Vec<(String, Composition)>> {
    let read = |line: &str| {
        let v: Value = serde_json::from_str(line).unwrap();
        let symbols: Vec<String> = serde_json::from_value(v["species"].clone()).unwrap();
        let species: Vec<Element> = symbols.iter().map(|s| Element::from_symbol(s).unwrap()).collect();
        (v["id"].as_str().unwrap().to_owned(), Composition::from_elements(&species))
    };
    reference("structures60.jsonl").map(|text| text.lines().map(read).collect())
}

/// Equal to 1e-9 of the value, or both zero but for rounding. The golden file and the reference print twelve significant
/// digits or more.
fn assert_equal(id: &str, name: &str, got: f64, want: f64) {
    assert!((got - want).abs() <= 1e-9 * want.abs() + 1e-12, "{id}, {name}: {got}, matminer {want}");
}

#[test]
fn six_formulas_equal_matminer() {
    let text = include_str!("../../fixtures/golden/magpie.json");
    let golden: Value = serde_json::from_str(text).unwrap();
    let formulas = golden["values"].as_object().unwrap();
    assert_eq!(formulas.len(), 6);
    let names: Vec<String> = serde_json::from_value(golden["names"].clone()).unwrap();
    assert_eq!(names, magpie_names());
    for (formula, values) in formulas {
        let want: Vec<f64> = serde_json::from_value(values.clone()).unwrap();
        let got = magpie(&Composition::parse(formula).unwrap());
        assert_eq!(want.len(), got.len());
        for ((name, got), want) in names.iter().zip(got).zip(want) {
            assert_equal(formula, name, got.unwrap(), want);
        }
    }
}

#[test]
fn the_reference_oxides_equal_matminer_with_and_without_imputation() {
    let Some(compositions) = compositions() else { return };
    for (file, missing) in [("magpie.json", MissingProperty::Missing), ("magpie_imputed.json", MissingProperty::Mean)] {
        let Some(text) = reference(file) else { return };
        let peer: Value = serde_json::from_str(&text).unwrap();
        for (id, composition) in &compositions {
            let want = peer["values"][id].as_array().unwrap();
            let amounts: Vec<_> = composition.iter().collect();
            let got = magpie_of(&amounts, missing);
            assert_eq!(want.len(), got.len());
            for ((name, got), want) in magpie_names().iter().zip(got).zip(want) {
                match want.as_f64() {
                    Some(want) => assert_equal(id, name, got, want),
                    None => assert!(got.is_nan(), "{id}, {name}: {got}, matminer has none"),
                }
            }
        }
    }
}
