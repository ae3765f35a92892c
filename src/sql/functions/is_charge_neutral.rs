use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::crystal::Composition;
use crate::features;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Stability Functions"),
    description = "Whether oxidation states that the elements are met in sum to zero: one state an element, or one element of mixed valence (Fe3O4). It asks the composition alone and costs little: a filter for candidates.",
    syntax_example = "is_charge_neutral(crystal)",
    sql_example = "SELECT count(*) FROM tmo WHERE NOT is_charge_neutral(formula)",
    argument(name = "crystal", description = "A structure, a formula such as `Mo3VO14`, or CIF, POSCAR or JSON text.")
)]
/// `is_charge_neutral(crystal)`
#[derive(Debug)]
pub struct IsChargeNeutral;

impl CrystalFunction for IsChargeNeutral {
    fn name(&self) -> &'static str {
        "is_charge_neutral"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("crystal", Kind::Composition)] }
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
        let neutral = arguments.map_compositions(|_, amounts| {
            let composition: Composition = amounts.iter().copied().collect();
            Ok(features::neutral_states(&composition).is_some())
        })?;
        Ok(Arc::new(BooleanArray::from(neutral)))
    }
}
