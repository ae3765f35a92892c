//! The elemental reference energy of an ion.

use super::alike::{difference_of_metal, potcars};
use crystal::Element;
use formats::vasp::Run;

/// A stated energy of an element: a row of `reference_energies`.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// The element.
    pub ion: Element,
    /// eV/atom.
    pub energy: f64,
    /// Functional with its dispersion correction: `PBE`, `PBE-D3`.
    pub functional: String,
    /// Title of the pseudopotential, where it is stated.
    pub potential: Option<String>,
    /// Who states it.
    pub source: String,
}

/// What an ion's energy may be taken from.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct References {
    /// Stated energies.
    pub stated: Vec<Reference>,
    /// Whether only they count: calculations of metals are then passed over.
    pub stated_only: bool,
}

/// The reference of an ion for one crystal.
#[derive(Debug, PartialEq)]
pub(super) struct Energy {
    /// The calculation, where it is one.
    pub run: Option<usize>,
    /// eV/atom.
    pub per_atom: f64,
    /// What a reader must know.
    pub note: Option<String>,
}

/// The reference of `ion` for a crystal: a calculation of its metal among `runs`, else a stated energy.
///
/// # Errors
/// No reference, one that was computed otherwise, or several that contradict each other.
pub(super) fn of(runs: &[Run], references: &References, ion: Element, crystal: &Run) -> Result<Energy, String> {
    let runs = if references.stated_only { &[] } else { runs };
    let metals = || runs.iter().enumerate().filter(|(_, run)| run.structure.species().iter().all(|e| *e == ion));
    let per_atom = |run: &Run| run.energy / run.structure.len() as f64;
    let fault = |run: &Run| run.fault().or_else(|| difference_of_metal(run, crystal, ion));
    let sound = metals().filter(|(_, run)| fault(run).is_none());
    if let Some((k, run)) = sound.min_by(|(_, a), (_, b)| per_atom(a).total_cmp(&per_atom(b))) {
        return Ok(Energy { run: Some(k), per_atom: per_atom(run), note: None });
    }
    let reasons: Vec<String> = metals().filter_map(|(_, run)| Some(format!("{}: {}", run.name, fault(run)?))).collect();
    if !reasons.is_empty() {
        // A computed metal is meant to be used: a number from elsewhere would hide that it does not fit.
        return Err(format!("no reference energy of {ion} that fits ({})", reasons.join("; ")));
    }
    stated(&references.stated, ion, &crystal.settings.functional_without_u(), &potcars(&crystal.settings, ion))
}

fn stated(references: &[Reference], ion: Element, functional: &str, potential: &str) -> Result<Energy, String> {
    let of_ion = references.iter().filter(|r| r.ion == ion && r.functional == functional);
    let fitting: Vec<&Reference> = of_ion.filter(|r| r.potential.as_deref().is_none_or(|p| p == potential)).collect();
    // One that names its pseudopotential stands before one that does not.
    let named: Vec<&Reference> = fitting.iter().copied().filter(|r| r.potential.is_some()).collect();
    let best = if named.is_empty() { fitting } else { named };
    match best.as_slice() {
        [] => Err(format!(
            "no reference energy of {ion} for {functional} with {potential}: add a calculation of the metal with the same \
             settings, or a row to reference_energies"
        )),
        [first, others @ ..] if others.iter().all(|r| r.energy == first.energy) => {
            let unknown = if first.potential.is_none() { ", pseudopotential not stated" } else { "" };
            Ok(Energy { run: None, per_atom: first.energy, note: Some(format!("e_ion: {}{unknown}", first.source)) })
        }
        several => {
            let list: Vec<String> = several.iter().map(|r| format!("{} eV ({})", r.energy, r.source)).collect();
            Err(format!(
                "reference energies of {ion} for {functional} contradict each other: {}; choose one with --reference SOURCE",
                list.join(", ")
            ))
        }
    }
}
