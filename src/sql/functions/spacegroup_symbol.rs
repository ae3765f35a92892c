use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::spacegroup::symmetry;
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Hermann-Mauguin symbol of the space group: `P4_2/mnm` for rutile.",
    syntax_example = "spacegroup_symbol(structure[, symprec])",
    sql_example = "SELECT id, spacegroup_symbol(structure) FROM tmo",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "symprec",
        description = "Distance in Å up to which positions count as equal; 0.1 where left out."
    )
)]
/// `spacegroup_symbol(structure[, symprec])`
#[derive(Debug)]
pub struct SpacegroupSymbol;

impl CrystalFunction for SpacegroupSymbol {
    fn name(&self) -> &'static str {
        "spacegroup_symbol"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("structure", Kind::Crystal), Parameter::optional("symprec", Kind::Number)] }
    }

    fn returns(&self) -> DataType {
        DataType::Utf8
    }

    fn cost(&self) -> Cost {
        Cost::Costly
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let symprec = arguments.numbers(1)?;
        let symbol = arguments.map(|i, s| Ok(symmetry(symprec.as_ref(), i, s)?.symbol))?;
        Ok(Arc::new(StringArray::from(symbol)))
    }
}
