//! Members of JSON documents, which the functions `json_*` share: a document and the way to a member of it, in up to three steps,
//! each the name of an object's member or a place in an array, from 0, or from the end below 0.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result as SqlResult;
use serde_json::Value;

use super::{Arguments, Kind, Parameter};
use crate::sql::structure_type::is_text;

/// The arguments of a function of a member.
pub(super) const PATH: [Parameter; 4] = [
    Parameter::required("json", Kind::Text),
    Parameter::required("key", Kind::NumberOrName),
    Parameter::optional("key2", Kind::NumberOrName),
    Parameter::optional("key3", Kind::NumberOrName),
];

/// One step of the way, for every row.
enum Steps {
    Names(StringArray),
    Places(Int64Array),
}

impl Steps {
    fn new(column: &ArrayRef) -> SqlResult<Self> {
        Ok(match is_text(column.data_type()) {
            true => Self::Names(cast(column, &DataType::Utf8)?.as_string().clone()),
            false => Self::Places(cast(column, &DataType::Int64)?.as_primitive::<Int64Type>().clone()),
        })
    }

    fn take<'v>(&self, i: usize, value: &'v Value) -> Option<&'v Value> {
        match (self, value) {
            (Self::Names(names), Value::Object(members)) => members.get(names.value(i)),
            (Self::Places(places), Value::Array(items)) => {
                let place = places.value(i);
                let from_end = if place < 0 { items.len() as i64 } else { 0 };
                items.get(usize::try_from(place.checked_add(from_end)?).ok()?)
            }
            _ => None,
        }
    }
}

impl Arguments<'_> {
    /// `f` of the member that each row names, `None` where the document has none. A text that is no JSON is a warning and NULL.
    pub(super) fn members<T: Send>(&self, f: impl Fn(Option<&Value>) -> Option<T> + Sync) -> SqlResult<Vec<Option<T>>> {
        let documents = self.texts(0)?;
        let steps = self.columns[1..].iter().map(Steps::new).collect::<SqlResult<Vec<_>>>()?;
        Ok(self.rows(|i| {
            let text = documents.as_ref().map_or("", |documents| documents.value(i));
            match serde_json::from_str::<Value>(text) {
                Ok(document) => f(steps.iter().try_fold(&document, |value, step| step.take(i, value))).map(Ok),
                Err(reason) => Some(Err(format!("the text is no JSON: {reason}"))),
            }
        }))
    }
}

/// A member as text: a string without its quotes, whatever else as JSON; none for null.
pub(super) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
