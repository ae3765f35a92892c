//! A new crystal in a row, and the columns that follow it.
//!
//! The lake evaluates the new value of each column by itself. The crystal may come from a relaxation, so it is computed once for a batch:
//! the function here takes the columns that the crystal is computed from, and remembers its last answer by the very arrays.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StructArray};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use datafusion::common::{Column, DFSchema, Result, exec_datafusion_err};
use datafusion::execution::SessionState;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, cast,
};
use datafusion::physical_expr::PhysicalExpr;

use store::{derive, derived_fields};

/// The values of `structure` and of the derived columns of a table of `schema` whose rows get the crystal `crystal`.
pub(super) fn crystal_columns(state: &SessionState, schema: &SchemaRef, crystal: Expr) -> Result<Vec<(String, Expr)>> {
    let structure = schema.field_with_name("structure")?.clone();
    let mut used: Vec<String> = crystal.column_refs().into_iter().map(|column| column.name.clone()).collect();
    used.sort();
    let fields = used.iter().map(|name| schema.field_with_name(name).cloned()).collect::<Result<Vec<_>, _>>()?;
    let arguments = Arc::new(Schema::new(fields));
    let computed = cast(crystal, structure.data_type().clone());
    let value = state.create_physical_expr(computed, &DFSchema::try_from(Arc::clone(&arguments))?)?;
    let fields: Fields =
        std::iter::once(Arc::new(structure.with_nullable(true))).chain(derived_fields().iter().cloned()).collect();
    let call = ScalarUDF::from(Assigned(Arc::new(Crystal {
        arguments,
        value,
        fields: fields.clone(),
        // As many arguments as there are columns, of any type.
        signature: match used.len() {
            0 => Signature::nullary(Volatility::Immutable),
            n => Signature::any(n, Volatility::Immutable),
        },
        last: Mutex::default(),
    })));
    let call = call.call(used.into_iter().map(|name| Expr::Column(Column::new_unqualified(name))).collect());
    let column = |field: &Arc<Field>| {
        let kept = schema.field_with_name(field.name())?.data_type().clone();
        Ok((field.name().clone(), cast(get_field(call.clone(), field.name().as_str()), kept)))
    };
    fields.iter().map(column).collect()
}

/// The function of one statement.
#[derive(Debug)]
struct Crystal {
    arguments: SchemaRef,
    value: Arc<dyn PhysicalExpr>,
    fields: Fields,
    signature: Signature,
    last: Mutex<Option<(Vec<ArrayRef>, usize, ArrayRef)>>,
}

/// Two are the same where they belong to one statement.
#[derive(Debug, Clone)]
struct Assigned(Arc<Crystal>);

impl PartialEq for Assigned {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Assigned {}

impl Hash for Assigned {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

impl ScalarUDFImpl for Assigned {
    fn name(&self) -> &str {
        "assigned_crystal"
    }

    fn signature(&self) -> &Signature {
        &self.0.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(self.0.fields.clone()))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let columns = ColumnarValue::values_to_arrays(&arguments.args)?;
        let mut last = self.0.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, count, answer)) = last.as_ref()
            && *count == rows
            && of.len() == columns.len()
            && of.iter().zip(&columns).all(|(a, b)| Arc::ptr_eq(a, b))
        {
            return Ok(ColumnarValue::Array(Arc::clone(answer)));
        }
        let answer = self.0.compute(columns.clone(), rows)?;
        *last = Some((columns, rows, Arc::clone(&answer)));
        Ok(ColumnarValue::Array(answer))
    }
}

impl Crystal {
    fn compute(&self, columns: Vec<ArrayRef>, rows: usize) -> Result<ArrayRef> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.arguments), columns, &options)?;
        let structures = self.value.evaluate(&batch)?.into_array(rows)?;
        let derived =
            derive(&structures).map_err(|(i, why)| exec_datafusion_err!("row {} of a batch: {why}", i + 1))?;
        let columns: Vec<ArrayRef> = std::iter::once(structures).chain(derived).collect();
        Ok(Arc::new(StructArray::try_new(self.fields.clone(), columns, None)?))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use arrow::array::{Array, AsArray};
    use datafusion::logical_expr::{col, create_udf};
    use datafusion::prelude::SessionContext;

    use super::*;
    use columns::{structure_type, structures};
    use crystal::{Structure, testing::rutile};

    #[test]
    fn a_costly_crystal_is_computed_once_for_all_columns_of_a_batch() {
        let rutile = rutile();
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let relaxed = create_udf(
            "relaxed",
            vec![structure_type()],
            structure_type(),
            Volatility::Immutable,
            Arc::new(move |arguments: &[ColumnarValue]| {
                counted.fetch_add(1, Ordering::SeqCst);
                Ok(arguments[0].clone())
            }),
        );
        let state = SessionContext::new().state();
        let schema = store::schema();
        let new = crystal_columns(&state, &schema, relaxed.call(vec![col("structure")])).unwrap();
        assert_eq!(new.len(), 13);
        let table = DFSchema::try_from(Arc::clone(&schema)).unwrap();
        let values: Vec<(String, Arc<dyn PhysicalExpr>)> =
            new.into_iter().map(|(name, value)| (name, state.create_physical_expr(value, &table).unwrap())).collect();
        for batch in 1..=2 {
            let rows: [Option<&Structure>; 2] = [Some(&rutile), None];
            let column: ArrayRef = Arc::new(structures(rows.into_iter()));
            let columns = schema.fields().iter().map(|field| match field.name().as_str() {
                "structure" => Arc::clone(&column),
                _ => arrow::array::new_null_array(field.data_type(), 2),
            });
            let rows = RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap();
            for (name, value) in &values {
                let value = value.evaluate(&rows).unwrap().into_array(2).unwrap();
                assert!(value.is_valid(0) && value.is_null(1), "{name}");
                if name == "formula" {
                    assert_eq!(value.as_string::<i32>().value(0), "TiO2");
                }
            }
            assert_eq!(asked.load(Ordering::SeqCst), batch);
        }
    }
}
