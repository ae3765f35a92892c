//! What a format is, and the list of those that are read. To add one, write its file with a `FORMAT`, and a line in [`FORMATS`]:
//! imports, `read_structures`, the texts that functions take, and the lists in messages follow.

use std::path::Path;

use super::{Input, Notes, Reading, Records, ase_db, cif, csv, extxyz, json, parquet, poscar, traj, xdatcar, xsf};
use crate::FormatError;
use crystal::Structure;

/// A format that [`super::read_file`] reads.
#[derive(Debug)]
pub struct Format {
    /// Its name in messages.
    pub name: &'static str,
    /// Extensions of its files, in lower case.
    pub extensions: &'static [&'static str],
    /// How the names of its files begin where they have no extension of ours, in lower case.
    pub begins: &'static [&'static str],
    /// Whether its files may be packed: `.gz`, `.zst`.
    pub packed: bool,
    pub(super) open: Open,
}

/// How a file becomes records.
#[derive(Debug)]
pub(super) enum Open {
    /// It is held in memory as a text, which may also come without a file.
    Text(Text),
    /// It is read by the name of its file only.
    File(fn(&Input, &Reading) -> Result<Records, FormatError>),
}

/// How a text is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    /// Whether a text without a file name looks like one.
    pub looks: fn(&str) -> bool,
    /// All its crystals, as those of a file.
    pub records: fn(&Input, String, &Reading) -> Records,
    /// Its one crystal, and how it differs from the text.
    pub parse: fn(&str) -> Result<(Structure, Notes), FormatError>,
}

/// Every format. A text is of the first that it looks like.
pub static FORMATS: [&Format; 11] = [
    &cif::FORMAT,
    // Its header is that of a POSCAR.
    &xdatcar::FORMAT,
    &poscar::FORMAT,
    &json::FORMAT,
    &json::LINES,
    &csv::FORMAT,
    &extxyz::FORMAT,
    &xsf::FORMAT,
    &ase_db::FORMAT,
    &traj::FORMAT,
    &parquet::FORMAT,
];

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Format {
    /// The format that a file's name announces, compression (`.gz`, `.zst`) aside.
    pub fn of(path: &Path) -> Option<&'static Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let name = name.strip_suffix(".gz").or(name.strip_suffix(".zst")).unwrap_or(&name);
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let by_extension = FORMATS.into_iter().find(|format| format.extensions.contains(&extension));
        let begins = |format: &Self| format.begins.iter().any(|begin| name.starts_with(begin));
        by_extension.or_else(|| FORMATS.into_iter().find(|format| begins(format)))
    }

    /// How a text of this format is read; `None` where it is read as a file only.
    pub(super) fn text(&self) -> Option<Text> {
        match &self.open {
            Open::Text(text) => Some(*text),
            Open::File(_) => None,
        }
    }

    /// How a text without a file name is read: as what it looks like, else as a POSCAR, so that errors name what is missing.
    pub(super) fn of_text(text: &str) -> Text {
        FORMATS.into_iter().filter_map(Self::text).find(|of| (of.looks)(text)).unwrap_or(poscar::TEXT)
    }

    /// The names of files that are read, for a message.
    pub(super) fn files() -> String {
        let extensions = |packed: bool| {
            let formats = FORMATS.into_iter().filter(move |format| format.packed == packed);
            let names = formats.flat_map(|format| format.extensions).map(|extension| format!(".{extension}"));
            names.collect::<Vec<_>>().join(", ")
        };
        let begins = FORMATS.into_iter().flat_map(|format| format.begins).map(|b| format!("{}*", b.to_uppercase()));
        let begins = begins.collect::<Vec<_>>().join(", ");
        format!("{} or {begins} (plain, .gz or .zst), {}", extensions(true), extensions(false))
    }
}

/// The first line of a text that is neither empty nor a comment.
pub(super) fn first_line(text: &str) -> &str {
    text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#')).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    #[test]
    fn names_announce_formats() {
        for (name, format) in [
            ("a.cif", Some(&cif::FORMAT)),
            ("A.CIF.GZ", Some(&cif::FORMAT)),
            ("x/POSCAR", Some(&poscar::FORMAT)),
            ("CONTCAR_relaxed.zst", Some(&poscar::FORMAT)),
            ("a.vasp", Some(&poscar::FORMAT)),
            ("a.mcif.gz", Some(&cif::FORMAT)),
            ("x/XDATCAR", Some(&xdatcar::FORMAT)),
            ("POSCAR.json", Some(&json::FORMAT)),
            ("t.jsonl.gz", Some(&json::LINES)),
            ("notes.txt", None),
        ] {
            assert_eq!(Format::of(Path::new(name)), format, "{name}");
        }
    }

    #[test]
    fn texts_look_like_formats() {
        let cell = "data_x\n1.0\n3 0 0\n0 3 0\n0 0 3\nO\n1\nDirect\n0 0 0\n";
        let frames = cell.replace("Direct", "Direct configuration=     1");
        for (text, name) in [
            (cell, Some("POSCAR")),
            (cell.replace("data_x", "{").as_str(), Some("POSCAR")),
            (frames.as_str(), Some("XDATCAR")),
            ("# x\n\n Data_x\n1 2 3", Some("CIF")),
            ("_cell_length_a 3", Some("CIF")),
            ("loop_\n_x", Some("CIF")),
            (" [{}]", Some("JSON")),
            ("# x\n{}", Some("JSON")),
            ("rutile", None),
            ("2\nLattice=\"3 0 0 0 3 0 0 0 3\"\n", None),
        ] {
            let looks = |format: &&Format| format.text().is_some_and(|of| (of.looks)(text));
            assert_eq!(FORMATS.into_iter().find(looks).map(|format| format.name), name, "{text}");
        }
    }

    #[test]
    fn no_two_formats_have_a_name_or_a_file_in_common() {
        let names: HashSet<_> = FORMATS.into_iter().map(|format| format.name).collect();
        assert_eq!(names.len(), FORMATS.len());
        let mut seen = HashMap::new();
        for format in FORMATS {
            for end in format.extensions.iter().chain(format.begins) {
                let other = seen.insert(*end, format.name);
                assert!(other.is_none_or(|other| other == format.name) && *end == end.to_lowercase(), "{end}");
            }
        }
    }
}
