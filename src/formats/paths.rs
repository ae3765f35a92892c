//! From paths to the files to read and their formats.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use super::{Format, Frames, source, stem};
use crate::FormatError;
use crystal::explained;

/// A file to read, and the name of its crystal where the file's own name is generic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The file.
    pub path: PathBuf,
    /// Id of a record that does not name itself: the file's stem; for `POSCAR`, `CONTCAR` and `XDATCAR` the folder of the
    /// calculation, relative to the requested folder (`mp-2657/relax`).
    pub name: String,
    /// The path as it was given, or found below a folder that was.
    pub given: String,
}

impl Input {
    /// A file given by name.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let name = calculation(&path).and_then(|_| folder_name(path.parent()?)).unwrap_or_else(|| stem(&path));
        let given = path.to_string_lossy().into_owned();
        Self { path, name, given }
    }

    /// A file found below `root`.
    fn below(root: &Path, path: PathBuf) -> Self {
        let folder = calculation(&path).and_then(|_| path.parent()?.strip_prefix(root).ok());
        let name = folder.filter(|f| !f.as_os_str().is_empty()).map(|f| f.to_string_lossy().replace('\\', "/"));
        match name {
            Some(name) => Self { name, ..Self::new(path) },
            None => Self::new(path),
        }
    }
}

/// The name of a folder, `.` and `..` looked up.
fn folder_name(folder: &Path) -> Option<String> {
    let absolute = std::path::absolute(folder).ok()?;
    Some(absolute.file_name()?.to_string_lossy().into_owned())
}

/// Whether a file is the start (`POSCAR`), the way (`XDATCAR`) or the end (`CONTCAR`) of a VASP calculation, by its name.
fn calculation(path: &Path) -> Option<Calculation> {
    let name = path.file_name()?.to_str()?;
    match name.strip_suffix(".gz").or(name.strip_suffix(".zst")).unwrap_or(name) {
        "POSCAR" => Some(Calculation::Start),
        "CONTCAR" => Some(Calculation::End),
        "XDATCAR" => Some(Calculation::Way),
        _ => None,
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Calculation {
    Way,
    Start,
    End,
}

/// The files of some paths.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The files to read, in order.
    pub inputs: Vec<Input>,
    /// Files beside them that are of no format read here.
    pub skipped: Skipped,
}

/// Files of folders that are of no format read here. As text, their names, and of many of a kind their number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Skipped(Vec<PathBuf>);

/// Kinds of files that are named.
const NAMED: usize = 8;

impl Skipped {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Display for Skipped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let kind = |path: &Path| match path.extension() {
            Some(extension) => format!("*.{}", extension.to_string_lossy()),
            None => name(path),
        };
        let mut kinds: Vec<(String, String, usize)> = Vec::new();
        for path in &self.0 {
            let kind = kind(path);
            match kinds.iter_mut().find(|(known, ..)| *known == kind) {
                Some((.., n)) => *n += 1,
                None => kinds.push((kind, name(path), 1)),
            }
        }
        for (i, (kind, name, n)) in kinds.iter().take(NAMED).enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            match n {
                1 => write!(f, "{comma}{name}")?,
                n => write!(f, "{comma}{n} {kind}")?,
            }
        }
        match kinds.iter().skip(NAMED).map(|(.., n)| n).sum::<usize>() {
            0 => Ok(()),
            n => write!(f, " and {n} others"),
        }
    }
}

/// The files that `paths` mean: a file as it is, a directory's files of known formats (subdirectories too, hidden ones
/// aside), or a glob pattern's matches. Each file once, directories and globs in alphabetical order. A folder of a VASP
/// calculation is one crystal: where it holds several of `CONTCAR`, `POSCAR`, `XDATCAR` and their packed copies, the relaxed
/// `CONTCAR` is read, unless it is empty, as it is until the first step of a relaxation has ended; an `XDATCAR` where there is
/// nothing else.
///
/// # Errors
/// A path that does not exist, a directory or a pattern without a readable file.
pub fn expand<P: AsRef<Path>>(paths: &[P]) -> Result<Vec<Input>, FormatError> {
    search(paths, Frames::Last).map(|found| found.inputs)
}

/// As [`expand`], with the files that are left out. Where other frames than the last are requested, the `XDATCAR` of a calculation is read.
///
/// # Errors
/// As [`expand`].
pub fn search<P: AsRef<Path>>(paths: &[P], frames: Frames) -> Result<Found, FormatError> {
    let (mut inputs, mut skipped) = (Vec::new(), Vec::new());
    for path in paths.iter().map(AsRef::as_ref) {
        let text = path.to_string_lossy();
        let mut found = Vec::new();
        if path.is_dir() {
            walk(path, path, &mut found, &mut skipped)?;
        } else if path.exists() {
            found.push(Input::new(path));
        } else if text.contains(['*', '?', '[']) {
            let options = glob::MatchOptions { require_literal_leading_dot: true, ..Default::default() };
            let matches = glob::glob_with(&text, options)
                .map_err(|e| FormatError::io(path, explained(format!("not a glob pattern: {e}"), e)))?;
            let root = literal(path);
            for matched in matches {
                let matched = matched.map_err(|e| FormatError::io(e.path().to_owned(), std::io::Error::from(e)))?;
                if matched.is_dir() {
                    walk(&root, &matched, &mut found, &mut skipped)?;
                } else {
                    found.push(Input::below(&root, matched));
                }
            }
        } else {
            return Err(FormatError::io(path, "no such file or directory"));
        }
        if found.is_empty() {
            let known = Format::files();
            let instead = match skipped.is_empty() {
                true => String::new(),
                false => format!(", found {}", Skipped(skipped)),
            };
            return Err(FormatError::io(path, format!("no file here that can be read; expected {known}{instead}")));
        }
        inputs.extend(one_a_calculation(found, frames));
    }
    let mut seen = HashSet::new();
    inputs.retain(|input| seen.insert(input.path.clone()));
    skipped.retain(|path| seen.insert(path.clone()));
    Ok(Found { inputs, skipped: Skipped(skipped) })
}

/// The part of a pattern before its first wildcard.
fn literal(pattern: &Path) -> PathBuf {
    pattern.components().take_while(|c| !c.as_os_str().to_string_lossy().contains(['*', '?', '['])).collect()
}

/// Keeps one file of each folder of a calculation.
fn one_a_calculation(inputs: Vec<Input>, frames: Frames) -> Vec<Input> {
    let wanted = |of: Calculation| (frames != Frames::Last && of == Calculation::Way, of);
    let folder = |input: &Input| calculation(&input.path).and(input.path.parent().map(Path::to_owned));
    let mut best: HashMap<PathBuf, (Calculation, PathBuf)> = HashMap::new();
    for input in &inputs {
        let (Some(of), Some(folder)) = (calculation(&input.path), folder(input)) else { continue };
        if of != Calculation::Start && is_empty(&input.path) {
            continue;
        }
        // The first of equals: the plain file stands before its packed copy.
        match best.get(&folder) {
            Some((known, _)) if wanted(*known) >= wanted(of) => {}
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
fn walk(root: &Path, directory: &Path, found: &mut Vec<Input>, skipped: &mut Vec<PathBuf>) -> Result<(), FormatError> {
    let entries = fs::read_dir(directory).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
    let mut entries = entries.map_err(|e| FormatError::io(directory, e))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type().is_ok_and(|t| t.is_dir()) {
            walk(root, &path, found, skipped)?;
        } else if path.is_file() {
            match Format::of(&path) {
                Some(_) => found.push(Input::below(root, path)),
                None => skipped.push(path),
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn files_that_are_not_read_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        for name in ["a.cif", "notes.txt", "INCAR", "sub/1.log", "sub/2.log", ".hidden"] {
            fs::write(at(name), "x").unwrap();
        }
        let found = search(&[dir.path(), dir.path()], Frames::Last).unwrap();
        assert_eq!((found.inputs.len(), found.skipped.len()), (1, 4));
        assert_eq!(found.skipped.to_string(), "INCAR, notes.txt, 2 *.log");
        assert!(search(&[at("sub")], Frames::Last).unwrap_err().to_string().ends_with("found 2 *.log"));
        let many = Skipped((0..20).map(|k| format!("f{k}").into()).collect());
        assert_eq!(many.to_string(), "f0, f1, f2, f3, f4, f5, f6, f7 and 12 others");
    }

    #[test]
    fn a_trajectory_stands_for_its_calculation_where_its_frames_are_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for name in ["a/POSCAR", "a/XDATCAR", "a/CONTCAR", "b/XDATCAR", "c/POSCAR", "c/XDATCAR"] {
            fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            fs::write(at(name), "x").unwrap();
        }
        let found = |frames| -> Vec<PathBuf> {
            search(&[dir.path()], frames).unwrap().inputs.into_iter().map(|i| i.path).collect()
        };
        assert_eq!(found(Frames::Last), [at("a/CONTCAR"), at("b/XDATCAR"), at("c/POSCAR")]);
        assert_eq!(found(Frames::All), [at("a/XDATCAR"), at("b/XDATCAR"), at("c/XDATCAR")]);
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
        // Given by name, a POSCAR is read.
        assert_eq!(found("tio2/relax/POSCAR"), [pair("tio2/relax/POSCAR", "relax")]);
    }
}
