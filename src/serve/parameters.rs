//! JSON as the values of a statement.

use serde_json::{Map, Value};
use sql::{Bound, Values};

use crate::error::Refusal;

/// Values in order or by name.
///
/// # Errors
/// Anything but a list, an object or null; an object within that is no crystal.
pub(crate) fn values(params: &Value) -> Result<Values, Refusal> {
    match params {
        Value::Null => Ok(Values::InOrder(Vec::new())),
        Value::Array(values) => Ok(Values::InOrder(values.iter().map(bound).collect::<Result<_, _>>()?)),
        Value::Object(values) => {
            let named = values.iter().map(|(name, value)| Ok((name.clone(), bound(value)?)));
            Ok(Values::Named(named.collect::<Result<_, Refusal>>()?))
        }
        _ => Err(Refusal::bad("params is a list, or an object of names and values")),
    }
}

fn bound(value: &Value) -> Result<Bound, Refusal> {
    Ok(match value {
        Value::Null => Bound::Null,
        Value::Bool(flag) => Bound::Flag(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Bound::Integer(whole),
            None if number.is_u64() => {
                return Err(Refusal::bad(format!("{number} is no whole number of 64 bits with a sign")));
            }
            None => Bound::Number(number.as_f64().ok_or_else(|| Refusal::bad(format!("{number} is no number")))?),
        },
        Value::String(text) => Bound::Text(text.clone()),
        Value::Array(values) => Bound::List(values.iter().map(bound).collect::<Result<_, _>>()?),
        Value::Object(_) => {
            let crystal = formats::parse_structure(&value.to_string());
            let crystal =
                crystal.map_err(|e| Refusal::bad(format!("an object among the params is no crystal: {e}")))?;
            Bound::Crystal(Box::new(crystal))
        }
    })
}

/// Options by name, as `SET` takes them.
///
/// # Errors
/// A value that is no text, number or flag.
pub(crate) fn options(options: &Map<String, Value>) -> Result<Vec<(String, String)>, Refusal> {
    let text = |(name, value): (&String, &Value)| match value {
        Value::String(text) => Ok((name.clone(), text.clone())),
        Value::Number(_) | Value::Bool(_) => Ok((name.clone(), value.to_string())),
        _ => Err(Refusal::bad(format!("the option {name} is a text, a number, true or false"))),
    };
    options.iter().map(text).collect()
}
