//! Text of queries, as far as a store must understand it: tables of another time, and the definitions of views.

mod depth;
mod dialect;
mod relations;

use datafusion::sql::parser::{CopyToSource, Statement as EngineStatement};
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, ObjectNamePart, Statement, TableVersion,
    Value,
};

use super::moments::moment;
use crate::StoreError;
pub use depth::{STACK, check_depth, depth};
use relations::folded;

/// Which state of a table is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// That of a snapshot.
    Snapshot(i64),
    /// That of a moment, in microseconds since 1970, UTC.
    Moment(i64),
}

impl Version {
    /// The table and the version that a name made by [`with_versions`] stands for.
    pub fn of(name: &str) -> Option<(&str, Self)> {
        let (table, version) = name.strip_suffix(')')?.rsplit_once(" AT (")?;
        let version = match version.split_once(" => ")? {
            ("VERSION", number) => Self::Snapshot(number.parse().ok()?),
            ("TIMESTAMP", text) => Self::Moment(moment(text).ok()?),
            _ => return None,
        };
        Some((table, version))
    }
}

/// The one statement that a text is where it says `AT (VERSION => n)` or `AT (TIMESTAMP => '..')` behind a table: it then reads
/// tables of names that [`Version::of`] understands. `None` where the text is no such statement, and the engine should read it.
///
/// # Errors
/// A version that is no number and no moment; a statement that is too deep.
pub fn with_versions(text: &str, recursion_limit: usize) -> Result<Option<EngineStatement>, StoreError> {
    check_depth(text)?;
    let Some(mut statement) = dialect::parse(text, recursion_limit) else { return Ok(None) };
    let mut inner = &mut statement;
    while let EngineStatement::Explain(explain) = inner {
        inner = &mut explain.statement;
    }
    let mut found = false;
    let rename = |name: &ObjectName, version: Option<&TableVersion>| {
        let Some(version) = version else { return Ok(None) };
        found = true;
        versioned(name, &asked(version)?).map(Some)
    };
    let renamed = match inner {
        EngineStatement::Statement(plain) => relations::rename(plain.as_mut(), false, rename),
        EngineStatement::CopyTo(copy) => match &mut copy.source {
            CopyToSource::Query(query) => relations::rename(query.as_mut(), false, rename),
            CopyToSource::Relation(_) => Ok(()),
        },
        _ => Ok(()),
    };
    renamed.map_err(StoreError::Statement)?;
    Ok(found.then_some(statement))
}

/// The one statement that a text is, with versions behind its tables; `None` where it is none, several, or too deep.
pub fn parsed(text: &str, recursion_limit: usize) -> Option<EngineStatement> {
    check_depth(text).ok()?;
    dialect::parse(text, recursion_limit)
}

/// Has every table of a statement that names none of its own read at a snapshot.
///
/// # Errors
/// None that a user could cause.
pub(super) fn at_snapshot(statement: &mut Statement, snapshot: i64) -> Result<(), StoreError> {
    let renamed =
        relations::rename(statement, false, |name, _| match name.0.last().and_then(ObjectNamePart::as_ident) {
            Some(last) if Version::of(&last.value).is_some() => Ok(None),
            _ => versioned(name, &format!("VERSION => {snapshot}")).map(Some),
        });
    renamed.map_err(StoreError::Statement)
}

/// The tables that a statement reads, each once: its name as it is looked up, without catalog and schema where those are the lake's.
pub fn tables_of(statement: &mut Statement) -> Vec<String> {
    let mut names = Vec::new();
    let _ = relations::rename(statement, true, |name, _| {
        names.extend(plain(name));
        Ok(None)
    });
    names.sort();
    names.dedup();
    names
}

/// Puts another name in place of each table for which `place` has one, given as [`tables_of`] gives it.
pub fn replace_tables(statement: &mut Statement, place: impl Fn(&str) -> Option<String>) {
    let _ = relations::rename(statement, true, |name, _| {
        // Already quoted as it must stand.
        Ok(plain(name).and_then(|name| place(&name)).map(|place| ObjectName::from(vec![Ident::new(place)])))
    });
}

/// The name of a table of the lake, without catalog and schema; `None` for one of another catalog or schema.
fn plain(name: &ObjectName) -> Option<String> {
    let parts: Vec<String> = name.0.iter().filter_map(ObjectNamePart::as_ident).map(folded).collect();
    match parts.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [table] | ["main", table] | ["lake", "main", table] => Some((*table).to_owned()),
        _ => None,
    }
}

/// `lake.main."tmo AT (VERSION => 3)"`.
fn versioned(name: &ObjectName, version: &str) -> Result<ObjectName, String> {
    let mut parts = name.0.clone();
    match parts.pop() {
        Some(ObjectNamePart::Identifier(table)) => {
            let table = format!("{} AT ({version})", folded(&table));
            parts.push(ObjectNamePart::Identifier(Ident::with_quote('"', table)));
            Ok(ObjectName(parts))
        }
        _ => Err(format!("{name} is not a table that has versions")),
    }
}

/// `VERSION => 3` or `TIMESTAMP => 2026-05-01`.
fn asked(version: &TableVersion) -> Result<String, String> {
    const USE: &str =
        "say AT (VERSION => 3), with the number of a snapshot, or AT (TIMESTAMP => '2026-05-01 12:00:00')";
    let refused = || format!("{version} is not a version of a table; {USE}");
    let (kind, value) = match version {
        TableVersion::Function(Expr::Function(call)) if call.name.to_string().eq_ignore_ascii_case("at") => {
            let FunctionArguments::List(list) = &call.args else { return Err(refused()) };
            match list.args.as_slice() {
                [FunctionArg::Named { name, arg: FunctionArgExpr::Expr(value), .. }] => {
                    (name.value.to_uppercase(), value)
                }
                _ => return Err(refused()),
            }
        }
        TableVersion::VersionAsOf(value) => ("VERSION".into(), value),
        TableVersion::TimestampAsOf(value) | TableVersion::ForSystemTimeAsOf(value) => ("TIMESTAMP".into(), value),
        _ => return Err(refused()),
    };
    let value = match value {
        Expr::Value(value) => &value.value,
        Expr::TypedString(typed) => &typed.value.value,
        _ => return Err(refused()),
    };
    match (kind.as_str(), value) {
        ("VERSION", Value::Number(number, _)) if number.parse::<i64>().is_ok() => Ok(format!("VERSION => {number}")),
        ("TIMESTAMP", Value::SingleQuotedString(text)) => {
            moment(text).map_err(|e| e.to_string())?;
            Ok(format!("TIMESTAMP => {text}"))
        }
        _ => Err(refused()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<String>, StoreError> {
        Ok(with_versions(text, 50)?.map(|statement| statement.to_string()))
    }

    #[test]
    fn versions_become_names_that_say_so() {
        let versioned = read("SELECT tmo.id FROM tmo AT (VERSION => 3) WHERE tmo.void > 0").unwrap().unwrap();
        assert_eq!(versioned, "SELECT tmo.id FROM \"tmo AT (VERSION => 3)\" AS tmo WHERE tmo.void > 0");
        let aliased =
            read("SELECT 1 FROM lake.main.tmo AT (TIMESTAMP => '2026-05-01') AS t JOIN u ON true").unwrap().unwrap();
        assert!(aliased.contains("lake.main.\"tmo AT (TIMESTAMP => 2026-05-01)\" AS t JOIN u"), "{aliased}");
        let inner = read("WITH u AS (SELECT 1) SELECT * FROM u WHERE a IN (SELECT a FROM T AT (VERSION => 0))")
            .unwrap()
            .unwrap();
        assert!(inner.contains("FROM u") && inner.contains("\"t AT (VERSION => 0)\""), "{inner}");
        assert_eq!(read("SELECT 1 FROM tmo").unwrap(), None, "nothing to do");
        assert_eq!(read("SELECT FROM FROM").unwrap(), None, "the engine says what is wrong");
        for wrong in ["AT (VERSION => 'x')", "AT (TIMESTAMP => 'x')", "AT (SNAPSHOT => 3)", "AT (VERSION => id)"] {
            let error = read(&format!("SELECT 1 FROM tmo {wrong}")).unwrap_err().to_string();
            assert!(error.contains("not a version") || error.contains("not a date"), "{error}");
        }
    }

    #[test]
    fn names_are_read_back() {
        assert_eq!(Version::of("a b AT (VERSION => 12)"), Some(("a b", Version::Snapshot(12))));
        assert_eq!(Version::of("t AT (TIMESTAMP => 1970-01-02)"), Some(("t", Version::Moment(86_400_000_000))));
        assert_eq!(Version::of("tmo"), None);
    }
}
