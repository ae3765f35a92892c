use std::collections::HashMap;

use arrow::array::{ArrayRef, new_empty_array};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;
use crate::sql::options::HollanditeOptions;
use crate::sql::predictor::Predictor;
use crate::stop::Stop;

const NAME: &str = "predict_ef";

#[user_doc(
    doc_section(label = "Model Functions"),
    description = "Formation energy in eV/atom, predicted by a graph network. NULL with a warning where an element is outside the model's training coverage. A model that was fitted to another label is refused: `predict` asks it. A query asks for each distinct crystal once, after all cheaper predicates, and remembers the answer.",
    syntax_example = "predict_ef(structure[, model])",
    sql_example = "SELECT id, predict_ef(structure) FROM tmo WHERE void > 0.5",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "model",
        description = "Name of a model, or the path of one that `hollandite train` wrote, as a constant; the option `hollandite.model` where left out."
    )
)]
/// `predict_ef(structure[, model])`
#[derive(Debug)]
pub struct PredictEf;

impl CrystalFunction for PredictEf {
    fn name(&self) -> &'static str {
        NAME
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("structure", Kind::Crystal), Parameter::optional("model", Kind::Text)] }
    }

    fn returns(&self) -> DataType {
        DataType::Float64
    }

    fn cost(&self) -> Cost {
        Cost::Model
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn check(&self, constants: &[Option<&ScalarValue>], environment: &Environment) -> Result<()> {
        check_model(NAME, constants, environment)
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        answer(self, arguments)
    }
}

/// Loads the model that a call names while the query is planned.
pub(super) fn check_model(function: &str, constants: &[Option<&ScalarValue>], environment: &Environment) -> Result<()> {
    match constants.get(1) {
        None => Ok(()),
        Some(Some(value)) => {
            let name = value.try_as_str().flatten().unwrap_or_default();
            environment.model(name).map(drop).map_err(Into::into)
        }
        Some(None) => plan_err!("{function} needs the model's name as a constant, such as 'megnet'"),
    }
}

/// Where the planner left a call of a model in an expression: the same predictor as the plan node, batch by batch.
pub(super) fn answer(function: &dyn CrystalFunction, arguments: &Arguments) -> Result<ArrayRef> {
    if arguments.is_empty() {
        return Ok(new_empty_array(&function.returns()));
    }
    let constants = arguments.columns.iter().skip(1).map(|column| ScalarValue::try_from_array(column, 0));
    let constants: Vec<ScalarValue> = constants.collect::<Result<_>>()?;
    let options = HollanditeOptions::of(arguments.config);
    let constants: Vec<&ScalarValue> = constants.iter().collect();
    let predictor = Predictor::of_call(function, &constants, arguments.environment, options)?;
    let structures = arguments.map(|_, s| Ok(s.clone()))?;
    let (answers, _) = predictor.predict(structures, &mut HashMap::new(), &Stop::current(), &|_| {})?;
    Ok(answers)
}
