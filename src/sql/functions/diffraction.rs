//! X-ray powder diffraction.

use super::arguments::structure;
use super::kernel::{Answer, Columns, Row, crystals, crystals_as, lists_of};
use super::{Function, Kind, Omitted, Parameter, number, optional};
use crate::cost::Cost;
use features::{self, Peak, Profile};

pub(super) fn functions() -> Vec<Function> {
    let usual = Profile::default();
    vec![
        Function {
            name: "xrd",
            text: "Powder pattern as a descriptor: the density of diffracted intensity (Cu K-alpha) at 2θ = 0, 1, \
                   ... 127°, 128 numbers that sum to about 1, equal to matminer's `XRDPowderPattern`. Each peak of \
                   `xrd_peaks` counts with the integer part of its intensity and is smoothed by a Gaussian whose \
                   width is 5 % of the pattern's standard deviation. NULL for a pattern with a single line.",
            parameters: vec![structure()],
            unit: Some("1/degree"),
            example: "SELECT id, xrd(structure) FROM tmo",
            kernel: crystals(Cost::Costly, |_, s| Ok(features::xrd_vector(s)?)),
        },
        Function {
            name: "xrd_pattern",
            text: "X-ray powder pattern as a curve to plot. Each peak of `xrd_peaks` is drawn as a pseudo-Voigt \
                   function, half Gaussian and half Lorentzian, of the same width at all angles.",
            parameters: vec![
                structure(),
                number("low", usual.low, "First angle 2θ, degrees."),
                number("high", usual.high, "Last angle 2θ, degrees."),
                number("step", usual.step, "Distance between points, degrees."),
                number("fwhm", usual.fwhm, "Full width of a peak at half maximum, degrees."),
                wavelength(),
            ],
            unit: None,
            example: "SELECT unnest(xrd_pattern(structure, 10, 70, 0.02, 0.1)) AS point FROM tmo LIMIT 10",
            kernel: crystals_as(Cost::Costly, lists_of(point_columns()), |row, s| {
                let [low, high, step, fwhm] = [1, 2, 3, 4].map(|k| row.number(k));
                Ok(features::xrd_pattern(s, &Profile { low, high, step, fwhm, wavelength: wavelength_of(row, 5)? })?)
            }),
        },
        Function {
            name: "xrd_peaks",
            text: "Peaks of the ideal X-ray powder pattern in order of angle, equal to pymatgen's `XRDCalculator`. \
                   Expand the list with `unnest`.",
            parameters: vec![
                structure(),
                wavelength(),
                number("low", 0.0, "Smallest angle 2θ, degrees."),
                number("high", 90.0, "Largest angle 2θ, degrees."),
            ],
            unit: None,
            example: "SELECT id, unnest(xrd_peaks(structure, 'MoKa', 0, 40)) AS peak FROM tmo",
            kernel: crystals_as(Cost::Costly, lists_of(peak_columns()), |row, s| {
                Ok(features::xrd_peaks(s, wavelength_of(row, 1)?, (row.number(2), row.number(3)))?)
            }),
        },
    ]
}

fn point_columns() -> Columns<[f64; 2]> {
    Columns::<[f64; 2]>::new().field("two_theta", Some("degrees"), "Angle 2θ.", |point| point[0]).field(
        "intensity",
        None,
        "Intensity; the highest point has 100.",
        |point| point[1],
    )
}

fn peak_columns() -> Columns<Peak> {
    Columns::<Peak>::new()
        .field("two_theta", Some("degrees"), "Angle 2θ.", |peak| peak.two_theta)
        .field(
            "intensity",
            None,
            "Intensity from structure, Lorentz and polarisation factors; the strongest peak has 100.",
            |peak| peak.intensity,
        )
        .field("d", Some("Å"), "Spacing of the lattice planes.", |peak| peak.d)
        .field(
            "hkl",
            None,
            "Miller indices, one set for each family of planes; hkil in a hexagonal cell.",
            |peak| -> Vec<Vec<i32>> { peak.families.iter().map(|family| family.indices().to_vec()).collect() },
        )
        .field("multiplicity", None, "Number of reflections.", |peak| peak.multiplicity() as usize)
}

fn wavelength() -> Parameter {
    let text =
        "A wavelength in Å, or the name of a line: Ka, Ka1, Ka2 or Kb1 of Cu, Mo, Cr, Fe, Co or Ag, such as `MoKa1`.";
    optional("wavelength", Kind::NumberOrName, Omitted::Text("CuKa"), text).parsed(line)
}

/// The wavelength that argument `k` gives, Å.
fn wavelength_of(row: Row, k: usize) -> Answer<f64> {
    Ok(line(row.text(k))?)
}

/// A number in Å, or the wavelength of a line.
fn line(text: &str) -> Result<f64, String> {
    text.parse().ok().or_else(|| features::wavelength(text)).ok_or_else(|| {
        let known: Vec<&str> = features::WAVELENGTHS.iter().map(|(name, _)| *name).collect();
        format!("no wavelength '{text}'; give a number in Å, or one of {}", known.join(", "))
    })
}
