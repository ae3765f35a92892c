//! Readable column headings: the engine names a column after its expression and spells the type of every
//! constant in it, `substr(formula,Int64(1),Int64(2))`.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;

/// Types whose constants are spelled so.
const TYPES: [&str; 14] = [
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "Float32",
    "Float64",
    "Boolean",
    "Utf8",
    "Utf8View",
    "LargeUtf8",
];

/// The columns of a result under plain names.
pub struct Headings {
    schema: SchemaRef,
    renamed: bool,
}

impl Headings {
    /// The headings of a result; where two would become the same, all stay as they are.
    pub fn of(schema: &SchemaRef) -> Self {
        let names: Vec<String> = schema.fields().iter().map(|field| plain(field.name())).collect();
        let distinct = names.iter().collect::<HashSet<_>>().len() == names.len();
        let renamed = distinct && names.iter().zip(schema.fields()).any(|(name, field)| name != field.name());
        if !renamed {
            return Self { schema: Arc::clone(schema), renamed };
        }
        let rename = |(field, name): (&Arc<Field>, String)| field.as_ref().clone().with_name(name);
        let fields: Vec<Field> = schema.fields().iter().zip(names).map(rename).collect();
        Self { schema: Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone())), renamed }
    }

    /// The columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// A batch under these headings.
    ///
    /// # Errors
    /// Columns that are not those of the headings.
    pub fn over(&self, batch: RecordBatch) -> Result<RecordBatch, ArrowError> {
        if !self.renamed {
            return Ok(batch);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), batch.columns().to_vec(), &options)
    }
}

/// The columns with their units as metadata `unit`, which Parquet and Arrow files keep.
pub fn with_units(schema: &Schema, units: &[Option<Cow<'static, str>>]) -> SchemaRef {
    let fields = schema.fields().iter().enumerate().map(|(i, field)| match units.get(i) {
        Some(Some(unit)) => {
            let mut metadata = field.metadata().clone();
            metadata.insert("unit".into(), unit.to_string());
            Arc::new(field.as_ref().clone().with_metadata(metadata))
        }
        _ => field.clone(),
    });
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone()))
}

/// The name of a column without the types of the constants in it.
fn plain(name: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(name.len()), name);
    while let Some((before, constant, after)) = constant(rest) {
        plain.push_str(before);
        plain.push_str(&constant);
        rest = after;
    }
    plain.push_str(rest);
    plain
}

/// The first constant of a name: what stands before it, the constant as SQL has it, and what follows.
fn constant(name: &str) -> Option<(&str, String, &str)> {
    for (at, _) in name.match_indices('(') {
        let before = &name[..at];
        let word = before.rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).map_or(0, |i| i + 1);
        if !TYPES.contains(&&before[word..]) {
            continue;
        }
        let inside = &name[at + 1..];
        let (value, after) = match inside.strip_prefix('"') {
            Some(text) => text.split_once("\")").map(|(text, after)| (format!("'{text}'"), after))?,
            None => inside.split_once(')').map(|(value, after)| (value.to_owned(), after))?,
        };
        return Some((&before[..word], value, after));
    }
    None
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::DataType;

    use super::*;

    #[test]
    fn constants_lose_their_types_and_names_stay_distinct() {
        for (name, expected) in [
            ("substr(t.extra,Int64(1),Int64(150))", "substr(t.extra,1,150)"),
            ("Int64(1)", "1"),
            ("t.a || Utf8(\", (x)\")", "t.a || ', (x)'"),
            ("void > Float64(0.5) AND Boolean(NULL)", "void > 0.5 AND NULL"),
            ("myInt64(1)", "myInt64(1)"),
            ("Int64", "Int64"),
            ("Utf8(\"open", "Utf8(\"open"),
        ] {
            assert_eq!(plain(name), expected);
        }
        let schema =
            |names: [&str; 2]| Arc::new(Schema::new(names.map(|n| Field::new(n, DataType::Null, true)).to_vec()));
        let names =
            |headings: &Headings| headings.schema().fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>();
        assert_eq!(names(&Headings::of(&schema(["Int64(1)", "a"]))), ["1", "a"]);
        assert_eq!(names(&Headings::of(&schema(["Int64(1)", "1"]))), ["Int64(1)", "1"]);
    }
}
