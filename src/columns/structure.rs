//! The `structure` column.
//!
//! `lattice` holds nine numbers, the rows a, b, c in Å; `numbers` the atomic number of each site; `frac_coords` three
//! numbers a site, fractions of a, b, c. We write lists of `Float64` and `Int32`. What we read may come from another
//! program: 32-bit floats, other integers, large or fixed-size lists and slices are all understood.

use std::borrow::{Borrow, Cow};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Builder, Int32Builder, ListBuilder, NullBufferBuilder, StructArray,
};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields, Float64Type, Int32Type};

use sha2::{Digest, Sha256};

use crystal::CrystalError;
use crystal::{Element, Lattice, Structure};

/// Children of the structure column, in order: `lattice`, `numbers`, `frac_coords`.
pub fn structure_fields() -> Fields {
    let list = |name: &str, item: DataType| Field::new_list(name, Field::new_list_field(item, true), true);
    Fields::from(vec![
        list("lattice", DataType::Float64),
        list("numbers", DataType::Int32),
        list("frac_coords", DataType::Float64),
    ])
}

/// The Arrow type of a structure: `STRUCT<lattice LIST<DOUBLE>, numbers LIST<INT>, frac_coords LIST<DOUBLE>>`.
pub fn structure_type() -> DataType {
    DataType::Struct(structure_fields())
}

/// Builds a structure column row by row.
#[derive(Debug)]
pub struct StructureBuilder {
    lattice: ListBuilder<Float64Builder>,
    numbers: ListBuilder<Int32Builder>,
    frac_coords: ListBuilder<Float64Builder>,
    valid: NullBufferBuilder,
}

impl StructureBuilder {
    /// An empty column with room for `capacity` rows.
    pub fn new(capacity: usize) -> Self {
        Self {
            lattice: ListBuilder::with_capacity(Float64Builder::with_capacity(9 * capacity), capacity),
            numbers: ListBuilder::with_capacity(Int32Builder::new(), capacity),
            frac_coords: ListBuilder::with_capacity(Float64Builder::new(), capacity),
            valid: NullBufferBuilder::new(capacity),
        }
    }

    /// Adds a row.
    pub fn append(&mut self, structure: &Structure) {
        self.lattice.values().append_slice(structure.lattice().rows().as_flattened());
        for element in structure.species() {
            self.numbers.values().append_value(i32::from(element.z()));
        }
        self.frac_coords.values().append_slice(structure.frac_coords().as_flattened());
        self.lattice.append(true);
        self.numbers.append(true);
        self.frac_coords.append(true);
        self.valid.append_non_null();
    }

    /// Adds a NULL row.
    pub fn append_null(&mut self) {
        self.lattice.append(false);
        self.numbers.append(false);
        self.frac_coords.append(false);
        self.valid.append_null();
    }

    /// The column; the builder is empty afterwards.
    pub fn finish(&mut self) -> StructArray {
        let children: Vec<ArrayRef> =
            vec![Arc::new(self.lattice.finish()), Arc::new(self.numbers.finish()), Arc::new(self.frac_coords.finish())];
        StructArray::new(structure_fields(), children, self.valid.finish())
    }
}

/// The column of `rows`; `None` is NULL.
pub fn structures<S: Borrow<Structure>>(rows: impl ExactSizeIterator<Item = Option<S>>) -> StructArray {
    let mut builder = StructureBuilder::new(rows.len());
    for row in rows {
        match row {
            Some(structure) => builder.append(structure.borrow()),
            None => builder.append_null(),
        }
    }
    builder.finish()
}

/// Reads a structure column. Numbers of our own types are borrowed, others are converted once for the whole column.
#[derive(Debug)]
pub struct StructureColumn<'a> {
    rows: &'a StructArray,
    lattice: Lists<'a, f64>,
    numbers: Lists<'a, i32>,
    frac_coords: Lists<'a, f64>,
}

impl<'a> StructureColumn<'a> {
    /// Views `array` as structures; children are found by name, others are ignored.
    ///
    /// # Errors
    /// Says which child is missing or of a type that holds no numbers.
    pub fn try_new(array: &'a dyn Array) -> Result<Self, String> {
        let DataType::Struct(_) = array.data_type() else {
            return Err(format!(
                "expected a structure, STRUCT<lattice, numbers, frac_coords>, found {}; structure(text) reads CIF, POSCAR \
                 or JSON text",
                array.data_type()
            ));
        };
        let rows = array.as_struct();
        Ok(Self {
            rows,
            lattice: Lists::floats(child(rows, "lattice")?, "lattice")?,
            numbers: Lists::integers(child(rows, "numbers")?, "numbers")?,
            frac_coords: Lists::floats(child(rows, "frac_coords")?, "frac_coords")?,
        })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether row `i` is NULL, or one of its three lists is.
    pub fn is_null(&self, i: usize) -> bool {
        self.rows.is_null(i) || self.lattice.is_null(i) || self.numbers.is_null(i) || self.frac_coords.is_null(i)
    }

    /// The nine lattice numbers of row `i`, row-major, Å, as stored and not checked; `None` for NULL.
    pub fn lattice(&self, i: usize) -> Option<&[f64]> {
        (!self.is_null(i)).then(|| self.lattice.row(i))
    }

    /// The atomic numbers of row `i`, as stored and not checked; `None` for NULL.
    pub fn numbers(&self, i: usize) -> Option<&[i32]> {
        (!self.is_null(i)).then(|| self.numbers.row(i))
    }

    /// The fractional coordinates of row `i`, three a site, as stored and not checked; `None` for NULL.
    pub fn frac_coords(&self, i: usize) -> Option<&[f64]> {
        (!self.is_null(i)).then(|| self.frac_coords.row(i))
    }

    /// The structure of row `i`; `None` for NULL. Sites are not searched for overlaps: rows of the store were checked
    /// when they were imported.
    ///
    /// # Errors
    /// A row that is no crystal: a list of the wrong length, an unknown element, a flat lattice, a NULL within a list.
    pub fn get(&self, i: usize) -> Option<Result<Structure, CrystalError>> {
        (!self.is_null(i)).then(|| self.structure(i))
    }

    /// A hash of the very numbers of row `i`, 128 bits of a SHA-256; `None` for NULL, and where a list contains NULL.
    /// Unlike [`crystal::content_hash`] it knows the order of the sites and every last bit: what any function
    /// answers for one crystal it answers for every other of the same exact hash.
    pub fn exact_hash(&self, i: usize) -> Option<u128> {
        let holes = self.lattice.has_hole(i) || self.numbers.has_hole(i) || self.frac_coords.has_hole(i);
        if self.is_null(i) || holes {
            return None;
        }
        let mut hasher = Sha256::new();
        hasher.update((self.numbers.row(i).len() as u64).to_le_bytes());
        self.numbers.row(i).iter().for_each(|z| hasher.update(z.to_le_bytes()));
        let floats = self.lattice.row(i).iter().chain(self.frac_coords.row(i));
        floats.for_each(|x| hasher.update(x.to_le_bytes()));
        let digest = hasher.finalize();
        Some(u128::from_be_bytes(std::array::from_fn(|k| digest[k])))
    }

    fn structure(&self, i: usize) -> Result<Structure, CrystalError> {
        for (name, hole) in [
            ("lattice", self.lattice.has_hole(i)),
            ("numbers", self.numbers.has_hole(i)),
            ("frac_coords", self.frac_coords.has_hole(i)),
        ] {
            if hole {
                return Err(CrystalError::Sites(format!("{name} contains NULL; every number must be given")));
            }
        }
        let rows: &[f64; 9] = self.lattice.row(i).try_into().map_err(|_| {
            CrystalError::Lattice(format!(
                "holds {} numbers; expected 9, the rows a, b, c in Å",
                self.lattice.row(i).len()
            ))
        })?;
        let lattice = Lattice::new(std::array::from_fn(|r| std::array::from_fn(|c| rows[3 * r + c])))?;
        let species: Vec<_> =
            self.numbers.row(i).iter().map(|&z| Element::from_z(i64::from(z))).collect::<Result<_, _>>()?;
        let (coords, rest) = self.frac_coords.row(i).as_chunks::<3>();
        if !rest.is_empty() {
            return Err(CrystalError::Sites(format!(
                "frac_coords holds {} numbers; expected three for each of {} sites",
                self.frac_coords.row(i).len(),
                species.len()
            )));
        }
        Structure::with_overlaps(lattice, species, coords.to_vec())
    }
}

fn child<'a>(rows: &'a StructArray, name: &str) -> Result<&'a ArrayRef, String> {
    rows.column_by_name(name).ok_or_else(|| {
        format!(
            "the structure has no field '{name}'; its fields are {}; expected lattice, numbers, frac_coords",
            rows.column_names().join(", ")
        )
    })
}

/// One list a row, of whatever list layout, over one run of numbers.
#[derive(Debug)]
struct Lists<'a, T: Clone> {
    layout: Layout<'a>,
    lists: &'a ArrayRef,
    items: &'a ArrayRef,
    values: Cow<'a, [T]>,
}

/// Where row `i` begins and ends in the run of numbers.
#[derive(Debug)]
enum Layout<'a> {
    Small(&'a [i32]),
    Large(&'a [i64]),
    Fixed(usize),
}

impl<'a> Lists<'a, f64> {
    fn floats(array: &'a ArrayRef, name: &str) -> Result<Self, String> {
        let (layout, items) = layout(array, name)?;
        let values = match items.data_type() {
            DataType::Float64 => Cow::Borrowed(items.as_primitive::<Float64Type>().values().as_ref()),
            other if other.is_numeric() => {
                let cast = cast(items, &DataType::Float64).map_err(|e| format!("{name}: {e}"))?;
                Cow::Owned(cast.as_primitive::<Float64Type>().values().to_vec())
            }
            other => return Err(format!("{name} is a list of {other}; expected a list of DOUBLE")),
        };
        Ok(Self { layout, lists: array, items, values })
    }
}

impl<'a> Lists<'a, i32> {
    fn integers(array: &'a ArrayRef, name: &str) -> Result<Self, String> {
        let (layout, items) = layout(array, name)?;
        let values = match items.data_type() {
            DataType::Int32 => Cow::Borrowed(items.as_primitive::<Int32Type>().values().as_ref()),
            other if other.is_integer() => {
                // A number too large for an i32 becomes NULL here, and `has_hole` reads the original: it is 0 in
                // `values`, which is no element either.
                let cast = cast(items, &DataType::Int32).map_err(|e| format!("{name}: {e}"))?;
                Cow::Owned(cast.as_primitive::<Int32Type>().values().to_vec())
            }
            other => return Err(format!("{name} is a list of {other}; expected a list of INT")),
        };
        Ok(Self { layout, lists: array, items, values })
    }
}

impl<T: Clone> Lists<'_, T> {
    fn range(&self, i: usize) -> Range<usize> {
        match self.layout {
            Layout::Small(offsets) => offsets[i] as usize..offsets[i + 1] as usize,
            Layout::Large(offsets) => offsets[i] as usize..offsets[i + 1] as usize,
            Layout::Fixed(size) => i * size..(i + 1) * size,
        }
    }

    fn row(&self, i: usize) -> &[T] {
        &self.values[self.range(i)]
    }

    fn is_null(&self, i: usize) -> bool {
        self.lists.is_null(i)
    }

    /// Whether a number of row `i` is NULL.
    fn has_hole(&self, i: usize) -> bool {
        let hole = |nulls: &NullBuffer| self.range(i).any(|k| nulls.is_null(k));
        self.items.nulls().is_some_and(hole)
    }
}

fn layout<'a>(array: &'a ArrayRef, name: &str) -> Result<(Layout<'a>, &'a ArrayRef), String> {
    match array.data_type() {
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            Ok((Layout::Small(list.value_offsets()), list.values()))
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            Ok((Layout::Large(list.value_offsets()), list.values()))
        }
        DataType::FixedSizeList(_, size) => Ok((Layout::Fixed(*size as usize), array.as_fixed_size_list().values())),
        other => Err(format!("{name} is {other}; expected a list of numbers")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    use arrow::array::{ArrayRef, Float32Array, Float64Array, Int64Array, RecordBatch};
    use parquet::arrow::ArrowWriter;

    fn hex(z: i64, a: f64) -> Structure {
        let lattice = Lattice::from_parameters(a, a, 5.0, 90.0, 90.0, 120.0).unwrap();
        let (m, o) = (Element::from_z(z).unwrap(), Element::O);
        Structure::new(lattice, vec![m, o], vec![[0.0; 3], [1.0 / 3.0, 2.0 / 3.0, 0.25]]).unwrap()
    }

    fn column() -> (Vec<Structure>, StructArray) {
        let structures = vec![hex(22, 3.0), hex(42, 3.5), hex(25, 2.9).supercell([2, 1, 1]).unwrap()];
        let mut builder = StructureBuilder::new(4);
        builder.append(&structures[0]);
        builder.append_null();
        builder.append(&structures[1]);
        builder.append(&structures[2]);
        (structures, builder.finish())
    }

    #[test]
    fn what_is_built_is_read_back() {
        let (structures, array) = column();
        assert_eq!(array.data_type(), &structure_type());
        let read = StructureColumn::try_new(&array).unwrap();
        assert_eq!(read.len(), 4);
        assert_eq!(read.get(0).unwrap().unwrap(), structures[0]);
        assert!(read.is_null(1) && read.get(1).is_none() && read.lattice(1).is_none());
        assert_eq!(read.get(2).unwrap().unwrap(), structures[1]);
        assert_eq!(read.numbers(3).unwrap(), &[25, 25, 8, 8]);
    }

    #[test]
    fn slices_read_their_own_rows_without_copying() {
        let (structures, array) = column();
        let slice = array.slice(2, 2);
        let read = StructureColumn::try_new(&slice).unwrap();
        assert_eq!(read.get(0).unwrap().unwrap(), structures[1]);
        assert_eq!(read.get(1).unwrap().unwrap(), structures[2]);
        assert!(matches!(read.lattice.values, Cow::Borrowed(_)) && matches!(read.numbers.values, Cow::Borrowed(_)));
    }

    #[test]
    fn a_parquet_file_of_these_columns_is_read_back_exactly() {
        let (written, _) = column();
        let structure: ArrayRef = Arc::new(structures(written.iter().map(Some)));
        let n = written.len();
        let energies = (0..n).map(|i| [Some(-3.0), None, Some(f64::NAN)][i % 3]);
        let energy: ArrayRef = Arc::new(energies.collect::<Float64Array>());
        let batch =
            RecordBatch::try_from_iter([("structure", structure), ("formation_energy_per_atom", energy)]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.parquet");
        let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let records: Vec<_> = formats::read_file(&path).map(Result::unwrap).collect();
        assert_eq!(records.iter().map(|r| r.structure.clone()).collect::<Vec<_>>(), written);
        let energies: Vec<_> = records.iter().map(|r| r.properties.formation_energy_per_atom).collect();
        assert_eq!(energies[..3], [Some(-3.0), None, None]);
    }

    #[test]
    fn other_list_layouts_and_number_types_are_understood() {
        let (structures, array) = column();
        let large = |item| DataType::LargeList(Arc::new(Field::new("element", item, true)));
        let children: Vec<(&str, DataType)> = vec![
            ("numbers", large(DataType::Int64)),
            ("lattice", DataType::FixedSizeList(Arc::new(Field::new("l", DataType::Float64, true)), 9)),
            ("frac_coords", large(DataType::Float32)),
        ];
        let (fields, arrays): (Vec<_>, Vec<_>) = children
            .into_iter()
            .map(|(name, to)| {
                let array = cast(array.column_by_name(name).unwrap(), &to).unwrap();
                (Field::new(name, to, true), array)
            })
            .unzip();
        let foreign = StructArray::new(fields.into(), arrays, array.nulls().cloned()).slice(2, 2);
        let read = StructureColumn::try_new(&foreign).unwrap();
        for (i, expected) in structures[1..].iter().enumerate() {
            let found = read.get(i).unwrap().unwrap();
            assert_eq!(found.species(), expected.species());
            assert_eq!(found.lattice(), expected.lattice());
            for (x, y) in found.frac_coords().as_flattened().iter().zip(expected.frac_coords().as_flattened()) {
                assert!((x - y).abs() < 1e-6, "{x} {y}");
            }
        }
    }

    #[test]
    fn foreign_layouts_are_named_in_the_error() {
        let message = StructureColumn::try_new(&Int64Array::from(vec![1])).unwrap_err();
        assert!(message.contains("Int64"), "{message}");
        let x: ArrayRef = Arc::new(Float32Array::from(vec![1.0]));
        let array = StructArray::from(vec![(Arc::new(Field::new("lattice", DataType::Float32, true)), x)]);
        let message = StructureColumn::try_new(&array).unwrap_err();
        assert!(message.contains("lattice is Float32"), "{message}");
    }

    #[test]
    fn rows_that_are_no_crystal_are_errors_and_not_panics() {
        let build = |lattice: &[Option<f64>], numbers: &[i32], coords: &[f64]| {
            let mut builder = StructureBuilder::new(1);
            builder.lattice.append_value(lattice.iter().copied());
            builder.numbers.append_value(numbers.iter().map(|&z| Some(z)));
            builder.frac_coords.append_value(coords.iter().map(|&x| Some(x)));
            builder.valid.append_non_null();
            let array = builder.finish();
            StructureColumn::try_new(&array).unwrap().get(0).unwrap().unwrap_err().to_string()
        };
        let cube = [4.0, 0.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 4.0].map(Some);
        assert!(build(&cube[..8], &[22], &[0.0; 3]).contains("8 numbers"));
        assert!(build(&cube, &[119], &[0.0; 3]).contains("119"));
        assert!(build(&cube, &[22], &[0.0; 4]).contains("4 numbers"));
        assert!(build(&cube, &[22, 8], &[0.0; 3]).contains("2 species"));
        let mut hole = cube;
        hole[4] = None;
        assert!(build(&hole, &[22], &[0.0; 3]).contains("NULL"));
    }
}
