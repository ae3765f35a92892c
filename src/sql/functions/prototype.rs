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
    description = "Label of the structure type, whatever the elements: AB2_tP6_136_a_f is rutile. It joins the formula with letters for elements (the rarest is A), the Pearson symbol, the space-group number and the Wyckoff positions of each letter; the same for every cell and origin, and for equivalent names of the positions.",
    syntax_example = "prototype(structure[, symprec])",
    sql_example = "SELECT prototype(structure) AS prototype, count(*) AS crystals FROM tmo GROUP BY prototype ORDER BY crystals DESC LIMIT 10",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(
        name = "symprec",
        description = "Distance in Å up to which positions count as equal; 0.1 where left out."
    )
)]
/// `prototype(structure[, symprec])`
#[derive(Debug)]
pub struct Prototype;

impl CrystalFunction for Prototype {
    fn name(&self) -> &'static str {
        "prototype"
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
        let labels = arguments.map(|i, s| Ok(symmetry(symprec.as_ref(), i, s)?.prototype(s)))?;
        Ok(Arc::new(StringArray::from(labels)))
    }
}
