use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Fields};
use datafusion::common::{Result, ScalarValue, plan_datafusion_err};
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::lists::fields;
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::adsorption::{self, Capacity};
use crate::crystal::{Composition, Element};
use crate::sql::environment::Environment;
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Ion Functions"),
    description = "Capacity of a host for n ions: a STRUCT of `gravimetric`, mAh per gram of the filled host, and `volumetric`, mAh/cm³. Volumetric is NULL where the host is a formula and no volume is given.",
    syntax_example = "capacity(host, ion, n, valence[, volume])",
    sql_example = "SELECT id, capacity(structure, 'Ca', 2, 2)['gravimetric'] FROM tmo",
    argument(
        name = "host",
        description = "The empty host: a structure, a formula such as `FePO4`, or CIF, POSCAR or JSON text."
    ),
    argument(name = "ion", description = "Symbol of the element that goes in."),
    argument(name = "n", description = "Number of ions in the cell, or in the formula."),
    argument(name = "valence", description = "Charge of the cation: 1 for Li, 2 for Ca, 3 for Al."),
    argument(
        name = "volume",
        description = "Volume of the filled cell, or formula unit, in Å³; that of the structure where it is left out."
    )
)]
/// `capacity(host, ion, n, valence[, volume])`
#[derive(Debug)]
pub struct CapacityOf;

impl CrystalFunction for CapacityOf {
    fn name(&self) -> &'static str {
        "capacity"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("host", Kind::Composition),
                Parameter::required("ion", Kind::Text),
                Parameter::required("n", Kind::Number),
                Parameter::required("valence", Kind::Number),
                Parameter::optional("volume", Kind::Number),
            ]
        }
    }

    fn returns(&self) -> DataType {
        DataType::Struct(columns())
    }

    fn cost(&self) -> Cost {
        Cost::Crystal
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn check(&self, constants: &[Option<&ScalarValue>], _: &Environment) -> Result<()> {
        match constants.get(1).copied().flatten().and_then(|value| value.try_as_str()).flatten() {
            Some(symbol) => {
                Element::from_symbol(symbol).map(drop).map_err(|reason| plan_datafusion_err!("capacity: {reason}"))
            }
            None => Ok(()),
        }
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let crystals = arguments.crystals(0)?;
        let ions = arguments.texts(1)?;
        let [n, valence, volume] = [arguments.numbers(2)?, arguments.numbers(3)?, arguments.numbers(4)?];
        let number = |column: &Option<Float64Array>, i: usize| column.as_ref().map(|column| column.value(i));
        let capacities = arguments.map_compositions(|i, amounts| {
            let ion =
                Element::from_symbol(ions.as_ref().map_or("", |ions| ions.value(i))).map_err(|e| e.to_string())?;
            let volume = number(&volume, i).or_else(|| Some(crystals.get(i)?.ok()?.volume()));
            let (n, valence) = (number(&n, i).unwrap_or(f64::NAN), number(&valence, i).unwrap_or(f64::NAN));
            let host: Composition = amounts.iter().copied().collect();
            adsorption::capacity(&host, ion, n, valence, volume).map_err(|e| e.to_string())
        })?;
        let column = |of: fn(&Capacity) -> Option<f64>| -> ArrayRef {
            Arc::new(capacities.iter().map(|c| c.as_ref().and_then(of)).collect::<Float64Array>())
        };
        let arrays = vec![column(|c| Some(c.gravimetric)), column(|c| c.volumetric)];
        let nulls = NullBuffer::from_iter(capacities.iter().map(Option::is_some));
        Ok(Arc::new(StructArray::try_new(columns(), arrays, Some(nulls))?))
    }
}

fn columns() -> Fields {
    fields([("gravimetric", DataType::Float64), ("volumetric", DataType::Float64)])
}
