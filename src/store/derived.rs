//! The columns of a table of crystals that are computed from `structure`: they follow the crystal, whatever writes the row.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, UInt32Array};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Field, Fields, Float64Type, Int32Type, Schema};
use rayon::prelude::*;

use super::tables::{self, Known, Row, Shape};
use columns::StructureColumn;
use crystal::{ContentHash, Structure, content_hash, guard::guarded};
use formats::{Properties, Record};

/// Their names.
pub fn derived() -> impl Iterator<Item = &'static str> {
    tables::DERIVED.iter().map(|(name, _)| *name)
}

/// They and their types, in the order of [`derived`].
pub fn derived_fields() -> Fields {
    let schema = tables::schema();
    let field = |name| schema.field_with_name(name).cloned().unwrap_or_else(|_| Field::new(name, DataType::Null, true));
    derived().map(field).collect()
}

/// Whether the rows of a table are crystals with everything that is computed from them: it has the columns of `tmo`, in whatever order
/// and beside whatever others.
pub fn holds_crystals(schema: &Schema) -> bool {
    let has = |c: &tables::Column| {
        schema.field_with_name(&c.name).is_ok_and(|found| tables::same_type(found.data_type(), &c.data_type))
    };
    tables::base().iter().all(has)
}

/// The names of the columns without any of which a table is none of crystals (see [`holds_crystals`]).
pub fn columns_of_crystals() -> impl Iterator<Item = &'static str> {
    tables::base().iter().map(|c| c.name.as_str())
}

/// The derived columns of crystals, in the order of [`derived`]; NULL where the crystal is.
///
/// # Errors
/// The first row that is no crystal, from 0, and why.
pub fn derive(structures: &ArrayRef) -> Result<Vec<ArrayRef>, (usize, String)> {
    derive_knowing(structures, |_, _| Known::default())
}

fn derive_knowing(
    structures: &ArrayRef,
    known: impl Fn(usize, ContentHash) -> Known + Sync,
) -> Result<Vec<ArrayRef>, (usize, String)> {
    let crystals = StructureColumn::try_new(structures).map_err(|e| (0, e))?;
    let row = |i: usize| {
        let structure = crystals.get(i)?;
        let structure = structure.map_err(|e| (i, format!("its structure is not a crystal: {e}")));
        Some(structure.and_then(|structure| row_of(structure, i, &known)))
    };
    let rows: Vec<Option<Row>> =
        (0..crystals.len()).into_par_iter().map(|i| row(i).transpose()).collect::<Result<_, _>>()?;
    let mut there = Vec::new();
    let mut place = |row: Option<Row>| {
        there.push(row?);
        Some(there.len() as u32 - 1)
    };
    let places: UInt32Array = rows.into_iter().map(&mut place).collect();
    let arrow = |e: arrow::error::ArrowError| (0, e.to_string());
    let batch = tables::batch(&mut there, &Shape::wide(&[])).map_err(arrow)?;
    let column = |name: &str| {
        let column = batch.column_by_name(name);
        take(column.ok_or_else(|| (0, format!("lake.sql has no column {name}")))?, &places, None).map_err(arrow)
    };
    derived().map(column).collect()
}

fn row_of(
    structure: Structure,
    i: usize,
    known: &(impl Fn(usize, ContentHash) -> Known + Sync),
) -> Result<Row, (usize, String)> {
    let hash = content_hash(&structure);
    let record = Record { id: String::new(), structure, line: 0, properties: Properties::default() };
    // A fault in a symmetry search is the crystal's, not the program's end.
    guarded(|| Row::knowing(record, hash, "", known(i, hash)))
        .map_err(|_| (i, "its columns cannot be computed; please report this crystal".into()))
}

/// The rows of a table of crystals with their derived columns as the crystals have them. What takes long to compute, the void and the
/// space group, is taken from the rows where their hash is that of the crystal.
///
/// # Errors
/// A row that is no crystal: which, and why.
pub(super) fn follow(batch: &RecordBatch) -> Result<RecordBatch, String> {
    let column = |name: &str| batch.column_by_name(name).ok_or_else(|| format!("there is no column {name}"));
    let text = |name: &str| {
        let text = cast(column(name)?, &DataType::Utf8).map_err(|e| e.to_string())?;
        Ok::<StringArray, String>(text.as_string::<i32>().clone())
    };
    let (hashes, ids) = (text("structure_hash")?, text("id")?);
    let void = column("void")?.as_primitive::<Float64Type>();
    let spacegroup = column("spacegroup")?.as_primitive::<Int32Type>();
    let known = |i: usize, hash: ContentHash| match hashes.is_valid(i)
        && hashes.value(i).parse::<ContentHash>().is_ok_and(|kept| kept == hash)
    {
        true => Known {
            void: void.is_valid(i).then(|| void.value(i)),
            spacegroup: spacegroup.is_valid(i).then(|| spacegroup.value(i) as u16),
        },
        false => Known::default(),
    };
    let computed = derive_knowing(column("structure")?, known).map_err(|(i, why)| match ids.is_valid(i) {
        true => format!("row '{}': {why}", ids.value(i)),
        false => why,
    })?;
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, given)| {
        let column = derived().position(|name| name == field.name()).map_or(given, |at| &computed[at]);
        cast(column, field.data_type())
    });
    let columns = columns.collect::<Result<_, _>>().map_err(|e| e.to_string())?;
    RecordBatch::try_new(Arc::clone(&schema), columns).map_err(|e| e.to_string())
}
