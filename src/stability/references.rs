//! Formation energies: what a compound gains over its elements.
//!
//! ```text
//! Ef = E - Σ xᵢ μᵢ    (eV/atom)
//! ```
//!
//! E is the energy per atom of the compound, xᵢ the fraction of element i and μᵢ the energy per atom of its ground state, computed as the
//! compound was: total energies of two functionals, or of two sets of pseudopotentials, have no common zero. So the references come in
//! sets, a way to compute each (`schema/elements/reference_energies.csv`, with the sources), and an element missing from a set is an error.
//! Corrected energies are measured from the elements' own, which the corrections leave as they are. An energy model has elements of its
//! own, on its card.

use std::{collections::BTreeMap, sync::LazyLock};

use crystal::{Composition, Element};

/// The elements as one way to compute has them.
#[derive(Debug)]
pub struct ElementalReferences {
    /// Name of the set.
    pub name: &'static str,
    /// Who computed it.
    pub source: &'static str,
    /// Energy, eV/atom, and the title of the pseudopotential where it is stated.
    elements: BTreeMap<Element, (f64, Option<&'static str>)>,
}

/// Sets by name, with who computed them.
const SETS: [(&str, &str); 4] = [
    ("MP-PBE", "Materials Project, 2023-02-07"),
    ("MatPES-PBE", "MatPES 2025.1"),
    ("MatPES-r2SCAN", "MatPES 2025.1"),
    ("JARVIS-OptB88vdW", "JARVIS-DFT"),
];
/// Schemes of corrections, and the set that each is for.
const SCHEMES: [(&str, &str); 1] = [("MP2020", "MP-PBE")];

static REFERENCES: LazyLock<Vec<ElementalReferences>> = LazyLock::new(|| {
    let file = "schema/elements/reference_energies.csv";
    let lines = || include_str!("../../schema/elements/reference_energies.csv").lines().filter(|l| !l.starts_with('#'));
    let of = |set: &str| {
        let rows = lines().filter_map(|line| line.strip_prefix(set)?.strip_prefix(','));
        rows.map(|row| read(row).unwrap_or_else(|| panic!("{file}: {row}"))).collect()
    };
    SETS.iter().map(|&(name, source)| ElementalReferences { name, source, elements: of(name) }).collect()
});

fn read(row: &'static str) -> Option<(Element, (f64, Option<&'static str>))> {
    let [symbol, energy, _, potcar] = row.split(',').collect::<Vec<_>>()[..] else { return None };
    Some((Element::from_symbol(symbol).ok()?, (energy.parse().ok()?, Some(potcar).filter(|title| !title.is_empty()))))
}

/// The elements that energies of `scheme` are measured from: a scheme of corrections (`MP2020`), or a set by its name.
pub fn elemental_references(scheme: &str) -> Option<&'static ElementalReferences> {
    let set = SCHEMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(scheme)).map_or(scheme, |(_, set)| set);
    REFERENCES.iter().find(|references| references.name.eq_ignore_ascii_case(set))
}

/// Every name that [`elemental_references`] knows, schemes first.
pub fn reference_schemes() -> impl Iterator<Item = &'static str> {
    SCHEMES.iter().chain(&SETS).map(|(name, _)| *name)
}

impl ElementalReferences {
    /// Energy of an element, eV/atom.
    ///
    /// # Errors
    /// One that the set lacks.
    pub fn energy(&self, element: Element) -> Result<f64, String> {
        self.elements.get(&element).map(|(energy, _)| *energy).ok_or_else(|| {
            format!(
                "{} has no elemental reference energy of {element}; use a set or an energy model that has one",
                self.name
            )
        })
    }

    /// The elements and their energies, eV/atom, by atomic number.
    pub fn iter(&self) -> impl Iterator<Item = (Element, f64)> {
        self.elements.iter().map(|(element, (energy, _))| (*element, *energy))
    }

    /// Whether `title` is the pseudopotential that the element was computed with, by its second word (`Fe_pv`): editions of other
    /// years count as the same, as in pymatgen. True where the set does not state its own.
    ///
    /// # Errors
    /// Another one.
    pub fn check_potcar(&self, element: Element, title: &str) -> Result<(), String> {
        let Some((_, Some(known))) = self.elements.get(&element) else { return Ok(()) };
        let word = |title: &'_ str| title.split_whitespace().nth(1).map(str::to_owned);
        if word(known) == word(title) {
            return Ok(());
        }
        Err(format!("pseudopotential '{title}' of {element}, where {} has '{known}'", self.name))
    }
}

/// Formation energy, eV/atom, of a compound of `energy_per_atom`, where `reference` is the energy of each element, eV/atom.
///
/// # Errors
/// Those of `reference`, an energy that is not finite, or a composition without atoms.
pub fn formation_energy(
    composition: &Composition,
    energy_per_atom: f64,
    reference: impl Fn(Element) -> Result<f64, String>,
) -> Result<f64, String> {
    if !energy_per_atom.is_finite() || composition.nelements() == 0 {
        return Err(format!("an energy of {energy_per_atom} eV/atom for '{}'", composition.reduced_formula()));
    }
    let elements = composition.iter().map(|(element, amount)| Ok(amount * reference(element)?));
    Ok(energy_per_atom - elements.sum::<Result<f64, String>>()? / composition.natoms())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(symbol: &str) -> Element {
        Element::from_symbol(symbol).unwrap()
    }

    #[test]
    fn sets_are_whole_and_each_has_its_own_zero() {
        for references in &*REFERENCES {
            assert_eq!(references.elements.len(), 89, "{}", references.name);
        }
        let energy =
            |scheme: &str, symbol: &str| elemental_references(scheme).unwrap().energy(element(symbol)).unwrap();
        assert_eq!(energy("MP2020", "Fe"), -8.470021);
        assert_eq!(energy("mp2020", "O"), energy("MP-PBE", "O"));
        // Another edition of pseudopotentials is a small shift, another functional is eVs.
        assert!((energy("MatPES-PBE", "Si") - energy("MP-PBE", "Si")).abs() < 0.05);
        assert!((energy("MatPES-r2SCAN", "Fe") - energy("MatPES-PBE", "Fe")).abs() > 5.0);
        assert!(energy("JARVIS-OptB88vdW", "Rb") > 1.0);
        assert!(elemental_references("SCAN").is_none());
        assert_eq!(reference_schemes().next(), Some("MP2020"));
        let lines = include_str!("../../schema/elements/reference_energies.csv").lines();
        let rows = lines.filter(|line| !line.starts_with(['#', 's'])).count();
        assert_eq!(rows, REFERENCES.iter().map(|set| set.elements.len()).sum::<usize>(), "a row of no set");
    }

    #[test]
    fn what_a_compound_gains_over_its_elements() {
        let composition = Composition::parse("TiO2").unwrap();
        let elements = |e: Element| Ok(if e == Element::O { -5.0 } else { -8.0 });
        let of = |energy| formation_energy(&composition, energy, elements);
        assert!((of(-9.0).unwrap() + 3.0).abs() < 1e-12);
        assert!(of(f64::NAN).unwrap_err().contains("NaN eV/atom for 'TiO2'"));
        let mp2020 = elemental_references("MP2020").unwrap();
        for (element, energy) in mp2020.iter() {
            let alone = Composition::from_elements(&[element]);
            assert_eq!(formation_energy(&alone, energy, |e| mp2020.energy(e)), Ok(0.0));
        }
        let lacks = formation_energy(&Composition::parse("RnF2").unwrap(), -1.0, |e| mp2020.energy(e)).unwrap_err();
        assert!(lacks.contains("MP-PBE has no elemental reference energy of Rn"), "{lacks}");
    }

    #[test]
    fn pseudopotentials_are_recognised_by_their_second_word() {
        let mp2020 = elemental_references("MP2020").unwrap();
        let check = |symbol, title| mp2020.check_potcar(element(symbol), title);
        assert!(check("Mn", "PAW_PBE Mn_pv 02Aug2007").is_ok());
        let wrong = check("Mn", "PAW_PBE Mn 06Sep2000").unwrap_err();
        assert!(wrong.contains("'PAW_PBE Mn 06Sep2000' of Mn, where MP-PBE has 'PAW_PBE Mn_pv"), "{wrong}");
        assert!(elemental_references("MatPES-PBE").unwrap().check_potcar(element("Mn"), "anything").is_ok());
    }
}
