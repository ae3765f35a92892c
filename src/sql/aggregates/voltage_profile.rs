//! `voltage_profile(n, energy, e_ion, valence)`

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::Float64Type;
use datafusion::common::ScalarValue;

use super::Group;
use crate::functions::kernel::{Columns, Output, lists_of};
use crate::functions::{Function, Kind, required};
use adsorption::{self, VoltageStep};

pub(super) fn function() -> Function<Group> {
    let Output { data_type, fields, array, .. } = lists_of(
        Columns::<VoltageStep>::new()
            .field("n_from", None, "Ions in the cell where the plateau begins.", |step| step.n_from)
            .field("n_to", None, "Ions in the cell where it ends.", |step| step.n_to)
            .field("voltage", Some("V"), "Its voltage; if negative, the metal separates first.", |step| step.voltage),
    );
    Function {
        name: "voltage_profile",
        text: "Voltage profile of a host from the energies of its fillings: the plateaus along the lower convex hull \
               of the energy over n. A filling above the hull does not appear.",
        parameters: vec![
            required("n", Kind::Number, "Ions in the cell, 0 for the empty host; one row for each filling."),
            required("energy", Kind::Number, "Total energy of the cell, eV; the lowest is used for each n."),
            required("e_ion", Kind::Number, "Elemental reference energy of the ion, eV/atom, the same in every row."),
            required("valence", Kind::Number, "Charge of the cation, the same in every row."),
        ],
        unit: None,
        example: "SELECT ion, voltage_profile(n, e, 0, 1) FROM (SELECT ion, n, -n * adsorption_potential AS e FROM \
                  adsorption WHERE host = 'Nb12WO33' AND ion = 'Li' UNION ALL SELECT 'Li', 0, 0) GROUP BY ion",
        kernel: Group {
            data_type,
            fields,
            answer: Box::new(move |arguments, environment| {
                let note = |reason| environment.warnings().note("voltage_profile", reason);
                ScalarValue::try_from_array(&array(vec![steps(arguments).map_err(note).ok()]), 0)
            }),
        },
    }
}

fn steps(arguments: &[ArrayRef]) -> Result<Vec<VoltageStep>, String> {
    let numbers = |i: usize| arguments[i].as_primitive::<Float64Type>().values();
    let fillings: Vec<_> = numbers(0).iter().copied().zip(numbers(1).iter().copied()).collect();
    match (same(numbers(2)), same(numbers(3))) {
        (Some(e_ion), Some(valence)) => {
            adsorption::voltage_profile(&fillings, e_ion, valence).map_err(|e| e.to_string())
        }
        _ => Err("e_ion and valence differ within a group; GROUP BY host, ion and functional".to_string()),
    }
}

/// The number that all are.
fn same(numbers: &[f64]) -> Option<f64> {
    numbers.iter().all(|x| *x == numbers[0]).then(|| numbers[0])
}
