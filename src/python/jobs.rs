//! The command line: as the program `hollandite`, and its commands on a store that is open.

use std::ffi::OsString;
use std::sync::{Arc, Mutex, PoisonError};

use hollandite::cli::{self, Console};
use hollandite::error::Error;
use hollandite::progress::{Done, Progress};
use hollandite::sql::Session;
use pyo3::prelude::*;

use crate::connection::Open;
use crate::errors::{UsageError, of_command};
use crate::runtime::{not_forked, wait};

/// The program: takes the words of a command line, its own name first, and returns the code with which the process should end.
#[pyfunction]
pub fn main(py: Python<'_>, words: Vec<OsString>) -> PyResult<u8> {
    not_forked()?;
    Ok(py.detach(|| cli::main_with(words.into_iter())))
}

/// A connection that runs a command: it gets the command's output, and lends it its tables.
struct Asking {
    open: Open,
    /// What this command prints: others may be asked meanwhile.
    printed: Mutex<String>,
}

impl Progress for Asking {
    fn step(&self, done: &Done) {
        self.open.progress.step(done);
    }
}

impl Console for Asking {
    fn print(&self, text: &str) {
        self.printed.lock().unwrap_or_else(PoisonError::into_inner).push_str(text);
    }

    fn note(&self, line: &str) {
        self.open.progress.note(line);
    }

    fn opened(&self, session: &Session) -> Result<(), Error> {
        self.open.progress.watch(session);
        if self.open.read_only {
            session.environment().keep_nothing();
        }
        self.open.lend(session)
    }
}

/// Runs a command on the store of a connection and returns what it printed.
pub(crate) fn run(py: Python<'_>, open: &Open, words: Vec<OsString>) -> PyResult<String> {
    let store = open.store.as_ref();
    let store =
        store.ok_or_else(|| UsageError::new_err("this connection has no store: hollandite.connect(path) opens one"))?;
    let mut line = vec![OsString::from("--store"), store.dir().into()];
    line.extend(words);
    // What a program is to read stays as it is printed.
    let for_people = !line.iter().any(|word| word.to_string_lossy().starts_with("--format="));
    let asking = Arc::new(Asking { open: open.clone(), printed: Mutex::default() });
    let console = Arc::clone(&asking);
    let done = wait(py, move || async move { cli::run(line, console).await }, |py| open.tell(py));
    open.progress.close();
    open.tell(py)?;
    done?.map_err(of_command)?;
    let printed = std::mem::take(&mut *asking.printed.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(if for_people { cli::python::words(&printed) } else { printed })
}
