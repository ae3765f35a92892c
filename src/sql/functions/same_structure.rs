use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::crystal::Structure;
use crate::features::{self, Tolerances};
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Whether two crystals are the same structure: primitive cells, scaled to one volume, are laid on each other so that every atom is near one of its element. Cell, origin, orientation, order and handedness do not matter. Criterion and default tolerances are those of pymatgen's StructureMatcher.",
    syntax_example = "same_structure(a, b[, ltol[, stol[, angle_tol]]])",
    sql_example = "SELECT p.id, q.id FROM tmo p JOIN tmo q USING (formula) WHERE p.id < q.id AND same_structure(p.structure, q.structure)",
    argument(name = "a", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(name = "b", description = "Another."),
    argument(name = "ltol", description = "Relative difference of cell lengths; 0.2 where left out."),
    argument(
        name = "stol",
        description = "Distance of an atom from its partner in units of (V/N)^(1/3); 0.3 where left out."
    ),
    argument(name = "angle_tol", description = "Difference of cell angles, degrees; 5 where left out.")
)]
/// `same_structure(a, b[, ltol[, stol[, angle_tol]]])`
#[derive(Debug)]
pub struct SameStructure;

impl CrystalFunction for SameStructure {
    fn name(&self) -> &'static str {
        "same_structure"
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
            Ok(features::same_structure(a, b, &tolerances.get(i)?))
        })?;
        Ok(Arc::new(BooleanArray::from(same)))
    }
}

/// Whether both crystals are small enough to be compared.
pub(super) fn matchable(a: &Structure, b: &Structure) -> std::result::Result<(), String> {
    [a, b].into_iter().try_for_each(features::matchable).map_err(|e| e.to_string())
}

/// Two crystals and how far they may differ.
pub(super) const PARAMETERS: &[Parameter] = &[
    Parameter::required("a", Kind::Crystal),
    Parameter::required("b", Kind::Crystal),
    Parameter::optional("ltol", Kind::Number),
    Parameter::optional("stol", Kind::Number),
    Parameter::optional("angle_tol", Kind::Number),
];

/// The tolerances of each row, from the third argument on.
pub(super) struct TolerancesArgument([Option<Float64Array>; 3]);

impl TolerancesArgument {
    pub fn of(arguments: &Arguments) -> Result<Self> {
        Ok(Self([arguments.numbers(2)?, arguments.numbers(3)?, arguments.numbers(4)?]))
    }

    pub fn get(&self, i: usize) -> std::result::Result<Tolerances, String> {
        let default = Tolerances::default();
        let value = |k: usize, default: f64| match &self.0[k] {
            Some(column) if column.is_valid(i) => column.value(i),
            _ => default,
        };
        let [length, site, angle] = [value(0, default.length), value(1, default.site), value(2, default.angle)];
        Tolerances { length, site, angle }.checked()
    }
}

/// Refuses constant tolerances that match everything or nothing while the query is planned.
pub(super) fn check_tolerances(function: &str, constants: &[Option<&ScalarValue>]) -> Result<()> {
    let default = Tolerances::default();
    let value = |i: usize, default: f64| {
        let number = constants.get(i).copied().flatten().and_then(|v| v.cast_to(&DataType::Float64).ok());
        match number {
            Some(ScalarValue::Float64(Some(x))) => x,
            _ => default,
        }
    };
    let [length, site, angle] = [value(2, default.length), value(3, default.site), value(4, default.angle)];
    match (Tolerances { length, site, angle }).checked() {
        Ok(_) => Ok(()),
        Err(reason) => plan_err!("{function}: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_tolerances_are_checked_when_planned() {
        let number = ScalarValue::Float64(Some(0.4));
        let (wide, none) = (ScalarValue::Int64(Some(7)), None);
        check_tolerances("same_structure", &[none, none, Some(&number)]).unwrap();
        let message = check_tolerances("same_structure", &[none, none, none, Some(&wide)]).unwrap_err().to_string();
        assert!(message.contains("same_structure: stol is 7"), "{message}");
    }
}
