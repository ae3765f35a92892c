use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::diagrams::{DIAGRAM, Diagrams, ENERGY, FORMULA};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Stability Functions"),
    description = "How far a phase lies above the convex hull of a phase diagram, in eV/atom: what it gains by falling apart into the phases of the hull. 0 on the hull; negative for a phase that the diagram lacks and that would be stable. Where diagram and call name different schemes the query ends.",
    syntax_example = "e_above_hull(diagram, formula, ef[, scheme])",
    sql_example = "SELECT id, e_above_hull((SELECT phase_diagram(formula, formation_energy_per_atom) FROM tmo), formula, formation_energy_per_atom) FROM tmo",
    argument(name = "diagram", description = "What phase_diagram made of the phases."),
    argument(name = "formula", description = "Formula of the phase."),
    argument(name = "ef", description = "Its formation energy, eV/atom, of the functional and scheme of the diagram."),
    argument(name = "scheme", description = "Functional and correction scheme of the energy.")
)]
/// `e_above_hull(diagram, formula, ef[, scheme])`
#[derive(Debug)]
pub struct EAboveHull;

impl CrystalFunction for EAboveHull {
    fn name(&self) -> &'static str {
        "e_above_hull"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[DIAGRAM, FORMULA, ENERGY, Parameter::optional("scheme", Kind::Text)] }
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
        if let Some(schemes) = arguments.texts(3)? {
            for diagram in Diagrams::of(arguments)?.distinct() {
                let differs = |scheme: &&str| diagram.scheme().is_some_and(|own| own != *scheme);
                if let (Some(other), Some(own)) = (schemes.iter().flatten().find(differs), diagram.scheme()) {
                    return exec_err!(
                        "e_above_hull: an energy of '{other}' has no place in a phase diagram of '{own}'"
                    );
                }
            }
        }
        let above = arguments.map_phases(|_, diagram, composition, ef| diagram.e_above_hull(composition, ef))?;
        Ok(Arc::new(Float64Array::from(above)))
    }
}
