//! Shannon radii need an oxidation state and a coordination; a bare structure states neither. The convention here is
//! one state per element and one coordination per ion, a function of the composition alone:
//!
//! 1. Every element takes one of the states of `schema/elements/oxidation.csv`; oxygen is always -2.
//! 2. Among all choices the one whose total charge is nearest to zero wins, then the one made of the commoner states.
//!    In a mixed-valence compound (Fe3O4) a residual charge is left over: Fe is +3 there.
//! 3. O2- takes its radius in threefold coordination, 1.36 Å, the commonest in transition-metal oxides. Every other ion
//!    takes sixfold, save cations larger than 1.16 Å there (K, Rb, Cs, Sr, Ba, Tl, Pb2+), which fill twelvefold cages
//!    as in perovskite. Where that is not tabulated, the nearest charge and coordination; high spin where spin matters.
//!
//! Inexact for a single site, but the same for every crystal: good for comparing crystals.

use std::{collections::HashMap, sync::LazyLock};

use crate::FeatureError;
use crystal::{Composition, Element};

const OXIDATION: &str = include_str!("../../schema/elements/oxidation.csv");

/// A cation larger than this in sixfold coordination, Å, is given its twelvefold radius.
const LARGE: f64 = 1.16;

static STATES: LazyLock<HashMap<&'static str, Vec<i8>>> = LazyLock::new(|| {
    let rows = OXIDATION.lines().filter(|l| !l.starts_with('#')).skip(1).filter_map(|l| l.split_once(','));
    rows.map(|(symbol, states)| (symbol, states.split(' ').filter_map(|s| s.parse().ok()).collect())).collect()
});

/// The rank of the state of each element in choice number `choice`, in mixed radix. An element, its amount, its states.
pub(super) fn ranks(elements: &[(Element, f64, &[i8])], mut choice: usize) -> impl Iterator<Item = usize> {
    elements.iter().map(move |(_, _, states)| {
        let rank = choice % states.len();
        choice /= states.len();
        rank
    })
}

/// Oxidation states of an element, the commonest first; none where the table has none.
pub fn states(element: Element) -> &'static [i8] {
    STATES.get(element.symbol()).map_or(&[], Vec::as_slice)
}

/// The oxidation state of each element of `composition` that has one in the table, in the composition's order.
pub fn oxidation_states(composition: &Composition) -> Vec<(Element, i8)> {
    let elements: Vec<(Element, f64, &[i8])> = composition
        .iter()
        .filter_map(|(e, amount)| STATES.get(e.symbol()).map(|states| (e, amount, states.as_slice())))
        .collect();
    let choices: usize = elements.iter().map(|(_, _, states)| states.len()).product();
    let ranks = |choice| ranks(&elements, choice);
    let badness = |choice: usize| {
        let charge: f64 = elements.iter().zip(ranks(choice)).map(|((_, n, states), r)| n * f64::from(states[r])).sum();
        (charge.abs(), ranks(choice).sum::<usize>())
    };
    let best = (0..choices).map(|c| (badness(c), c)).min_by(|((a, i), _), ((b, j), _)| {
        // Amounts may be fractions: charges equal to a millionth are equal.
        if (a - b).abs() > 1e-6 { a.total_cmp(b) } else { i.cmp(j) }
    });
    let best = best.map_or(0, |(_, choice)| choice);
    elements.iter().zip(ranks(best)).map(|(&(e, _, states), rank)| (e, states[rank])).collect()
}

/// Shannon's effective ionic radius of an ion by this file's convention, Å. `None` where Shannon lists no ion of the
/// element with a charge of that sign. H+ and N5+, whose radii Shannon gives as negative, count as points.
pub fn ionic_radius(element: Element, charge: i8) -> Option<f64> {
    if element == Element::O {
        return radius_at(element, charge, 3);
    }
    let sixfold = radius_at(element, charge, 6)?;
    if charge > 0 && sixfold > LARGE { radius_at(element, charge, 12) } else { Some(sixfold) }
}

/// Shannon's effective ionic radius of a cation in sixfold coordination, Å, or in the nearest that is tabulated: for comparing ions that
/// substitute for each other, since the site keeps its coordination. `None` where Shannon lists no cation of the element.
pub fn cation_radius(element: Element, charge: i8) -> Option<f64> {
    if charge > 0 { radius_at(element, charge, 6) } else { None }
}

/// [`cation_radius`] in every charge from the least positive state of an element to its highest, since an average state lies between
/// them.
pub fn cation_radii(element: Element) -> impl Iterator<Item = f64> {
    let positive = || states(element).iter().copied().filter(|q| *q > 0);
    let charges = positive().min().zip(positive().max()).into_iter().flat_map(|(least, most)| least..=most);
    charges.filter_map(move |charge| cation_radius(element, charge))
}

/// Radius of the ion in the tabulated coordination nearest to `usual`, at the nearest tabulated charge of its sign, Å.
fn radius_at(element: Element, charge: i8, usual: u8) -> Option<f64> {
    let same_sign = element.shannon_radii().iter().filter(|r| r.charge.signum() == charge.signum());
    let nearest = same_sign.min_by_key(|r| {
        let coordination = coordination_number(r.coordination).abs_diff(usual);
        // Plain IV before IVSQ, III before IIIPY; high spin before low.
        (r.charge.abs_diff(charge), coordination, r.coordination.len(), r.spin == "Low Spin")
    });
    nearest.map(|r| r.ionic.max(0.0))
}

/// Radius of a probe, Å: a number, or that of an [`Ion`]. Li 0.76, Ca 1.00, Al 0.535.
///
/// # Errors
/// Text that is neither, or an ion that Shannon does not list.
pub fn probe_radius(text: &str) -> Result<f64, FeatureError> {
    let text = text.trim();
    let wrong = |why| format!("'{text}' is not a probe: {why}; give a radius in Å or an ion such as Li, Ca2+ or Al");
    text.parse().or_else(|_| read_ion(text).map(|ion| ion.radius).map_err(|why| FeatureError::Argument(wrong(why))))
}

/// A single ion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ion {
    /// Its element.
    pub element: Element,
    /// Oxidation state, e.
    pub charge: i8,
    /// Shannon's effective ionic radius in sixfold coordination, Å.
    pub radius: f64,
}

impl Ion {
    /// Reads `Ca`, `Ca2+` or `Ca+2`, which are the same ion: without a charge the element takes its commonest state.
    ///
    /// # Errors
    /// Text that is no ion, or an ion that Shannon does not list.
    pub fn parse(text: &str) -> Result<Self, FeatureError> {
        let text = text.trim();
        let wrong = |why| format!("'{text}' is not an ion: {why}; give one such as Li, Ca2+ or Al");
        read_ion(text).map_err(|why| FeatureError::Argument(wrong(why)))
    }
}

fn read_ion(text: &str) -> Result<Ion, &'static str> {
    let (symbol, charge) = text.split_at(text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len()));
    let element = Element::from_symbol(symbol).map_err(|_| "it names no element")?;
    let charge = match charge {
        "" => STATES.get(element.symbol()).and_then(|states| states.first().copied()),
        "+" => Some(1),
        "-" => Some(-1),
        _ => {
            let sign = if charge.contains('-') { -1 } else { 1 };
            charge.trim_matches(['+', '-']).parse::<i8>().ok().map(|q| sign * q)
        }
    };
    let charge = charge.ok_or("its charge cannot be read")?;
    let radius = radius_at(element, charge, 6).ok_or("Shannon lists no such ion")?;
    Ok(Ion { element, charge, radius })
}

/// `VI` -> 6, `IVSQ` -> 4, `IIIPY` -> 3: the Roman numeral a coordination starts with.
fn coordination_number(coordination: &str) -> u8 {
    let numeral = coordination.trim_end_matches(|c| !matches!(c, 'I' | 'V' | 'X'));
    let value = |c| match c {
        'X' => 10,
        'V' => 5,
        _ => 1u8,
    };
    let digits: Vec<u8> = numeral.chars().map(value).collect();
    let (mut sum, mut negative) = (0u8, 0u8);
    for (i, &d) in digits.iter().enumerate() {
        if digits.get(i + 1).is_some_and(|&next| next > d) { negative += d } else { sum += d }
    }
    sum - negative
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(formula: &str) -> String {
        let states = oxidation_states(&Composition::parse(formula).unwrap());
        let mut words: Vec<String> = states.iter().map(|(e, q)| format!("{e}{q:+}")).collect();
        words.sort();
        words.join(" ")
    }

    #[test]
    fn states_that_a_chemist_would_write() {
        for (formula, want) in [
            ("TiO2", "O-2 Ti+4"),
            ("V2O5", "O-2 V+5"),
            ("MoO3", "Mo+6 O-2"),
            ("LiCoO2", "Co+3 Li+1 O-2"),
            ("LiFePO4", "Fe+2 Li+1 O-2 P+5"),
            ("CuFe2O4", "Cu+2 Fe+3 O-2"),
            ("Nb2WO8", "Nb+5 O-2 W+6"),
            ("La2O2S", "La+3 O-2 S-2"),
            ("FeSO4", "Fe+2 O-2 S+6"),
            ("SrTiO3", "O-2 Sr+2 Ti+4"),
            ("Fe3O4", "Fe+3 O-2"),
            ("K2Mn8O16", "K+1 Mn+4 O-2"),
        ] {
            assert_eq!(states(formula), want, "{formula}");
        }
    }

    #[test]
    fn radii_of_shannon() {
        let radius = |symbol, charge| ionic_radius(Element::from_symbol(symbol).unwrap(), charge);
        for (symbol, charge, want) in [
            ("O", -2, 1.36),
            ("Ti", 4, 0.605),
            ("V", 5, 0.54),
            ("Mn", 4, 0.53),
            ("Mo", 6, 0.59),
            ("W", 6, 0.60),
            ("Fe", 2, 0.78), // high spin
            ("Ag", 1, 1.15),
            ("Sr", 2, 1.44), // twelvefold
            ("K", 1, 1.64),
            ("Mn", 6, 0.255), // fourfold only
            ("H", 1, 0.0),
        ] {
            assert_eq!(radius(symbol, charge), Some(want), "{symbol}{charge:+}");
        }
        assert_eq!(radius("Kr", 2), None);
        assert_eq!(radius("Ti", -2), None);
    }

    #[test]
    fn a_cation_has_a_radius_in_every_state() {
        let radii = |symbol| cation_radii(Element::from_symbol(symbol).unwrap()).collect::<Vec<_>>();
        assert_eq!(radii("Ca"), [1.00]);
        let iron = radii("Fe");
        assert!(iron.contains(&0.78) && iron.contains(&0.645), "{iron:?}");
        assert!(radii("Ar").is_empty());
        // Twelvefold it would be 1.44 Å, which cannot be compared with what it replaces.
        assert_eq!(radii("Sr"), [1.18]);
    }

    #[test]
    fn coordinations_of_the_table_are_numbers() {
        for (text, number) in [("VI", 6), ("IVSQ", 4), ("IIIPY", 3), ("XIV", 14), ("IX", 9), ("II", 2)] {
            assert_eq!(coordination_number(text), number, "{text}");
        }
    }

    #[test]
    fn a_probe_is_a_radius_or_an_ion() {
        for (text, want) in [
            ("0.5", 0.5),
            ("Li", 0.76),
            ("Ca", 1.00),
            (" Al ", 0.535),
            ("Al3+", 0.535),
            ("K+", 1.38),
            ("Ca+2", 1.00),
            ("V4+", 0.58),
            ("O2-", 1.40),
            ("Mg", 0.72),
        ] {
            assert_eq!(probe_radius(text), Ok(want), "{text}");
        }
        let ion = Ion::parse("Al").unwrap();
        assert_eq!((ion.element.symbol(), ion.charge, ion.radius), ("Al", 3, 0.535));
        assert!(Ion::parse("0.5").unwrap_err().to_string().contains("is not an ion"));
        for text in ["", "Xx", "calcium", "Ca++", "He", "Li-1"] {
            let message = probe_radius(text).unwrap_err().to_string();
            assert!(message.contains("is not a probe"), "{message}");
        }
    }
}
