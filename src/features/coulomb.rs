//! Coulomb matrices: the repulsion of the nuclei, Z_i Z_j / d_ij, beside the diagonal 0.5 Z_i^2.4, which fits the energies
//! of free atoms (Rupp, Tkatchenko, Müller & von Lilienfeld, *Phys. Rev. Lett.* **108** (2012) 058301).
//!
//! A crystal has no one distance between two sites. [`coulomb_matrix`] takes the atoms of the cell for a molecule or the
//! nearest images; [`sine_coulomb_matrix`] replaces the distance by |Σ_k a_k sin²(π Δ_k)|, periodic in every fractional
//! difference Δ_k (Faber, Lindmaa, von Lilienfeld & Armiento, *Int. J. Quantum Chem.* **115** (2015) 1094). The sine form
//! does not change with the origin, the wrap or a rotation; it does with the choice of lattice vectors.

use super::{SiteMatrix, tessellation::closest::Closest};
use crate::FeatureError;
use crystal::{Structure, norm};

/// Bohr radii in an Å as matminer has it: CODATA 2022's "Angstrom star", an X-ray standard 15 parts in a million longer
/// than the Å, over the Bohr radius.
pub(super) const MATMINER_BOHR_PER_ANGSTROM: f64 = 1.000_014_95 / 0.529_177_210_544;

/// Whose numbers. The diagonal is the same, so the two are not multiples of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CoulombConvention {
    /// Distances in Å; in the Coulomb matrix those of the cell's atoms where their coordinates put them.
    #[default]
    Dscribe,
    /// Distances in bohr (15 parts in a million too long), so that the matrix is in hartree throughout; in the Coulomb matrix those
    /// of the nearest images.
    Matminer,
}

impl CoulombConvention {
    /// Every convention, as SQL names it.
    pub const NAMES: [(&'static str, Self); 2] = [("dscribe", Self::Dscribe), ("matminer", Self::Matminer)];

    fn per_angstrom(self) -> f64 {
        match self {
            Self::Dscribe => 1.0,
            Self::Matminer => MATMINER_BOHR_PER_ANGSTROM,
        }
    }
}

/// The Coulomb matrix.
///
/// # Errors
/// More than [`super::MAX_MATRIX_SITES`] sites.
pub fn coulomb_matrix(structure: &Structure, convention: CoulombConvention) -> Result<SiteMatrix, FeatureError> {
    let z = charges(structure);
    let (x, lattice) = (structure.frac_coords(), structure.lattice());
    let closest = Closest::new(lattice);
    let distance = |i: usize, j: usize| {
        let step: [f64; 3] = std::array::from_fn(|k| x[j][k] - x[i][k]);
        match convention {
            CoulombConvention::Dscribe => norm(lattice.to_cartesian(step)),
            CoulombConvention::Matminer => closest.shortest(lattice.to_cartesian(step.map(|x| x - x.round()))),
        }
    };
    let unit = convention.per_angstrom();
    SiteMatrix::from_fn(structure, |i| self_energy(z[i]), |i, j| z[i] * z[j] / (unit * distance(i, j)))
}

/// The sine Coulomb matrix.
///
/// # Errors
/// More than [`super::MAX_MATRIX_SITES`] sites.
pub fn sine_coulomb_matrix(structure: &Structure, convention: CoulombConvention) -> Result<SiteMatrix, FeatureError> {
    let z = charges(structure);
    // sin π(x_j - x_i) from the sines and cosines of the sites: no transcendental function for a pair.
    let waves: Vec<[(f64, f64); 3]> =
        structure.frac_coords().iter().map(|x| x.map(|x| (std::f64::consts::PI * (x - x.floor())).sin_cos())).collect();
    let distance = |i: usize, j: usize| {
        let squares = std::array::from_fn(|k| {
            let ((si, ci), (sj, cj)) = (waves[i][k], waves[j][k]);
            let sine = sj * ci - cj * si;
            sine * sine
        });
        norm(structure.lattice().to_cartesian(squares))
    };
    let unit = convention.per_angstrom();
    SiteMatrix::from_fn(structure, |i| self_energy(z[i]), |i, j| z[i] * z[j] / (unit * distance(i, j)))
}

/// Nuclear charge of each site.
pub(super) fn charges(structure: &Structure) -> Vec<f64> {
    structure.species().iter().map(|e| f64::from(e.z())).collect()
}

fn self_energy(z: f64) -> f64 {
    0.5 * z.powf(2.4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::testing::srtio3;

    #[test]
    fn srtio3_by_hand() {
        // Sr (0, 0, 0), Ti (1/2, 1/2, 1/2), a = 3.905 Å: d = a √3 / 2; each sin² is 1, so the sine distance is a √3.
        let s = srtio3();
        let (i, j) =
            (s.species().iter().position(|e| e.symbol() == "Sr"), s.species().iter().position(|e| e.symbol() == "Ti"));
        let (i, j) = (i.unwrap(), j.unwrap());
        let at = |m: SiteMatrix| m.rows().nth(i).unwrap()[j];
        let diagonal = 3.905 * 3.0_f64.sqrt();
        let close = |got: f64, want: f64| assert!((got / want - 1.0).abs() < 1e-12, "{got} {want}");
        close(at(coulomb_matrix(&s, CoulombConvention::Dscribe).unwrap()), 38.0 * 22.0 / (diagonal / 2.0));
        close(at(sine_coulomb_matrix(&s, CoulombConvention::Dscribe).unwrap()), 38.0 * 22.0 / diagonal);
        close(
            at(sine_coulomb_matrix(&s, CoulombConvention::Matminer).unwrap()),
            38.0 * 22.0 / diagonal * 0.529177210544 / 1.00001495,
        );
        close(
            coulomb_matrix(&s, CoulombConvention::Dscribe).unwrap().rows().nth(j).unwrap()[j],
            0.5 * 22.0_f64.powf(2.4),
        );
    }

    #[test]
    fn nearest_image_in_a_skewed_cell() {
        // A square lattice of 3 Å described by a vector five cells long: the nearest image of (0, 0.4, 0) is 1.2 Å away.
        let lattice = crystal::Lattice::new([[3.0, 0.0, 0.0], [15.0, 3.0, 0.0], [0.0, 0.0, 9.0]]).unwrap();
        let got = Closest::new(&lattice).shortest(lattice.to_cartesian([0.0, 0.4, 0.0]));
        assert!((got - 1.2).abs() < 1e-12, "{got}");
    }
}
