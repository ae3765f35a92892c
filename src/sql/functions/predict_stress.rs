use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::energy_model::{self, EVALUATED};
use super::lists::{self, Rows};
use super::{Arguments, CrystalFunction, Parameter};
use crate::models::potential::GPA_PER_EV_PER_CUBIC_ANGSTROM;
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Energy Functions"),
    description = "Stress of the cell by an energy model, GPa: a list of three rows. Positive on the diagonal where the cell would shrink, as in ASE; the pressure is minus the mean of the diagonal.",
    syntax_example = "predict_stress(structure[, model])",
    sql_example = "SELECT id, predict_stress(structure)[3][3] AS along_z FROM tmo WHERE natoms <= 30",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "model",
        description = "Name of an energy model, or the path of one, as a constant; the option `hollandite.energy_model`, 'chgnet', where left out or empty."
    )
)]
/// `predict_stress(structure[, model])`
#[derive(Debug)]
pub struct PredictStress;

impl CrystalFunction for PredictStress {
    fn name(&self) -> &'static str {
        "predict_stress"
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
            let stress = energy_model::evaluation(&model, s)?.stress;
            let gpa = |x: f64| x * GPA_PER_EV_PER_CUBIC_ANGSTROM;
            Ok(Rows { width: 3, values: stress.into_iter().flatten().map(gpa).collect() })
        })
    }
}
