//! A symmetric matrix over the sites of a cell, and its eigenvalues: the form that does not depend on the order of sites.

use nalgebra::DMatrix;

use crate::FeatureError;
use crystal::Structure;

/// The largest cell for which a matrix over pairs of sites is made: 8 MB of numbers.
pub const MAX_MATRIX_SITES: usize = 1000;

/// A symmetric matrix with a row and a column for each site, in the crystal's order.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteMatrix {
    sites: usize,
    values: Vec<f64>,
}

impl SiteMatrix {
    /// The matrix with diagonal `diagonal(i)` and entries `pair(i, j)`, i < j.
    ///
    /// # Errors
    /// More than [`MAX_MATRIX_SITES`] sites.
    pub(super) fn from_fn(
        structure: &Structure,
        diagonal: impl Fn(usize) -> f64,
        pair: impl Fn(usize, usize) -> f64,
    ) -> Result<Self, FeatureError> {
        let sites = structure.len();
        if sites > MAX_MATRIX_SITES {
            return Err(FeatureError::Argument(format!(
                "a matrix over {sites} sites is larger than {MAX_MATRIX_SITES} x {MAX_MATRIX_SITES}; \
                 reduce the crystal to its primitive cell"
            )));
        }
        let mut values = vec![0.0; sites * sites];
        for i in 0..sites {
            values[i * sites + i] = diagonal(i);
            for j in i + 1..sites {
                let value = pair(i, j);
                values[i * sites + j] = value;
                values[j * sites + i] = value;
            }
        }
        Ok(Self { sites, values })
    }

    /// The rows.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.values.chunks_exact(self.sites)
    }

    /// The entries, row by row.
    pub(super) fn into_values(self) -> Vec<f64> {
        self.values
    }

    /// The eigenvalues, largest magnitude first.
    pub fn eigenvalues(&self) -> Vec<f64> {
        let matrix = DMatrix::from_row_slice(self.sites, self.sites, &self.values);
        let mut values: Vec<f64> = matrix.symmetric_eigenvalues().iter().copied().collect();
        values.sort_unstable_by(|a, b| b.abs().total_cmp(&a.abs()));
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::{Element, Lattice};

    fn row_of_atoms(n: usize) -> Structure {
        let lattice = Lattice::from_parameters(2.0 * n as f64, 5.0, 5.0, 90.0, 90.0, 90.0).unwrap();
        let coords = (0..n).map(|i| [i as f64 / n as f64, 0.0, 0.0]).collect();
        Structure::with_overlaps(lattice, vec![Element::O; n], coords).unwrap()
    }

    #[test]
    fn eigenvalues_of_a_matrix_known_by_hand() {
        // [[1, 2], [2, -2]]: -3 and 2.
        let m = SiteMatrix::from_fn(&row_of_atoms(2), |i| [1.0, -2.0][i], |_, _| 2.0).unwrap();
        let got = m.eigenvalues();
        assert!((got[0] + 3.0).abs() < 1e-14 && (got[1] - 2.0).abs() < 1e-14, "{got:?}");
        assert_eq!(m.rows().collect::<Vec<_>>(), [[1.0, 2.0], [2.0, -2.0]]);
    }

    #[test]
    fn a_huge_cell_is_refused() {
        let error = SiteMatrix::from_fn(&row_of_atoms(1001), |_| 0.0, |_, _| 0.0).unwrap_err().to_string();
        assert!(error.contains("1001 sites") && error.contains("primitive cell"), "{error}");
    }
}
