use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, ListArray, StringArray, StructArray};
use arrow::datatypes::{DataType, Fields};
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::lists::{fields, list_of, lists};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::crystal::{Composition, Element};
use crate::features;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Stability Functions"),
    description = "The oxidation states with which a composition is neutral: a list of STRUCTs `element` and `state`, the mean where an element is of mixed valence (8/3 for Fe in Fe3O4). One valence goes before two, then the commoner states. NULL where no choice is neutral.",
    syntax_example = "oxidation_states(crystal)",
    sql_example = "SELECT formula, oxidation_states(formula) FROM tmo WHERE formula = 'Fe3O4'",
    argument(name = "crystal", description = "A structure, a formula such as `Mo3VO14`, or CIF, POSCAR or JSON text.")
)]
/// `oxidation_states(crystal)`
#[derive(Debug)]
pub struct OxidationStates;

impl CrystalFunction for OxidationStates {
    fn name(&self) -> &'static str {
        "oxidation_states"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("crystal", Kind::Composition)] }
    }

    fn returns(&self) -> DataType {
        states_type()
    }

    fn cost(&self) -> Cost {
        Cost::Crystal
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let found = arguments.map_compositions(|_, amounts| {
            let composition: Composition = amounts.iter().copied().collect();
            features::neutral_states(&composition)
                .ok_or_else(|| format!("{} has no neutral oxidation states", composition.reduced_formula()))
        })?;
        Ok(Arc::new(state_lists(&found)?))
    }
}

/// The type of a list of oxidation states.
pub(super) fn states_type() -> DataType {
    list_of(DataType::Struct(columns()))
}

/// Lists of oxidation states, one a row.
pub(super) fn state_lists<S: AsRef<[(Element, f64)]>>(found: &[Option<S>]) -> Result<ListArray> {
    let states = || found.iter().flatten().flat_map(AsRef::as_ref);
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(states().map(|(element, _)| Some(element.symbol())).collect::<StringArray>()),
        Arc::new(states().map(|(_, state)| *state).collect::<Float64Array>()),
    ];
    let lengths = found.iter().map(|row| row.as_ref().map(|row| row.as_ref().len())).collect();
    Ok(lists(lengths, Arc::new(StructArray::try_new(columns(), arrays, None)?)))
}

fn columns() -> Fields {
    fields([("element", DataType::Utf8), ("state", DataType::Float64)])
}
