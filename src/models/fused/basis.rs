//! A length or a cosine expanded in Gaussians, a tile at a time.

use super::linear::{PANEL, padded};
use super::scratch::sized;
use crate::{activation::gaussians, batch::GaussianBasis};

/// A basis with its centres ready.
#[derive(Debug)]
pub struct Basis {
    centers: Vec<f32>,
    gamma: f32,
}

impl Basis {
    /// The centres of `basis`, up to whole panels.
    pub fn new(basis: &GaussianBasis) -> Self {
        let mut centers = basis.centers();
        // What is in the padding is never read: the layers that follow have as many inputs as there are centres.
        centers.resize(padded(basis.count).max(PANEL), 0.0);
        Self { centers, gamma: basis.gamma }
    }

    /// Length of a row.
    pub fn width(&self) -> usize {
        self.centers.len()
    }

    /// A row for each of `x`, in a buffer that grows as it must.
    pub fn rows<'a>(&self, x: &[f32], buffer: &'a mut Vec<f32>) -> &'a mut [f32] {
        let rows = sized(buffer, x.len() * self.width());
        self.expand(x, rows);
        rows
    }

    /// A row for each of `x`.
    pub fn expand(&self, x: &[f32], out: &mut [f32]) {
        gaussians(x, &self.centers, self.gamma, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_hold_a_gaussian_for_each_centre() {
        let basis = Basis::new(&GaussianBasis { first: 0.0, last: 4.0, count: 5, gamma: 2.0 });
        let mut out = vec![0.0; 2 * basis.width()];
        basis.expand(&[1.0, 2.5], &mut out);
        assert_eq!(basis.width(), 16);
        for (row, d) in out.chunks_exact(16).zip([1.0_f32, 2.5]) {
            assert!((0..5).all(|c| (row[c] - (-2.0 * (d - c as f32).powi(2)).exp()).abs() < 1e-6));
        }
    }
}
