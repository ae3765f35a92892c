use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Builder, ListBuilder};
use arrow::datatypes::{DataType, Field};
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::features;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Powder pattern as a descriptor: the density of diffracted intensity at 2θ = 0, 1, ... 127° (1/degree), 128 numbers that sum to about 1, equal to matminer's `XRDPowderPattern`. Cu K-alpha; each peak of `xrd_peaks` counts by the whole part of its intensity and is smoothed by a Gaussian whose width is 5 % of the pattern's standard deviation. NULL for a pattern with a single line.",
    syntax_example = "xrd(structure)",
    sql_example = "SELECT id, xrd(structure) FROM tmo",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text.")
)]
/// `xrd(structure)`
#[derive(Debug)]
pub struct Xrd;

impl CrystalFunction for Xrd {
    fn name(&self) -> &'static str {
        "xrd"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("structure", Kind::Crystal)] }
    }

    fn returns(&self) -> DataType {
        DataType::List(Arc::new(Field::new_list_field(DataType::Float64, true)))
    }

    fn cost(&self) -> Cost {
        Cost::Costly
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let rows = arguments.map(|_, s| features::xrd_vector(s).map_err(|e| e.to_string()))?;
        let values = Float64Builder::with_capacity(rows.len() * features::XRD_LEN);
        let mut lists = ListBuilder::with_capacity(values, rows.len());
        for row in rows {
            if let Some(row) = row {
                lists.values().append_slice(&row);
                lists.append(true);
            } else {
                lists.append_null();
            }
        }
        Ok(Arc::new(lists.finish()))
    }
}
