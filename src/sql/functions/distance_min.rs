use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Shortest distance between two atoms in Å, periodic images included.",
    syntax_example = "distance_min(structure)",
    sql_example = "SELECT id FROM tmo WHERE distance_min(structure) < 1.5",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text.")
)]
/// `distance_min(structure)`
#[derive(Debug)]
pub struct DistanceMin;

impl CrystalFunction for DistanceMin {
    fn name(&self) -> &'static str {
        "distance_min"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("structure", Kind::Crystal)] }
    }

    fn returns(&self) -> DataType {
        DataType::Float64
    }

    fn cost(&self) -> Cost {
        Cost::Costly
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let distance = arguments.map(|_, s| Ok(s.distance_min()))?;
        Ok(Arc::new(Float64Array::from(distance)))
    }
}
