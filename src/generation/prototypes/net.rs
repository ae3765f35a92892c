//! Octahedra that share corners: from their centres and the directions of their bonds to the atoms of a cell.

use crystal::{Element, Lattice, Structure, norm};

use crate::GenerationError;

/// Corners nearer than this in the ideal cell, Å, are one anion.
const SAME: f64 = 1e-3;
/// Rounds in which centres and corners settle between their bonds.
const ROUNDS: usize = 200;

/// A cation and its six bonds.
pub(super) struct Octahedron {
    /// Cartesian, Å.
    pub center: [f64; 3],
    /// From the centre to the corners, Å.
    pub bonds: [[f64; 3]; 6],
}

/// Octahedra of a cell in which their corners meet exactly, and the cell that they are brought into.
pub(super) struct Net {
    pub octahedra: Vec<Octahedron>,
    /// The cell in which corners meet.
    pub ideal: Lattice,
    /// The cell of the crystal.
    pub cell: Lattice,
}

/// A bond: to which anion, in which cell of the ideal lattice.
struct Bond {
    anion: usize,
    cell: [f64; 3],
}

impl Net {
    /// The crystal with `metals` in the octahedra, in their order, and `anion` on their corners.
    ///
    /// Where both cells are the same each bond is as long as it was given. Where they differ, atoms are laid such that the squares of what
    /// bonds miss their vectors by have the least sum.
    ///
    /// # Errors
    /// Atoms that overlap.
    pub fn crystal(&self, metals: &[Element], anion: Element) -> Result<Structure, GenerationError> {
        let (bonds, corners) = self.corners();
        let mut centers: Vec<[f64; 3]> = self.octahedra.iter().map(|o| o.center).collect();
        let mut anions = vec![[0.0; 3]; corners];
        for _ in 0..ROUNDS {
            let mut sums = vec![([0.0; 3], 0.0); corners];
            for ((octahedron, center), bonds) in self.octahedra.iter().zip(&centers).zip(&bonds) {
                for (bond, vector) in bonds.iter().zip(&octahedron.bonds) {
                    let image = self.cell.to_cartesian(bond.cell);
                    let (sum, n) = &mut sums[bond.anion];
                    (0..3).for_each(|k| sum[k] += center[k] + vector[k] - image[k]);
                    *n += 1.0;
                }
            }
            anions = sums.into_iter().map(|(sum, n)| sum.map(|x| x / n)).collect();
            for ((octahedron, center), bonds) in self.octahedra.iter().zip(&mut centers).zip(&bonds) {
                *center = [0.0; 3];
                for (bond, vector) in bonds.iter().zip(&octahedron.bonds) {
                    let image = self.cell.to_cartesian(bond.cell);
                    (0..3).for_each(|k| center[k] += (anions[bond.anion][k] + image[k] - vector[k]) / 6.0);
                }
            }
        }
        let species = metals.iter().copied().chain(std::iter::repeat_n(anion, corners)).collect();
        let frac = centers.iter().chain(&anions).map(|&x| self.cell.to_fractional(x)).collect();
        Ok(Structure::new(self.cell, species, frac)?)
    }

    /// The bonds of each octahedron, and how many anions there are.
    fn corners(&self) -> (Vec<[Bond; 6]>, usize) {
        let mut anions: Vec<[f64; 3]> = Vec::new();
        let bonds = self.octahedra.iter().map(|octahedron| {
            octahedron.bonds.map(|vector| {
                let at = self.ideal.to_fractional(std::array::from_fn(|k| octahedron.center[k] + vector[k]));
                let cells = |known: &[f64; 3]| std::array::from_fn(|k| (at[k] - known[k]).round());
                let same = |known: &[f64; 3]| {
                    let cell: [f64; 3] = cells(known);
                    norm(self.ideal.to_cartesian(std::array::from_fn(|k| at[k] - known[k] - cell[k]))) < SAME
                };
                let anion = anions.iter().position(same).unwrap_or_else(|| {
                    anions.push(at);
                    anions.len() - 1
                });
                Bond { anion, cell: cells(&anions[anion]) }
            })
        });
        let bonds = bonds.collect();
        (bonds, anions.len())
    }
}
