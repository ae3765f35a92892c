//! Magpie descriptors against matminer, with and without imputation: formulas of our own, and the sixty oxides of the
//! larger set.

use hollandite::crystal::Composition;
use hollandite::features::{MissingProperty, magpie_names, magpie_of};
use serde_json::Value;

use crate::data::{golden, larger, sixty};

/// Equal to 1e-9 of the value, or both zero but for rounding. The golden file and the reference print twelve
/// significant digits or more.
fn assert_equal(id: &str, name: &str, got: f64, want: f64) {
    assert!((got - want).abs() <= 1e-9 * want.abs() + 1e-12, "{id}, {name}: {got}, matminer {want}");
}

fn compare(id: &str, composition: &Composition, missing: MissingProperty, want: &Value) {
    let (mut lacking, mut unknown) = (0, 0);
    let amounts: Vec<_> = composition.iter().collect();
    let got = magpie_of(&amounts, missing);
    let want = want.as_array().unwrap();
    assert_eq!(want.len(), got.len());
    for ((name, got), want) in magpie_names().iter().zip(got).zip(want) {
        match want.as_f64() {
            // A property that some element lacks is not known here; matminer has the value of the most frequent element
            // even so.
            Some(_) if got.is_nan() && name.starts_with("mode ") => lacking += 1,
            Some(want) => assert_equal(id, name, got, want),
            None => {
                assert!(got.is_nan(), "{id}, {name}: {got}, matminer has none");
                unknown += 1;
            }
        }
    }
    assert!(lacking == 0 || unknown > 0, "{id}: the mode of a property that no element lacks");
}

#[test]
fn descriptors_equal_those_of_matminer() {
    let golden = golden("magpie.json");
    let names: Vec<String> = serde_json::from_value(golden["meta"]["names"].clone()).unwrap();
    assert_eq!(names, magpie_names());
    let formulas = golden["values"].as_object().unwrap();
    assert!(formulas.len() >= 8, "{}", formulas.len());
    let kinds = [("magpie", MissingProperty::Missing), ("magpie_imputed", MissingProperty::Mean)];
    let mut without = 0;
    for (formula, values) in formulas {
        for (kind, missing) in kinds {
            compare(formula, &Composition::parse(formula).unwrap(), missing, &values[kind]);
            without += values[kind].as_array().unwrap().iter().filter(|value| value.is_null()).count();
        }
    }
    assert!(without > 0, "no formula has an element without a property");
    for (kind, missing) in kinds {
        let Some(peer) = larger(&format!("{kind}.json")) else { return };
        for (id, structure) in &sixty() {
            compare(id, &structure.composition(), missing, &peer["values"][id]);
        }
    }
}
