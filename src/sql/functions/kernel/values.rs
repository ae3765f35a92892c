//! Answers as Arrow columns: of plain values, of structs, and of lists of either. A field of a struct is declared once, with its
//! name, unit, meaning and the way to read it.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, ListArray, StringArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields};

use columns::{structure_type, structures};
use crystal::Structure;
use features::SiteMatrix;

/// What a row, or a field of one, may hold.
pub trait Value: Sized {
    /// Its Arrow type.
    fn data_type() -> DataType;
    /// The column of `rows`.
    fn array(rows: impl Iterator<Item = Option<Self>>) -> ArrayRef;
    /// How many numbers it takes, of what may be too many to hold at once.
    fn numbers(&self) -> usize {
        0
    }
}

macro_rules! plain_values {
    ($($value:ty: $kind:ident, $array:ty;)*) => {$(
        impl Value for $value {
            fn data_type() -> DataType {
                DataType::$kind
            }

            fn array(rows: impl Iterator<Item = Option<Self>>) -> ArrayRef {
                Arc::new(rows.collect::<$array>())
            }
        }
    )*};
}

plain_values! {
    f64: Float64, Float64Array;
    i32: Int32, Int32Array;
    i64: Int64, Int64Array;
    bool: Boolean, BooleanArray;
    String: Utf8, StringArray;
    &'static str: Utf8, StringArray;
}

/// A count.
impl Value for usize {
    fn data_type() -> DataType {
        DataType::Int32
    }

    fn array(rows: impl Iterator<Item = Option<Self>>) -> ArrayRef {
        i32::array(rows.map(|row| row.map(|n| n as i32)))
    }
}

impl Value for Structure {
    fn data_type() -> DataType {
        structure_type()
    }

    fn array(rows: impl Iterator<Item = Option<Self>>) -> ArrayRef {
        Arc::new(structures(rows.collect::<Vec<_>>().iter().map(Option::as_ref)))
    }
}

/// NULL where there is none.
impl<V: Value> Value for Option<V> {
    fn data_type() -> DataType {
        V::data_type()
    }

    fn array(rows: impl Iterator<Item = Option<Self>>) -> ArrayRef {
        V::array(rows.map(Option::flatten))
    }
}

impl<V: Value> Value for Vec<V> {
    fn data_type() -> DataType {
        list_of(V::data_type())
    }

    fn array(rows: impl Iterator<Item = Option<Self>>) -> ArrayRef {
        let rows: Vec<Option<Self>> = rows.collect();
        let lengths = rows.iter().map(|row| row.as_ref().map(Vec::len)).collect();
        Arc::new(lists(lengths, V::array(rows.into_iter().flatten().flatten().map(Some))))
    }

    fn numbers(&self) -> usize {
        self.len()
    }
}

impl<const N: usize> Value for [f64; N] {
    fn data_type() -> DataType {
        list_of(DataType::Float64)
    }

    fn array(rows: impl Iterator<Item = Option<Self>>) -> ArrayRef {
        let rows: Vec<Option<Self>> = rows.collect();
        let numbers = rows.iter().flatten().flatten().copied();
        let lengths = rows.iter().map(|row| row.as_ref().map(|_| N)).collect();
        Arc::new(lists(lengths, Arc::new(Float64Array::from_iter_values(numbers))))
    }
}

/// Equally long rows of numbers.
pub(in super::super) struct Rows {
    /// Numbers in a row.
    pub width: usize,
    /// The rows one after another.
    pub values: Vec<f64>,
}

impl From<SiteMatrix> for Rows {
    fn from(matrix: SiteMatrix) -> Self {
        Self { width: matrix.rows().len(), values: matrix.rows().flatten().copied().collect() }
    }
}

impl Value for Rows {
    fn data_type() -> DataType {
        list_of(list_of(DataType::Float64))
    }

    fn array(rows: impl Iterator<Item = Option<Self>>) -> ArrayRef {
        let rows: Vec<Option<Self>> = rows.collect();
        let count = |row: &Self| row.values.len() / row.width.max(1);
        let inner = rows.iter().flatten().flat_map(|row| std::iter::repeat_n(Some(row.width), count(row)));
        let numbers = Float64Array::from_iter_values(rows.iter().flatten().flat_map(|row| row.values.iter().copied()));
        let inner = lists(inner.collect(), Arc::new(numbers));
        Arc::new(lists(rows.iter().map(|row| row.as_ref().map(count)).collect(), Arc::new(inner)))
    }

    fn numbers(&self) -> usize {
        self.values.len()
    }
}

/// A field of a struct under its documented name.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldDoc {
    /// Name.
    pub name: &'static str,
    /// Arrow type.
    pub data_type: DataType,
    /// Unit of its numbers, if they have one.
    pub unit: Option<&'static str>,
    /// What it holds, in sentences.
    pub text: &'static str,
    /// Where it holds structs, their fields.
    pub fields: Vec<FieldDoc>,
}

impl FieldDoc {
    /// A field of no structs.
    pub fn new(name: &'static str, data_type: DataType, unit: Option<&'static str>, text: &'static str) -> Self {
        Self { name, data_type, unit, text, fields: vec![] }
    }

    /// The field in a schema.
    pub fn field(&self) -> Field {
        Field::new(self.name, self.data_type.clone(), true)
    }
}

/// The fields of structs that are read from a `T`, declared one after the other.
pub struct Columns<T> {
    docs: Vec<FieldDoc>,
    arrays: Vec<Box<Array<T>>>,
}

type Array<T> = dyn Fn(&[Option<&T>]) -> ArrayRef + Send + Sync;

impl<T: 'static> Columns<T> {
    /// None yet.
    pub fn new() -> Self {
        Self { docs: vec![], arrays: vec![] }
    }

    /// A further field: its name, unit and meaning, and the way to read it.
    pub fn field<V: Value>(
        mut self,
        name: &'static str,
        unit: Option<&'static str>,
        text: &'static str,
        of: impl Fn(&T) -> V + Send + Sync + 'static,
    ) -> Self {
        self.docs.push(FieldDoc::new(name, V::data_type(), unit, text));
        self.arrays.push(Box::new(move |rows| V::array(rows.iter().map(|row| row.map(&of)))));
        self
    }

    /// A further field that holds lists of structs.
    pub fn items<U: 'static>(
        mut self,
        name: &'static str,
        text: &'static str,
        of: impl Fn(&T) -> Vec<U> + Send + Sync + 'static,
        columns: Columns<U>,
    ) -> Self {
        let Output { data_type, fields, array, .. } = lists_of(columns);
        self.docs.push(FieldDoc { name, data_type, unit: None, text, fields });
        self.arrays.push(Box::new(move |rows| array(rows.iter().map(|row| row.map(&of)).collect())));
        self
    }

    fn fields(&self) -> Fields {
        self.docs.iter().map(FieldDoc::field).collect()
    }

    fn arrays(&self, rows: &[Option<&T>]) -> Vec<ArrayRef> {
        self.arrays.iter().map(|array| array(rows)).collect()
    }
}

/// How answers become a column.
pub struct Output<T> {
    /// Type of the column.
    pub data_type: DataType,
    /// Fields of the structs in it.
    pub fields: Vec<FieldDoc>,
    /// The column.
    pub array: Box<dyn Fn(Vec<Option<T>>) -> ArrayRef + Send + Sync>,
    /// How many numbers an answer takes, of what may be too many to hold at once.
    pub numbers: fn(&T) -> usize,
}

/// Plain values.
pub fn values<V: Value>() -> Output<V> {
    Output {
        data_type: V::data_type(),
        fields: vec![],
        array: Box::new(|rows| V::array(rows.into_iter())),
        numbers: V::numbers,
    }
}

/// A struct a row.
pub fn structs<T: 'static>(columns: Columns<T>) -> Output<T> {
    let fields = columns.fields();
    Output {
        data_type: DataType::Struct(fields.clone()),
        fields: columns.docs.clone(),
        array: Box::new(move |rows| {
            let valid = NullBuffer::from_iter(rows.iter().map(Option::is_some));
            let rows: Vec<Option<&T>> = rows.iter().map(Option::as_ref).collect();
            Arc::new(StructArray::new(fields.clone(), columns.arrays(&rows), Some(valid)))
        }),
        numbers: |_| 0,
    }
}

/// A list of structs a row.
pub fn lists_of<T: 'static>(columns: Columns<T>) -> Output<Vec<T>> {
    let fields = columns.fields();
    Output {
        data_type: list_of(DataType::Struct(fields.clone())),
        fields: columns.docs.clone(),
        array: Box::new(move |rows| {
            let lengths = rows.iter().map(|row| row.as_ref().map(Vec::len)).collect();
            let items: Vec<Option<&T>> = rows.iter().flatten().flatten().map(Some).collect();
            Arc::new(lists(lengths, Arc::new(StructArray::new(fields.clone(), columns.arrays(&items), None))))
        }),
        numbers: |_| 0,
    }
}

/// The type of lists of `item`.
pub fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

/// Consecutive lists of `values`; no length is NULL.
pub fn lists(lengths: Vec<Option<usize>>, values: ArrayRef) -> ListArray {
    let offsets = OffsetBuffer::from_lengths(lengths.iter().map(|n| n.unwrap_or(0)));
    let nulls = NullBuffer::from_iter(lengths.iter().map(Option::is_some));
    ListArray::new(Arc::new(Field::new_list_field(values.data_type().clone(), true)), offsets, values, Some(nulls))
}

#[cfg(test)]
mod tests {
    use arrow::array::Array;

    use super::*;

    #[test]
    fn lists_with_a_null_between() {
        let values: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0]));
        let lists = lists(vec![Some(2), None, Some(0), Some(1)], values);
        assert_eq!(lists.data_type(), &list_of(DataType::Float64));
        let lengths: Vec<Option<usize>> = lists.iter().map(|l| l.map(|l| l.len())).collect();
        assert_eq!(lengths, [Some(2), None, Some(0), Some(1)]);
    }

    #[test]
    fn columns_have_the_type_that_is_declared() {
        let parts = Columns::<usize>::new().field("n", None, "", |n| *n).field("half", None, "", |n| *n as f64 / 2.0);
        let rows = Columns::<(String, Vec<usize>)>::new().field("name", None, "", |row| row.0.clone());
        let output = lists_of(rows.items("parts", "", |row| row.1.clone(), parts));
        let rows = vec![Some(vec![("a".to_string(), vec![1, 2]), ("b".to_string(), vec![])]), None];
        let array = (output.array)(rows);
        assert_eq!((array.data_type(), array.len(), array.null_count()), (&output.data_type, 2, 1));
        assert_eq!(output.fields[1].fields[0].name, "n");
        let matrix = Rows { width: 2, values: vec![1.0, 2.0, 3.0, 4.0] };
        let (numbers, array) = (matrix.numbers(), Rows::array([Some(matrix), None].into_iter()));
        assert_eq!((numbers, array.data_type(), array.null_count()), (4, &Rows::data_type(), 1));
    }
}
