//! The command line: as the program `hollandite`, and its commands on a store that is open.

use std::ffi::OsString;
use std::sync::Arc;

use hollandite::cli;
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

/// Runs a command on the store of a connection and returns what it printed.
pub fn run(py: Python<'_>, open: &Open, words: Vec<OsString>) -> PyResult<String> {
    let store = open.store.as_ref();
    let store =
        store.ok_or_else(|| UsageError::new_err("this connection has no store: hollandite.connect(path) opens one"))?;
    let mut line = vec![OsString::from("--store"), store.dir().into()];
    line.extend(words);
    let console = Arc::new(open.progress.clone());
    let done = wait(py, move || async move { cli::run(line, console).await }, |py| open.tell(py));
    open.progress.close();
    open.tell(py)?;
    let printed = open.progress.take_printed();
    done?.map_err(of_command)?;
    Ok(printed)
}
