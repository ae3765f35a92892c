//! How single values read: numbers rounded to what they mean, crystals by formula, lists, structs and JSON objects as they are
//! written, or their beginning.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::digits::{Digits, has_numbers};
use crate::columns::StructureColumn;
use crate::error::ReportError;

/// Lists, structs and JSON objects are cut to this many characters where they are to fit a column.
const NESTED_WIDTH: usize = 40;

const NULL: &str = "NULL";
const OPTIONS: FormatOptions<'static> = FormatOptions::new().with_null(NULL);

/// How much of a value is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// What fits a column.
    Brief,
    /// Lists, structs and JSON objects whole, those of a list below one another.
    Whole,
    /// Crystals too: their lattice, elements and places.
    Everything,
}

/// The values of one column.
pub struct Cells<'a> {
    kind: Kind<'a>,
    detail: Detail,
    digits: &'a Digits,
}

enum Kind<'a> {
    Crystal(StructureColumn<'a>),
    Value(&'a ArrayRef),
    Plain(ArrayFormatter<'a>),
}

impl<'a> Cells<'a> {
    pub(crate) fn new(column: &'a ArrayRef, detail: Detail, digits: &'a Digits) -> Result<Self, ReportError> {
        let crystals = match column.data_type() {
            DataType::Struct(_) if detail != Detail::Everything => StructureColumn::try_new(column).ok(),
            _ => None,
        };
        let kind = match (crystals, column.data_type()) {
            (Some(crystals), _) => Kind::Crystal(crystals),
            (None, dt) if has_numbers(dt) => Kind::Value(column),
            _ => Kind::Plain(ArrayFormatter::try_new(column, &OPTIONS)?),
        };
        Ok(Self { kind, detail, digits })
    }

    pub(crate) fn text(&self, row: usize) -> Result<String, ReportError> {
        Ok(match &self.kind {
            Kind::Crystal(crystals) => match crystals.get(row) {
                None => NULL.into(),
                Some(Ok(s)) => format!("{} [{} atoms]", s.composition().reduced_formula(), s.len()),
                Some(Err(error)) => abbreviated(&format!("invalid: {error}")),
            },
            Kind::Value(column) if !column.data_type().is_nested() => value(column, row, self.digits)?,
            Kind::Value(column) if self.detail == Detail::Brief => abbreviated(&value(column, row, self.digits)?),
            Kind::Value(column) => match items(column, row) {
                // A list of structs is a table of its own.
                Some(items) if matches!(items.data_type(), DataType::Struct(_)) && !items.is_empty() => {
                    let lines: Result<Vec<String>, _> =
                        (0..items.len()).map(|i| value(&items, i, self.digits)).collect();
                    lines?.join("\n")
                }
                _ => value(column, row, self.digits)?,
            },
            Kind::Plain(f) => {
                let text = f.value(row).try_to_string()?;
                match self.detail == Detail::Brief && text.starts_with('{') && text.ends_with('}') {
                    true => abbreviated(&text),
                    false => text.replace('\t', "    "),
                }
            }
        })
    }
}

/// The items of a list; `None` for anything else.
fn items(column: &ArrayRef, row: usize) -> Option<ArrayRef> {
    if column.is_null(row) {
        return None;
    }
    match column.data_type() {
        DataType::List(_) => Some(column.as_list::<i32>().value(row)),
        DataType::LargeList(_) => Some(column.as_list::<i64>().value(row)),
        DataType::FixedSizeList(..) => Some(column.as_fixed_size_list().value(row)),
        _ => None,
    }
}

/// One value, on one line.
fn value(column: &ArrayRef, row: usize, digits: &Digits) -> Result<String, ReportError> {
    if column.is_null(row) {
        return Ok(NULL.into());
    }
    if let Some(items) = items(column, row) {
        let texts: Vec<String> = (0..items.len()).map(|i| value(&items, i, digits)).collect::<Result<_, _>>()?;
        return Ok(format!("[{}]", texts.join(", ")));
    }
    Ok(match column.data_type() {
        DataType::Float32 => digits.text(f64::from(column.as_primitive::<Float32Type>().value(row))),
        DataType::Float64 => digits.text(column.as_primitive::<Float64Type>().value(row)),
        DataType::Struct(fields) => {
            let columns = column.as_struct().columns().iter().zip(fields);
            let texts = columns
                .map(|(column, field)| Ok(format!("{}: {}", field.name(), value(column, row, &digits.field(field))?)));
            format!("{{{}}}", texts.collect::<Result<Vec<_>, ReportError>>()?.join(", "))
        }
        _ => ArrayFormatter::try_new(column, &OPTIONS)?.value(row).try_to_string()?,
    })
}

fn abbreviated(text: &str) -> String {
    let mut text = text.replace(['\n', '\t'], " ");
    if let Some((cut, _)) = text.char_indices().nth(NESTED_WIDTH) {
        text.truncate(cut);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, ListArray, StringArray, StructArray};
    use arrow::buffer::OffsetBuffer;
    use arrow::datatypes::{Field, Fields};

    use super::*;

    #[test]
    fn numbers_within_structs_are_rounded_and_nothing_is_cut_where_the_whole_is_asked_for() {
        let fields = Fields::from(vec![
            Field::new("value", DataType::Float64, true),
            Field::new("reason", DataType::Utf8, true),
        ]);
        let values: ArrayRef = Arc::new(Float64Array::from(vec![Some(-3.067_292_584_517_997), None]));
        let reasons: ArrayRef = Arc::new(StringArray::from(vec!["far from all that the model has seen", "none"]));
        let structs: ArrayRef = Arc::new(StructArray::new(fields.clone(), vec![values, reasons], None));
        let text = |column: &ArrayRef, detail| Cells::new(column, detail, &Digits::default()).unwrap().text(0).unwrap();
        assert_eq!(text(&structs, Detail::Brief), "{value: -3.067293, reason: far from all …");
        assert_eq!(text(&structs, Detail::Whole), "{value: -3.067293, reason: far from all that the model has seen}");
        let item = Arc::new(Field::new("item", DataType::Struct(fields), true));
        let list: ArrayRef = Arc::new(ListArray::new(item, OffsetBuffer::from_lengths([2]), structs, None));
        assert_eq!(
            text(&list, Detail::Whole),
            "{value: -3.067293, reason: far from all that the model has seen}\n{value: NULL, reason: none}"
        );
        assert!(text(&list, Detail::Brief).starts_with("[{value: -3.067293"));
    }

    #[test]
    fn json_is_cut_like_a_struct_and_other_text_is_not() {
        let card = format!(r#"{{"name": "mine", "data": "{}"}}"#, "x".repeat(1000));
        let reason = "a reason ".repeat(20);
        let column: ArrayRef = Arc::new(StringArray::from(vec![card.as_str(), reason.as_str(), r#"{"a": 1}"#]));
        let text = |row, detail| Cells::new(&column, detail, &Digits::default()).unwrap().text(row).unwrap();
        assert_eq!(text(0, Detail::Brief), format!(r#"{{"name": "mine", "data": "{}…"#, "x".repeat(14)));
        assert_eq!(text(0, Detail::Whole), card);
        assert_eq!(text(1, Detail::Brief), reason);
        assert_eq!(text(2, Detail::Brief), r#"{"a": 1}"#);
    }
}
