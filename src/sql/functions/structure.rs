use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::columns::{structure_type, structures};
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Reads a crystal from text: CIF, POSCAR or pymatgen's JSON, told apart by their content. Text that holds no crystal gives NULL and a warning.",
    syntax_example = "structure(text)",
    sql_example = "SELECT spacegroup(structure(to_cif(structure))) FROM tmo LIMIT 1",
    argument(name = "text", description = "The whole text of one file.")
)]
/// `structure(text)`
#[derive(Debug)]
pub struct StructureOf;

impl CrystalFunction for StructureOf {
    fn name(&self) -> &'static str {
        "structure"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("text", Kind::Crystal)] }
    }

    fn returns(&self) -> DataType {
        structure_type()
    }

    fn cost(&self) -> Cost {
        Cost::Crystal
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let found = arguments.map(|_, s| Ok(s.clone()))?;
        Ok(Arc::new(structures(found.iter().map(Option::as_ref))))
    }
}
