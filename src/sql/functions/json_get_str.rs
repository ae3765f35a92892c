use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Parameter, json};
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "JSON Functions"),
    description = "A member of a JSON document that is a string; NULL where there is none, or another kind of member.",
    syntax_example = "json_get_str(json, key[, key2[, key3]])",
    sql_example = "SELECT id FROM tmo WHERE json_get_str(extra, 'name') LIKE '%tunnel%'",
    argument(name = "json", description = "JSON text, such as the column extra."),
    argument(name = "key", description = "Name of a member, or a place in an array from 0; below 0 from its end."),
    argument(name = "key2", description = "The same inside that member."),
    argument(name = "key3", description = "The same inside that one.")
)]
/// `json_get_str(json, key[, key2[, key3]])`
#[derive(Debug)]
pub struct JsonGetStr;

impl CrystalFunction for JsonGetStr {
    fn name(&self) -> &'static str {
        "json_get_str"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &json::PATH
    }

    fn returns(&self) -> DataType {
        DataType::Utf8
    }

    fn cost(&self) -> Cost {
        Cost::Cheap
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let texts = arguments.members(|member| member?.as_str().map(str::to_owned))?;
        Ok(Arc::new(StringArray::from(texts)))
    }
}
