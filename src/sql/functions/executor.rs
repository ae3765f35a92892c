//! The loop that every function shares: a pure function of a crystal over a column, in parallel where rows are many.

use arrow::array::Array;
use datafusion::common::Result as SqlResult;
use rayon::prelude::*;

use super::Arguments;
use crate::columns::StructureColumn;
use crate::crystal::Structure;
use crate::sql::structure_type::Crystals;

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

    /// All rows in order; those with a NULL argument are `None` and not asked for.
    pub(super) fn rows<T: Send>(&self, f: impl Fn(usize) -> Option<Result<T, String>> + Sync) -> Vec<Option<T>> {
        let ask = |i: usize| {
            if self.columns.iter().any(|column| column.is_null(i)) {
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
