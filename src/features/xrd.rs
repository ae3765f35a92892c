//! Powder diffraction of X-rays: the peaks of a crystal's ideal pattern, by pymatgen's `XRDCalculator`.
//!
//! Every reflection within the range of angles contributes |F|² times the Lorentz-polarisation factor, at Bragg's angle:
//!
//! ```text
//! sin θ = λ / 2d        LP = (1 + cos² 2θ) / (sin² θ cos θ)
//! ```
//!
//! There is no multiplicity factor: all points of the reciprocal lattice are summed. Reflections within the same 1e-5
//! degrees are one peak, the strongest peak is 100, and peaks below 1e-3 are dropped. No thermal motion, no anomalous
//! dispersion, no absorption.

use super::reflections::{Reflection, reflections};
use crate::FeatureError;
use crystal::{Lattice, Structure};

/// Characteristic lines, Å: K-alpha is the weighted mean of its doublet.
pub const WAVELENGTHS: [(&str, f64); 24] = [
    ("CuKa", CU_KA),
    ("CuKa2", 1.54439),
    ("CuKa1", 1.54056),
    ("CuKb1", 1.39222),
    ("MoKa", 0.71073),
    ("MoKa2", 0.71359),
    ("MoKa1", 0.70930),
    ("MoKb1", 0.63229),
    ("CrKa", 2.29100),
    ("CrKa2", 2.29361),
    ("CrKa1", 2.28970),
    ("CrKb1", 2.08487),
    ("FeKa", 1.93735),
    ("FeKa2", 1.93998),
    ("FeKa1", 1.93604),
    ("FeKb1", 1.75661),
    ("CoKa", 1.79026),
    ("CoKa2", 1.79285),
    ("CoKa1", 1.78896),
    ("CoKb1", 1.63079),
    ("AgKa", 0.560885),
    ("AgKa2", 0.563813),
    ("AgKa1", 0.559421),
    ("AgKb1", 0.497082),
];
/// K-alpha of copper, Å: the wavelength of most powder diffractometers.
pub const CU_KA: f64 = 1.54184;

/// Reflections whose angles 2θ round to the same multiple of this, degrees, are one peak.
const SAME_ANGLE: f64 = 1e-5;
/// Peaks weaker than this, where the strongest is [`STRONGEST`], are rounding.
const WEAKEST: f64 = 1e-3;
/// Intensity of the strongest peak.
const STRONGEST: f64 = 100.0;
/// pymatgen's test of a hexagonal cell: angles in degrees, lengths in Å.
const HEXAGONAL: (f64, f64) = (5.0, 0.01);

/// The wavelength of a line in Å by its name, such as `CuKa` or `MoKa1`, in any case.
pub fn wavelength(name: &str) -> Option<f64> {
    WAVELENGTHS.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|&(_, x)| x)
}

/// One peak of a powder pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct Peak {
    /// Angle 2θ, degrees.
    pub two_theta: f64,
    /// Integrated intensity; the strongest peak has 100.
    pub intensity: f64,
    /// Spacing of the lattice planes, Å.
    pub d: f64,
    /// The contributing families, the greatest indices first.
    pub families: Vec<Family>,
}

impl Peak {
    /// Number of reflections, all families together.
    pub fn multiplicity(&self) -> u32 {
        self.families.iter().map(|f| f.multiplicity).sum()
    }
}

/// Reflections of one peak whose indices are each other's permutations, signs aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// h, k, l, or h, k, i, l where the cell is hexagonal: the greatest of the family.
    indices: [i32; 4],
    hexagonal: bool,
    /// Number of reflections.
    pub multiplicity: u32,
}

impl Family {
    /// h, k, l, or h, k, i, l where the cell is hexagonal: the greatest of the family.
    pub fn indices(&self) -> &[i32] {
        if self.hexagonal { &self.indices } else { &self.indices[..3] }
    }

    fn of([h, k, l]: [i32; 3], hexagonal: bool) -> Self {
        let indices = if hexagonal { [h, k, -h - k, l] } else { [h, k, l, 0] };
        Self { indices, hexagonal, multiplicity: 2 }
    }

    /// What all its members have in common.
    fn key(&self) -> [u32; 4] {
        let mut key = self.indices.map(i32::unsigned_abs);
        key.sort_unstable();
        key
    }
}

/// The peaks of a powder pattern in order of angle; `wavelength` in Å, `range` of 2θ in degrees.
///
/// # Errors
/// A wavelength or range that makes no pattern, no reflection within the range, an element without a scattering factor
/// (beyond Cf), or a cell so large that the sum would take minutes.
pub fn xrd_peaks(structure: &Structure, wavelength: f64, range: (f64, f64)) -> Result<Vec<Peak>, FeatureError> {
    let hexagonal = is_hexagonal(structure.lattice());
    let pattern = Pattern::of(structure, wavelength, range)?;
    let peak = |line: &Line| Peak {
        two_theta: line.two_theta,
        intensity: line.intensity,
        d: 1.0 / line.g,
        families: families(pattern.members(line), hexagonal),
    };
    Ok(pattern.lines.iter().map(peak).collect())
}

/// Peaks and the reflections that they are made of.
pub(super) struct Pattern {
    /// In order of angle.
    pub lines: Vec<Line>,
    reflections: Vec<Reflection>,
    /// Indices of reflections in order of angle.
    order: Vec<u64>,
}

/// A peak without its indices.
pub(super) struct Line {
    /// Degrees.
    pub two_theta: f64,
    /// The strongest line has 100.
    pub intensity: f64,
    g: f64,
    /// Which of `order` it is made of.
    members: std::ops::Range<usize>,
}

impl Pattern {
    /// As [`xrd_peaks`].
    ///
    /// # Errors
    /// As [`xrd_peaks`].
    pub fn of(structure: &Structure, wavelength: f64, (low, high): (f64, f64)) -> Result<Self, FeatureError> {
        if !(wavelength > 0.0 && wavelength < 100.0) {
            return Err(FeatureError::Argument(format!(
                "a wavelength of {wavelength} Å; it must lie between 0 and 100"
            )));
        }
        if !(low >= 0.0 && low < high && high <= 180.0) {
            return Err(FeatureError::Argument(format!(
                "angles from {low}° to {high}°; they must rise, from 0° at least to 180° at most"
            )));
        }
        let shell = [low, high].map(|angle| 2.0 * (0.5 * angle).to_radians().sin() / wavelength);
        let reflections = reflections(structure, shell)?;

        let degrees = |r: &Reflection| 2.0 * (0.5 * wavelength * r.g).min(1.0).asin().to_degrees();
        // The multiple of SAME_ANGLE and the index, packed into one number to sort by.
        let mut order: Vec<u64> =
            (0..).zip(&reflections).map(|(i, r)| ((degrees(r) / SAME_ANGLE).round() as u64) << 32 | i).collect();
        order.sort_unstable();
        let mut pattern = Self { lines: Vec::new(), reflections, order };
        let (mut start, mut strongest) = (0, 0.0_f64);
        for same in pattern.order.chunk_by(|a, b| a >> 32 == b >> 32) {
            let members = start..start + same.len();
            start = members.end;
            // The angle of a peak is that of its first reflection.
            let (mut g, mut intensity) = (f64::INFINITY, 0.0);
            for &i in same {
                let reflection = &pattern.reflections[i as u32 as usize];
                g = g.min(reflection.g);
                // Friedel's mate adds as much.
                intensity += 2.0 * reflection.square * lorentz_polarisation(0.5 * wavelength * reflection.g);
            }
            strongest = strongest.max(intensity);
            let two_theta = 2.0 * (0.5 * wavelength * g).min(1.0).asin().to_degrees();
            pattern.lines.push(Line { two_theta, intensity, g, members });
        }
        if !(strongest > 0.0 && strongest.is_finite()) {
            return Err(FeatureError::Undefined(format!("no reflection from {low}° to {high}° at {wavelength} Å")));
        }
        pattern.lines.iter_mut().for_each(|line| line.intensity = line.intensity / strongest * STRONGEST);
        pattern.lines.retain(|line| line.intensity > WEAKEST);
        Ok(pattern)
    }

    fn members(&self, line: &Line) -> impl Iterator<Item = [i32; 3]> {
        self.order[line.members.clone()].iter().map(|&i| self.reflections[i as u32 as usize].hkl)
    }
}

/// The Lorentz-polarisation factor of unpolarised radiation, from sin θ; nothing is detected straight back.
fn lorentz_polarisation(sin: f64) -> f64 {
    let square = sin * sin;
    if square >= 1.0 {
        return 0.0;
    }
    let cos_twice = 1.0 - 2.0 * square;
    (1.0 + cos_twice * cos_twice) / (square * (1.0 - square).sqrt())
}

/// Reflections and their Friedel mates gathered into families, the greatest indices first.
fn families(members: impl Iterator<Item = [i32; 3]>, hexagonal: bool) -> Vec<Family> {
    let mut families: Vec<Family> = Vec::with_capacity(1);
    for hkl in members {
        // The first index of a reflection that is not zero is positive: it is greater than its mate.
        let one = Family::of(hkl, hexagonal);
        let key = one.key();
        match families.iter_mut().find(|f| f.key() == key) {
            Some(family) => {
                family.indices = family.indices.max(one.indices);
                family.multiplicity += one.multiplicity;
            }
            None => families.push(one),
        }
    }
    families.sort_unstable_by_key(|f| std::cmp::Reverse(f.indices));
    families
}

/// Whether a cell is hexagonal by pymatgen's tolerances: two right angles between vectors, and one of 60° or 120°
/// between two of the same length.
fn is_hexagonal(lattice: &Lattice) -> bool {
    let p = lattice.parameters();
    let (lengths, angles) = p.split_at(3);
    let near = |i: usize, angle: f64| (angles[i] - angle).abs() <= HEXAGONAL.0;
    let right: Vec<usize> = (0..3).filter(|&i| near(i, 90.0)).collect();
    let oblique = (0..3).filter(|&i| near(i, 60.0) || near(i, 120.0)).count();
    matches!(right[..], [i, j] if oblique == 1 && (lengths[i] - lengths[j]).abs() <= HEXAGONAL.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::Element;
    use crystal::testing::{rutile, srtio3};

    fn peaks(structure: &Structure) -> Vec<Peak> {
        xrd_peaks(structure, CU_KA, (0.0, 90.0)).unwrap()
    }

    #[test]
    fn rutile_is_indexed_as_in_every_textbook() {
        let peaks = peaks(&rutile());
        for (peak, (two_theta, intensity, hkl)) in peaks.iter().zip([
            (27.4568, 100.0, [1, 1, 0]),
            (36.1064, 45.8072, [1, 0, 1]),
            (39.2205, 6.7811, [2, 0, 0]),
            (41.2706, 19.0066, [1, 1, 1]),
            (44.0777, 6.8531, [2, 1, 0]),
        ]) {
            assert!((peak.two_theta - two_theta).abs() < 1e-4 && (peak.intensity - intensity).abs() < 1e-4, "{peak:?}");
            assert_eq!(peak.families[0].indices(), hkl, "{peak:?}");
        }
        // {110} of a tetragonal cell: 110, -110, and their mates.
        assert_eq!((peaks[0].families.len(), peaks[0].multiplicity()), (1, 4));
        assert!((peaks[0].d - 4.594 / 2.0_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn a_cubic_peak_can_hold_two_families() {
        let peak =
            xrd_peaks(&srtio3(), CU_KA, (0.0, 127.0)).unwrap().into_iter().find(|p| (p.d - 3.905 / 3.0).abs() < 1e-9);
        let found: Vec<_> = peak.unwrap().families.iter().map(|f| (f.indices().to_vec(), f.multiplicity)).collect();
        assert_eq!(found, [(vec![3, 0, 0], 6), (vec![2, 2, 1], 24)]);
    }

    #[test]
    fn hexagonal_cells_have_four_indices() {
        let lattice = Lattice::from_parameters(3.0, 3.0, 5.0, 90.0, 90.0, 120.0).unwrap();
        let zn = Element::from_symbol("Zn").unwrap();
        let hcp =
            Structure::new(lattice, vec![zn; 2], vec![[1.0 / 3.0, 2.0 / 3.0, 0.25], [2.0 / 3.0, 1.0 / 3.0, 0.75]]);
        let peaks = peaks(&hcp.unwrap());
        assert_eq!(peaks[0].families[0].indices(), [1, 0, -1, 0]);
        assert_eq!(peaks[0].multiplicity(), 6);
        assert!(peaks.iter().all(|p| p.families.iter().all(|f| f.indices() != [0, 0, 0, 1])), "0001 is extinct");
    }

    #[test]
    fn names_of_lines_and_arguments_out_of_range() {
        assert_eq!(
            (wavelength("cuka"), wavelength("MoKa1"), wavelength("CuKa3")),
            (Some(1.54184), Some(0.70930), None)
        );
        let s = rutile();
        for (x, range) in
            [(0.0, (0.0, 90.0)), (f64::NAN, (0.0, 90.0)), (1.5, (90.0, 10.0)), (1.5, (0.0, 181.0)), (1.5, (-1.0, 9.0))]
        {
            assert!(matches!(xrd_peaks(&s, x, range), Err(FeatureError::Argument(_))), "{x} {range:?}");
        }
        assert!(matches!(xrd_peaks(&s, 1.5, (0.0, 5.0)), Err(FeatureError::Undefined(_))));
    }
}
