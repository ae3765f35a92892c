use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::adsorption;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Ion Functions"),
    description = "Gibbs energy e + p dv - t ds in eV. In a solid at ambient conditions the two terms are some meV.",
    syntax_example = "gibbs(e, p, dv, t, ds)",
    sql_example = "SELECT gibbs(-4.4, 0.0001, 10, 300, 8.6e-5)",
    argument(name = "e", description = "Energy, eV."),
    argument(name = "p", description = "Pressure, GPa."),
    argument(name = "dv", description = "Change of volume, Å³."),
    argument(name = "t", description = "Temperature, K."),
    argument(name = "ds", description = "Change of entropy, eV/K.")
)]
/// `gibbs(e, p, dv, t, ds)`
#[derive(Debug)]
pub struct Gibbs;

impl CrystalFunction for Gibbs {
    fn name(&self) -> &'static str {
        "gibbs"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("e", Kind::Number),
                Parameter::required("p", Kind::Number),
                Parameter::required("dv", Kind::Number),
                Parameter::required("t", Kind::Number),
                Parameter::required("ds", Kind::Number),
            ]
        }
    }

    fn returns(&self) -> DataType {
        DataType::Float64
    }

    fn cost(&self) -> Cost {
        Cost::Cheap
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        arguments.map_numbers(|[e, p, dv, t, ds]| adsorption::gibbs(e, p, dv, t, ds).map_err(|e| e.to_string()))
    }
}
