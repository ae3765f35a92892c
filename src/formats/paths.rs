//! Which files are meant, and which format a file or a text is of.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

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

/// The files that `paths` mean: a file as it is, a directory's files of known formats (subdirectories too, hidden ones
/// aside), or a glob pattern's matches. Each file once, directories and globs in alphabetical order.
///
/// # Errors
/// A path that does not exist, a directory or a pattern without a readable file.
pub fn expand<P: AsRef<Path>>(paths: &[P]) -> Result<Vec<PathBuf>, FormatError> {
    let mut files = Vec::new();
    for path in paths.iter().map(AsRef::as_ref) {
        let found = files.len();
        let text = path.to_string_lossy();
        if path.is_dir() {
            walk(path, &mut files)?;
        } else if path.exists() {
            files.push(path.to_owned());
        } else if text.contains(['*', '?', '[']) {
            let options = glob::MatchOptions { require_literal_leading_dot: true, ..Default::default() };
            let matches = glob::glob_with(&text, options).map_err(|e| io(path, format!("not a glob pattern: {e}")))?;
            for matched in matches {
                let matched = matched.map_err(|e| io(e.path(), e.error().to_string()))?;
                if matched.is_dir() { walk(&matched, &mut files)? } else { files.push(matched) }
            }
        } else {
            return Err(io(path, "no such file or directory".into()));
        }
        if files.len() == found {
            let known = ".cif, .poscar, .vasp, .json, .jsonl, .csv (plain, .gz or .zst), POSCAR* or CONTCAR*";
            return Err(io(path, format!("no file here that can be read; expected {known}")));
        }
    }
    let mut seen = HashSet::new();
    files.retain(|f| seen.insert(f.clone()));
    Ok(files)
}

/// Files of known formats below a directory. Links to directories are not followed: they may form a ring.
fn walk(directory: &Path, files: &mut Vec<PathBuf>) -> Result<(), FormatError> {
    let entries = fs::read_dir(directory).map_err(|e| io(directory, e.to_string()))?;
    let mut entries = entries.collect::<Result<Vec<_>, _>>().map_err(|e| io(directory, e.to_string()))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type().is_ok_and(|t| t.is_dir()) {
            walk(&path, files)?;
        } else if Format::of(&path).is_some() && path.is_file() {
            files.push(path);
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
        for name in ["b.cif", "a.json", "notes.txt", ".hidden.cif", "sub/POSCAR"] {
            fs::write(at(name), "x").unwrap();
        }
        assert_eq!(expand(&[dir.path()]).unwrap(), [at("a.json"), at("b.cif"), at("sub/POSCAR")]);
        assert_eq!(expand(&[at("*.cif"), at("b.cif")]).unwrap(), [at("b.cif")]);
        assert_eq!(expand(&[at("notes.txt")]).unwrap(), [at("notes.txt")]);
        assert!(expand(&[at("missing.cif")]).unwrap_err().to_string().contains("no such file"));
        assert!(expand(&[at("*.vasp")]).unwrap_err().to_string().contains("expected .cif"));
    }
}
