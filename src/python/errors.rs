//! Errors of the crate as exceptions of Python: one hierarchy, under `hollandite.HollanditeError`.

use std::path::Path;

use hollandite::cli::{CliError, python};
use hollandite::error::{AdsorptionError, Error, FormatError, ReportError, StoreError};
use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

create_exception!(
    hollandite,
    HollanditeError,
    PyException,
    "Something that hollandite could not do; every error of the package is one. `file`, `line` and `column`, which count from 1, are \
     the place of the fault; None where unknown."
);
create_exception!(
    hollandite,
    CrystalError,
    HollanditeError,
    "A crystal that is not possible (atoms that overlap, a flat cell), or not complete (partial occupancies, no periodicity)."
);
create_exception!(
    hollandite,
    FormatError_,
    HollanditeError,
    "A text that is not the crystal it claims to be. `line` and `column` count from 1, `file` is its path; None where unknown."
);
create_exception!(
    hollandite,
    FeatureError,
    HollanditeError,
    "A quantity that is not defined for the crystal or the arguments."
);
create_exception!(hollandite, ModelError, HollanditeError, "A model that cannot be found, trained or asked.");
create_exception!(
    hollandite,
    AdsorptionError_,
    HollanditeError,
    "An adsorption potential, a voltage or a barrier that cannot be computed."
);
create_exception!(hollandite, StoreError_, HollanditeError, "A store that cannot be found, read or written.");
create_exception!(
    hollandite,
    SqlError,
    HollanditeError,
    "A statement that cannot be planned or run. `line` and `column` of a fault of syntax count from 1, in its statement; None of others."
);
create_exception!(hollandite, UsageError, HollanditeError, "Arguments that do not fit what was asked.");
create_exception!(hollandite, ReportError_, HollanditeError, "A file or picture that cannot be written.");
create_exception!(
    hollandite,
    ForkError,
    HollanditeError,
    "The process was forked after hollandite had started its threads: start workers with spawn."
);

/// The exceptions, by their names in the package.
pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    // All of them have the place in the input.
    for place in ["file", "line", "column"] {
        py.get_type::<HollanditeError>().setattr(place, py.None())?;
    }
    for (name, exception) in [
        ("HollanditeError", py.get_type::<HollanditeError>()),
        ("CrystalError", py.get_type::<CrystalError>()),
        ("FormatError", py.get_type::<FormatError_>()),
        ("FeatureError", py.get_type::<FeatureError>()),
        ("ModelError", py.get_type::<ModelError>()),
        ("AdsorptionError", py.get_type::<AdsorptionError_>()),
        ("StoreError", py.get_type::<StoreError_>()),
        ("SqlError", py.get_type::<SqlError>()),
        ("UsageError", py.get_type::<UsageError>()),
        ("ReportError", py.get_type::<ReportError_>()),
        ("ForkError", py.get_type::<ForkError>()),
    ] {
        exception.setattr("__name__", name)?;
        exception.setattr("__qualname__", name)?;
        module.add(name, exception)?;
    }
    Ok(())
}

/// What an error says, in the words of Python.
fn said(error: &impl std::fmt::Display) -> String {
    python::words(&error.to_string())
}

/// An error of the crate as an exception.
pub fn raised(error: impl Into<Error>) -> PyErr {
    match error.into() {
        Error::Crystal(error) => CrystalError::new_err(said(&error)),
        Error::Format(error) => of_format(&error),
        Error::Feature(error) => FeatureError::new_err(said(&error)),
        Error::Model(error) => ModelError::new_err(said(&error)),
        Error::Adsorption(error) => of_adsorption(error),
        Error::Store(StoreError::Format(error)) => of_format(&error),
        Error::Store(error) => of_store(&error),
        error @ (Error::Sql(_) | Error::Engine(_)) => of_sql(said(&error)),
    }
}

/// An error of a command as an exception.
pub fn of_command(error: CliError) -> PyErr {
    match error {
        CliError::Usage(message) => UsageError::new_err(said(&message)),
        CliError::Failed(message) => HollanditeError::new_err(said(&message)),
        CliError::Below(error) => raised(error),
        CliError::Store(error) => raised(error),
        CliError::Report(error) => of_report(&error),
        CliError::Io { ref path, .. } => in_file(ReportError_::new_err(said(&error)), Some(path.as_path())),
    }
}

/// An error of what is written as an exception.
pub fn of_report(error: &ReportError) -> PyErr {
    let file = match error {
        ReportError::Io { path, .. } => Some(path.as_path()),
        _ => None,
    };
    in_file(ReportError_::new_err(said(error)), file)
}

fn of_store(error: &StoreError) -> PyErr {
    let file = match error {
        StoreError::Missing { dir } | StoreError::Folder { dir, .. } | StoreError::ReadOnly { dir } => {
            Some(dir.as_path())
        }
        StoreError::Io { path, .. } => Some(path.as_path()),
        _ => None,
    };
    in_file(StoreError_::new_err(said(error)), file)
}

fn of_adsorption(error: AdsorptionError) -> PyErr {
    match error {
        AdsorptionError::Crystal(error) => raised(error),
        AdsorptionError::Feature(error) => raised(error),
        AdsorptionError::Model(error) => raised(error),
        error => AdsorptionError_::new_err(said(&error)),
    }
}

/// With the place of the fault as attributes.
fn of_format(error: &FormatError) -> PyErr {
    let at = error.position().unwrap_or_default();
    let file = match error {
        FormatError::Io { path, .. } => Some(path.as_path()),
        _ => None,
    };
    in_file(placed(FormatError_::new_err(said(error)), at.line, at.column), file)
}

/// With the place that the parser puts at the end of what it says.
fn of_sql(said: String) -> PyErr {
    let without = said.strip_suffix("' was not provided a value for execution.");
    let said = match without.and_then(|said| said.strip_prefix("Placeholder '")) {
        Some(placeholder) => {
            format!("no value is given for {placeholder}: db.sql(query, [..]) takes them, or {{..}} by name")
        }
        None => said,
    };
    let place = said.rsplit_once(" at Line: ").and_then(|(_, place)| place.split_once(", Column: "));
    let at = place.and_then(|(line, column)| Some((line.parse::<usize>().ok()?, column.parse::<usize>().ok()?)));
    let (line, column) = at.unwrap_or_default();
    placed(SqlError::new_err(said), line, column)
}

/// An error with its file or folder as an attribute.
fn in_file(raised: PyErr, file: Option<&Path>) -> PyErr {
    if let Some(file) = file {
        // Without it the message says the same.
        let _ = Python::attach(|py| raised.value(py).setattr("file", file));
    }
    raised
}

/// An error with its line and column as attributes, from 1; 0 is None.
fn placed(raised: PyErr, line: usize, column: usize) -> PyErr {
    let known = |number: usize| (number > 0).then_some(number);
    Python::attach(|py| {
        let value = raised.value(py);
        let _ = value.setattr("line", known(line));
        let _ = value.setattr("column", known(column));
    });
    raised
}
