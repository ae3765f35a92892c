//! Peaks made continuous: matminer's 128 numbers for models, and the curve that a diffractometer would draw.

use std::f64::consts::{LN_2, PI, TAU};

use super::xrd::{CU_KA, Line, Pattern};
use crate::FeatureError;
use crystal::Structure;

/// Length of [`xrd_vector`]: one number for each degree from 0 to 127.
pub const XRD_LEN: usize = 128;
/// Width of the kernel over the spread of the pattern.
const BANDWIDTH: f64 = 0.05;
/// Most points of a curve.
const MAX_POINTS: f64 = 1.0e5;
/// Peaks up to this many widths outside a curve still contribute their tails.
const TAILS: f64 = 20.0;

/// The pattern of Cu K-alpha from 0 to 127° as a density over 2θ: 128 numbers, 1/degree, at 0, 1, ... 127°. They sum to
/// about 1.
///
/// matminer's `XRDPowderPattern`: every peak is entered ⌊intensity⌋ times (so that peaks below 1 vanish), and the entries
/// are smoothed by a Gaussian whose width is 5 % of their standard deviation:
///
/// ```text
/// w_k = ⌊y_k⌋    h² = 0.05² Σ w_k (x_k - mean)² / (N - 1)    f(t) = Σ w_k exp(-(t - x_k)² / 2h²) / (N h √2π)
/// ```
///
/// # Errors
/// As [`super::xrd_peaks`]; and a pattern with a single line, which has no spread.
pub fn xrd_vector(structure: &Structure) -> Result<[f64; XRD_LEN], FeatureError> {
    let pattern = Pattern::of(structure, CU_KA, (0.0, (XRD_LEN - 1) as f64))?;
    density(&pattern.lines)
}

fn density(lines: &[Line]) -> Result<[f64; XRD_LEN], FeatureError> {
    let entries = || lines.iter().map(|line| (line.two_theta, line.intensity.floor())).filter(|&(_, w)| w > 0.0);
    let count: f64 = entries().map(|(_, w)| w).sum();
    let mean = entries().map(|(x, w)| w * x).sum::<f64>() / count;
    let variance = entries().map(|(x, w)| w * (x - mean) * (x - mean)).sum::<f64>() / (count - 1.0);
    let width = BANDWIDTH * variance.sqrt();
    // One line, or two within rounding of each other.
    if width <= 1e-9 {
        return Err(FeatureError::Undefined(
            "the powder pattern up to 127° has a single line, which has no width".into(),
        ));
    }
    let mut sum = [0.0; XRD_LEN];
    for (x, w) in entries() {
        add_gaussian(&mut sum, x, w, width);
    }
    Ok(sum.map(|y| y / (count * width * TAU.sqrt())))
}

/// Adds w exp(-(t - x)² / 2 width²) at t = 0, 1, 2 ...; x lies among them.
fn add_gaussian(sum: &mut [f64; XRD_LEN], x: f64, w: f64, width: f64) {
    let precision = 1.0 / (width * width);
    let centre = (x.round() as usize).min(XRD_LEN - 1);
    let offset = centre as f64 - x;
    let (before, after) = sum.split_at_mut(centre);
    add_flank(after.iter_mut(), offset, w, precision);
    add_flank(before.iter_mut().rev(), 1.0 - offset, w, precision);
}

/// One side of a Gaussian, outwards from `offset` in steps of 1. From one point to the next it changes by a factor, and that
/// factor by exp(-precision): three exponentials, and then two multiplications a point.
fn add_flank<'a>(points: impl Iterator<Item = &'a mut f64>, offset: f64, w: f64, precision: f64) {
    let mut y = w * (-0.5 * precision * offset * offset).exp();
    let mut factor = (-precision * (offset + 0.5)).exp();
    let change = (-precision).exp();
    for sum in points {
        if y < f64::MIN_POSITIVE {
            break;
        }
        *sum += y;
        y *= factor;
        factor *= change;
    }
}

/// How a curve is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Profile {
    /// First angle 2θ, degrees.
    pub low: f64,
    /// Last angle 2θ, degrees.
    pub high: f64,
    /// Distance of two points, degrees.
    pub step: f64,
    /// Full width of a peak at half its height, degrees.
    pub fwhm: f64,
    /// Wavelength, Å.
    pub wavelength: f64,
}

impl Default for Profile {
    /// Cu K-alpha, 0 to 90° in steps of 0.02°, peaks 0.1° wide: a good laboratory instrument.
    fn default() -> Self {
        Self { low: 0.0, high: 90.0, step: 0.02, fwhm: 0.1, wavelength: CU_KA }
    }
}

/// The curve of a powder pattern: (2θ in degrees, intensity), its highest point 100.
///
/// Every peak is a pseudo-Voigt function, half Gaussian and half Lorentzian, of the same width at all angles and of an area
/// that is the peak's intensity. Peaks a little outside of the range contribute their tails.
///
/// # Errors
/// As [`super::xrd_peaks`]; and a step or width that is not positive, or more than a hundred thousand points.
pub fn xrd_pattern(structure: &Structure, profile: &Profile) -> Result<Vec<[f64; 2]>, FeatureError> {
    let Profile { low, high, step, fwhm, wavelength } = *profile;
    if !(step > 0.0 && fwhm > 0.0 && fwhm < 180.0) {
        return Err(FeatureError::Argument(format!("a step of {step}° and a width of {fwhm}°; both must be positive")));
    }
    let points = ((high - low) / step + 1e-9).floor() + 1.0;
    if points > MAX_POINTS {
        return Err(FeatureError::Argument(format!("{points:.0} points from {low}° to {high}°; take a wider step")));
    }
    let beside = |edge: f64, by: f64| (edge + by).clamp(0.0, 180.0);
    let wide = if low < high { (beside(low, -TAILS * fwhm), beside(high, TAILS * fwhm)) } else { (low, high) };
    let pattern = Pattern::of(structure, wavelength, wide)?;
    if !pattern.lines.iter().any(|line| (low..=high).contains(&line.two_theta)) {
        return Err(FeatureError::Undefined(format!("no peak from {low}° to {high}° at {wavelength} Å")));
    }

    let angle = |i: usize| low + i as f64 * step;
    let mut curve = vec![0.0; points as usize];
    // Unit areas: a Lorentzian 1 / (π half (1 + u²)) and a Gaussian √(ln 2 / π) / half · 2^(-u²), u = (t - x) / half.
    let half = 0.5 * fwhm;
    let gaussian = (LN_2 * PI).sqrt();
    for line in &pattern.lines {
        for (i, y) in curve.iter_mut().enumerate() {
            let u = (angle(i) - line.two_theta) / half;
            *y += line.intensity / (1.0 + u * u);
        }
        // Beyond eight half widths the Gaussian is below 1e-19 of its height.
        let [first, last] = [-8.0, 8.0].map(|u| ((line.two_theta + u * half - low) / step).clamp(0.0, points));
        for (i, y) in curve.iter_mut().enumerate().take(last as usize).skip(first as usize) {
            let u = (angle(i) - line.two_theta) / half;
            *y += line.intensity * gaussian * (-LN_2 * u * u).exp();
        }
    }
    let highest = curve.iter().copied().fold(0.0, f64::max);
    Ok(curve.iter().enumerate().map(|(i, y)| [angle(i), 100.0 * y / highest]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xrd_peaks;
    use crystal::testing::{alpha_moo3, rutile, srtio3, v2o5};
    use crystal::{Element, Lattice};

    #[test]
    fn the_four_oxides_of_matminer() {
        // matminer 0.10.1, XRDPowderPattern(): position and height of the maximum, and the sum.
        for (structure, at, most, sum) in [
            (rutile(), 27, 0.0697573, 0.999889),
            (srtio3(), 32, 0.0818344, 0.999581),
            (alpha_moo3(), 27, 0.0556214, 0.999012),
            (v2o5(), 21, 0.0468806, 0.999988),
        ] {
            let f = xrd_vector(&structure).unwrap();
            let highest = f.iter().copied().fold(0.0, f64::max);
            assert_eq!(f.iter().position(|&y| y == highest), Some(at));
            assert!((highest - most).abs() < 5e-8, "{highest} {most}");
            assert!((f.iter().sum::<f64>() - sum).abs() < 5e-7);
        }
    }

    #[test]
    fn a_pattern_with_one_line_has_no_density() {
        // d(100) = 1 Å is the only spacing above λ / 2 sin(63.5°) = 0.861 Å... of a cubic cell of 1 Å.
        let lattice = Lattice::from_parameters(1.0, 1.0, 1.0, 90.0, 90.0, 90.0).unwrap();
        let hydrogen = Structure::new(lattice, vec![Element::from_symbol("H").unwrap()], vec![[0.0; 3]]).unwrap();
        assert!(matches!(xrd_vector(&hydrogen), Err(FeatureError::Undefined(_))));
    }

    #[test]
    fn the_curve_peaks_where_the_peaks_are_and_holds_their_area() {
        let (s, profile) = (rutile(), Profile { low: 20.0, high: 60.0, step: 0.005, ..Profile::default() });
        let curve = xrd_pattern(&s, &profile).unwrap();
        assert_eq!(curve.len(), 8001);
        assert!((curve[8000][0] - 60.0).abs() < 1e-9);
        let highest = curve.iter().copied().reduce(|a, b| if b[1] > a[1] { b } else { a }).unwrap();
        assert!((highest[0] - 27.4568).abs() < 0.003 && highest[1] == 100.0, "{highest:?}");
        // The area about a peak over that about another is the ratio of their intensities; the tails reach further.
        let area = |x: f64| curve.iter().filter(|p| (p[0] - x).abs() < 0.8).map(|p| p[1]).sum::<f64>();
        let peaks = xrd_peaks(&s, CU_KA, (0.0, 90.0)).unwrap();
        let want = peaks[1].intensity / peaks[0].intensity;
        let got = area(peaks[1].two_theta) / area(peaks[0].two_theta);
        assert!((got - want).abs() < 0.003, "{got} {want}");
        // Half the height at half the width from the centre.
        let near = |x: f64| curve.iter().min_by(|a, b| (a[0] - x).abs().total_cmp(&(b[0] - x).abs())).unwrap()[1];
        assert!((near(27.4568 + 0.05) - 50.0).abs() < 3.0, "{}", near(27.4568 + 0.05));
    }

    #[test]
    fn curves_that_cannot_be_drawn_are_refused() {
        let s = rutile();
        // The tails of 110 at 27.5° reach in, but a range without a peak is no pattern.
        let between = Profile { low: 28.0, high: 30.0, ..Profile::default() };
        assert!(matches!(xrd_pattern(&s, &between), Err(FeatureError::Undefined(_))));
        for bad in [
            Profile { step: 0.0, ..Profile::default() },
            Profile { fwhm: f64::NAN, ..Profile::default() },
            Profile { step: 1e-9, ..Profile::default() },
            Profile { low: 50.0, high: 40.0, ..Profile::default() },
            Profile { low: f64::NAN, ..Profile::default() },
        ] {
            assert!(matches!(xrd_pattern(&s, &bad), Err(FeatureError::Argument(_))), "{bad:?}");
        }
    }
}
