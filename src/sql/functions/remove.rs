use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::insertion_sites::{check_ion, guest};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::adsorption;
use crate::columns::{structure_type, structures};
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "The crystal without its ions of one element, all of them or n. Of several ways to take n those ions stay whose energy in the rigid framework of formal charges and of one another, with all periodic images, is least, as insert puts them in; charges of the framework are those that it has without the ions. The other atoms keep their order and places; nothing is relaxed. NULL and a warning where the crystal has no such ion, or fewer.",
    syntax_example = "remove(structure, ion[, n])",
    sql_example = "SELECT id, to_poscar(remove(structure, 'O', 1)) FROM tmo WHERE id = 'rutile'",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "ion",
        description = "An element or ion such as 'Li', 'Ca' or 'O2-'; the charge, the element's commonest where left out, decides between orderings alone."
    ),
    argument(name = "n", description = "How many of the cell; all where left out.")
)]
/// `remove(structure, ion[, n])`
#[derive(Debug)]
pub struct Remove;

impl CrystalFunction for Remove {
    fn name(&self) -> &'static str {
        "remove"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("structure", Kind::Crystal),
                Parameter::required("ion", Kind::Text),
                Parameter::optional("n", Kind::Number),
            ]
        }
    }

    fn returns(&self) -> DataType {
        structure_type()
    }

    fn cost(&self) -> Cost {
        Cost::Costly
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn check(&self, constants: &[Option<&ScalarValue>], _: &Environment) -> Result<()> {
        check_ion(self.name(), constants.get(1).copied().flatten())
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let (ions, counts) = (arguments.texts(1)?, arguments.numbers(2)?);
        let rows = arguments.map(|i, s| {
            let (ion, _) = guest(ions.as_ref(), None, i)?;
            let n = counts.as_ref().map(|counts| count(counts.value(i))).transpose()?;
            adsorption::remove(s, &ion, n).map(|(left, _)| left).map_err(|e| e.to_string())
        })?;
        Ok(Arc::new(structures(rows.iter().map(Option::as_ref))))
    }
}

/// A number of ions.
pub(super) fn count(n: f64) -> std::result::Result<usize, String> {
    match n >= 1.0 && n.fract() == 0.0 {
        true => Ok(n as usize),
        false => Err(format!("n = {n} is no number of ions")),
    }
}
