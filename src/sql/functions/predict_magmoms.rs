use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::energy_model::{self, EVALUATED};
use super::lists;
use super::{Arguments, CrystalFunction, Parameter};
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Energy Functions"),
    description = "Magnetic moments of the atoms by an energy model, Bohr magnetons, without sign: one number for each site. They tell oxidation states apart, Mn4+ (about 3) from Mn3+ (about 4).",
    syntax_example = "predict_magmoms(structure[, model])",
    sql_example = "SELECT id, predict_magmoms(structure) AS moments FROM tmo WHERE natoms <= 30",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "model",
        description = "Name of an energy model, or the path of one, as a constant; the option `hollandite.energy_model`, 'chgnet', where left out or empty."
    )
)]
/// `predict_magmoms(structure[, model])`
#[derive(Debug)]
pub struct PredictMagmoms;

impl CrystalFunction for PredictMagmoms {
    fn name(&self) -> &'static str {
        "predict_magmoms"
    }

    fn parameters(&self) -> &'static [Parameter] {
        EVALUATED
    }

    fn returns(&self) -> DataType {
        lists::list_of(DataType::Float64)
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
        arguments.vectors(|_, s| Ok(energy_model::evaluation(&model, s)?.magmoms))
    }
}
