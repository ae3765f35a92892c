//! A connection: a session, and what clients ask about the store.

use std::collections::HashSet;
use std::sync::Arc;

use adbc_core::error::{Error, Result, Status};
use adbc_core::options::{InfoCode, ObjectDepth, OptionConnection, OptionValue};
use adbc_core::{Connection, Optionable, schemas};
use arrow::array::{ArrayRef, RecordBatch, RecordBatchIterator, RecordBatchReader, StringArray};
use arrow::datatypes::Schema;
use hollandite::sql::{Session, quoted_name};
use hollandite::stop::Stop;

use super::describe;
use super::statement::{AdbcStatement, schema_of};
use super::{WARNINGS, unknown, wait};

/// A session over a store.
pub struct AdbcConnection {
    pub session: Session,
    pub read_only: bool,
}

/// Rows that are at hand.
pub fn rows(batch: RecordBatch) -> Box<dyn RecordBatchReader + Send> {
    let schema = batch.schema();
    Box::new(RecordBatchIterator::new([Ok(batch)], schema))
}

impl Optionable for AdbcConnection {
    type Option = OptionConnection;

    fn set_option(&mut self, key: OptionConnection, value: OptionValue) -> Result<()> {
        match (&key, &value) {
            (OptionConnection::AutoCommit, OptionValue::String(on)) if on == "true" => Ok(()),
            (OptionConnection::AutoCommit, _) => {
                Err(unknown("transactions over several statements: each takes effect by itself (autocommit)"))
            }
            _ => Err(unknown(&format!("option {} of a connection", key.as_ref()))),
        }
    }

    fn get_option_string(&self, key: OptionConnection) -> Result<String> {
        match key {
            OptionConnection::AutoCommit => Ok("true".into()),
            OptionConnection::CurrentCatalog => Ok("lake".into()),
            OptionConnection::CurrentSchema => Ok("main".into()),
            OptionConnection::Other(key) if key == WARNINGS => Ok(self.session.warnings().join("\n")),
            key => Err(unknown(&format!("option {} of a connection", key.as_ref()))),
        }
    }

    fn get_option_bytes(&self, key: OptionConnection) -> Result<Vec<u8>> {
        Err(unknown(&format!("option {} of a connection", key.as_ref())))
    }

    fn get_option_int(&self, key: OptionConnection) -> Result<i64> {
        Err(unknown(&format!("option {} of a connection", key.as_ref())))
    }

    fn get_option_double(&self, key: OptionConnection) -> Result<f64> {
        Err(unknown(&format!("option {} of a connection", key.as_ref())))
    }
}

impl Connection for AdbcConnection {
    type StatementType = AdbcStatement;

    fn new_statement(&mut self) -> Result<AdbcStatement> {
        Ok(AdbcStatement::new(self.session.clone(), self.read_only))
    }

    fn get_info(&self, codes: Option<HashSet<InfoCode>>) -> Result<Box<dyn RecordBatchReader + Send + 'static>> {
        Ok(rows(describe::info(codes.as_ref())?))
    }

    fn get_objects(
        &self,
        depth: ObjectDepth,
        catalog: Option<&str>,
        db_schema: Option<&str>,
        table_name: Option<&str>,
        table_type: Option<Vec<&str>>,
        column_name: Option<&str>,
    ) -> Result<Box<dyn RecordBatchReader + Send + 'static>> {
        let asked = describe::Asked {
            catalog: catalog.map(str::to_owned),
            schema: db_schema.map(str::to_owned),
            table: table_name.map(str::to_owned),
            kinds: table_type.map(|kinds| kinds.into_iter().map(str::to_owned).collect()),
            column: column_name.map(str::to_owned),
        };
        let session = self.session.clone();
        let found = wait(Stop::default(), move || async move { describe::objects(&session, &asked).await })?;
        Ok(rows(describe::nested(&found, depth)?))
    }

    fn get_table_schema(&self, catalog: Option<&str>, db_schema: Option<&str>, table_name: &str) -> Result<Schema> {
        let parts = [catalog, db_schema, Some(table_name)];
        let name = parts.into_iter().flatten().map(quoted_name).collect::<Vec<_>>().join(".");
        let session = self.session.clone();
        let found = wait(Stop::default(), move || async move {
            let frame = session.sql(&format!("SELECT * FROM {name}")).await?;
            Ok(schema_of(&frame))
        });
        found.map_err(|error| Error { status: Status::NotFound, ..error })
    }

    fn get_table_types(&self) -> Result<Box<dyn RecordBatchReader + Send + 'static>> {
        let kinds: ArrayRef = Arc::new(StringArray::from(vec!["BASE TABLE", "VIEW"]));
        Ok(rows(RecordBatch::try_new(Arc::clone(&schemas::GET_TABLE_TYPES_SCHEMA), vec![kinds])?))
    }

    fn get_statistic_names(&self) -> Result<Box<dyn RecordBatchReader + Send + 'static>> {
        Ok(rows(RecordBatch::new_empty(Arc::clone(&schemas::GET_STATISTIC_NAMES_SCHEMA))))
    }

    fn get_statistics(
        &self,
        _: Option<&str>,
        _: Option<&str>,
        _: Option<&str>,
        _: bool,
    ) -> Result<Box<dyn RecordBatchReader + Send + 'static>> {
        Ok(rows(RecordBatch::new_empty(Arc::clone(&schemas::GET_STATISTICS_SCHEMA))))
    }

    fn commit(&mut self) -> Result<()> {
        Err(Error::with_message_and_status("every statement has taken effect already", Status::InvalidState))
    }

    fn rollback(&mut self) -> Result<()> {
        Err(Error::with_message_and_status(
            "every statement has taken effect already; `hollandite restore` goes back to a snapshot",
            Status::InvalidState,
        ))
    }

    fn read_partition(&self, _: impl AsRef<[u8]>) -> Result<Box<dyn RecordBatchReader + Send + 'static>> {
        Err(unknown("partitions of results"))
    }
}
