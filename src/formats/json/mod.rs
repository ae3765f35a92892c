//! JSON: pymatgen structures, Materials Project documents, entries of OPTIMADE, and flat rows of lattice, species and coordinates.
//!
//! Four shapes of one crystal are read, each with or without properties beside it:
//! ```text
//! {"lattice": {"matrix": [[..],[..],[..]]}, "sites": [{"species": [{"element": "O", "occu": 1}], "abc": [..]}]}   pymatgen
//! {"material_id": "mp-1", "structure": {...pymatgen...}, "formation_energy_per_atom": -1.2, ...}                 Materials Project
//! {"id": "mp-1", "lattice": [[..],[..],[..]], "species": ["Ti", ..], "frac_coords": [[..], ..], ...}            flat
//! {"id": "mp-1", "type": "structures", "attributes": {"lattice_vectors": .., "species_at_sites": .., ...}}      OPTIMADE
//! ```
//! A file holds one document, an array of them, an answer that wraps an array in `data`, or one after the other; `.jsonl` one
//! a line. Collections in one object are recognised by their [shape](shapes): structures by name, columns of pandas, rows of ASE.

mod ase;
mod document;
mod elements;
mod optimade;
mod shapes;
mod values;
mod writer;

use std::path::{Path, PathBuf};

use serde::de::DeserializeSeed;

use super::{
    Format, Input, Mapping, Notes, Properties, Record, Records, Refused, Rejection,
    cells::Cell,
    format::{Open, Text, first_line},
    mapping::mapped,
    source::Lines,
    stem,
};
use crate::FormatError;
use crystal::Structure;
use document::{Document, Named};
use elements::Elements;
use shapes::Part;

pub use optimade::{
    PREFIX as OPTIMADE_PREFIX, SPACE_GROUP as OPTIMADE_SPACE_GROUP, optimade_attribute, optimade_name,
    optimade_space_group, to_optimade,
};
pub use writer::to_json;

/// See [`Format`].
pub(super) static FORMAT: Format =
    Format { name: "JSON", extensions: &["json"], begins: &[], packed: true, open: Open::Text(TEXT) };

/// How such a text is read.
pub(super) const TEXT: Text = Text {
    looks: |text| first_line(text).starts_with(['{', '[']),
    records: |input, text, reading| own(records(&input.path, text, &reading.mapping), input, &reading.mapping),
    parse: parse_noted,
};

/// As [`FORMAT`], a document a line.
pub(super) static LINES: Format = Format {
    name: "JSON lines",
    extensions: &["jsonl", "ndjson"],
    begins: &[],
    packed: true,
    open: Open::File(|input, reading| {
        let mapping = &reading.mapping;
        Ok(own(records_of_lines(&input.path, Lines::open(&input.path)?, mapping), input, mapping))
    }),
};

/// Records under the names of a mapping, but for those of the crystal's parts, which the documents are read by.
fn own(records: Records, input: &Input, mapping: &Mapping) -> Records {
    let parts = mapping.parts();
    mapped(records, input, mapping, move |target| parts.column(target).is_some() || target == "id")
}

/// The one crystal of a JSON text, and how it differs from the text.
pub(super) fn parse_noted(text: &str) -> Result<(Structure, Notes), FormatError> {
    let mut elements = Elements::new(text);
    let Some((element, line, column)) = elements.next() else {
        return Err(FormatError::syntax(1, 0, "the array is empty; expected one structure"));
    };
    let document = document(element, line, column, &Mapping::default())?;
    let crystal = document.structure(line).map_err(|refused| refused.error)?;
    match elements.next() {
        Some((_, line, column)) => Err(FormatError::syntax(line, column, "a second document; expected one structure")),
        None => elements.finish().map(|()| crystal),
    }
}

/// Every document of a `.json` file.
pub(super) fn records(path: &Path, text: String, mapping: &Mapping) -> Records {
    let stem = stem(path);
    let path = path.to_owned();
    let mapping = mapping.clone();
    match shapes::of(&text, &mapping) {
        shapes::Shape::Plain => {}
        shapes::Shape::Parts(parts) => return of_parts(path, parts, mapping),
        shapes::Shape::Ase(rows) => return of_ase(path, rows, mapping),
    }
    let mut place = Elements::new(&text).place();
    let several = {
        let mut elements = Elements::new(&text);
        elements.next().is_some() && elements.next().is_some()
    };
    let (mut row, mut ended) = (0, false);
    Box::new(std::iter::from_fn(move || {
        loop {
            let mut elements = Elements::at(&text, place);
            let Some((element, line, column)) = elements.next() else {
                let end = elements.finish();
                let end =
                    if row == 0 && end.is_ok() { Err(FormatError::syntax(1, 0, "the array is empty")) } else { end };
                row += 1;
                let report = end.err().filter(|_| !ended).map(|e| Err(Rejection::new(&path, None, &e, "", 1)));
                ended = true;
                return report;
            };
            place = elements.place();
            row += 1;
            let id = || if several { format!("{stem}#{row}") } else { stem.clone() };
            match record(element, line, column, &mapping, id) {
                Ok(None) => {}
                Ok(Some(record)) => return Some(Ok(record)),
                Err(fault) => return Some(Err(fault.rejection(&path, element, line))),
            }
        }
    }))
}

/// Every document of a collection.
fn of_parts(path: PathBuf, parts: Vec<Part>, mapping: Mapping) -> Records {
    let stem = stem(&path);
    Box::new(parts.into_iter().enumerate().filter_map(move |(k, Part { text, key, line })| {
        let id = || key.unwrap_or_else(|| format!("{stem}#{}", k + 1));
        match record(&text, line, 1, &mapping, id) {
            Ok(record) => record.map(Ok),
            Err(fault) => Some(Err(fault.rejection(&path, &text, line))),
        }
    }))
}

/// Every row of a database of ASE.
fn of_ase(path: PathBuf, rows: Vec<Part>, mapping: Mapping) -> Records {
    let stem = stem(&path);
    Box::new(rows.into_iter().map(move |Part { text, key, line }| {
        let id = || format!("{stem}#{}", key.unwrap_or_default());
        let read = ase::record(&text, line, &mapping, id);
        read.map_err(|(id, error)| Rejection::new(&path, id, &error, "", line))
    }))
}

/// Every line of a `.jsonl` file.
pub(super) fn records_of_lines(path: &Path, mut lines: Lines, mapping: &Mapping) -> Records {
    let stem = stem(path);
    let mapping = mapping.clone();
    Box::new(std::iter::from_fn(move || {
        loop {
            let path = lines.path().to_owned();
            let (number, line) = lines.next()?;
            return Some(match line {
                Ok(text) => match record(text.trim_end(), number, 1, &mapping, || format!("{stem}#{number}")) {
                    Ok(None) => continue,
                    Ok(Some(record)) => Ok(record),
                    Err(fault) => Err(fault.rejection(&path, text, number)),
                },
                Err(error) => Err(Rejection::new(&path, None, &error, "", number)),
            });
        }
    }))
}

/// The record of one document that is row `row` of a table; none where it is about no crystal.
///
/// # Errors
/// Why it is none, with its place: text that is no JSON, a crystal that cannot exist.
pub fn record_of_row(text: &str, path: &Path, row: usize) -> Result<Option<Record>, Rejection> {
    record(text, row, 1, &Mapping::default(), || format!("{}#{row}", stem(path))).map_err(|mut fault| {
        // A row has no columns of text.
        if let FormatError::Syntax { message, .. } = &fault.refused.error {
            fault.refused.error = FormatError::syntax(row, 0, message.clone());
        }
        fault.rejection(path, "", row)
    })
}

/// As [`record_of_row`], of a row of columns.
pub(super) fn record_of_cells(row: Cell, path: &Path, number: usize) -> Result<Option<Record>, Rejection> {
    let document = Named(&Mapping::default()).deserialize(row);
    let document = document.map_err(|e| FormatError::syntax(number, 0, e.to_string()));
    settled(document, number, &Mapping::default(), || format!("{}#{number}", stem(path)))
        .map_err(|fault| fault.rejection(path, "", number))
}

/// Why a document is no record, and what is known of it.
struct Fault {
    id: Option<String>,
    properties: Properties,
    refused: Refused,
}

impl Fault {
    fn rejection(self, path: &Path, text: &str, first: usize) -> Rejection {
        Rejection::of(path, self.id, self.refused, self.properties, text, first)
    }
}

/// One document as a record; `id` names it where it does not name itself. None where it is about no crystal.
fn record(
    text: &str,
    line: usize,
    column: usize,
    mapping: &Mapping,
    id: impl FnOnce() -> String,
) -> Result<Option<Record>, Box<Fault>> {
    settled(document(text, line, column, mapping), line, mapping, id)
}

/// The record of a document that was read.
fn settled(
    document: Result<Document, FormatError>,
    line: usize,
    mapping: &Mapping,
    id: impl FnOnce() -> String,
) -> Result<Option<Record>, Box<Fault>> {
    let unread = |e: FormatError| Box::new(Fault { id: None, properties: Properties::default(), refused: e.into() });
    let mut document = document.map_err(unread)?;
    if document.is_aside() {
        return Ok(None);
    }
    if let (Some(name), None) = (mapping.column("id"), &document.id) {
        let message = format!("it has no '{name}' to name it, as --map id= or --id asks");
        return Err(unread(FormatError::syntax(line, 0, message)));
    }
    let id = document.id.take().unwrap_or_else(id);
    let mut properties = std::mem::take(&mut document.properties);
    match document.structure(line) {
        Ok((structure, notes)) => {
            properties.notes = notes;
            Ok(Some(Record { id, structure, line, properties }))
        }
        Err(refused) => Err(Box::new(Fault { id: Some(id), properties, refused })),
    }
}

/// Deserializes one document that begins at a line and column of the file, its members under the names of a mapping.
fn document<'a>(text: &'a str, line: usize, column: usize, mapping: &Mapping) -> Result<Document<'a>, FormatError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = Named(mapping).deserialize(&mut deserializer);
    read.and_then(|document| deserializer.end().map(|()| document)).map_err(|e| {
        let first_line = e.line() <= 1;
        let line = line + e.line().saturating_sub(1);
        let at = if first_line { column + e.column().saturating_sub(1) } else { e.column() };
        let message = e.to_string();
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(head, _)| head);
        let remedy = match e.classify() {
            serde_json::error::Category::Eof => "; the document is cut short",
            serde_json::error::Category::Syntax if message.contains("recursion") => {
                "; a structure needs no such nesting"
            }
            // Python writes NaN and Infinity, which are no JSON.
            serde_json::error::Category::Syntax if message.contains("expected value") => {
                " (NaN and Infinity are not JSON)"
            }
            _ => "",
        };
        FormatError::syntax(line, at, format!("{message}{remedy}"))
    })
}

#[cfg(test)]
mod tests;
