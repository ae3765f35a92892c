use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray, StructArray};
use arrow::datatypes::{DataType, Fields};
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::diagrams::{DIAGRAM, Diagrams, FORMULA};
use super::lists::{fields, list_of, lists};
use super::{Arguments, CrystalFunction, Parameter};
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Stability Functions"),
    description = "The phases of the convex hull into which a composition falls apart: a list of STRUCTs with `formula`, `fraction` (share of the atoms) and `ef` (eV/atom), the largest share first. A phase of the hull is its own decomposition.",
    syntax_example = "decomposition(diagram, formula)",
    sql_example = "SELECT id, decomposition((SELECT phase_diagram(formula, formation_energy_per_atom) FROM tmo), formula) FROM tmo",
    argument(name = "diagram", description = "What phase_diagram made of the phases."),
    argument(name = "formula", description = "The composition.")
)]
/// `decomposition(diagram, formula)`
#[derive(Debug)]
pub struct Decomposition;

impl CrystalFunction for Decomposition {
    fn name(&self) -> &'static str {
        "decomposition"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[DIAGRAM, FORMULA] }
    }

    fn returns(&self) -> DataType {
        list_of(DataType::Struct(columns()))
    }

    fn cost(&self) -> Cost {
        Cost::Crystal
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let diagrams = Diagrams::of(arguments)?;
        let found = arguments.rows(|i| {
            let (diagram, composition) = diagrams.row(i)?;
            Some(composition.and_then(|composition| diagram.decomposition(&composition)))
        });
        let parts = || found.iter().flatten().flatten();
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(parts().map(|part| Some(part.formula.as_str())).collect::<StringArray>()),
            Arc::new(Float64Array::from_iter_values(parts().map(|part| part.fraction))),
            Arc::new(Float64Array::from_iter_values(parts().map(|part| part.energy))),
        ];
        let structs = StructArray::try_new(columns(), arrays, None)?;
        let lengths = found.iter().map(|parts| parts.as_ref().map(Vec::len)).collect();
        Ok(Arc::new(lists(lengths, Arc::new(structs))))
    }
}

fn columns() -> Fields {
    fields([("formula", DataType::Utf8), ("fraction", DataType::Float64), ("ef", DataType::Float64)])
}
