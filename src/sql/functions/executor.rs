//! The loop that every function shares: a pure function of a crystal over a column, in parallel where rows are many.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array};
use datafusion::common::Result as SqlResult;
use rayon::prelude::*;

use super::Arguments;
use crate::columns::StructureColumn;
use crate::crystal::{Composition, Element, Structure};
use crate::sql::structure_type::{Crystals, is_text};
use crate::stop::Stop;

/// Below this many rows threads cost more than they save.
const PARALLEL_ROWS: usize = 32;

impl Arguments<'_> {
    /// `f(row, crystal)` for every row whose arguments are all given. An `Err` is a warning and NULL.
    pub(super) fn map<T: Send>(
        &self,
        f: impl Fn(usize, &Structure) -> Result<T, String> + Sync,
    ) -> SqlResult<Vec<Option<T>>> {
        let crystals = self.crystals(0)?;
        Ok(self.rows(|i| match crystals.get(i) {
            Some(Ok(structure)) => Some(f(i, &structure)),
            Some(Err(reason)) => Some(Err(reason)),
            None => None,
        }))
    }

    /// `f(row, a, b)` for the crystals of the first two arguments, as [`Arguments::map`].
    pub(super) fn map_pairs<T: Send>(
        &self,
        f: impl Fn(usize, &Structure, &Structure) -> Result<T, String> + Sync,
    ) -> SqlResult<Vec<Option<T>>> {
        let [a, b] = [self.crystals(0)?, self.crystals(1)?];
        Ok(self.rows(|i| {
            Some(match (a.get(i)?, b.get(i)?) {
                (Ok(a), Ok(b)) => f(i, &a, &b),
                (Err(reason), _) | (_, Err(reason)) => Err(reason),
            })
        }))
    }

    /// As [`Arguments::map`], for quantities that need no whole crystal: `fast` reads the numbers of a structure column
    /// as they lie and may decline; then, and for text, `f` is asked.
    pub(super) fn map_slices<T: Send>(
        &self,
        fast: impl Fn(&[f64], &[i32]) -> Option<T> + Sync,
        f: impl Fn(&Structure) -> Result<T, String> + Sync,
    ) -> SqlResult<Vec<Option<T>>> {
        let crystals = self.crystals(0)?;
        let slices = |column: &StructureColumn, i| fast(column.lattice(i)?, column.numbers(i)?);
        Ok(self.rows(|i| {
            if let Crystals::Column(column) = &crystals
                && let Some(value) = slices(column, i)
            {
                return Some(Ok(value));
            }
            match crystals.get(i)? {
                Ok(structure) => Some(f(&structure)),
                Err(reason) => Some(Err(reason)),
            }
        }))
    }

    /// `f(row, elements and their amounts)`, elements by atomic number: of a structure column as its numbers lie, of a
    /// formula, or of the text of a crystal.
    pub(super) fn map_compositions<T: Send>(
        &self,
        f: impl Fn(usize, &[(Element, f64)]) -> Result<T, String> + Sync,
    ) -> SqlResult<Vec<Option<T>>> {
        let crystals = self.crystals(0)?;
        // A formula is text too, and the usual one: it is tried before the text of a whole crystal.
        let formulas = if is_text(self.columns[0].data_type()) { self.texts(0)? } else { None };
        Ok(self.rows(|i| {
            if let Crystals::Column(column) = &crystals
                && let Some(amounts) = column.numbers(i).and_then(amounts)
            {
                return Some(f(i, &amounts));
            }
            let formula = formulas.as_ref().map(|column| column.value(i).trim());
            let parsed = formula.map(Composition::parse);
            if let Some(Ok(composition)) = parsed {
                return Some(f(i, &composition.iter().collect::<Vec<_>>()));
            }
            match (crystals.get(i)?, parsed) {
                (Ok(structure), _) => Some(f(i, &structure.composition().iter().collect::<Vec<_>>())),
                (Err(_), Some(Err(reason))) if formula.is_some_and(|text| !text.contains('\n')) => {
                    Some(Err(reason.to_string()))
                }
                (Err(reason), _) => Some(Err(reason)),
            }
        }))
    }

    /// `f` of the numbers of every row, for functions whose arguments are all numbers.
    pub(super) fn map_numbers<const N: usize>(
        &self,
        f: impl Fn([f64; N]) -> Result<f64, String> + Sync,
    ) -> SqlResult<ArrayRef> {
        let columns = (0..N).map(|i| self.numbers(i)).collect::<SqlResult<Vec<_>>>()?;
        let number = |i: usize, k: usize| columns[k].as_ref().map_or(f64::NAN, |column| column.value(i));
        let values = self.rows(|i| Some(f(std::array::from_fn(|k| number(i, k)))));
        Ok(Arc::new(Float64Array::from(values)))
    }

    /// All rows in order; those with a NULL argument are `None` and not asked for.
    pub(super) fn rows<T: Send>(&self, f: impl Fn(usize) -> Option<Result<T, String>> + Sync) -> Vec<Option<T>> {
        let stop = Stop::current();
        let ask = |i: usize| {
            // Whoever asked is told so when all rows are through.
            if stop.is_given() {
                return None;
            }
            // A literal NULL is a column without a mask.
            if self.columns.iter().any(|column| column.is_null(i) || column.data_type().is_null()) {
                return None;
            }
            f(i)?.map_err(|reason| self.environment.warnings().note(self.function, reason)).ok()
        };
        if self.rows < PARALLEL_ROWS {
            (0..self.rows).map(ask).collect()
        } else {
            (0..self.rows).into_par_iter().with_min_len(PARALLEL_ROWS / 4).map(ask).collect()
        }
    }
}

/// How often each element stands in a list of atomic numbers, by atomic number; `None` where one is no element.
fn amounts(numbers: &[i32]) -> Option<Vec<(Element, f64)>> {
    let mut amounts: Vec<(Element, f64)> = Vec::with_capacity(8);
    for &z in numbers {
        let element = Element::from_z(i64::from(z)).ok()?;
        match amounts.iter_mut().find(|(e, _)| *e == element) {
            Some((_, n)) => *n += 1.0,
            None => amounts.push((element, 1.0)),
        }
    }
    amounts.sort_unstable_by_key(|&(element, _)| element);
    (!amounts.is_empty()).then_some(amounts)
}
