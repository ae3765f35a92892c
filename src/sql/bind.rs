//! Values in the place of `$1`, `?` and `:name`: they are put into the parsed statement, as the constants that they are. A text stays
//! one text, with any content.

use crystal::Structure;
use datafusion::common::DataFusionError;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{Expr, Value};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::quote::quoted_text;
use super::session::Session;
use super::statements::{Parsed, each_expression};
use crate::Error;

/// A value for a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// NULL.
    Null,
    /// True or false.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// Any number.
    Number(f64),
    /// A text.
    Text(String),
    /// A day, as in `2026-05-01`.
    Day(String),
    /// A day and an hour, as in `2026-05-01 12:00:00`.
    Moment(String),
    /// A list of values.
    List(Vec<Bound>),
    /// A crystal.
    Crystal(Box<Structure>),
}

impl Bound {
    /// The memory it takes, bytes, nearly.
    fn bytes(&self) -> usize {
        let own = match self {
            Self::Text(text) | Self::Day(text) | Self::Moment(text) => text.len(),
            Self::List(values) => values.iter().map(Self::bytes).sum(),
            // A place and an element for each atom, and what is known of it besides.
            Self::Crystal(crystal) => 128 * crystal.len(),
            Self::Null | Self::Flag(_) | Self::Integer(_) | Self::Number(_) => 0,
        };
        size_of::<Self>() + own
    }

    /// As SQL writes it.
    pub fn literal(&self) -> String {
        let call = |name: &str, values: Vec<String>| format!("{name}({})", values.join(", "));
        let number = |x: &f64| Self::Number(*x).literal();
        match self {
            Self::Null => "NULL".into(),
            Self::Flag(flag) => flag.to_string(),
            // In parentheses, so that no minus meets another.
            Self::Integer(n) if *n == i64::MIN => format!("CAST('{n}' AS BIGINT)"),
            Self::Integer(n) if *n < 0 => format!("({n})"),
            Self::Integer(n) => n.to_string(),
            Self::Number(x) if !x.is_finite() => format!("CAST('{x}' AS DOUBLE)"),
            Self::Number(x) if x.is_sign_negative() => format!("({x:?})"),
            Self::Number(x) => format!("{x:?}"),
            Self::Text(text) => quoted_text(text),
            Self::Day(day) => format!("CAST({} AS DATE)", quoted_text(day)),
            Self::Moment(moment) => format!("CAST({} AS TIMESTAMP)", quoted_text(moment)),
            Self::List(values) => call("make_array", values.iter().map(Self::literal).collect()),
            Self::Crystal(crystal) => {
                let lattice = crystal.lattice().rows().as_flattened().iter().map(number).collect();
                let numbers = crystal.species().iter().map(|element| element.z().to_string()).collect();
                let places = crystal.frac_coords().as_flattened().iter().map(number).collect();
                format!(
                    "named_struct('lattice', {}, 'numbers', {}, 'frac_coords', {})",
                    call("make_array", lattice),
                    call("make_array", numbers),
                    call("make_array", places)
                )
            }
        }
    }
}

/// The values of a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// In order: of `$1`, `$2` or of each `?`.
    InOrder(Vec<Bound>),
    /// By name: of `:name` or `$name`.
    Named(Vec<(String, Bound)>),
}

impl Values {
    /// The memory they take, bytes, nearly.
    pub fn bytes(&self) -> usize {
        match self {
            Self::InOrder(values) => values.iter().map(Bound::bytes).sum(),
            Self::Named(values) => values.iter().map(|(name, value)| name.len() + value.bytes()).sum(),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::InOrder(values) => values.is_empty(),
            Self::Named(values) => values.is_empty(),
        }
    }

    /// The value of a placeholder; `before` counts the `?` before it.
    fn of(&self, placeholder: &str, before: usize) -> Result<&Bound, String> {
        let name = name_of(placeholder);
        match self {
            Self::InOrder(values) => {
                let number = if name.is_empty() { Ok(before + 1) } else { name.parse::<usize>() };
                let Ok(number) = number else {
                    return Err(format!(
                        "{placeholder} is a named placeholder, which needs named values: give them by name"
                    ));
                };
                number.checked_sub(1).and_then(|at| values.get(at)).ok_or_else(|| {
                    let given = match values.len() {
                        0 => "none is given".to_owned(),
                        1 => "one is given".to_owned(),
                        n => format!("{n} are given"),
                    };
                    format!("{placeholder} asks for value {number}, and {given}")
                })
            }
            Self::Named(values) => {
                values.iter().find(|(known, _)| known == name).map(|(_, value)| value).ok_or_else(|| {
                    let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
                    format!("no value is named {name}; there are {}", names.join(", "))
                })
            }
        }
    }
}

/// The name or the number of a placeholder; nothing of `?`.
fn name_of(placeholder: &str) -> &str {
    placeholder.trim_start_matches(['$', ':', '@', '?'])
}

impl Session {
    /// The statement with values in the place of `$1`, `?` and `:name`.
    ///
    /// # Errors
    /// A placeholder without a value, or values that no placeholder takes. A text that is no statement is returned as it is: to plan
    /// it says what is wrong with it.
    pub fn bind(&self, text: &str, values: &Values) -> Result<String, Error> {
        if values.is_empty() {
            return Ok(text.to_owned());
        }
        let limit = self.context().state().config_options().sql_parser.recursion_limit.get();
        let Some(mut statement) = store::parsed(text, limit) else { return Ok(text.to_owned()) };
        put(&mut statement, values, usize::MAX)?;
        Ok(statement.to_string())
    }
}

impl Parsed {
    /// Puts values in the place of `$1`, `?` and `:name`, which may have so many bytes as SQL writes them; one that stands in many places
    /// counts in each.
    ///
    /// # Errors
    /// A placeholder without a value, values that no placeholder takes, and [`DataFusionError::ResourcesExhausted`] of values that are
    /// longer.
    pub fn bind(&mut self, values: &Values, most: usize) -> Result<(), Error> {
        if values.is_empty() { Ok(()) } else { put(&mut self.0, values, most) }
    }
}

fn put(statement: &mut Statement, values: &Values, most: usize) -> Result<(), Error> {
    let (mut found, mut questions, mut last) = (0, 0, 0_usize);
    let mut left = Some(most);
    let bound = replace(statement, &mut |placeholder| {
        let value = values.of(placeholder, questions)?;
        found += 1;
        last = last.max(name_of(placeholder).parse().unwrap_or(questions + 1));
        questions += usize::from(placeholder == "?");
        let literal = value.literal();
        left = left.and_then(|left| left.checked_sub(literal.len()));
        if left.is_none() {
            return Err(String::new());
        }
        Parser::new(&GenericDialect)
            .try_with_sql(&literal)
            .and_then(|mut parser| parser.parse_expr())
            .map_err(|e| format!("{placeholder}: {e}"))
    });
    if left.is_none() {
        return Err(longer(most));
    }
    bound.map_err(Error::Sql)?;
    match values {
        _ if found == 0 => {
            Err(Error::Sql("values are given, and the statement has no $1, ? or :name that takes one".into()))
        }
        // Named parameters may be more than the query uses, such as all variables.
        Values::InOrder(given) if given.len() > last => {
            Err(Error::Sql(format!("{} values are given, and the statement takes {last}", given.len())))
        }
        _ => Ok(()),
    }
}

impl Session {
    /// The placeholders of a statement, each once, in the order in which they stand; none of a text that is no statement.
    pub fn placeholders(&self, text: &str) -> Vec<String> {
        let limit = self.context().state().config_options().sql_parser.recursion_limit.get();
        let Some(mut statement) = store::parsed(text, limit) else { return Vec::new() };
        let mut found: Vec<String> = Vec::new();
        let listed = replace(&mut statement, &mut |placeholder| {
            if placeholder == "?" || found.iter().all(|known| known != placeholder) {
                found.push(placeholder.to_owned());
            }
            Ok(Expr::Value(Value::Placeholder(placeholder.to_owned()).into()))
        });
        debug_assert!(listed.is_ok(), "nothing in the walk fails");
        found
    }
}

/// What is said of values that are longer than they may be.
pub(super) fn longer(most: usize) -> Error {
    DataFusionError::ResourcesExhausted(format!("the values make the statement longer than {most} bytes")).into()
}

/// Puts another expression in the place of each placeholder.
fn replace(statement: &mut Statement, value: &mut dyn FnMut(&str) -> Result<Expr, String>) -> Result<(), String> {
    each_expression(statement, |expression| {
        if let Expr::Value(constant) = expression
            && let Value::Placeholder(name) = &constant.value
        {
            *expression = value(name)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::{Element, Lattice};

    fn bind(text: &str, values: Values) -> Result<String, String> {
        Session::without_store().bind(text, &values).map_err(|e| e.to_string())
    }

    #[test]
    fn values_stand_where_they_are_asked_for() {
        let two = || Values::InOrder(vec![Bound::Number(-0.5), Bound::Integer(-3)]);
        assert_eq!(bind("SELECT 1 - $1, -$2, $1", two()).unwrap(), "SELECT 1 - (-0.5), -(-3), (-0.5)");
        assert_eq!(bind("SELECT ? LIMIT ?", two()).unwrap(), "SELECT (-0.5) LIMIT (-3)");
        let named = Values::Named(vec![("least".into(), Bound::Number(1e-7)), ("day".into(), Bound::Null)]);
        assert_eq!(bind("SELECT :least, $day FROM t", named).unwrap(), "SELECT 1e-7, NULL FROM t");
        let list = Values::InOrder(vec![Bound::List(vec![Bound::Text("Li".into()), Bound::Flag(true)])]);
        assert_eq!(bind("SELECT $1", list).unwrap(), "SELECT make_array('Li', true)");
    }

    #[test]
    fn a_value_counts_wherever_it_stands() {
        let session = Session::without_store();
        let ten = Values::InOrder(vec![Bound::Text("12345678".into())]);
        for (text, most, fits) in [("SELECT $1", 10, true), ("SELECT $1", 9, false), ("SELECT $1, $1", 19, false)] {
            let bound = session.parsed(text).unwrap().unwrap().bind(&ten, most);
            assert_eq!(bound.is_ok(), fits, "{text}, {most}: {bound:?}");
            assert!(fits || bound.unwrap_err().to_string().contains("longer than"));
        }
    }

    #[test]
    fn placeholders_are_listed() {
        let session = Session::without_store();
        assert_eq!(session.placeholders("SELECT $2, $1, $2, '$3' FROM t WHERE a = :a"), ["$2", "$1", ":a"]);
        assert_eq!(session.placeholders("SELECT ?, ?"), ["?", "?"]);
        assert!(session.placeholders("SELEC $1").is_empty());
    }

    #[test]
    fn a_text_stays_one_text() {
        let hostile = "'; DROP TABLE tmo; --";
        let bound =
            bind("SELECT 1 FROM tmo WHERE id = $1", Values::InOrder(vec![Bound::Text(hostile.into())])).unwrap();
        assert_eq!(bound, "SELECT 1 FROM tmo WHERE id = '''; DROP TABLE tmo; --'");
        let said = bind("SELECT '$1', $1", Values::InOrder(vec![Bound::Text("$1".into())])).unwrap();
        assert_eq!(said, "SELECT '$1', '$1'");
    }

    #[test]
    fn what_has_no_value_or_no_place_is_said() {
        let one = || Values::InOrder(vec![Bound::Null]);
        assert_eq!(bind("SELECT $2", one()).unwrap_err(), "$2 asks for value 2, and one is given");
        assert!(bind("SELECT :least", one()).unwrap_err().contains("give them by name"));
        assert!(bind("SELECT 1", one()).unwrap_err().contains("no $1"));
        for text in ["SELECT $1, $1", "SELECT ?"] {
            let two = Values::InOrder(vec![Bound::Null, Bound::Null]);
            assert_eq!(bind(text, two).unwrap_err(), "2 values are given, and the statement takes 1");
        }
        let named = Values::Named(vec![("a".into(), Bound::Null), ("b".into(), Bound::Null)]);
        assert_eq!(bind("SELECT :c", named).unwrap_err(), "no value is named c; there are a, b");
        assert_eq!(bind("SELEC $1", one()).unwrap(), "SELEC $1");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_crystal_is_the_very_crystal() {
        let lattice = Lattice::from_parameters(3.905, 3.905, 3.905, 90.0, 90.0, 90.0).unwrap();
        let place = [0.5 + 1.0 / 3.0, 1.0 / 7.0, 0.0];
        let crystal = Structure::new(lattice, vec![Element::O, Element::O], vec![[0.0; 3], place]).unwrap();
        let session = Session::without_store();
        let values = Values::InOrder(vec![Bound::Crystal(Box::new(crystal.clone()))]);
        let text = session.bind("SELECT formula($1) AS formula, $1['frac_coords'][4] AS x", &values).unwrap();
        let batches = session.sql(&text).await.unwrap().collect().await.unwrap();
        let shown = arrow::util::pretty::pretty_format_batches(&batches).unwrap().to_string();
        assert!(shown.contains(&format!("{:?}", crystal.frac_coords()[1][0])), "{shown}");
    }
}
