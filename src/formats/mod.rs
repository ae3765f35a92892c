//! Readers and writers of crystals: CIF, POSCAR, XDATCAR, extended XYZ, XSF, JSON of pymatgen, the Materials Project, OPTIMADE and ASE,
//! JSON lines, CSV, each plain, `.gz` or `.zst`; ASE's databases and trajectories, and Parquet. Calculations of VASP are read by [`vasp`].
//!
//! [`read_file`] turns a file into a stream of [`Record`]s, and what cannot be read into a [`Rejection`] that names the line and the
//! remedy; a bad record never hides the good ones. [`parse_structure`] reads one crystal of any text. [`to_cif`], [`to_symmetrised_cif`],
//! [`to_poscar`], [`to_json`], [`to_extxyz`] and [`AseDbWriter`] write what the readers read back. Beside crystals, what calculations
//! leave: [`read_volumetric`] reads densities on a grid, [`read_valences`] what their pseudopotentials count. No SQL.

mod ase;
mod ase_db;
mod cells;
mod chgcar;
mod cif;
mod csv;
mod error;
mod extxyz;
mod format;
mod frames;
pub mod hosts;
mod json;
mod mapping;
mod outcar;
mod parquet;
mod paths;
mod poscar;
mod potcar;
mod properties;
mod reading;
mod source;
mod species;
mod stated;
mod traj;
pub mod vasp;
mod vasprun;
mod xdatcar;
mod xsf;

use std::path::{Path, PathBuf};

use format::Open;

use crystal::{Disordered, Structure};

pub use ase_db::AseDbWriter;
pub use cells::rows;
pub use chgcar::{Quantity, Volumetric, read_volumetric};
pub use cif::{to_cif, to_symmetrised_cif};
pub use error::{FormatError, Position};
pub use extxyz::to_extxyz;
pub use format::{FORMATS, Format};
pub use json::record_of_row;
pub use json::{
    OPTIMADE_PREFIX, OPTIMADE_SPACE_GROUP, optimade_attribute, optimade_name, optimade_space_group, to_json,
    to_optimade,
};
pub use mapping::Mapping;
pub use paths::{Found, Input, Skipped, expand, search};
pub use poscar::to_poscar;
pub use potcar::read_valences;
pub use properties::{Note, Notes, Properties};
pub use reading::{Frames, Naming, Reading};
pub use source::{bytes_read, read_text};
pub use stated::{Place, STATED, Stated};

/// Most atoms of one crystal: a header that announces more is refused before anything is allocated.
pub const MAX_ATOMS: usize = crystal::MAX_SITES;

/// One crystal of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The file's own id (`mp-2657`); else the file's stem, with `#block` or `#row` where the file holds several crystals.
    pub id: String,
    /// The crystal.
    pub structure: Structure,
    /// Line of the file where the record begins, from 1.
    pub line: usize,
    /// Its other properties in the file.
    pub properties: Properties,
}

/// A record that was refused, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejection {
    /// The file.
    pub path: PathBuf,
    /// Line of the fault, from 1; 0 where the file could not be read at all.
    pub line: usize,
    /// The record's id, where it was read before the fault.
    pub id: Option<String>,
    /// What was expected, what was found, and the remedy.
    pub reason: String,
    /// The offending line, cut to 120 characters, where it is at hand.
    pub raw_hint: Option<String>,
    /// The average crystal and its properties, where it was refused only because of partially occupied sites.
    pub disordered: Option<Box<(Disordered, Properties)>>,
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path.display(), self.reason),
            line => write!(f, "{}:{line}: {}", self.path.display(), self.reason),
        }
    }
}

impl Rejection {
    /// The refusal as a message.
    pub fn plain(path: impl Into<PathBuf>, line: usize, id: Option<String>, reason: impl Into<String>) -> Self {
        Self { path: path.into(), line, id, reason: reason.into(), raw_hint: None, disordered: None }
    }

    /// The error counts the lines of the file; `text` holds those from `first` on, as far as they are at hand.
    fn new(path: &Path, id: Option<String>, error: &FormatError, text: &str, first: usize) -> Self {
        let at = error.position().unwrap_or_default();
        let message = match error {
            FormatError::Io { source, .. } => source.to_string(),
            FormatError::Syntax { message, .. } => message.clone(),
            FormatError::Crystal { source, .. } => source.to_string(),
        };
        let reason = match at.column {
            0 => message,
            column => format!("column {column}: {message}"),
        };
        let hint = |line: &str| line.trim().chars().take(120).collect::<String>();
        let line = at.line.checked_sub(first).and_then(|n| text.lines().nth(n));
        let raw_hint = line.map(hint).filter(|hint| !hint.is_empty());
        Self { raw_hint, ..Self::plain(path, at.line, id, reason) }
    }

    /// As [`Rejection::new`], with the crystal where its sites are only shared.
    fn of(path: &Path, id: Option<String>, refused: Refused, properties: Properties, text: &str, first: usize) -> Self {
        let disordered = refused.disordered.map(|crystal| Box::new((*crystal, properties)));
        Self { disordered, ..Self::new(path, id, &refused.error, text, first) }
    }
}

/// Why there is no crystal, and the average one where partially occupied sites are the only fault.
#[derive(Debug)]
struct Refused {
    error: FormatError,
    disordered: Option<Box<Disordered>>,
}

impl From<FormatError> for Refused {
    fn from(error: FormatError) -> Self {
        Self { error, disordered: None }
    }
}

/// Records and rejections in the order of the file.
pub type Records = Box<dyn Iterator<Item = Result<Record, Rejection>> + Send>;

/// Reads a file: the format by its name ([`Format::of`]), else by its text; compression by its first bytes. JSON lines, CSV,
/// extended XYZ and the databases of ASE stream; a CIF or JSON file is held in memory as text and read crystal by crystal.
pub fn read_file(path: &Path) -> Records {
    read(&Input::new(path), &Reading::default())
}

/// As [`read_file`], with the name that [`expand`] gave the file's crystal, and with the choices of `reading`.
pub fn read(input: &Input, reading: &Reading) -> Records {
    let path = &input.path;
    let opened = match Format::of(path).map(|format| &format.open) {
        Some(Open::File(open)) => open(input, reading),
        Some(Open::Text(of)) => source::read_text(path).map(|text| (of.records)(input, text, reading)),
        None => source::read_text(path).map(|text| (Format::of_text(&text).records)(input, text, reading)),
    };
    let records =
        opened.unwrap_or_else(|error| Box::new(std::iter::once(Err(Rejection::new(path, None, &error, "", 1)))));
    reading::named(records, input, reading.naming)
}

/// Records of a format in which crystals have their place, under the names of a mapping.
fn plain(records: Records, input: &Input, mapping: &Mapping) -> Records {
    mapping::mapped(records, input, mapping, |_| false)
}

/// Reads one crystal from text that looks like a CIF, a JSON structure or a POSCAR.
///
/// # Errors
/// Where the text departs from the format it looks like, where it holds several crystals, or what the crystal lacks.
pub fn parse_structure(text: &str) -> Result<Structure, FormatError> {
    parse_noted(text).map(|(structure, _)| structure)
}

/// As [`parse_structure`], with how the crystal differs from the text.
fn parse_noted(text: &str) -> Result<(Structure, Notes), FormatError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(FormatError::syntax(1, 0, "the text is empty; expected a CIF, a POSCAR or a JSON structure"));
    }
    (Format::of_text(text).parse)(text)
}

/// The name of a file without directories, compression and format: `a/b.cif.gz` is `b`.
fn stem(path: &Path) -> String {
    let name = path.file_name().map_or_else(Default::default, |n| n.to_string_lossy().into_owned());
    let mut stem = name.as_str();
    let extensions = FORMATS.into_iter().flat_map(|format| format.extensions);
    for extension in ["gz", "zst"].iter().chain(extensions) {
        let suffix = format!(".{extension}");
        match stem.len().checked_sub(suffix.len()).and_then(|at| stem.split_at_checked(at)) {
            Some((shorter, end)) if !shorter.is_empty() && end.eq_ignore_ascii_case(&suffix) => stem = shorter,
            _ => {}
        }
    }
    stem.to_owned()
}

/// A crystal error at a line.
fn at_line(line: usize) -> impl Fn(crystal::CrystalError) -> FormatError {
    move |source| FormatError::Crystal { at: Position { line, column: 0 }, source }
}
