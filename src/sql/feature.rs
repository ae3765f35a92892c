//! What can be materialised, and under which name: a function of a crystal, its constant arguments and its version.
//!
//! `void(ionic,0.76)/1` is the featurizer of the calls `void(structure, 'ionic', 0.76)`, `void_ionic_0_76` the name of its
//! column. A user writes it without the version; texts need quotes only where they are no plain words.

use std::sync::Arc;

use arrow::compute::can_cast_types;
use arrow::datatypes::{DataType, Field};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, ScalarUDF};

use super::cost::Cost;
use super::functions::{CrystalUdf, Kind, Parameter};
use super::quote::quoted_text;
use crate::Error;
use columns::structure_type;
use store::Featurizer;

/// A call of a crystal function, all of whose arguments but the crystal are constants.
#[derive(Debug, Clone)]
pub struct Feature {
    udf: Arc<ScalarUDF>,
    constants: Vec<ScalarValue>,
    /// The constants as they stand in the id.
    words: Vec<String>,
}

impl Feature {
    /// The feature that a call computes, and the crystal that it is called with; `None` for calls that are not
    /// materialised.
    pub fn of(call: &ScalarFunction) -> Option<(Self, &Expr)> {
        let udf = call.func.inner().downcast_ref::<CrystalUdf>()?;
        if !is_featurizer(udf) {
            return None;
        }
        let (crystal, rest) = call.args.split_first()?;
        let constant = |e: &Expr| match e {
            Expr::Literal(value, _) => Some(value.clone()),
            _ => None,
        };
        let constants = rest.iter().map(constant).collect::<Option<Vec<_>>>()?;
        let words = constants.iter().map(word).collect::<Option<Vec<_>>>()?;
        Some((Self { udf: Arc::clone(&call.func), constants, words }, crystal))
    }

    /// Reads a list of features: `magpie, void(ionic, 0.76)`.
    ///
    /// # Errors
    /// A name that is no featurizer, with the known ones; arguments that do not fit.
    pub fn parse_all(text: &str, known: &[Arc<ScalarUDF>]) -> Result<Vec<Self>, Error> {
        split(text, ',').into_iter().filter(|part| !part.is_empty()).map(|part| Self::parse(part, known)).collect()
    }

    fn parse(text: &str, known: &[Arc<ScalarUDF>]) -> Result<Self, Error> {
        let (name, arguments) = match text.split_once('(') {
            Some((name, rest)) => match rest.strip_suffix(')') {
                Some(inner) => (name.trim(), split(inner, ',')),
                None => return Err(Error::Sql(format!("'{text}': the closing bracket is missing"))),
            },
            None => (text, vec![]),
        };
        let Some(udf) = known.iter().find(|udf| udf.name() == name.to_lowercase()) else {
            let names: Vec<&str> = known.iter().map(|udf| udf.name()).collect();
            return Err(Error::Sql(format!("there is no feature '{name}'; known features: {}", names.join(", "))));
        };
        let parameters = udf.inner().downcast_ref::<CrystalUdf>().map_or(&[][..], |udf| &udf.function().parameters);
        if arguments.len() >= parameters.len() && !arguments.is_empty() {
            let takes = parameters.iter().skip(1).map(|p| p.name).collect::<Vec<_>>().join(", ");
            let message = format!("'{text}': {} takes ({takes}) beside the crystal", udf.name());
            return Err(Error::Sql(message));
        }
        let constant = |(argument, kind): (&str, Kind)| match (kind, argument.strip_prefix('\'')) {
            (_, Some(quoted)) => ScalarValue::from(quoted.strip_suffix('\'').unwrap_or(quoted).replace("''", "'")),
            (Kind::Text, None) => ScalarValue::from(argument),
            _ => match (argument.parse::<i64>(), argument.parse::<f64>(), argument.parse::<bool>()) {
                (Ok(n), ..) => ScalarValue::Int64(Some(n)),
                (_, Ok(x), _) if x.is_finite() => ScalarValue::Float64(Some(x)),
                (.., Ok(b)) => ScalarValue::Boolean(Some(b)),
                _ => ScalarValue::from(argument),
            },
        };
        let kinds = parameters.iter().skip(1).map(|p| p.kind);
        let constants: Vec<ScalarValue> = arguments.into_iter().zip(kinds).map(constant).collect();
        let words = constants.iter().filter_map(word).collect();
        Ok(Self { udf: Arc::clone(udf), constants, words })
    }

    /// The call, of `crystal`.
    pub fn call(&self, crystal: Expr) -> Expr {
        let constants = self.constants.iter().map(|value| Expr::Literal(value.clone(), None));
        Expr::ScalarFunction(ScalarFunction::new_udf(
            Arc::clone(&self.udf),
            std::iter::once(crystal).chain(constants).collect(),
        ))
    }

    /// The session's function.
    pub fn udf(&self) -> Option<&CrystalUdf> {
        self.udf.inner().downcast_ref()
    }

    /// Function, arguments and version: `void(ionic,0.76)/1`.
    pub fn id(&self) -> String {
        let version = self.udf().map_or(0, |udf| udf.function().kernel.version());
        match self.words.as_slice() {
            [] => format!("{}/{version}", self.udf.name()),
            words => format!("{}({})/{version}", self.udf.name(), words.join(",")),
        }
    }

    /// Name of the column: letters, digits and `_`.
    pub fn name(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
        let parts = std::iter::once(self.udf.name()).chain(self.words.iter().map(String::as_str));
        parts.map(|part| part.trim_matches('\'').chars().map(plain).collect::<String>()).collect::<Vec<_>>().join("_")
    }

    /// What the store keeps of it.
    pub fn featurizer(&self) -> Featurizer {
        let udf = self.udf();
        Featurizer {
            name: self.name(),
            id: self.id(),
            data_type: udf.map_or(DataType::Null, |udf| udf.function().kernel.data_type().clone()),
            comment: udf.map_or_else(String::new, |udf| udf.function().comment()),
        }
    }
}

/// Whether a function can be materialised: it takes a crystal and needs nothing else, and is no model, whose answers are
/// remembered as `predictions`.
pub(super) fn is_featurizer(udf: &CrystalUdf) -> bool {
    let function = udf.function();
    let crystal = Field::new("structure", structure_type(), true);
    let [first, rest @ ..] = function.parameters.as_slice() else { return false };
    first.kind.check(function.name, first.name, &crystal).is_ok()
        && rest.iter().all(Parameter::is_optional)
        && udf.cost() < Cost::Model
        && *function.kernel.data_type() != structure_type()
}

/// A constant in an id. Numbers lose their type, so that 1 and 1.0 are one; texts are quoted where they are no words.
fn word(value: &ScalarValue) -> Option<String> {
    if value.is_null() {
        return None;
    }
    if let Some(text) = value.try_as_str().flatten() {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '.');
        let is_word = text.starts_with(char::is_alphabetic) && text.chars().all(plain) && text.parse::<bool>().is_err();
        // "nan" and "inf" are words and read as numbers: neither is finite.
        return Some(if is_word { text.to_string() } else { quoted_text(text) });
    }
    match value {
        ScalarValue::Boolean(Some(b)) => Some(b.to_string()),
        number if number.data_type().is_numeric() && can_cast_types(&number.data_type(), &DataType::Float64) => {
            match number.cast_to(&DataType::Float64) {
                Ok(ScalarValue::Float64(Some(x))) => Some(x.to_string()),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The parts of a list, without the blanks around them; commas in brackets or quotes separate nothing.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut begin, mut depth, mut quoted) = (vec![], 0, 0_usize, false);
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            c if c == separator && !quoted && depth == 0 => {
                parts.push(text[begin..at].trim());
                begin = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text[begin..].trim());
    if parts == [""] { vec![] } else { parts }
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::lit;

    use super::*;
    use crate::environment::Environment;
    use crate::register;

    fn known() -> Vec<Arc<ScalarUDF>> {
        let all = register::udfs(&Environment::default()).into_iter().map(Arc::new);
        all.filter(|udf| udf.inner().downcast_ref::<CrystalUdf>().is_some_and(is_featurizer)).collect()
    }

    fn ids(text: &str) -> Vec<(String, String)> {
        let features = Feature::parse_all(text, &known()).unwrap();
        features.iter().map(|f| (f.id(), f.name())).collect()
    }

    #[test]
    fn lists_are_read_with_their_arguments() {
        let pair = |id: &str, name: &str| (id.to_string(), name.to_string());
        assert_eq!(
            ids(" density, void(ionic, 0.760),Void('Ionic') ,spacegroup( 1 )"),
            [
                pair("density/1", "density"),
                pair("void(ionic,0.76)/1", "void_ionic_0_76"),
                pair("void(Ionic)/1", "void_ionic"),
                pair("spacegroup(1)/1", "spacegroup_1"),
            ]
        );
    }

    #[test]
    fn what_is_no_feature_is_refused_with_those_that_are() {
        let message = |text| Feature::parse_all(text, &known()).unwrap_err().to_string();
        let unknown = message("magpi");
        assert!(unknown.contains("no feature 'magpi'") && unknown.contains("distance_min, "), "{unknown}");
        for none in ["predict_ef", "has_element", "structure"] {
            assert!(message(none).contains("no feature"), "{none} is asked for something else than a crystal");
        }
        assert!(message("density(2)").contains("takes ()"));
        assert!(message("void(ionic").contains("bracket"));
    }

    #[test]
    fn a_call_has_the_id_of_the_feature_that_was_asked_for() {
        let asked = &Feature::parse_all("void(ionic,1)", &known()).unwrap()[0];
        let Expr::ScalarFunction(call) = asked.call(lit("x")) else { panic!("a call") };
        assert_eq!(Feature::of(&call).unwrap().0.id(), asked.id());
        let decimal = ScalarFunction { args: vec![lit("x"), lit("ionic"), lit(1.0)], ..call.clone() };
        assert_eq!(Feature::of(&decimal).unwrap().0.id(), asked.id(), "1 and 1.0 are one");
        let by_row = ScalarFunction { args: vec![lit("x"), lit("ionic"), datafusion::prelude::col("r")], ..call };
        assert!(Feature::of(&by_row).is_none(), "an argument that changes with the row");
    }

    #[test]
    fn words_of_unlike_constants_are_unlike() {
        let text = |s: &str| word(&ScalarValue::from(s)).unwrap();
        assert_eq!((text("ionic"), text("a,b"), text("it's")), ("ionic".into(), "'a,b'".into(), "'it''s'".into()));
        assert_eq!(text("1"), "'1'", "not the number");
        assert_eq!(text("true"), "'true'", "not the truth value");
        assert_eq!(word(&ScalarValue::Float64(None)), None);
    }
}
