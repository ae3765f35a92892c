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
    description = "Pauling's second rule: cations give an anion their charge over their coordination number each. Root mean square over the anions of what these strengths miss the charge of the anion by, in valence units: 0 in rutile, 0.89 in V2O5. It ranks crystals; most oxides break the rule somewhat. NULL where no oxidation states are neutral.",
    syntax_example = "electrostatic_valence(structure)",
    sql_example = "SELECT id FROM tmo ORDER BY electrostatic_valence(structure) LIMIT 5",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text.")
)]
/// `electrostatic_valence(structure)`
#[derive(Debug)]
pub struct ElectrostaticValence;

impl CrystalFunction for ElectrostaticValence {
    fn name(&self) -> &'static str {
        "electrostatic_valence"
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
        let deviation = arguments.map(|_, s| features::electrostatic_valence(s).map_err(|e| e.to_string()))?;
        Ok(Arc::new(Float64Array::from(deviation)))
    }
}
