use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::diagrams::{DIAGRAM, ENERGY, FORMULA};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Stability Functions"),
    description = "Whether a phase lies on the convex hull of a phase diagram, or above it by no more than a tolerance.",
    syntax_example = "is_stable(diagram, formula, ef[, tolerance])",
    sql_example = "SELECT id FROM tmo WHERE is_stable((SELECT phase_diagram(formula, formation_energy_per_atom) FROM tmo), formula, formation_energy_per_atom, 0.025)",
    argument(name = "diagram", description = "What phase_diagram made of the phases."),
    argument(name = "formula", description = "Formula of the phase."),
    argument(name = "ef", description = "Its formation energy, eV/atom, of the functional and scheme of the diagram."),
    argument(name = "tolerance", description = "Largest energy above the hull, eV/atom; 0 is the usual one.")
)]
/// `is_stable(diagram, formula, ef[, tolerance])`
#[derive(Debug)]
pub struct IsStable;

impl CrystalFunction for IsStable {
    fn name(&self) -> &'static str {
        "is_stable"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[DIAGRAM, FORMULA, ENERGY, Parameter::optional("tolerance", Kind::Number)] }
    }

    fn returns(&self) -> DataType {
        DataType::Boolean
    }

    fn cost(&self) -> Cost {
        Cost::Crystal
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let tolerance = arguments.numbers(3)?;
        let stable = arguments.map_phases(|i, diagram, composition, ef| {
            let tolerance = tolerance.as_ref().map_or(0.0, |column| column.value(i));
            Ok(diagram.e_above_hull(composition, ef)? <= tolerance)
        })?;
        Ok(Arc::new(BooleanArray::from(stable)))
    }
}
