use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Builder, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::features::{MAGPIE_LEN, MissingProperty, magpie_names, magpie_of};
use crate::sql::optimizer::Cost;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "Magpie descriptors of a composition (Ward et al. 2016): a STRUCT of 132 numbers, six statistics (minimum, maximum, range, mean, avg_dev, mode) of 22 properties of its elements, equal to matminer's `ElementProperty.from_preset('magpie')` and in its order, which `magpie_names()` lists. Take one by its name: `magpie(structure)['mean Electronegativity']`. Where an element has no value of a property (the electronegativity of argon) its six statistics are NULL.",
    syntax_example = "magpie(crystal[, impute])",
    sql_example = "SELECT id, magpie(structure)['mean Electronegativity'] AS mean_electronegativity FROM tmo ORDER BY 2 DESC LIMIT 5",
    argument(name = "crystal", description = "A structure, a formula such as `Mo3VO14`, or CIF, POSCAR or JSON text."),
    argument(
        name = "impute",
        description = "Whether the mean over all elements stands for a property that an element does not have (matminer's `impute_nan`); false where left out."
    )
)]
/// `magpie(crystal[, impute])`
#[derive(Debug)]
pub struct Magpie;

fn fields() -> Fields {
    magpie_names().iter().map(|name| Field::new(name, DataType::Float64, true)).collect()
}

impl CrystalFunction for Magpie {
    fn name(&self) -> &'static str {
        "magpie"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[Parameter::required("crystal", Kind::Composition), Parameter::optional("impute", Kind::Boolean)] }
    }

    fn returns(&self) -> DataType {
        DataType::Struct(fields())
    }

    fn cost(&self) -> Cost {
        Cost::Crystal
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &Arguments) -> Result<ArrayRef> {
        let impute = arguments.booleans(1)?;
        let rows = arguments.map_compositions(|i, amounts| {
            let impute = impute.as_ref().is_some_and(|column| column.value(i));
            let missing = if impute { MissingProperty::Mean } else { MissingProperty::Missing };
            Ok(magpie_of(amounts, missing))
        })?;
        let mut columns: [_; MAGPIE_LEN] = std::array::from_fn(|_| Float64Builder::with_capacity(rows.len()));
        // Blocks of rows that fit a cache, turned into columns one after the other.
        for block in rows.chunks(64) {
            for (k, column) in columns.iter_mut().enumerate() {
                for row in block {
                    column.append_option(row.map(|row| row[k]).filter(|x| !x.is_nan()));
                }
            }
        }
        let columns = columns.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef).collect();
        let valid: NullBuffer = rows.iter().map(Option::is_some).collect();
        Ok(Arc::new(StructArray::new(fields(), columns, Some(valid))))
    }
}
