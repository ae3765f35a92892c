//! The correction of a calculation's energy and the formation energy that follows, as they stand in its row.
//!
//! They are written once, when the calculation comes in, with the scheme, its parts and the oxidation states: a later version of the
//! program, with other tables, leaves them as they are.

use serde::Serialize;

use crystal::Element;
use formats::vasp::Run;
use stability::{Computed, OxideType, Scheme, correction, elemental_references, formation_energy};

/// The last columns of `dft_runs`, explained in `schema/lake.sql`.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub(super) struct Corrected {
    correction_per_atom: Option<f64>,
    correction_scheme: Option<&'static str>,
    correction_parts: Option<Vec<Part>>,
    oxide_type: Option<&'static str>,
    oxidation_states: Option<Vec<State>>,
    corrected_energy: Option<f64>,
    formation_energy_per_atom: Option<f64>,
    correction_note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Part {
    species: &'static str,
    count: f64,
    per_atom: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct State {
    element: &'static str,
    state: f64,
}

impl Corrected {
    /// By the scheme of the Materials Project, where the calculation is one of its kind; else a note why not.
    pub(super) fn of(run: &Run) -> Self {
        Self::by(Scheme::Mp2020, run).unwrap_or_else(|note| Self { correction_note: Some(note), ..Self::default() })
    }

    fn by(scheme: Scheme, run: &Run) -> Result<Self, String> {
        let settings = &run.settings;
        let known = elemental_references(scheme.name()).ok_or_else(|| format!("no elements of {}", scheme.name()))?;
        if settings.functional_without_u() != "PBE" {
            return Err(format!("{} is for PBE and PBE + U; this is {}", scheme.name(), settings.functional));
        }
        if settings.charge() != 0.0 {
            return Err(format!("the cell has a charge of {} e", settings.charge()));
        }
        for kind in &settings.species {
            known.check_potcar(kind.element, &kind.potcar)?;
        }
        let terms: Vec<(Element, f64)> = settings.hubbard.iter().map(|term| (term.element, term.u - term.j)).collect();
        let found = correction(scheme, &run.structure, Computed::Hubbard(&terms), None)?;
        let atoms = run.structure.len() as f64;
        let corrected = run.energy + found.per_atom * atoms;
        let composition = run.structure.composition();
        let formation = formation_energy(&composition, corrected / atoms, |element| known.energy(element));
        let part = |p: &stability::CorrectionPart| Part { species: p.species, count: p.count, per_atom: p.per_atom };
        let state = |&(element, state): &(Element, f64)| State { element: element.symbol(), state };
        Ok(Self {
            correction_per_atom: Some(found.per_atom),
            correction_scheme: Some(found.scheme.name()),
            correction_parts: Some(found.parts.iter().map(part).collect()),
            oxide_type: found.oxide_type.map(OxideType::name),
            oxidation_states: Some(found.states.iter().map(state).collect()),
            corrected_energy: Some(corrected),
            correction_note: formation.as_ref().err().cloned(),
            formation_energy_per_atom: formation.ok(),
        })
    }
}
