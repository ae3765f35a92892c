use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::predict_ef::{answer, check_model};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::sql::environment::Environment;
use crate::sql::interval;
use crate::sql::optimizer::Cost;

const NAME: &str = "predict";

#[user_doc(
    doc_section(label = "Model Functions"),
    description = "What a model predicts and how far to believe it: a STRUCT of value (formation energy in eV/atom; of a model that was fitted to another label, that, in its unit), lower and upper (the interval that holds the label with the stated coverage), model, in_domain and reason. The width of the interval is a quantile of the model's errors on crystals that it was not fitted to (split-conformal prediction); for an ensemble it grows with the disagreement of the members. An element, a number of atoms, a volume per atom or a shortest distance that the model never saw makes in_domain false and leaves the interval NULL; reason says which, or why there is no value. Planned, batched and remembered as `predict_ef`.",
    syntax_example = "predict(structure[, model[, coverage]])",
    sql_example = "SELECT id, predict(structure, 'megnet', 0.95)['upper'] AS upper FROM tmo WHERE void > 0.5",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "model",
        description = "Name of a model or an ensemble, or the path of one, as a constant; the option `hollandite.model` where left out or empty."
    ),
    argument(
        name = "coverage",
        description = "Probability with which the interval holds the label, between 0 and 1, as a constant; the option `hollandite.coverage`, 0.9, where left out."
    )
)]
/// `predict(structure[, model[, coverage]])`
#[derive(Debug)]
pub struct Predict;

impl CrystalFunction for Predict {
    fn name(&self) -> &'static str {
        NAME
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("structure", Kind::Crystal),
                Parameter::optional("model", Kind::Text),
                Parameter::optional("coverage", Kind::Number),
            ]
        }
    }

    fn returns(&self) -> DataType {
        DataType::Struct(interval::fields())
    }

    fn cost(&self) -> Cost {
        Cost::Model
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn check(&self, constants: &[Option<&ScalarValue>], environment: &Environment) -> Result<()> {
        if let Some(coverage) = constants.get(2)
            && coverage.and_then(interval::coverage).is_none()
        {
            return plan_err!("{NAME} needs a coverage between 0 and 1 as a constant, such as 0.95");
        }
        check_model(NAME, constants, environment)
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        answer(self, arguments)
    }
}
