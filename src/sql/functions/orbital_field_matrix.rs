use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::lists::{Rows, check_name, list_of, name_of};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::features::{self, ORBITALS, ValenceShells};
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Orbital-field matrix, 32 x 32, mean over the sites: which valence subshells of neighbours (rows: s1, s2, p1 .. p6, d1 .. d10, f1 .. f14) meet which of a site (columns), by solid angle and distance. It is matminer's.",
    syntax_example = "orbital_field_matrix(structure[, shells])",
    sql_example = "SELECT id, flatten(orbital_field_matrix(structure)) FROM tmo",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "shells",
        description = "Which subshells are valence: matminer (the default, as matminer 0.10 counts them) or outermost (as published)."
    )
)]
/// `orbital_field_matrix(structure[, shells])`
#[derive(Debug)]
pub struct OrbitalFieldMatrixOf;

impl CrystalFunction for OrbitalFieldMatrixOf {
    fn name(&self) -> &'static str {
        "orbital_field_matrix"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("structure", Kind::Crystal), Parameter::optional("shells", Kind::Text)] }
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

    fn check(&self, constants: &[Option<&ScalarValue>], _: &Environment) -> Result<()> {
        check_name(self.name(), constants.get(1).copied().flatten(), &ValenceShells::NAMES)
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let names = arguments.texts(1)?;
        arguments.rows_of_numbers(|i, s| {
            let shells = name_of(names.as_ref(), i, &ValenceShells::NAMES)?;
            Ok(Rows { width: ORBITALS, values: features::orbital_field_matrix(s, shells)?.concat() })
        })
    }
}
