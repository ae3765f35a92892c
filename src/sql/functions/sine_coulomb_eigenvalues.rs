use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::lists::{check_name, list_of, name_of};
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::features::{self, CoulombConvention};
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Eigenvalues of `sine_coulomb_matrix`, largest magnitude first: they do not depend on the order of the sites.",
    syntax_example = "sine_coulomb_eigenvalues(structure[, convention])",
    sql_example = "SELECT id, sine_coulomb_eigenvalues(structure) FROM tmo",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "convention",
        description = "dscribe (the default: distances in Å, the atoms of the Coulomb matrix where their coordinates put them) or matminer (in bohr, and nearest images)."
    )
)]
/// `sine_coulomb_eigenvalues(structure[, convention])`
#[derive(Debug)]
pub struct SineCoulombEigenvalues;

impl CrystalFunction for SineCoulombEigenvalues {
    fn name(&self) -> &'static str {
        "sine_coulomb_eigenvalues"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("structure", Kind::Crystal), Parameter::optional("convention", Kind::Text)] }
    }

    fn returns(&self) -> DataType {
        list_of(DataType::Float64)
    }

    fn cost(&self) -> Cost {
        Cost::Costly
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn check(&self, constants: &[Option<&ScalarValue>], _: &Environment) -> Result<()> {
        check_name(self.name(), constants.get(1).copied().flatten(), &CoulombConvention::NAMES)
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let names = arguments.texts(1)?;
        arguments.vectors(|i, s| {
            let convention = name_of(names.as_ref(), i, &CoulombConvention::NAMES)?;
            Ok(features::sine_coulomb_matrix(s, convention)?.eigenvalues())
        })
    }
}
