//! The graphs of energy models: atoms joined by bonds, and, for CHGNet, the shorter bonds joined by the angles between them.
//!
//! A bond is one thing with two directions: its vector of features is shared, while messages go along each direction. An
//! angle is an ordered pair of different short directed bonds of one atom, so that the angles need no list of their own:
//! an atom with m short bonds has m (m - 1), those of each bond one after another.

use super::graph::{pairs_within, starts};
use crate::ModelError;
use crystal::Structure;

/// Atoms, bonds and angles of one crystal.
#[derive(Debug, Clone, PartialEq)]
pub struct BondGraph {
    /// Atomic number of each atom.
    pub numbers: Vec<u8>,
    /// Where the directed bonds of each atom begin, and where the last ones end.
    pub starts: Vec<usize>,
    /// Of each directed bond: the atom at its other end.
    pub neighbor: Vec<u32>,
    /// From that atom to the atom whose bond it is, Å.
    pub vector: Vec<[f64; 3]>,
    /// Length, Å.
    pub length: Vec<f64>,
    /// The bond it is a direction of.
    pub bond: Vec<u32>,
    /// The same bond in the other direction.
    pub reverse: Vec<u32>,
    /// One direction of each bond.
    pub direction: Vec<u32>,
    /// Where the short directed bonds of each atom begin, and where the last ones end.
    pub short_starts: Vec<usize>,
    /// The short directed bonds among all.
    pub short: Vec<u32>,
    /// The two directions of each short bond, among the short directed bonds; the short bonds come before all others.
    pub short_directions: Vec<[u32; 2]>,
    /// Where the angles of each atom begin, and where the last ones end.
    pub angle_starts: Vec<usize>,
    /// Volume of the cell, Å³.
    pub volume: f64,
}

impl BondGraph {
    /// Bonds of at most `cutoff` Å, angles between those shorter than `short` Å.
    ///
    /// # Errors
    /// [`ModelError::NoBonds`] where an atom has none: its energy would be that of no surroundings at all;
    /// [`ModelError::TooManyBonds`].
    pub fn new(structure: &Structure, cutoff: f64, short: f64) -> Result<Self, ModelError> {
        let pairs = pairs_within(structure, cutoff)?;
        let atoms = structure.len();
        let mut first = Vec::new();
        starts(&pairs.center, atoms, &mut first);
        let starts = first;
        if starts.windows(2).any(|run| run[0] == run[1]) {
            return Err(ModelError::NoBonds { cutoff });
        }
        let positions = structure.cart_coords();
        let lattice = structure.lattice();
        let vector = |e: usize| -> [f64; 3] {
            let shift = lattice.to_cartesian(pairs.image[e].map(f64::from));
            let (a, b) = (positions[pairs.center[e] as usize], positions[pairs.neighbor[e] as usize]);
            std::array::from_fn(|k| a[k] - b[k] - shift[k])
        };
        let (mut bond, mut reverse) = (vec![u32::MAX; pairs.len()], vec![0; pairs.len()]);
        let mut direction = Vec::with_capacity(pairs.len() / 2);
        for e in 0..pairs.len() {
            if bond[e] != u32::MAX {
                continue;
            }
            // The bonds of an atom are ordered by neighbour and image.
            let other = pairs.neighbor[e] as usize;
            let back = (pairs.center[e], pairs.image[e].map(|n| -n));
            let run = starts[other]..starts[other + 1];
            let place = |k: usize| (pairs.neighbor[k], pairs.image[k]);
            let (mut low, mut high) = (run.start, run.end);
            while low < high {
                let middle = usize::midpoint(low, high);
                if place(middle) < back { low = middle + 1 } else { high = middle }
            }
            if low == run.end || place(low) != back {
                // A distance at the very cutoff that rounding counts from one end only: in neither direction.
                bond[e] = u32::MAX - 1;
                continue;
            }
            (bond[e], bond[low]) = (direction.len() as u32, direction.len() as u32);
            (reverse[e], reverse[low]) = (low as u32, e as u32);
            direction.push(e as u32);
        }
        let mut graph = Self {
            numbers: structure.species().iter().map(|e| e.z()).collect(),
            starts: vec![0],
            neighbor: Vec::with_capacity(pairs.len()),
            vector: Vec::with_capacity(pairs.len()),
            length: Vec::with_capacity(pairs.len()),
            bond: Vec::with_capacity(pairs.len()),
            reverse,
            direction,
            short_starts: vec![0],
            short: Vec::new(),
            short_directions: Vec::new(),
            angle_starts: vec![0],
            volume: structure.volume(),
        };
        graph.keep(&pairs.neighbor, &pairs.distance, &starts, &bond, vector);
        graph.find_angles(short);
        Ok(graph)
    }

    /// Takes the directed bonds that exist both ways.
    fn keep(
        &mut self,
        neighbor: &[u32],
        distance: &[f64],
        starts: &[usize],
        bond: &[u32],
        vector: impl Fn(usize) -> [f64; 3],
    ) {
        let both = |e: usize| (bond[e] as usize) < self.direction.len();
        let mut count = 0;
        let place: Vec<u32> = (0..bond.len())
            .map(|e| {
                count += u32::from(both(e));
                count - u32::from(both(e))
            })
            .collect();
        self.reverse = (0..bond.len()).filter(|&e| both(e)).map(|e| place[self.reverse[e] as usize]).collect();
        for atom in 0..starts.len() - 1 {
            for e in (starts[atom]..starts[atom + 1]).filter(|&e| both(e)) {
                self.neighbor.push(neighbor[e]);
                self.vector.push(vector(e));
                self.length.push(distance[e]);
                self.bond.push(bond[e]);
            }
            self.starts.push(self.neighbor.len());
        }
        self.direction.iter_mut().for_each(|e| *e = place[*e as usize]);
    }

    /// Numbers the short bonds first, and finds their directions at each atom.
    fn find_angles(&mut self, short: f64) {
        let old = std::mem::take(&mut self.direction);
        let (first, last): (Vec<usize>, Vec<usize>) =
            (0..old.len()).partition(|&bond| self.length[old[bond] as usize] < short);
        self.short_directions = vec![[u32::MAX; 2]; first.len()];
        let mut place = vec![0; old.len()];
        for (new, &bond) in first.iter().chain(&last).enumerate() {
            place[bond] = new as u32;
            self.direction.push(old[bond]);
        }
        self.bond.iter_mut().for_each(|bond| *bond = place[*bond as usize]);
        for atom in 0..self.numbers.len() {
            for e in self.starts[atom]..self.starts[atom + 1] {
                if let Some(directions) = self.short_directions.get_mut(self.bond[e] as usize) {
                    directions[usize::from(directions[0] != u32::MAX)] = self.short.len() as u32;
                    self.short.push(e as u32);
                }
            }
            let bonds = self.short.len() - self.short_starts[atom];
            self.short_starts.push(self.short.len());
            self.angle_starts.push(self.angle_starts[atom] + bonds * bonds.saturating_sub(1));
        }
    }

    /// Number of angles.
    pub fn angles(&self) -> usize {
        *self.angle_starts.last().unwrap_or(&0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::{Element, Lattice};

    #[test]
    fn rock_salt_has_the_bonds_and_angles_that_geometry_gives_it() {
        let cube = |a: f64| Lattice::from_parameters(a, a, a, 90.0, 90.0, 90.0).unwrap();
        let (ni, o) = (Element::from_symbol("Ni").unwrap(), Element::O);
        let sites = vec![
            [0.0; 3],
            [0.0, 0.5, 0.5],
            [0.5, 0.0, 0.5],
            [0.5, 0.5, 0.0],
            [0.5; 3],
            [0.5, 0.0, 0.0],
            [0.0, 0.5, 0.0],
            [0.0, 0.0, 0.5],
        ];
        let nio = Structure::new(cube(4.2), vec![ni, ni, ni, ni, o, o, o, o], sites).unwrap();
        // Within 2.9 Å: six unlike neighbours at 2.1 Å; the next lie at 2.97 Å.
        let graph = BondGraph::new(&nio, 6.0, 2.9).unwrap();
        assert_eq!((graph.short.len(), graph.short_directions.len(), graph.angles()), (48, 24, 240));
        assert_eq!(graph.direction.len() * 2, graph.neighbor.len());
        for e in 0..graph.neighbor.len() {
            let back = graph.reverse[e] as usize;
            assert_eq!((graph.reverse[back] as usize, graph.bond[back]), (e, graph.bond[e]));
            assert!((0..3).all(|k| (graph.vector[e][k] + graph.vector[back][k]).abs() < 1e-12));
            let length = graph.vector[e].iter().map(|x| x * x).sum::<f64>().sqrt();
            assert!((length - graph.length[e]).abs() < 1e-9);
        }
        for (bond, directions) in graph.short_directions.iter().enumerate() {
            assert!(directions.iter().all(|&s| graph.bond[graph.short[s as usize] as usize] as usize == bond));
            assert!(graph.length[graph.direction[bond] as usize] < 2.9);
        }
    }

    #[test]
    fn an_atom_alone_is_refused() {
        let lattice = Lattice::from_parameters(20.0, 20.0, 20.0, 90.0, 90.0, 90.0).unwrap();
        let far = Structure::new(lattice, vec![Element::O, Element::O], vec![[0.0; 3], [0.06, 0.0, 0.0]]).unwrap();
        assert!(BondGraph::new(&far, 6.0, 3.0).is_ok());
        assert!(matches!(BondGraph::new(&far, 1.0, 1.0), Err(ModelError::NoBonds { .. })));
    }
}
