use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Parameter, json};
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "JSON Functions"),
    description = "A member of a JSON document that is a whole number, `2.0` among them; NULL where there is none, or another kind of member.",
    syntax_example = "json_get_int(json, key[, key2[, key3]])",
    sql_example = "SELECT id, json_get_int(extra, 'calculation') FROM tmo",
    argument(name = "json", description = "JSON text, such as the column extra."),
    argument(name = "key", description = "Name of a member, or a place in an array from 0; below 0 from its end."),
    argument(name = "key2", description = "The same inside that member."),
    argument(name = "key3", description = "The same inside that one.")
)]
/// `json_get_int(json, key[, key2[, key3]])`
#[derive(Debug)]
pub struct JsonGetInt;

impl CrystalFunction for JsonGetInt {
    fn name(&self) -> &'static str {
        "json_get_int"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &json::PATH
    }

    fn returns(&self) -> DataType {
        DataType::Int64
    }

    fn cost(&self) -> Cost {
        Cost::Cheap
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let whole = |x: f64| (x.fract() == 0.0 && x.abs() < 9e15).then_some(x as i64);
        let numbers = arguments.members(|member| member?.as_i64().or_else(|| whole(member?.as_f64()?)))?;
        Ok(Arc::new(Int64Array::from(numbers)))
    }
}
