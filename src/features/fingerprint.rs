//! A structure fingerprint: a fixed number of numbers that near-equal crystals share and by which others are ranked.
//!
//! It is the radial distribution of Oganov & Valle (*J. Chem. Phys.* **130** (2009) 104504), made independent of volume
//! and of which elements there are. Lengths are measured in (V / N)^(1/3), the edge of the cube of one atom, on a
//! logarithmic scale: a bond 5 % longer is as far away at any distance. Each element has a role p between 0 (the most
//! electropositive of the crystal) and 1 (the most electronegative), linear in Pauling's electronegativity; q = 1 - p.
//! Three distributions are recorded: anion about anion (weights p p'), cation about anion (p q'), cation about cation
//! (q q'), each as
//!
//! `r [ (1/N) sum_ij w_i w'_j K(ln r_ij / r) / (4 pi r^3 exp(9 s^2 / 2)) - <w><w'> ]`,
//!
//! where K is a normal density of width s = 0.05: zero for atoms without order. The whole vector has length one. Two
//! crystals then compare by (1 + cosine) / 2, which is [`similarity`]; as the structures of all solids share much of
//! their short-range order, unlike ones score about 0.7 to 0.9, and equal ones 1.
//!
//! The numbers do not depend on cell, origin, order, rotation or mirror. Crystals with equal distances between all kinds
//! of atoms (homometric ones) have the same numbers.

use super::environment::pairs_within;
use crate::FeatureError;
use crystal::Structure;

/// Distances in each distribution.
const POINTS: usize = 48;
/// Nearest and furthest distance, in units of (V / N)^(1/3).
const RANGE: (f64, f64) = (0.4, 4.0);
/// Width of a pair, in ln r.
const WIDTH: f64 = 0.05;
/// Where a pair no longer counts, in widths.
const TAIL: f64 = 4.0;

/// Numbers in a fingerprint: three distributions of 48 distances.
pub const FINGERPRINT_LENGTH: usize = 3 * POINTS;

/// The fingerprint of a crystal: cation-cation, cation-anion, anion-anion distributions at 48 distances each, from 0.4 to
/// 4 (V / N)^(1/3) in equal steps of the logarithm; of Euclidean length one.
///
/// # Errors
/// A crystal so dilute that no pair lies within reach, which real crystals never are, or so large that too many do.
pub fn fingerprint(structure: &Structure) -> Result<Vec<f64>, FeatureError> {
    let n = structure.len() as f64;
    let unit = (structure.volume() / n).cbrt();
    let anionic = roles(structure);
    let step = (RANGE.1 / RANGE.0).ln() / (POINTS - 1) as f64;
    let mut sums = [[0.0; POINTS]; 3];
    let pairs = pairs_within(structure, unit * RANGE.1 * (TAIL * WIDTH).exp())?;
    for ((&i, &j), &distance) in pairs.center.iter().zip(&pairs.neighbor).zip(&pairs.distance) {
        // A pair is listed from both ends: one of them suffices for the sums that are symmetric in the ends.
        let (p, q) = (anionic[i as usize], anionic[j as usize]);
        let weights = [(1.0 - p) * (1.0 - q), p * (1.0 - q), p * q];
        let at = (distance / unit / RANGE.0).ln() / step;
        let tail = TAIL * WIDTH / step;
        let (first, last) = ((at - tail).ceil().max(0.0), (at + tail).floor().min((POINTS - 1) as f64));
        let mut k = first;
        while k <= last {
            let x = (at - k) * step / WIDTH;
            let density = (-0.5 * x * x).exp();
            for (sum, weight) in sums.iter_mut().zip(weights) {
                sum[k as usize] += weight * density;
            }
            k += 1.0;
        }
    }
    let mean = anionic.iter().sum::<f64>() / n;
    let expected = [(1.0 - mean) * (1.0 - mean), mean * (1.0 - mean), mean * mean];
    let normal = 1.0 / (WIDTH * std::f64::consts::TAU.sqrt());
    let mut vector = Vec::with_capacity(FINGERPRINT_LENGTH);
    for (sum, expected) in sums.iter().zip(expected) {
        for (k, sum) in sum.iter().enumerate() {
            let r = RANGE.0 * (k as f64 * step).exp();
            let shell = 4.0 * std::f64::consts::PI * r.powi(3) * (4.5 * WIDTH * WIDTH).exp();
            vector.push(r * (sum * normal / (n * shell) - expected));
        }
    }
    let length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
    if !(length.is_finite() && length > 0.0) {
        return Err(FeatureError::Argument("no fingerprint: the crystal has no pair of atoms within reach".into()));
    }
    vector.iter_mut().for_each(|x| *x /= length);
    Ok(vector)
}

/// How alike two crystals are by their fingerprints: (1 + cosine) / 2, between 0 and 1; 1 for equal ones.
///
/// # Errors
/// Vectors of unlike length, or without one.
pub fn similarity(a: &[f64], b: &[f64]) -> Result<f64, FeatureError> {
    if a.len() != b.len() {
        return Err(FeatureError::Argument(format!(
            "fingerprints of {} and {} numbers do not compare",
            a.len(),
            b.len()
        )));
    }
    let dot = |u: &[f64], v: &[f64]| u.iter().zip(v).map(|(x, y)| x * y).sum::<f64>();
    let cosine = dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
    if cosine.is_nan() {
        return Err(FeatureError::Argument("a fingerprint of zeros compares with nothing".into()));
    }
    Ok((0.5 * (1.0 + cosine)).clamp(0.0, 1.0))
}

/// How anionic each site is, 0 to 1; one half for all where the elements do not differ.
fn roles(structure: &Structure) -> Vec<f64> {
    let known = || structure.species().iter().filter_map(|e| e.electronegativity());
    let (least, most) = known().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
    let role = |x: f64| if most > least { (x - least) / (most - least) } else { 0.5 };
    structure.species().iter().map(|e| e.electronegativity().map_or(0.5, role)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crystal::testing::{alpha_moo3, rutile, srtio3, v2o5};
    use crystal::{Element, Lattice};

    fn alike(a: &Structure, b: &Structure) -> f64 {
        similarity(&fingerprint(a).unwrap(), &fingerprint(b).unwrap()).unwrap()
    }

    /// The crystal with other elements and another cell length.
    fn substituted(s: &Structure, from: &str, onto: &str, scale: [f64; 3]) -> Structure {
        let [f, t] = [from, onto].map(|e| Element::from_symbol(e).unwrap());
        let rows = s.lattice().rows().map(|row| std::array::from_fn(|k| row[k] * scale[k]));
        let species = s.species().iter().map(|&e| if e == f { t } else { e }).collect();
        Structure::new(Lattice::new(rows).unwrap(), species, s.frac_coords().to_vec()).unwrap()
    }

    #[test]
    fn isostructural_compounds_are_nearer_than_any_other_structure() {
        // SnO2: a = 4.738, c = 3.187 Å.
        let tin = substituted(&rutile(), "Ti", "Sn", [4.738 / 4.594, 4.738 / 4.594, 3.187 / 2.959]);
        let barium = substituted(&srtio3(), "Sr", "Ba", [4.01 / 3.905; 3]);
        let kin = [alike(&rutile(), &tin), alike(&srtio3(), &barium)];
        let strangers = [
            alike(&rutile(), &srtio3()),
            alike(&rutile(), &v2o5()),
            alike(&rutile(), &alpha_moo3()),
            alike(&v2o5(), &alpha_moo3()),
            alike(&srtio3(), &v2o5()),
        ];
        let least = kin.into_iter().fold(1.0, f64::min);
        assert!(least > 0.95 && strangers.iter().all(|s| *s < least - 0.02), "{kin:?} {strangers:?}");
    }

    #[test]
    fn a_fingerprint_has_its_length_and_unlike_vectors_do_not_compare() {
        let f = fingerprint(&rutile()).unwrap();
        assert_eq!(f.len(), FINGERPRINT_LENGTH);
        assert!((f.iter().map(|x| x * x).sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((similarity(&f, &f).unwrap() - 1.0).abs() < 1e-12);
        assert!(similarity(&f, &f[1..]).is_err() && similarity(&f, &vec![0.0; f.len()]).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn cell_origin_order_and_volume_do_not_matter(
            n in prop::array::uniform3(1..3_usize), shift in prop::array::uniform3(-1.0..1.0_f64), scale in 0.8..1.3_f64,
        ) {
            let big = v2o5().supercell(n).unwrap();
            let rows = big.lattice().rows().map(|row| row.map(|x| x * scale));
            let frac = big.frac_coords().iter().rev().map(|x| std::array::from_fn(|k| x[k] + shift[k])).collect();
            let species = big.species().iter().rev().copied().collect();
            let other = Structure::new(Lattice::new(rows).unwrap(), species, frac).unwrap();
            let (f, g) = (fingerprint(&v2o5()).unwrap(), fingerprint(&other).unwrap());
            prop_assert!(f.iter().zip(&g).all(|(x, y)| (x - y).abs() < 1e-9));
        }
    }
}
