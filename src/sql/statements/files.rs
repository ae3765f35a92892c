//! `FROM 'file.csv'`: a file where a table stands is a call of the function that reads it.

use std::ops::ControlFlow;
use std::path::Path;

use datafusion::sql::parser::Statement as EngineStatement;
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, ObjectNamePart, TableAlias, TableFactor, TableFunctionArgs,
    Value, VisitorMut,
};

use super::refused;
use crate::Error;
use crate::session::Session;

/// # Errors
/// A statement that reads or writes files by itself, in a session that has none.
pub(super) fn check(session: &Session, statement: &mut EngineStatement) -> Result<(), Error> {
    match innermost(statement) {
        EngineStatement::CopyTo(_) | EngineStatement::CreateExternalTable(_) if !session.has_files() => {
            Err(refused("this session neither reads nor writes files".into()))
        }
        _ => Ok(()),
    }
}

fn innermost(statement: &mut EngineStatement) -> &mut EngineStatement {
    match statement {
        EngineStatement::Explain(explain) => innermost(&mut explain.statement),
        other => other,
    }
}

/// Puts calls in place of files; fails at a file whose name does not show its format.
pub(super) struct Readers;

impl VisitorMut for Readers {
    type Break = String;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<String> {
        let TableFactor::Table { name, alias, args, .. } = factor else { return ControlFlow::Continue(()) };
        let path = match name.0.as_slice() {
            [ObjectNamePart::Identifier(Ident { value, quote_style: Some('\''), .. })] if args.is_none() => {
                value.clone()
            }
            _ => return ControlFlow::Continue(()),
        };
        let (function, delimiter) = match reader(&path) {
            Ok(reader) => reader,
            Err(message) => return ControlFlow::Break(message),
        };
        let constant = |text: &str| {
            let value = Expr::Value(Value::SingleQuotedString(text.to_owned()).into());
            FunctionArg::Unnamed(FunctionArgExpr::Expr(value))
        };
        *args = Some(TableFunctionArgs {
            args: [Some(path.as_str()), delimiter].into_iter().flatten().map(constant).collect(),
            settings: None,
        });
        *name = ObjectName::from(vec![Ident::new(function)]);
        // Columns are called by the name of the file: measured.my_energy.
        let stem = Path::new(&path).file_name().unwrap_or_default().to_string_lossy();
        let stem = stem.split('.').next().unwrap_or_default().to_owned();
        alias.get_or_insert_with(|| TableAlias {
            explicit: true,
            name: Ident::with_quote('"', stem),
            columns: Vec::new(),
            at: None,
        });
        ControlFlow::Continue(())
    }
}

/// The function that reads a file, and its delimiter.
fn reader(path: &str) -> Result<(&'static str, Option<&'static str>), String> {
    let extension = Path::new(path).extension().unwrap_or_default().to_string_lossy().to_lowercase();
    match extension.as_str() {
        "csv" => Ok(("read_csv", None)),
        "tsv" => Ok(("read_csv", Some("\t"))),
        "parquet" | "pq" => Ok(("read_parquet", None)),
        "jsonl" | "ndjson" => Ok(("read_json", None)),
        _ => Err(format!(
            "'{path}' stands where a table does, and its name does not tell how to read it (.csv, .tsv, .parquet, .jsonl do); \
             say read_csv('{path}'), read_parquet, read_json, or read_structures for crystals"
        )),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::sql::parser::DFParser;

    use super::super::walk;
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        let mut statement = DFParser::parse_sql(text).unwrap().pop_front().unwrap();
        walk(&mut statement, &mut Readers)?;
        Ok(statement.to_string())
    }

    #[test]
    fn files_become_calls() {
        assert_eq!(read("SELECT a FROM 'x/my.csv'").unwrap(), "SELECT a FROM read_csv('x/my.csv') AS \"my\"");
        assert_eq!(read("SELECT a FROM 'a.tsv' t").unwrap(), "SELECT a FROM read_csv('a.tsv', '\t') t");
        let joined = read("EXPLAIN SELECT 1 FROM tmo JOIN '*.parquet' AS p USING (id)").unwrap();
        assert!(joined.contains("JOIN read_parquet('*.parquet') AS p"), "{joined}");
        assert_eq!(read("SELECT 'a.csv' FROM tmo").unwrap(), "SELECT 'a.csv' FROM tmo");
        assert!(read("SELECT 1 FROM 'POSCAR'").unwrap_err().contains("read_structures"));
    }
}
