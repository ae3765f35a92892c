use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_datafusion_err};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::crystal::Element;
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Whether an element is present.",
    syntax_example = "has_element(crystal, element)",
    sql_example = "SELECT id FROM tmo WHERE has_element(formula, 'Mo')",
    argument(name = "crystal", description = "A structure, a formula such as `Mo3VO14`, or CIF, POSCAR or JSON text."),
    argument(name = "element", description = "Symbol, such as `Mo`.")
)]
/// `has_element(crystal, element)`
#[derive(Debug)]
pub struct HasElement;

impl CrystalFunction for HasElement {
    fn name(&self) -> &'static str {
        "has_element"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("crystal", Kind::Composition), Parameter::required("element", Kind::Text)] }
    }

    fn returns(&self) -> DataType {
        DataType::Boolean
    }

    fn cost(&self) -> Cost {
        Cost::Crystal
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn check(&self, constants: &[Option<&ScalarValue>], _: &Environment) -> Result<()> {
        let constant = constants.get(1).copied().flatten();
        match constant.and_then(|value| value.try_as_str()).flatten() {
            Some(symbol) => {
                Element::from_symbol(symbol).map(drop).map_err(|reason| plan_datafusion_err!("has_element: {reason}"))
            }
            None => Ok(()),
        }
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let symbols = arguments.texts(1)?;
        let element = |i: usize| match &symbols {
            Some(symbols) if symbols.is_valid(i) => Element::from_symbol(symbols.value(i)).map_err(|e| e.to_string()),
            _ => Err("no element is named".to_string()),
        };
        let has = arguments.map_compositions(|i, amounts| {
            let element = element(i)?;
            Ok(amounts.iter().any(|&(e, _)| e == element))
        })?;
        Ok(Arc::new(BooleanArray::from(has)))
    }
}
