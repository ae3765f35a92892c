use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::formula::composition;
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Formula in smallest whole numbers: `TiO2` for rutile.",
    syntax_example = "reduced_formula(structure)",
    sql_example = "SELECT reduced_formula(structure), count(*) FROM tmo GROUP BY 1",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text.")
)]
/// `reduced_formula(structure)`
#[derive(Debug)]
pub struct ReducedFormula;

impl CrystalFunction for ReducedFormula {
    fn name(&self) -> &'static str {
        "reduced_formula"
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
        let formula = arguments.map_slices(
            |_, numbers| Some(composition(numbers)?.reduced_formula()),
            |s| Ok(s.composition().reduced_formula()),
        )?;
        Ok(Arc::new(StringArray::from(formula)))
    }
}
