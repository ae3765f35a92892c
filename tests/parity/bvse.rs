//! Bond-valence site energies and barriers against BVlain's.

use hollandite::features::{Ion, bvse_barrier, bvse_energies};

use crate::data::{golden_crystals, numbers};

#[test]
fn site_energies_equal_those_of_bvlain() {
    for (name, structure, want) in golden_crystals("bvse.json") {
        let ion = Ion::parse(want["ion"].as_str().unwrap()).unwrap();
        let size: [usize; 3] = serde_json::from_value(want["size"].clone()).unwrap();
        let at = |i: usize, k: usize| i as f64 / size[k] as f64;
        let points: Vec<[f64; 3]> = (0..size[0])
            .flat_map(|i| (0..size[1]).flat_map(move |j| (0..size[2]).map(move |k| [i, j, k])))
            .map(|[i, j, k]| [at(i, 0), at(j, 1), at(k, 2)])
            .collect();
        let (got, want) = (bvse_energies(&structure, &ion, &points).unwrap(), numbers(&want["energy"]));
        assert_eq!(got.len(), want.len());
        // On top of an atom both are nonsense, and each its own.
        let compared = got.iter().zip(&want).filter(|(_, want)| **want < 100.0);
        assert!(compared.clone().count() * 3 >= want.len(), "{name}");
        for (got, want) in compared {
            assert!((got - want).abs() < 1e-5 * want.abs().max(1.0), "{name}: {got}, BVlain {want}");
        }
    }
}

/// BVlain's grid of 0.2 Å holds both ends of each axis, so its points are not ours: in the steep walls of a pass of several eV that is
/// a tenth of the barrier.
#[test]
fn barriers_are_bvlains_but_for_the_grid() {
    let mut compared = 0;
    for (name, structure, want) in golden_crystals("bvse.json") {
        let ion = Ion::parse(want["ion"].as_str().unwrap()).unwrap();
        for (d, want) in want["barriers"].as_array().unwrap().iter().enumerate() {
            let got = bvse_barrier(&structure, &ion, d + 1).unwrap();
            let Some(want) = want.as_f64() else { continue };
            let got = got.unwrap_or_else(|| panic!("{name}, {} directions: none, BVlain {want}", d + 1));
            assert!((got - want).abs() < 0.05 + 0.1 * want, "{name}, {} directions: {got}, BVlain {want}", d + 1);
            compared += 1;
        }
    }
    assert!(compared >= 9, "{compared}");
}
