//! Voltage profiles and capacities against pymatgen's `InsertionElectrode`: 25 hosts and ions, with fillings above the
//! hull.

use hollandite::adsorption::{capacity, insertion_voltage, voltage_profile};
use hollandite::crystal::{Composition, Element};
use serde_json::Value;

#[test]
fn voltages_and_capacities_are_those_of_insertion_electrode() {
    let golden: Value = serde_json::from_str(include_str!("../../fixtures/golden/insertion_electrode.json")).unwrap();
    let (mut steps, mut left_out) = (0, 0);
    for case in golden["cases"].as_array().unwrap() {
        let number = |key: &str| case[key].as_f64().unwrap();
        let name = format!("{} {}", case["host"], case["ion"]);
        let fillings: Vec<(f64, f64)> = serde_json::from_value(case["fillings"].clone()).unwrap();
        let want: Vec<(f64, f64, f64)> = serde_json::from_value(case["steps"].clone()).unwrap();
        let got = voltage_profile(&fillings, number("e_ion"), number("valence")).unwrap();
        assert_eq!(got.len(), want.len(), "{name}: {got:?}, pymatgen {want:?}");
        for (got, want) in got.iter().zip(&want) {
            assert_eq!((got.n_from, got.n_to), (want.0, want.1), "{name}");
            assert!((got.voltage - want.2).abs() < 1e-9, "{name}: {got:?}, pymatgen {want:?}");
        }
        steps += got.len();
        left_out += fillings.len() - 1 - got.len();

        let lowest = |n: f64| fillings.iter().filter(|f| f.0 == n).map(|f| f.1).fold(f64::INFINITY, f64::min);
        let n = number("n");
        let average = insertion_voltage(lowest(n), lowest(0.0), number("e_ion"), n, number("valence")).unwrap();
        assert!((average - number("average")).abs() < 1e-9, "{name}: {average}");
        let host = Composition::parse(case["host"].as_str().unwrap()).unwrap();
        let ion = Element::from_symbol(case["ion"].as_str().unwrap()).unwrap();
        let ours = capacity(&host, ion, n, number("valence"), None).unwrap().gravimetric;
        // Atomic masses differ in the sixth digit between tables.
        let want = number("capacity_grav");
        assert!((ours / want - 1.0).abs() < 1e-5, "{name}: {ours}, pymatgen {want} mAh/g");
    }
    println!("{steps} plateaus agree to 1e-9 V, {left_out} fillings lie above their hull in both");
    assert!(steps > 50 && left_out > 20);
}
