//! Void fraction: how much of a cell no atom fills. The number has no meaning without its radii and its probe.
//!
//! `void_fraction(structure, radii, probe)` is the volume fraction of the points p with
//! min_j (|p - x_j| - R_j) >= probe, over all atoms j and their periodic images: at probe 0 the space outside the union of
//! atomic spheres, at probe r > 0 the space open to the centre of a sphere of radius r (whether or not a path leads
//! there). Both are one minus a union of balls of radii R_j + probe, computed exactly (see `balls`): there is no
//! sampling error.
//!
//! The column `void` is [`default_void`]: Slater's atomic radii, probe 0. It is one minus matminer's packing fraction,
//! except that overlaps count once.

use super::{balls::union_volume, site_radii};
use crate::FeatureError;
use crystal::{Radii, Structure};

/// Largest probe accepted, Å; beyond it every crystal is full.
const MAX_PROBE: f64 = 20.0;

/// The fraction of the cell, 0 to 1, open to the centre of a sphere of radius `probe` (Å) among atoms of `radii`.
///
/// # Errors
/// A probe outside 0..=20 Å, an element that the set has no radius for, or a crystal so large or so dense that its balls
/// cannot be listed.
pub fn void_fraction(structure: &Structure, radii: Radii, probe: f64) -> Result<f64, FeatureError> {
    void_fraction_among(structure, &site_radii(structure, radii)?, probe)
}

/// [`void_fraction`] with a radius of the caller's own for each site, Å.
///
/// # Errors
/// A probe outside 0..=20 Å, a number of radii other than that of sites, or a radius that is negative or not finite.
pub fn void_fraction_among(structure: &Structure, radii: &[f64], probe: f64) -> Result<f64, FeatureError> {
    if !(0.0..=MAX_PROBE).contains(&probe) {
        return Err(FeatureError::Argument(format!("probe = {probe} Å is outside 0 to {MAX_PROBE} Å")));
    }
    if radii.len() != structure.len() {
        return Err(FeatureError::Argument(format!("{} radii for {} sites", radii.len(), structure.len())));
    }
    if let Some(r) = radii.iter().find(|r| !(0.0..=MAX_PROBE).contains(*r)) {
        return Err(FeatureError::Argument(format!("radius {r} Å is outside 0 to {MAX_PROBE} Å")));
    }
    let grown: Vec<f64> = radii.iter().map(|r| r + probe).collect();
    Ok((1.0 - union_volume(structure, &grown)? / structure.volume()).clamp(0.0, 1.0))
}

/// The `void` column: [`void_fraction`] with [`Radii::Atomic`] and no probe.
///
/// # Errors
/// As [`void_fraction`].
pub fn default_void(structure: &Structure) -> Result<f64, FeatureError> {
    void_fraction(structure, Radii::Atomic, 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::testing::*;

    #[test]
    fn published_table_of_void_fractions() {
        // Monte Carlo with 60 000 points, +-0.002, for atomic, covalent, ionic and vdW radii without a probe, then for
        // ionic radii and the probes Li 0.76, Ca 1.00, Al 0.535 Å.
        let table = [
            ("rutile", rutile(), [0.575, 0.401, 0.300, 0.023], [0.000, 0.000, 0.000]),
            ("hollandite", hollandite(), [0.615, 0.606, 0.371, 0.157], [0.029, 0.008, 0.063]),
            ("V2O5", v2o5(), [0.725, 0.621, 0.407, 0.150], [0.010, 0.001, 0.038]),
            ("alpha-MoO3", alpha_moo3(), [0.703, 0.645, 0.366, 0.089], [0.000, 0.000, 0.001]),
            ("WO3", wo3(), [0.764, 0.631, 0.408, 0.205], [0.021, 0.004, 0.065]),
            ("SrTiO3", srtio3(), [0.202, 0.154, 0.245, 0.000], [0.000, 0.000, 0.000]),
        ];
        let mut off = Vec::new();
        for (name, structure, union, open) in table {
            let sets = [Radii::Atomic, Radii::Covalent, Radii::Shannon, Radii::VanDerWaals];
            let cases = sets.map(|r| (r, 0.0)).into_iter().chain([0.76, 1.0, 0.535].map(|p| (Radii::Shannon, p)));
            for ((radii, probe), want) in cases.zip(union.into_iter().chain(open)) {
                let got = void_fraction(&structure, radii, probe).unwrap();
                if (got - want).abs() > 0.004 {
                    off.push(format!("{name} {} {probe}: {got:.4}, expected {want}", radii.name()));
                }
            }
        }
        assert!(off.is_empty(), "{off:#?}");
    }

    #[test]
    fn the_default_is_slater_without_a_probe() {
        assert_eq!(default_void(&rutile()), void_fraction(&rutile(), Radii::Atomic, 0.0));
    }

    #[test]
    fn a_larger_cell_of_the_same_crystal_has_the_same_void() {
        let (one, six) = (alpha_moo3(), alpha_moo3().supercell([1, 2, 3]).unwrap());
        for (radii, probe) in [(Radii::Atomic, 0.0), (Radii::VanDerWaals, 0.0), (Radii::Shannon, 0.5)] {
            let [a, b] = [&one, &six].map(|s| void_fraction(s, radii, probe).unwrap());
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }

    #[test]
    fn probes_out_of_range_are_refused() {
        for probe in [-0.1, f64::NAN, 1e9] {
            assert!(matches!(void_fraction(&rutile(), Radii::Atomic, probe), Err(FeatureError::Argument(_))));
        }
    }
}
