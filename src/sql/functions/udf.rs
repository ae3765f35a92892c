//! From a [`CrystalFunction`] to the engine's scalar function: arity, named arguments, plan-time type checks, one row for
//! constant arguments.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::config::ConfigOptions;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature,
    Volatility,
};

use crate::sql::environment::Environment;
use crate::sql::optimizer::{Cost, cancelled};
use crate::sql::structure_type::{self, Crystals, is_text, sql_type};
use crate::stop::Stop;

/// What an argument holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A structure, or CIF, POSCAR or JSON text.
    Crystal,
    /// As [`Kind::Crystal`]; a text may also be a formula.
    Composition,
    /// A crystal, or the list of numbers that stands for it.
    CrystalOrFingerprint,
    /// As [`Kind::Crystal`], or a number.
    CrystalOrNumber,
    /// Any text.
    Text,
    /// Any number.
    Number,
    /// A number, or the text that names one.
    NumberOrName,
    /// True or false.
    Boolean,
}

/// Whether a column holds lists of numbers.
pub(super) fn is_numbers(data_type: &DataType) -> bool {
    match data_type {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            item.data_type().is_numeric()
        }
        _ => false,
    }
}

/// One argument.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Name, usable as `name => value`.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may be left out, with all that follow it.
    pub optional: bool,
}

impl Parameter {
    /// An argument that must be given.
    pub const fn required(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, optional: false }
    }

    /// An argument that may be left out.
    pub const fn optional(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, optional: true }
    }

    pub(in crate::sql) fn check(&self, function: &str, field: &Field) -> Result<()> {
        let found = field.data_type();
        let wanted = match self.kind {
            Kind::CrystalOrFingerprint if is_numbers(found) => return Ok(()),
            Kind::CrystalOrNumber if found.is_numeric() => return Ok(()),
            Kind::Crystal | Kind::Composition | Kind::CrystalOrFingerprint | Kind::CrystalOrNumber => {
                return structure_type::check(function, field);
            }
            Kind::Text | Kind::NumberOrName if is_text(found) => return Ok(()),
            Kind::Number | Kind::NumberOrName if found.is_numeric() => return Ok(()),
            Kind::Boolean if *found == DataType::Boolean => return Ok(()),
            _ if *found == DataType::Null => return Ok(()),
            Kind::Text => "text",
            Kind::Number => "a number",
            Kind::NumberOrName => "a number or a name",
            Kind::Boolean => "true or false",
        };
        plan_err!("{function} needs {wanted} as {}, but '{}' is {}", self.name, field.name(), sql_type(found))
    }
}

/// A function of crystals as the planner and the documentation see it.
pub trait CrystalFunction: std::fmt::Debug + Send + Sync {
    /// Name in SQL.
    fn name(&self) -> &'static str;
    /// Arguments, optional ones last.
    fn parameters(&self) -> &'static [Parameter];
    /// Arrow type of the result.
    fn returns(&self) -> DataType;
    /// What one row costs.
    fn cost(&self) -> Cost;
    /// Raised whenever the numbers of the function change: what was materialised at another version is computed anew.
    fn version(&self) -> u32 {
        1
    }
    /// The text of `#[user_doc]`.
    fn documentation(&self) -> Option<&Documentation>;
    /// Checks constant arguments while the query is planned: `None` for an argument that is not constant.
    fn check(&self, _constants: &[Option<&ScalarValue>], _environment: &Environment) -> Result<()> {
        Ok(())
    }
    /// One value a row.
    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef>;
}

/// The evaluated arguments of one call.
pub struct Arguments<'a> {
    pub(super) function: &'static str,
    pub(super) columns: &'a [ArrayRef],
    pub(super) rows: usize,
    pub(super) environment: &'a Environment,
    pub(super) config: &'a ConfigOptions,
}

impl Arguments<'_> {
    /// How many rows are asked for.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The crystals of argument `i`.
    pub(super) fn crystals(&self, i: usize) -> Result<Crystals<'_>> {
        Crystals::try_new(&self.columns[i])
    }

    /// The numbers of argument `i`; `None` where the call leaves it out.
    pub(super) fn numbers(&self, i: usize) -> Result<Option<Float64Array>> {
        let Some(column) = self.columns.get(i) else { return Ok(None) };
        Ok(Some(cast(column, &DataType::Float64)?.as_primitive::<Float64Type>().clone()))
    }

    /// The truth values of argument `i`; `None` where the call leaves it out.
    pub(super) fn booleans(&self, i: usize) -> Result<Option<BooleanArray>> {
        let Some(column) = self.columns.get(i) else { return Ok(None) };
        Ok(Some(cast(column, &DataType::Boolean)?.as_boolean().clone()))
    }

    /// The texts of argument `i`; `None` where the call leaves it out.
    pub(super) fn texts(&self, i: usize) -> Result<Option<StringArray>> {
        let Some(column) = self.columns.get(i) else { return Ok(None) };
        Ok(Some(cast(column, &DataType::Utf8)?.as_string().clone()))
    }
}

/// A crystal function in a session.
#[derive(Debug)]
pub struct CrystalUdf {
    function: Arc<dyn CrystalFunction>,
    signature: Signature,
    environment: Environment,
}

impl CrystalUdf {
    /// Registers `function` with a session's environment.
    pub fn new(function: Arc<dyn CrystalFunction>, environment: Environment) -> Self {
        let parameters = function.parameters();
        let required = parameters.iter().filter(|p| !p.optional).count();
        let arities = (required..=parameters.len()).map(arity).collect();
        let signature = Signature::one_of(arities, Volatility::Immutable);
        let names: Vec<String> = parameters.iter().map(|p| p.name.to_string()).collect();
        let signature = signature.clone().with_parameter_names(names).unwrap_or(signature);
        Self { function, signature, environment }
    }

    /// What one row costs.
    pub fn cost(&self) -> Cost {
        self.function.cost()
    }

    /// What is evaluated.
    pub fn function(&self) -> &dyn CrystalFunction {
        self.function.as_ref()
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
        self.function.name() == other.function.name() && self.environment == other.environment
    }
}

impl Eq for CrystalUdf {}

impl Hash for CrystalUdf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name().hash(state);
        self.environment.hash(state);
    }
}

impl ScalarUDFImpl for CrystalUdf {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.function.returns())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        for (parameter, field) in self.function.parameters().iter().zip(args.arg_fields) {
            parameter.check(self.name(), field)?;
        }
        self.function.check(args.scalar_arguments, &self.environment)?;
        Ok(Arc::new(Field::new(self.name(), self.function.returns(), true)))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let arguments = Arguments {
            function: self.function.name(),
            rows: columns.first().map_or(1, |c| c.len()),
            columns: &columns,
            environment: &self.environment,
            config: &args.config_options,
        };
        let result = self.function.evaluate(&arguments)?;
        // Rows were left out then, and their NULL is no answer.
        if Stop::current().is_given() {
            return Err(cancelled());
        }
        if constant { Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?)) } else { Ok(result.into()) }
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.function.documentation()
    }
}
