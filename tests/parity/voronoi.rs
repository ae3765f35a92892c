//! Voronoi cells against pymatgen's `VoronoiNN`: four oxides of our own, always checked, and 60 oxides of a reference
//! folder outside this repository (where it is absent the test says so and passes).
//!
//! At tolerance 0 `VoronoiNN` counts every face, and a face that exists only by rounding would count too. None does: the
//! tiny faces of both sides are those of coordinates given to eight digits, and the same on both sides, so that the counts
//! are equal at tolerance 0 as well as above it.

use std::path::PathBuf;

use hollandite::{
    crystal::{Element, Lattice, Structure},
    features::voronoi,
};
use serde_json::Value;

fn structure(v: &Value) -> Structure {
    let rows: [[f64; 3]; 3] = serde_json::from_value(v["lattice"].clone()).unwrap();
    let symbols: Vec<String> = serde_json::from_value(v["species"].clone()).unwrap();
    let species = symbols.iter().map(|s| Element::from_symbol(s).unwrap()).collect();
    let coords = serde_json::from_value(v["frac_coords"].clone()).unwrap();
    Structure::new(Lattice::new(rows).unwrap(), species, coords).unwrap()
}

/// Compares volumes (1e-6 of the site's), largest solid angles, weighted coordination and the numbers of faces above
/// `tolerance`.
fn compare(id: &str, structure: &Structure, want: &Value, counts: &str, tolerance: f64) {
    let cells = voronoi(structure).unwrap().cells;
    let number = |key: &str, i: usize| want[key][i].as_f64().unwrap();
    for (i, cell) in cells.iter().enumerate() {
        let pairs = [
            (cell.volume, number("volume", i)),
            (cell.max_solid_angle(), number("max_solid_angle", i)),
            (cell.weighted_coordination(), number("weighted_cn", i)),
        ];
        for (got, want) in pairs {
            assert!((got - want).abs() < 1e-6 * want, "{id}, site {i}: {got}, pymatgen {want}");
        }
        let count = want[counts][i].as_u64().unwrap() as usize;
        assert_eq!(cell.coordination(tolerance), count, "{id}, site {i}: faces above {tolerance}");
    }
    let filled: f64 = cells.iter().map(|c| c.volume).sum();
    assert!((filled - structure.volume()).abs() <= 1e-9 * structure.volume(), "{id}");
}

#[test]
fn four_oxides_equal_pymatgen() {
    let golden: Value = serde_json::from_str(include_str!("../../fixtures/golden/voronoi.json")).unwrap();
    assert!(golden["meta"]["peer"].as_str().unwrap().contains("pymatgen"));
    let values = golden["values"].as_object().unwrap();
    assert_eq!(values.len(), 4);
    for (id, want) in values {
        let structure = structure(want);
        compare(id, &structure, want, "cn", 0.0);
        compare(id, &structure, want, "cn_tol", 1e-6);
    }
}

#[test]
fn sixty_oxides_equal_pymatgen() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/reference");
    let Ok(lines) = std::fs::read_to_string(folder.join("structures60.jsonl")) else {
        crate::common::skip(format_args!("{} is absent", folder.display()));
        return;
    };
    let peer: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("voronoi.json")).unwrap()).unwrap();
    for line in lines.lines() {
        let v: Value = serde_json::from_str(line).unwrap();
        let id = v["id"].as_str().unwrap();
        compare(id, &structure(&v), &peer["values"][id], "cn", 0.0);
    }
}
