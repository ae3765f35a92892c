//! Thermodynamic stability: formation energies, corrections, the convex hull of a phase diagram, substitution.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_datafusion_err, exec_err, plan_datafusion_err};

use super::arguments::{choice, composition, named, reason, structure};
use super::composition::{collected, state_columns};
use super::ions::stated;
use super::kernel::{Answer, Arguments, Columns, Context, Row, crystals, crystals_as, in_session};
use super::kernel::{lists_of, rows, structs, values};
use super::{Function, Kind, Omitted, Parameter, number, optional, required};
use crate::cost::Cost;
use crate::environment::Environment;
use adsorption::{self, Reference};
use crystal::{Composition, Element};
use features::Ion;
use models::ModelPotential;
use stability::{
    self, Computed, Correction, CorrectionPart, ElementalReferences, OxideType, Part, PhaseDiagram, Scheme,
    elemental_references, formation_energy, reference_schemes,
};
use store::ReferenceEnergy;

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function {
            name: "conversion_voltage",
            text: "Voltage, against the metal, at which a host reacts with ions to the stable phases of a phase diagram \
                   instead of taking them up: what insertion competes with. Calcium and an oxide may give CaO and a \
                   lower oxide. It is never below the voltage of insertion into a phase on or above the hull, and their \
                   difference is what the filled host gains by falling apart, per charge.",
            parameters: vec![
                diagram(),
                formula(),
                ef(),
                required("ion", Kind::Text, "An ion such as 'Ca' or 'Al3+'; without a charge, the most common one.")
                    .parsed(Ion::parse),
                required("n", Kind::Number, "Number of ions per formula as it is written."),
            ],
            unit: Some("V"),
            example: "SELECT id, conversion_voltage((SELECT phase_diagram(formula, formation_energy_per_atom) FROM sample), \
                      formula, formation_energy_per_atom, 'Li', 1) FROM sample",
            kernel: rows(Cost::Crystal, values(), |arguments| {
                phases(arguments, |row, diagram, composition, ef| {
                    let ion = Ion::parse(row.text(3)).map_err(reason)?;
                    stability::conversion_voltage(diagram, composition, ef, (ion.element, ion.charge), row.number(4))
                })
            }),
        },
        Function {
            name: "decomposition",
            text: "Phases of the convex hull into which a composition decomposes, largest fraction first. A phase on \
                   the hull is its own decomposition.",
            parameters: vec![diagram(), formula()],
            unit: None,
            example: "SELECT id, decomposition((SELECT phase_diagram(formula, formation_energy_per_atom) FROM sample), \
                      formula) FROM sample",
            kernel: rows(Cost::Crystal, lists_of(part_columns()), |arguments| {
                let diagrams = Diagrams::of(arguments)?;
                Ok(arguments.rows(|i| {
                    let (diagram, composition) = diagrams.row(i)?;
                    Some(composition.and_then(|composition| diagram.decomposition(&composition)).map_err(Into::into))
                }))
            }),
        },
        Function {
            name: "e_above_hull",
            text: "Energy above the convex hull of a phase diagram: what the phase gains by decomposing into the \
                   phases of the hull. It is 0 on the hull, and negative for a phase that is not in the diagram and \
                   would be stable. If diagram and call name different schemes, the query fails.",
            parameters: vec![
                diagram(),
                formula(),
                ef(),
                optional(
                    "scheme",
                    Kind::Text,
                    Omitted::Means("not compared"),
                    "Functional and correction scheme of the energy.",
                ),
            ],
            unit: Some("eV/atom"),
            example: "SELECT id, e_above_hull((SELECT phase_diagram(formula, formation_energy_per_atom) FROM sample), \
                      formula, formation_energy_per_atom) FROM sample",
            kernel: rows(Cost::Crystal, values(), |arguments| {
                one_scheme(arguments)?;
                phases(arguments, |_, diagram, composition, ef| diagram.e_above_hull(composition, ef))
            }),
        },
        Function {
            name: "energy_correction",
            text: "What a correction scheme adds to the DFT energy of a crystal, so that PBE and PBE+U energies \
                   share a reference. Keep all of it beside the raw energy. NULL if the scheme requires PBE+U and \
                   the energy is PBE. U values and pseudopotentials are those of the Materials Project; `import-dft` \
                   checks them.",
            parameters: vec![
                structure(),
                required(
                    "run_type",
                    Kind::Text,
                    "How the energy was computed: 'GGA' or 'GGA+U' (also 'PBE', 'PBE+U').",
                )
                .parsed(|name| named(name, &Computed::NAMES)),
                choice("scheme", &Scheme::NAMES, "The scheme: MP2020 of the Materials Project (Wang et al. 2021)."),
                optional(
                    "states",
                    Kind::Text,
                    Omitted::Means("those of oxidation_states(structure)"),
                    "Oxidation states to use, such as 'Na+1 Sb+3 Se-2'.",
                ),
            ],
            unit: None,
            example: "SELECT id, energy_correction(structure, 'GGA+U')['correction'] AS correction FROM tmo",
            kernel: crystals_as(Cost::Crystal, structs(correction_columns()), |row, s| {
                let states = (!row.omits(3)).then(|| read_states(row.text(3))).transpose()?;
                let computed = named(row.text(1), &Computed::NAMES)?;
                Ok(stability::correction(named(row.text(2), &Scheme::NAMES)?, s, computed, states.as_deref())?)
            }),
        },
        Function {
            name: "formation_energy",
            text: "Formation energy: a total energy minus the elemental reference energies, computed the same way. \
                   The scheme says how: 'MP2020' for PBE and PBE+U energies with the corrections of \
                   energy_correction, 'MP-PBE' for plain PBE of the Materials Project, 'MatPES-PBE', 'MatPES-r2SCAN' \
                   or 'JARVIS-OptB88vdW' for those data sets; the name of an energy model for its own energies; or a \
                   functional whose elements are in the table reference_energies. NULL with a warning if an element \
                   has no reference energy.",
            parameters: vec![
                composition(),
                required(
                    "energy_per_atom",
                    Kind::Number,
                    "Total energy, eV/atom, with its correction if the scheme has one.",
                ),
                required("scheme", Kind::Text, "How the energy was computed.").checked(
                    |function, scheme, environment| match scheme.and_then(|value| value.try_as_str()).flatten() {
                        Some(scheme) => Elements::of(scheme, environment)
                            .map(drop)
                            .map_err(|reason| plan_datafusion_err!("{function}: {reason}")),
                        None => Ok(()),
                    },
                ),
            ],
            unit: Some("eV/atom"),
            example: "SELECT formation_energy('MgO', -5.968, 'MP-PBE')",
            kernel: in_session(Cost::Crystal, values(), formation_energies),
        },
        Function {
            name: "is_stable",
            text: "True if a phase lies on the convex hull of a phase diagram, or above it by at most a tolerance.",
            parameters: vec![
                diagram(),
                formula(),
                ef(),
                number("tolerance", 0.0, "Largest energy above the hull, eV/atom."),
            ],
            unit: None,
            example: "SELECT id FROM sample WHERE is_stable((SELECT phase_diagram(formula, formation_energy_per_atom) \
                      FROM sample), formula, formation_energy_per_atom, 0.025)",
            kernel: rows(Cost::Crystal, values(), |arguments| {
                phases(arguments, |row, diagram, composition, ef| {
                    Ok(diagram.e_above_hull(composition, ef)? <= row.number(3))
                })
            }),
        },
        Function {
            name: "stability_margin",
            text: "How far the energy of a stable phase may rise before it decomposes into phases of other \
                   compositions; for a phase above the hull, its energy above the hull as a negative number. NULL \
                   for an element.",
            parameters: vec![diagram(), formula(), ef()],
            unit: Some("eV/atom"),
            example: "SELECT id, stability_margin((SELECT phase_diagram(formula, formation_energy_per_atom) FROM \
                      sample), formula, formation_energy_per_atom) FROM sample",
            kernel: rows(Cost::Crystal, values(), |arguments| {
                phases(arguments, |_, diagram, composition, ef| diagram.stability_margin(composition, ef))
            }),
        },
        Function {
            name: "substitute",
            text: "The crystal with one element replaced by another, up to three at once. The sites are kept and the \
                   cell is scaled by the ratio of the bond lengths of its ions (mean Shannon radius of the cations \
                   plus that of the anions), new over old. It is a starting point for a relaxation or a model; \
                   nothing is relaxed. Replacing an element that the crystal does not contain changes nothing.",
            parameters: vec![
                structure(),
                required("from", Kind::Text, "Symbol of the element to replace.").parsed(Element::from_symbol),
                required("to", Kind::Text, "Symbol of the element that replaces it.").parsed(Element::from_symbol),
                replaced("from_2").paired(),
                replaced("to_2"),
                replaced("from_3").paired(),
                replaced("to_3"),
            ],
            unit: None,
            example: "SELECT id, predict_ef(substitute(structure, 'Mo', 'W')) FROM tmo WHERE has_element(formula, \
                      'Mo')",
            kernel: crystals(Cost::Crystal, |row, s| {
                let pair = |k: usize| Ok((Element::from_symbol(row.text(k))?, Element::from_symbol(row.text(k + 1))?));
                let pairs = [1, 3, 5].into_iter().filter(|&k| !row.omits(k)).map(pair).collect::<Answer<Vec<_>>>()?;
                Ok(stability::substitute(s, &pairs, true)?)
            }),
        },
    ]
}

fn replaced(name: &'static str) -> Parameter {
    optional(name, Kind::Text, Omitted::Means("no further replacement"), "As from and to.").parsed(Element::from_symbol)
}

fn diagram() -> Parameter {
    required("diagram", Kind::Diagram, "The result of phase_diagram.")
}

fn formula() -> Parameter {
    required("formula", Kind::Text, "Formula of the phase.")
}

fn ef() -> Parameter {
    required("ef", Kind::Number, "Its formation energy, eV/atom, by the functional and scheme of the diagram.")
}

/// The diagrams and formulas of the rows, arguments 0 and 1.
struct Diagrams {
    distinct: Vec<PhaseDiagram>,
    /// Which diagram each row names; `None` for NULL.
    of_row: Vec<Option<usize>>,
    formulas: Option<StringArray>,
}

impl Diagrams {
    /// Reads the diagrams of a batch. Mostly it is one for all rows, a text of a megabyte, in memory once.
    fn of(arguments: &Arguments) -> Result<Self> {
        let texts = cast(&arguments.columns[0], &DataType::Utf8View)?;
        let texts = texts.as_string_view();
        let (mut places, mut contents) = (HashMap::new(), HashMap::<&str, usize>::new());
        let mut distinct = Vec::new();
        let mut of_row = Vec::with_capacity(texts.len());
        for i in 0..texts.len() {
            if texts.is_null(i) || arguments.columns[0].data_type().is_null() {
                of_row.push(None);
                continue;
            }
            let text = texts.value(i);
            let known = places.get(&(text.as_ptr(), text.len())).or_else(|| contents.get(text)).copied();
            let place = match known {
                Some(place) => place,
                None => {
                    let diagram = PhaseDiagram::from_text(text);
                    distinct.push(diagram.map_err(|e| exec_datafusion_err!("{}: {e}", arguments.function.name))?);
                    contents.insert(text, distinct.len() - 1);
                    distinct.len() - 1
                }
            };
            places.insert((text.as_ptr(), text.len()), place);
            of_row.push(Some(place));
        }
        Ok(Self { distinct, of_row, formulas: arguments.texts(1)? })
    }

    /// The diagram and the composition of row `i`; `None` for NULL.
    fn row(&self, i: usize) -> Option<(&PhaseDiagram, Result<Composition, String>)> {
        let diagram = &self.distinct[self.of_row[i]?];
        Some((diagram, Composition::parse(self.formulas.as_ref()?.value(i)).map_err(reason)))
    }
}

/// `f(row, diagram, composition, energy)` of every row: arguments 0, 1 and 2.
fn phases<T: Send>(
    arguments: &Arguments,
    f: impl Fn(Row, &PhaseDiagram, &Composition, f64) -> Result<T, String> + Sync,
) -> Result<Vec<Option<T>>> {
    let (diagrams, read) = (Diagrams::of(arguments)?, arguments.read()?);
    Ok(arguments.rows(|i| {
        let (diagram, composition) = diagrams.row(i)?;
        let row = Row { read: &read, i };
        Some(composition.and_then(|composition| f(row, diagram, &composition, row.number(2))).map_err(Into::into))
    }))
}

/// Refuses energies of another scheme than that of the diagram.
fn one_scheme(arguments: &Arguments) -> Result<()> {
    let Some(schemes) = arguments.texts(3)? else { return Ok(()) };
    for diagram in &Diagrams::of(arguments)?.distinct {
        let differs = |scheme: &&str| diagram.scheme().is_some_and(|own| own != *scheme);
        if let (Some(other), Some(own)) = (schemes.iter().flatten().find(differs), diagram.scheme()) {
            return exec_err!("e_above_hull: an energy of '{other}' has no place in a phase diagram of '{own}'");
        }
    }
    Ok(())
}

fn part_columns() -> Columns<Part> {
    Columns::<Part>::new()
        .field("formula", None, "Formula of the phase.", |part| part.formula.clone())
        .field("fraction", None, "Its fraction of the atoms.", |part| part.fraction)
        .field("ef", Some("eV/atom"), "Its formation energy.", |part| part.energy)
}

fn correction_columns() -> Columns<Correction> {
    let parts = Columns::<CorrectionPart>::new()
        .field("species", None, "What is corrected: an anion or a metal.", |part| part.species)
        .field("count", None, "Its number of atoms in the cell.", |part| part.count)
        .field("per_atom", Some("eV"), "Correction for each of them.", |part| part.per_atom);
    Columns::<Correction>::new()
        .field("correction", Some("eV/atom"), "What is added to the energy.", |c| c.per_atom)
        .field("uncertainty", Some("eV/atom"), "Its standard deviation.", |c| c.uncertainty)
        .field("scheme", None, "The scheme.", |c| c.scheme.name())
        .field(
            "oxide_type",
            None,
            "oxide, hydroxide, peroxide, superoxide or ozonide, by the O-O and O-H distances.",
            |c| c.oxide_type.map(OxideType::name),
        )
        .items(
            "oxidation_states",
            "Oxidation states used to identify the anions; empty if no choice is charge-neutral.",
            |c| c.states.clone(),
            state_columns(),
        )
        .items("parts", "The contributions.", |c| c.parts.clone(), parts)
}

/// Reads `Na+1 Sb+3 Se-2`.
fn read_states(text: &str) -> Result<Vec<(Element, f64)>, String> {
    let state = |word: &str| {
        let (symbol, state) = word.split_at(word.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(word.len()));
        let element = Element::from_symbol(symbol).ok();
        element.zip(state.parse().ok().filter(|state: &f64| state.is_finite()))
    };
    let words = text.split([' ', ',']).filter(|word| !word.is_empty());
    let fault = |word| format!("'{word}' is not an oxidation state; write them as 'Na+1 Sb+3 Se-2'");
    words.map(|word| state(word).ok_or_else(|| fault(word))).collect()
}

/// Where the energies of the elements are.
enum Elements {
    Set(&'static ElementalReferences),
    Model(Arc<ModelPotential>),
    Stated(Arc<Vec<ReferenceEnergy>>),
}

impl Elements {
    /// Those of a scheme, a set, an energy model, or a functional of the table `reference_energies`, in this order.
    fn of(scheme: &str, environment: &Environment) -> Result<Self, String> {
        if let Some(set) = elemental_references(scheme) {
            return Ok(Self::Set(set));
        }
        let stated = environment.references().map(|references| references.get().map_err(reason));
        let stated = stated.transpose()?.unwrap_or_default();
        match environment.potential(scheme) {
            Ok(model) => Ok(Self::Model(model)),
            Err(_) if stated.iter().any(|row| is_by(row, scheme)) => Ok(Self::Stated(stated)),
            Err(_) => Err(format!(
                "no elements by '{scheme}': known are {}, energy models (`hollandite models list`), and functionals \
                 of the table reference_energies: INSERT INTO reference_energies (ion, energy, functional, source) \
                 VALUES ('Ca', .., '{scheme}', ..)",
                reference_schemes().collect::<Vec<_>>().join(", ")
            )),
        }
    }

    fn energy(&self, element: Element, scheme: &str) -> Result<f64, String> {
        match self {
            Self::Set(set) => set.energy(element),
            Self::Model(model) => {
                adsorption::reference(&model.model().card().references, element, scheme).map_err(reason)
            }
            Self::Stated(rows) => {
                let of_element = rows.iter().filter(|row| row.ion == element.symbol());
                let known: Vec<Reference> = of_element.map(stated).collect();
                adsorption::reference_energy(&known, element.symbol(), scheme, None).map_err(reason)
            }
        }
    }
}

fn is_by(row: &ReferenceEnergy, functional: &str) -> bool {
    row.functional.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(functional))
}

fn formation_energies(arguments: &Arguments, context: &Context) -> Result<Vec<Option<f64>>> {
    let schemes = arguments.texts(2)?;
    let mut known = HashMap::new();
    for scheme in schemes.iter().flatten().flatten() {
        known.entry(scheme).or_insert_with(|| Elements::of(scheme, context.environment));
    }
    arguments.map_compositions(|row, amounts| {
        let scheme = row.text(2);
        match known.get(scheme) {
            Some(Ok(elements)) => {
                Ok(formation_energy(&collected(amounts), row.number(1), |e| elements.energy(e, scheme))?)
            }
            Some(Err(reason)) => Err(reason.clone().into()),
            None => Err(format!("no scheme '{scheme}'").into()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_as_text() {
        let states = read_states("Fe+2.5, O-2").unwrap();
        assert_eq!(states, [(Element::from_symbol("Fe").unwrap(), 2.5), (Element::O, -2.0)]);
        for text in ["Fe", "Xx+1", "Fe+nan", "2-O"] {
            assert!(read_states(text).unwrap_err().contains("is not an oxidation state"), "{text}");
        }
    }
}
