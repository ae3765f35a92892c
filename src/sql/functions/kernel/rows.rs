//! The loops that every function shares: over the rows of a batch, in parallel where they are many.

use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::config::ConfigOptions;
use datafusion::common::{Result, exec_err};
use rayon::prelude::*;

use super::super::{Function, Kind, Omitted, Parameter};
use super::Answer;
use crate::environment::Environment;
use crate::options::HollanditeOptions;
use crate::structure_type::{Crystals, is_text};
use columns::StructureColumn;
use crystal::stop::Stop;
use crystal::{Composition, Element, Structure};

/// Below this many rows threads cost more than they save.
const PARALLEL_ROWS: usize = 32;

/// The most numbers that one function may answer for one batch of rows: 1 GiB.
const MAX_NUMBERS: usize = 1 << 27;

/// The evaluated arguments of one call.
pub struct Arguments<'a> {
    pub(in super::super) function: &'a Function,
    pub(in super::super) columns: &'a [ArrayRef],
    rows: usize,
    environment: &'a Environment,
    config: &'a ConfigOptions,
}

/// What a session has beside the arguments of a call: a function that reads it answers by more than them.
pub(in super::super) struct Context<'a> {
    pub environment: &'a Environment,
    pub options: HollanditeOptions,
}

impl<'a> Arguments<'a> {
    /// The arguments of a call of `function`; a call without any has one row.
    pub(in super::super) fn new(
        function: &'a Function,
        columns: &'a [ArrayRef],
        environment: &'a Environment,
        config: &'a ConfigOptions,
    ) -> Self {
        Self { function, columns, rows: columns.first().map_or(1, |column| column.len()), environment, config }
    }

    pub(super) fn context(&self) -> Context<'a> {
        Context { environment: self.environment, options: HollanditeOptions::of(self.config) }
    }
}

impl Arguments<'_> {
    /// How many rows are requested.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The crystals of argument `i`.
    pub(in super::super) fn crystals(&self, i: usize) -> Result<Crystals<'_>> {
        Crystals::try_new(&self.columns[i])
    }

    /// The texts of argument `i`; `None` where the call leaves it out.
    pub(in super::super) fn texts(&self, i: usize) -> Result<Option<StringArray>> {
        let Some(column) = self.columns.get(i) else { return Ok(None) };
        Ok(Some(cast(column, &DataType::Utf8)?.as_string().clone()))
    }

    /// The numbers of argument `i`; `None` where the call leaves it out.
    pub(in super::super) fn numbers(&self, i: usize) -> Result<Option<Float64Array>> {
        let Some(column) = self.columns.get(i) else { return Ok(None) };
        Ok(Some(cast(column, &DataType::Float64)?.as_primitive::<Float64Type>().clone()))
    }

    /// Arguments beside the crystal, as their kinds say, to be read row by row.
    pub(in super::super) fn read(&self) -> Result<Vec<Read>> {
        Read::all(&self.function.parameters, self.columns)
    }

    /// `f(row, crystal)` for every row whose arguments are all given. An `Err` is a warning and NULL.
    pub(in super::super) fn map<T: Send>(
        &self,
        f: impl Fn(Row, &Structure) -> Answer<T> + Sync,
    ) -> Result<Vec<Option<T>>> {
        let (crystals, read) = (self.crystals(0)?, self.read()?);
        Ok(self.rows(|i| Some(crystals.get(i)?.map_err(Into::into).and_then(|s| f(Row { read: &read, i }, &s)))))
    }

    /// As [`Arguments::map`], refused where the answers, of `numbers` numbers each, are too much to hold at once.
    pub(in super::super) fn map_bounded<T: Send>(
        &self,
        numbers: fn(&T) -> usize,
        f: impl Fn(Row, &Structure) -> Answer<T> + Sync,
    ) -> Result<Vec<Option<T>>> {
        let total = AtomicUsize::new(0);
        let found = self.map(|row, s| {
            if total.load(Ordering::Relaxed) > MAX_NUMBERS {
                return Ok(None);
            }
            let answer = f(row, s)?;
            match numbers(&answer) {
                0 => {}
                n => drop(total.fetch_add(n, Ordering::Relaxed)),
            }
            Ok(Some(answer))
        })?;
        if total.into_inner() > MAX_NUMBERS {
            return exec_err!(
                "{} of {} rows is over {MAX_NUMBERS} numbers: SET datafusion.execution.batch_size to fewer rows",
                self.function.name,
                self.rows
            );
        }
        Ok(found.into_iter().map(Option::flatten).collect())
    }

    /// `f(row, a, b)` for the crystals of the first two arguments, as [`Arguments::map`].
    pub(in super::super) fn map_pairs<T: Send>(
        &self,
        f: impl Fn(Row, &Structure, &Structure) -> Answer<T> + Sync,
    ) -> Result<Vec<Option<T>>> {
        let [a, b] = [self.crystals(0)?, self.crystals(1)?];
        let read = self.read()?;
        Ok(self.rows(|i| {
            Some(match (a.get(i)?, b.get(i)?) {
                (Ok(a), Ok(b)) => f(Row { read: &read, i }, &a, &b),
                (Err(reason), _) | (_, Err(reason)) => Err(reason.into()),
            })
        }))
    }

    /// As [`Arguments::map`], for quantities that need no whole crystal: `fast` reads the numbers of a structure column
    /// as they lie and may decline; then, and for text, `f` is called.
    pub(super) fn map_slices<T: Send>(
        &self,
        fast: impl Fn(&[f64], &[i32]) -> Option<T> + Sync,
        f: impl Fn(&Structure) -> Answer<T> + Sync,
    ) -> Result<Vec<Option<T>>> {
        let crystals = self.crystals(0)?;
        let slices = |column: &StructureColumn, i| fast(column.lattice(i)?, column.numbers(i)?);
        Ok(self.rows(|i| {
            if let Crystals::Column(column) = &crystals
                && let Some(value) = slices(column, i)
            {
                return Some(Ok(value));
            }
            Some(crystals.get(i)?.map_err(Into::into).and_then(|s| f(&s)))
        }))
    }

    /// `f(row, elements and their amounts)`, elements by atomic number: straight from a structure column, of a
    /// formula, or of the text of a crystal.
    pub(in super::super) fn map_compositions<T: Send>(
        &self,
        f: impl Fn(Row, &[(Element, f64)]) -> Answer<T> + Sync,
    ) -> Result<Vec<Option<T>>> {
        let (crystals, read) = (self.crystals(0)?, self.read()?);
        // A formula is text too, and the usual one: it is tried before the text of a whole crystal.
        let formulas = if is_text(self.columns[0].data_type()) { self.texts(0)? } else { None };
        Ok(self.rows(|i| {
            let row = Row { read: &read, i };
            if let Crystals::Column(column) = &crystals
                && let Some(amounts) = column.numbers(i).and_then(amounts)
            {
                return Some(f(row, &amounts));
            }
            let formula = formulas.as_ref().map(|column| column.value(i).trim());
            let parsed = formula.map(Composition::parse);
            if let Some(Ok(composition)) = parsed {
                return Some(f(row, &composition.iter().collect::<Vec<_>>()));
            }
            match (crystals.get(i)?, parsed) {
                (Ok(structure), _) => Some(f(row, &structure.composition().iter().collect::<Vec<_>>())),
                (Err(_), Some(Err(reason))) if formula.is_some_and(|text| !text.contains('\n')) => {
                    Some(Err(reason.into()))
                }
                (Err(reason), _) => Some(Err(reason.into())),
            }
        }))
    }

    /// All rows in order; those with a NULL argument are `None` and not asked for. An `Err` is a warning and NULL.
    pub(in super::super) fn rows<T: Send>(&self, f: impl Fn(usize) -> Option<Answer<T>> + Sync) -> Vec<Option<T>> {
        let stop = Stop::current();
        let ask = |i: usize| {
            // The summary says so when all rows are done.
            if stop.is_given() {
                return None;
            }
            // A literal NULL is a column without a mask.
            if self.columns.iter().any(|column| column.is_null(i) || column.data_type().is_null()) {
                return None;
            }
            let note = |reason: String| self.environment.warnings().note(self.function.name, reason);
            f(i)?.map_err(|reason| note(reason.to_string())).ok()
        };
        if self.rows < PARALLEL_ROWS {
            (0..self.rows).map(ask).collect()
        } else {
            (0..self.rows).into_par_iter().with_min_len(PARALLEL_ROWS / 4).map(ask).collect()
        }
    }
}

/// An argument over the rows of a batch.
pub(crate) enum Read {
    Numbers(Float64Array),
    Texts(StringArray),
    Flags(BooleanArray),
    LeftOut(Option<Omitted>),
    /// Read by the loop, not by the row.
    Elsewhere,
}

impl Read {
    /// The arguments of a call, each as its kind says; what the call leaves out has its default.
    ///
    /// # Errors
    /// A column that is not of its kind.
    pub fn all(parameters: &[Parameter], columns: &[ArrayRef]) -> Result<Vec<Self>> {
        parameters.iter().enumerate().map(|(i, parameter)| Self::one(parameter, columns.get(i))).collect()
    }

    fn one(parameter: &Parameter, column: Option<&ArrayRef>) -> Result<Self> {
        let Some(column) = column else { return Ok(Self::LeftOut(parameter.omitted)) };
        Ok(match parameter.kind {
            Kind::Number => Self::Numbers(cast(column, &DataType::Float64)?.as_primitive::<Float64Type>().clone()),
            Kind::Text | Kind::Model | Kind::NumberOrName => {
                Self::Texts(cast(column, &DataType::Utf8)?.as_string().clone())
            }
            Kind::Boolean => Self::Flags(cast(column, &DataType::Boolean)?.as_boolean().clone()),
            _ => Self::Elsewhere,
        })
    }
}

/// The arguments of one row beside its crystal, by their places. What the call leaves out has its default.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    pub read: &'a [Read],
    pub i: usize,
}

impl<'a> Row<'a> {
    /// Whether the call leaves argument `k` out.
    pub fn omits(self, k: usize) -> bool {
        matches!(self.read[k], Read::LeftOut(_))
    }

    /// Number `k`; NaN where there is none.
    pub fn number(self, k: usize) -> f64 {
        self.given(k).unwrap_or(f64::NAN)
    }

    /// Number `k`; `None` where it is NULL, or the call leaves out one without a default.
    pub fn given(self, k: usize) -> Option<f64> {
        match &self.read[k] {
            Read::Numbers(numbers) => numbers.is_valid(self.i).then(|| numbers.value(self.i)),
            Read::LeftOut(Some(Omitted::Number(x))) => Some(*x),
            _ => None,
        }
    }

    /// Text `k`; empty where there is none.
    pub fn text(self, k: usize) -> &'a str {
        match &self.read[k] {
            Read::Texts(texts) => texts.value(self.i),
            Read::LeftOut(Some(Omitted::Text(text))) => text,
            _ => "",
        }
    }

    /// Truth value `k`.
    pub fn flag(self, k: usize) -> bool {
        match &self.read[k] {
            Read::Flags(flags) => flags.value(self.i),
            Read::LeftOut(Some(Omitted::Flag(flag))) => *flag,
            _ => false,
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
