//! Void fraction: how much of a cell no atom fills. The number means nothing until radii and probe are named.
//!
//! `void_fraction(structure, radii, probe)` is the volume fraction of the points p with
//! min_j (|p - x_j| - R_j) >= probe, over all atoms j and their periodic images: at probe 0 the space outside the union of
//! atomic spheres, at probe r > 0 the space open to the centre of a sphere of radius r (whether or not a path leads
//! there). Both are one minus a union of balls of radii R_j + probe, computed exactly (see `balls`): there is no
//! sampling error.
//!
//! The column `void` is [`default_void`]: Slater's atomic radii, probe 0. It lies on the scale of one minus matminer's
//! packing fraction, with overlaps counted once.

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
pub(crate) mod tests {
    use super::*;
    use crystal::{Element, Lattice};

    fn build(cell: [f64; 3], sites: &[(&str, &[[f64; 3]])]) -> Structure {
        let lattice = Lattice::from_parameters(cell[0], cell[1], cell[2], 90.0, 90.0, 90.0).unwrap();
        let element = |symbol: &str| Element::from_symbol(symbol).unwrap();
        let species = sites.iter().flat_map(|(s, xs)| xs.iter().map(|_| element(s))).collect();
        Structure::new(lattice, species, sites.iter().flat_map(|(_, xs)| xs.iter().copied()).collect()).unwrap()
    }

    /// TiO2, P4_2/mnm, a = 4.594, c = 2.959 Å, O at (0.305, 0.305, 0).
    pub(crate) fn rutile() -> Structure {
        let x = 0.305;
        let o = [[x, x, 0.0], [-x, -x, 0.0], [0.5 - x, 0.5 + x, 0.5], [0.5 + x, 0.5 - x, 0.5]];
        build([4.594, 4.594, 2.959], &[("Ti", &[[0.0; 3], [0.5; 3]]), ("O", &o)])
    }

    /// SrTiO3, Pm-3m, a = 3.905 Å.
    pub(crate) fn srtio3() -> Structure {
        let o = [[0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]];
        build([3.905; 3], &[("Sr", &[[0.0; 3]]), ("Ti", &[[0.5; 3]]), ("O", &o)])
    }

    /// Cubic WO3 (ReO3 type), Pm-3m, a = 3.80 Å.
    pub(crate) fn wo3() -> Structure {
        build([3.8; 3], &[("W", &[[0.0; 3]]), ("O", &[[0.5, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.5]])])
    }

    /// MoO3, Pbnm, 3.9628 x 13.855 x 3.6964 Å, every atom on the mirror z = 1/4.
    pub(crate) fn alpha_moo3() -> Structure {
        // Pbnm: (x, y, 1/4), (-x, -y, 3/4), (x + 1/2, 1/2 - y, 3/4), (1/2 - x, y + 1/2, 1/4).
        let orbit =
            |[x, y]: [f64; 2]| [[x, y, 0.25], [-x, -y, 0.75], [x + 0.5, 0.5 - y, 0.75], [0.5 - x, y + 0.5, 0.25]];
        let o = [[0.4994, 0.4351], [0.5212, 0.0866], [0.0373, 0.2214]].map(orbit).concat();
        build([3.9628, 13.855, 3.6964], &[("Mo", &orbit([0.08669, 0.10164])), ("O", &o)])
    }

    /// V2O5, Pmmn (origin 2), 11.512 x 3.564 x 4.368 Å, every atom on the mirror y = 1/4.
    pub(crate) fn v2o5() -> Structure {
        // Pmmn: (x, 1/4, z), (1/2 - x, 1/4, z), (-x, 3/4, -z), (x + 1/2, 3/4, -z).
        let orbit = |[x, z]: [f64; 2]| vec![[x, 0.25, z], [0.5 - x, 0.25, z], [-x, 0.75, -z], [x + 0.5, 0.75, -z]];
        let bridging = vec![[0.25, 0.25, 0.001], [0.75, 0.75, -0.001]];
        let o = [orbit([0.1043, 0.531]), orbit([0.9311, 0.003]), bridging].concat();
        build([11.512, 3.564, 4.368], &[("V", &orbit([0.10118, 0.8917])), ("O", &o)])
    }

    /// MnO2 with the 2 x 2 tunnels of hollandite, I4/m, a = 9.815, c = 2.847 Å (illustrative coordinates).
    pub(crate) fn hollandite() -> Structure {
        let orbit = |[x, y]: [f64; 2]| {
            let four = [[x, y, 0.0], [-x, -y, 0.0], [-y, x, 0.0], [y, -x, 0.0]];
            [four, four.map(|s| s.map(|x| x + 0.5))].concat()
        };
        let o = [orbit([0.153, 0.2]), orbit([0.542, 0.167])].concat();
        build([9.815, 9.815, 2.847], &[("Mn", &orbit([0.35, 0.167])), ("O", &o)])
    }

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
