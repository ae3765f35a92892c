//! Density, volume per atom and packing fraction: matminer's `DensityFeatures`.

use super::site_radii;
use crate::FeatureError;
use crystal::{Radii, Structure};

/// Unified atomic mass unit per Å³ in g/cm³ (CODATA 2018, to the nine digits that matminer's density carries).
const GRAMS_PER_CM3: f64 = 1.66053907;

/// Mass density, g/cm³.
pub fn density(structure: &Structure) -> f64 {
    structure.species().iter().map(|e| e.mass()).sum::<f64>() * GRAMS_PER_CM3 / structure.volume()
}

/// Cell volume over number of atoms, Å³.
pub fn volume_per_atom(structure: &Structure) -> f64 {
    structure.volume() / structure.len() as f64
}

/// Volume of all atomic spheres over the cell's volume. Overlaps count twice, so it can exceed 1; matminer's convention
/// is [`Radii::Atomic`].
///
/// # Errors
/// [`FeatureError::MissingElementData`] where the set has no radius for an element.
pub fn packing_fraction(structure: &Structure, radii: Radii) -> Result<f64, FeatureError> {
    let cubes: f64 = site_radii(structure, radii)?.iter().map(|r| r * r * r).sum();
    Ok(4.0 / 3.0 * std::f64::consts::PI * cubes / structure.volume())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::testing::{alpha_moo3, rutile, srtio3, v2o5};

    #[test]
    fn matminer_density_features() {
        // matminer 0.10.1, DensityFeatures: density g/cm³, volume per atom Å³, packing fraction.
        for (name, structure, want) in [
            ("rutile", rutile(), [4.247301, 10.408202, 0.426061]),
            ("SrTiO3", srtio3(), [5.116665, 11.909489, 0.801356]),
            ("alpha-MoO3", alpha_moo3(), [4.710831, 12.684334, 0.305187]),
            ("V2O5", v2o5(), [3.370489, 12.800976, 0.280513]),
        ] {
            let packing = packing_fraction(&structure, Radii::Atomic).unwrap();
            let got = [density(&structure), volume_per_atom(&structure), packing];
            // The published figures have six decimals.
            assert!(got.iter().zip(want).all(|(g, w)| (g - w).abs() < 6e-7), "{name}: {got:?}, expected {want:?}");
        }
    }
}
