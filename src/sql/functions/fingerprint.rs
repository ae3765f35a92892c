use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Builder, ListBuilder};
use arrow::datatypes::{DataType, Field};
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::features;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Structure fingerprint: 144 numbers of Euclidean length one. They are the radial distributions cation-cation, cation-anion and anion-anion (weighted by electronegativity, elements unnamed), 48 distances each, from 0.4 to 4 (V/N)^(1/3) in equal steps of the logarithm, smoothed by 5 % of the distance, less what atoms without order would have.",
    syntax_example = "fingerprint(structure)",
    sql_example = "SELECT id, fingerprint(structure) FROM tmo LIMIT 1",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text.")
)]
/// `fingerprint(structure)`
#[derive(Debug)]
pub struct Fingerprint;

impl CrystalFunction for Fingerprint {
    fn name(&self) -> &'static str {
        "fingerprint"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("structure", Kind::Crystal)] }
    }

    fn returns(&self) -> DataType {
        DataType::List(Arc::new(Field::new_list_field(DataType::Float64, true)))
    }

    fn cost(&self) -> Cost {
        Cost::Costly
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let found = arguments.map(|_, s| features::fingerprint(s).map_err(|e| e.to_string()))?;
        let mut lists = ListBuilder::new(Float64Builder::new());
        for row in found {
            lists.append_option(row.map(|row| row.into_iter().map(Some)));
        }
        Ok(Arc::new(lists.finish()))
    }
}
