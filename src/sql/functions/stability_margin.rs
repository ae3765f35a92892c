use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::diagrams::{DIAGRAM, ENERGY, FORMULA};
use super::{Arguments, CrystalFunction, Parameter};
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Stability Functions"),
    description = "How far the energy of a stable phase may rise before it falls apart into phases of other compositions, in eV/atom; of a phase above the hull, its distance as a negative number. NULL for an element.",
    syntax_example = "stability_margin(diagram, formula, ef)",
    sql_example = "SELECT id, stability_margin((SELECT phase_diagram(formula, formation_energy_per_atom) FROM tmo), formula, formation_energy_per_atom) FROM tmo",
    argument(name = "diagram", description = "What phase_diagram made of the phases."),
    argument(name = "formula", description = "Formula of the phase."),
    argument(name = "ef", description = "Its formation energy, eV/atom, of the functional and scheme of the diagram.")
)]
/// `stability_margin(diagram, formula, ef)`
#[derive(Debug)]
pub struct StabilityMargin;

impl CrystalFunction for StabilityMargin {
    fn name(&self) -> &'static str {
        "stability_margin"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[DIAGRAM, FORMULA, ENERGY] }
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
        let margins = arguments.map_phases(|_, diagram, composition, ef| diagram.stability_margin(composition, ef))?;
        Ok(Arc::new(Float64Array::from(margins)))
    }
}
