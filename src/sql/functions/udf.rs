//! From a [`Function`] to the engine's scalar function: arity, named arguments, plan-time checks, one row for constant arguments.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature,
};

use super::{Arguments, Function};
use crate::cost::Cost;
use crate::environment::Environment;
use crate::error::cancelled;
use crystal::stop::Stop;

/// A crystal function in a session.
#[derive(Debug)]
pub struct CrystalUdf {
    function: Arc<Function>,
    described: Arc<(Signature, Documentation)>,
    environment: Environment,
}

impl CrystalUdf {
    /// Registers `function` with a session's environment.
    pub fn new(function: Arc<Function>, environment: Environment) -> Self {
        let arities = (function.required()..=function.parameters.len()).map(arity).collect();
        let signature = Signature::one_of(arities, function.kernel.volatility());
        let names: Vec<String> = function.parameters.iter().map(|p| p.name.to_string()).collect();
        let signature = signature.clone().with_parameter_names(names).unwrap_or(signature);
        Self { described: Arc::new((signature, function.documentation())), function, environment }
    }

    /// The same function in another environment.
    pub(crate) fn within(&self, environment: Environment) -> Self {
        Self { function: Arc::clone(&self.function), described: Arc::clone(&self.described), environment }
    }

    /// What one row costs.
    pub fn cost(&self) -> Cost {
        self.function.kernel.cost()
    }

    /// What is evaluated.
    pub fn function(&self) -> &Function {
        &self.function
    }

    /// The session's environment.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }
}

/// The signature of `n` arguments of any type.
fn arity(n: usize) -> TypeSignature {
    if n == 0 { TypeSignature::Nullary } else { TypeSignature::Any(n) }
}

impl PartialEq for CrystalUdf {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name && self.environment == other.environment
    }
}

impl Eq for CrystalUdf {}

impl Hash for CrystalUdf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
        self.environment.hash(state);
    }
}

impl ScalarUDFImpl for CrystalUdf {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.described.0
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.function.kernel.data_type().clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        self.function.check(args.arg_fields.iter().map(AsRef::as_ref), args.scalar_arguments, &self.environment)?;
        Ok(Arc::new(Field::new(self.name(), self.function.kernel.data_type().clone(), true)))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let arguments = Arguments::new(&self.function, &columns, &self.environment, &args.config_options);
        let result = self.function.kernel.answer(&arguments)?;
        // Rows were left out then, and their NULL is no answer.
        if Stop::current().is_given() {
            return Err(cancelled());
        }
        if constant { Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?)) } else { Ok(result.into()) }
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.described.1)
    }
}
