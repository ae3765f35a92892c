//! Larger cells of the same crystal. Every lattice of whole multiples of the cell vectors has one basis in Hermite normal form, a
//! triangular matrix of whole numbers: (p, 0, 0), (q, r, 0), (s, t, u) with q, s < p and t < r; its determinant p r u is the number
//! of cells.

use super::{Lattice, Structure};
use crate::CrystalError;

/// Rows of whole multiples of the cell vectors, in Hermite normal form.
pub type HermiteForm = [[usize; 3]; 3];

/// Every lattice whose cell holds `cells` cells.
pub fn hermite_forms(cells: usize) -> Vec<HermiteForm> {
    let divides = |n: usize| (1..=n).filter(move |d| n.is_multiple_of(*d));
    let diagonals = divides(cells).flat_map(|p| divides(cells / p).map(move |r| [p, r, cells / p / r]));
    let with = |[p, r, u]: [usize; 3]| {
        (0..p).flat_map(move |q| (0..p).flat_map(move |s| (0..r).map(move |t| [[p, 0, 0], [q, r, 0], [s, t, u]])))
    };
    diagonals.flat_map(with).collect()
}

impl Structure {
    /// `n[0]` x `n[1]` x `n[2]` copies of the cell.
    ///
    /// # Errors
    /// A lattice that grows past the accepted size, or a zero in `n`.
    pub fn supercell(&self, n: [usize; 3]) -> Result<Self, CrystalError> {
        self.superlattice(&[[n[0], 0, 0], [0, n[1], 0], [0, 0, n[2]]])
    }

    /// The same crystal in the cell whose vectors are the rows of `form` times those of its own.
    ///
    /// # Errors
    /// As [`Structure::supercell`].
    pub fn superlattice(&self, form: &HermiteForm) -> Result<Self, CrystalError> {
        let m = form.map(|row| row.map(|n| n as f64));
        let old = self.lattice().rows();
        let rows = m.map(|n| std::array::from_fn(|k| (0..3).map(|i| n[i] * old[i][k]).sum()));
        let lattice = Lattice::new(rows)?;
        let [[p, ..], [_, r, _], [.., u]] = *form;
        let (mut species, mut frac_coords) = (Vec::new(), Vec::new());
        for (&element, x) in self.species().iter().zip(self.frac_coords()) {
            for shift in (0..p).flat_map(|i| (0..r).flat_map(move |j| (0..u).map(move |k| [i, j, k]))) {
                // x = y M, solved from the last row up.
                let x: [f64; 3] = std::array::from_fn(|k| x[k] + shift[k] as f64);
                let y2 = x[2] / m[2][2];
                let y1 = (x[1] - m[2][1] * y2) / m[1][1];
                let y0 = (x[0] - m[1][0] * y1 - m[2][0] * y2) / m[0][0];
                species.push(element);
                frac_coords.push([y0, y1, y2]);
            }
        }
        Self::with_overlaps(lattice, species, frac_coords)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rutile;

    #[test]
    fn there_are_as_many_lattices_as_number_theory_says() {
        // The sum over the divisors d of n of d times the sum of the divisors of d.
        for (cells, count) in [(1, 1), (2, 7), (3, 13), (4, 35), (6, 91), (8, 155)] {
            assert_eq!(hermite_forms(cells).len(), count, "{cells}");
        }
    }

    #[test]
    fn every_larger_cell_is_the_same_crystal() {
        for form in (1..=4).flat_map(hermite_forms) {
            let cells = form[0][0] * form[1][1] * form[2][2];
            let large = rutile().superlattice(&form).unwrap();
            assert_eq!(large.len(), 6 * cells);
            assert!((large.volume() - cells as f64 * rutile().volume()).abs() < 1e-9);
            assert!((large.distance_min() - rutile().distance_min()).abs() < 1e-9, "{form:?}");
            assert_eq!(large.primitive(0.01).len(), 6, "{form:?}");
        }
        assert_eq!(rutile().supercell([2, 1, 3]).unwrap().len(), 36);
    }
}
