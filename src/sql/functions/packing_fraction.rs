use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::void::{RadiiArgument, check_radii};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::features;
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Volume of all atomic spheres over the volume of the cell. Overlaps count twice, so that it may exceed 1.",
    syntax_example = "packing_fraction(structure[, radii])",
    sql_example = "SELECT id, packing_fraction(structure, 'ionic') FROM tmo",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(name = "radii", description = "Radius set: atomic (the default), covalent, ionic or vdw.")
)]
/// `packing_fraction(structure[, radii])`
#[derive(Debug)]
pub struct PackingFraction;

impl CrystalFunction for PackingFraction {
    fn name(&self) -> &'static str {
        "packing_fraction"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("structure", Kind::Crystal), Parameter::optional("radii", Kind::Text)] }
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

    fn check(&self, constants: &[Option<&ScalarValue>], _: &Environment) -> Result<()> {
        check_radii(self.name(), constants.get(1).copied().flatten())
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let radii = RadiiArgument::of(arguments, 1)?;
        let fraction = arguments.map(|i, s| features::packing_fraction(s, radii.get(i)?).map_err(|e| e.to_string()))?;
        Ok(Arc::new(Float64Array::from(fraction)))
    }
}
