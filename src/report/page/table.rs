//! The ranked table: numbers of a column with the same decimals under its unit, NULL as a dash, and under every header a button
//! that sorts.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Float64Type, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::card::Candidate;
use super::html::{formula, text};
use crate::ReportError;
use crate::plots::labels::count;
use columns::StructureColumn;

/// What stands for NULL.
const NULL: &str = "<span class=\"null\">–</span>";
/// Lists and structs are cut to this many characters.
const NESTED: usize = 60;

/// Rows of a result, without its crystals.
#[derive(Debug)]
pub struct Table {
    rows: RecordBatch,
    total: u64,
    units: Vec<Option<String>>,
}

/// A column as it is printed.
#[derive(Debug)]
pub(super) struct Column {
    pub name: String,
    pub unit: Option<String>,
    pub numeric: bool,
    pub cells: Vec<Cell>,
}

/// A cell: its text as HTML, and the number by which it is sorted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell {
    pub html: String,
    pub key: Option<f64>,
    pub null: bool,
}

impl Table {
    /// The table of the rows of a result, of which there are `total`, with the unit of each column where it has one. Columns of
    /// crystals are left out.
    ///
    /// # Errors
    /// Batches of another schema.
    pub fn new(
        schema: &SchemaRef,
        batches: &[RecordBatch],
        total: u64,
        units: &[Option<impl AsRef<str>>],
    ) -> Result<Self, ReportError> {
        let batch = concat_batches(schema, batches)?;
        let kept: Vec<usize> =
            (0..batch.num_columns()).filter(|&i| StructureColumn::try_new(batch.column(i)).is_err()).collect();
        let rows = batch.project(&kept)?;
        let unit = |&i: &usize| Some(units.get(i)?.as_ref()?.as_ref().to_owned());
        let units = kept.iter().map(unit).collect();
        Ok(Self { rows, total, units })
    }

    /// Rows that are shown.
    pub fn len(&self) -> usize {
        self.rows.num_rows()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All cells, column by column.
    pub(super) fn cells(&self) -> Result<Vec<Column>, ReportError> {
        let schema = self.rows.schema();
        let columns = self.rows.columns().iter().zip(schema.fields()).zip(&self.units);
        columns
            .map(|((array, field), unit)| {
                let numeric = is_number(array.data_type());
                let cells = if numeric { numbers(array)? } else { words(field.name(), array)? };
                Ok(Column { name: field.name().clone(), unit: unit.clone(), numeric, cells })
            })
            .collect()
    }

    /// The section of the page. The rows of candidates lead to their cards.
    pub(super) fn html(&self, columns: &[Column], candidates: &[Candidate]) -> Result<String, ReportError> {
        let shown = self.len() as u64;
        let size = match (shown, self.total) {
            (shown, total) if shown < total => format!("The first {} of {} rows.", count(shown), count(total)),
            (1, _) => "1 row.".to_string(),
            (shown, _) => format!("{} rows.", count(shown)),
        };
        let mut out = format!(
            "<section aria-labelledby=\"table\">\n<h2 id=\"table\">Ranking</h2>\n<p class=\"note\">{size} <span class=\"hint\">A header \
             sorts by its column, once more the other way round; # restores the ranking of the query.</span></p>\n\
             <div class=\"wide\" tabindex=\"0\" role=\"region\" aria-labelledby=\"table\">\n<table class=\"sortable\">\n<thead>\n<tr>"
        );
        out += "<th scope=\"col\" class=\"n\" aria-sort=\"ascending\"><button type=\"button\">#</button></th>";
        for column in columns {
            let unit = column.unit.as_ref().map(|u| format!(" <small>{}</small>", text(u))).unwrap_or_default();
            let class = if column.numeric { " class=\"n\"" } else { "" };
            out += &format!(
                "<th scope=\"col\"{class} aria-sort=\"none\"><button type=\"button\">{}{unit}</button></th>",
                text(&column.name)
            );
        }
        out += "</tr>\n</thead>\n<tbody>\n";
        // The id leads to the card; without one the rank does.
        let link = columns.iter().position(|c| c.name == "id");
        for row in 0..self.len() {
            let card = candidates.iter().position(|c| c.row == row).map(|i| i + 1);
            let linked = |html: &str, here: bool| match card.filter(|_| here) {
                Some(n) => format!("<a href=\"#card-{n}\">{html}</a>"),
                None => html.to_string(),
            };
            out += &format!(
                "<tr><td class=\"n\" data-k=\"{0}\">{1}</td>",
                row + 1,
                linked(&(row + 1).to_string(), link.is_none())
            );
            for (i, column) in columns.iter().enumerate() {
                let cell = &column.cells[row];
                let class = if column.numeric { " class=\"n\"" } else { "" };
                let key = cell.key.map(|k| format!(" data-k=\"{k}\"")).unwrap_or_default();
                out += &format!("<td{class}{key}>{}</td>", linked(&cell.html, link == Some(i)));
            }
            out += "</tr>\n";
        }
        Ok(out + "</tbody>\n</table>\n</div>\n</section>\n")
    }
}

fn is_number(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_number(values),
        other => other.is_numeric(),
    }
}

fn numbers(array: &ArrayRef) -> Result<Vec<Cell>, ReportError> {
    let whole = array.data_type().is_integer();
    let values = cast(array, &DataType::Float64)?;
    let values = values.as_primitive::<Float64Type>();
    let most = values.iter().flatten().filter(|x| x.is_finite()).fold(0.0_f64, |most, x| most.max(x.abs()));
    let decimals = if whole { 0 } else { decimals(most) };
    let integers = whole.then(|| ArrayFormatter::try_new(array, &PLAIN)).transpose()?;
    (0..values.len())
        .map(|i| {
            if values.is_null(i) {
                return Ok(Cell { html: NULL.into(), key: None, null: true });
            }
            let value = values.value(i);
            // Integers beyond 2^53 keep their digits.
            let printed = match &integers {
                Some(integers) => integers.value(i).try_to_string()?,
                None => float(value, decimals),
            };
            let html = text(&printed.replacen('-', "−", usize::from(printed.starts_with('-'))));
            Ok(Cell { html, key: Some(value).filter(|x| !x.is_nan()), null: false })
        })
        .collect()
}

const PLAIN: FormatOptions<'static> = FormatOptions::new();

/// Decimals for a column whose largest magnitude is `most`: four significant digits, or three behind the point of small numbers.
fn decimals(most: f64) -> usize {
    if most == 0.0 {
        3
    } else {
        (3.0 - most.log10().floor()).clamp(0.0, 4.0).min(if most < 10.0 { 3.0 } else { 4.0 }) as usize
    }
}

/// A number with these decimals, or as a power of ten where they would show nothing of it.
fn float(value: f64, decimals: usize) -> String {
    let smallest = 0.5 * 10f64.powi(-(decimals as i32));
    if !value.is_finite() {
        return format!("{value}").replace("inf", "∞");
    }
    if value != 0.0 && (value.abs() < smallest || value.abs() >= 1e15) {
        return format!("{value:.2e}");
    }
    // No minus in front of nothing.
    format!("{:.decimals$}", if value == 0.0 { 0.0 } else { value })
}

fn words(name: &str, array: &ArrayRef) -> Result<Vec<Cell>, ReportError> {
    let formatter = ArrayFormatter::try_new(array, &PLAIN)?;
    let nested = array.data_type().is_nested();
    // A column of the type NULL has no validity of its own.
    let nulls = array.logical_nulls();
    let is_formula = name == "formula" || name.ends_with("_formula");
    (0..array.len())
        .map(|i| {
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(i)) {
                return Ok(Cell { html: NULL.into(), key: None, null: true });
            }
            let value = formatter.value(i).try_to_string()?;
            let html = match array.data_type() {
                DataType::Boolean => if value == "true" { "yes" } else { "no" }.to_string(),
                _ if is_formula => formula(&value),
                _ if nested => text(&shortened(&value)),
                _ => text(&value.replace(['\n', '\t'], " ")),
            };
            Ok(Cell { html, key: None, null: false })
        })
        .collect()
}

fn shortened(value: &str) -> String {
    match value.char_indices().nth(NESTED) {
        Some((cut, _)) => format!("{}…", &value[..cut]),
        None => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BooleanArray, Float64Array, Int64Array, StringArray};

    use super::*;

    fn table(columns: Vec<(&str, ArrayRef)>) -> Table {
        let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap();
        let total = batch.num_rows() as u64;
        Table::new(&batch.schema(), &[batch], total, &[None, Some("eV/atom")]).unwrap()
    }

    #[test]
    fn numbers_share_their_decimals_keep_their_keys_and_null_is_a_dash() {
        let table = table(vec![
            ("id", Arc::new(StringArray::from(vec!["<a>", "b", "c"]))),
            ("formation_energy_per_atom", Arc::new(Float64Array::from(vec![Some(-3.0), None, Some(0.123_456)]))),
            ("n", Arc::new(Int64Array::from(vec![Some(-2), Some(i64::MAX), None]))),
            ("flag", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))),
            ("host_formula", Arc::new(StringArray::from(vec!["TiO2", "V2O5", "O"]))),
        ]);
        let columns = table.cells().unwrap();
        let cell = |c: usize, r: usize| columns[c].cells[r].html.as_str();
        assert_eq!([cell(1, 0), cell(1, 1), cell(1, 2)], ["−3.000", NULL, "0.123"]);
        assert_eq!(columns[1].cells[2].key, Some(0.123_456));
        assert_eq!([cell(2, 0), cell(2, 1)], ["−2", "9223372036854775807"]);
        assert_eq!([cell(3, 0), cell(3, 1), cell(3, 2)], ["yes", "no", NULL]);
        assert_eq!(cell(4, 1), "V<sub>2</sub>O<sub>5</sub>");
        let html = table.html(&columns, &[]).unwrap();
        assert!(html.contains("formation_energy_per_atom <small>eV/atom</small></button>"), "{html}");
        assert!(html.contains("<td class=\"n\" data-k=\"0.123456\">0.123</td>") && html.contains("&lt;a&gt;"));
        assert!(html.contains(&format!("<td class=\"n\">{NULL}</td>")), "NULL has no key: it is sorted last");
    }

    #[test]
    fn decimals_follow_the_largest_number() {
        let read: Vec<String> = [(0.57, 0.57), (3.2, -3.2), (12.0, 62.437), (1500.0, 1234.5), (0.5, 1e-7), (1.0, -0.0)]
            .into_iter()
            .map(|(most, value)| float(value, decimals(most)))
            .collect();
        assert_eq!(read, ["0.570", "-3.200", "62.44", "1234", "1.00e-7", "0.000"]);
    }

    #[test]
    fn a_cut_table_says_so() {
        let batch = RecordBatch::try_from_iter([("x", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef)]).unwrap();
        let table = Table::new(&batch.schema(), &[batch], 12_345, &[Some("V")]).unwrap();
        let html = table.html(&table.cells().unwrap(), &[]).unwrap();
        assert!(html.contains("The first 2 of 12\u{a0}345 rows.") && html.contains("x <small>V</small>"), "{html}");
    }
}
