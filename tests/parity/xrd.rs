//! Powder diffraction against pymatgen and matminer: four oxides that are always checked, and, where the reference folder
//! lies beside the repository, 60 more.

use std::path::PathBuf;

use hollandite::crystal::{Element, Lattice, Structure};
use hollandite::features::{CU_KA, Peak, xrd_peaks, xrd_vector};
use serde_json::Value;

/// A file of the reference folder beside the repository.
fn reference(name: &str) -> Option<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/reference").join(name);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        crate::common::skip(format_args!("{} is absent", path.display()));
    }
    text.map(|text| match name.ends_with(".jsonl") {
        true => text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect(),
        false => serde_json::from_str(&text).unwrap(),
    })
}

fn structure(v: &Value) -> Structure {
    let rows: [[f64; 3]; 3] = serde_json::from_value(v["lattice"].clone()).unwrap();
    let symbols: Vec<String> = serde_json::from_value(v["species"].clone()).unwrap();
    let species = symbols.iter().map(|s| Element::from_symbol(s).unwrap()).collect();
    let coords = serde_json::from_value(v["frac_coords"].clone()).unwrap();
    Structure::new(Lattice::new(rows).unwrap(), species, coords).unwrap()
}

fn numbers(v: &Value) -> Vec<f64> {
    serde_json::from_value(v.clone()).unwrap()
}

/// Angles to 1e-4 degrees, intensities to 1e-4 of 100, spacings to 1e-6 of their value. The reference prints eight
/// significant digits, far finer.
fn assert_peaks(id: &str, got: &[Peak], want: &Value) {
    let (two_theta, intensity, d) = (numbers(&want["two_theta"]), numbers(&want["intensity"]), numbers(&want["d"]));
    assert_eq!(got.len(), two_theta.len(), "{id}: number of peaks");
    for (k, peak) in got.iter().enumerate() {
        assert!((peak.two_theta - two_theta[k]).abs() < 1e-4, "{id}, peak {k}: {peak:?}, pymatgen {}", two_theta[k]);
        assert!((peak.intensity - intensity[k]).abs() < 1e-4, "{id}, peak {k}: {peak:?}, pymatgen {}", intensity[k]);
        assert!((peak.d - d[k]).abs() < 1e-6 * d[k], "{id}, peak {k}: {peak:?}, pymatgen {}", d[k]);
    }
}

#[test]
fn four_oxides_equal_pymatgen_peak_by_peak() {
    let golden: Value = serde_json::from_str(include_str!("../../fixtures/golden/xrd.json")).unwrap();
    let oxides = golden["values"].as_object().unwrap();
    assert_eq!(oxides.len(), 4);
    for (id, want) in oxides {
        let crystal = structure(&want["structure"]);
        let got = xrd_peaks(&crystal, CU_KA, (0.0, 127.0)).unwrap();
        assert_peaks(id, &got, want);
        for (k, peak) in got.iter().enumerate() {
            let families: Vec<(Vec<i32>, u32)> =
                peak.families.iter().map(|f| (f.indices().to_vec(), f.multiplicity)).collect();
            let wanted: Vec<(Vec<i32>, u32)> = serde_json::from_value(want["hkl"][k].clone()).unwrap();
            assert_eq!(families, wanted, "{id}, peak {k}");
        }
        for (t, (got, want)) in xrd_vector(&crystal).unwrap().iter().zip(numbers(&want["vector"])).enumerate() {
            assert!((got - want).abs() < 1e-9, "{id} at {t} degrees: {got}, matminer {want}");
        }
    }
}

#[test]
fn the_reference_oxides_have_the_peaks_of_pymatgen() {
    let (Some(structures), Some(peer)) = (reference("structures60.jsonl"), reference("xrd_peaks.json")) else { return };
    for v in structures.as_array().unwrap() {
        let (id, want) = (v["id"].as_str().unwrap(), &peer["values"][v["id"].as_str().unwrap()]);
        let got = xrd_peaks(&structure(v), CU_KA, (0.0, 90.0)).unwrap();
        assert_peaks(id, &got, want);
        for (k, peak) in got.iter().enumerate() {
            // Families of one angle are in the order of rounding there, and in the order of their indices here.
            let first: Vec<i32> = serde_json::from_value(want["hkl0"][k].clone()).unwrap();
            assert!(peak.families.iter().any(|f| f.indices() == first), "{id}: {peak:?}, pymatgen {first:?}");
            assert_eq!(peak.families.len() as u64, want["n_hkl"][k].as_u64().unwrap(), "{id}: {peak:?}");
        }
    }
}

/// Where pymatgen's strongest peak comes out as 99.99999999999999 by rounding, and matminer's cut to whole numbers makes it
/// 99. Here the strongest peak is 100.
const CUT_TO_99: [&str; 1] = ["s0245"];

/// matminer's density of a list of (2θ, whole weight).
fn density(entries: &[(f64, f64)]) -> Vec<f64> {
    let sum = |f: &dyn Fn(f64) -> f64| entries.iter().map(|&(x, w)| w * f(x)).sum::<f64>();
    let n = sum(&|_| 1.0);
    let mean = sum(&|x| x) / n;
    let h = 0.05 * (sum(&|x| (x - mean).powi(2)) / (n - 1.0)).sqrt();
    let at = |t: u32| sum(&|x| (-(f64::from(t) - x).powi(2) / (2.0 * h * h)).exp());
    (0..128).map(|t| at(t) / (n * h * std::f64::consts::TAU.sqrt())).collect()
}

#[test]
fn the_reference_oxides_have_the_vectors_of_matminer() {
    let (Some(structures), Some(peer)) = (reference("structures60.jsonl"), reference("xrd_powder128.json")) else {
        return;
    };
    for v in structures.as_array().unwrap() {
        let id = v["id"].as_str().unwrap();
        let crystal = structure(v);
        // Eight significant digits are printed: half a unit of the last one is at most 5e-8 of the value.
        let differs = |got: &[f64]| {
            let off = |(got, want): (&f64, f64)| (got - want).abs() > 1e-9 + 5e-8 * want.abs();
            got.iter().zip(numbers(&peer["values"][id])).any(off)
        };
        let got = xrd_vector(&crystal).unwrap();
        assert_eq!(got.len(), 128);
        assert_eq!(differs(&got), CUT_TO_99.contains(&id), "{id}: {got:?}");
        if CUT_TO_99.contains(&id) {
            let cut = |p: &Peak| (p.two_theta, p.intensity.floor().min(99.0));
            let entries: Vec<_> = xrd_peaks(&crystal, CU_KA, (0.0, 127.0)).unwrap().iter().map(cut).collect();
            assert!(!differs(&density(&entries)), "{id} differs by more than the cut of its strongest peak");
        }
    }
}
