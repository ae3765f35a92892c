//! Members of JSON documents, such as the column extra: a document and the way to a member of it, in up to three steps, each the
//! name of an object's member or a place in an array, from 0, or from the end below 0.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use serde_json::Value as Json;

use super::kernel::{Arguments, Kernel, Value, rows, values};
use super::{Function, Kind, Omitted, Parameter, optional, required};
use crate::cost::Cost;
use crate::structure_type::is_text;

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function {
            name: "json_as_text",
            text: "A member of a JSON document as text: a string without its quotes, anything else as JSON; NULL if \
                   there is none. `extra->>'name'` is short for it.",
            parameters: path(),
            unit: None,
            example: "SELECT id, json_as_text(extra, 'name') FROM tmo",
            kernel: member(|member| as_text(member?)),
        },
        Function {
            name: "json_contains",
            text: "True if a JSON document has a member, even if it is null.",
            parameters: path(),
            unit: None,
            example: "SELECT count(*) FROM tmo WHERE json_contains(extra, 'name')",
            kernel: member(|member| Some(member.is_some())),
        },
        Function {
            name: "json_get",
            text: "A member of a JSON document as JSON text, a string with its quotes; NULL if there is none. \
                   `extra->'name'` is short for it.",
            parameters: path(),
            unit: None,
            example: "SELECT json_get('{\"forces\": [[0.1, 0, 0]]}', 'forces', 0)",
            kernel: member(|member| Some(member?.to_string())),
        },
        Function {
            name: "json_get_bool",
            text: "A member of a JSON document that is true or false; NULL if there is none, or it is something \
                   else.",
            parameters: path(),
            unit: None,
            example: "SELECT json_get_bool('{\"relaxed\": true}', 'relaxed')",
            kernel: member(|member| member?.as_bool()),
        },
        Function {
            name: "json_get_float",
            text: "A member of a JSON document that is a number; NULL if there is none, or it is something else.",
            parameters: path(),
            unit: None,
            example: "SELECT json_get_float('{\"energy\": -3.2}', 'energy')",
            kernel: member(|member| member?.as_f64()),
        },
        Function {
            name: "json_get_int",
            text: "A member of a JSON document that is a whole number, including `2.0`; NULL if there is none, or it \
                   is something else.",
            parameters: path(),
            unit: None,
            example: "SELECT json_get_int('{\"calculation\": 12}', 'calculation')",
            kernel: member(|member| {
                let whole = |x: f64| (x.fract() == 0.0 && x.abs() < 9e15).then_some(x as i64);
                member?.as_i64().or_else(|| whole(member?.as_f64()?))
            }),
        },
        Function {
            name: "json_get_str",
            text: "A member of a JSON document that is a string; NULL if there is none, or it is something else.",
            parameters: path(),
            unit: None,
            example: "SELECT id FROM tmo WHERE json_get_str(extra, 'name') LIKE '%tunnel%'",
            kernel: member(|member| member?.as_str().map(str::to_owned)),
        },
        Function {
            name: "json_object_keys",
            text: "Names of the members of a JSON object, alphabetically; NULL if the document is something else.",
            parameters: vec![document()],
            unit: None,
            example: "SELECT DISTINCT unnest(json_object_keys(extra)) AS key FROM tmo ORDER BY key",
            kernel: member(|document| Some(document?.as_object()?.keys().cloned().collect::<Vec<_>>())),
        },
    ]
}

fn document() -> Parameter {
    required("json", Kind::Text, "JSON text, such as the column extra.")
}

fn path() -> Vec<Parameter> {
    let further = |name| {
        optional(name, Kind::NumberOrName, Omitted::Means("the member found so far"), "The same inside that member.")
    };
    let key = "Name of a member, or position in an array, from 0, or negative from its end.";
    vec![document(), required("key", Kind::NumberOrName, key), further("key2"), further("key3")]
}

/// `f` of the member that each row names, `None` where the document has none. Text that is not JSON is a warning and NULL.
fn member<T: Value + Send + 'static>(f: fn(Option<&Json>) -> Option<T>) -> Kernel {
    rows(Cost::Cheap, values(), move |arguments: &Arguments| {
        let documents = arguments.texts(0)?;
        let steps = arguments.columns[1..].iter().map(Steps::new).collect::<Result<Vec<_>>>()?;
        Ok(arguments.rows(|i| {
            let text = documents.as_ref().map_or("", |documents| documents.value(i));
            match serde_json::from_str::<Json>(text) {
                Ok(document) => f(steps.iter().try_fold(&document, |value, step| step.take(i, value))).map(Ok),
                Err(reason) => Some(Err(format!("the text is not JSON: {reason}").into())),
            }
        }))
    })
}

/// One step of the way, for every row.
enum Steps {
    Names(StringArray),
    Places(Int64Array),
}

impl Steps {
    fn new(column: &ArrayRef) -> Result<Self> {
        Ok(match is_text(column.data_type()) {
            true => Self::Names(cast(column, &DataType::Utf8)?.as_string().clone()),
            false => Self::Places(cast(column, &DataType::Int64)?.as_primitive::<Int64Type>().clone()),
        })
    }

    fn take<'v>(&self, i: usize, value: &'v Json) -> Option<&'v Json> {
        match (self, value) {
            (Self::Names(names), Json::Object(members)) => members.get(names.value(i)),
            (Self::Places(places), Json::Array(items)) => {
                let place = places.value(i);
                let from_end = if place < 0 { items.len() as i64 } else { 0 };
                items.get(usize::try_from(place.checked_add(from_end)?).ok()?)
            }
            _ => None,
        }
    }
}

/// A member as text: a string without its quotes, anything else as JSON; none for null.
fn as_text(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
