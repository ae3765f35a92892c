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
    description = "Whether the composition is neutral with every cation less electronegative (Pauling) than every anion, the test of SMACT.",
    syntax_example = "electronegativity_balanced(crystal)",
    sql_example = "SELECT count(*) FROM tmo WHERE electronegativity_balanced(formula)",
    argument(name = "crystal", description = "A structure, a formula such as `Mo3VO14`, or CIF, POSCAR or JSON text.")
)]
/// `electronegativity_balanced(crystal)`
#[derive(Debug)]
pub struct ElectronegativityBalanced;

impl CrystalFunction for ElectronegativityBalanced {
    fn name(&self) -> &'static str {
        "electronegativity_balanced"
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
        let balanced = arguments.map_compositions(|_, amounts| {
            let composition: Composition = amounts.iter().copied().collect();
            Ok(features::electronegativity_balanced(&composition))
        })?;
        Ok(Arc::new(BooleanArray::from(balanced)))
    }
}
