use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::features;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Mass density in g/cm³, from standard atomic weights.",
    syntax_example = "density(structure)",
    sql_example = "SELECT id, density(structure) FROM tmo",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text.")
)]
/// `density(structure)`
#[derive(Debug)]
pub struct Density;

impl CrystalFunction for Density {
    fn name(&self) -> &'static str {
        "density"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("structure", Kind::Crystal)] }
    }

    fn returns(&self) -> DataType {
        DataType::Float64
    }

    fn cost(&self) -> Cost {
        Cost::Crystal
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let density = arguments.map(|_, s| Ok(features::density(s)))?;
        Ok(Arc::new(Float64Array::from(density)))
    }
}
