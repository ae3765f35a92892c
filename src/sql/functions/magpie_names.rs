use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringBuilder};
use arrow::datatypes::{DataType, Field};
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Parameter};
use crate::features;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Names of the 132 numbers of `magpie`, in order, from `minimum Number` to `mode SpaceGroupNumber`.",
    syntax_example = "magpie_names()",
    sql_example = "SELECT unnest(magpie_names()) AS name"
)]
/// `magpie_names()`
#[derive(Debug)]
pub struct MagpieNames;

impl CrystalFunction for MagpieNames {
    fn name(&self) -> &'static str {
        "magpie_names"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[]
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
        let mut names = ListBuilder::new(StringBuilder::new());
        for _ in 0..arguments.rows {
            names.append_value(features::magpie_names().iter().map(Some));
        }
        Ok(Arc::new(names.finish()))
    }
}
