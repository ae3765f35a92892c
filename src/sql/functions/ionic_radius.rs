use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::features;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Ion Functions"),
    description = "Effective ionic radius in Å in sixfold coordination (Shannon 1976): Li 0.76, Ca 1.00, Al 0.535.",
    syntax_example = "ionic_radius(ion)",
    sql_example = "SELECT ion, ionic_radius(ion) FROM reference_energies",
    argument(
        name = "ion",
        description = "An ion such as 'Ca', 'Ca2+' or 'V4+'; without a charge the element takes its commonest."
    )
)]
/// `ionic_radius(ion)`
#[derive(Debug)]
pub struct IonicRadius;

impl CrystalFunction for IonicRadius {
    fn name(&self) -> &'static str {
        "ionic_radius"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("ion", Kind::Text)] }
    }

    fn returns(&self) -> DataType {
        DataType::Float64
    }

    fn cost(&self) -> Cost {
        Cost::Cheap
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let ions = arguments.texts(0)?;
        let radius = |i: usize| {
            let text = ions.as_ref().map_or("", |ions| ions.value(i));
            Some(features::probe_radius(text).map_err(|e| e.to_string()))
        };
        Ok(Arc::new(Float64Array::from(arguments.rows(radius))))
    }
}
