//! What moves: atoms in the cell as it was at the start, and the deformation of that cell.
//!
//! With rows as vectors the cell is C = C₀ Fᵀ and the atoms are at x = z Fᵀ, F = exp(U). The coordinates of the search are z
//! and N U, N being the number of atoms, so that the cell of a large crystal is as easy to move as that of a small one. The
//! gradients are exact: that of z is the force turned into the frame, f F; that of U follows from the virial W = -V σ by
//! the derivative of the exponential. Its adjoint at G = W F⁻ᵀ is the upper right block of the exponential of
//! [[Uᵀ, G], [0, Uᵀ]] (Al-Mohy & Higham, *SIAM J. Matrix Anal. Appl.* **30** (2009) 1639). These are the variables of ASE's
//! `FrechetCellFilter`. Where the cell is held, F = 1.

use nalgebra::{Matrix3, Matrix6};

use crystal::CrystalError;
use crystal::{Lattice, Structure};
use models::potential::SinglePoint;

/// A crystal at the start of its relaxation.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    start: Structure,
    cell: bool,
}

impl Frame {
    pub fn new(start: &Structure, cell: bool) -> Self {
        Self { start: start.clone(), cell }
    }

    /// The coordinates of the start, Å: of each atom and, where it moves, nine of the cell.
    pub fn start(&self) -> Vec<f64> {
        let mut at = self.start.cart_coords().into_flattened();
        at.resize(at.len() + if self.cell { 9 } else { 0 }, 0.0);
        at
    }

    /// U, row by row.
    fn strain(&self, at: &[f64]) -> Matrix3<f64> {
        let n = self.start.len();
        if self.cell { Matrix3::from_row_slice(&at[3 * n..]) / n as f64 } else { Matrix3::zeros() }
    }

    /// The crystal at the coordinates `at`.
    ///
    /// # Errors
    /// A cell that is flat or too large.
    pub fn structure(&self, at: &[f64]) -> Result<Structure, CrystalError> {
        let lattice = if self.cell {
            let deformation = self.strain(at).exp();
            let row = |row: [f64; 3]| std::array::from_fn(|i| (0..3).map(|k| row[k] * deformation[(i, k)]).sum());
            Lattice::new(self.start.lattice().rows().map(row))?
        } else {
            *self.start.lattice()
        };
        // Fractions do not feel the deformation.
        let atoms = at.chunks_exact(3).take(self.start.len());
        let frac = atoms.map(|x| self.start.lattice().to_fractional([x[0], x[1], x[2]])).collect();
        Structure::with_overlaps(lattice, self.start.species().to_vec(), frac)
    }

    /// The forces on the coordinates `at`, eV/Å, of a crystal of volume `volume`, Å³.
    pub fn forces(&self, at: &[f64], volume: f64, point: &SinglePoint) -> Vec<f64> {
        if !self.cell {
            return point.forces.as_flattened().to_vec();
        }
        let strain = self.strain(at);
        let deformation = strain.exp();
        let turned =
            |f: &[f64; 3]| -> [f64; 3] { std::array::from_fn(|k| (0..3).map(|i| f[i] * deformation[(i, k)]).sum()) };
        let mut forces: Vec<f64> = point.forces.iter().flat_map(turned).collect();
        let stress = Matrix3::from_row_slice(point.stress.as_flattened());
        // exp(-U)ᵀ is the inverse of Fᵀ.
        let gradient = stress * (-strain).exp().transpose() * -volume;
        let mut block = Matrix6::zeros();
        block.fixed_view_mut::<3, 3>(0, 0).copy_from(&strain.transpose());
        block.fixed_view_mut::<3, 3>(3, 3).copy_from(&strain.transpose());
        block.fixed_view_mut::<3, 3>(0, 3).copy_from(&gradient);
        let block = block.exp();
        let n = self.start.len() as f64;
        forces.extend((0..9).map(|k| block[(k / 3, 3 + k % 3)] / n));
        forces
    }
}
