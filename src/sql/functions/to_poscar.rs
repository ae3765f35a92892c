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
    description = "The structure as VASP 5 POSCAR text, with fractional coordinates.",
    syntax_example = "to_poscar(structure)",
    sql_example = "SELECT to_poscar(structure) FROM tmo LIMIT 1",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text.")
)]
/// `to_poscar(structure)`
#[derive(Debug)]
pub struct ToPoscar;

impl CrystalFunction for ToPoscar {
    fn name(&self) -> &'static str {
        "to_poscar"
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
        let text = arguments.map(|_, s| Ok(formats::to_poscar(s, &s.composition().reduced_formula())))?;
        Ok(Arc::new(StringArray::from(text)))
    }
}
