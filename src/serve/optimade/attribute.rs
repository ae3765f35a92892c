//! What OPTIMADE derives from the atoms, as a function of a plan.

use arrow::array::{ArrayRef, new_empty_array};
use arrow::datatypes::{DataType, Field};
use arrow::json::ReaderBuilder;
use columns::StructureColumn;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use formats::optimade_attribute;

use super::properties::{Kind, Standard};

/// The call of an attribute on a crystal; `None` for lists of lists and dictionaries, which no filter looks into.
pub(super) fn call(of: &'static Standard, crystal: Expr) -> Option<Expr> {
    let data_type = data_type(of.kind)?;
    let attribute = Attribute { name: of.name, data_type, signature: Signature::any(1, Volatility::Immutable) };
    Some(ScalarUDF::new_from_impl(attribute).call(vec![crystal]))
}

fn data_type(kind: Kind) -> Option<DataType> {
    match kind {
        Kind::Text => Some(DataType::Utf8),
        Kind::Whole => Some(DataType::Int64),
        Kind::Number => Some(DataType::Float64),
        Kind::List(item) if !matches!(item, Kind::List(_)) => {
            data_type(*item).map(|item| DataType::new_list(item, true))
        }
        _ => None,
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Attribute {
    name: &'static str,
    data_type: DataType,
    signature: Signature,
}

impl Attribute {
    fn of(&self, crystals: &ArrayRef) -> Result<ArrayRef> {
        let wrong = |why| DataFusionError::Execution(format!("{}: {why}", self.name));
        let column = StructureColumn::try_new(crystals).map_err(wrong)?;
        let value = |i| column.get(i).transpose().map(|crystal| crystal.map(|c| optimade_attribute(&c, self.name)));
        let values: Vec<_> =
            (0..column.len()).map(value).collect::<Result<_, _>>().map_err(|error| wrong(error.to_string()))?;
        let field = Field::new("value", self.data_type.clone(), true);
        let mut decoder = ReaderBuilder::new_with_field(field).with_batch_size(values.len().max(1)).build_decoder()?;
        decoder.serialize(&values)?;
        let batch = decoder.flush()?;
        Ok(batch.map_or_else(|| new_empty_array(&self.data_type), |batch| batch.column(0).clone()))
    }
}

impl ScalarUDFImpl for Attribute {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.data_type.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        self.of(&columns[0]).map(ColumnarValue::Array)
    }
}
