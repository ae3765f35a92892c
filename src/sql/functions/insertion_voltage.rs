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
    description = "Average voltage of an insertion against the metal in V: the adsorption potential divided by the charge of the ion. For Li the two are equal in number, for Ca the voltage is half of it.",
    syntax_example = "insertion_voltage(e_inserted, e_host, e_ion, n, valence)",
    sql_example = "SELECT insertion_voltage(-407.36, -400.0, -1.980, 2, 2)",
    argument(name = "e_inserted", description = "Total energy of the cell with the ions, eV."),
    argument(name = "e_host", description = "Total energy of the same cell without them, eV."),
    argument(name = "e_ion", description = "Reference energy of the ion, eV/atom, of the same functional."),
    argument(name = "n", description = "Number of ions in the cell."),
    argument(name = "valence", description = "Charge of the cation: 1 for Li, 2 for Ca, 3 for Al.")
)]
/// `insertion_voltage(e_inserted, e_host, e_ion, n, valence)`
#[derive(Debug)]
pub struct InsertionVoltage;

impl CrystalFunction for InsertionVoltage {
    fn name(&self) -> &'static str {
        "insertion_voltage"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("e_inserted", Kind::Number),
                Parameter::required("e_host", Kind::Number),
                Parameter::required("e_ion", Kind::Number),
                Parameter::required("n", Kind::Number),
                Parameter::required("valence", Kind::Number),
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
        arguments.map_numbers(|[e_inserted, e_host, e_ion, n, valence]| {
            adsorption::insertion_voltage(e_inserted, e_host, e_ion, n, valence).map_err(|e| e.to_string())
        })
    }
}
