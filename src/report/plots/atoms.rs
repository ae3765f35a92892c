//! Which atoms of a crystal are in its picture: those in the cells, on their faces too, what is asked for besides, and what
//! completes the polyhedra of the metals among them.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::bonds::{self, bonds};
use crystal::Structure;

/// Atoms this near a face of the cell, Å, lie on it.
const ON_FACE: f64 = 0.05;

/// The atoms of the picture and the sticks between them.
pub(super) struct Atoms {
    /// Site and lattice translation.
    pub places: Vec<(usize, [i32; 3])>,
    /// Pairs of `places`.
    pub sticks: Vec<(usize, usize)>,
}

impl Atoms {
    /// Those of the cells, and of `more` places.
    pub fn new(crystal: &Structure, cells: [usize; 3], more: impl Iterator<Item = (usize, [i32; 3])>) -> Self {
        let joined = bonds(crystal);
        let lengths = crystal.lattice().parameters();
        let mut places = Vec::new();
        for (site, x) in crystal.frac_coords().iter().enumerate() {
            let range = |k: usize| {
                let slack = ON_FACE / lengths[k];
                let last = cells[k] as f64 + slack - x[k];
                ((-slack - x[k]).ceil() as i32)..=(last.floor() as i32)
            };
            for n0 in range(0) {
                for n1 in range(1) {
                    places.extend(range(2).map(|n2| (site, [n0, n1, n2])));
                }
            }
        }
        let inside: HashSet<_> = places.iter().copied().collect();
        let more: BTreeSet<_> = more.filter(|place| !inside.contains(place)).collect();
        places.extend(more);
        let mut index: HashMap<_, _> = places.iter().enumerate().map(|(i, &place)| (place, i)).collect();
        let mut sticks = BTreeSet::new();
        for i in 0..places.len() {
            let (site, at) = places[i];
            for &(other, image) in &joined[site] {
                let place = (other, std::array::from_fn(|k| at[k] + image[k]));
                let completes = bonds::is_metal(crystal.species()[site]) && !bonds::is_metal(crystal.species()[other]);
                let j = match index.get(&place) {
                    Some(&j) => j,
                    None if completes => {
                        places.push(place);
                        index.insert(place, places.len() - 1);
                        places.len() - 1
                    }
                    None => continue,
                };
                sticks.insert((i.min(j), i.max(j)));
            }
        }
        Self { places, sticks: sticks.into_iter().collect() }
    }
}

/// Cartesian Å of a site moved by a lattice translation.
pub(super) fn cartesian(crystal: &Structure, (site, image): (usize, [i32; 3])) -> [f64; 3] {
    let x = crystal.frac_coords()[site];
    crystal.lattice().to_cartesian(std::array::from_fn(|k| x[k] + f64::from(image[k])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::{Element, Lattice};

    #[test]
    fn atoms_on_a_corner_are_drawn_eight_times_and_octahedra_are_whole() {
        let [re, o] = ["Re", "O"].map(|s| Element::from_symbol(s).unwrap());
        let lattice = Lattice::from_parameters(3.75, 3.75, 3.75, 90.0, 90.0, 90.0).unwrap();
        let places = vec![[0.0; 3], [0.5, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.5]];
        let crystal = Structure::new(lattice, vec![re, o, o, o], places).unwrap();
        let atoms = Atoms::new(&crystal, [1; 3], std::iter::empty());
        let count = |element| atoms.places.iter().filter(|(site, _)| crystal.species()[*site] == element).count();
        // Each Re has three O on the edges of the cell, and three outside.
        assert_eq!((count(re), count(o), atoms.sticks.len()), (8, 12 + 8 * 3, 8 * 6));
        let more = Atoms::new(&crystal, [1; 3], [(0, [0; 3]), (0, [2, 0, 0])].into_iter());
        assert_eq!(more.places.iter().filter(|(site, _)| *site == 0).count(), 9, "what is there is not drawn twice");
    }
}
