//! The result of a statement: planned at once, computed when its rows are fetched, and kept from then on.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, RecordBatch, RecordBatchIterator, RecordBatchReader};
use arrow::compute::concat_batches;
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::DataFrame;
use futures::StreamExt;
use hollandite::cli::{cell_texts, table_text};
use hollandite::columns::StructureColumn;
use hollandite::error::Error;
use hollandite::report::{Headings, plain_layouts, recast, structure_column, with_units};
use hollandite::sql::{ColumnUnits, Session, column_units};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyList, PyTuple};

use crate::arrow_capsules::{self, failed, fault};
use crate::column::Column;
use crate::connection::{Open, warn};
use crate::errors::{HollanditeError, of_report, raised};
use crate::runtime::wait;
use crate::values;

/// Rows of a statement. They are computed when they are first needed.
#[pyclass(frozen, module = "hollandite")]
pub struct Result {
    open: Open,
    /// That of the query.
    session: Session,
    frame: DataFrame,
    headings: Arc<Headings>,
    /// The columns under readable names, with units.
    schema: SchemaRef,
    units: Vec<ColumnUnits>,
    kept: Mutex<Option<Arc<Vec<RecordBatch>>>>,
    /// The first rows, as many as were asked for: who shows a result does so again.
    shown: Mutex<Option<(usize, RecordBatch)>>,
}

impl Result {
    /// Plans a statement; one that makes or changes something is carried out.
    pub(crate) fn of(py: Python<'_>, open: &Open, text: String) -> PyResult<Self> {
        // What a query warns of is its own, whatever other threads ask; what is set is set for all.
        let reads = open.session.only_reads(&text).unwrap_or(false);
        let session = if reads { open.session.apart().map_err(raised)? } else { open.session.clone() };
        let asked = session.clone();
        let frame = wait(py, move || async move { asked.sql(&text).await }, |py| open.tell(py))?.map_err(raised)?;
        let headings = Headings::of(&Arc::new(frame.schema().as_arrow().clone()));
        let units = column_units(&open.session, &frame);
        let of_columns: Vec<_> = units.iter().map(|column| column.unit.clone()).collect();
        let schema = plain_layouts(&with_units(headings.schema(), &of_columns));
        let headings = Arc::new(headings);
        let (kept, shown) = Default::default();
        let result = Self { open: open.clone(), session, frame, headings, schema, units, kept, shown };
        let writes = matches!(
            result.frame.logical_plan(),
            LogicalPlan::Copy(_) | LogicalPlan::Dml(_) | LogicalPlan::Ddl(_) | LogicalPlan::Statement(_)
        );
        if writes || result.schema.fields().is_empty() {
            result.run(py)?;
        }
        Ok(result)
    }

    /// All rows; they are kept.
    pub(crate) fn run(&self, py: Python<'_>) -> PyResult<Arc<Vec<RecordBatch>>> {
        if let Some(kept) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            return Ok(Arc::clone(kept));
        }
        let batches = Arc::new(self.computed(py, self.frame.clone())?);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have been there first: one answer for all.
        Ok(Arc::clone(kept.get_or_insert(batches)))
    }

    fn computed(&self, py: Python<'_>, frame: DataFrame) -> PyResult<Vec<RecordBatch>> {
        let (headings, schema) = (Arc::clone(&self.headings), Arc::clone(&self.schema));
        let work = move || async move {
            let batches = frame.collect().await?;
            batches
                .into_iter()
                .map(|batch| Ok(named(&headings, &schema, batch)?))
                .collect::<std::result::Result<Vec<_>, DataFusionError>>()
        };
        let batches = wait(py, work, |py| self.open.tell(py));
        self.open.progress.close();
        self.open.tell(py)?;
        let batches = batches?.map_err(raised)?;
        warn(py, &self.session)?;
        Ok(batches)
    }

    /// The first rows, and whether there are more: of those that are kept, else of the plan with a limit.
    fn first(&self, py: Python<'_>, rows: usize) -> PyResult<(RecordBatch, bool)> {
        let whole = self.begun(py, rows)?;
        Ok((whole.slice(0, whole.num_rows().min(rows)), whole.num_rows() > rows))
    }

    /// The first rows and, where there is one, the next.
    fn begun(&self, py: Python<'_>, rows: usize) -> PyResult<RecordBatch> {
        let whole = |batches: &[RecordBatch]| concat_batches(&self.schema, batches).map_err(fault);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(kept) = kept {
            return whole(&kept);
        }
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((asked, shown)) = shown
            && asked >= rows
        {
            return Ok(shown);
        }
        let limited = self.frame.clone().limit(0, Some(rows + 1)).map_err(raised)?;
        let batches = Arc::new(self.computed(py, limited)?);
        let begun = whole(&batches)?;
        match begun.num_rows() > rows {
            true => *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some((rows, begun.clone())),
            false => *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(batches),
        }
        Ok(begun)
    }

    /// The number of a column, by its name or its number.
    fn position(&self, column: &Bound<'_, PyAny>) -> PyResult<usize> {
        let count = self.schema.fields().len();
        match column.extract::<usize>() {
            Ok(at) if at < count => return Ok(at),
            Ok(_) => return Err(HollanditeError::new_err(format!("there are {count} columns, numbered from 0"))),
            Err(_) => {}
        }
        let name: String = column.extract()?;
        self.schema.index_of(&name).map_err(|_| {
            let names: Vec<&str> = self.schema.fields().iter().map(|field| field.name().as_str()).collect();
            HollanditeError::new_err(format!("no column '{name}'; there are {}", names.join(", ")))
        })
    }

    fn whole(&self, py: Python<'_>, at: usize) -> PyResult<Column> {
        let batches = self.run(py)?;
        let chunks: Vec<&dyn Array> = batches.iter().map(|batch| batch.column(at).as_ref()).collect();
        Ok(Column(match chunks.as_slice() {
            [] => arrow::array::new_empty_array(self.schema.field(at).data_type()),
            _ => arrow::compute::concat(&chunks).map_err(fault)?,
        }))
    }
}

/// A batch under readable columns.
fn named(headings: &Headings, schema: &SchemaRef, batch: RecordBatch) -> std::result::Result<RecordBatch, ArrowError> {
    recast(&headings.over(batch)?, schema).map_err(|error| ArrowError::ExternalError(Box::new(error)))
}

/// The columns under names that say their units: a terminal has one line for a heading.
fn headed(schema: &SchemaRef) -> SchemaRef {
    let named = schema.fields().iter().map(|field| match field.metadata().get("unit") {
        Some(unit) => Arc::new(field.as_ref().clone().with_name(format!("{} ({unit})", field.name()))),
        None => Arc::clone(field),
    });
    Arc::new(Schema::new(named.collect::<Vec<FieldRef>>()))
}

#[pymethods]
impl Result {
    /// The rows as a stream of Arrow batches. Rows that are not kept are computed while they are read.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema; // A wish, which an exporter need not fulfil.
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let reader: Box<dyn RecordBatchReader + Send> = match kept {
            Some(kept) => {
                let batches: Vec<_> = kept.iter().cloned().map(Ok).collect();
                Box::new(RecordBatchIterator::new(batches, Arc::clone(&self.schema)))
            }
            None => {
                let frame = self.frame.clone();
                let rows = wait(py, move || async move { frame.execute_stream().await }, |py| self.open.tell(py))?;
                let rows = rows.map_err(raised)?;
                let (headings, schema) = (Arc::clone(&self.headings), Arc::clone(&self.schema));
                Box::new(Streamed {
                    rows: Arc::new(tokio::sync::Mutex::new(rows)),
                    headings,
                    schema,
                    open: self.open.clone(),
                    session: self.session.clone(),
                })
            }
        };
        arrow_capsules::stream(py, reader)
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        arrow_capsules::schema(py, &self.schema)
    }

    /// The names of the columns.
    #[getter]
    fn columns(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    /// The unit of each column; None where it has none or it is not known.
    #[getter]
    fn units(&self) -> Vec<Option<String>> {
        self.schema.fields().iter().map(|field| field.metadata().get("unit").cloned()).collect()
    }

    /// The type of each column, as Arrow calls it.
    #[getter]
    fn types(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.data_type().to_string()).collect()
    }

    /// The column with the crystals: `structure`, else the first that has some; None where there is none.
    #[getter]
    fn _crystals(&self) -> Option<String> {
        structure_column(&self.schema).map(|at| self.schema.field(at).name().clone())
    }

    /// The columns that hold crystals.
    #[getter]
    fn _crystal_columns(&self) -> Vec<String> {
        let empty = |field: &Arc<arrow::datatypes::Field>| arrow::array::new_empty_array(field.data_type());
        let fields = self.schema.fields().iter();
        fields
            .filter(|field| StructureColumn::try_new(&empty(field)).is_ok())
            .map(|field| field.name().clone())
            .collect()
    }

    /// Computes the rows, keeps them, and returns the same result.
    fn collect<'py>(slf: PyRef<'py, Self>, py: Python<'py>) -> PyResult<PyRef<'py, Self>> {
        slf.run(py)?;
        Ok(slf)
    }

    /// How many rows there are.
    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.run(py)?.iter().map(RecordBatch::num_rows).sum())
    }

    /// Every row as a tuple, crystals as `Crystal`.
    fn fetchall<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let rows = PyList::empty(py);
        for batch in self.run(py)?.iter() {
            let columns =
                batch.columns().iter().map(|column| values::objects(py, column)).collect::<PyResult<Vec<_>>>()?;
            for i in 0..batch.num_rows() {
                rows.append(PyTuple::new(py, columns.iter().map(|column| &column[i]))?)?;
            }
        }
        Ok(rows)
    }

    /// One column, by its name or number.
    fn column(&self, py: Python<'_>, column: &Bound<'_, PyAny>) -> PyResult<Column> {
        self.whole(py, self.position(column)?)
    }

    /// The first rows as the table of a terminal.
    fn _table(&self, py: Python<'_>, rows: usize, width: Option<usize>) -> PyResult<String> {
        let (batch, more) = self.first(py, rows)?;
        let headed = headed(&self.schema);
        let text = py.detach(|| table_text(&headed, &[batch], &self.units, width)).map_err(|e| of_report(&e))?;
        Ok(if more { format!("{text}and more: to_polars(), to_pandas() or fetchall() have all\n") } else { text })
    }

    /// The cells of the first rows as texts, and whether there are more rows.
    fn _cells(&self, py: Python<'_>, rows: usize) -> PyResult<(Vec<Vec<String>>, bool)> {
        let (batch, more) = self.first(py, rows)?;
        Ok((py.detach(|| cell_texts(&batch, &self.units)).map_err(|e| of_report(&e))?, more))
    }

    /// The first rows of a column.
    fn _first(&self, py: Python<'_>, column: &Bound<'_, PyAny>, rows: usize) -> PyResult<Column> {
        let at = self.position(column)?;
        Ok(Column(Arc::clone(self.first(py, rows)?.0.column(at))))
    }
}

/// A stream whose batches are computed on demand, on the threads of queries.
struct Streamed {
    rows: Arc<tokio::sync::Mutex<SendableRecordBatchStream>>,
    headings: Arc<Headings>,
    schema: SchemaRef,
    open: Open,
    session: Session,
}

/// A reader that leaves before the end leaves no bar.
impl Drop for Streamed {
    fn drop(&mut self) {
        self.open.progress.close();
    }
}

impl Iterator for Streamed {
    type Item = std::result::Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rows = Arc::clone(&self.rows);
        let batch = Python::attach(|py| {
            let batch = wait(py, move || async move { rows.lock().await.next().await }, |py| self.open.tell(py))?;
            if batch.is_none() {
                self.open.progress.close();
                self.open.tell(py)?;
                warn(py, &self.session)?;
            }
            Ok::<_, PyErr>(batch)
        });
        match batch {
            Err(raised) => Some(Err(failed(&raised))),
            Ok(None) => None,
            Ok(Some(Err(error))) => Some(Err(failed(&Error::from(error)))),
            Ok(Some(Ok(batch))) => Some(named(&self.headings, &self.schema, batch)),
        }
    }
}

impl RecordBatchReader for Streamed {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}
