use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::crystal::Lattice;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Volume of the cell in Å³.",
    syntax_example = "volume(structure)",
    sql_example = "SELECT id, volume(structure) / natoms(structure) AS volume_per_atom FROM tmo",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text.")
)]
/// `volume(structure)`
#[derive(Debug)]
pub struct Volume;

impl CrystalFunction for Volume {
    fn name(&self) -> &'static str {
        "volume"
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
        let volume = arguments.map_slices(
            |lattice, _| {
                let rows: &[f64; 9] = lattice.try_into().ok()?;
                Some(Lattice::new(std::array::from_fn(|r| std::array::from_fn(|c| rows[3 * r + c]))).ok()?.volume())
            },
            |s| Ok(s.volume()),
        )?;
        Ok(Arc::new(Float64Array::from(volume)))
    }
}
