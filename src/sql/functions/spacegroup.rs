use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, Int32Array};
use arrow::datatypes::DataType;
use datafusion::common::Result as SqlResult;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::crystal::{DEFAULT_SYMPREC, Structure, Symmetry};
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Space-group number, 1 to 230.",
    syntax_example = "spacegroup(structure[, symprec])",
    sql_example = "SELECT id, spacegroup(structure, 0.01) FROM tmo",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "symprec",
        description = "Distance in Å up to which positions count as equal; 0.1 where left out."
    )
)]
/// `spacegroup(structure[, symprec])`
#[derive(Debug)]
pub struct Spacegroup;

impl CrystalFunction for Spacegroup {
    fn name(&self) -> &'static str {
        "spacegroup"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("structure", Kind::Crystal), Parameter::optional("symprec", Kind::Number)] }
    }

    fn returns(&self) -> DataType {
        DataType::Int32
    }

    fn cost(&self) -> Cost {
        Cost::Costly
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &Arguments) -> SqlResult<ArrayRef> {
        let symprec = arguments.numbers(1)?;
        let number = arguments.map(|i, s| Ok(i32::from(symmetry(symprec.as_ref(), i, s)?.number)))?;
        Ok(Arc::new(Int32Array::from(number)))
    }
}

/// The symmetry of a crystal at the tolerance of its row.
pub(super) fn symmetry(symprec: Option<&Float64Array>, i: usize, structure: &Structure) -> Result<Symmetry, String> {
    let symprec = symprec.filter(|column| column.is_valid(i)).map_or(DEFAULT_SYMPREC, |column| column.value(i));
    if !(symprec > 0.0 && symprec.is_finite()) {
        return Err(format!("symprec is {symprec} Å; it must be positive"));
    }
    Symmetry::of(structure, symprec).map_err(|e| e.to_string())
}
