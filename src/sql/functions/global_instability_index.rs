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
    doc_section(label = "Stability Functions"),
    description = "Root mean square over the sites of what bond valences miss the oxidation states by, in valence units: below 0.2 in sound crystals. NULL where no oxidation states are neutral.",
    syntax_example = "global_instability_index(structure[, scale])",
    sql_example = "SELECT id FROM tmo WHERE global_instability_index(structure) > 0.5",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "scale",
        description = "Distances are multiplied by it; 1.015 makes up for cells relaxed with a GGA functional; 1 where left out."
    )
)]
/// `global_instability_index(structure[, scale])`
#[derive(Debug)]
pub struct GlobalInstabilityIndex;

impl CrystalFunction for GlobalInstabilityIndex {
    fn name(&self) -> &'static str {
        "global_instability_index"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("structure", Kind::Crystal), Parameter::optional("scale", Kind::Number)] }
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
        let scales = arguments.numbers(1)?;
        let index = arguments.map(|i, s| {
            let scale = scales.as_ref().map_or(1.0, |scales| scales.value(i));
            features::global_instability_index(s, scale).map_err(|e| e.to_string())
        })?;
        Ok(Arc::new(Float64Array::from(index)))
    }
}
