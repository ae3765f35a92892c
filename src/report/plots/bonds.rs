//! Which atoms a picture joins: two that lie no further apart than the sum of their covalent radii (Cordero et al. 2008) and
//! [`SLACK`], unless both are metals. For pictures only; `voronoi` counts neighbours.

use crystal::{Element, Structure, neighbors};

/// Å over the sum of the covalent radii: room for the long bonds of a Jahn-Teller octahedron.
pub const SLACK: f64 = 0.3;

/// Elements that bond as anions or in molecules.
#[rustfmt::skip]
const NONMETALS: [&str; 23] = [
    "H", "He", "B", "C", "N", "O", "F", "Ne", "Si", "P", "S", "Cl", "Ar", "Ge", "As", "Se", "Br", "Kr", "Te", "I", "Xe",
    "At", "Rn",
];

/// Whether pictures treat the element as a metal.
pub fn is_metal(element: Element) -> bool {
    !NONMETALS.contains(&element.symbol())
}

/// Covalent radius in Å; 1.5 Å for the few elements of which none is known.
pub fn radius(element: Element) -> f64 {
    element.covalent_radius().unwrap_or(1.5)
}

/// For each site the sites it is joined to, each with the lattice translation from its place in `frac_coords`.
pub fn bonds(crystal: &Structure) -> Vec<Vec<(usize, [i32; 3])>> {
    let species = crystal.species();
    let widest = species.iter().map(|&e| radius(e)).fold(0.0, f64::max);
    let pairs = neighbors(crystal, 2.0 * widest + SLACK);
    let mut joined = vec![Vec::new(); crystal.len()];
    for k in 0..pairs.len() {
        let (i, j) = (pairs.center[k] as usize, pairs.neighbor[k] as usize);
        let (a, b) = (species[i], species[j]);
        if pairs.distance[k] <= radius(a) + radius(b) + SLACK && !(is_metal(a) && is_metal(b)) {
            joined[i].push((j, pairs.image[k]));
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::testing::rutile;

    #[test]
    fn titanium_of_rutile_has_six_oxygens_and_no_titanium() {
        let counts: Vec<usize> = bonds(&rutile()).iter().map(Vec::len).collect();
        assert_eq!(counts, [6, 6, 3, 3, 3, 3]);
    }
}
