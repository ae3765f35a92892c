//! The Ewald sum matrix: the Coulomb energy of each pair of nuclei with all their periodic images, in a uniform background
//! that makes the cell neutral (Faber, Lindmaa, von Lilienfeld & Armiento, *Int. J. Quantum Chem.* **115** (2015) 1094).
//!
//! Entry (i, j) is Z_i Z_j Φ(x_j - x_i), e²/Å, and (i, i) is Z_i² Φ₀ / 2, so that the upper triangle sums to the energy of
//! the cell. The potentials Φ alone serve any charges ([`ewald_potentials`]). Φ is split by Gaussians of width 1/α into a sum over
//! the lattice within f/α and one over the reciprocal lattice within 2αf, with α = √π (N / V²)^(1/6) and f = √(-ln accuracy)
//! (Jackson & Catlow, *Mol. Simul.* **1** (1988) 207). These are dscribe's choices: at one accuracy both programs sum the same
//! terms. A converged entry depends on neither α nor the choice of lattice vectors.

use std::f64::consts::PI;

use super::{SiteMatrix, coulomb::charges, environment::pairs_within};
use crate::FeatureError;
use crystal::{Structure, dot};

/// The accuracy at which entries have converged to ten digits.
pub const CONVERGED: f64 = 1e-12;

/// The Ewald sum matrix, its sums cut where a term falls below `accuracy` (between 10⁻¹⁵ and 0.1) relative to the first.
/// dscribe's default is 10⁻⁵; [`CONVERGED`] is exact.
///
/// # Errors
/// An accuracy out of range, or more than [`super::MAX_MATRIX_SITES`] sites.
pub fn ewald_sum_matrix(structure: &Structure, accuracy: f64) -> Result<SiteMatrix, FeatureError> {
    let potentials = ewald_potentials(structure, accuracy)?;
    let phi: Vec<&[f64]> = potentials.rows().collect();
    let z = charges(structure);
    SiteMatrix::from_fn(structure, |i| 0.5 * z[i] * z[i] * phi[i][i], |i, j| z[i] * z[j] * phi[i][j])
}

/// The potential of one site's unit charge, with its periodic images and the background that neutralises them, at another,
/// 1/Å: Φ(x_j - x_i). On the diagonal Φ₀, without the charge itself. Sites may be any points, elements do not count. The
/// energy of charges q in a neutral cell is Σ_{i<j} q_i q_j Φ_ij + ½ Σ_i q_i² Φ₀, in e²/Å = 14.3996 eV.
///
/// # Errors
/// As [`ewald_sum_matrix`].
pub fn ewald_potentials(structure: &Structure, accuracy: f64) -> Result<SiteMatrix, FeatureError> {
    if !(1e-15..=0.1).contains(&accuracy) {
        return Err(FeatureError::Argument(format!("accuracy = {accuracy} is outside 1e-15 to 0.1")));
    }
    // Refuses a huge cell before anything is summed.
    let empty = SiteMatrix::from_fn(structure, |_| 0.0, |_, _| 0.0)?;
    let (n, volume) = (structure.len(), structure.volume());
    let alpha = PI.sqrt() * (n as f64 / (volume * volume)).powf(1.0 / 6.0);
    let f = (-accuracy.ln()).sqrt();
    let mut potential = empty.into_values();
    add_real(structure, alpha, f / alpha, &mut potential)?;
    add_reciprocal(structure, alpha, 2.0 * alpha * f, &mut potential);
    let background = PI / (volume * alpha * alpha);
    let own = 2.0 * alpha / PI.sqrt();
    SiteMatrix::from_fn(
        structure,
        |i| potential[i * n + i] - background - own,
        |i, j| potential[i * n + j] - background,
    )
}

/// Adds Σ erfc(αr) / r over the images within `cutoff`, Å.
fn add_real(structure: &Structure, alpha: f64, cutoff: f64, potential: &mut [f64]) -> Result<(), FeatureError> {
    let pairs = pairs_within(structure, cutoff)?;
    for ((&i, &j), &r) in pairs.center.iter().zip(&pairs.neighbor).zip(&pairs.distance) {
        if i <= j {
            potential[i as usize * structure.len() + j as usize] += erfc(alpha * r) / r;
        }
    }
    Ok(())
}

/// Adds 4π/V Σ exp(-G² / 4α²) cos(G · r) / G² over the reciprocal lattice within `cutoff`, Å⁻¹, the origin left out.
fn add_reciprocal(structure: &Structure, alpha: f64, cutoff: f64, potential: &mut [f64]) {
    let n = structure.len();
    let lattice = structure.lattice();
    // The fractions of the Cartesian unit vectors are the columns of the reciprocal lattice.
    let unit = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]].map(|e| lattice.to_fractional(e));
    let [a, b, c, ..] = lattice.parameters();
    let most = [a, b, c].map(|length| (cutoff * length / (2.0 * PI)).floor() as i32);
    let mut waves = vec![(0.0, 0.0); n];
    for h in 0..=most[0] {
        for k in (if h == 0 { 0 } else { -most[1] })..=most[1] {
            // One of G and -G, counted twice.
            for l in (if h == 0 && k == 0 { 1 } else { -most[2] })..=most[2] {
                let index = [h, k, l].map(f64::from);
                let g2: f64 = unit.iter().map(|u| (2.0 * PI * dot(*u, index)).powi(2)).sum();
                if g2 > cutoff * cutoff {
                    continue;
                }
                let factor = 8.0 * PI / structure.volume() * (-g2 / (4.0 * alpha * alpha)).exp() / g2;
                for (wave, x) in waves.iter_mut().zip(structure.frac_coords()) {
                    *wave = (2.0 * PI * dot(*x, index)).sin_cos();
                }
                for (i, &(si, ci)) in waves.iter().enumerate() {
                    let (si, ci) = (factor * si, factor * ci);
                    for (entry, (sj, cj)) in potential[i * n + i..(i + 1) * n].iter_mut().zip(&waves[i..]) {
                        *entry += si * sj + ci * cj;
                    }
                }
            }
        }
    }
}

/// The complementary error function of x >= 0, to 10⁻¹⁵ of 1.
pub(super) fn erfc(x: f64) -> f64 {
    let gauss = (-x * x).exp() / PI.sqrt();
    if x < 2.5 {
        // 1 - erf(x), erf by its series of positive terms (Abramowitz & Stegun 7.1.6).
        let (mut term, mut sum, mut k) = (x, x, 1.0);
        while term > 1e-17 * sum {
            term *= 2.0 * x * x / (2.0 * k + 1.0);
            sum += term;
            k += 1.0;
        }
        1.0 - 2.0 * gauss * sum
    } else {
        // The continued fraction (7.1.14), from its tail.
        let tail = (1..=50).rev().fold(x, |tail, k| x + 0.5 * f64::from(k) / tail);
        gauss / tail
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::testing::rutile;
    use crystal::{Element, Lattice};

    #[test]
    fn erfc_by_its_table() {
        // scipy 1.17, on both sides of the change from series to continued fraction.
        for (x, want) in [
            (0.0, 1.0),
            (0.5, 0.4795001221869535),
            (2.0, 0.004677734981047266),
            (2.4999, 0.0004071699003334512),
            (2.5, 0.00040695201744495886),
            (3.0, 2.2090496998585445e-05),
            (5.0, 1.5374597944280347e-12),
        ] {
            assert!((erfc(x) - want).abs() < 1e-15 + 1e-14 * want, "erfc({x}) = {:e}", erfc(x));
        }
    }

    #[test]
    fn the_energy_of_a_wigner_lattice() {
        // One proton in a neutral background, simple cubic: -1.418648740 e²/a (the Madelung constant -2.837297479 / 2).
        let lattice = Lattice::from_parameters(2.0, 2.0, 2.0, 90.0, 90.0, 90.0).unwrap();
        let h = Structure::new(lattice, vec![Element::from_symbol("H").unwrap()], vec![[0.3; 3]]).unwrap();
        let entry = ewald_sum_matrix(&h, CONVERGED).unwrap().rows().next().unwrap()[0];
        assert!((entry * 2.0 + 2.837297479 / 2.0).abs() < 1e-9, "{entry}");
    }

    #[test]
    fn potentials_add_up_to_the_madelung_constant_of_rock_salt() {
        let lattice = Lattice::from_parameters(2.0, 2.0, 2.0, 90.0, 90.0, 90.0).unwrap();
        let fcc = [[0.0; 3], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]];
        let sites = [fcc, fcc.map(|x| [x[0] + 0.5, x[1], x[2]])].concat();
        let salt = Structure::new(lattice, vec![Element::O; 8], sites).unwrap();
        let potentials = ewald_potentials(&salt, CONVERGED).unwrap();
        let row = potentials.rows().next().unwrap();
        let at_first: f64 = row[..4].iter().sum::<f64>() - row[4..].iter().sum::<f64>();
        assert!((at_first + 1.747_564_594_633).abs() < 1e-10, "{at_first}");
    }

    #[test]
    fn a_converged_entry_is_the_same_in_a_supercell() {
        // Sites i and j of the cell: the energy with all images of j is the sum over the copies of j.
        let (small, double) = (rutile(), rutile().supercell([2, 1, 1]).unwrap());
        let [a, b] = [&small, &double].map(|s| ewald_sum_matrix(s, CONVERGED).unwrap());
        let row: Vec<f64> = a.rows().next().unwrap().to_vec();
        let copies: Vec<f64> = b.rows().next().unwrap().chunks(2).map(|c| c[0] + c[1]).collect();
        for j in 1..small.len() {
            assert!((row[j] / copies[j] - 1.0).abs() < 1e-9, "{} {}", row[j], copies[j]);
        }
    }
}
