//! The elemental reference energy of the ion, which every potential stands on.
//!
//! Total energies have no common zero: those of another functional, dispersion correction or pseudopotential are shifted by eVs.
//! A reference is therefore looked up by element and functional, and one that is missing, or that two sources state
//! differently, is refused by name. It is never replaced by another.

use crate::AdsorptionError;

/// Two sources that agree to this, eV/atom, state the same.
const SAME: f64 = 1e-6;

/// A reference energy that is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reference<'a> {
    /// Symbol of the element.
    pub ion: &'a str,
    /// How it was computed.
    pub functional: Option<&'a str>,
    /// Who computed it.
    pub source: &'a str,
    /// eV/atom.
    pub energy: f64,
}

/// The energy of `ion` by `functional`, eV/atom; where two sources differ, of the one whose name begins with `source`.
///
/// # Errors
/// None that fits, or several that differ: what is known instead, and the remedy.
pub fn reference_energy(
    known: &[Reference],
    ion: &str,
    functional: &str,
    source: Option<&str>,
) -> Result<f64, AdsorptionError> {
    let fail = |message: String| Err(AdsorptionError::Reference { ion: ion.to_owned(), message });
    let of_ion: Vec<_> = known.iter().filter(|r| r.ion == ion).collect();
    let by = |r: &&&Reference| r.functional.is_some_and(|f| f.eq_ignore_ascii_case(functional));
    let from = |r: &&&Reference| source.is_none_or(|source| r.source.starts_with(source));
    let fitting: Vec<_> = of_ion.iter().filter(by).filter(from).collect();
    let name = |r: &Reference| {
        format!("{} eV by {} ({})", r.energy, r.functional.unwrap_or("an unknown functional"), r.source)
    };
    let list = |found: &[String]| found.join(", ");
    match fitting.as_slice() {
        [first, rest @ ..] if rest.iter().all(|r| (r.energy - first.energy).abs() < SAME) => Ok(first.energy),
        [] => {
            let what = source.map_or_else(|| functional.to_owned(), |source| format!("{functional} from '{source}'"));
            let others: Vec<_> = of_ion.iter().map(|r| name(r)).collect();
            let others = if others.is_empty() { String::new() } else { format!(", only {}", list(&others)) };
            fail(format!(
                "none by {what}{others}; add one with INSERT INTO reference_energies (ion, energy, functional, source) VALUES \
                 ('{ion}', .., '{functional}', ..)"
            ))
        }
        several => {
            let several: Vec<_> = several.iter().map(|r| name(r)).collect();
            fail(format!("{}; say which by its source", list(&several)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [Reference; 3] = [
        Reference { ion: "Ca", functional: Some("PBE"), source: "Datta et al.", energy: -1.980 },
        Reference { ion: "Ca", functional: Some("PBE"), source: "here", energy: -2.00 },
        Reference { ion: "Al", functional: Some("PBE"), source: "Datta et al.", energy: -3.45 },
    ];

    #[test]
    fn one_that_fits_is_found_and_no_other_is_taken_for_it() {
        let of = |ion, functional, source| reference_energy(&KNOWN, ion, functional, source);
        assert_eq!(of("Al", "pbe", None).unwrap(), -3.45);
        assert_eq!(of("Ca", "PBE", Some("Datta")).unwrap(), -1.980);
        let message = of("Ca", "PBE", None).unwrap_err().to_string();
        assert!(
            message.contains("-1.98 eV") && message.contains("-2 eV") && message.contains("by its source"),
            "{message}"
        );
        let message = of("Al", "SCAN", None).unwrap_err().to_string();
        assert!(message.contains("none by SCAN, only -3.45 eV by PBE") && message.contains("INSERT INTO"), "{message}");
        assert!(of("Li", "PBE", None).unwrap_err().to_string().contains("reference energy of Li: none by PBE; add"));
        assert!(of("Al", "PBE", Some("here")).unwrap_err().to_string().contains("none by PBE from 'here'"));
    }
}
