use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, StructArray};
use arrow::datatypes::{DataType, Fields, Float64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::CrystalAggregate;
use crate::adsorption::{self, VoltageStep};
use crate::sql::environment::Environment;
use crate::sql::functions::lists::{fields, list_of, lists};
use crate::sql::functions::{Kind, Parameter};

#[user_doc(
    doc_section(label = "Ion Functions"),
    description = "Voltage profile of a host from the energies of its fillings: a list of STRUCTs with `n_from`, `n_to` and `voltage` in V, the plateaus along the lower convex hull of energy over n. A filling above the hull does not appear; a negative voltage says that the metal separates first.",
    syntax_example = "voltage_profile(n, energy, e_ion, valence)",
    sql_example = "SELECT ion, voltage_profile(n, e, 0, 1) FROM (SELECT ion, n, -n * adsorption_potential AS e FROM adsorption WHERE host = 'Nb12WO33' AND ion = 'Li' UNION ALL SELECT 'Li', 0, 0) GROUP BY ion",
    argument(name = "n", description = "Ions in the cell, 0 for the empty host; a row for each filling."),
    argument(name = "energy", description = "Total energy of the cell, eV; the lowest is used for each n."),
    argument(name = "e_ion", description = "Reference energy of the ion, eV/atom, the same in every row."),
    argument(name = "valence", description = "Charge of the cation, the same in every row.")
)]
/// `voltage_profile(n, energy, e_ion, valence)`
#[derive(Debug)]
pub struct VoltageProfile;

impl CrystalAggregate for VoltageProfile {
    fn name(&self) -> &'static str {
        "voltage_profile"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("n", Kind::Number),
                Parameter::required("energy", Kind::Number),
                Parameter::required("e_ion", Kind::Number),
                Parameter::required("valence", Kind::Number),
            ]
        }
    }

    fn returns(&self) -> DataType {
        list_of(DataType::Struct(columns()))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &[ArrayRef], environment: &Environment) -> Result<ScalarValue> {
        let numbers = |i: usize| arguments[i].as_primitive::<Float64Type>().values();
        let fillings: Vec<_> = numbers(0).iter().copied().zip(numbers(1).iter().copied()).collect();
        let steps = match (same(numbers(2)), same(numbers(3))) {
            (Some(e_ion), Some(valence)) => {
                adsorption::voltage_profile(&fillings, e_ion, valence).map_err(|e| e.to_string())
            }
            _ => Err("e_ion and valence differ within a group; GROUP BY host, ion and functional".to_string()),
        };
        match steps {
            Ok(steps) => list(&steps),
            Err(reason) => {
                environment.warnings().note(self.name(), reason);
                ScalarValue::try_from(&self.returns())
            }
        }
    }
}

fn columns() -> Fields {
    fields([("n_from", DataType::Float64), ("n_to", DataType::Float64), ("voltage", DataType::Float64)])
}

/// The number that all are.
fn same(numbers: &[f64]) -> Option<f64> {
    numbers.iter().all(|x| *x == numbers[0]).then(|| numbers[0])
}

fn list(steps: &[VoltageStep]) -> Result<ScalarValue> {
    let column =
        |of: fn(&VoltageStep) -> f64| -> ArrayRef { Arc::new(Float64Array::from_iter_values(steps.iter().map(of))) };
    let arrays = vec![column(|s| s.n_from), column(|s| s.n_to), column(|s| s.voltage)];
    let structs = StructArray::try_new(columns(), arrays, None)?;
    Ok(ScalarValue::List(Arc::new(lists(vec![Some(steps.len())], Arc::new(structs)))))
}
