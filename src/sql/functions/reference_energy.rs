use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::adsorption::{self, Reference};
use crate::error::{AdsorptionError, ModelError};
use crate::models::ModelPotential;
use crate::models::potential::Potential;
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;
use crate::sql::options::HollanditeOptions;
use crate::stability::{elemental_references, reference_schemes};
use crate::store::ReferenceEnergy;

#[user_doc(
    doc_section(label = "Ion Functions"),
    description = "Energy of an element by itself in eV/atom, from the table reference_energies, of a scheme that formation_energy knows (MP2020), or by an energy model, which relaxed the element itself as it was brought in. Energies of another functional have another zero: where none fits, or two sources differ, the answer is NULL and the warning says what is known and how to add one.",
    syntax_example = "reference_energy(ion, functional[, source])",
    sql_example = "SELECT reference_energy('Ca', 'PBE', 'Datta')",
    argument(name = "ion", description = "Symbol of the element."),
    argument(
        name = "functional",
        description = "As in the table, such as PBE; the name of an energy model, such as chgnet; or a scheme such as MP2020."
    ),
    argument(name = "source", description = "What the source begins with, where several state an energy.")
)]
/// `reference_energy(ion, functional[, source])`
#[derive(Debug)]
pub struct ReferenceEnergyOf;

impl CrystalFunction for ReferenceEnergyOf {
    fn name(&self) -> &'static str {
        "reference_energy"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("ion", Kind::Text),
                Parameter::required("functional", Kind::Text),
                Parameter::optional("source", Kind::Text),
            ]
        }
    }

    fn returns(&self) -> DataType {
        DataType::Float64
    }

    fn cost(&self) -> Cost {
        Cost::Cheap
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let rows = match arguments.environment.references() {
            Some(references) => references.get().map_err(|e| exec_datafusion_err!("reference_energy: {e}"))?,
            None => Arc::default(),
        };
        let [ions, functionals, sources] = [arguments.texts(0)?, arguments.texts(1)?, arguments.texts(2)?];
        let stated: Vec<Reference> = rows.iter().map(stated).chain(of_schemes()).collect();
        let models = models(&stated, functionals.iter().flatten().flatten(), arguments.environment);
        let known: Vec<Reference> = stated.into_iter().chain(models.iter().flat_map(of_model)).collect();
        let usual = HollanditeOptions::of(arguments.config).energy_model.clone();
        let energies = arguments.rows(|i| {
            let text = |column: &Option<arrow::array::StringArray>| column.as_ref().map(|c| c.value(i).to_owned());
            let (ion, functional) = (text(&ions)?, text(&functionals)?);
            let found = adsorption::reference_energy(&known, &ion, &functional, text(&sources).as_deref());
            let missing = |e: AdsorptionError| match usual.eq_ignore_ascii_case(&functional) && models.is_empty() {
                true => format!("{e}; {}", ModelError::NoEnergyModel { name: functional.clone() }),
                false => e.to_string(),
            };
            Some(found.map_err(missing))
        });
        Ok(Arc::new(Float64Array::from(energies)))
    }
}

/// An energy model that is named as a functional, by that name.
struct Named {
    functional: String,
    source: String,
    model: Arc<ModelPotential>,
}

/// The energy models among `functionals` by which nothing is stated.
fn models<'a>(
    stated: &[Reference],
    functionals: impl Iterator<Item = &'a str>,
    environment: &Environment,
) -> Vec<Named> {
    let distinct: BTreeSet<&str> = functionals.collect();
    let by = |functional: &str| stated.iter().any(|r| r.functional.is_some_and(|f| f.eq_ignore_ascii_case(functional)));
    let named = |functional: &str| {
        let model = environment.potential(functional).ok()?;
        Some(Named { functional: functional.to_owned(), source: format!("the model {}", model.name()), model })
    };
    distinct.into_iter().filter(|functional| !by(functional)).filter_map(named).collect()
}

/// The energies of the elements by themselves on the scale of a model.
fn of_model(named: &Named) -> impl Iterator<Item = Reference<'_>> {
    named.model.model().card().references.iter().map(|(ion, energy)| Reference {
        ion,
        functional: Some(&named.functional),
        source: &named.source,
        energy: *energy,
    })
}

/// A row of the table.
pub(super) fn stated(row: &ReferenceEnergy) -> Reference<'_> {
    Reference { ion: &row.ion, functional: row.functional.as_deref(), source: &row.source, energy: row.energy }
}

/// The energies of the elements that formation energies are measured from, as `formation_energy` names their schemes.
fn of_schemes<'a>() -> impl Iterator<Item = Reference<'a>> {
    reference_schemes().filter_map(|scheme| Some((scheme, elemental_references(scheme)?))).flat_map(|(scheme, set)| {
        set.iter().map(move |(element, energy)| Reference {
            ion: element.symbol(),
            functional: Some(scheme),
            source: set.source,
            energy,
        })
    })
}
