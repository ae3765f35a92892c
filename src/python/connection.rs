//! A store that is open, or a session without one: statements, tables of frames, imports.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, RecordBatch, UInt32Array, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::datasource::{MemTable, ViewTable, provider_as_source};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, col};
use hollandite::cli::queries::Query;
use hollandite::cli::{python, statements};
use hollandite::error::Error;
use hollandite::formats::{Frames, Mapping, Naming, Reading};
use hollandite::sql::{Session, quoted_name};
use hollandite::store::{Column as Promoted, ImportOptions, ImportSummary, Store, waiting_for};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

use crate::arrow_capsules;
use crate::column::Column;
use crate::errors::{HollanditeError, SqlError, StoreError_, UsageError, of_command, raised};
use crate::jobs;
use crate::progress::Progress;
use crate::result::Result;
use crate::runtime::{not_forked, wait, wait_only};
use crate::values;

/// What is said of a statement that would write, where a connection only reads.
pub const READ_ONLY: &str = "this connection is read-only: connect without read_only=True to write";

/// Whether a statement may write. What is no statement fails when it is planned.
pub fn may_write(session: &Session, text: &str) -> bool {
    matches!(session.only_reads(text).and_then(|reads| Ok(reads || session.sets(text)?)), Ok(false))
}

/// Where the statements of a connection go.
#[derive(Clone)]
pub struct Open {
    pub session: Session,
    pub store: Option<Store>,
    pub snapshot: Option<i64>,
    pub read_only: bool,
    pub progress: Progress,
    pub listener: Arc<Mutex<Option<Py<PyAny>>>>,
    /// The tables that were registered: no other is ever dropped by one.
    registered: Arc<Mutex<BTreeMap<String, Arc<ViewTable>>>>,
}

impl Open {
    fn new(session: Session, store: Option<Store>, snapshot: Option<i64>, read_only: bool) -> Self {
        let progress = Progress::default();
        progress.watch(&session);
        if read_only {
            session.environment().keep_nothing();
        }
        if let Some(store) = &store {
            let progress = progress.clone();
            store.watch_waiting(Box::new(move |holder| progress.note(&waiting_for(holder))));
        }
        Self { session, store, snapshot, read_only, progress, listener: Arc::default(), registered: Arc::default() }
    }

    /// Reports to the listener what changed.
    pub(crate) fn tell(&self, py: Python<'_>) -> PyResult<()> {
        // Nothing is locked while Python is called: it may let another thread go on, which reports too.
        let listener = {
            let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
            listener.as_ref().map(|listener| listener.clone_ref(py))
        };
        self.progress.tell(py, listener.as_ref())
    }

    /// Forgets a table that was registered; whether there was one. One that is registered takes the place of another first.
    fn forget(&self, name: &str) -> PyResult<bool> {
        not_forked()?;
        // A table of the store would be dropped.
        if self.registered.lock().unwrap_or_else(PoisonError::into_inner).remove(name).is_none() {
            return Ok(false);
        }
        let gone = self.session.context().deregister_table(quoted_name(name)).map_err(raised)?;
        Ok(gone.is_some())
    }

    /// Makes the tables that were registered known to another session.
    pub(crate) fn lend(&self, session: &Session) -> std::result::Result<(), Error> {
        for (name, view) in self.registered.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            session.context().register_table(quoted_name(name), Arc::clone(view) as _)?;
        }
        Ok(())
    }

    /// The store, to be written.
    fn written(&self) -> PyResult<&Store> {
        let store = self.store.as_ref();
        let store = store
            .ok_or_else(|| UsageError::new_err("this connection has no store: hollandite.connect(path) opens one"))?;
        match (self.read_only, self.snapshot) {
            (true, _) => Err(StoreError_::new_err(READ_ONLY)),
            (_, Some(snapshot)) => Err(StoreError_::new_err(format!(
                "this connection reads snapshot {snapshot}, and older snapshots are not written: connect without snapshot to write"
            ))),
            _ => Ok(store),
        }
    }

    /// # Errors
    /// A statement that may write, on a connection that only reads.
    fn admits(&self, text: &str) -> PyResult<()> {
        match self.read_only && may_write(&self.session, text) {
            true => Err(StoreError_::new_err(READ_ONLY)),
            false => Ok(()),
        }
    }
}

/// A store that is open: `hollandite.connect` returns one.
#[pyclass(frozen, subclass, module = "hollandite._lib")]
pub struct Connection(Mutex<Option<Open>>);

impl Connection {
    pub(crate) fn open(&self) -> PyResult<Open> {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.clone()
            .ok_or_else(|| HollanditeError::new_err("the connection is closed: hollandite.connect opens another"))
    }
}

/// Opens the store in a folder, or the embedded one where none is named; `:memory:` is a session without a store.
#[pyfunction]
#[pyo3(signature = (class, path, snapshot, read_only, create))]
pub fn connect(
    class: &Bound<'_, PyType>,
    path: Option<PathBuf>,
    snapshot: Option<i64>,
    read_only: bool,
    create: bool,
) -> PyResult<Py<PyAny>> {
    let py = class.py();
    let open = match path {
        Some(path) if path.as_os_str() == ":memory:" => {
            if snapshot.is_some() {
                return Err(UsageError::new_err("a session in memory has no snapshots"));
            }
            Open::new(Session::without_store(), None, None, read_only)
        }
        path => {
            let (store, session) = wait_only(py, move || async move {
                let store = match path {
                    Some(dir) if create && !dir.join("catalog.sqlite").exists() => Store::init(&dir).await?,
                    Some(dir) => Store::open(&dir).await?,
                    None => Store::open_default().await?,
                };
                let session = Session::open(&store, snapshot).await?;
                Ok::<_, hollandite::Error>((store, session))
            })?
            .map_err(raised)?;
            Open::new(session, Some(store), snapshot, read_only)
        }
    };
    let connection = class.call0()?;
    *connection.cast::<Connection>()?.get().0.lock().unwrap_or_else(PoisonError::into_inner) = Some(open);
    Ok(connection.unbind())
}

#[pymethods]
impl Connection {
    #[new]
    fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Closes the store. Results that are at hand stay.
    fn close(&self, py: Python<'_>) {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Its files are closed without the interpreter's lock.
        py.detach(move || drop(open));
    }

    /// Whether it was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// The folder of the store; None in memory.
    #[getter]
    fn path(&self) -> PyResult<Option<PathBuf>> {
        Ok(self.open()?.store.map(|store| store.dir().to_owned()))
    }

    /// The snapshot at which it is fixed; None at the newest.
    #[getter]
    fn snapshot(&self) -> PyResult<Option<i64>> {
        Ok(self.open()?.snapshot)
    }

    /// Whether it writes nothing.
    #[getter]
    fn read_only(&self) -> PyResult<bool> {
        Ok(self.open()?.read_only)
    }

    /// Has `listener(name, what, done, of)` and `listener.ended(name)` called while a statement or command runs, by the thread that
    /// waits for it.
    fn _listen(&self, listener: Option<Py<PyAny>>) -> PyResult<()> {
        *self.open()?.listener.lock().unwrap_or_else(PoisonError::into_inner) = listener;
        Ok(())
    }

    /// Runs or plans statements and returns the result of the last.
    #[pyo3(signature = (text, parameters = None))]
    fn _sql(&self, py: Python<'_>, text: &str, parameters: Option<&Bound<'_, PyAny>>) -> PyResult<Result> {
        let open = self.open()?;
        let values = values::parameters(parameters)?;
        let asked = Query::of_text(text).map_err(of_command)?.sql().to_owned();
        let statements = statements::all(&asked);
        let Some((last, before)) = statements.split_last() else {
            return Err(SqlError::new_err("there is no statement to run"));
        };
        if !before.is_empty() && parameters.is_some() {
            return Err(UsageError::new_err("parameters are for one statement: run the statements one by one"));
        }
        for statement in before {
            open.admits(statement)?;
            Result::of(py, &open, (*statement).to_owned())?.run(py)?;
        }
        open.admits(last)?;
        let bound = open.session.bind(last, &values).map_err(raised)?;
        Result::of(py, &open, bound)
    }

    /// Makes rows readable as a table of that name, while the connection is open; an earlier one of the name is replaced.
    fn _register(&self, name: &str, rows: &Bound<'_, PyAny>) -> PyResult<()> {
        let (schema, batches) = arrow_capsules::read(rows)?;
        let open = self.open()?;
        register(&open, name, schema, batches)
    }

    /// Makes columns readable as a table.
    fn _register_columns(&self, name: &str, columns: &Bound<'_, PyDict>) -> PyResult<()> {
        let (schema, batch) = batch(columns)?;
        let open = self.open()?;
        register(&open, name, schema, vec![batch])
    }

    /// Forgets what `register` made; whether there was one.
    fn _unregister(&self, name: &str) -> PyResult<bool> {
        self.open()?.forget(name)
    }

    /// The values of a function of SQL for each row of columns, or the one value of a function of a group. An argument, the first and
    /// those after it by name, is a column or a value; a column of one row stands for as many as the others have.
    fn _call(
        &self,
        py: Python<'_>,
        name: &str,
        first: &Bound<'_, PyAny>,
        arguments: &Bound<'_, PyDict>,
    ) -> PyResult<Column> {
        let open = self.open()?;
        let mut columns = Vec::new();
        let mut asked = |value: &Bound<'_, PyAny>| match value.cast::<Column>() {
            Ok(column) => {
                columns.push(Arc::clone(&column.get().0));
                Ok::<_, PyErr>(format!("\"{}\"", columns.len() - 1))
            }
            Err(_) => Ok(values::parameter(value)?.literal()),
        };
        // Functions of groups of rows know their arguments by place alone.
        let of_a_group = open.session.context().state().aggregate_functions().contains_key(name);
        let mut call = format!("{}({}", quoted_name(name), asked(first)?);
        for (argument, value) in arguments.iter() {
            let argument: String = argument.extract()?;
            let value = asked(&value)?;
            call += &if of_a_group { format!(", {value}") } else { format!(", {argument} => {value}") };
        }
        call.push(')');
        // Other threads ask meanwhile: what this call warns of is its own.
        let session = open.session.apart().map_err(raised)?;
        let asked = session.clone();
        let answer = wait(py, move || async move { evaluate(&asked, &call, columns).await }, |py| open.tell(py))?;
        let column = answer.map_err(raised)?;
        warn(py, &session)?;
        Ok(Column(column))
    }

    /// Imports files; what was done, as a dict.
    #[pyo3(signature = (paths, into, source, dedupe, order, map, id, frames, promote, dry_run, passing))]
    #[allow(clippy::too_many_arguments)]
    fn _import<'py>(
        &self,
        py: Python<'py>,
        paths: Vec<PathBuf>,
        into: String,
        source: Option<String>,
        dedupe: bool,
        order: Option<f64>,
        map: Option<String>,
        id: Option<String>,
        frames: &str,
        promote: Vec<String>,
        dry_run: bool,
        passing: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let usage = |message: String| UsageError::new_err(python::words(&message));
        let open = self.open()?;
        let store = open.written()?.clone();
        let mapping: Mapping = map.as_deref().map(str::parse).transpose().map_err(usage)?.unwrap_or_default();
        let (mapping, naming) = match id.as_deref() {
            Some("path") => (mapping, Naming::Path),
            Some(column) => (mapping.with_id(column).map_err(usage)?, Naming::Own),
            None if passing => (mapping, Naming::Passing),
            None => (mapping, Naming::Own),
        };
        let frames: Frames = frames.parse().map_err(usage)?;
        let promote = promote.iter().map(|column| column.parse::<Promoted>()).collect::<std::result::Result<_, _>>();
        let options = ImportOptions {
            into,
            source,
            reading: Reading { mapping, naming, frames },
            promote: promote.map_err(usage)?,
            dry_run,
            dedupe,
            order,
        };
        let progress = open.progress.clone();
        let summary =
            wait(py, move || async move { store.import(&paths, &options, &progress).await }, |py| open.tell(py));
        open.progress.close();
        open.tell(py)?;
        summarised(py, &summary?.map_err(raised)?)
    }

    /// Runs a command of the command line on this store and returns what it says.
    fn _command(&self, py: Python<'_>, words: Vec<std::ffi::OsString>, writes: bool) -> PyResult<String> {
        let open = self.open()?;
        if writes {
            open.written()?;
        }
        jobs::run(py, &open, words)
    }
}

/// What went wrong in rows, as warnings of Python.
pub(crate) fn warn(py: Python<'_>, session: &Session) -> PyResult<()> {
    for sentence in session.warnings() {
        py.import("hollandite._warnings")?.call_method1("warn", (python::words(&sentence),))?;
    }
    Ok(())
}

/// One batch of columns of one length.
fn batch(columns: &Bound<'_, PyDict>) -> PyResult<(SchemaRef, RecordBatch)> {
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for (name, values) in columns.iter() {
        let column = crate::column::column(columns.py(), &values)?.0;
        fields.push(Field::new(name.extract::<String>()?, column.data_type().clone(), true));
        arrays.push(column);
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).map_err(arrow_capsules::fault)?;
    Ok((schema, batch))
}

/// A view over rows in memory: the store itself is left alone.
fn register(open: &Open, name: &str, schema: SchemaRef, batches: Vec<RecordBatch>) -> PyResult<()> {
    open.forget(name)?;
    let view = Arc::new(view(schema, batches).map_err(raised)?);
    open.session.context().register_table(quoted_name(name), Arc::clone(&view) as _).map_err(raised)?;
    open.registered.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), view);
    Ok(())
}

/// Rows in memory as a view, which a session keeps and a store does not.
pub(crate) fn view(schema: SchemaRef, batches: Vec<RecordBatch>) -> std::result::Result<ViewTable, DataFusionError> {
    let rows = provider_as_source(Arc::new(MemTable::try_new(schema, vec![batches])?));
    Ok(ViewTable::new(LogicalPlanBuilder::scan("rows", rows, None)?.build()?, None))
}

/// The values of an expression over columns that it calls `0`, `1`, .., in the order of the rows; of an aggregate there is one.
async fn evaluate(
    session: &Session,
    expression: &str,
    columns: Vec<ArrayRef>,
) -> std::result::Result<ArrayRef, hollandite::Error> {
    // A single column of one row is one row; beside a longer one, or an empty one, it is as many.
    let count = columns.iter().map(|column| column.len()).find(|length| *length != 1).unwrap_or(1);
    let number: ArrayRef = Arc::new(UInt64Array::from_iter_values(0..count as u64));
    let mut named = vec![("number".to_owned(), number, false)];
    for (i, column) in columns.into_iter().enumerate() {
        let column = match column.len() == count {
            true => column,
            false => take(&column, &UInt32Array::from(vec![0; count]), None).map_err(DataFusionError::from)?,
        };
        named.push((i.to_string(), column, true));
    }
    let batch = RecordBatch::try_from_iter_with_nullable(named).map_err(DataFusionError::from)?;
    let frame = session.context().read_batch(batch)?;
    let call = session.expression(expression, frame.schema())?;
    let answers = match call {
        Expr::AggregateFunction(_) => frame.aggregate(vec![], vec![call.alias("value")])?,
        _ => frame.select(vec![col("number"), call.alias("value")])?.sort(vec![col("number").sort(true, false)])?,
    };
    let schema = Arc::new(answers.schema().as_arrow().clone());
    let batches = answers.collect().await?;
    let whole = arrow::compute::concat_batches(&schema, &batches).map_err(DataFusionError::from)?;
    Ok(Arc::clone(whole.column(whole.num_columns() - 1)))
}

fn summarised<'py>(py: Python<'py>, summary: &ImportSummary) -> PyResult<Bound<'py, PyDict>> {
    let said = PyDict::new(py);
    said.set_item("table", &summary.table)?;
    said.set_item("added", summary.added)?;
    said.set_item("present", summary.present)?;
    said.set_item("duplicates", summary.duplicates)?;
    said.set_item("skipped", summary.skipped)?;
    said.set_item("quarantined", summary.quarantined)?;
    said.set_item("files", summary.files)?;
    said.set_item("snapshot", summary.snapshot)?;
    said.set_item("seconds", summary.seconds)?;
    said.set_item("dry_run", summary.dry_run)?;
    said.set_item("text", python::words(&summary.to_string()))?;
    Ok(said)
}
