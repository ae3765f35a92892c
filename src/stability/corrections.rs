//! Corrections of DFT energies, by which calculations with PBE and PBE + U get one zero: the MP2020 scheme of the Materials Project.
//!
//! PBE binds O₂ too strongly and anions too weakly, and a Hubbard U shifts the energy of a metal's d electrons by eVs. The scheme adds,
//! for each atom of a kind, a number fitted to measured formation enthalpies (A. Wang *et al.*, Sci. Rep. 11 (2021) 15496; the numbers
//! stand in `schema/elements/mp2020.csv`):
//!
//! 1. Elements get nothing.
//! 2. Oxygen by what it is ([`oxide_type`]); hydroxides as oxides. Sulfur, unless it is that of a sulfate ([`sulfide_type`]).
//! 3. Another anion where its oxidation state is -1 or lower; where it has none, or one that is not negative, if it is the most
//!    electronegative element.
//! 4. V, Cr, Mn, Fe, Co, Ni, Mo and W where O or F is the most electronegative element: there the scheme takes PBE + U with a U of its
//!    own (Jain *et al.*, Phys. Rev. B 84 (2011) 045115), everywhere else PBE. A calculation done otherwise has another zero and is
//!    refused.
//!
//! This is what pymatgen's `MaterialsProject2020Compatibility` does, but for the states: those it guesses from the composition by a
//! table of its own that changes with its version, and with it the correction. Here they come from [`neutral_states`], or from the caller,
//! and are part of the answer, to be stored with it.

use std::sync::LazyLock;

use super::anions::{OxideType, SulfideType, oxide_type, sulfide_type};
use crystal::{Composition, Element, Structure};
use features::neutral_states;

/// States above this, e, make no anion: suboxides and metal-rich compounds were not in the fit.
const ANION: f64 = -1.0;
/// Hubbard terms that agree to this, eV, are the same.
const SAME_U: f64 = 1e-6;

/// A scheme of corrections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// That of the Materials Project since 2020.
    Mp2020,
}

impl Scheme {
    /// Every scheme by its name, the usual one first.
    pub const NAMES: [(&'static str, Self); 1] = [("MP2020", Self::Mp2020)];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mp2020 => "MP2020",
        }
    }
}

/// How an energy was computed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Computed<'a> {
    /// PBE.
    Gga,
    /// PBE + U, with the scheme's own U wherever the scheme takes one.
    GgaU,
    /// PBE with these terms U - J, eV.
    Hubbard(&'a [(Element, f64)]),
}

impl Computed<'static> {
    /// What is not a list of terms, by the names of run types and of functionals.
    pub const NAMES: [(&'static str, Self); 4] =
        [("GGA", Self::Gga), ("GGA+U", Self::GgaU), ("PBE", Self::Gga), ("PBE+U", Self::GgaU)];
}

/// What is added for one kind of atom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// `oxide`, `peroxide`, ... for oxygen, else the element: an anion, or a metal with a Hubbard term.
    pub species: &'static str,
    /// Atoms in the cell.
    pub count: f64,
    /// eV per atom of the kind.
    pub per_atom: f64,
    /// Its standard deviation in the fit, eV.
    pub uncertainty: f64,
}

/// A correction, and all it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Correction {
    /// The scheme.
    pub scheme: Scheme,
    /// What is added to the energy, eV per atom of the cell.
    pub per_atom: f64,
    /// Its standard deviation, eV per atom of the cell, if the parts are independent.
    pub uncertainty: f64,
    /// What the oxygen is.
    pub oxide_type: Option<OxideType>,
    /// The oxidation states by which anions were recognised; empty for an element, and where no choice is neutral.
    pub states: Vec<(Element, f64)>,
    /// The sum in its parts.
    pub parts: Vec<Part>,
}

struct Entry {
    species: &'static str,
    correction: f64,
    uncertainty: f64,
    hubbard_u: Option<f64>,
}

/// The table: anions and metals.
static MP2020: LazyLock<[Vec<Entry>; 2]> = LazyLock::new(|| {
    let rows = include_str!("../../schema/elements/mp2020.csv").lines();
    let rows: Vec<(&str, Entry)> = rows
        .filter(|line| !line.starts_with(['#', 's']))
        .map(|line| read(line).unwrap_or_else(|| panic!("schema/elements/mp2020.csv: {line}")))
        .collect();
    let (anions, metals): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(scope, _)| *scope == "anion");
    [anions, metals].map(|rows| rows.into_iter().map(|(_, entry)| entry).collect())
});

fn read(line: &'static str) -> Option<(&'static str, Entry)> {
    let [scope, species, correction, uncertainty, u] = line.split(',').collect::<Vec<_>>()[..] else { return None };
    let (correction, uncertainty) = (correction.parse().ok()?, uncertainty.parse().ok()?);
    Some((scope, Entry { species, correction, uncertainty, hubbard_u: u.parse().ok() }))
}

/// What `scheme` adds to the energy of `structure`. `states`: the oxidation states, where they are known; else they are those of
/// [`neutral_states`].
///
/// # Errors
/// A Hubbard term other than the scheme's, or states of an element that is not in the crystal.
pub fn correction(
    scheme: Scheme,
    structure: &Structure,
    computed: Computed,
    states: Option<&[(Element, f64)]>,
) -> Result<Correction, String> {
    let Scheme::Mp2020 = scheme;
    let composition = structure.composition();
    if let Some((foreign, _)) = states.unwrap_or_default().iter().find(|(e, _)| composition.amount(*e) == 0.0) {
        return Err(format!("an oxidation state of {foreign}, which is not in {}", composition.reduced_formula()));
    }
    let nothing =
        Correction { scheme, per_atom: 0.0, uncertainty: 0.0, oxide_type: None, states: Vec::new(), parts: Vec::new() };
    if composition.nelements() < 2 {
        return Ok(nothing);
    }
    let oxide_type = oxide_type(structure);
    let states = states.map_or_else(|| neutral_states(&composition).unwrap_or_default(), <[_]>::to_vec);
    let [anions, metals] = &*MP2020;
    let mut parts = Vec::new();
    let mut add = |entry: &Entry, count: f64| {
        parts.push(Part { species: entry.species, count, per_atom: entry.correction, uncertainty: entry.uncertainty });
    };
    let oxygen = oxide_type.map(|kind| match kind {
        OxideType::Hydroxide => OxideType::Oxide.name(),
        other => other.name(),
    });
    let sulfur = sulfide_type(structure).is_some_and(|kind| kind != SulfideType::Sulfate);
    let last = most_electronegative(&composition);
    for entry in anions {
        let element = Element::from_symbol(entry.species).ok();
        let count = element.map_or(composition.amount(Element::O), |e| composition.amount(e));
        let applies = match element {
            None => oxygen == Some(entry.species),
            Some(Element::S) => sulfur,
            Some(element) => count > 0.0 && is_anion(element, &states, last),
        };
        if applies {
            add(entry, count);
        }
    }
    let in_salt = matches!(last, Some(Element::O | Element::F));
    for (element, count) in composition.iter() {
        let metal = metals.iter().find(|entry| in_salt && entry.species == element.symbol());
        let wanted = metal.and_then(|entry| entry.hubbard_u).unwrap_or(0.0);
        check_u(element, wanted, computed)?;
        if let Some(entry) = metal {
            add(entry, count);
        }
    }
    let atoms = composition.natoms();
    let per_atom = parts.iter().map(|part| part.count * part.per_atom).sum::<f64>() / atoms;
    let variance: f64 = parts.iter().map(|part| (part.count * part.uncertainty).powi(2)).sum();
    Ok(Correction { per_atom, uncertainty: variance.sqrt() / atoms, oxide_type, states, parts, ..nothing })
}

/// The most electronegative element, of those whose electronegativity is published. Of equals (Si and Cu, H and Pd) it is the last by
/// symbol: pymatgen takes the last by the order of the sites, which is the same in crystals that it has sorted.
fn most_electronegative(composition: &Composition) -> Option<Element> {
    let pull = |(element, _): (Element, f64)| Some((element, element.electronegativity()?));
    let harder = |(a, x): &(Element, f64), (b, y): &(Element, f64)| x.total_cmp(y).then(a.symbol().cmp(b.symbol()));
    composition.iter().filter_map(pull).max_by(harder).map(|(element, _)| element)
}

fn is_anion(element: Element, states: &[(Element, f64)], most_electronegative: Option<Element>) -> bool {
    let state = states.iter().find(|(e, _)| *e == element).map_or(0.0, |(_, state)| *state);
    if state < 0.0 { state <= ANION } else { most_electronegative == Some(element) }
}

/// Whether an element was computed with the required Hubbard term, eV.
fn check_u(element: Element, wanted: f64, computed: Computed) -> Result<(), String> {
    let found = match computed {
        Computed::GgaU => return Ok(()),
        Computed::Gga => 0.0,
        Computed::Hubbard(terms) => terms.iter().find(|(e, _)| *e == element).map_or(0.0, |(_, u)| *u),
    };
    if (found - wanted).abs() < SAME_U {
        return Ok(());
    }
    Err(match wanted {
        0.0 => format!("U = {found} eV on {element}, where MP2020 takes PBE; compute it without, or leave it out"),
        _ if found == 0.0 => {
            format!("MP2020 takes {element} of an oxide or fluoride from PBE + U with U = {wanted} eV; this is PBE")
        }
        _ => format!("U = {found} eV on {element}, where MP2020 takes {wanted} eV"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::Lattice;

    fn element(symbol: &str) -> Element {
        Element::from_symbol(symbol).unwrap()
    }

    /// Atoms 4 Å apart: no bonds at all, so that the composition alone matters.
    fn sparse(formula: &str) -> Structure {
        let composition = Composition::parse(formula).unwrap();
        let species: Vec<Element> = composition.iter().flat_map(|(e, n)| vec![e; n as usize]).collect();
        let n = species.len() as f64;
        let lattice = Lattice::from_parameters(4.0 * n, 20.0, 20.0, 90.0, 90.0, 90.0).unwrap();
        let coords = (0..species.len()).map(|i| [i as f64 / n, 0.0, 0.0]).collect();
        Structure::new(lattice, species, coords).unwrap()
    }

    fn of(formula: &str, computed: Computed) -> Result<Correction, String> {
        correction(Scheme::Mp2020, &sparse(formula), computed, None)
    }

    #[test]
    fn the_table_is_the_schemes() {
        let [anions, metals] = &*MP2020;
        assert_eq!((anions.len(), metals.len()), (15, 8));
        assert!(metals.iter().all(|metal| metal.hubbard_u.is_some()));
    }

    /// Sums by hand of the table's numbers.
    #[test]
    fn corrections_by_hand() {
        let total = |formula: &str| of(formula, Computed::GgaU).unwrap().per_atom;
        assert!((total("TiO2") + 2.0 * 0.687 / 3.0).abs() < 1e-12);
        assert!((total("Fe2O3") + (3.0 * 0.687 + 2.0 * 2.256) / 5.0).abs() < 1e-12);
        assert!((total("LiFePO4") + (4.0 * 0.687 + 2.256) / 7.0).abs() < 1e-12);
        assert!((total("NaCl") + 0.614 / 2.0).abs() < 1e-12);
        assert!((total("BiOCl") + (0.687 + 0.614) / 3.0).abs() < 1e-12);
        assert!((total("WO3") + (3.0 * 0.687 + 4.438) / 4.0).abs() < 1e-12);
        assert!((total("VF3") + (3.0 * 0.462 + 1.7) / 4.0).abs() < 1e-12);
        // No U in a sulfide, nothing for elements and alloys, and hydrogen is an anion in a hydride only.
        assert!((total("FeS") + 0.503 / 2.0).abs() < 1e-12);
        assert!((total("NaH") + 0.179 / 2.0).abs() < 1e-12);
        assert_eq!((total("Fe"), total("O2"), total("TiAl"), total("Ni3Al")), (0.0, 0.0, 0.0, 0.0));
        assert!((total("Mg2Si") - 0.071 / 3.0).abs() < 1e-12);
        assert!((total("H2O") + 0.687 / 3.0).abs() < 1e-12);
        // Of equally electronegative elements the last by symbol.
        assert!((total("Y2Cu3Si") - 0.071 / 6.0).abs() < 1e-12);
        assert_eq!(total("PdH"), 0.0);
    }

    #[test]
    fn the_answer_says_what_it_rests_on() {
        let found = of("Fe3O4", Computed::Hubbard(&[(element("Fe"), 5.3)])).unwrap();
        assert_eq!(found.oxide_type, Some(OxideType::Oxide));
        assert!(found.states.iter().any(|&(e, q)| e == element("Fe") && (q - 8.0 / 3.0).abs() < 1e-12));
        let parts: Vec<_> = found.parts.iter().map(|p| (p.species, p.count, p.per_atom)).collect();
        assert_eq!(parts, [("oxide", 4.0, -0.687), ("Fe", 3.0, -2.256)]);
        let (oxygen, iron): (f64, f64) = (4.0 * 0.002, 3.0 * 0.0101);
        assert!((found.uncertainty - oxygen.hypot(iron) / 7.0).abs() < 1e-15);
    }

    #[test]
    fn another_hubbard_term_is_refused() {
        let refused = |formula: &str, computed: Computed| of(formula, computed).unwrap_err();
        let iron = element("Fe");
        assert!(refused("Fe2O3", Computed::Gga).contains("PBE + U with U = 5.3 eV; this is PBE"));
        assert!(refused("Fe2O3", Computed::Hubbard(&[(iron, 4.0)])).contains("U = 4 eV on Fe, where MP2020 takes 5.3"));
        assert!(refused("FeS", Computed::Hubbard(&[(iron, 5.3)])).contains("where MP2020 takes PBE"));
        assert!(of("FeS", Computed::Gga).is_ok() && of("TiO2", Computed::Gga).is_ok());
    }

    #[test]
    fn states_that_are_given_go_first() {
        let of = |states: &[(Element, f64)]| {
            correction(Scheme::Mp2020, &sparse("NaSbSe2"), Computed::Gga, Some(states)).map(|c| c.per_atom)
        };
        let (sodium, antimony, selenium) = (element("Na"), element("Sb"), element("Se"));
        let usual = -0.472 * 2.0 / 4.0;
        assert!((of(&[(sodium, 1.0), (antimony, 3.0), (selenium, -2.0)]).unwrap() - usual).abs() < 1e-12);
        // Both anions.
        let both = of(&[(sodium, 1.0), (antimony, -3.0), (selenium, -2.0)]).unwrap();
        assert!((both - (usual - 0.192 / 4.0)).abs() < 1e-12);
        // Between 0 and -1 it is no anion, whether or not it is the most electronegative.
        assert_eq!(of(&[(selenium, -0.5)]).unwrap(), 0.0);
        // Without states the most electronegative is the anion.
        assert!((of(&[]).unwrap() - usual).abs() < 1e-12);
        assert!(of(&[(element("K"), 1.0)]).unwrap_err().contains("K, which is not in"));
    }
}
