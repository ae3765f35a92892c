//! Which files are meant, and which format a file or a text is of.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use super::{source, stem};
use crate::error::FormatError;

/// A format that [`super::read_file`] reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Crystallographic Information File: `.cif`.
    Cif,
    /// VASP's structure: `.poscar`, `.vasp`, `POSCAR*`, `CONTCAR*`.
    Poscar,
    /// One JSON document, or an array of them: `.json`.
    Json,
    /// One JSON document a line: `.jsonl`, `.ndjson`.
    JsonLines,
    /// A table with a column of structures: `.csv`.
    Csv,
    /// Extended XYZ, one or more frames with a lattice: `.xyz`, `.extxyz`.
    ExtXyz,
    /// A database of ASE in SQLite: `.db`.
    AseDb,
    /// Columns, read by [`crate::columns::read`]: `.parquet`, `.pq`.
    Parquet,
}

impl Format {
    /// The format that a file's name announces, compression (`.gz`, `.zst`) aside.
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let name = name.strip_suffix(".gz").or(name.strip_suffix(".zst")).unwrap_or(&name);
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        match extension {
            "cif" => Some(Self::Cif),
            "poscar" | "vasp" => Some(Self::Poscar),
            "json" => Some(Self::Json),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            "csv" => Some(Self::Csv),
            "xyz" | "extxyz" => Some(Self::ExtXyz),
            "db" => Some(Self::AseDb),
            "parquet" | "pq" => Some(Self::Parquet),
            _ if name.starts_with("poscar") || name.starts_with("contcar") => Some(Self::Poscar),
            _ => None,
        }
    }

    /// The format that a text looks like: POSCAR by the numbers of its lines 2 to 5, whatever its comment says; else JSON or CIF
    /// by the first line that is no comment; else POSCAR.
    pub(super) fn of_text(text: &str) -> Self {
        let numbers = |line: &str| line.split_whitespace().map_while(|w| w.parse::<f64>().ok()).count();
        let mut counts = text.lines().skip(1).map(numbers);
        if counts.next().is_some_and(|n| n > 0) && counts.take(3).filter(|n| *n >= 3).count() == 3 {
            return Self::Poscar;
        }
        let line = text.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with('#')).unwrap_or("");
        let word = line.split_whitespace().next().unwrap_or("").to_ascii_lowercase();
        if line.starts_with(['{', '[']) {
            Self::Json
        } else if word.starts_with("data_") || word.starts_with('_') || word == "loop_" {
            Self::Cif
        } else {
            Self::Poscar
        }
    }
}

/// A file to read, and the name of its crystal where the file's own name says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The file.
    pub path: PathBuf,
    /// Id of a record that does not name itself: the file's stem; for `POSCAR` and `CONTCAR` the folder of the calculation,
    /// as seen from the folder that was asked for (`mp-2657/relax`).
    pub name: String,
}

impl Input {
    /// A file asked for by name.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let name = calculation(&path).and_then(|_| folder_name(path.parent()?)).unwrap_or_else(|| stem(&path));
        Self { path, name }
    }

    /// A file found below `root`.
    fn below(root: &Path, path: PathBuf) -> Self {
        let folder = calculation(&path).and_then(|_| path.parent()?.strip_prefix(root).ok());
        let name = folder.filter(|f| !f.as_os_str().is_empty()).map(|f| f.to_string_lossy().replace('\\', "/"));
        match name {
            Some(name) => Self { path, name },
            None => Self::new(path),
        }
    }
}

/// The name of a folder, `.` and `..` looked up.
fn folder_name(folder: &Path) -> Option<String> {
    let absolute = std::path::absolute(folder).ok()?;
    Some(absolute.file_name()?.to_string_lossy().into_owned())
}

/// Whether a file is the start (`POSCAR`) or the end (`CONTCAR`) of a VASP calculation, by its name.
fn calculation(path: &Path) -> Option<Calculation> {
    let name = path.file_name()?.to_str()?;
    match name.strip_suffix(".gz").or(name.strip_suffix(".zst")).unwrap_or(name) {
        "POSCAR" => Some(Calculation::Start),
        "CONTCAR" => Some(Calculation::End),
        _ => None,
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Calculation {
    Start,
    End,
}

/// The files that `paths` mean: a file as it is, a directory's files of known formats (subdirectories too, hidden ones
/// aside), or a glob pattern's matches. Each file once, directories and globs in alphabetical order. A folder of a VASP
/// calculation is one crystal: where it holds several of `CONTCAR`, `POSCAR` and their packed copies, the relaxed `CONTCAR`
/// is read, unless it is empty, as it is until the first step of a relaxation has ended.
///
/// # Errors
/// A path that does not exist, a directory or a pattern without a readable file.
pub fn expand<P: AsRef<Path>>(paths: &[P]) -> Result<Vec<Input>, FormatError> {
    let mut inputs = Vec::new();
    for path in paths.iter().map(AsRef::as_ref) {
        let text = path.to_string_lossy();
        let mut found = Vec::new();
        if path.is_dir() {
            walk(path, path, &mut found)?;
        } else if path.exists() {
            found.push(Input::new(path));
        } else if text.contains(['*', '?', '[']) {
            let options = glob::MatchOptions { require_literal_leading_dot: true, ..Default::default() };
            let matches = glob::glob_with(&text, options).map_err(|e| io(path, format!("not a glob pattern: {e}")))?;
            let root = literal(path);
            for matched in matches {
                let matched = matched.map_err(|e| io(e.path(), e.error().to_string()))?;
                if matched.is_dir() {
                    walk(&root, &matched, &mut found)?;
                } else {
                    found.push(Input::below(&root, matched));
                }
            }
        } else {
            return Err(io(path, "no such file or directory".into()));
        }
        if found.is_empty() {
            let known = ".cif, .poscar, .vasp, .json, .jsonl, .csv, .xyz, .extxyz (plain, .gz or .zst), .db, .parquet, \
                         POSCAR* or CONTCAR*";
            return Err(io(path, format!("no file here that can be read; expected {known}")));
        }
        inputs.extend(one_a_calculation(found));
    }
    let mut seen = HashSet::new();
    inputs.retain(|input| seen.insert(input.path.clone()));
    Ok(inputs)
}

/// The part of a pattern before its first wildcard.
fn literal(pattern: &Path) -> PathBuf {
    pattern.components().take_while(|c| !c.as_os_str().to_string_lossy().contains(['*', '?', '['])).collect()
}

/// Leaves of each folder of a calculation the one file that stands for it.
fn one_a_calculation(inputs: Vec<Input>) -> Vec<Input> {
    let folder = |input: &Input| calculation(&input.path).and(input.path.parent().map(Path::to_owned));
    let mut best: HashMap<PathBuf, (Calculation, PathBuf)> = HashMap::new();
    for input in &inputs {
        let (Some(of), Some(folder)) = (calculation(&input.path), folder(input)) else { continue };
        if of == Calculation::End && is_empty(&input.path) {
            continue;
        }
        // The first of equals: the plain file stands before its packed copy.
        match best.get(&folder) {
            Some((known, _)) if *known >= of => {}
            _ => drop(best.insert(folder, (of, input.path.clone()))),
        }
    }
    let chosen = |input: &Input| {
        let best = folder(input).and_then(|folder| best.get(&folder));
        best.is_none_or(|(_, path)| *path == input.path)
    };
    inputs.into_iter().filter(chosen).collect()
}

/// Whether a file holds nothing. One that cannot be read is not empty: reading it will say why.
fn is_empty(path: &Path) -> bool {
    use std::io::Read;
    fs::metadata(path).is_ok_and(|m| m.len() == 0)
        || source::open(path).is_ok_and(|mut reader| matches!(reader.read(&mut [0]), Ok(0)))
}

/// Files of known formats below a directory. Links to directories are not followed: they may form a ring.
fn walk(root: &Path, directory: &Path, found: &mut Vec<Input>) -> Result<(), FormatError> {
    let entries = fs::read_dir(directory).map_err(|e| io(directory, e.to_string()))?;
    let mut entries = entries.collect::<Result<Vec<_>, _>>().map_err(|e| io(directory, e.to_string()))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type().is_ok_and(|t| t.is_dir()) {
            walk(root, &path, found)?;
        } else if Format::of(&path).is_some() && path.is_file() {
            found.push(Input::below(root, path));
        }
    }
    Ok(())
}

fn io(path: &Path, message: String) -> FormatError {
    FormatError::Io { path: path.to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_announce_formats() {
        for (name, format) in [
            ("a.cif", Some(Format::Cif)),
            ("A.CIF.GZ", Some(Format::Cif)),
            ("x/POSCAR", Some(Format::Poscar)),
            ("CONTCAR_relaxed.zst", Some(Format::Poscar)),
            ("a.vasp", Some(Format::Poscar)),
            ("POSCAR.json", Some(Format::Json)),
            ("t.jsonl.gz", Some(Format::JsonLines)),
            ("notes.txt", None),
        ] {
            assert_eq!(Format::of(Path::new(name)), format, "{name}");
        }
    }

    #[test]
    fn directories_globs_and_files_become_one_list() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        let paths =
            |paths: &[PathBuf]| -> Vec<PathBuf> { expand(paths).unwrap().into_iter().map(|i| i.path).collect() };
        for name in ["b.cif", "a.json", "notes.txt", ".hidden.cif", "sub/POSCAR"] {
            fs::write(at(name), "x").unwrap();
        }
        assert_eq!(paths(&[dir.path().to_owned()]), [at("a.json"), at("b.cif"), at("sub/POSCAR")]);
        assert_eq!(paths(&[at("*.cif"), at("b.cif")]), [at("b.cif")]);
        assert_eq!(paths(&[at("notes.txt")]), [at("notes.txt")]);
        assert!(expand(&[at("missing.cif")]).unwrap_err().to_string().contains("no such file"));
        assert!(expand(&[at("*.vasp")]).unwrap_err().to_string().contains("expected .cif"));
    }

    #[test]
    fn a_folder_of_a_calculation_is_one_crystal_named_after_it() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let files = [
            ("tio2/relax/POSCAR", "start"),
            ("tio2/relax/CONTCAR", "end"),
            ("tio2/relax/POSCAR_first", "other"),
            ("tio2/static/CONTCAR", ""),
            ("tio2/static/POSCAR", "start"),
            ("wo3/POSCAR", "start"),
            ("wo3/POSCAR.zst", "start"),
            ("POSCAR", "start"),
        ];
        for (name, text) in files {
            fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            fs::write(at(name), text).unwrap();
        }
        let found = |pattern: &str| -> Vec<(String, String)> {
            let relative = |p: &Path| p.strip_prefix(dir.path()).unwrap().to_string_lossy().into_owned();
            expand(&[at(pattern)]).unwrap().into_iter().map(|i| (relative(&i.path), i.name)).collect()
        };
        let pair = |path: &str, name: &str| (path.to_owned(), name.to_owned());
        let here = folder_name(dir.path()).unwrap();
        assert_eq!(
            found(""),
            [
                pair("POSCAR", &here),
                pair("tio2/relax/CONTCAR", "tio2/relax"),
                pair("tio2/relax/POSCAR_first", "POSCAR_first"),
                pair("tio2/static/POSCAR", "tio2/static"),
                pair("wo3/POSCAR", "wo3"),
            ]
        );
        assert_eq!(found("tio2/*/*CAR"), [pair("tio2/relax/CONTCAR", "relax"), pair("tio2/static/POSCAR", "static")]);
        assert_eq!(
            found("tio2/*"),
            [
                pair("tio2/relax/CONTCAR", "relax"),
                pair("tio2/relax/POSCAR_first", "POSCAR_first"),
                pair("tio2/static/POSCAR", "static"),
            ]
        );
        // Asked for by name, a start is what it is.
        assert_eq!(found("tio2/relax/POSCAR"), [pair("tio2/relax/POSCAR", "relax")]);
    }
}
