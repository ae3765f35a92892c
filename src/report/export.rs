//! Everything a query result can be written as.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{FileWriter as IpcWriter, IpcWriteOptions, StreamWriter};
use arrow::json::writer::{JsonArray, LineDelimited, WriterBuilder, make_encoder};
use arrow::json::{EncoderOptions, Writer as JsonWriter, writer::JsonFormat};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::crystals::{AseDb, ExtXyz, Optimade, Pymatgen};
use super::folder::{Folder, Kind};
use super::{Exporter, Sink};
use crate::ReportError;

/// What a result is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header; NULL is an empty field, a list or struct is its JSON.
    Csv,
    /// One JSON array of objects; NULL is `null`.
    Json,
    /// One JSON object per line.
    Jsonl,
    /// Parquet, zstd-compressed.
    Parquet,
    /// An Arrow IPC file (Feather version 2), zstd-compressed.
    Arrow,
    /// An Arrow IPC stream, not compressed: every client of Arrow reads it as it comes.
    ArrowStream,
    /// Extended XYZ, a frame a row; the other columns are pairs of its comment line. Rows without a crystal are passed over, here and
    /// in the formats below.
    ExtXyz,
    /// A database of ASE (SQLite); the other columns are key-value pairs.
    AseDb,
    /// One JSON array of pymatgen's structures; the other columns are their properties.
    Pymatgen,
    /// The JSON lines of an OPTIMADE archive, an entry a row; the other columns are properties that begin with `_hollandite_`.
    Optimade,
    /// A directory with one CIF per row.
    Cif,
    /// A directory with one POSCAR per row.
    Poscar,
}

impl Format {
    /// The format a path asks for: its extension, for a text `.gz` aside, or [`Format::Cif`] for a directory (an existing one, or a
    /// name that ends in `/`).
    pub fn of_path(path: &Path) -> Option<Self> {
        if path.is_dir() || path.as_os_str().to_string_lossy().ends_with('/') {
            return Some(Self::Cif);
        }
        let packed = path.extension()?.eq_ignore_ascii_case("gz");
        let stem = if packed { Path::new(path.file_stem()?) } else { path };
        match stem.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            // These pack their own columns, and SQLite does not read what is packed.
            "parquet" | "pq" | "arrow" | "arrows" | "ipc" | "feather" | "db" if packed => None,
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "parquet" | "pq" => Some(Self::Parquet),
            "arrow" | "ipc" | "feather" => Some(Self::Arrow),
            "arrows" => Some(Self::ArrowStream),
            "xyz" | "extxyz" => Some(Self::ExtXyz),
            "db" => Some(Self::AseDb),
            _ => None,
        }
    }
}

/// An exporter that writes `format` to the file or directory `path`; a file whose name ends in `.gz` is packed. With `symprec`, Å,
/// CIFs are those of the asymmetric unit and the symmetry that is found with it, and the entries of OPTIMADE have space groups.
///
/// # Errors
/// A path that cannot be written, a format of crystals for a result that has none, a tolerance where it has no use.
pub fn exporter(
    format: Format,
    symprec: Option<f64>,
    schema: &SchemaRef,
    path: &Path,
) -> Result<Box<dyn Exporter>, ReportError> {
    let folder = |kind| Ok(Box::new(Folder::create(kind, path, schema)?) as Box<dyn Exporter>);
    match (format, symprec) {
        (Format::Cif, Some(symprec)) => folder(Kind::SymmetrisedCif(symprec)),
        (Format::Optimade, symprec) => optimade_exporter(schema, symprec, Sink::file(path)?),
        (_, Some(_)) => Err(ReportError::Format("a tolerance of symmetry is for CIFs and OPTIMADE alone".into())),
        (Format::Cif, None) => folder(Kind::Cif),
        (Format::Poscar, None) => folder(Kind::Poscar),
        _ => stream_exporter(format, schema, Sink::file(path)?),
    }
}

/// An exporter that writes `format` to `sink`; a directory is no stream and is refused.
///
/// # Errors
/// A format of crystals for a result that has none, or one that is a folder.
pub fn stream_exporter(format: Format, schema: &SchemaRef, sink: Sink) -> Result<Box<dyn Exporter>, ReportError> {
    Ok(match format {
        Format::Csv => Box::new(Csv {
            writer: arrow::csv::WriterBuilder::new().with_header(true).build(sink),
            schema: flat(schema),
            rows: 0,
        }),
        Format::Json => Box::new(Json { writer: builder().build::<_, JsonArray>(sink), end: b"\n" }),
        Format::Jsonl => Box::new(Json { writer: builder().build::<_, LineDelimited>(sink), end: b"" }),
        Format::Parquet => {
            let properties =
                WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
            let schema = plain_layouts(schema);
            let writer = ArrowWriter::try_new(sink, schema.clone(), Some(properties))?;
            Box::new(Parquet { writer, schema })
        }
        Format::Arrow => {
            let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD))?;
            let schema = plain_layouts(schema);
            let writer = IpcWriter::try_new_with_options(sink, &schema, options)?;
            Box::new(Ipc { writer, schema })
        }
        Format::ArrowStream => {
            let schema = plain_layouts(schema);
            let writer = StreamWriter::try_new(sink, &schema)?;
            Box::new(IpcStream { writer, schema })
        }
        Format::ExtXyz => Box::new(ExtXyz::new(schema, sink)?),
        Format::AseDb => Box::new(AseDb::new(schema, sink)?),
        Format::Pymatgen => Box::new(Pymatgen::new(schema, sink)?),
        Format::Optimade => return optimade_exporter(schema, None, sink),
        Format::Cif | Format::Poscar => {
            return Err(ReportError::Format(
                "a file for each crystal needs a directory: give one with --to DIR/".into(),
            ));
        }
    })
}

/// An exporter of OPTIMADE's JSON lines to `sink`; the entries have space groups where there is a tolerance, Å, to find them with.
///
/// # Errors
/// A result without crystals, or a sink that takes nothing.
pub fn optimade_exporter(
    schema: &SchemaRef,
    symprec: Option<f64>,
    sink: Sink,
) -> Result<Box<dyn Exporter>, ReportError> {
    Ok(Box::new(Optimade::new(schema, symprec, sink)?))
}

fn builder() -> WriterBuilder {
    WriterBuilder::new().with_explicit_nulls(true)
}

struct Json<F: JsonFormat> {
    writer: JsonWriter<Sink, F>,
    /// What ends the text: an array has no line end of its own, lines have.
    end: &'static [u8],
}

impl<F: JsonFormat + Send> Exporter for Json<F> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        Ok(self.writer.write(batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), ReportError> {
        self.writer.finish()?;
        let mut sink = self.writer.into_inner();
        sink.write_all(self.end)?;
        sink.close()
    }
}

struct Parquet {
    writer: ArrowWriter<Sink>,
    schema: SchemaRef,
}

impl Exporter for Parquet {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        Ok(self.writer.write(&recast(batch, &self.schema)?)?)
    }

    fn finish(self: Box<Self>) -> Result<(), ReportError> {
        self.writer.into_inner()?.close()
    }
}

struct Ipc {
    writer: IpcWriter<Sink>,
    schema: SchemaRef,
}

impl Exporter for Ipc {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        Ok(self.writer.write(&recast(batch, &self.schema)?)?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), ReportError> {
        self.writer.finish()?;
        self.writer.into_inner()?.close()
    }
}

struct IpcStream {
    writer: StreamWriter<Sink>,
    schema: SchemaRef,
}

impl Exporter for IpcStream {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        Ok(self.writer.write(&recast(batch, &self.schema)?)?)
    }

    fn finish(self: Box<Self>) -> Result<(), ReportError> {
        self.writer.into_inner()?.close()
    }
}

/// The columns in layouts that every reader knows. The engine has text as views, which pandas does not take inside a list and clients of
/// Flight not inside a map; polars knows no views of lists; and Flight announces long lists as short ones.
pub fn plain_layouts(schema: &Schema) -> SchemaRef {
    let fields: Vec<_> = schema.fields().iter().map(plain).collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

fn plain(field: &Arc<Field>) -> Arc<Field> {
    Arc::new(field.as_ref().clone().with_data_type(plain_type(field.data_type())))
}

fn plain_type(of: &DataType) -> DataType {
    match of {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::List(item) | DataType::LargeList(item) => DataType::List(plain(item)),
        DataType::ListView(item) | DataType::LargeListView(item) => DataType::List(plain(item)),
        DataType::FixedSizeList(item, n) => DataType::FixedSizeList(plain(item), *n),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(plain).collect()),
        DataType::Map(entries, sorted) => DataType::Map(plain(entries), *sorted),
        DataType::Dictionary(key, value) => DataType::Dictionary(key.clone(), Box::new(plain_type(value))),
        DataType::RunEndEncoded(_, values) => plain_type(values.data_type()),
        other => other.clone(),
    }
}

/// The batch under the columns of `schema`, each cast to the type that it has there.
///
/// # Errors
/// A value that the other type has no place for.
pub fn recast(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ReportError> {
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| match column.data_type() == field.data_type() {
        true => Ok(column.clone()),
        false => arrow::compute::cast(column, field.data_type()),
    });
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(schema.clone(), columns.collect::<Result<_, _>>()?, &rows)?)
}

/// CSV has no lists and no structs, so those columns travel as JSON text.
struct Csv {
    writer: arrow::csv::Writer<Sink>,
    schema: SchemaRef,
    rows: usize,
}

impl Exporter for Csv {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        self.rows += batch.num_rows();
        let columns = batch
            .schema()
            .fields()
            .iter()
            .zip(batch.columns())
            .map(|(f, c)| flatten(f, c))
            .collect::<Result<_, _>>()?;
        Ok(self.writer.write(&RecordBatch::try_new(self.schema.clone(), columns)?)?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), ReportError> {
        if self.rows == 0 {
            // An empty result still says what its columns would have been.
            self.writer.write(&RecordBatch::new_empty(self.schema.clone()))?;
        }
        self.writer.into_inner().close()
    }
}

fn flat(schema: &Schema) -> SchemaRef {
    let field = |f: &Arc<Field>| match f.data_type().is_nested() {
        true => Arc::new(Field::new(f.name(), DataType::Utf8, true)),
        false => f.clone(),
    };
    Arc::new(Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>()))
}

fn flatten(field: &Arc<Field>, column: &ArrayRef) -> Result<ArrayRef, ReportError> {
    if !field.data_type().is_nested() {
        return Ok(column.clone());
    }
    let options = EncoderOptions::default().with_explicit_nulls(true);
    let mut encoder = make_encoder(field, column, &options)?;
    let (mut text, mut bytes) = (StringBuilder::with_capacity(column.len(), 64 * column.len()), Vec::new());
    for row in 0..column.len() {
        if encoder.is_null(row) {
            text.append_null();
            continue;
        }
        bytes.clear();
        encoder.encode(row, &mut bytes);
        text.append_value(String::from_utf8_lossy(&bytes));
    }
    Ok(Arc::new(text.finish()))
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use arrow::array::{Float64Array, ListArray, StringArray, StringViewArray};
    use arrow::buffer::OffsetBuffer;
    use arrow::datatypes::Int32Type;

    use super::*;
    use crate::Written;

    fn batch() -> RecordBatch {
        let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(22), None]), None]);
        RecordBatch::try_from_iter_with_nullable([
            ("id", Arc::new(StringArray::from(vec![Some("a, \"b\""), None])) as ArrayRef, true),
            ("void", Arc::new(Float64Array::from(vec![Some(0.25), None])), true),
            ("numbers", Arc::new(lists), true),
        ])
        .unwrap()
    }

    fn text(format: Format, batches: &[RecordBatch]) -> String {
        let written = Written::default();
        let mut e = stream_exporter(format, &batch().schema(), Sink::Stream(Box::new(written.clone()))).unwrap();
        batches.iter().for_each(|b| e.write(b).unwrap());
        e.finish().unwrap();
        String::from_utf8(written.take()).unwrap()
    }

    #[test]
    fn csv_quotes_and_keeps_lists_as_json() {
        assert_eq!(text(Format::Csv, &[batch()]), "id,void,numbers\n\"a, \"\"b\"\"\",0.25,\"[22,null]\"\n,,\n");
        assert_eq!(text(Format::Csv, &[]), "id,void,numbers\n", "an empty result has a header");
    }

    #[test]
    fn json_names_its_nulls() {
        let expected = "[{\"id\":\"a, \\\"b\\\"\",\"void\":0.25,\"numbers\":[22,null]},{\"id\":null,\"void\":null,\"numbers\":null}]\n";
        assert_eq!(text(Format::Json, &[batch()]), expected);
        assert_eq!(text(Format::Json, &[]), "[]\n");
        assert_eq!(text(Format::Jsonl, &[batch(), batch()]).lines().count(), 4, "no blank line at the end");
    }

    #[test]
    fn binary_formats_read_back_equal() {
        let dir = tempfile::tempdir().unwrap();
        let (parquet, ipc) = (dir.path().join("x.parquet"), dir.path().join("x.arrow"));
        for (format, path) in [(Format::Parquet, &parquet), (Format::Arrow, &ipc)] {
            let mut e = exporter(format, None, &batch().schema(), path).unwrap();
            e.write(&batch()).unwrap();
            assert!(!path.exists(), "no file before its last byte");
            e.finish().unwrap();
        }
        let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(File::open(parquet).unwrap(), 10);
        assert_eq!(reader.unwrap().next().unwrap().unwrap(), batch());
        let reader = arrow::ipc::reader::FileReader::try_new(File::open(ipc).unwrap(), None);
        assert_eq!(reader.unwrap().next().unwrap().unwrap(), batch());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "no partial file is left");
    }

    #[test]
    fn views_become_plain_text_even_inside_lists() {
        let item = Arc::new(Field::new("item", DataType::Utf8View, true));
        let symbols = StringViewArray::from(vec![Some("O"), None, Some("Ti")]);
        let lists = ListArray::new(item, OffsetBuffer::from_lengths([2, 0, 1]), Arc::new(symbols), None);
        let views: ArrayRef = Arc::new(StringViewArray::from(vec![Some("a"), None, Some("c")]));
        let batch =
            RecordBatch::try_from_iter_with_nullable([("id", views, true), ("elements", Arc::new(lists), true)])
                .unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.arrow");
        let mut e = exporter(Format::Arrow, None, &batch.schema(), &path).unwrap();
        e.write(&batch).unwrap();
        e.finish().unwrap();
        let back = arrow::ipc::reader::FileReader::try_new(File::open(path).unwrap(), None).unwrap();
        let back = back.into_iter().next().unwrap().unwrap();
        let text = |b: &RecordBatch, row| arrow::util::display::array_value_to_string(b.column(1), row).unwrap();
        assert_eq!(back.column(0).data_type(), &DataType::Utf8);
        assert!(!format!("{:?}", back.schema()).contains("View"));
        assert!((0..3).all(|row| text(&back, row) == text(&batch, row)));
    }

    #[test]
    fn an_abandoned_export_leaves_the_old_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.csv");
        std::fs::write(&path, "old").unwrap();
        let mut e = exporter(Format::Csv, None, &batch().schema(), &path).unwrap();
        e.write(&batch()).unwrap();
        drop(e);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn formats_are_read_from_paths() {
        assert_eq!(Format::of_path(Path::new("a/b.Parquet")), Some(Format::Parquet));
        assert_eq!(Format::of_path(Path::new("a/b.ndjson")), Some(Format::Jsonl));
        assert_eq!(Format::of_path(Path::new("cifs/")), Some(Format::Cif));
        assert_eq!(Format::of_path(Path::new("b.xyz")), Some(Format::ExtXyz));
        assert_eq!(Format::of_path(Path::new("b.jsonl.gz")), Some(Format::Jsonl));
        assert!(
            ["b.xlsx", "b.gz", "b.db.gz", "b.parquet.gz", "b"].iter().all(|p| Format::of_path(Path::new(p)).is_none())
        );
    }
}
