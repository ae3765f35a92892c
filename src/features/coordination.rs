//! Coordination numbers as a chemist counts them.
//!
//! A neighbour of a site is an atom of opposite charge (see [`oxidation_states`]) whose Voronoi face spans more than a
//! part, `tolerance`, of the largest solid angle of such faces. So oxide ions that touch across the edge of a polyhedron are no neighbours.
//! Where a composition has no ions of both signs, as in metals, all atoms count.
//!
//! At [`COORDINATION_TOLERANCE`] vanadium in V₂O₅ has its five oxygens (1.58 to 2.02 Å; the sixth, at 2.79 Å, spans 0.21
//! of the largest angle) and molybdenum in MoO₃ its six (1.67 to 2.33 Å, spanning 0.43 and more).

use std::collections::BTreeMap;

use super::{oxidation_states, voronoi};
use crate::FeatureError;
use crystal::{Element, Structure};

/// Part of the largest solid angle above which a face makes a neighbour, where no other is given.
pub const COORDINATION_TOLERANCE: f64 = 0.4;

/// The neighbours of a site.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Coordination {
    /// How many there are.
    pub number: usize,
    /// How many of each element, by atomic number.
    pub elements: Vec<(Element, usize)>,
}

/// How many neighbours each site has, and of which elements; a face counts above `tolerance` (0 to 1) of the largest solid angle.
///
/// # Errors
/// A tolerance outside 0 to 1, or as [`tessellate`](super::tessellate).
pub fn coordination(structure: &Structure, tolerance: f64) -> Result<Vec<Coordination>, FeatureError> {
    let species = structure.species();
    let count = |neighbors: &Vec<usize>| {
        let mut elements: BTreeMap<Element, usize> = BTreeMap::new();
        for &neighbor in neighbors {
            *elements.entry(species[neighbor]).or_default() += 1;
        }
        Coordination { number: neighbors.len(), elements: elements.into_iter().collect() }
    };
    Ok(bonded(structure, tolerance)?.iter().map(count).collect())
}

/// The neighbours of each site as sites, one for each face: an image counts as the site that it is of.
///
/// # Errors
/// As [`coordination`].
pub(super) fn bonded(structure: &Structure, tolerance: f64) -> Result<Vec<Vec<usize>>, FeatureError> {
    if !(0.0..=1.0).contains(&tolerance) {
        return Err(FeatureError::Argument(format!("tolerance = {tolerance} is outside 0 to 1")));
    }
    let species = structure.species();
    let states = oxidation_states(&structure.composition());
    let sign = |e: Element| states.iter().find(|s| s.0 == e).map_or(0, |s| s.1.signum());
    let ionic = [1, -1].iter().all(|s| states.iter().any(|state| state.1.signum() == *s));
    let cells = voronoi(structure)?.cells;
    let of = |cell: &super::Cell| {
        let own = sign(species[cell.center]);
        // An element without a known charge is a neighbour of all.
        let counts = |other: Element| !ionic || own * sign(other) != 1;
        let faces = || cell.faces.iter().filter(|f| counts(species[f.neighbor]));
        let least = tolerance * faces().map(|f| f.solid_angle).fold(0.0, f64::max);
        faces().filter(|f| f.solid_angle > least).map(|f| f.neighbor).collect()
    };
    Ok(cells.iter().map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::Lattice;

    fn numbers(cell: [f64; 3], sites: &[(&str, [f64; 3])], tolerance: f64) -> Vec<usize> {
        let lattice = Lattice::from_parameters(cell[0], cell[1], cell[2], 90.0, 90.0, 90.0).unwrap();
        let species = sites.iter().map(|s| Element::from_symbol(s.0).unwrap()).collect();
        let structure = Structure::new(lattice, species, sites.iter().map(|s| s.1).collect()).unwrap();
        coordination(&structure, tolerance).unwrap().iter().map(|c| c.number).collect()
    }

    #[test]
    fn textbook_numbers() {
        let (h, x) = (0.5, 0.305);
        let rutile = [
            ("Ti", [0.0; 3]),
            ("Ti", [h; 3]),
            ("O", [x, x, 0.0]),
            ("O", [-x, -x, 0.0]),
            ("O", [h - x, h + x, h]),
            ("O", [h + x, h - x, h]),
        ];
        assert_eq!(numbers([4.594, 4.594, 2.959], &rutile, COORDINATION_TOLERANCE), [6, 6, 3, 3, 3, 3]);
        let perovskite =
            [("Sr", [h; 3]), ("Ti", [0.0; 3]), ("O", [h, 0.0, 0.0]), ("O", [0.0, h, 0.0]), ("O", [0.0, 0.0, h])];
        assert_eq!(numbers([3.905; 3], &perovskite, COORDINATION_TOLERANCE), [12, 6, 6, 6, 6]);
        assert_eq!(numbers([4.12; 3], &[("Cs", [0.0; 3]), ("Cl", [h; 3])], COORDINATION_TOLERANCE), [8, 8]);
    }

    #[test]
    fn vanadium_has_five_oxygens_and_they_have_one_two_and_three_vanadiums() {
        // Pmmn, second origin.
        let (v, o) = ((0.10118, 0.8917), [(0.1043, 0.531), (0.9311, 0.003)]);
        let mut sites = Vec::new();
        for (symbol, (x, z)) in [("V", v), ("O", o[0]), ("O", o[1])] {
            for (sx, sz, y) in [(x, z, 0.25), (0.5 - x, z, 0.25), (-x, -z, 0.75), (0.5 + x, -z, 0.75)] {
                sites.push((symbol, [sx, y, sz]));
            }
        }
        sites.extend([("O", [0.25, 0.25, 0.001]), ("O", [0.75, 0.75, -0.001])]);
        let want = [5, 5, 5, 5, 1, 1, 1, 1, 3, 3, 3, 3, 2, 2];
        assert_eq!(numbers([11.512, 3.564, 4.368], &sites, COORDINATION_TOLERANCE), want);
    }

    #[test]
    fn in_a_metal_all_atoms_count() {
        let fcc = [[0.0; 3], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]].map(|x| ("Cu", x));
        assert_eq!(numbers([3.61; 3], &fcc, COORDINATION_TOLERANCE), [12; 4]);
        let bcc = [("W", [0.0; 3]), ("W", [0.5; 3])];
        assert_eq!((numbers([3.16; 3], &bcc, 0.0), numbers([3.16; 3], &bcc, 0.5)), (vec![14; 2], vec![8; 2]));
    }

    #[test]
    fn neighbors_are_counted_by_element_and_a_tolerance_is_a_fraction() {
        let lattice = Lattice::from_parameters(3.905, 3.905, 3.905, 90.0, 90.0, 90.0).unwrap();
        let [sr, ti] = ["Sr", "Ti"].map(|s| Element::from_symbol(s).unwrap());
        let sites = vec![[0.5; 3], [0.0; 3], [0.5, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.5]];
        let s = Structure::new(lattice, vec![sr, ti, Element::O, Element::O, Element::O], sites).unwrap();
        assert_eq!(coordination(&s, 0.4).unwrap()[3].elements, [(ti, 2), (sr, 4)]);
        assert!(coordination(&s, 1.1).is_err() && coordination(&s, f64::NAN).is_err());
    }
}
