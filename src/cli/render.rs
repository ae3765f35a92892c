//! Results on a terminal or in a file. Machine formats are [`report::Exporter`]s; the readable table is one more of them.

mod cells;
mod digits;
mod look;
mod pager;
mod table;

pub use look::{Expanded, Look};
pub(crate) use pager::is_open as pager_is_open;

use std::io::{BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;

use self::cells::Detail;
use self::digits::Digits;
use self::pager::Pager;
use self::table::Table;
use super::CliError;
use super::args::{Format, Output};
use super::bars::BesideBars;
use super::console::{self, Text};
use crate::error::ReportError;
use crate::report::{self, Exporter, Headings, Sink, Written, stream_exporter};
use crate::sql::ColumnUnits;

/// Text on standard output. `print!` would panic where the reader went away.
pub(crate) fn print(text: &str) -> Result<(), CliError> {
    if let Some(console) = console::listener() {
        console.print(text);
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|e| ReportError::from(e).into())
}

/// Where results go: a format, and a file or standard output.
#[derive(Debug, Clone)]
pub struct Printer {
    /// `None` is the readable table.
    format: Option<report::Format>,
    file: Option<PathBuf>,
    look: Look,
}

impl Printer {
    /// Standard output in `format`, which is not Parquet.
    pub(crate) fn stdout(format: Format) -> Result<Self, CliError> {
        Self::new(&Output { format: Some(format), output: None })
    }

    /// What `--format` and `--output` ask for. Without a format the file's extension decides; Parquet needs a file, and a folder is none.
    pub(crate) fn new(output: &Output) -> Result<Self, CliError> {
        let format = match (output.format, &output.output) {
            (Some(format), _) => of_name(format),
            (None, Some(file)) => report::Format::of_path(file),
            (None, None) => None,
        };
        match (format, &output.output) {
            (Some(report::Format::Parquet), None) => {
                Err(CliError::Usage("Parquet is not printed on a terminal: add --output FILE.parquet".into()))
            }
            (Some(report::Format::Cif), Some(file)) => {
                let message =
                    format!("{} is a folder; it is filled by `hollandite export QUERY --to {0}`", file.display());
                Err(CliError::Usage(message))
            }
            _ => Ok(Self { format, file: output.output.clone(), look: Look::default() }),
        }
    }

    /// The same, with tables that look so.
    pub(crate) fn with_look(self, look: Look) -> Self {
        Self { look, ..self }
    }

    /// The file that results go to, if not standard output.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Write one result, batch by batch as it is computed, and return the number of rows. In a table numbers are rounded to what
    /// they mean in the units of their columns.
    pub(crate) async fn print(
        &self,
        mut stream: SendableRecordBatchStream,
        units: &[ColumnUnits],
    ) -> Result<usize, CliError> {
        let headings = Headings::of(&stream.schema());
        let mut exporter = self.exporter(headings.schema(), units)?;
        let mut rows = 0;
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            rows += batch.num_rows();
            if self.left(exporter.write(&headings.over(batch)?))? {
                return Ok(rows);
            }
        }
        self.left(exporter.finish())?;
        Ok(rows)
    }

    /// Write one batch that is at hand.
    pub(crate) fn print_batch(&self, batch: &RecordBatch) -> Result<(), CliError> {
        let mut exporter = self.exporter(&batch.schema(), &[])?;
        if !self.left(exporter.write(batch))? {
            self.left(exporter.finish())?;
        }
        Ok(())
    }

    /// Whether the reader left the pager: no fault, and nothing more to write.
    fn left(&self, written: Result<(), ReportError>) -> Result<bool, CliError> {
        match written {
            Ok(()) => Ok(false),
            Err(error) if self.look.pager && error.is_broken_pipe() => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    fn exporter(&self, schema: &SchemaRef, units: &[ColumnUnits]) -> Result<Box<dyn Exporter>, CliError> {
        let console = console::listener();
        let on_terminal = self.file.is_none() && console.is_none() && std::io::stdout().is_terminal();
        let sink = match (&self.file, console) {
            (Some(path), _) => Sink::file(path)?,
            (None, Some(console)) => Sink::Stream(Box::new(BufWriter::new(Text::new(console)))),
            (None, None) if on_terminal && self.look.pager => Sink::Stream(Box::new(Pager::new())),
            (None, None) => Sink::Stream(Box::new(BufWriter::new(BesideBars(std::io::stdout())))),
        };
        match self.format {
            None => {
                let width = if on_terminal { look::terminal().map(|(columns, _)| columns) } else { None };
                Ok(Box::new(Table::new(schema.clone(), Digits::of(units), sink, self.look, width)))
            }
            Some(format) => Ok(stream_exporter(format, schema, sink)?),
        }
    }
}

/// What `--format` names; `None` is the table.
fn of_name(format: Format) -> Option<report::Format> {
    match format {
        Format::Table => None,
        Format::Csv => Some(report::Format::Csv),
        Format::Json => Some(report::Format::Json),
        Format::Jsonl => Some(report::Format::Jsonl),
        Format::Parquet => Some(report::Format::Parquet),
    }
}

/// Rows as the readable table, in so many columns of a terminal; without a width they are never set as records. Numbers are rounded
/// to what they mean in the units of their columns.
///
/// # Errors
/// A value that cannot be printed.
pub fn table_text(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    units: &[ColumnUnits],
    width: Option<usize>,
) -> Result<String, ReportError> {
    let text = Written::default();
    let sink = Sink::Stream(Box::new(text.clone()));
    let mut table = Table::new(schema.clone(), Digits::of(units), sink, Look::default(), width);
    for batch in batches {
        table.write(batch)?;
    }
    Box::new(table).finish()?;
    Ok(String::from_utf8_lossy(&text.take()).into_owned())
}

/// The cells of rows as the readable table has them: numbers rounded, crystals by formula.
///
/// # Errors
/// A value that cannot be printed.
pub fn cell_texts(batch: &RecordBatch, units: &[ColumnUnits]) -> Result<Vec<Vec<String>>, ReportError> {
    let nowhere = Sink::Stream(Box::new(std::io::sink()));
    Table::new(batch.schema(), Digits::of(units), nowhere, Look::default(), None).texts(batch, Detail::Brief)
}
