//! Results on a terminal or in a file. Machine formats are [`report::Exporter`]s; the table for people is one more of them.

use std::io::Write;
use std::path::{Path, PathBuf};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float32Type, Float64Type, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;

use super::CliError;
use super::args::{Format, Output};
use crate::columns::StructureColumn;
use crate::error::ReportError;
use crate::report::{self, Exporter, Sink, stream_exporter};

/// Text on standard output. `print!` would panic where the reader went away.
pub fn print(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|e| ReportError::from(e).into())
}

/// Where results go: a format, and a file or standard output.
#[derive(Debug, Clone)]
pub struct Printer {
    format: Format,
    file: Option<PathBuf>,
}

impl Printer {
    /// Standard output in `format`, which is not Parquet.
    pub fn stdout(format: Format) -> Result<Self, CliError> {
        Self::new(&Output { format: Some(format), output: None })
    }

    /// What `--format` and `--output` ask for. Without a format the file's extension tells; Parquet needs a file.
    pub fn new(output: &Output) -> Result<Self, CliError> {
        let format = match (output.format, &output.output) {
            (Some(format), _) => format,
            (None, Some(file)) => format_of(file)?,
            (None, None) => Format::Table,
        };
        if format == Format::Parquet && output.output.is_none() {
            return Err(CliError::Usage("Parquet is not printed on a terminal: add --output FILE.parquet".into()));
        }
        Ok(Self { format, file: output.output.clone() })
    }

    /// The file that results go to, if not standard output.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Write one result, batch by batch as it is computed, and return the number of rows.
    pub async fn print(&self, mut stream: SendableRecordBatchStream) -> Result<usize, CliError> {
        let mut exporter = self.exporter(&stream.schema())?;
        let mut rows = 0;
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            rows += batch.num_rows();
            exporter.write(&batch)?;
        }
        exporter.finish()?;
        Ok(rows)
    }

    /// Write one batch that is at hand.
    pub fn print_batch(&self, batch: &RecordBatch) -> Result<(), CliError> {
        let mut exporter = self.exporter(&batch.schema())?;
        exporter.write(batch)?;
        Ok(exporter.finish()?)
    }

    fn exporter(&self, schema: &SchemaRef) -> Result<Box<dyn Exporter>, CliError> {
        let sink = match &self.file {
            Some(path) => Sink::file(path)?,
            None => Sink::Stream(Box::new(std::io::BufWriter::new(std::io::stdout()))),
        };
        let format = match self.format {
            Format::Table => return Ok(Box::new(Table::new(schema.clone(), sink))),
            Format::Csv => report::Format::Csv,
            Format::Json => report::Format::Json,
            Format::Jsonl => report::Format::Jsonl,
            Format::Parquet => report::Format::Parquet,
        };
        Ok(stream_exporter(format, schema, sink)?)
    }
}

/// The format that a file's extension asks for; a table where it asks for none.
fn format_of(file: &Path) -> Result<Format, CliError> {
    Ok(match report::Format::of_path(file) {
        Some(report::Format::Csv) => Format::Csv,
        Some(report::Format::Json) => Format::Json,
        Some(report::Format::Jsonl) => Format::Jsonl,
        Some(report::Format::Parquet) => Format::Parquet,
        Some(report::Format::Arrow | report::Format::Cif) => {
            return Err(CliError::Usage(format!(
                "{} is written by `hollandite export QUERY --to {0}`",
                file.display()
            )));
        }
        None => Format::Table,
    })
}

/// Rows that are looked at before the widths of the columns are fixed; later rows stream by at those widths.
const MEASURED_ROWS: usize = 1_000;
/// Lists and structs are cut to this many characters.
const NESTED_WIDTH: usize = 40;

/// Aligned columns under a ruled header: numbers to the right, text to the left, the number of rows at the end.
pub struct Table {
    sink: Sink,
    schema: SchemaRef,
    waiting: Vec<Vec<String>>,
    widths: Option<Vec<usize>>,
    rows: usize,
}

impl Table {
    /// A table of this schema, written to `sink`.
    pub fn new(schema: SchemaRef, sink: Sink) -> Self {
        Self { sink, schema, waiting: Vec::new(), widths: None, rows: 0 }
    }

    fn write_header(&mut self) -> std::io::Result<()> {
        let names: Vec<String> = self.schema.fields().iter().map(|f| f.name().replace('\n', " ")).collect();
        let mut widths: Vec<usize> = names.iter().map(|n| width(n)).collect();
        for row in &self.waiting {
            for (w, cell) in widths.iter_mut().zip(row) {
                *w = cell.lines().map(width).max().unwrap_or(0).max(*w);
            }
        }
        self.widths = Some(widths.clone());
        self.write_row(&names)?;
        let rule: Vec<String> = widths.iter().map(|w| "─".repeat(*w)).collect();
        writeln!(self.sink, "{}", rule.join("  "))
    }

    fn write_row(&mut self, cells: &[String]) -> std::io::Result<()> {
        let widths = self.widths.as_deref().unwrap_or_default();
        let lines: Vec<Vec<&str>> = cells.iter().map(|c| c.lines().collect()).collect();
        for n in 0..lines.iter().map(Vec::len).max().unwrap_or(0).max(1) {
            let mut line = String::new();
            for (i, (cell, w)) in lines.iter().zip(widths).enumerate() {
                let text = cell.get(n).copied().unwrap_or_default();
                let pad = " ".repeat(w.saturating_sub(width(text)));
                let gap = if i == 0 { "" } else { "  " };
                match is_number(self.schema.field(i).data_type()) {
                    true => line.extend([gap, &pad, text]),
                    false => line.extend([gap, text, &pad]),
                }
            }
            writeln!(self.sink, "{}", line.trim_end())?;
        }
        Ok(())
    }

    fn write_waiting(&mut self) -> std::io::Result<()> {
        if self.widths.is_none() {
            self.write_header()?;
        }
        for row in std::mem::take(&mut self.waiting) {
            self.write_row(&row)?;
        }
        Ok(())
    }
}

impl Exporter for Table {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        let columns = batch.columns().iter().map(Cells::new).collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            self.waiting.push(columns.iter().map(|c| c.text(row)).collect::<Result<_, _>>()?);
        }
        self.rows += batch.num_rows();
        if self.widths.is_some() || self.rows >= MEASURED_ROWS {
            self.write_waiting()?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), ReportError> {
        self.write_waiting()?;
        writeln!(self.sink, "({} row{})", self.rows, if self.rows == 1 { "" } else { "s" })?;
        self.sink.close()
    }
}

/// How the values of one column read.
enum Cells<'a> {
    Crystal(StructureColumn<'a>),
    F32(&'a ArrayRef),
    F64(&'a ArrayRef),
    Nested(ArrayFormatter<'a>),
    Plain(ArrayFormatter<'a>),
}

const OPTIONS: FormatOptions<'static> = FormatOptions::new().with_null("NULL");

impl<'a> Cells<'a> {
    fn new(column: &'a ArrayRef) -> Result<Self, ReportError> {
        Ok(match column.data_type() {
            DataType::Float32 => Self::F32(column),
            DataType::Float64 => Self::F64(column),
            DataType::Struct(_) => match StructureColumn::try_new(column) {
                Ok(crystals) => Self::Crystal(crystals),
                Err(_) => Self::Nested(ArrayFormatter::try_new(column, &OPTIONS)?),
            },
            dt if dt.is_nested() => Self::Nested(ArrayFormatter::try_new(column, &OPTIONS)?),
            _ => Self::Plain(ArrayFormatter::try_new(column, &OPTIONS)?),
        })
    }

    fn text(&self, row: usize) -> Result<String, ReportError> {
        let float = |array: &dyn Array, value: f64| if array.is_null(row) { "NULL".into() } else { float(value) };
        Ok(match self {
            Self::F32(a) => float(a, f64::from(a.as_primitive::<Float32Type>().value(row))),
            Self::F64(a) => float(a, a.as_primitive::<Float64Type>().value(row)),
            Self::Crystal(crystals) => match crystals.get(row) {
                None => "NULL".into(),
                Some(Ok(s)) => format!("{} [{} atoms]", s.composition().reduced_formula(), s.len()),
                Some(Err(error)) => abbreviated(&format!("invalid: {error}")),
            },
            Self::Nested(f) => abbreviated(&f.value(row).try_to_string()?),
            Self::Plain(f) => f.value(row).try_to_string()?.replace('\t', "    "),
        })
    }
}

fn abbreviated(text: &str) -> String {
    let mut text = text.replace(['\n', '\t'], " ");
    if let Some((cut, _)) = text.char_indices().nth(NESTED_WIDTH) {
        text.truncate(cut);
        text.push('…');
    }
    text
}

/// At most six decimals, without trailing zeros; powers of ten where six decimals would show nothing or too much.
fn float(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    if !(1e-4..1e15).contains(&value.abs()) {
        return format!("{value:.5e}");
    }
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

fn is_number(dt: &DataType) -> bool {
    dt.is_numeric()
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use arrow::array::{Float64Array, Int64Array, ListArray, StringArray};
    use arrow::datatypes::Int32Type;

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().map(|mut v| v.extend_from_slice(bytes)).map_err(|e| std::io::Error::other(e.to_string()))?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn table(batches: &[RecordBatch]) -> String {
        let shared = Shared::default();
        let mut table = Box::new(Table::new(batches[0].schema(), Sink::Stream(Box::new(shared.clone()))));
        batches.iter().for_each(|b| table.write(b).unwrap());
        table.finish().unwrap();
        let bytes = shared.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn numbers_stand_right_text_left_and_nulls_are_named() {
        let batch = RecordBatch::try_from_iter_with_nullable([
            ("id", Arc::new(StringArray::from(vec![Some("rutile"), None])) as ArrayRef, true),
            ("void", Arc::new(Float64Array::from(vec![Some(0.574_999_99), None])), true),
            (
                "numbers",
                Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some((0..40).map(Some)), None])),
                true,
            ),
            ("n", Arc::new(Int64Array::from(vec![6, -12])), true),
        ])
        .unwrap();
        let expected = "\
id       void  numbers                                      n
──────  ─────  ─────────────────────────────────────────  ───
rutile  0.575  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 1…    6
NULL     NULL  NULL                                       -12
(2 rows)
";
        assert_eq!(table(&[batch]), expected);
    }

    #[test]
    fn a_text_of_several_lines_keeps_its_lines() {
        let columns = [("a", "x\ny"), ("b", "one")].map(|(n, v)| (n, Arc::new(StringArray::from(vec![v])) as ArrayRef));
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        assert_eq!(table(&[batch]), "a  b\n─  ───\nx  one\ny\n(1 row)\n");
    }

    #[test]
    fn rows_beyond_the_measured_ones_stream_by() {
        let batch =
            RecordBatch::try_from_iter([("n", Arc::new(Int64Array::from_iter_values(0..700)) as ArrayRef)]).unwrap();
        let text = table(&[batch.clone(), batch.clone(), batch]);
        assert_eq!(text.lines().count(), 2 + 2_100 + 1);
        assert!(text.ends_with("(2100 rows)\n"));
    }

    #[test]
    fn floats_read_well() {
        for (value, text) in
            [(0.5, "0.5"), (-3.0, "-3"), (1.0 / 3.0, "0.333333"), (1.5e-7, "1.50000e-7"), (0.0, "0"), (f64::NAN, "NaN")]
        {
            assert_eq!(float(value), text);
        }
    }
}
