//! Voronoi cells against pymatgen's `VoronoiNN`: four oxides of our own, and the sixty of the larger set.
//!
//! At tolerance 0 `VoronoiNN` counts every face, and a face that exists only by rounding would count too. None does:
//! the tiny faces of both sides are those of coordinates given to eight digits, and the same on both sides, so that the
//! counts are equal at tolerance 0 as well as above it.

use hollandite::{crystal::Structure, features::voronoi};
use serde_json::Value;

use crate::data::{golden_crystals, larger, sixty};

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
fn cells_equal_those_of_pymatgen() {
    let oxides = golden_crystals("voronoi.json");
    assert_eq!(oxides.len(), 4);
    for (id, structure, want) in &oxides {
        compare(id, structure, want, "cn", 0.0);
        compare(id, structure, want, "cn_tol", 1e-6);
    }
    let Some(peer) = larger("voronoi.json") else { return };
    for (id, structure) in &sixty() {
        compare(id, structure, &peer["values"][id], "cn", 0.0);
    }
}
