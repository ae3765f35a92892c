use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, ListArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type};
use datafusion::common::Result as SqlResult;
use datafusion::logical_expr::Documentation;
use datafusion_macros::user_doc;

use super::udf::is_numbers;
use super::{Arguments, CrystalFunction, Kind, Parameter};
use crate::features;
use crate::sql::optimizer::Cost;
use crate::sql::structure_type::Crystals;

#[user_doc(
    doc_section(label = "Crystal Functions"),
    description = "How alike two crystals are by their fingerprints, between 0 and 1: (1 + cosine) / 2, 1 for equal structures. Isostructural compounds score above 0.99, other structures mostly below 0.95.",
    syntax_example = "similarity(a, b)",
    sql_example = "SELECT q.id, q.formula, similarity(p.structure, q.structure) AS similarity FROM tmo p, tmo q WHERE p.id = 'mp-2657' ORDER BY similarity DESC LIMIT 10",
    argument(name = "a", description = "A structure, CIF, POSCAR or JSON text, or a fingerprint."),
    argument(name = "b", description = "Another.")
)]
/// `similarity(a, b)`
#[derive(Debug)]
pub struct Similarity;

impl CrystalFunction for Similarity {
    fn name(&self) -> &'static str {
        "similarity"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter::required("a", Kind::CrystalOrFingerprint),
                Parameter::required("b", Kind::CrystalOrFingerprint),
            ]
        }
    }

    fn returns(&self) -> DataType {
        DataType::Float64
    }

    fn cost(&self) -> Cost {
        Cost::Costly
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    fn evaluate(&self, arguments: &Arguments) -> SqlResult<ArrayRef> {
        let [a, b] = [Side::of(arguments, 0)?, Side::of(arguments, 1)?];
        let alike = arguments.rows(|i| {
            let both = (a.get(i)?, b.get(i)?);
            Some(match both {
                (Ok(a), Ok(b)) => features::similarity(&a, &b).map_err(|e| e.to_string()),
                (Err(reason), _) | (_, Err(reason)) => Err(reason),
            })
        });
        Ok(Arc::new(Float64Array::from(alike)))
    }
}

/// One of the two arguments.
enum Side<'a> {
    Crystals(Crystals<'a>),
    Fingerprints(ListArray),
}

impl<'a> Side<'a> {
    fn of(arguments: &'a Arguments, i: usize) -> SqlResult<Self> {
        let column = &arguments.columns[i];
        if !is_numbers(column.data_type()) {
            return Ok(Self::Crystals(arguments.crystals(i)?));
        }
        let list = DataType::List(Arc::new(Field::new_list_field(DataType::Float64, true)));
        Ok(Self::Fingerprints(cast(column, &list)?.as_list().clone()))
    }

    /// The fingerprint of row `i`; `None` for NULL; why there is none.
    fn get(&self, i: usize) -> Option<Result<Vec<f64>, String>> {
        match self {
            Self::Crystals(crystals) => Some(match crystals.get(i)? {
                Ok(structure) => features::fingerprint(&structure).map_err(|e| e.to_string()),
                Err(reason) => Err(reason),
            }),
            Self::Fingerprints(lists) => {
                let row = lists.is_valid(i).then(|| lists.value(i))?;
                let numbers = row.as_primitive::<Float64Type>();
                Some(match numbers.null_count() {
                    0 => Ok(numbers.values().to_vec()),
                    n => Err(format!("a fingerprint has {n} NULLs")),
                })
            }
        }
    }
}
