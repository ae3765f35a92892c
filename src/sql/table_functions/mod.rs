//! SQL functions that stand where a table stands, `SELECT .. FROM read_structures('cifs/')`, one file each: a name, its
//! documentation, and the table that a call makes. Their arguments are constants, known when the query is planned.

mod files;
mod most_similar;
mod read_csv;
mod read_json;
mod read_parquet;
mod read_structures;

use std::sync::Arc;

use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{Documentation, Expr};

use super::environment::Environment;

pub use most_similar::MostSimilar;
pub use read_csv::ReadCsv;
pub use read_json::ReadJson;
pub use read_parquet::ReadParquet;
pub use read_structures::ReadStructures;

/// A function that makes a table.
pub trait TableFunction: TableFunctionImpl {
    /// Name in SQL.
    fn name(&self) -> &'static str;
    /// What `#[user_doc]` wrote.
    fn documentation(&self) -> Option<&Documentation>;
    /// Whether it reads files that a query names: a session without files refuses it.
    fn reads_files(&self) -> bool {
        false
    }
}

/// A function as a session has it.
#[derive(Debug)]
pub(super) struct Guarded {
    pub(super) function: Arc<dyn TableFunction>,
    pub(super) environment: Environment,
}

impl TableFunctionImpl for Guarded {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        if self.function.reads_files() && !self.environment.has_files() {
            return plan_err!("{} reads files, and this session reads none", self.function.name());
        }
        self.function.call_with_args(args)
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
            plan_err!("{function} needs {what} as text in single quotes, but {} is no constant", column.name)
        }
        other => plan_err!("{function} needs {what} as text in single quotes, found {other}"),
    }
}
