//! Structure matrices and fingerprints against dscribe's and matminer's, for 60 oxides (files outside this repository;
//! where they are absent the test says so and passes).

use std::path::PathBuf;

use hollandite::{
    crystal::{Element, Lattice, Structure},
    features::{SoapOptions, soap},
};
use serde_json::Value;

/// A file of the reference folder beside the repository.
fn reference(name: &str) -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/reference").join(name);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("skipped: {} is absent", path.display());
    }
    text
}

fn values(name: &str) -> Option<Value> {
    reference(name).map(|text| serde_json::from_str::<Value>(&text).unwrap()["values"].take())
}

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

fn structures() -> Option<Vec<(String, Structure)>> {
    let read = |line: &str| {
        let v: Value = serde_json::from_str(line).unwrap();
        let rows: [[f64; 3]; 3] = serde_json::from_value(v["lattice"].clone()).unwrap();
        let symbols: Vec<String> = serde_json::from_value(v["species"].clone()).unwrap();
        let species = symbols.iter().map(|s| Element::from_symbol(s).unwrap()).collect();
        let coords = serde_json::from_value(v["frac_coords"].clone()).unwrap();
        let structure = Structure::new(Lattice::new(rows).unwrap(), species, coords).unwrap();
        (v["id"].as_str().unwrap().to_owned(), structure)
    };
    reference("structures60.jsonl").map(|text| text.lines().map(read).collect())
}

/// Equal within 1e-6 of the largest number of the reference.
fn assert_close(what: &str, got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len(), "{what}: length");
    let size = want.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    for (k, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((g - w).abs() <= 1e-6 * size, "{what}, number {k}: {g}, peer {w} of at most {size}");
    }
}

#[test]
fn soap_equals_that_of_dscribe() {
    let (Some(structures), Some(values)) = (structures(), values("soap_r5_n4_l3.json")) else { return };
    let options = SoapOptions { r_cut: 5.0, n_max: 4, l_max: 3, sigma: 0.5, ..SoapOptions::default() };
    let mut compared = 0;
    for (id, structure) in &structures {
        let want = &values[id];
        if want.is_null() {
            continue;
        }
        let got = soap(structure, &options).unwrap();
        let (first, last) = (got.spectra().next().unwrap(), got.spectra().last().unwrap());
        assert_close(&format!("{id}, first site"), first, &numbers(&want["first_site"]));
        assert_close(&format!("{id}, last site"), last, &numbers(&want["last_site"]));
        compared += 1;
    }
    assert_eq!(compared, 20);
}
