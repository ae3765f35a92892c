//! What graph networks predict: calls that the planner takes out of expressions, and batches.

use std::collections::HashMap;

use arrow::array::{ArrayRef, new_empty_array};
use datafusion::common::{Result, ScalarValue, plan_err};

use super::arguments::structure;
use super::kernel::{Arguments, Context, Kernel, Output, column_in_session, values};
use super::{Function, Kind, Omitted, Parameter, optional};
use crate::cost::Cost;
use crate::interval;
use crate::predictor::Predictor;
use crystal::stop::Stop;

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function {
            name: "predict",
            text: "What a model predicts, and how reliable it is. The width of the interval is a quantile of the \
                   model's errors on crystals it was not fitted to (split-conformal prediction); for an ensemble it \
                   grows with the disagreement of the members. An element, number of atoms, volume per atom or \
                   shortest distance outside the training data makes in_domain false and the interval NULL. Planned \
                   and cached like `predict_ef`.",
            parameters: vec![
                structure(),
                model("Name of a model or an ensemble, or the path of one, as a constant."),
                optional(
                    "coverage",
                    Kind::Number,
                    Omitted::Means("the option `hollandite.coverage`, 0.9"),
                    "Probability that the interval contains the label, between 0 and 1, as a constant.",
                )
                .checked(|function, coverage, _| match coverage.and_then(interval::coverage) {
                    Some(_) => Ok(()),
                    None => plan_err!("{function} needs a coverage between 0 and 1 as a constant, such as 0.95"),
                }),
            ],
            unit: None,
            example: "SELECT id, predict(structure, 'megnet', 0.95)['upper'] AS upper FROM tmo WHERE void > 0.5",
            kernel: predicted(interval::output()),
        },
        Function {
            name: "predict_ef",
            text: "Formation energy predicted by a trained model. NULL with a warning for elements outside the \
                   model's training data. A model of another quantity is refused: ask it with `predict`. A query \
                   asks once for each distinct crystal, after all cheaper predicates, and the result is remembered.",
            parameters: vec![
                structure(),
                model("Name of a model, or the path of one written by `hollandite train`, as a constant."),
            ],
            unit: Some("eV/atom"),
            example: "SELECT id, predict_ef(structure) FROM tmo WHERE void > 0.5",
            kernel: predicted(values::<f64>()),
        },
    ]
}

/// A model, loaded while the query is planned.
fn model(text: &'static str) -> Parameter {
    optional("model", Kind::Model, Omitted::Means("the option `hollandite.model`"), text).checked(
        |function, constant, environment| match constant {
            Some(name) => {
                let name = name.try_as_str().flatten().unwrap_or_default();
                environment.model(name).map(drop).map_err(Into::into)
            }
            None => plan_err!("{function} needs the model's name as a constant, such as 'megnet'"),
        },
    )
}

fn predicted<T>(output: Output<T>) -> Kernel {
    column_in_session(Cost::Model, output.data_type, answer).with_fields(output.fields)
}

/// Where the planner left a call of a model in an expression: the same predictor as the plan node, batch by batch.
fn answer(arguments: &Arguments, context: &Context) -> Result<ArrayRef> {
    let function = arguments.function;
    if arguments.is_empty() {
        return Ok(new_empty_array(function.kernel.data_type()));
    }
    let constants = arguments.columns.iter().skip(1).map(|column| ScalarValue::try_from_array(column, 0));
    let constants: Vec<ScalarValue> = constants.collect::<Result<_>>()?;
    let constants: Vec<&ScalarValue> = constants.iter().collect();
    let predictor = Predictor::of_call(function, &constants, context.environment, context.options.clone())?;
    let structures = arguments.map(|_, s| Ok(s.clone()))?;
    let (answers, _) = predictor.predict(structures, &mut HashMap::new(), &Stop::current(), &|_| {})?;
    Ok(answers)
}
