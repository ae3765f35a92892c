//! What answers for a function, made from what is computed on one crystal: the type of the column follows from what it returns,
//! the volatility from whether it reads the session.

mod rows;
mod values;

use std::error::Error;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Volatility;

pub use rows::Arguments;
pub(super) use rows::Context;
pub(crate) use rows::{Read, Row};
pub use values::FieldDoc;
pub(crate) use values::{Columns, Output, list_of, lists, lists_of, structs, values};
pub(super) use values::{Rows, Value};

use crate::cost::Cost;
use crystal::{Element, Structure};

/// What a row answers, or why it has no answer.
pub(super) type Answer<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Answers for the rows of a batch.
#[derive(Clone)]
pub struct Kernel {
    data_type: DataType,
    fields: Vec<FieldDoc>,
    cost: Cost,
    volatility: Volatility,
    version: u32,
    run: Arc<Run>,
}

type Run = dyn Fn(&Arguments) -> Result<ArrayRef> + Send + Sync;

impl Kernel {
    /// Answers with a column of `data_type`, which depends on nothing but the arguments.
    pub fn new(
        cost: Cost,
        data_type: DataType,
        run: impl Fn(&Arguments) -> Result<ArrayRef> + Send + Sync + 'static,
    ) -> Self {
        Self { data_type, fields: vec![], cost, volatility: Volatility::Immutable, version: 1, run: Arc::new(run) }
    }

    /// The same numbers of another version, which is raised whenever they change: what was materialised at another one is
    /// computed again.
    pub fn with_version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }

    /// The same with documented fields.
    pub(super) fn with_fields(mut self, fields: Vec<FieldDoc>) -> Self {
        self.fields = fields;
        self
    }

    /// Arrow type of the result.
    pub fn data_type(&self) -> &DataType {
        &self.data_type
    }

    /// The fields of the structs that it answers with.
    pub fn fields(&self) -> &[FieldDoc] {
        &self.fields
    }

    /// What one row costs.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// Whether it answers by its arguments alone, or by tables, options and models of the session too.
    pub fn volatility(&self) -> Volatility {
        self.volatility
    }

    /// Version of the numbers.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// One value a row.
    ///
    /// # Errors
    /// What ends the query; a row without an answer is NULL and a warning.
    pub fn answer(&self, arguments: &Arguments) -> Result<ArrayRef> {
        (self.run)(arguments)
    }
}

/// `f` answers for the rows of a batch, by their arguments alone.
pub(super) fn rows<T: 'static>(
    cost: Cost,
    output: Output<T>,
    f: impl Fn(&Arguments) -> Result<Vec<Option<T>>> + Send + Sync + 'static,
) -> Kernel {
    let Output { data_type, fields, array, .. } = output;
    Kernel::new(cost, data_type, move |arguments| Ok(array(f(arguments)?))).with_fields(fields)
}

/// `f` answers for the rows of a batch, by what the session has too.
pub(super) fn in_session<T: 'static>(
    cost: Cost,
    output: Output<T>,
    f: impl Fn(&Arguments, &Context) -> Result<Vec<Option<T>>> + Send + Sync + 'static,
) -> Kernel {
    stable(rows(cost, output, move |arguments| f(arguments, &arguments.context())))
}

/// As [`in_session`], for what makes a column by itself.
pub(super) fn column_in_session(
    cost: Cost,
    data_type: DataType,
    f: impl Fn(&Arguments, &Context) -> Result<ArrayRef> + Send + Sync + 'static,
) -> Kernel {
    stable(Kernel::new(cost, data_type, move |arguments| f(arguments, &arguments.context())))
}

fn stable(kernel: Kernel) -> Kernel {
    Kernel { volatility: Volatility::Stable, ..kernel }
}

/// `f(row, crystal)`.
pub(super) fn crystals<T: Value + Send + 'static>(
    cost: Cost,
    f: impl Fn(Row, &Structure) -> Answer<T> + Send + Sync + 'static,
) -> Kernel {
    crystals_as(cost, values(), f)
}

/// `f(row, crystal)`, as structs or lists of them.
pub(super) fn crystals_as<T: Send + 'static>(
    cost: Cost,
    output: Output<T>,
    f: impl Fn(Row, &Structure) -> Answer<T> + Send + Sync + 'static,
) -> Kernel {
    let numbers = output.numbers;
    rows(cost, output, move |arguments| arguments.map_bounded(numbers, &f))
}

/// `f(row, a, b)` of the crystals of the first two arguments.
pub(super) fn pairs<T: Send + 'static>(
    cost: Cost,
    output: Output<T>,
    f: impl Fn(Row, &Structure, &Structure) -> Answer<T> + Send + Sync + 'static,
) -> Kernel {
    rows(cost, output, move |arguments| arguments.map_pairs(&f))
}

/// `f(row, elements and their amounts)`.
pub(super) fn compositions<T: Send + 'static>(
    cost: Cost,
    output: Output<T>,
    f: impl Fn(Row, &[(Element, f64)]) -> Answer<T> + Send + Sync + 'static,
) -> Kernel {
    rows(cost, output, move |arguments| arguments.map_compositions(&f))
}

/// `fast(lattice, atomic numbers)` straight from a structure column, where it does not decline; `f(crystal)` of others.
pub(super) fn slices<T: Value + Send + 'static>(
    fast: impl Fn(&[f64], &[i32]) -> Option<T> + Send + Sync + 'static,
    f: impl Fn(&Structure) -> Answer<T> + Send + Sync + 'static,
) -> Kernel {
    rows(Cost::Crystal, values(), move |arguments| arguments.map_slices(&fast, &f))
}

/// `f(row)` of arguments none of which is a crystal.
pub(super) fn plain(f: impl Fn(Row) -> Answer<f64> + Send + Sync + 'static) -> Kernel {
    rows(Cost::Cheap, values(), move |arguments| {
        let read = arguments.read()?;
        Ok(arguments.rows(|i| Some(f(Row { read: &read, i }))))
    })
}
