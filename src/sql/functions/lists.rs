//! Functions whose answer is a list, of numbers, of such lists or of structs: their Arrow types and arrays, and options
//! that are given by name.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{Array, ArrayRef, Float64Array, ListArray, StringArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result as SqlResult, ScalarValue, exec_err, plan_datafusion_err};

use super::Arguments;
use crate::crystal::Structure;
use crate::error::FeatureError;
use crate::features::SiteMatrix;

/// The most numbers that one function may answer for one batch of rows: 1 GiB.
const MAX_NUMBERS: usize = 1 << 27;

/// The type of lists of `item`.
pub(in crate::sql) fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

/// The named columns of a struct, each of which may be NULL.
pub(in crate::sql) fn fields(columns: impl IntoIterator<Item = (&'static str, DataType)>) -> Fields {
    columns.into_iter().map(|(name, kind)| Field::new(name, kind, true)).collect()
}

/// Equally long rows of numbers.
pub(super) struct Rows {
    /// Numbers in a row.
    pub width: usize,
    /// The rows one after another.
    pub values: Vec<f64>,
}

impl Rows {
    /// The rows of a matrix.
    pub fn of_matrix(matrix: &SiteMatrix) -> Self {
        Self { width: matrix.rows().len(), values: matrix.rows().flatten().copied().collect() }
    }
}

impl Arguments<'_> {
    /// A list of numbers for every crystal.
    pub(super) fn vectors(
        &self,
        f: impl Fn(usize, &Structure) -> Result<Vec<f64>, FeatureError> + Sync,
    ) -> SqlResult<ArrayRef> {
        let found = self.bounded(|i, s| f(i, s).map(|values| Rows { width: values.len(), values }))?;
        let lengths = found.iter().map(|row| row.as_ref().map(|row| row.width));
        Ok(Arc::new(lists(lengths.collect(), numbers(&found))))
    }

    /// A list of lists of numbers for every crystal.
    pub(super) fn rows_of_numbers(
        &self,
        f: impl Fn(usize, &Structure) -> Result<Rows, FeatureError> + Sync,
    ) -> SqlResult<ArrayRef> {
        let found = self.bounded(f)?;
        let count = |row: &Rows| row.values.len() / row.width.max(1);
        let inner = found.iter().flatten().flat_map(|row| std::iter::repeat_n(Some(row.width), count(row)));
        let inner = lists(inner.collect(), numbers(&found));
        let lengths = found.iter().map(|row| row.as_ref().map(count));
        Ok(Arc::new(lists(lengths.collect(), Arc::new(inner))))
    }

    /// What `f` answers for every crystal, refused where it is too much to hold at once.
    fn bounded(
        &self,
        f: impl Fn(usize, &Structure) -> Result<Rows, FeatureError> + Sync,
    ) -> SqlResult<Vec<Option<Rows>>> {
        let total = AtomicUsize::new(0);
        let found = self.map(|i, s| {
            if total.load(Ordering::Relaxed) > MAX_NUMBERS {
                return Ok(None);
            }
            let rows = f(i, s).map_err(|e| e.to_string())?;
            total.fetch_add(rows.values.len(), Ordering::Relaxed);
            Ok(Some(rows))
        })?;
        if total.into_inner() > MAX_NUMBERS {
            return exec_err!(
                "{} of {} rows is over {MAX_NUMBERS} numbers: SET datafusion.execution.batch_size to fewer rows",
                self.function,
                self.rows
            );
        }
        Ok(found.into_iter().map(Option::flatten).collect())
    }
}

fn numbers(found: &[Option<Rows>]) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(found.iter().flatten().flat_map(|row| row.values.iter().copied())))
}

/// Consecutive lists of `values`; no length is NULL.
pub(in crate::sql) fn lists(lengths: Vec<Option<usize>>, values: ArrayRef) -> ListArray {
    let offsets = OffsetBuffer::from_lengths(lengths.iter().map(|n| n.unwrap_or(0)));
    let nulls = NullBuffer::from_iter(lengths.iter().map(Option::is_some));
    ListArray::new(Arc::new(Field::new_list_field(values.data_type().clone(), true)), offsets, values, Some(nulls))
}

/// The option that row `i` names; the first where the call names none.
pub(super) fn name_of<T: Copy>(
    names: Option<&StringArray>,
    i: usize,
    known: &[(&'static str, T)],
) -> Result<T, FeatureError> {
    match names {
        Some(names) => option(names.value(i), known).map_err(FeatureError::Argument),
        None => Ok(known[0].1),
    }
}

/// Refuses an unknown option while the query is planned.
pub(super) fn check_name<T: Copy>(
    function: &str,
    constant: Option<&ScalarValue>,
    known: &[(&'static str, T)],
) -> SqlResult<()> {
    match constant.and_then(|value| value.try_as_str()).flatten() {
        Some(name) => option(name, known).map(drop).map_err(|reason| plan_datafusion_err!("{function}: {reason}")),
        None => Ok(()),
    }
}

fn option<T: Copy>(name: &str, known: &[(&'static str, T)]) -> Result<T, String> {
    known.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|&(_, value)| value).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(n, _)| *n).collect();
        format!("no option '{name}'; known: {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_with_a_null_between() {
        let values: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0]));
        let lists = lists(vec![Some(2), None, Some(0), Some(1)], values);
        assert_eq!(lists.data_type(), &list_of(DataType::Float64));
        let lengths: Vec<Option<usize>> = lists.iter().map(|l| l.map(|l| l.len())).collect();
        assert_eq!(lengths, [Some(2), None, Some(0), Some(1)]);
    }

    #[test]
    fn an_unknown_option_is_refused_with_the_known_ones() {
        let known = [("one", 1), ("two", 2)];
        assert_eq!(option("Two", &known), Ok(2));
        let message = check_name("f", Some(&ScalarValue::from("three")), &known).unwrap_err().to_string();
        assert!(message.contains("f: no option 'three'; known: one, two"), "{message}");
        assert!(check_name("f", None, &known).is_ok());
    }
}
