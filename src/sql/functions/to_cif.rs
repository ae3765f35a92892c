use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::formats;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "The structure as CIF text, in P1: every site is listed. With a tolerance the standardised conventional cell: its space group with all operations, in spglib's setting, and one site of each orbit.",
    syntax_example = "to_cif(structure[, symprec])",
    sql_example = "SELECT to_cif(structure, 0.1) FROM tmo LIMIT 1",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "symprec",
        description = "Distances up to so many Å are taken as equal in the search for the symmetry; 0.1 is that of the column spacegroup. P1 where left out."
    )
)]
/// `to_cif(structure[, symprec])`
#[derive(Debug)]
pub struct ToCif;

impl CrystalFunction for ToCif {
    fn name(&self) -> &'static str {
        "to_cif"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("structure", Kind::Crystal), Parameter::optional("symprec", Kind::Number)] }
    }

    fn returns(&self) -> DataType {
        DataType::Utf8
    }

    fn cost(&self) -> Cost {
        Cost::Crystal
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let tolerances = arguments.numbers(1)?;
        let text = arguments.map(|i, s| {
            let name = s.composition().reduced_formula();
            match tolerances.as_ref().map(|tolerances| tolerances.value(i)) {
                None => Ok(formats::to_cif(s, &name)),
                Some(symprec) if symprec > 0.0 && symprec <= 1.0 => {
                    formats::to_symmetrised_cif(s, &name, symprec).map_err(|e| e.to_string())
                }
                Some(symprec) => Err(format!("a tolerance of {symprec} Å; give one above 0 and up to 1, as 0.1")),
            }
        })?;
        Ok(Arc::new(StringArray::from(text)))
    }
}
