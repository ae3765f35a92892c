//! SQL functions that stand where a table stands, `SELECT .. FROM read_structures('cifs/')`, one file each: a name, its
//! documentation, and the table that a call makes. Their arguments are constants, known when the query is planned.

mod most_similar;
mod read_structures;

use datafusion::catalog::TableFunctionImpl;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{Documentation, Expr};

pub use most_similar::MostSimilar;
pub use read_structures::ReadStructures;

/// A function that makes a table.
pub trait TableFunction: TableFunctionImpl {
    /// Name in SQL.
    fn name(&self) -> &'static str;
    /// What `#[user_doc]` wrote.
    fn documentation(&self) -> Option<&Documentation>;
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
