use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::CrystalAggregate;
use crate::crystal::Composition;
use crate::sql::environment::Environment;
use crate::sql::functions::{Kind, Parameter};
use crate::stability::{PhaseDiagram, one_scheme};

#[user_doc(
    doc_section(label = "Stability Functions"),
    description = "Phase diagram of formation energies: the argument of e_above_hull, decomposition, is_stable and stability_margin, as text (JSON of formulas and energies), to be made once in a subquery or kept in a table. The elements are in it at 0. Of one composition the lowest energy stays. Where a scheme is named, rows of two schemes end the query.",
    syntax_example = "phase_diagram(formula, ef[, scheme])",
    sql_example = "SELECT phase_diagram(formula, formation_energy_per_atom, correction_scheme) FROM tmo",
    argument(name = "formula", description = "Formula of a phase; a row for each."),
    argument(name = "ef", description = "Its formation energy, eV/atom."),
    argument(
        name = "scheme",
        description = "Functional and correction scheme of the energy: energies of two have no common zero."
    )
)]
/// `phase_diagram(formula, ef[, scheme])`
#[derive(Debug)]
pub struct PhaseDiagramOf;

impl CrystalAggregate for PhaseDiagramOf {
    fn name(&self) -> &'static str {
        "phase_diagram"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("formula", Kind::Text),
                Parameter::required("ef", Kind::Number),
                Parameter::optional("scheme", Kind::Text),
            ]
        }
    }

    /// A view: a join that repeats the diagram for every row repeats sixteen bytes.
    fn returns(&self) -> DataType {
        DataType::Utf8View
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &[ArrayRef], environment: &Environment) -> Result<ScalarValue> {
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
}
