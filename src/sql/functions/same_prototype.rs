use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::same_structure::{PARAMETERS, TolerancesArgument, check_tolerances, matchable};
use super::{Arguments, CrystalFunction, Parameter};
use crate::features;
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Whether two crystals are the same structure once the elements of one are exchanged, one for one, for those of the other, as rutile TiO2 and SnO2 are. Tolerances as for same_structure.",
    syntax_example = "same_prototype(a, b[, ltol[, stol[, angle_tol]]])",
    sql_example = "SELECT q.id, q.formula FROM tmo p, tmo q WHERE p.id = 'mp-2657' AND same_prototype(p.structure, q.structure)",
    argument(name = "a", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(name = "b", description = "Another."),
    argument(name = "ltol", description = "Relative difference of cell lengths; 0.2 where left out."),
    argument(
        name = "stol",
        description = "Distance of an atom from its partner in units of (V/N)^(1/3); 0.3 where left out."
    ),
    argument(name = "angle_tol", description = "Difference of cell angles, degrees; 5 where left out.")
)]
/// `same_prototype(a, b[, ltol[, stol[, angle_tol]]])`
#[derive(Debug)]
pub struct SamePrototype;

impl CrystalFunction for SamePrototype {
    fn name(&self) -> &'static str {
        "same_prototype"
    }

    fn parameters(&self) -> &'static [Parameter] {
        PARAMETERS
    }

    fn returns(&self) -> DataType {
        DataType::Boolean
    }

    fn cost(&self) -> Cost {
        Cost::Costly
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn check(&self, constants: &[Option<&ScalarValue>], _: &Environment) -> Result<()> {
        check_tolerances(self.name(), constants)
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let tolerances = TolerancesArgument::of(arguments)?;
        let same = arguments.map_pairs(|i, a, b| {
            matchable(a, b)?;
            Ok(features::same_arrangement(a, b, &tolerances.get(i)?))
        })?;
        Ok(Arc::new(BooleanArray::from(same)))
    }
}
