//! What stands in each column of a table of crystals.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, ListBuilder, StringArray, StringBuilder};

use super::Row;
use formats::{Place, STATED, Stated};

/// How a row gives the value of a column; nothing is NULL.
#[derive(Clone, Copy)]
pub enum Value {
    Text(fn(&Row) -> Option<Cow<'_, str>>),
    Whole(fn(&Row) -> Option<i32>),
    Real(fn(&Row) -> Option<f64>),
    Words(fn(&Row) -> &[&'static str]),
    Crystal,
    /// What a file says.
    Stated(&'static Stated),
}
use Value::{Crystal, Real, Text, Whole, Words};

/// The columns that are computed from the crystal, whatever statement sets it.
pub static DERIVED: [(&str, Value); 12] = [
    ("structure_hash", Text(|row| Some(row.hash.to_string().into()))),
    ("formula", Text(|row| Some((&row.formula).into()))),
    ("elements", Words(|row| &row.elements)),
    ("nelements", Whole(|row| i32::try_from(row.elements.len()).ok())),
    ("class", Text(|row| Some(features::class_name(row.elements.len()).into()))),
    ("chemsys", Text(|row| Some((&row.chemsys).into()))),
    ("natoms", Whole(|row| i32::try_from(row.structure.len()).ok())),
    ("volume", Real(|row| Some(row.structure.volume()))),
    ("density", Real(|row| Some(row.density))),
    ("packing_fraction", Real(|row| row.packing_fraction)),
    ("void", Real(|row| row.void)),
    ("spacegroup", Whole(|row| row.spacegroup.map(i32::from))),
];

/// The others, besides what a file states.
static GIVEN: [(&str, Value); 6] = [
    ("id", Text(|row| Some((&row.id).into()))),
    ("source", Text(|row| Some((&row.source).into()))),
    ("source_id", Text(|row| row.source_id.as_deref().map(Into::into))),
    ("structure", Crystal),
    ("extra", Text(extra)),
    ("path", Text(|row| row.path.as_deref().map(Into::into))),
];

fn extra(row: &Row) -> Option<Cow<'_, str>> {
    let extra = &row.properties.extra;
    (!extra.is_empty()).then(|| serde_json::to_string(extra).ok()).flatten().map(Into::into)
}

/// How the column of that name is filled; `None` where it is none of these.
pub(super) fn value(name: &str) -> Option<Value> {
    let own = DERIVED.iter().chain(&GIVEN).find(|(of, _)| *of == name).map(|(_, value)| *value);
    own.or_else(|| STATED.iter().find(|stated| stated.name == name).map(Value::Stated))
}

/// The column of that name; `None` where it is none of these.
pub(super) fn column(name: &str, rows: &[Row]) -> Option<ArrayRef> {
    Some(match value(name)? {
        Text(of) => Arc::new(rows.iter().map(of).collect::<StringArray>()),
        Whole(of) => Arc::new(rows.iter().map(of).collect::<Int32Array>()),
        Real(of) => Arc::new(rows.iter().map(of).collect::<Float64Array>()),
        Value::Stated(Stated { place: Place::Number(of, _), .. }) => {
            Arc::new(rows.iter().map(|row| of(&row.properties)).collect::<Float64Array>())
        }
        Value::Stated(Stated { place: Place::Text(of, _), .. }) => {
            Arc::new(rows.iter().map(|row| of(&row.properties)).collect::<StringArray>())
        }
        Words(of) => {
            let mut lists = ListBuilder::new(StringBuilder::new());
            rows.iter().for_each(|row| lists.append_value(of(row).iter().map(Some)));
            Arc::new(lists.finish())
        }
        Crystal => Arc::new(columns::structures(rows.iter().map(|row| Some(&row.structure)))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_value_is_what_the_dictionary_has() {
        let own = DERIVED.iter().chain(&GIVEN).map(|(name, _)| *name).chain(STATED.iter().map(|stated| stated.name));
        let schema = super::super::schema();
        for name in own {
            assert!(schema.field_with_name(name).is_ok(), "lake.sql has no column {name} of tmo");
        }
        for column in super::super::columns() {
            assert!(value(&column.name).is_some(), "nothing fills column {} of lake.sql", column.name);
        }
    }
}
