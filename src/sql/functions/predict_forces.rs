use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::energy_model::{self, EVALUATED};
use super::lists::{self, Rows};
use super::{Arguments, CrystalFunction, Parameter};
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Energy Functions"),
    description = "Forces on the atoms by an energy model, eV/Å: a list of three numbers along x, y and z for each site.",
    syntax_example = "predict_forces(structure[, model])",
    sql_example = "SELECT id, predict_forces(structure)[1] AS on_the_first_atom FROM tmo WHERE natoms <= 30",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "model",
        description = "Name of an energy model, or the path of one, as a constant; the option `hollandite.energy_model`, 'chgnet', where left out or empty."
    )
)]
/// `predict_forces(structure[, model])`
#[derive(Debug)]
pub struct PredictForces;

impl CrystalFunction for PredictForces {
    fn name(&self) -> &'static str {
        "predict_forces"
    }

    fn parameters(&self) -> &'static [Parameter] {
        EVALUATED
    }

    fn returns(&self) -> DataType {
        lists::list_of(lists::list_of(DataType::Float64))
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
        arguments.rows_of_numbers(|_, s| {
            let forces = energy_model::evaluation(&model, s)?.forces;
            Ok(Rows { width: 3, values: forces.into_iter().flatten().collect() })
        })
    }
}
