use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::lists::list_of;
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::features::{self, CONVERGED};
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Eigenvalues of `ewald_sum_matrix`, largest magnitude first: they do not depend on the order of the sites.",
    syntax_example = "ewald_sum_eigenvalues(structure[, accuracy])",
    sql_example = "SELECT id, ewald_sum_eigenvalues(structure) FROM tmo",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "accuracy",
        description = "Where the sums are cut, relative to their first term; 1e-12 where left out, which is exact to ten digits. dscribe's default is 1e-5."
    )
)]
/// `ewald_sum_eigenvalues(structure[, accuracy])`
#[derive(Debug)]
pub struct EwaldSumEigenvalues;

impl CrystalFunction for EwaldSumEigenvalues {
    fn name(&self) -> &'static str {
        "ewald_sum_eigenvalues"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("structure", Kind::Crystal), Parameter::optional("accuracy", Kind::Number)] }
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

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let accuracy = arguments.numbers(1)?;
        arguments.vectors(|i, s| {
            let matrix = features::ewald_sum_matrix(s, accuracy.as_ref().map_or(CONVERGED, |column| column.value(i)))?;
            Ok(matrix.eigenvalues())
        })
    }
}
