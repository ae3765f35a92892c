//! Crystals of any Parquet file: the columns of other programs, recognised by their names, or by a mapping of the user.
//!
//! Recognised without a mapping are our own exports (`structure`), OPTIMADE's columns as LeMaterial writes them (`lattice_vectors`,
//! `species_at_sites`, `cartesian_site_positions`), pymatgen's dictionaries (`structure`, or `lattice` and `sites`; ParquetDB's
//! `structure.lattice.matrix` and `structure.sites`), flat lists (`lattice`, `species` or `numbers`, `frac_coords`), and a column of CIF,
//! POSCAR or JSON text (`cif`, `poscar`, `structure`). Each row is then read as the JSON document of the same shape would be, from its
//! columns, so that the same rules hold as for JSON lines. A file streams a few hundred rows at a time; a row's number is its line.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, RecordBatch, StructArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::{
    Format, Input, Mapping, Record, Records, Rejection, Stated, cells::Cell, format::Open, json::record_of_cells,
};
use crystal::guard::guarded;

/// Rows that are decoded together.
const BATCH: usize = 256;

/// Columns of lists and structs that a document knows, beside those that the crystal is made of.
const LISTS: [&str; 4] = ["attributes", "dimension_types", "structure_features", "_mp_stability"];

/// Dictionaries that ParquetDB has flattened.
const FLATTENED: [(&str, &str); 2] = [("structure.lattice.matrix", "lattice"), ("structure.sites", "sites")];

/// See [`Format`].
pub(super) static FORMAT: Format = Format {
    name: "Parquet",
    extensions: &["parquet", "pq"],
    begins: &[],
    packed: false,
    open: Open::File(|input, reading| Ok(records(input, &reading.mapping))),
};

fn records(input: &Input, mapping: &Mapping) -> Records {
    // Damaged footers and pages are errors, but for a few that the decoder trips over.
    match guarded(|| Rows::open(&input.path, mapping)).flatten() {
        Ok(rows) => Box::new(rows),
        Err(message) => Box::new(std::iter::once(Err(refusal(&input.path, 0, message)))),
    }
}

fn refusal(path: &Path, row: usize, reason: String) -> Rejection {
    Rejection::plain(path, row, None, reason)
}

struct Rows {
    path: PathBuf,
    reader: Option<ParquetRecordBatchReader>,
    /// The columns under the names that a document has for them.
    schema: SchemaRef,
    /// The current batch, and how many of its rows are read.
    batch: StructArray,
    read: usize,
    row: usize,
    /// Rows of the file.
    rows: usize,
}

impl Iterator for Rows {
    type Item = Result<Record, Rejection>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.read < self.batch.len() {
                let row = Cell::new(&self.batch, self.read);
                (self.read, self.row) = (self.read + 1, self.row + 1);
                match record_of_cells(row, &self.path, self.row).transpose() {
                    None => continue,
                    record => return record,
                }
            }
            let reader = self.reader.as_mut()?;
            let read = guarded(|| reader.next())
                .unwrap_or_else(|_| Some(Err(ArrowError::ParquetError("a page cannot be decoded".into()))))?;
            match read.and_then(|batch| RecordBatch::try_new(Arc::clone(&self.schema), batch.columns().to_vec())) {
                Ok(batch) => (self.batch, self.read) = (batch.into(), 0),
                Err(error) => {
                    self.reader = None;
                    return Some(Err(refusal(&self.path, self.row + 1, words(&error.to_string()))));
                }
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.rows.saturating_sub(self.row)))
    }
}

impl Rows {
    fn open(path: &Path, mapping: &Mapping) -> Result<Self, String> {
        let file = File::open(path).map_err(|e| e.to_string())?;
        if file.metadata().is_ok_and(|m| m.len() == 0) {
            return Err("the file is empty".into());
        }
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| words(&e.to_string()))?;
        let schema = Arc::clone(builder.schema());
        let rows = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
        let (columns, fields): (Vec<usize>, Vec<Field>) = layout(&schema, mapping)?.into_iter().unzip();
        let mask = ProjectionMask::roots(builder.parquet_schema(), columns);
        let reader = builder.with_projection(mask).with_batch_size(BATCH).build().map_err(|e| words(&e.to_string()))?;
        let schema = Arc::new(Schema::new(fields));
        let batch = RecordBatch::new_empty(Arc::clone(&schema)).into();
        Ok(Self { path: path.to_owned(), reader: Some(reader), schema, batch, read: 0, row: 0, rows })
    }
}

/// The columns that are read, each with its place in the file and the name that a document has for it.
fn layout(schema: &Schema, mapping: &Mapping) -> Result<Vec<(usize, Field)>, String> {
    let names = || schema.fields().iter().map(|f| f.name().as_str()).collect::<Vec<_>>().join(", ");
    let mut renamed: Vec<(&str, &str)> = Vec::new();
    for (target, column) in mapping.pairs() {
        if schema.index_of(column).is_err() {
            return Err(format!("no column '{column}' to map among: {}", names()));
        }
        renamed.push((column, target));
    }
    for (column, target) in FLATTENED {
        if schema.index_of(column).is_ok() && !renamed.iter().any(|(_, t)| *t == target) {
            renamed.push((column, target));
        }
    }
    let (mut columns, mut unfit): (Vec<(usize, Field)>, _) = (Vec::new(), None);
    for (k, field) in schema.fields().iter().enumerate() {
        let name = field.name().as_str();
        let target = match renamed.iter().find(|(column, _)| *column == name) {
            Some((_, target)) => target,
            // Another column has been given this name.
            None if renamed.iter().any(|(_, target)| *target == name) => continue,
            None => name,
        };
        match expected(target) {
            Some((of, fits)) if !fits(field.data_type()) => {
                let message = format!(
                    "column '{name}' is {}, expected {of} for the {target}; name another with --map {target}=COLUMN",
                    short(field.data_type())
                );
                // A `lattice` of another kind, such as `cubic`, is ignored beside the lattice vectors.
                if name != target || Stated::is_number(target) {
                    return Err(message);
                }
                unfit.get_or_insert(message);
            }
            None if field.data_type().is_nested() && !LISTS.contains(&target) => {}
            None if field.data_type().is_binary() => {}
            _ => columns.push((k, Field::new(target, field.data_type().clone(), true))),
        }
    }
    let has = |name: &str| columns.iter().any(|(_, field)| field.name() == name);
    let any = |names: &[&str]| names.iter().any(|name| has(name));
    let complete = any(&["structure", "cif", "poscar", "attributes"])
        || any(&["lattice", "lattice_vectors"])
            && (has("sites")
                || any(&["species", "species_at_sites", "numbers"])
                    && any(&["frac_coords", "cartesian_site_positions"]));
    if !complete {
        return Err(unfit.unwrap_or_else(|| {
            format!(
                "no crystals are recognised among the columns: {}; say which hold them, for instance \
             --map lattice=COLUMN,species=COLUMN,positions=COLUMN,id=COLUMN (or structure=, cif=, frac_coords=)",
                names()
            )
        }));
    }
    Ok(columns)
}

type Fits = fn(&DataType) -> bool;

/// The type of a column that a crystal is made of, in words, and whether a type is such.
fn expected(target: &str) -> Option<(&'static str, Fits)> {
    Some(match target {
        "lattice" | "lattice_vectors" => {
            ("lists of numbers, or a struct with 'matrix'", |t| numbers(t) || is_struct(t))
        }
        "frac_coords" | "cartesian_site_positions" => ("lists of numbers", numbers),
        "numbers" => ("a list of integers", |t| item(t).is_some_and(DataType::is_integer)),
        "species_at_sites" => ("a list of text", |t| item(t).is_some_and(text)),
        "species" => ("a list of text or of structs", |t| item(t).is_some_and(|t| text(t) || is_struct(t))),
        "sites" => ("a list of structs", |t| item(t).is_some_and(is_struct)),
        "structure" => ("a struct or text", |t| is_struct(t) || text(t)),
        "cif" | "poscar" => ("text", text),
        property if Stated::is_number(property) => ("a number", |t| t.is_numeric() || *t == DataType::Null),
        _ => return None,
    })
}

fn item(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => Some(item.data_type()),
        _ => None,
    }
}

/// Lists of numbers, flat or in rows.
fn numbers(data_type: &DataType) -> bool {
    item(data_type).is_some_and(|t| t.is_numeric() || item(t).is_some_and(DataType::is_numeric))
}

fn text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => text(values),
        _ => false,
    }
}

fn is_struct(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Struct(_))
}

/// A type in few words.
fn short(data_type: &DataType) -> String {
    match item(data_type) {
        Some(item) => format!("a list of {}", short(item)),
        None if is_struct(data_type) => "a struct".into(),
        None if text(data_type) => "text".into(),
        None => data_type.to_string(),
    }
}

/// The decoder's message, with the remedy.
fn words(text: &str) -> String {
    let text = text.trim_start_matches("Parquet error: ").trim_start_matches("Parquet argument error: ");
    match text.contains("Disabled feature") {
        true => format!("its compression is not supported ({text}); rewrite it with zstd, snappy or none"),
        false => format!("no Parquet file, or one that is truncated or damaged ({text}); fetch it again"),
    }
}

#[cfg(test)]
mod tests;
