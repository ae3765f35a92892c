use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Number of atoms in the cell.",
    syntax_example = "natoms(structure)",
    sql_example = "SELECT id, natoms(structure) FROM tmo",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text.")
)]
/// `natoms(structure)`
#[derive(Debug)]
pub struct Natoms;

impl CrystalFunction for Natoms {
    fn name(&self) -> &'static str {
        "natoms"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("structure", Kind::Crystal)] }
    }

    fn returns(&self) -> DataType {
        DataType::Int32
    }

    fn cost(&self) -> Cost {
        Cost::Crystal
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let count = |n: usize| i32::try_from(n).ok();
        let natoms = arguments.map_slices(
            |_, numbers| count(numbers.len()),
            |s| count(s.len()).ok_or_else(|| format!("{} atoms do not fit an INT", s.len())),
        )?;
        Ok(Arc::new(Int32Array::from(natoms)))
    }
}
