use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::lists::{Rows, list_of};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::features::{self, SymmetryFunctionOptions};
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Atom-centred symmetry functions of each site, in dscribe's order: for each element by atomic number G1 and four G2 (eta r_cut² = 0.05, 4, 20, 80), then for each pair of elements four G4 (eta r_cut² = 0.005; zeta, lambda = 1, 1; 1, -1; 4, 1; 4, -1).",
    syntax_example = "symmetry_functions(structure[, r_cut])",
    sql_example = "SELECT id, symmetry_functions(structure)[1] FROM tmo",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(name = "r_cut", description = "Cutoff in Å, up to 15; 6.5 where left out.")
)]
/// `symmetry_functions(structure[, r_cut])`
#[derive(Debug)]
pub struct SymmetryFunctionsOf;

impl CrystalFunction for SymmetryFunctionsOf {
    fn name(&self) -> &'static str {
        "symmetry_functions"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("structure", Kind::Crystal), Parameter::optional("r_cut", Kind::Number)] }
    }

    fn returns(&self) -> DataType {
        list_of(list_of(DataType::Float64))
    }

    fn cost(&self) -> Cost {
        Cost::Costly
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let r_cut = arguments.numbers(1)?;
        arguments.rows_of_numbers(|i, s| {
            let options = r_cut.as_ref().map(|column| SymmetryFunctionOptions::with_cutoff(column.value(i)));
            let found = features::symmetry_functions(s, &options.unwrap_or_default())?;
            Ok(Rows { width: found.features, values: found.values })
        })
    }
}
