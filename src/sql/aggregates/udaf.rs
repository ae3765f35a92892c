//! From a [`Function`] of a [`Group`] to the engine's aggregate function: rows are collected, from any number of partitions, and
//! answered at once.

use std::hash::{Hash, Hasher};
use std::mem::size_of_val;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, new_empty_array};
use arrow::compute::{cast, concat, filter};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Documentation, Signature, TypeSignature, Volatility};

use crate::environment::Environment;
use crate::functions::kernel::{list_of, lists};
use crate::functions::{FieldDoc, Function, Parameter};

/// Answers for a group of rows.
pub struct Group {
    /// Type of the answer.
    pub data_type: DataType,
    /// The fields of the structs in it.
    pub fields: Vec<FieldDoc>,
    /// The answer of a group, of a column for each argument, at least one row, no NULL: numbers as doubles, everything else as
    /// text. An error ends the query; a group without an answer is NULL and a warning.
    pub answer: Box<Answer>,
}

type Answer = dyn Fn(&[ArrayRef], &Environment) -> Result<ScalarValue> + Send + Sync;

/// A function of a group in a session.
#[derive(Debug)]
pub struct CrystalUdaf {
    aggregate: Arc<Function<Group>>,
    described: Arc<(Signature, Documentation)>,
    environment: Environment,
}

impl CrystalUdaf {
    /// Registers `aggregate` with a session's environment.
    pub fn new(aggregate: Arc<Function<Group>>, environment: Environment) -> Self {
        let arities = (aggregate.required()..=aggregate.parameters.len()).map(TypeSignature::Any).collect();
        let signature = Signature::one_of(arities, Volatility::Immutable);
        Self { described: Arc::new((signature, aggregate.documentation())), aggregate, environment }
    }

    /// The same function in another environment.
    pub(crate) fn within(&self, environment: Environment) -> Self {
        Self { aggregate: Arc::clone(&self.aggregate), described: Arc::clone(&self.described), environment }
    }

    /// The session's environment.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The fields of the structs that it answers with.
    pub fn fields(&self) -> &[FieldDoc] {
        &self.aggregate.kernel.fields
    }
}

impl PartialEq for CrystalUdaf {
    fn eq(&self, other: &Self) -> bool {
        self.aggregate.name == other.aggregate.name && self.environment == other.environment
    }
}

impl Eq for CrystalUdaf {}

impl Hash for CrystalUdaf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.aggregate.name.hash(state);
        self.environment.hash(state);
    }
}

/// The type as which an argument is collected.
fn collected(found: &DataType) -> DataType {
    if found.is_numeric() { DataType::Float64 } else { DataType::Utf8 }
}

impl AggregateUDFImpl for CrystalUdaf {
    fn name(&self) -> &str {
        self.aggregate.name
    }

    fn signature(&self) -> &Signature {
        &self.described.0
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.aggregate.kernel.data_type.clone())
    }

    fn return_field(&self, arguments: &[FieldRef]) -> Result<FieldRef> {
        self.aggregate.check(arguments.iter().map(AsRef::as_ref), &[], &self.environment)?;
        Ok(Arc::new(Field::new(self.name(), self.aggregate.kernel.data_type.clone(), true)))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let field = |(parameter, field): (&Parameter, &FieldRef)| {
            Arc::new(Field::new(
                format_state_name(args.name, parameter.name),
                list_of(collected(field.data_type())),
                true,
            ))
        };
        Ok(self.aggregate.parameters.iter().zip(args.input_fields).map(field).collect())
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let types: Vec<_> = args.expr_fields.iter().map(|field| collected(field.data_type())).collect();
        Ok(Box::new(Rows {
            aggregate: Arc::clone(&self.aggregate),
            environment: self.environment.clone(),
            parts: vec![Vec::new(); types.len()],
            types,
        }))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.described.1)
    }
}

/// The rows of a group as they have come.
#[derive(Debug)]
struct Rows {
    aggregate: Arc<Function<Group>>,
    environment: Environment,
    types: Vec<DataType>,
    /// Of each argument, its columns of batches.
    parts: Vec<Vec<ArrayRef>>,
}

impl Rows {
    /// The rows, a column for each argument.
    fn columns(&self) -> Result<Vec<ArrayRef>> {
        let whole = |(parts, kind): (&Vec<ArrayRef>, &DataType)| match parts.as_slice() {
            [] => Ok(new_empty_array(kind)),
            parts => Ok(concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>())?),
        };
        self.parts.iter().zip(&self.types).map(whole).collect()
    }
}

impl Accumulator for Rows {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let columns = values.iter().zip(&self.types).map(|(column, kind)| Ok(cast(column, kind)?));
        let columns = columns.collect::<Result<Vec<ArrayRef>>>()?;
        let rows = columns.first().map_or(0, |column| column.len());
        let whole: BooleanArray = (0..rows).map(|i| Some(columns.iter().all(|column| column.is_valid(i)))).collect();
        for (part, column) in self.parts.iter_mut().zip(&columns) {
            part.push(filter(column, &whole)?);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let columns = self.columns()?;
        match columns.first().is_none_or(|column| column.is_empty()) {
            true => ScalarValue::try_from(&self.aggregate.kernel.data_type),
            false => (self.aggregate.kernel.answer)(&columns, &self.environment),
        }
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.parts.iter().flatten().map(|part| part.get_array_memory_size()).sum::<usize>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let list = |column: ArrayRef| ScalarValue::List(Arc::new(lists(vec![Some(column.len())], column)));
        Ok(self.columns()?.into_iter().map(list).collect())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for (part, state) in self.parts.iter_mut().zip(states) {
            part.extend(state.as_list::<i32>().iter().flatten());
        }
        Ok(())
    }
}
