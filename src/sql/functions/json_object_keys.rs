use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringBuilder};
use arrow::datatypes::{DataType, Field};
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "JSON Functions"),
    description = "The names of the members of a JSON object, alphabetically, as a list; NULL for a document of another kind.",
    syntax_example = "json_object_keys(json)",
    sql_example = "SELECT DISTINCT unnest(json_object_keys(extra)) AS key FROM tmo ORDER BY key",
    argument(name = "json", description = "JSON text, such as the column extra.")
)]
/// `json_object_keys(json)`
#[derive(Debug)]
pub struct JsonObjectKeys;

impl CrystalFunction for JsonObjectKeys {
    fn name(&self) -> &'static str {
        "json_object_keys"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("json", Kind::Text)] }
    }

    fn returns(&self) -> DataType {
        DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))
    }

    fn cost(&self) -> Cost {
        Cost::Cheap
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let mut list = ListBuilder::new(StringBuilder::new());
        let keys = arguments
            .members(|document| Some(document?.as_object()?.keys().map(|key| Some(key.clone())).collect::<Vec<_>>()))?;
        keys.into_iter().for_each(|keys| list.append_option(keys));
        Ok(Arc::new(list.finish()))
    }
}
