//! CSV with a column of structures (`structure`, `cif`, `poscar`: any text that [`super::parse_structure`] reads), a column of
//! ids (`id`, `material_id`) and columns of properties.

use std::{
    io::BufRead,
    path::{Path, PathBuf},
};

use super::{
    Format, Mapping, Properties, Record, Records, Rejection, format::Open, mapping::mapped, parse_noted, source, stem,
};
use crate::FormatError;
use ::csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};

/// Columns that may hold the structure, the preferred first.
const STRUCTURES: [&str; 3] = ["structure", "cif", "poscar"];
/// Columns that may hold the id.
const IDS: [&str; 3] = ["id", "material_id", "mp_id"];

/// See [`Format`].
pub(super) static FORMAT: Format = Format {
    name: "CSV",
    extensions: &["csv"],
    begins: &[],
    packed: true,
    open: Open::File(|input, reading| {
        let rows = records(&input.path, source::open(&input.path)?, &reading.mapping);
        Ok(mapped(rows, input, &reading.mapping, knows))
    }),
};

/// Whether a mapped column is looked up here: all but the parts of a crystal that no field of text holds.
pub(super) fn knows(target: &str) -> bool {
    STRUCTURES.contains(&target)
        || !["lattice", "sites", "species", "numbers", "frac_coords", "cartesian_site_positions"].contains(&target)
}

/// Every row of a table, its columns under the names of a mapping.
pub(super) fn records(path: &Path, reader: Box<dyn BufRead + Send>, mapping: &Mapping) -> Records {
    let mut table = ReaderBuilder::new().from_reader(reader);
    let fail = |e: FormatError| -> Records { Box::new(std::iter::once(Err(Rejection::new(path, None, &e, "", 1)))) };
    let header = match table.headers() {
        Ok(header) => header.clone(),
        Err(e) => return fail(fault(&e, 1)),
    };
    let header: Vec<&str> = header.iter().map(|h| h.trim().trim_start_matches('\u{feff}')).collect();
    if let Some((_, column)) = mapping.pairs().find(|(_, column)| !header.contains(column)) {
        let message = format!("no column '{column}' to map among: {}", header.join(", "));
        return fail(FormatError::syntax(1, 0, message));
    }
    // A column whose name has been given to another has none.
    let header: Vec<String> = header.iter().map(|h| mapping.renamed(h).unwrap_or_default().to_owned()).collect();
    let find = |names: &[&str]| names.iter().find_map(|n| header.iter().position(|h| h.eq_ignore_ascii_case(n)));
    let Some(structure) = find(&STRUCTURES) else {
        let columns = header.join(", ");
        let message =
            format!("no column 'structure', 'cif' or 'poscar' among: {columns}; name the column of structures so");
        return fail(FormatError::syntax(1, 0, message));
    };
    let id = find(&IDS);
    let rows = Rows { path: path.to_owned(), stem: stem(path), table, header, structure, id, row: 0, ended: false };
    Box::new(rows)
}

struct Rows {
    path: PathBuf,
    stem: String,
    table: Reader<Box<dyn BufRead + Send>>,
    header: Vec<String>,
    structure: usize,
    id: Option<usize>,
    row: usize,
    ended: bool,
}

impl Iterator for Rows {
    type Item = Result<Record, Rejection>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let mut record = StringRecord::new();
        let start = self.table.position().line() as usize;
        let read = self.table.read_record(&mut record);
        self.row += 1;
        let line = record.position().map_or(start, |p| p.line() as usize);
        match read {
            Ok(false) => None,
            Ok(true) => Some(self.record(&record, line)),
            Err(e) => {
                // A fault of the bytes under the table ends it; a fault of one row does not.
                self.ended = matches!(e.kind(), ErrorKind::Io(_));
                Some(Err(Rejection::new(&self.path, None, &fault(&e, line), "", line)))
            }
        }
    }
}

impl Rows {
    fn record(&self, record: &StringRecord, line: usize) -> Result<Record, Rejection> {
        let field = |k: usize| record.get(k).map(str::trim).filter(|f| !f.is_empty());
        let id = self.id.and_then(field).map(str::to_owned);
        let text = record.get(self.structure).unwrap_or("");
        // Fields before the structure may hold lines of their own.
        let before = line - 1 + record.iter().take(self.structure).map(|f| f.matches('\n').count()).sum::<usize>();
        let (structure, notes) = match parse_noted(text) {
            Ok(crystal) => crystal,
            Err(error) => return Err(Rejection::new(&self.path, id, &error.below(before), text, before + 1)),
        };
        let mut properties = Properties { notes, ..Properties::default() };
        let is_property = |k: usize, name: &str| k != self.structure && Some(k) != self.id && !name.is_empty();
        for (k, name) in self.header.iter().enumerate().filter(|(k, name)| is_property(*k, name)) {
            let Some(value) = field(k) else { continue };
            if let Err(message) = set(&mut properties, name, value) {
                let error = FormatError::syntax(line, 0, message);
                return Err(Rejection::new(&self.path, id, &error, "", line));
            }
        }
        let id = id.unwrap_or_else(|| format!("{}#{}", self.stem, self.row));
        Ok(Record { id, structure, line, properties })
    }
}

/// Enters one field; a known number must be one.
fn set(properties: &mut Properties, name: &str, value: &str) -> Result<(), String> {
    if ["null", "none", "nan", "na"].iter().any(|n| value.eq_ignore_ascii_case(n)) {
        return Ok(());
    }
    let number = value.parse::<f64>().ok().filter(|x| x.is_finite());
    properties.enter(
        name,
        match (value.parse::<i64>(), number) {
            (Ok(n), _) => n.into(),
            (_, Some(x)) => x.into(),
            _ => value.into(),
        },
    )
}

/// The csv crate's error as one of ours.
fn fault(e: &::csv::Error, line: usize) -> FormatError {
    let line = e.position().map_or(line, |p| p.line() as usize);
    let message = match e.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => format!(
            "the row has {len} fields where the header has {expected_len}; check commas and quotes (a quote that is not closed runs on)"
        ),
        ErrorKind::Utf8 { err, .. } => {
            format!(
                "field {} is not UTF-8; if the file is Latin-1, convert it: iconv -f LATIN1 -t UTF-8",
                err.field() + 1
            )
        }
        ErrorKind::Io(e) => source::words(e),
        _ => e.to_string(),
    };
    FormatError::syntax(line, 0, message)
}
