use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_datafusion_err};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::reference_energy::stated;
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::adsorption::{self, Reference};
use crate::crystal::{Composition, Element};
use crate::models::ModelPotential;
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;
use crate::stability::{ElementalReferences, elemental_references, formation_energy, reference_schemes};
use crate::store::ReferenceEnergy;

#[user_doc(
    doc_section(label = "Stability Functions"),
    description = "Formation energy in eV/atom: a total energy less the energies of the elements, computed alike. The scheme says how: 'MP2020' for energies by PBE and PBE + U with the corrections of energy_correction, 'MP-PBE' for plain PBE of the Materials Project, 'MatPES-PBE', 'MatPES-r2SCAN' or 'JARVIS-OptB88vdW' for those data sets; the name of an energy model for its own energies, measured from its own elements; or a functional whose elements stand in the table reference_energies. NULL with a warning where an element has no reference.",
    syntax_example = "formation_energy(crystal, energy_per_atom, scheme)",
    sql_example = "SELECT formation_energy('MgO', -5.968, 'MP-PBE')",
    argument(name = "crystal", description = "A structure, a formula such as `Mo3VO14`, or CIF, POSCAR or JSON text."),
    argument(
        name = "energy_per_atom",
        description = "Total energy, eV/atom, with its correction where the scheme has one."
    ),
    argument(name = "scheme", description = "How it was computed.")
)]
/// `formation_energy(crystal, energy_per_atom, scheme)`
#[derive(Debug)]
pub struct FormationEnergy;

/// Where the energies of the elements stand.
enum Elements {
    Set(&'static ElementalReferences),
    Model(Arc<ModelPotential>),
    Stated(Arc<Vec<ReferenceEnergy>>),
}

impl CrystalFunction for FormationEnergy {
    fn name(&self) -> &'static str {
        "formation_energy"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("crystal", Kind::Composition),
                Parameter::required("energy_per_atom", Kind::Number),
                Parameter::required("scheme", Kind::Text),
            ]
        }
    }

    fn returns(&self) -> DataType {
        DataType::Float64
    }

    fn cost(&self) -> Cost {
        Cost::Crystal
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn check(&self, constants: &[Option<&ScalarValue>], environment: &Environment) -> Result<()> {
        match constants.get(2).copied().flatten().and_then(|value| value.try_as_str()).flatten() {
            Some(scheme) => Elements::of(scheme, environment)
                .map(drop)
                .map_err(|reason| plan_datafusion_err!("{}: {reason}", self.name())),
            None => Ok(()),
        }
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let (energies, schemes) = (arguments.numbers(1)?, arguments.texts(2)?);
        let mut known = HashMap::new();
        for scheme in schemes.iter().flatten().flatten() {
            known.entry(scheme).or_insert_with(|| Elements::of(scheme, arguments.environment));
        }
        let found = arguments.map_compositions(|i, amounts| {
            let scheme = schemes.as_ref().map_or("", |schemes| schemes.value(i));
            let energy = energies.as_ref().map_or(f64::NAN, |energies| energies.value(i));
            let composition: Composition = amounts.iter().copied().collect();
            match known.get(scheme) {
                Some(Ok(elements)) => formation_energy(&composition, energy, |e| elements.energy(e, scheme)),
                Some(Err(reason)) => Err(reason.clone()),
                None => Err(format!("no scheme '{scheme}'")),
            }
        })?;
        Ok(Arc::new(Float64Array::from(found)))
    }
}

impl Elements {
    /// Those of a scheme, a set, an energy model, or a functional of the table `reference_energies`, in this order.
    fn of(scheme: &str, environment: &Environment) -> std::result::Result<Self, String> {
        if let Some(set) = elemental_references(scheme) {
            return Ok(Self::Set(set));
        }
        let stated = environment.references().map(|references| references.get().map_err(|e| e.to_string()));
        let stated = stated.transpose()?.unwrap_or_default();
        match environment.potential(scheme) {
            Ok(model) => Ok(Self::Model(model)),
            Err(_) if stated.iter().any(|row| is_by(row, scheme)) => Ok(Self::Stated(stated)),
            Err(_) => Err(format!(
                "no elements by '{scheme}': known are {}, energy models (`hollandite models list`), and functionals of the table \
                 reference_energies: INSERT INTO reference_energies (ion, energy, functional, source) VALUES ('Ca', .., '{scheme}', ..)",
                reference_schemes().collect::<Vec<_>>().join(", ")
            )),
        }
    }

    fn energy(&self, element: Element, scheme: &str) -> std::result::Result<f64, String> {
        match self {
            Self::Set(set) => set.energy(element),
            Self::Model(model) => {
                let references = &model.model().card().references;
                adsorption::reference(references, element, scheme).map_err(|e| e.to_string())
            }
            Self::Stated(rows) => {
                let of_element = rows.iter().filter(|row| row.ion == element.symbol());
                let known: Vec<Reference> = of_element.map(stated).collect();
                adsorption::reference_energy(&known, element.symbol(), scheme, None).map_err(|e| e.to_string())
            }
        }
    }
}

fn is_by(row: &ReferenceEnergy, functional: &str) -> bool {
    row.functional.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(functional))
}
