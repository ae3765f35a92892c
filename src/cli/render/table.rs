//! The readable table: aligned columns under a ruled header, or, where that is too wide, a record a row.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::cells::{Cells, Detail};
use super::digits::Digits;
use super::look::{Expanded, Look};
use crate::error::ReportError;
use crate::report::{Exporter, Sink};

/// Rows that are looked at before the widths of the columns are fixed; later rows stream by at those widths.
const MEASURED_ROWS: usize = 1_000;
/// Longest rule above a record where no terminal says its width.
const RULE: usize = 40;

/// Numbers to the right, text to the left, the number of rows at the end.
pub struct Table {
    sink: Sink,
    schema: SchemaRef,
    /// Of each column.
    digits: Vec<Digits>,
    look: Look,
    /// Columns of the terminal.
    width: Option<usize>,
    waiting: Vec<RecordBatch>,
    layout: Option<Layout>,
    rows: usize,
    printed: usize,
}

#[derive(Clone)]
enum Layout {
    /// Aligned columns of these widths.
    Columns(Vec<usize>),
    /// A line for each column of a row, with names of this width.
    Records(usize),
}

impl Table {
    /// A table of this schema, whose numbers have these digits, written to `sink`, on a terminal of so many columns.
    pub(crate) fn new(
        schema: SchemaRef,
        mut digits: Vec<Digits>,
        sink: Sink,
        look: Look,
        width: Option<usize>,
    ) -> Self {
        digits.resize_with(schema.fields().len(), Digits::default);
        Self { sink, schema, digits, look, width, waiting: Vec::new(), layout: None, rows: 0, printed: 0 }
    }

    fn names(&self) -> Vec<String> {
        self.schema.fields().iter().map(|f| f.name().replace('\n', " ")).collect()
    }

    pub(super) fn texts(&self, batch: &RecordBatch, detail: Detail) -> Result<Vec<Vec<String>>, ReportError> {
        let columns = batch.columns().iter().zip(&self.digits);
        let columns =
            columns.map(|(column, digits)| Cells::new(column, detail, digits)).collect::<Result<Vec<_>, _>>()?;
        (0..batch.num_rows()).map(|row| columns.iter().map(|c| c.text(row)).collect()).collect()
    }

    /// How much is printed of a value in a layout.
    fn detail(&self, layout: &Layout) -> Detail {
        match (layout, self.look.full) {
            (_, true) => Detail::Everything,
            (Layout::Records(_), false) => Detail::Whole,
            (Layout::Columns(_), false) => Detail::Brief,
        }
    }

    /// Chooses the layout by what has been seen, and begins it.
    fn begin(&mut self) -> Result<Layout, ReportError> {
        let names = self.names();
        let mut widths: Vec<usize> = names.iter().map(|n| width(n)).collect();
        let records = Layout::Records(widths.iter().copied().max().unwrap_or(0));
        let columns = Layout::Columns(Vec::new());
        for batch in &self.waiting {
            for row in self.texts(batch, self.detail(&columns))? {
                for (w, cell) in widths.iter_mut().zip(row) {
                    *w = cell.lines().map(width).max().unwrap_or(0).max(*w);
                }
            }
        }
        let whole = widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
        let expanded = match self.look.expanded {
            Expanded::On => true,
            Expanded::Off => false,
            Expanded::Auto => self.width.is_some_and(|terminal| whole > terminal),
        };
        if expanded {
            return Ok(records);
        }
        self.write_row(&names, &widths)?;
        let rule: Vec<String> = widths.iter().map(|w| "─".repeat(*w)).collect();
        writeln!(self.sink, "{}", rule.join("  "))?;
        Ok(Layout::Columns(widths))
    }

    fn write_row(&mut self, cells: &[String], widths: &[usize]) -> std::io::Result<()> {
        let lines: Vec<Vec<&str>> = cells.iter().map(|c| c.lines().collect()).collect();
        for n in 0..lines.iter().map(Vec::len).max().unwrap_or(0).max(1) {
            let mut line = String::new();
            for (i, (cell, w)) in lines.iter().zip(widths).enumerate() {
                let text = cell.get(n).copied().unwrap_or_default();
                let pad = " ".repeat(w.saturating_sub(width(text)));
                let gap = if i == 0 { "" } else { "  " };
                match self.schema.field(i).data_type().is_numeric() {
                    true => line.extend([gap, &pad, text]),
                    false => line.extend([gap, text, &pad]),
                }
            }
            writeln!(self.sink, "{}", line.trim_end())?;
        }
        Ok(())
    }

    fn write_record(&mut self, cells: &[String], names: usize) -> std::io::Result<()> {
        let title = format!("── row {} ", self.printed);
        let rule = self.width.unwrap_or(RULE).min(2 * RULE);
        writeln!(self.sink, "{title}{}", "─".repeat(rule.saturating_sub(width(&title))))?;
        for (name, cell) in self.names().iter().zip(cells) {
            let mut name = name.as_str();
            for line in if cell.is_empty() { vec![""] } else { cell.lines().collect() } {
                let pad = " ".repeat(names.saturating_sub(width(name)));
                writeln!(self.sink, "{}", format!("{name}{pad}  {line}").trim_end())?;
                name = "";
            }
        }
        Ok(())
    }

    fn write_waiting(&mut self) -> Result<(), ReportError> {
        let layout = match self.layout.take() {
            Some(layout) => layout,
            None => self.begin()?,
        };
        for batch in std::mem::take(&mut self.waiting) {
            for row in self.texts(&batch, self.detail(&layout))? {
                self.printed += 1;
                match &layout {
                    Layout::Columns(widths) => self.write_row(&row, widths)?,
                    Layout::Records(names) => self.write_record(&row, *names)?,
                }
            }
        }
        self.layout = Some(layout);
        Ok(())
    }
}

impl Exporter for Table {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        self.rows += batch.num_rows();
        self.waiting.push(batch.clone());
        if self.layout.is_some() || self.rows >= MEASURED_ROWS {
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

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, Int64Array, ListArray, StringArray};
    use arrow::datatypes::Int32Type;

    use super::*;

    fn shown(batches: &[RecordBatch], look: Look, width: Option<usize>) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("table.txt");
        let sink = Sink::file(&file).unwrap();
        let mut table = Box::new(Table::new(batches[0].schema(), Vec::new(), sink, look, width));
        batches.iter().for_each(|b| table.write(b).unwrap());
        table.finish().unwrap();
        std::fs::read_to_string(file).unwrap()
    }

    fn table(batches: &[RecordBatch]) -> String {
        shown(batches, Look::default(), None)
    }

    fn two_rows() -> RecordBatch {
        let numbers = ListArray::from_iter_primitive::<Int32Type, _, _>([Some((0..20).map(Some)), None]);
        RecordBatch::try_from_iter_with_nullable([
            ("id", Arc::new(StringArray::from(vec![Some("rutile"), None])) as ArrayRef, true),
            ("void", Arc::new(Float64Array::from(vec![Some(0.574_999_99), None])), true),
            ("numbers", Arc::new(numbers), true),
            ("n", Arc::new(Int64Array::from(vec![6, -12])), true),
        ])
        .unwrap()
    }

    #[test]
    fn numbers_stand_right_text_left_and_nulls_are_named() {
        let expected = "\
id       void  numbers                                      n
──────  ─────  ─────────────────────────────────────────  ───
rutile  0.575  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 1…    6
NULL     NULL  NULL                                       -12
(2 rows)
";
        assert_eq!(table(&[two_rows()]), expected);
        // It is 62 columns wide.
        assert_eq!(shown(&[two_rows()], Look::default(), Some(62)), expected);
        let off = Look { expanded: Expanded::Off, ..Look::default() };
        assert_eq!(shown(&[two_rows()], off, Some(61)), expected);
    }

    #[test]
    fn what_is_too_wide_is_printed_as_records_and_whole() {
        let rule = "─".repeat(40 - 9);
        let expected = format!(
            "── row 1 {rule}
id       rutile
void     0.575
numbers  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]
n        6
── row 2 {rule}
id       NULL
void     NULL
numbers  NULL
n        -12
(2 rows)
"
        );
        assert_eq!(shown(&[two_rows()], Look::default(), Some(40)), expected);
        assert_eq!(shown(&[two_rows()], Look { expanded: Expanded::On, ..Look::default() }, None), expected);
        let full = Look { expanded: Expanded::Off, full: true, ..Look::default() };
        assert!(shown(&[two_rows()], full, None).contains("17, 18, 19]    6\n"));
    }

    #[test]
    fn a_text_of_several_lines_keeps_its_lines() {
        let columns = [("a", "x\ny"), ("b", "one")].map(|(n, v)| (n, Arc::new(StringArray::from(vec![v])) as ArrayRef));
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        assert_eq!(table(std::slice::from_ref(&batch)), "a  b\n─  ───\nx  one\ny\n(1 row)\n");
        let records = shown(&[batch], Look { expanded: Expanded::On, ..Look::default() }, None);
        assert!(records.contains("\na  x\n   y\nb  one\n"), "{records}");
    }

    #[test]
    fn rows_beyond_the_measured_ones_stream_by() {
        let batch =
            RecordBatch::try_from_iter([("n", Arc::new(Int64Array::from_iter_values(0..700)) as ArrayRef)]).unwrap();
        let text = table(&[batch.clone(), batch.clone(), batch]);
        assert_eq!(text.lines().count(), 2 + 2_100 + 1);
        assert!(text.ends_with("(2100 rows)\n"));
    }
}
