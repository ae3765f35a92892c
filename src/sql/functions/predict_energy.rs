use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::energy_model::{self, EVALUATED};
use super::{Arguments, CrystalFunction, Parameter};
use crate::models::potential::Potential;
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Energy Functions"),
    description = "Total energy of the cell by an energy model, eV, on the scale of the calculations that the model learned from: for CHGNet PBE and PBE+U with the corrections of the Materials Project. Energies compare within one model only; predict_ef(structure, model) is the formation energy. NULL where an atom has no neighbour or an element that the model never saw.",
    syntax_example = "predict_energy(structure[, model])",
    sql_example = "SELECT id, predict_energy(structure) / natoms AS energy_per_atom FROM tmo WHERE natoms <= 30",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "model",
        description = "Name of an energy model, or the path of one, as a constant; the option `hollandite.energy_model`, 'chgnet', where left out or empty."
    )
)]
/// `predict_energy(structure[, model])`
#[derive(Debug)]
pub struct PredictEnergy;

impl CrystalFunction for PredictEnergy {
    fn name(&self) -> &'static str {
        "predict_energy"
    }

    fn parameters(&self) -> &'static [Parameter] {
        EVALUATED
    }

    fn returns(&self) -> DataType {
        DataType::Float64
    }

    fn cost(&self) -> Cost {
        Cost::Surface
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn check(&self, constants: &[Option<&ScalarValue>], environment: &Environment) -> Result<()> {
        energy_model::check(self.name(), constants.get(1), environment)
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let model = energy_model::of(arguments, Some(1))?;
        let energies = arguments.map(|_, s| energy_model::one(model.energies(&[s])))?;
        Ok(Arc::new(Float64Array::from(energies)))
    }
}
