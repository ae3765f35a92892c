//! Reading materialised values in place of computing them.
//!
//! A value belongs to the exact numbers of a crystal and to a featurizer: function, arguments, version. Whatever stands as
//! the crystal in a call, of any table or snapshot, its value is read if its numbers are known, and computed if not;
//! so a structure that was altered on the way never gets the value of the one it came from.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, new_null_array};
use arrow::compute::interleave;
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::logical_expr::Expr;
use rayon::prelude::*;

use super::environment::Environment;
use super::feature::Feature;
use crate::Error;
use columns::StructureColumn;
use store::{Materialised, Place};

/// The materialised values of one function with its arguments.
#[derive(Debug, Clone)]
pub(super) struct Reuse {
    function: &'static str,
    data_type: DataType,
    values: Arc<Materialised>,
    environment: Environment,
}

impl Reuse {
    /// What is there for a call, and the crystal that it is called with; `None` where nothing is.
    pub fn of(call: &Expr) -> Option<(Self, &Expr)> {
        let Expr::ScalarFunction(call) = call else { return None };
        let (feature, crystal) = Feature::of(call)?;
        Some((Self::of_feature(&feature)?, crystal))
    }

    /// What is there for a feature.
    pub fn of_feature(feature: &Feature) -> Option<Self> {
        let udf = feature.udf()?;
        let environment = udf.environment();
        match environment.features()?.get(&feature.name(), &feature.id()) {
            Ok(values) => Some(Self {
                function: udf.function().name,
                data_type: udf.function().kernel.data_type().clone(),
                values: values.filter(|values| !values.is_empty())?,
                environment: environment.clone(),
            }),
            Err(reason) => {
                environment.warnings().remark(format!("{} is computed and not read: {reason}", feature.name()));
                None
            }
        }
    }

    /// Whose values they are: `void(ionic,0.76)/1`.
    pub fn featurizer(&self) -> &str {
        self.values.featurizer()
    }

    /// How a plan shows it.
    pub fn label(&self) -> String {
        format!("materialised={}, {} crystals", self.values.featurizer(), self.values.len())
    }

    /// The values for the crystals of a column, and how many of them were read. `needed`: the rows that matter; `compute`
    /// answers for the rows that it is given, where they are not all.
    ///
    /// # Errors
    /// Values that cannot be read, or what `compute` says.
    pub fn answer(
        &self,
        crystals: &ArrayRef,
        needed: Option<&BooleanArray>,
        compute: impl FnOnce(Option<&BooleanArray>) -> Result<ArrayRef>,
    ) -> Result<(ArrayRef, usize)> {
        // Text is parsed by the function itself.
        if !matches!(crystals.data_type(), DataType::Struct(_)) {
            return Ok((compute(needed)?, 0));
        }
        let column = StructureColumn::try_new(crystals).map_err(|reason| exec_datafusion_err!("{reason}"))?;
        let asked = |i: usize| needed.is_none_or(|rows| rows.value(i));
        let find = |i: usize| if asked(i) { self.values.find(column.exact_hash(i)?) } else { None };
        let places: Vec<Option<Place>> = (0..column.len()).into_par_iter().with_min_len(64).map(find).collect();
        let found: Vec<Place> = places.iter().flatten().copied().collect();
        if found.is_empty() {
            return Ok((compute(needed)?, 0));
        }
        let read = self.values.read(&found, &self.data_type).map_err(Error::from)?;
        for _ in 0..read.null_count() {
            let reason = "it was NULL when the feature table was built";
            self.environment.warnings().note(self.function, reason);
        }
        if found.len() == places.len() {
            return Ok((read, found.len()));
        }
        let other = |(i, place): (usize, &Option<Place>)| Some(place.is_none() && asked(i) && !column.is_null(i));
        let others: BooleanArray = places.iter().enumerate().map(other).collect();
        let computed = match others.true_count() {
            0 => new_null_array(&self.data_type, column.len()),
            _ => compute(Some(&others))?,
        };
        let mut next = 0;
        let rows: Vec<(usize, usize)> = places
            .iter()
            .enumerate()
            .map(|(i, place)| match place {
                Some(_) => {
                    next += 1;
                    (0, next - 1)
                }
                None => (1, i),
            })
            .collect();
        Ok((interleave(&[read.as_ref(), computed.as_ref()], &rows)?, found.len()))
    }
}
