//! The driver of ADBC: `AdbcHollanditeInit` of this library. Clients of ADBC read and write a store by it: the DB-API of Python,
//! `pandas.read_sql`, `polars.read_database`, R, Go.
//!
//! The option `uri` is the folder of the store, empty for the embedded one, `:memory:` for none; `hollandite.snapshot` the number of an
//! older snapshot, `hollandite.read_only` "true" where nothing is to be written. Every statement takes effect by itself: there are no
//! transactions over several. What went wrong in rows is read by the option `hollandite.warnings` of a connection.

mod connection;
mod describe;
mod statement;

use std::path::PathBuf;

use adbc_core::error::{Error, Result, Status};
use adbc_core::options::{OptionConnection, OptionDatabase, OptionValue};
use adbc_core::{Database, Driver, Optionable};
use hollandite::sql::Session;
use hollandite::stop::Stop;
use hollandite::store::Store;

use crate::runtime::wait_elsewhere;
use connection::AdbcConnection;

adbc_ffi::export_driver!(AdbcHollanditeInit, AdbcDriver);

/// The option of a database that names an older snapshot.
const SNAPSHOT: &str = "hollandite.snapshot";

/// The option of a database that refuses every statement that would write.
const ONLY_READS: &str = "hollandite.read_only";

/// The option of a connection that answers the sentences of warnings since it was last asked for, one a line.
const WARNINGS: &str = "hollandite.warnings";

/// What is said of a statement that was ended from outside; the package makes a KeyboardInterrupt of it.
const CANCELLED: &str = "the statement was cancelled";

/// An error of what was asked.
fn invalid(message: impl Into<String>) -> Error {
    Error::with_message_and_status(message, Status::InvalidArguments)
}

/// What this driver does not do.
fn unknown(what: &str) -> Error {
    Error::with_message_and_status(format!("hollandite has no {what}"), Status::NotImplemented)
}

/// An error of the crate.
fn fault(error: impl Into<hollandite::Error>) -> Error {
    Error::with_message_and_status(error.into().to_string(), Status::InvalidArguments)
}

/// Waits for work on the threads of queries.
fn wait<T, F>(stop: Stop, work: impl FnOnce() -> F + Send + 'static) -> Result<T>
where
    T: Send + 'static,
    F: Future<Output = std::result::Result<T, hollandite::Error>>,
{
    let done = wait_elsewhere(stop.clone(), work);
    if stop.is_given() {
        return Err(Error::with_message_and_status(CANCELLED, Status::Cancelled));
    }
    done.map_err(|e| Error::with_message_and_status(e, Status::Internal))?.map_err(fault)
}

/// The driver.
#[derive(Default)]
pub struct AdbcDriver;

impl Driver for AdbcDriver {
    type DatabaseType = AdbcDatabase;

    fn new_database(&mut self) -> Result<Self::DatabaseType> {
        Ok(AdbcDatabase::default())
    }

    fn new_database_with_opts(
        &mut self,
        options: impl IntoIterator<Item = (OptionDatabase, OptionValue)>,
    ) -> Result<Self::DatabaseType> {
        let mut database = AdbcDatabase::default();
        for (key, value) in options {
            database.set_option(key, value)?;
        }
        Ok(database)
    }
}

/// A store that is not open yet.
#[derive(Default)]
pub struct AdbcDatabase {
    uri: String,
    snapshot: Option<i64>,
    read_only: bool,
}

impl Optionable for AdbcDatabase {
    type Option = OptionDatabase;

    fn set_option(&mut self, key: OptionDatabase, value: OptionValue) -> Result<()> {
        match (key, value) {
            (OptionDatabase::Uri, OptionValue::String(uri)) => self.uri = uri,
            (OptionDatabase::Other(key), OptionValue::String(text)) if key == SNAPSHOT => {
                let number = text.parse().map_err(|_| invalid(format!("{SNAPSHOT} {text}: expected a number")))?;
                self.snapshot = Some(number);
            }
            (OptionDatabase::Other(key), OptionValue::Int(number)) if key == SNAPSHOT => self.snapshot = Some(number),
            (OptionDatabase::Other(key), OptionValue::String(text)) if key == ONLY_READS => {
                let known =
                    text.parse().map_err(|_| invalid(format!("{ONLY_READS} {text}: expected true or false")))?;
                self.read_only = known;
            }
            (key, _) => return Err(unknown(&format!("option {} of a database", key.as_ref()))),
        }
        Ok(())
    }

    fn get_option_string(&self, key: OptionDatabase) -> Result<String> {
        match key {
            OptionDatabase::Uri => Ok(self.uri.clone()),
            key => Err(unknown(&format!("option {} of a database", key.as_ref()))),
        }
    }

    fn get_option_bytes(&self, key: OptionDatabase) -> Result<Vec<u8>> {
        Err(unknown(&format!("option {} of a database", key.as_ref())))
    }

    fn get_option_int(&self, key: OptionDatabase) -> Result<i64> {
        Err(unknown(&format!("option {} of a database", key.as_ref())))
    }

    fn get_option_double(&self, key: OptionDatabase) -> Result<f64> {
        Err(unknown(&format!("option {} of a database", key.as_ref())))
    }
}

impl Database for AdbcDatabase {
    type ConnectionType = AdbcConnection;

    fn new_connection(&self) -> Result<AdbcConnection> {
        if self.uri == ":memory:" {
            return Ok(AdbcConnection { session: Session::without_store(), read_only: self.read_only });
        }
        let (uri, snapshot) = (self.uri.clone(), self.snapshot);
        let session = wait(Stop::default(), move || async move {
            let store = match uri.as_str() {
                "" => Store::open_default().await?,
                uri => Store::open(&PathBuf::from(uri.strip_prefix("file://").unwrap_or(uri))).await?,
            };
            Session::open(&store, snapshot).await
        })?;
        if self.read_only {
            session.environment().keep_nothing();
        }
        Ok(AdbcConnection { session, read_only: self.read_only })
    }

    fn new_connection_with_opts(
        &self,
        options: impl IntoIterator<Item = (OptionConnection, OptionValue)>,
    ) -> Result<AdbcConnection> {
        let mut connection = self.new_connection()?;
        for (key, value) in options {
            connection.set_option(key, value)?;
        }
        Ok(connection)
    }
}
