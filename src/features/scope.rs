//! Which crystals the table `tmo` holds, and the names of its classes.
//!
//! A transition-metal oxide here has 2 to 6 elements, among them oxygen and at least one of [`TRANSITION_METALS`]: the
//! metals of the seed paper's query, and five that it omits although their oxides matter (Mo, Re, Rh, Os, Tc).

use crystal::{Composition, Element};

/// Symbols of the transition metals whose oxides belong to `tmo`.
#[rustfmt::skip]
pub const TRANSITION_METALS: [&str; 29] = [
    "Ti", "Nb", "W", "Cu", "Fe", "V", "Ni", "Mn", "Co", "Cr", "Zn", "Sc", "Pd", "Ru", "Pt", "Au", "Hf", "Ir", "Ag", "Ta",
    "Y", "Zr", "Hg", "Cd", // the paper's
    "Mo", "Re", "Rh", "Os", "Tc", // ours
];

/// Whether a composition belongs to `tmo`.
///
/// # Errors
/// Why not, as a reason for the quarantine.
pub fn is_transition_metal_oxide(composition: &Composition) -> Result<(), String> {
    let formula = composition.reduced_formula();
    let n = composition.nelements();
    if composition.amount(Element::O) == 0.0 {
        return Err(format!(
            "{formula} contains no oxygen; `tmo` holds oxides (another table has no such limit: --into NAME)"
        ));
    }
    if !(2..=6).contains(&n) {
        return Err(format!(
            "{formula} has {n} elements; `tmo` holds oxides of 2 to 6 (another table has no such limit: --into NAME)"
        ));
    }
    if !composition.iter().any(|(e, _)| TRANSITION_METALS.contains(&e.symbol())) {
        return Err(format!(
            "{formula} contains none of {} (another table has no such limit: --into NAME)",
            TRANSITION_METALS.join(", ")
        ));
    }
    Ok(())
}

/// `unary`, `binary`, `ternary`, `quaternary`, `quinary`, `senary`; the number itself beyond six, as in `7-ary`.
pub fn class_name(nelements: usize) -> String {
    const NAMES: [&str; 6] = ["unary", "binary", "ternary", "quaternary", "quinary", "senary"];
    nelements.checked_sub(1).and_then(|i| NAMES.get(i)).map_or_else(|| format!("{nelements}-ary"), |s| (*s).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(formula: &str) -> Result<(), String> {
        is_transition_metal_oxide(&Composition::parse(formula).unwrap())
    }

    #[test]
    fn scope_of_tmo() {
        for formula in ["TiO2", "MoO3", "LiCoO2", "Mo3VO14", "KNaCaTiSiO6", "La2ReO5"] {
            assert_eq!(verdict(formula), Ok(()), "{formula}");
        }
        for (formula, why) in [
            ("TiS2", "no oxygen"),
            ("MgO", "none of Ti"),
            ("O2", "1 elements"),
            ("LiNaKRbCsTiO5", "7 elements"),
            ("La2O3", "none of Ti"),
        ] {
            let message = verdict(formula).unwrap_err();
            assert!(message.contains(why), "{formula}: {message}");
        }
    }

    #[test]
    fn every_listed_metal_is_an_element() {
        assert!(TRANSITION_METALS.iter().all(|s| Element::from_symbol(s).is_ok()));
    }

    #[test]
    fn names_of_classes() {
        assert_eq!([1, 2, 6, 7].map(class_name), ["unary", "binary", "senary", "7-ary"]);
    }
}
