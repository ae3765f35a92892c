use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::lists::{Rows, check_name, list_of, name_of};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::features::{self, CoulombConvention};
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Coulomb matrix: the repulsion Z_i Z_j / d of each pair of nuclei, 0.5 Z^2.4 on the diagonal. Rows and columns in the order of the sites, of which there may be 1000.",
    syntax_example = "coulomb_matrix(structure[, convention])",
    sql_example = "SELECT id, coulomb_matrix(structure)[1] FROM tmo",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "convention",
        description = "dscribe (the default: distances in Å, the atoms of the Coulomb matrix where their coordinates put them) or matminer (in bohr, and nearest images)."
    )
)]
/// `coulomb_matrix(structure[, convention])`
#[derive(Debug)]
pub struct CoulombMatrix;

impl CrystalFunction for CoulombMatrix {
    fn name(&self) -> &'static str {
        "coulomb_matrix"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("structure", Kind::Crystal), Parameter::optional("convention", Kind::Text)] }
    }

    fn returns(&self) -> DataType {
        list_of(list_of(DataType::Float64))
    }

    fn cost(&self) -> Cost {
        Cost::Crystal
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn check(&self, constants: &[Option<&ScalarValue>], _: &Environment) -> Result<()> {
        check_name(self.name(), constants.get(1).copied().flatten(), &CoulombConvention::NAMES)
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let names = arguments.texts(1)?;
        arguments.rows_of_numbers(|i, s| {
            let convention = name_of(names.as_ref(), i, &CoulombConvention::NAMES)?;
            Ok(Rows::of_matrix(&features::coulomb_matrix(s, convention)?))
        })
    }
}
