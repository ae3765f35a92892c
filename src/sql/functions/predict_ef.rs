use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;
use crate::sql::options::HollanditeOptions;
use crate::sql::predictor::Predictor;

/// Name in SQL.
pub(in crate::sql) const NAME: &str = "predict_ef";

#[user_doc(
    doc_section(label = "Model Functions"),
    description = "Formation energy in eV/atom, predicted by a graph network. NULL with a warning where an element is outside the model's training coverage. A query asks for each distinct crystal once, after all cheaper predicates, and remembers the answer.",
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
        match constants.get(1) {
            None => Ok(()),
            Some(Some(value)) => environment.model(name(value)).map(drop).map_err(Into::into),
            Some(None) => plan_err!("{NAME} needs the model's name as a constant, such as 'megnet'"),
        }
    }

    /// Where the planner left the call in an expression: the same predictor as the plan node, batch by batch.
    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let model = match arguments.texts(1)? {
            Some(names) if arguments.rows > 0 => ScalarValue::try_from_array(&names, 0)?,
            _ => ScalarValue::Null,
        };
        let options = HollanditeOptions::of(arguments.config);
        let predictor = Predictor::new(NAME, name(&model), arguments.environment, options)?;
        let structures = arguments.map(|_, s| Ok(s.clone()))?;
        let (energies, _) = predictor.predict(structures, &mut HashMap::new(), &AtomicBool::new(false))?;
        Ok(Arc::new(Float64Array::from(energies)))
    }
}

/// The model's name in a constant; empty for the default.
pub(in crate::sql) fn name(constant: &ScalarValue) -> &str {
    constant.try_as_str().flatten().unwrap_or_default()
}
