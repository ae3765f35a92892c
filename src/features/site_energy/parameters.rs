//! The parameters of softBV, as `schema/elements/softbv.csv` and `softbv_radii.csv` have them.

use std::{collections::HashMap, sync::LazyLock};

use crate::{FeatureError, Ion};
use crystal::Element;

const PAIRS: &str = include_str!("../../../schema/elements/softbv.csv");
const RADII: &str = include_str!("../../../schema/elements/softbv_radii.csv");
/// Atomic numbers at which a period ends.
const NOBLE: [u8; 6] = [2, 10, 18, 36, 54, 86];

/// What a cation and an anion are to one another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Morse {
    /// Distance of least energy, Å.
    pub r_min: f64,
    /// Depth, eV.
    pub depth: f64,
    /// Steepness, 1/Å.
    pub alpha: f64,
}

/// A cation and an anion, each with its charge.
type Pair = (&'static str, i8, &'static str, i8);

static MORSE: LazyLock<HashMap<Pair, Morse>> = LazyLock::new(|| {
    let row = |line: &'static str| {
        let [cation, charge, anion, anion_charge, r_min, depth, alpha] =
            line.split(',').collect::<Vec<_>>().try_into().ok()?;
        let pair = (cation, charge.parse().ok()?, anion, anion_charge.parse().ok()?);
        Some((pair, Morse { r_min: r_min.parse().ok()?, depth: depth.parse().ok()?, alpha: alpha.parse().ok()? }))
    };
    PAIRS.lines().filter_map(row).collect()
});

static RADIUS: LazyLock<HashMap<&'static str, f64>> = LazyLock::new(|| {
    let row = |line: &'static str| line.split_once(',').and_then(|(symbol, r)| Some((symbol, r.parse().ok()?)));
    RADII.lines().filter_map(row).collect()
});

/// The attraction between `ion` and an anion.
///
/// # Errors
/// A pair that softBV does not list.
pub(super) fn morse(ion: &Ion, anion: Element, charge: i8) -> Result<Morse, FeatureError> {
    let pair = (ion.element.symbol(), ion.charge, anion.symbol(), charge);
    MORSE.get(&pair).copied().ok_or_else(|| {
        FeatureError::Undefined(format!(
            "softBV has no parameters for {}{:+} with {anion}{charge:+}; schema/elements/softbv.csv lists its pairs",
            pair.0, pair.1
        ))
    })
}

/// Radius of a cation in the repulsion, Å.
///
/// # Errors
/// An element that softBV lists no cation of.
pub(super) fn radius(element: Element) -> Result<f64, FeatureError> {
    RADIUS.get(element.symbol()).copied().ok_or(FeatureError::MissingElementData {
        element: element.symbol(),
        quantity: "radius as a cation",
        table: "softBV",
    })
}

/// Principal quantum number of the outermost shell: the period.
pub(super) fn shell(element: Element) -> f64 {
    1.0 + NOBLE.iter().filter(|&&z| z < element.z()).count() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_tables_is_read() {
        let data = |table: &str| table.lines().filter(|line| !line.starts_with('#')).count() - 1;
        assert_eq!((MORSE.len(), RADIUS.len()), (data(PAIRS), data(RADII)));
        let symbols = MORSE.keys().flat_map(|pair| [pair.0, pair.2]).chain(RADIUS.keys().copied());
        assert!(symbols.map(Element::from_symbol).all(|element| element.is_ok()));
        // Whatever moves repels too.
        assert!(MORSE.keys().all(|pair| RADIUS.contains_key(pair.0)));
    }

    #[test]
    fn shells_are_periods_and_depths_follow_from_them() {
        let of = |symbol| Element::from_symbol(symbol).unwrap();
        assert_eq!(
            ["H", "He", "Li", "Ne", "Na", "Fe", "Mo", "W", "U"].map(|e| shell(of(e))),
            [1.0, 1.0, 2.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
        );
        // D0 = 14.4 eV Å V_A V_X / (2 alpha² r_min sqrt(n_A n_X)) for s and p elements (Adams & Rao, Phys. Chem. Chem. Phys. 11
        // (2009) 3210): the table, the quantum numbers and the units belong together.
        for symbol in ["Li", "Na", "K", "Mg", "Ca", "Al"] {
            let ion = Ion::parse(symbol).unwrap();
            let Morse { r_min, depth, alpha } = morse(&ion, Element::O, -2).unwrap();
            let shells = (shell(ion.element) * shell(Element::O)).sqrt();
            let want = 14.4 * 2.0 * f64::from(ion.charge) / (2.0 * alpha * alpha * r_min * shells);
            assert!((depth / want - 1.0).abs() < 1e-3, "{symbol}: {depth} {want}");
        }
    }
}
