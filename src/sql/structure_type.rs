//! What may stand where a function wants a crystal: a `structure` column, or text that holds one (CIF, POSCAR, JSON).
//! Anything else is refused when the query is planned, with the column's name, its type and the remedy.

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, exec_datafusion_err, plan_err};

use columns::StructureColumn;
use crystal::Structure;

/// What may stand for a crystal besides a structure, between what a text says before and after it.
macro_rules! crystal_text {
    ($before:literal, $after:literal) => {
        concat!($before, "CIF, POSCAR or JSON text", $after)
    };
}
pub(crate) use crystal_text;

/// The children by which a structure is recognised.
const CHILDREN: [&str; 3] = ["lattice", "numbers", "frac_coords"];

/// Whether a column holds text.
pub(super) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

fn is_structure(data_type: &DataType) -> bool {
    let DataType::Struct(fields) = data_type else { return false };
    let is_list = |t: &DataType| matches!(t, DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..));
    CHILDREN.iter().all(|name| fields.iter().any(|f| f.name() == name && is_list(f.data_type())))
}

/// Checks the argument of `function` that should be a crystal.
///
/// # Errors
/// A plan error that names the column, its type and what to write instead.
pub(super) fn check(function: &str, field: &Field) -> Result<()> {
    let found = field.data_type();
    if is_structure(found) || is_text(found) || *found == DataType::Null {
        return Ok(());
    }
    let remedy = match found {
        DataType::Struct(fields) => {
            let names: Vec<&str> = fields.iter().map(|f| f.name().as_str()).collect();
            format!(
                "this STRUCT has the fields {}; a structure has the lists lattice, numbers, frac_coords",
                names.join(", ")
            )
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "decode the bytes as text first".to_string(),
        _ => crystal_text!("pass the column structure, or ", "").to_string(),
    };
    plan_err!("{function} needs a crystal, but '{}' is {}: {remedy}", field.name(), sql_type(found))
}

/// The type as SQL spells it, and the dictionary of the columns: `STRUCT(numbers INTEGER[], lattice DOUBLE[])`.
pub fn sql_type(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "VARCHAR".into(),
        DataType::Int8 => "TINYINT".into(),
        DataType::Int16 => "SMALLINT".into(),
        DataType::Int32 => "INTEGER".into(),
        DataType::Int64 => "BIGINT".into(),
        DataType::Float32 => "FLOAT".into(),
        DataType::Float64 => "DOUBLE".into(),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            format!("{}[]", sql_type(item.data_type()))
        }
        DataType::Struct(fields) => {
            let fields: Vec<_> = fields.iter().map(|f| format!("{} {}", f.name(), sql_type(f.data_type()))).collect();
            format!("STRUCT({})", fields.join(", "))
        }
        other => other.to_string().to_uppercase(),
    }
}

/// A column of crystals, as numbers or as text.
pub enum Crystals<'a> {
    /// Numbers in Arrow lists.
    Column(StructureColumn<'a>),
    /// CIF, POSCAR or JSON.
    Text(Cow<'a, StringArray>),
    /// Nothing but NULL.
    Null,
}

impl<'a> Crystals<'a> {
    /// Views a column of structures, or of text that holds them.
    ///
    /// # Errors
    /// A column of another type.
    pub fn try_new(array: &'a ArrayRef) -> Result<Self> {
        match array.data_type() {
            DataType::Null => Ok(Self::Null),
            DataType::Utf8 => Ok(Self::Text(Cow::Borrowed(array.as_string::<i32>()))),
            other if is_text(other) => Ok(Self::Text(Cow::Owned(cast(array, &DataType::Utf8)?.as_string().clone()))),
            _ => StructureColumn::try_new(array.as_ref())
                .map(Self::Column)
                .map_err(|reason| exec_datafusion_err!("{reason}")),
        }
    }

    /// The crystal of row `i`; `None` for NULL; why it is none.
    pub fn get(&self, i: usize) -> Option<Result<Structure, String>> {
        match self {
            Self::Column(column) => column.get(i).map(|row| row.map_err(|e| e.to_string())),
            Self::Text(text) => {
                text.is_valid(i).then(|| formats::parse_structure(text.value(i)).map_err(|e| e.to_string()))
            }
            Self::Null => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::StringViewArray;

    use super::*;
    use columns::structure_type;

    const RUTILE: &str = "rutile\n1.0\n4.594 0 0\n0 4.594 0\n0 0 2.959\nTi O\n2 4\nDirect\n0 0 0\n0.5 0.5 0.5\n\
                          0.305 0.305 0\n0.695 0.695 0\n0.195 0.805 0.5\n0.805 0.195 0.5\n";

    #[test]
    fn structures_and_text_pass_and_the_rest_is_refused_with_a_remedy() {
        for accepted in [structure_type(), DataType::Utf8, DataType::Utf8View, DataType::LargeUtf8, DataType::Null] {
            check("natoms", &Field::new("x", accepted, true)).unwrap();
        }
        let message = check("natoms", &Field::new("void", DataType::Float64, true)).unwrap_err().to_string();
        for part in ["natoms", "'void'", "DOUBLE", "column structure"] {
            assert!(message.contains(part), "{message}");
        }
        let pair = DataType::Struct(vec![Field::new("a", DataType::Int32, true)].into());
        let message = check("void", &Field::new("s", pair, true)).unwrap_err().to_string();
        assert!(message.contains("fields a;"), "{message}");
    }

    #[test]
    fn types_are_spelled_as_in_the_dictionary() {
        let list = |item| DataType::List(Arc::new(Field::new("item", item, true)));
        let fields = vec![
            Field::new("numbers", list(DataType::Int32), true),
            Field::new("lattice", list(DataType::Float64), true),
        ];
        assert_eq!(sql_type(&DataType::Struct(fields.into())), "STRUCT(numbers INTEGER[], lattice DOUBLE[])");
        assert_eq!((sql_type(&DataType::Utf8View), sql_type(&DataType::Boolean)), ("VARCHAR".into(), "BOOLEAN".into()));
    }

    #[test]
    fn text_of_any_arrow_layout_is_read_and_bad_text_says_why() {
        let texts = [Some(RUTILE), None, Some("no crystal")];
        let arrays: [ArrayRef; 2] =
            [Arc::new(StringArray::from_iter(texts)), Arc::new(StringViewArray::from_iter(texts))];
        for array in &arrays {
            let crystals = Crystals::try_new(array).unwrap();
            assert_eq!(crystals.get(0).unwrap().unwrap().composition().reduced_formula(), "TiO2");
            assert!(crystals.get(1).is_none());
            assert!(!crystals.get(2).unwrap().unwrap_err().is_empty());
        }
    }
}
