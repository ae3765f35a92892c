//! What makes the table of a call, from its arguments: constants, declared, checked and read as those of other functions.

use std::fmt;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::Field;
use datafusion::catalog::{Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::Expr;

use crate::environment::Environment;
use crate::functions::kernel::{Read, Row};
use crate::functions::{FieldDoc, Function, Kind, Omitted, Parameter, optional, required};
use crate::structure_type::crystal_text;

/// Makes a table.
pub(crate) struct Table {
    /// Whether it reads files that a query names: a session without files refuses it.
    pub reads_files: bool,
    /// The columns of the table, where they are known before a call.
    pub columns: Vec<FieldDoc>,
    /// The table of a call: of its session, and its arguments.
    pub call: fn(&dyn Session, Row) -> Result<Arc<dyn TableProvider>>,
}

/// The files that a function reads.
pub(super) fn path() -> Parameter {
    required("path", Kind::Text, "A file, a folder or a glob pattern, as a constant.")
}

/// The crystal that a function is about.
pub(super) fn id_or_crystal() -> Parameter {
    required("crystal", Kind::Text, crystal_text!("An id, or ", ", as a constant.")).parsed(is_crystal)
}

/// The table of which it is, or with which it is compared.
pub(super) fn table() -> Parameter {
    optional("table", Kind::Text, Omitted::Text("tmo"), "Name of the table.")
}

/// Whether an argument is the text of a crystal and not an id.
///
/// # Errors
/// A text that must be a crystal, and cannot be read as one.
pub(super) fn is_crystal(argument: &str) -> std::result::Result<bool, formats::FormatError> {
    // What has several lines, or is a JSON object, is no id.
    let is_text = argument.contains('\n') || argument.trim_start().starts_with('{');
    if is_text {
        formats::parse_structure(argument)?;
    }
    Ok(is_text)
}

/// A function as a session has it.
pub(crate) struct Guarded {
    pub(super) function: Function<Table>,
    pub(super) environment: Environment,
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.function, f)
    }
}

impl Guarded {
    /// `function` in a session.
    pub fn new(function: Function<Table>, environment: Environment) -> Self {
        Self { function, environment }
    }

    /// The constants of a call.
    fn constants<'a>(&self, arguments: &'a [Expr]) -> Result<Vec<&'a ScalarValue>> {
        let name = self.function.name;
        let constant = |(parameter, argument): (&Parameter, &'a Expr)| match argument {
            Expr::Literal(value, _) if value.is_null() && parameter.omitted != Some(Omitted::Null) => {
                plan_err!("{name}: {} is NULL", parameter.name)
            }
            Expr::Literal(value, _) => Ok(value),
            other => {
                let what = parameter.name;
                plan_err!("{name} needs {what} as a constant, a text in single quotes, but {other} is not one")
            }
        };
        self.function.parameters.iter().zip(arguments).map(constant).collect()
    }
}

impl TableFunctionImpl for Guarded {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let function = &self.function;
        if function.kernel.reads_files && !self.environment.has_files() {
            return plan_err!("{} reads files, and this session reads none", function.name);
        }
        let constants = self.constants(args.exprs())?;
        let field = |constant: &&ScalarValue| Field::new(constant.to_string(), constant.data_type(), true);
        let fields: Vec<Field> = constants.iter().map(field).collect();
        let checked: Vec<Option<&ScalarValue>> = constants.iter().map(|constant| Some(*constant)).collect();
        function.check(fields.iter(), &checked, &self.environment)?;
        let columns: Vec<ArrayRef> = constants.iter().map(|constant| constant.to_array()).collect::<Result<_>>()?;
        (function.kernel.call)(args.session(), Row { read: &Read::all(&function.parameters, &columns)?, i: 0 })
    }
}
