//! SQL functions that stand where a table stands, `SELECT .. FROM read_structures('cifs/')`, one file each: a [`Function`] whose
//! kernel makes the table of a call. Their arguments are constants, known when the query is planned.

mod files;
mod migration_paths;
mod most_similar;
mod query;
mod read_csv;
mod read_json;
mod read_parquet;
mod read_structures;

use std::fmt;
use std::sync::Arc;

use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::Expr;

use super::environment::Environment;
use super::functions::{FieldDoc, Function, Kind, Parameter, required};

/// All of them, each with its section of the reference.
pub(super) fn all() -> Vec<(&'static str, Function<Table>)> {
    let functions = [
        migration_paths::function(),
        most_similar::function(),
        read_csv::function(),
        read_json::function(),
        read_parquet::function(),
        read_structures::function(),
    ];
    functions.map(|function| ("Tables", function)).into()
}

/// Whether a function reads files that a query names.
pub fn reads_files(name: &str) -> bool {
    all().iter().any(|(_, function)| function.name == name && function.kernel.reads_files)
}

/// Makes a table.
pub(super) struct Table {
    /// Whether it reads files that a query names: a session without files refuses it.
    pub reads_files: bool,
    /// The columns of the table, where they are known before a call.
    pub columns: Vec<FieldDoc>,
    /// The table of a call.
    pub call: fn(&TableFunctionArgs) -> Result<Arc<dyn TableProvider>>,
}

/// The files that a function reads.
fn path() -> Parameter {
    required("path", Kind::Text, "A file, a folder or a glob pattern, as a constant.")
}

/// A function as a session has it.
pub(super) struct Guarded {
    pub(super) function: Function<Table>,
    pub(super) environment: Environment,
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.function, f)
    }
}

impl TableFunctionImpl for Guarded {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        if self.function.kernel.reads_files && !self.environment.has_files() {
            return plan_err!("{} reads files, and this session reads none", self.function.name);
        }
        (self.function.kernel.call)(&args)
    }
}

/// The text of a constant argument of `function`; `what` names it.
pub(super) fn text(function: &str, what: &str, argument: &Expr) -> Result<String> {
    match argument {
        Expr::Literal(
            ScalarValue::Utf8(Some(text)) | ScalarValue::LargeUtf8(Some(text)) | ScalarValue::Utf8View(Some(text)),
            _,
        ) => Ok(text.clone()),
        Expr::Column(column) => {
            plan_err!("{function} needs {what} as text in single quotes, but {} is not a constant", column.name)
        }
        other => plan_err!("{function} needs {what} as text in single quotes, found {other}"),
    }
}

/// Whether an argument of `function` is the text of a crystal, which must then be one, and not an id.
fn is_crystal(function: &str, argument: &str) -> Result<bool> {
    // What has several lines, or is a JSON object, is no id.
    let is_text = argument.contains('\n') || argument.trim_start().starts_with('{');
    if is_text && let Err(error) = formats::parse_structure(argument) {
        return plan_err!("{function}: {error}");
    }
    Ok(is_text)
}
