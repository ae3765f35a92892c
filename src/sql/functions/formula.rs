use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::crystal::{Composition, Element};
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Formula of the whole cell, electropositive elements first: `Ti2O4` for rutile.",
    syntax_example = "formula(structure)",
    sql_example = "SELECT id, formula(structure) FROM tmo",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text.")
)]
/// `formula(structure)`
#[derive(Debug)]
pub struct Formula;

impl CrystalFunction for Formula {
    fn name(&self) -> &'static str {
        "formula"
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
        let formula = arguments
            .map_slices(|_, numbers| Some(composition(numbers)?.formula()), |s| Ok(s.composition().formula()))?;
        Ok(Arc::new(StringArray::from(formula)))
    }
}

/// Composition of a list of atomic numbers; `None` where one is no element.
pub(super) fn composition(numbers: &[i32]) -> Option<Composition> {
    let elements: Option<Vec<Element>> = numbers.iter().map(|&z| Element::from_z(i64::from(z)).ok()).collect();
    elements.filter(|elements| !elements.is_empty()).map(|elements| Composition::from_elements(&elements))
}
