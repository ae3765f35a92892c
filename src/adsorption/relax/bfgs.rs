//! BFGS: a quasi-Newton method that learns the matrix of second derivatives from the forces it meets (Broyden, Fletcher,
//! Goldfarb & Shanno, 1970). As ASE has it: the matrix starts as 70 eV/Å² times the unit matrix, a step is taken along
//! each of its eigenvectors as if its curvature were upwards, and the whole step is shortened until no vector of three
//! coordinates moves more than 0.2 Å.

use nalgebra::{DMatrix, DVector};

/// Curvature that is assumed at first, eV/Å².
const CURVATURE: f64 = 70.0;
/// Longest step of an atom or of a row of the cell, Å.
const LONGEST: f64 = 0.2;
/// A step with no coordinate longer than this, Å, teaches nothing.
const STILL: f64 = 1e-7;

/// The state of one search.
#[derive(Debug, Clone, Default)]
pub(super) struct Bfgs {
    hessian: DMatrix<f64>,
    /// Coordinates and forces of the step before.
    before: Option<(DVector<f64>, DVector<f64>)>,
}

impl Bfgs {
    /// Moves `x` (Å) under `forces` (eV/Å).
    pub fn step(&mut self, x: &mut [f64], forces: &[f64]) {
        let (at, forces) = (DVector::from_column_slice(x), DVector::from_column_slice(forces));
        match &self.before {
            None => self.hessian = DMatrix::from_diagonal_element(x.len(), x.len(), CURVATURE),
            Some((x0, f0)) => {
                let (moved, gained) = (&at - x0, f0 - &forces);
                let expected = &self.hessian * &moved;
                let (a, b) = (moved.dot(&gained), moved.dot(&expected));
                if moved.amax() >= STILL && a != 0.0 && b != 0.0 {
                    self.hessian.ger(1.0 / a, &gained, &gained, 1.0);
                    self.hessian.ger(-1.0 / b, &expected, &expected, 1.0);
                }
            }
        }
        let eigen = self.hessian.clone().symmetric_eigen();
        let along = eigen.eigenvectors.tr_mul(&forces).zip_map(&eigen.eigenvalues, |f, w| f / w.abs());
        let step = &eigen.eigenvectors * along;
        let longest = super::longest(step.as_slice());
        let scale = if longest > LONGEST { LONGEST / longest } else { 1.0 };
        x.iter_mut().zip(step.iter()).for_each(|(x, s)| *x += scale * s);
        self.before = Some((at, forces));
    }
}
