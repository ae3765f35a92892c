use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_datafusion_err, plan_err};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::columns::{structure_type, structures};
use crate::crystal::Element;
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;
use crate::stability;

#[user_doc(
    doc_section(label = "Stability Functions"),
    description = "The crystal with one element in the place of another, up to three at once. Sites stay; the cell is scaled by the bonds of its ions, the mean Shannon radius of the cations plus that of the anions, new over old. Where to begin a relaxation, or to ask a model: nothing is relaxed. An element that the crystal does not have changes nothing.",
    syntax_example = "substitute(structure, from, to[, from, to[, from, to]])",
    sql_example = "SELECT id, predict_ef(substitute(structure, 'Mo', 'W')) FROM tmo WHERE has_element(formula, 'Mo')",
    argument(name = "structure", description = "A structure, or CIF, POSCAR or JSON text."),
    argument(name = "from", description = "Symbol of the element that goes."),
    argument(name = "to", description = "Symbol of the one that takes its place.")
)]
/// `substitute(structure, from, to[, ...])`
#[derive(Debug)]
pub struct Substitute;

impl CrystalFunction for Substitute {
    fn name(&self) -> &'static str {
        "substitute"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("structure", Kind::Crystal),
                Parameter::required("from", Kind::Text),
                Parameter::required("to", Kind::Text),
                Parameter::optional("from_2", Kind::Text),
                Parameter::optional("to_2", Kind::Text),
                Parameter::optional("from_3", Kind::Text),
                Parameter::optional("to_3", Kind::Text),
            ]
        }
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

    fn check(&self, constants: &[Option<&ScalarValue>], _: &Environment) -> Result<()> {
        if constants.len().is_multiple_of(2) {
            return plan_err!("substitute: the last element has none that takes its place");
        }
        for symbol in constants.iter().skip(1).flatten().filter_map(|value| value.try_as_str().flatten()) {
            Element::from_symbol(symbol).map_err(|reason| plan_datafusion_err!("substitute: {reason}"))?;
        }
        Ok(())
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let named = (1..arguments.columns.len()).map(|k| arguments.texts(k)).collect::<Result<Vec<_>>>()?;
        let named: Vec<StringArray> = named.into_iter().flatten().collect();
        let element = |column: &StringArray, i| Element::from_symbol(column.value(i)).map_err(|e| e.to_string());
        let rows = arguments.map(|i, structure| {
            let pair = |pair: &[StringArray]| Ok((element(&pair[0], i)?, element(&pair[1], i)?));
            let pairs: Vec<_> = named.chunks_exact(2).map(pair).collect::<Result<_, String>>()?;
            stability::substitute(structure, &pairs, true).map_err(|e| e.to_string())
        })?;
        Ok(Arc::new(structures(rows.iter().map(Option::as_ref))))
    }
}
