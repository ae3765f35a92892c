//! What the functions of energies share: their arguments, and the energy model that a call or the session names.

use std::sync::Arc;

use datafusion::common::{Result, ScalarValue, exec_datafusion_err, plan_err};

use super::{Arguments, Kind, Parameter};
use crate::crystal::Structure;
use crate::error::{FeatureError, ModelError};
use crate::models::ModelPotential;
use crate::models::potential::{Evaluation, Potential};
use crate::sql::environment::Environment;
use crate::sql::options::HollanditeOptions;

/// Arguments of a function of a crystal and an energy model.
pub(super) const EVALUATED: &[Parameter] =
    &[Parameter::required("structure", Kind::Crystal), Parameter::optional("model", Kind::Text)];

/// Loads the model that a call names while the query is planned.
pub(super) fn check(function: &str, model: Option<&Option<&ScalarValue>>, environment: &Environment) -> Result<()> {
    match model {
        None => Ok(()),
        Some(Some(value)) => match value.try_as_str().flatten().unwrap_or_default() {
            "" => Ok(()),
            name => environment.potential(name).map(drop).map_err(Into::into),
        },
        Some(None) => plan_err!("{function} needs the model's name as a constant, such as 'chgnet'"),
    }
}

/// The model that argument `i` names, or the session where there is none.
pub(super) fn of(arguments: &Arguments, i: Option<usize>) -> Result<Arc<ModelPotential>> {
    let texts = i.map(|i| arguments.texts(i)).transpose()?.flatten();
    let named = texts.as_ref().filter(|_| !arguments.is_empty()).map(|texts| texts.value(0));
    let options = HollanditeOptions::of(arguments.config);
    let name = named.filter(|name| !name.is_empty()).unwrap_or(&options.energy_model);
    arguments.environment.potential(name).map_err(|e| exec_datafusion_err!("{}: {e}", arguments.function))
}

/// The only answer.
pub(super) fn one<T>(mut answers: Vec<std::result::Result<T, ModelError>>) -> std::result::Result<T, String> {
    answers.remove(0).map_err(|e| e.to_string())
}

/// Energy, forces, stress and magnetic moments of a crystal.
pub(super) fn evaluation(
    model: &ModelPotential,
    structure: &Structure,
) -> std::result::Result<Evaluation, FeatureError> {
    one(model.evaluate(&[structure])).map_err(FeatureError::Undefined)
}
