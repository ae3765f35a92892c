//! Extended XYZ: frames one after the other, each a count of atoms, a comment line of key-value pairs and a line for each atom.
//!
//! ```text
//! 2
//! Lattice="4.2 0 0 0 4.2 0 0 0 4.2" Properties=species:S:1:pos:R:3:forces:R:3 pbc="T T T" energy=-12.3
//! Mg 0.0 0.0 0.0  0.0 0.0 0.1
//! O  2.1 2.1 2.1  0.0 0.0 -0.1
//! ```
//! `Lattice` holds the rows a, b, c in Å; `Properties` names the columns, of which the element (`species` or `Z`) and the
//! Cartesian positions (`pos`, Å) are read. The rules of quoting are those of ASE. A file streams frame by frame, and a
//! broken frame costs itself alone: reading goes on at the next line that is nothing but a count.

mod comment;
mod writer;

use std::path::Path;

use super::{
    Format, MAX_ATOMS, Note, Properties, Record, Records, Rejection, at_line,
    format::Open,
    plain,
    source::Lines,
    species::{element_of_symbol, is_isotope},
    stem,
};
use crate::FormatError;
use crystal::CrystalError;
use crystal::{Element, Lattice, Structure};

pub use writer::to_extxyz;

/// See [`Format`].
pub(super) static FORMAT: Format = Format {
    name: "extended XYZ",
    extensions: &["xyz", "extxyz"],
    begins: &[],
    packed: true,
    open: Open::File(|input, reading| {
        Ok(plain(records(&input.path, Lines::open(&input.path)?), input, &reading.mapping))
    }),
};

/// Every frame of a file.
pub(super) fn records(path: &Path, lines: Lines) -> Records {
    Box::new(Frames { stem: stem(path), lines, frame: 0, held: false })
}

struct Frames {
    stem: String,
    lines: Lines,
    frame: usize,
    /// The current line is the count of the next frame.
    held: bool,
}

impl Iterator for Frames {
    type Item = Result<Record, Rejection>;

    fn next(&mut self) -> Option<Self::Item> {
        if !std::mem::take(&mut self.held) {
            match self.content()? {
                Ok(()) => {}
                Err(error) => return Some(Err(self.reject(None, &error))),
            }
        }
        self.frame += 1;
        let line = self.lines.number();
        let mut id = None;
        let read = self.frame(&mut id).and_then(|read| self.close(read.0).map(|last| (read, last)));
        Some(match read {
            Ok(((_, structure, properties), last)) => {
                let own = || {
                    if self.frame == 1 && last { self.stem.clone() } else { format!("{}#{}", self.stem, self.frame) }
                };
                Ok(Record { id: id.unwrap_or_else(own), structure, line, properties })
            }
            Err(error) => {
                let rejection = self.reject(id, &error);
                self.resume();
                Err(rejection)
            }
        })
    }
}

/// What the comment line says of the atoms' lines.
struct Header {
    lattice: Lattice,
    columns: Columns,
    properties: Properties,
}

/// Where an atom's line holds what, from 0.
#[derive(Debug, PartialEq)]
struct Columns {
    element: usize,
    /// Whether the element is an atomic number.
    by_number: bool,
    position: usize,
    /// How many there are.
    total: usize,
}

impl Frames {
    fn reject(&self, id: Option<String>, error: &FormatError) -> Rejection {
        let text = self.lines.current().unwrap_or("");
        Rejection::new(self.lines.path(), id, error, text, self.lines.number())
    }

    /// Moves to the next line that is not blank; `None` at the end.
    fn content(&mut self) -> Option<Result<(), FormatError>> {
        loop {
            match self.lines.advance()? {
                Ok(()) if self.lines.is_blank() => {}
                other => return Some(other),
            }
        }
    }

    /// Whether the current line is nothing but a count.
    fn is_count(&self) -> bool {
        self.lines.current().is_ok_and(|line| line.trim().parse::<usize>().is_ok())
    }

    /// Moves to where the next frame may begin.
    fn resume(&mut self) {
        self.held |= self.is_count() && self.lines.current().is_ok_and(|l| l.trim().parse::<usize>() != Ok(0));
        while !self.held {
            match self.lines.advance() {
                None | Some(Err(_)) => return,
                Some(Ok(())) => self.held = self.is_count(),
            }
        }
    }

    fn line(&mut self, expected: impl FnOnce() -> String) -> Result<(), FormatError> {
        self.lines.advance().unwrap_or_else(|| {
            let message = format!("the file ends here; expected {}", expected());
            Err(FormatError::syntax(self.lines.number(), 0, message))
        })
    }

    fn error(&self, message: impl Into<String>) -> FormatError {
        FormatError::syntax(self.lines.number(), 0, message)
    }

    /// Reads a frame whose count is the current line; `id` as soon as it is known.
    fn frame(&mut self, id: &mut Option<String>) -> Result<(usize, Structure, Properties), FormatError> {
        let begin = self.lines.number();
        let count = self.lines.current()?.trim();
        let natoms = match count.parse::<usize>() {
            Ok(0) => return Err(self.error("the frame has no atom")),
            Ok(n) if n <= MAX_ATOMS => n,
            Ok(n) => {
                let fault = self.error(format!("the frame announces {n} atoms, more than the {MAX_ATOMS} accepted"));
                // The count itself must not be taken for that of the frame to resume at.
                self.line(|| "the comment line".into())?;
                return Err(fault);
            }
            Err(_) => {
                return Err(self.error(format!("expected the number of atoms of a frame, found '{}'", clip(count))));
            }
        };
        self.line(|| "the comment line of a frame".into())?;
        let Header { lattice, columns, mut properties } = header(self.lines.current()?, self.lines.number())?;
        *id = properties.take_id();
        let (mut species, mut coords) = (Vec::with_capacity(natoms), Vec::with_capacity(natoms));
        let mut last: (String, Option<Element>) = Default::default();
        for i in 0..natoms {
            self.line(|| format!("atom {} of {natoms}", i + 1))?;
            if self.is_count() {
                return Err(
                    self.error(format!("the frame announces {natoms} atoms and has {i}; here the next one begins"))
                );
            }
            let (element, position) = atom(self.lines.current()?, &columns, &mut last)
                .map_err(|message| self.error(format!("atom {} of {natoms}: {message}", i + 1)))?;
            if is_isotope(&last.0) {
                properties.notes.insert(Note::Isotopes);
            }
            species.push(element);
            coords.push(lattice.to_fractional(position));
        }
        let structure = Structure::new(lattice, species, coords).map_err(|source| {
            let line = if let CrystalError::Overlap { j, .. } = &source { begin + 1 + j } else { begin };
            at_line(line)(source)
        })?;
        Ok((natoms, structure, properties))
    }

    /// Makes sure that a frame ends where its count says; whether the file ends there too.
    fn close(&mut self, natoms: usize) -> Result<bool, FormatError> {
        match self.content() {
            None => Ok(true),
            Some(Err(error)) => Err(error),
            Some(Ok(())) => {
                let found = clip(self.lines.current()?.trim());
                // One word is a count, or should be: the next frame's matter.
                self.held = found.split_whitespace().count() == 1;
                if self.held {
                    return Ok(false);
                }
                Err(self.error(format!(
                    "the frame announces {natoms} atoms, but here follows '{found}'; correct its count"
                )))
            }
        }
    }
}

/// Reads a comment line.
fn header(line: &str, number: usize) -> Result<Header, FormatError> {
    let syntax = |message: String| FormatError::syntax(number, 0, message);
    let (mut lattice, mut columns, mut properties) = (None, None, Properties::default());
    for (key, value) in comment::pairs(line).map_err(syntax)? {
        match key.as_str() {
            "Lattice" => lattice = Some(rows(&value).map_err(syntax)?),
            "Properties" => columns = Some(self::columns(&value).map_err(syntax)?),
            "pbc" => periodic(&value).map_err(syntax)?,
            _ => {
                if let Some(value) = comment::scalar(&value) {
                    properties.enter(&key, value).map_err(syntax)?;
                }
            }
        }
    }
    let Some(lattice) = lattice else {
        return Err(syntax(
            "the comment line has no Lattice: plain XYZ is a molecule; expected Lattice=\"ax ay az bx by bz cx cy cz\" in Å, \
             as ASE writes with format='extxyz' for atoms that have a cell"
                .into(),
        ));
    };
    let lattice = Lattice::new(lattice).map_err(at_line(number))?;
    let columns = columns.unwrap_or(Columns { element: 0, by_number: false, position: 1, total: 4 });
    Ok(Header { lattice, columns, properties })
}

fn rows(value: &str) -> Result<[[f64; 3]; 3], String> {
    let numbers: Vec<f64> = comment::words(value).map_while(|word| word.parse().ok()).collect();
    match (&numbers[..], comment::words(value).count()) {
        (&[ax, ay, az, bx, by, bz, cx, cy, cz], 9) => Ok([[ax, ay, az], [bx, by, bz], [cx, cy, cz]]),
        (_, n) => {
            Err(format!("Lattice has {n} values, '{}'; expected nine numbers, the rows a, b, c in Å", clip(value)))
        }
    }
}

/// Accepts what repeats in all three directions.
fn periodic(value: &str) -> Result<(), String> {
    let truths: Option<Vec<bool>> =
        comment::words(value).map(|w| comment::truth(w).or(w.parse::<u8>().ok().map(|n| n != 0))).collect();
    match truths.as_deref() {
        Some([true] | [true, true, true]) => Ok(()),
        Some([_] | [_, _, _]) => Err(format!(
            "pbc is '{value}': only crystals that repeat in three directions are accepted; where the cell of a slab or molecule \
             is meant to repeat, write pbc=\"T T T\""
        )),
        _ => Err(format!("pbc is '{}'; expected three of T and F", clip(value))),
    }
}

/// Reads `species:S:1:pos:R:3:forces:R:3`.
fn columns(value: &str) -> Result<Columns, String> {
    let fields: Vec<&str> = value.split(':').collect();
    let (triples, rest) = fields.as_chunks::<3>();
    if !rest.is_empty() {
        return Err(format!("Properties is '{}'; expected NAME:TYPE:COLUMNS for each property", clip(value)));
    }
    let (mut species, mut number, mut position, mut total) = (None, None, None, 0_usize);
    for [name, kind, width] in triples {
        let n = width.parse().ok().filter(|n| (1..=1000).contains(n));
        let n: usize = n.ok_or_else(|| format!("Properties: '{width}' is not a number of columns of '{name}'"))?;
        match (*name, *kind, n) {
            ("species", "S", 1) => species = Some(total),
            ("Z", "I", 1) => number = Some(total),
            ("pos", "R", 3) => position = Some(total),
            ("species" | "Z" | "pos", ..) => {
                return Err(format!("Properties has {name}:{kind}:{n}; expected species:S:1 or Z:I:1, and pos:R:3"));
            }
            (_, "R" | "I" | "S" | "L", _) => {}
            _ => return Err(format!("Properties: the type of '{name}' is '{kind}', expected R, I, S or L")),
        }
        total += n;
    }
    match (species.or(number), position) {
        (Some(element), Some(position)) => Ok(Columns { element, by_number: species.is_none(), position, total }),
        _ => Err(format!(
            "Properties '{}' names no elements or no positions; expected species:S:1 and pos:R:3",
            clip(value)
        )),
    }
}

/// The element and the Cartesian position of one line; `last` remembers the symbol above it.
fn atom(line: &str, columns: &Columns, last: &mut (String, Option<Element>)) -> Result<(Element, [f64; 3]), String> {
    let (mut element, mut position, mut found) = (None, [0.0; 3], 0);
    for (k, word) in line.split_ascii_whitespace().enumerate() {
        found = k + 1;
        if k == columns.element {
            if last.0 != word {
                let read = match (columns.by_number, word.parse::<i64>()) {
                    (true, Ok(z)) => Element::from_z(z),
                    (true, Err(_)) => return Err(format!("expected an atomic number, found '{}'", clip(word))),
                    (false, _) => element_of_symbol(word),
                };
                *last = (word.to_owned(), Some(read.map_err(|e| e.to_string())?));
            }
            element = last.1;
        } else if let Some(axis) = k.checked_sub(columns.position).filter(|axis| *axis < 3) {
            let x = word.parse().ok().filter(|x: &f64| x.is_finite());
            position[axis] = x.ok_or_else(|| format!("expected a finite coordinate, found '{}'", clip(word)))?;
        }
    }
    match element {
        Some(element) if found >= columns.total => Ok((element, position)),
        _ => Err(format!("the line has {found} columns; expected {}", columns.total)),
    }
}

fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests;
