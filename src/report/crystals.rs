//! The crystals of a result, each with what its row says beside it.

use std::io::Write;
use std::path::Path;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, SchemaRef};
use arrow::json::EncoderOptions;
use arrow::json::writer::make_encoder;
use serde_json::{Map, Value, json};

use super::{Exporter, Sink};
use crate::ReportError;
use columns::StructureColumn;
use crystal::Structure;
use formats::{AseDbWriter, optimade_name, optimade_space_group, to_extxyz, to_json, to_optimade};

/// The column with the crystals: that of the name `structure`, else the first of that type.
pub fn structure_column(schema: &SchemaRef) -> Option<usize> {
    let fits =
        |i: &usize| StructureColumn::try_new(&arrow::array::new_empty_array(schema.field(*i).data_type())).is_ok();
    schema.index_of("structure").ok().filter(fits).or_else(|| (0..schema.fields().len()).find(fits))
}

/// Reads the crystals of a result.
pub(super) struct Crystals {
    structure: usize,
    id: Option<usize>,
    row: usize,
}

/// A crystal and the other columns of its row. `extra`, where it is the JSON object that imports make of what has no column, is
/// spread: its entries stand beside the columns, which go first.
pub(super) struct Crystal {
    /// The column `id`, or the number of the row.
    pub id: String,
    pub structure: Structure,
    pub properties: Map<String, Value>,
}

impl Crystals {
    /// The structure is that of [`structure_column`].
    ///
    /// # Errors
    /// No column holds a structure.
    pub fn of(schema: &SchemaRef) -> Result<Self, ReportError> {
        let structure = structure_column(schema).ok_or_else(|| {
            ReportError::Format(
                "no column holds a structure; select one, for instance SELECT id, structure FROM tmo".into(),
            )
        })?;
        Ok(Self { structure, id: schema.index_of("id").ok(), row: 0 })
    }

    /// Calls `take` for each crystal of a batch. A row whose structure is NULL has nothing to write and is passed over.
    ///
    /// # Errors
    /// A structure that cannot be read, a value that JSON cannot hold, or what `take` says.
    pub fn each(
        &mut self,
        batch: &RecordBatch,
        mut take: impl FnMut(Crystal) -> Result<(), ReportError>,
    ) -> Result<(), ReportError> {
        let structures = StructureColumn::try_new(batch.column(self.structure)).map_err(ReportError::Format)?;
        let others: Vec<usize> = (0..batch.num_columns()).filter(|&i| i != self.structure).collect();
        let values: Vec<Vec<Value>> =
            others.iter().map(|&i| values(batch.schema_ref().field(i), batch.column(i))).collect::<Result<_, _>>()?;
        let own = self.id.and_then(|id| others.iter().position(|&i| i == id));
        for row in 0..batch.num_rows() {
            self.row += 1;
            let Some(structure) = structures.get(row) else { continue };
            let id = match own.map(|id| &values[id][row]) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Null) | None => format!("row-{}", self.row),
                Some(other) => other.to_string(),
            };
            let structure = structure.map_err(|e| ReportError::Format(format!("{id}: {e}")))?;
            let mut properties = Map::new();
            let mut spread = Map::new();
            for (&i, values) in others.iter().zip(&values) {
                let (name, value) = (batch.schema_ref().field(i).name(), &values[row]);
                match value.as_str().filter(|_| name == "extra").map(serde_json::from_str) {
                    Some(Ok(Value::Object(entries))) => spread = entries,
                    _ => drop(properties.insert(name.clone(), value.clone())),
                }
            }
            for (name, value) in spread {
                properties.entry(name).or_insert(value);
            }
            properties.retain(|_, value| !value.is_null());
            take(Crystal { id, structure, properties })?;
        }
        Ok(())
    }
}

/// The values of a column as JSON.
fn values(field: &Field, column: &ArrayRef) -> Result<Vec<Value>, ReportError> {
    let field = std::sync::Arc::new(field.clone());
    let options = EncoderOptions::default().with_explicit_nulls(true);
    let mut encoder = make_encoder(&field, column, &options)?;
    let mut bytes = Vec::new();
    let value = |row: usize| {
        if encoder.is_null(row) {
            return Ok(Value::Null);
        }
        bytes.clear();
        encoder.encode(row, &mut bytes);
        serde_json::from_slice(&bytes).map_err(|e| ReportError::Format(format!("column {}: {e}", field.name())))
    };
    (0..column.len()).map(value).collect()
}

/// Frames of extended XYZ, one after the other.
pub(super) struct ExtXyz {
    crystals: Crystals,
    sink: Sink,
}

impl ExtXyz {
    /// # Errors
    /// No column holds a structure.
    pub fn new(schema: &SchemaRef, sink: Sink) -> Result<Self, ReportError> {
        Ok(Self { crystals: Crystals::of(schema)?, sink })
    }
}

impl Exporter for ExtXyz {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        let sink = &mut self.sink;
        self.crystals.each(batch, |Crystal { structure, properties, .. }| {
            Ok(sink.write_all(to_extxyz(&structure, &properties).as_bytes())?)
        })
    }

    fn finish(self: Box<Self>) -> Result<(), ReportError> {
        self.sink.close()
    }
}

/// A JSON array of pymatgen's structures, the other columns of a row as the properties of its structure.
pub(super) struct Pymatgen {
    crystals: Crystals,
    sink: Sink,
    begun: bool,
}

impl Pymatgen {
    /// # Errors
    /// No column holds a structure.
    pub fn new(schema: &SchemaRef, sink: Sink) -> Result<Self, ReportError> {
        Ok(Self { crystals: Crystals::of(schema)?, sink, begun: false })
    }
}

impl Exporter for Pymatgen {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        let (sink, begun) = (&mut self.sink, &mut self.begun);
        self.crystals.each(batch, |Crystal { structure, properties, .. }| {
            let mut document = to_json(&structure);
            document["properties"] = Value::Object(properties);
            let before = if std::mem::replace(begun, true) { ",\n" } else { "[" };
            Ok(write!(sink, "{before}{document}")?)
        })
    }

    fn finish(mut self: Box<Self>) -> Result<(), ReportError> {
        self.sink.write_all(if self.begun { b"]\n" } else { b"[]\n" })?;
        self.sink.close()
    }
}

/// The JSON lines of an OPTIMADE archive: a header, a line that describes the columns that are not OPTIMADE's own, with their units,
/// and an entry a crystal.
pub(super) struct Optimade {
    crystals: Crystals,
    sink: Sink,
    /// The tolerance with which space groups are found, Å, where they are wanted.
    symprec: Option<f64>,
}

impl Optimade {
    /// Writes what stands before the entries. They have space groups where there is a tolerance, Å, to find them with.
    ///
    /// # Errors
    /// No column holds a structure, or the sink takes no more.
    pub fn new(schema: &SchemaRef, symprec: Option<f64>, mut sink: Sink) -> Result<Self, ReportError> {
        let crystals = Crystals::of(schema)?;
        let described = |(i, field): (usize, &std::sync::Arc<Field>)| {
            let own = i != crystals.structure && Some(i) != crystals.id;
            let description = json!({
                "description": format!("The column {} of a query of hollandite", field.name()),
                "type": optimade_type(field.data_type()),
                "unit": field.metadata().get("unit"),
            });
            own.then(|| (optimade_name(field.name()), description))
        };
        let properties: Map<String, Value> = schema.fields().iter().enumerate().filter_map(described).collect();
        writeln!(sink, "{}", json!({"x-optimade": {"meta": {"api_version": "1.2.0"}}}))?;
        writeln!(sink, "{}", json!({"type": "info", "id": "structures", "properties": properties}))?;
        Ok(Self { crystals, sink, symprec })
    }
}

impl Exporter for Optimade {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        let (sink, symprec) = (&mut self.sink, self.symprec);
        self.crystals.each(batch, |Crystal { id, structure, mut properties }| {
            let mut attributes = to_optimade(&structure);
            attributes.extend(symprec.map(|symprec| optimade_space_group(&structure, symprec)).unwrap_or_default());
            properties.remove("id");
            attributes.extend(properties.into_iter().map(|(name, value)| (optimade_name(&name), value)));
            Ok(writeln!(sink, "{}", json!({"type": "structures", "id": id, "attributes": attributes}))?)
        })
    }

    fn finish(self: Box<Self>) -> Result<(), ReportError> {
        self.sink.close()
    }
}

/// The data type of a property, in the words of OPTIMADE.
fn optimade_type(column: &DataType) -> &'static str {
    match column {
        DataType::Boolean => "boolean",
        DataType::Timestamp(..) => "timestamp",
        DataType::Struct(_) => "dictionary",
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => "list",
        number if number.is_integer() => "integer",
        number if number.is_numeric() => "float",
        _ => "string",
    }
}

/// An ASE database. SQLite writes to a place of its own, and the whole file is copied to where it belongs at the end.
pub(super) struct AseDb {
    crystals: Crystals,
    writer: AseDbWriter,
    file: tempfile::NamedTempFile,
    sink: Sink,
}

impl AseDb {
    /// # Errors
    /// No column holds a structure, or no temporary file can be made.
    pub fn new(schema: &SchemaRef, sink: Sink) -> Result<Self, ReportError> {
        let file = tempfile::NamedTempFile::new().map_err(|e| ReportError::io(Path::new("a temporary file"), e))?;
        let writer = AseDbWriter::create(file.path())?;
        Ok(Self { crystals: Crystals::of(schema)?, writer, file, sink })
    }
}

impl Exporter for AseDb {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        let writer = &mut self.writer;
        self.crystals.each(batch, |Crystal { structure, properties, .. }| Ok(writer.write(&structure, &properties)?))
    }

    fn finish(self: Box<Self>) -> Result<(), ReportError> {
        let Self { writer, file, mut sink, .. } = *self;
        writer.finish()?;
        std::io::copy(&mut file.reopen()?, &mut sink)?;
        sink.close()
    }
}
