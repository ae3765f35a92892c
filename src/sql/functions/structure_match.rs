use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields};
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
    description = "How well two crystals lie on each other: a STRUCT of same (as same_structure), rms and largest (least root mean square distance of the atoms from their partners, and the largest in that placement, in units of (V/N)^(1/3); NULL where no placement has an rms within stol) and the tolerances ltol, stol, angle_tol by which they were judged.",
    syntax_example = "structure_match(a, b[, ltol[, stol[, angle_tol]]])",
    sql_example = "SELECT p.id, q.id, structure_match(p.structure, q.structure)['rms'] AS rms FROM tmo p JOIN tmo q USING (formula) WHERE p.id < q.id",
    argument(name = "a", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(name = "b", description = "Another."),
    argument(name = "ltol", description = "Relative difference of cell lengths; 0.2 where left out."),
    argument(
        name = "stol",
        description = "Distance of an atom from its partner in units of (V/N)^(1/3); 0.3 where left out."
    ),
    argument(name = "angle_tol", description = "Difference of cell angles, degrees; 5 where left out.")
)]
/// `structure_match(a, b[, ltol[, stol[, angle_tol]]])`
#[derive(Debug)]
pub struct StructureMatch;

impl CrystalFunction for StructureMatch {
    fn name(&self) -> &'static str {
        "structure_match"
    }

    fn parameters(&self) -> &'static [Parameter] {
        PARAMETERS
    }

    fn returns(&self) -> DataType {
        DataType::Struct(fields())
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
        let found = arguments.map_pairs(|i, a, b| {
            let tolerances = tolerances.get(i)?;
            matchable(a, b)?;
            Ok((features::match_structures(a, b, &tolerances), tolerances))
        })?;
        let number = |f: fn(&features::Tolerances) -> f64| -> ArrayRef {
            Arc::new(found.iter().map(|row| row.as_ref().map(|(_, t)| f(t))).collect::<Float64Array>())
        };
        let matched = |f: fn(&features::Match) -> f64| -> ArrayRef {
            Arc::new(found.iter().map(|row| row.as_ref()?.0.as_ref().map(f)).collect::<Float64Array>())
        };
        let same = |row: &Option<(Option<features::Match>, _)>| Some(row.as_ref()?.0.is_some_and(|m| m.same));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(found.iter().map(same).collect::<BooleanArray>()),
            matched(|m| m.rms),
            matched(|m| m.largest),
            number(|t| t.length),
            number(|t| t.site),
            number(|t| t.angle),
        ];
        let valid: NullBuffer = found.iter().map(Option::is_some).collect();
        Ok(Arc::new(StructArray::try_new(fields(), columns, Some(valid))?))
    }
}

fn fields() -> Fields {
    let number = |name: &str| Field::new(name, DataType::Float64, true);
    let names = ["rms", "largest", "ltol", "stol", "angle_tol"];
    std::iter::once(Field::new("same", DataType::Boolean, true)).chain(names.map(number)).collect()
}
