//! A statement: its text, the rows of its parameters, and the rows that it answers; or rows to be put into a table.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use adbc_core::error::{Error, Result, Status};
use adbc_core::options::{IngestMode, OptionStatement, OptionValue};
use adbc_core::{CancelHandle, Optionable, PartitionedResult, Statement};
use arrow::array::{AsArray, RecordBatch, RecordBatchReader};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, Schema, SchemaRef};
use arrow::error::ArrowError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::prelude::DataFrame;
use futures::StreamExt;
use hollandite::report::{plain_layouts, recast};
use hollandite::sql::{Session, Values, quoted_name};
use hollandite::stop::Stop;

use super::{CANCELLED, fault, invalid, unknown, wait};
use crate::arrow_capsules::failed;
use crate::connection::{READ_ONLY, may_write, view};
use crate::runtime::wait_elsewhere;

/// A statement.
pub struct AdbcStatement {
    session: Session,
    read_only: bool,
    text: Option<String>,
    bound: Vec<RecordBatch>,
    /// The table that `bound` goes into, and how.
    target: Option<String>,
    mode: IngestMode,
    temporary: bool,
    stop: Arc<Mutex<Stop>>,
}

impl AdbcStatement {
    pub fn new(session: Session, read_only: bool) -> Self {
        Self {
            session,
            read_only,
            text: None,
            bound: Vec::new(),
            target: None,
            mode: IngestMode::Create,
            temporary: false,
            stop: Arc::default(),
        }
    }

    /// The statements to run: one for each row of parameters.
    fn statements(&self) -> Result<Vec<String>> {
        let text = self.text.as_deref();
        let text =
            text.ok_or_else(|| Error::with_message_and_status("the statement has no text", Status::InvalidState))?;
        if self.read_only && may_write(&self.session, text) {
            return Err(invalid(READ_ONLY));
        }
        if self.bound.is_empty() {
            return Ok(vec![text.to_owned()]);
        }
        let mut statements = Vec::new();
        for batch in &self.bound {
            for row in 0..batch.num_rows() {
                statements.push(self.session.bind(text, &Values::of_row(batch, row).map_err(fault)?).map_err(fault)?);
            }
        }
        Ok(statements)
    }

    /// A new sign to stop, for what begins now.
    fn begin(&self) -> Stop {
        let stop = Stop::new();
        *self.stop.lock().unwrap_or_else(PoisonError::into_inner) = stop.clone();
        stop
    }

    /// Puts the rows into the table; how many there were.
    fn ingest(&self, table: &str) -> Result<i64> {
        let schema = self.bound.first().map(RecordBatch::schema);
        let schema = schema.ok_or_else(|| invalid("there are no rows to put into the table"))?;
        let count: usize = self.bound.iter().map(RecordBatch::num_rows).sum();
        let view = view(schema, self.bound.clone()).map_err(fault)?;
        let context = self.session.context().clone();
        if self.temporary {
            context.register_table(quoted_name(table), Arc::new(view)).map_err(fault)?;
            return Ok(count as i64);
        }
        if self.read_only {
            return Err(invalid(READ_ONLY));
        }
        // A name of its own: others may be filling a table too.
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let rows = format!("rows_of_adbc_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        context.register_table(rows.as_str(), Arc::new(view)).map_err(fault)?;
        let exists = context.table_exist(quoted_name(table)).map_err(fault)?;
        let statement = self.filled(quoted_name(table), &rows, exists);
        let session = self.session.clone();
        let done =
            wait(self.begin(), move || async move { Ok(session.sql(&statement).await?.collect().await.map(drop)?) });
        let _ = context.deregister_table(rows.as_str());
        done?;
        Ok(count as i64)
    }
}

impl AdbcStatement {
    /// The statement that puts rows into a table.
    fn filled(&self, table: String, rows: &str, exists: bool) -> String {
        match self.mode {
            IngestMode::Append => format!("INSERT INTO {table} SELECT * FROM {rows}"),
            IngestMode::CreateAppend if exists => format!("INSERT INTO {table} SELECT * FROM {rows}"),
            IngestMode::Replace => format!("CREATE OR REPLACE TABLE {table} AS SELECT * FROM {rows}"),
            IngestMode::Create | IngestMode::CreateAppend => format!("CREATE TABLE {table} AS SELECT * FROM {rows}"),
        }
    }
}

impl Optionable for AdbcStatement {
    type Option = OptionStatement;

    fn set_option(&mut self, key: OptionStatement, value: OptionValue) -> Result<()> {
        let text = match &value {
            OptionValue::String(text) => text.clone(),
            _ => return Err(invalid(format!("{} is a text", key.as_ref()))),
        };
        match key {
            OptionStatement::TargetTable => self.target = Some(text),
            OptionStatement::IngestMode => {
                self.mode = match text.as_str() {
                    "adbc.ingest.mode.create" => IngestMode::Create,
                    "adbc.ingest.mode.append" => IngestMode::Append,
                    "adbc.ingest.mode.replace" => IngestMode::Replace,
                    "adbc.ingest.mode.create_append" => IngestMode::CreateAppend,
                    _ => return Err(unknown(&format!("way {text} to fill a table"))),
                }
            }
            OptionStatement::Temporary => self.temporary = text == "true",
            key => return Err(unknown(&format!("option {} of a statement", key.as_ref()))),
        }
        Ok(())
    }

    fn get_option_string(&self, key: OptionStatement) -> Result<String> {
        Err(unknown(&format!("option {} of a statement", key.as_ref())))
    }

    fn get_option_bytes(&self, key: OptionStatement) -> Result<Vec<u8>> {
        Err(unknown(&format!("option {} of a statement", key.as_ref())))
    }

    fn get_option_int(&self, key: OptionStatement) -> Result<i64> {
        Err(unknown(&format!("option {} of a statement", key.as_ref())))
    }

    fn get_option_double(&self, key: OptionStatement) -> Result<f64> {
        Err(unknown(&format!("option {} of a statement", key.as_ref())))
    }
}

impl Statement for AdbcStatement {
    fn bind(&mut self, batch: RecordBatch) -> Result<()> {
        self.bound = vec![batch];
        Ok(())
    }

    fn bind_stream(&mut self, reader: Box<dyn RecordBatchReader + Send>) -> Result<()> {
        self.bound = reader.collect::<std::result::Result<_, _>>()?;
        Ok(())
    }

    fn execute(&mut self) -> Result<Box<dyn RecordBatchReader + Send + 'static>> {
        if let Some(table) = self.target.clone() {
            self.ingest(&table)?;
            return Ok(super::connection::rows(RecordBatch::new_empty(Arc::new(Schema::empty()))));
        }
        let (statements, session, stop) = (self.statements()?, self.session.clone(), self.begin());
        let rows = wait(stop.clone(), move || async move {
            let mut rows = None;
            // All but the last have run when the last one begins.
            for statement in statements {
                if let Some(before) = rows.take() {
                    let before: SendableRecordBatchStream = before;
                    before.for_each(|_| async {}).await;
                }
                rows = Some(session.sql(&statement).await?.execute_stream().await?);
            }
            Ok(rows)
        })?;
        let rows = rows.ok_or_else(|| invalid("no row of parameters was given"))?;
        Ok(Box::new(Rows {
            schema: plain_layouts(&rows.schema()),
            rows: Arc::new(tokio::sync::Mutex::new(rows)),
            stop,
        }))
    }

    fn execute_update(&mut self) -> Result<Option<i64>> {
        if let Some(table) = self.target.clone() {
            return self.ingest(&table).map(Some);
        }
        let mut count = None;
        for batch in self.execute()? {
            let batch = batch?;
            // What changes rows answers how many.
            if batch.num_columns() == 1 && batch.num_rows() == 1 && batch.column(0).data_type().is_integer() {
                let number = cast(batch.column(0), &DataType::Int64)?;
                count = Some(number.as_primitive::<Int64Type>().value(0));
            }
        }
        Ok(count)
    }

    fn execute_schema(&mut self) -> Result<Schema> {
        let statements = self.statements()?;
        let first = statements.into_iter().next().ok_or_else(|| invalid("no row of parameters was given"))?;
        let session = self.session.clone();
        wait(self.begin(), move || async move { Ok(schema_of(&session.sql(&first).await?)) })
    }

    fn execute_partitions(&mut self) -> Result<PartitionedResult> {
        Err(unknown("partitions of results"))
    }

    fn get_parameter_schema(&self) -> Result<Schema> {
        Err(unknown("types of parameters before they are given"))
    }

    fn prepare(&mut self) -> Result<()> {
        match self.text {
            Some(_) => Ok(()),
            None => Err(Error::with_message_and_status("the statement has no text", Status::InvalidState)),
        }
    }

    fn set_sql_query(&mut self, query: impl AsRef<str>) -> Result<()> {
        self.text = Some(query.as_ref().to_owned());
        self.target = None;
        self.bound.clear();
        Ok(())
    }

    fn set_substrait_plan(&mut self, _: impl AsRef<[u8]>) -> Result<()> {
        Err(unknown("plans of Substrait"))
    }

    fn get_cancel_handle(&self) -> Box<dyn CancelHandle> {
        Box::new(Cancel(Arc::clone(&self.stop)))
    }
}

/// Ends what a statement is at.
struct Cancel(Arc<Mutex<Stop>>);

impl CancelHandle for Cancel {
    fn try_cancel(&self) -> Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).give();
        Ok(())
    }
}

/// The columns of a result as they are sent.
pub(super) fn schema_of(frame: &DataFrame) -> Schema {
    plain_layouts(frame.schema().as_arrow()).as_ref().clone()
}

/// Rows that are computed on demand.
struct Rows {
    rows: Arc<tokio::sync::Mutex<SendableRecordBatchStream>>,
    schema: SchemaRef,
    stop: Stop,
}

impl Iterator for Rows {
    type Item = std::result::Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rows = Arc::clone(&self.rows);
        let next = match self.stop.is_given() {
            true => Ok(None),
            false => wait_elsewhere(self.stop.clone(), move || async move { rows.lock().await.next().await }),
        };
        match next {
            _ if self.stop.is_given() => Some(Err(failed(&CANCELLED))),
            Err(message) => Some(Err(failed(&message))),
            Ok(None) => None,
            Ok(Some(Ok(batch))) => Some(recast(&batch, &self.schema).map_err(|error| failed(&error))),
            Ok(Some(Err(error))) => Some(Err(failed(&hollandite::Error::from(error)))),
        }
    }
}

impl RecordBatchReader for Rows {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}
