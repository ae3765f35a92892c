use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::formats;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "The structure as CIF text, in P1: every site is listed.",
    syntax_example = "to_cif(structure)",
    sql_example = "SELECT to_cif(structure) FROM tmo LIMIT 1",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text.")
)]
/// `to_cif(structure)`
#[derive(Debug)]
pub struct ToCif;

impl CrystalFunction for ToCif {
    fn name(&self) -> &'static str {
        "to_cif"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("structure", Kind::Crystal)] }
    }

    fn returns(&self) -> DataType {
        DataType::Utf8
    }

    fn cost(&self) -> Cost {
        Cost::Crystal
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let text = arguments.map(|_, s| Ok(formats::to_cif(s, &s.composition().reduced_formula())))?;
        Ok(Arc::new(StringArray::from(text)))
    }
}
