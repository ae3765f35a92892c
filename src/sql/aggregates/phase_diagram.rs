//! `phase_diagram(formula, ef[, scheme])`

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, ScalarValue, exec_err};

use super::Group;
use crate::environment::Environment;
use crate::functions::{Function, Kind, Omitted, optional, required};
use crystal::Composition;
use stability::{PhaseDiagram, one_scheme};

pub(super) fn function() -> Function<Group> {
    Function {
        name: "phase_diagram",
        text: "Phase diagram of formation energies, for e_above_hull, decomposition, is_stable and stability_margin: \
               text (JSON of formulas and energies) to be made once in a subquery or kept in a table. The elements \
               are included at 0. For each composition the lowest energy is kept. If a scheme is named, rows of two \
               schemes end the query.",
        parameters: vec![
            required("formula", Kind::Text, "Formula of a phase, one row for each."),
            required("ef", Kind::Number, "Its formation energy, eV/atom."),
            optional(
                "scheme",
                Kind::Text,
                Omitted::Means("not compared"),
                "Functional and correction scheme of the energy; energies of different schemes are not comparable.",
            ),
        ],
        unit: None,
        example: "SELECT phase_diagram(formula, formation_energy_per_atom, correction_scheme) FROM sample",
        // A view: a join that repeats the diagram for every row repeats sixteen bytes.
        kernel: Group { data_type: DataType::Utf8View, fields: vec![], answer: Box::new(diagram) },
    }
}

fn diagram(arguments: &[ArrayRef], environment: &Environment) -> Result<ScalarValue> {
    let (formulas, energies) = (arguments[0].as_string::<i32>(), arguments[1].as_primitive::<Float64Type>());
    let schemes = arguments.get(2).map(|column| column.as_string::<i32>());
    let scheme = one_scheme(schemes.into_iter().flatten().flatten())
        .or_else(|reason| exec_err!("phase_diagram: {reason}"))?
        .map(str::to_owned);
    let mut diagram = PhaseDiagram::new(scheme);
    for (formula, energy) in formulas.iter().zip(energies).filter_map(|(formula, energy)| formula.zip(energy)) {
        let added = Composition::parse(formula).map_err(|e| e.to_string()).and_then(|c| diagram.add(&c, energy));
        if let Err(reason) = added {
            environment.warnings().remark(format!("phase_diagram leaves out a row: {reason}"));
        }
    }
    Ok(ScalarValue::Utf8View(Some(diagram.to_text())))
}
