//! Which column of a table, or property of a record, holds what, where the names do not say so: `lattice=cell,positions=xyz,id=name`.
//!
//! Tables and documents (Parquet, CSV, JSON) may have anything under other names; in the other formats, whose crystals have a fixed place,
//! only ids and properties are mapped.

use std::{path::PathBuf, str::FromStr};

use serde_json::Value;

use super::{
    Input, Record, Records, Rejection, STATED, Stated,
    properties::{IDS, text},
    stem,
};

/// Which column holds what, where the names do not say so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mapping(Vec<(String, String)>);

/// The parts of a crystal that a column may hold, and the name under which a document has them.
const PARTS: [(&str, &str); 9] = [
    ("structure", "structure"),
    ("cif", "cif"),
    ("poscar", "poscar"),
    ("lattice", "lattice"),
    ("sites", "sites"),
    ("species", "species"),
    ("numbers", "numbers"),
    ("frac_coords", "frac_coords"),
    ("positions", "cartesian_site_positions"),
];

/// What a column may be mapped to, and the name under which a document has it.
fn targets() -> impl Iterator<Item = (&'static str, &'static str)> {
    let properties = STATED.iter().map(|stated| (stated.name, stated.name));
    std::iter::once(("id", "id")).chain(properties).chain(PARTS)
}

impl FromStr for Mapping {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pair = |pair: &str| {
            let (target, column) =
                pair.split_once('=').ok_or_else(|| format!("'{pair}' is not a pair; expected WHAT=COLUMN"))?;
            let (target, column) = (target.trim(), column.trim());
            let Some((_, name)) = targets().find(|(known, _)| *known == target) else {
                let known: Vec<&str> = targets().map(|(known, _)| known).collect();
                return Err(format!("nothing is called '{target}'; a column may hold {}", known.join(", ")));
            };
            Ok((name.to_owned(), column.to_owned()))
        };
        let pairs: Vec<(String, String)> =
            text.split(',').filter(|p| !p.trim().is_empty()).map(pair).collect::<Result<_, _>>()?;
        let twice = pairs.iter().enumerate().find(|(k, (target, _))| pairs[..*k].iter().any(|(t, _)| t == target));
        match twice {
            Some((_, (target, _))) => Err(format!("'{target}' is given two columns; expected one")),
            None => Ok(Self(pairs)),
        }
    }
}

impl Mapping {
    /// The same with a column of ids.
    ///
    /// # Errors
    /// Another column of ids.
    pub fn with_id(mut self, column: &str) -> Result<Self, String> {
        match self.column("id") {
            Some(known) if known != column => Err(format!("ids are to come from '{column}' and from '{known}'")),
            Some(_) => Ok(self),
            None => {
                self.0.push(("id".into(), column.into()));
                Ok(self)
            }
        }
    }

    /// What is mapped, as a document names it, and its column.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(target, column)| (target.as_str(), column.as_str()))
    }

    /// The column of what a document calls `target`.
    pub(crate) fn column(&self, target: &str) -> Option<&str> {
        self.pairs().find(|(t, _)| *t == target).map(|(_, column)| column)
    }

    /// What a document calls the content of `column`: `column` itself where it is not mapped, nothing where its name has been given
    /// to another.
    pub(super) fn renamed<'a>(&'a self, column: &'a str) -> Option<&'a str> {
        match self.pairs().find(|(_, c)| *c == column) {
            Some((target, _)) => Some(target),
            None if self.column(column).is_some() => None,
            None => Some(column),
        }
    }

    /// The parts of a crystal alone, which tables and documents read under other names.
    pub(super) fn parts(&self) -> Self {
        Self(self.0.iter().filter(|(target, _)| is_part(target)).cloned().collect())
    }
}

fn is_part(target: &str) -> bool {
    PARTS.iter().any(|(_, part)| *part == target)
}

/// The records of a file whose properties are called otherwise. `own`: what the reader itself has looked up.
pub(super) fn mapped(records: Records, input: &Input, mapping: &Mapping, own: impl Fn(&str) -> bool) -> Records {
    let pairs: Vec<Pair> = mapping
        .pairs()
        .filter(|(target, _)| !own(target))
        .map(|(target, column)| Pair { target: target.into(), column: column.into(), seen: false })
        .collect();
    if let Some(Pair { target, column, .. }) = pairs.iter().find(|pair| is_part(&pair.target)) {
        let reason =
            format!("--map {target}={column}: in this format a crystal stands in no column that could be named");
        return Box::new(std::iter::once(Err(refusal(&input.path, 0, None, reason))));
    }
    if pairs.is_empty() {
        return records;
    }
    let files = [input.name.clone(), stem(&input.path)];
    Box::new(Mapped { records, path: input.path.clone(), files, pairs, names: None, ended: false })
}

struct Pair {
    target: String,
    column: String,
    /// Whether any record had it.
    seen: bool,
}

struct Mapped {
    records: Records,
    path: PathBuf,
    /// Names that records have of their file.
    files: [String; 2],
    pairs: Vec<Pair>,
    /// What the first record has.
    names: Option<String>,
    ended: bool,
}

fn refusal(path: &std::path::Path, line: usize, id: Option<String>, reason: String) -> Rejection {
    Rejection::plain(path, line, id, reason)
}

impl Iterator for Mapped {
    type Item = Result<Record, Rejection>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.records.next() {
            Some(Ok(record)) => Some(self.apply(record)),
            Some(Err(rejection)) => Some(Err(rejection)),
            None if self.ended => None,
            None => {
                self.ended = true;
                self.unseen().map(Err)
            }
        }
    }
}

impl Mapped {
    fn apply(&mut self, mut record: Record) -> Result<Record, Rejection> {
        let names = || record.properties.extra.keys().cloned().collect::<Vec<_>>().join(", ");
        self.names.get_or_insert_with(names);
        let values: Vec<Option<Value>> = self.pairs.iter().map(|pair| value_of(&record, &pair.column)).collect();
        for pair in &self.pairs {
            record.properties.extra.remove(&pair.column);
        }
        for (pair, value) in self.pairs.iter_mut().zip(values) {
            pair.seen |= value.is_some();
            let entered = match (pair.target.as_str(), value) {
                ("id", Some(value)) => {
                    rename(&mut record, text(&value), &self.files);
                    Ok(())
                }
                ("id", None) => Err(format!("it has no '{}' to name it, as --map id= or --id asks", pair.column)),
                (target, value) => {
                    // What it had under that name is replaced.
                    if let Some(stated) = Stated::called(target) {
                        stated.forget(&mut record.properties);
                    }
                    value.map_or(Ok(()), |value| record.properties.enter(target, value))
                }
            };
            entered.map_err(|reason| refusal(&self.path, record.line, Some(record.id.clone()), reason))?;
        }
        Ok(record)
    }

    /// A property that no record had: a name that was mistyped.
    fn unseen(&self) -> Option<Rejection> {
        let names = self.names.as_ref()?;
        let Pair { target, column, .. } = self.pairs.iter().find(|pair| !pair.seen && pair.target != "id")?;
        let names = if names.is_empty() { "none" } else { names.as_str() };
        let reason =
            format!("--map {target}={column}: no record of the file has '{column}'; properties of the first: {names}");
        Some(refusal(&self.path, 0, None, reason))
    }
}

/// Renames a record; a name of its own, not that of its file, stays as its name in the source.
fn rename(record: &mut Record, id: String, files: &[String; 2]) {
    let own = std::mem::replace(&mut record.id, id);
    let of_file =
        |file: &String| own.strip_prefix(file.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('#'));
    if own != record.id && !files.iter().any(of_file) {
        record.properties.extra.entry("source_id").or_insert_with(|| own.into());
    }
}

/// A property of a record under the name that its file gives it.
fn value_of(record: &Record, column: &str) -> Option<Value> {
    let extra = &record.properties.extra;
    if extra.contains_key(column) {
        return extra.get(column).cloned().filter(|value| !value.is_null());
    }
    match Stated::called(column) {
        Some(stated) => stated.value(&record.properties),
        // The reader has named the record by it.
        None => IDS.contains(&column).then(|| record.id.clone().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reading, read};

    fn of(name: &str, text: &str, map: &str) -> Vec<Result<Record, Rejection>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        let reading = Reading { mapping: map.parse().unwrap(), ..Reading::default() };
        read(&Input::new(path), &reading).collect()
    }

    const FRAME: &str = "1\nLattice=\"3 0 0 0 3 0 0 0 3\" mpid=mp-1 gap_hse=2.5 band_gap=1.0 energy=-3\nPo 0 0 0\n";
    const DOCUMENT: &str = r#"{"id": "x", "name": "mp-1", "cell": [[3,0,0],[0,3,0],[0,0,3]], "numbers": [84], "frac_coords": [[0,0,0]],
        "gap_hse": 2.5, "band_gap": 1.0}"#;

    #[test]
    fn properties_of_every_format_may_be_called_otherwise() {
        let table = format!("label,xyz,gap_hse,band_gap,id\nmp-1,\"{}\",2.5,1.0,7\n", to_cif());
        for (name, text, map) in [
            ("a.xyz", FRAME, "id=mpid,band_gap=gap_hse"),
            ("a.json", DOCUMENT, "id=name,lattice=cell,band_gap=gap_hse"),
            ("a.csv", table.as_str(), "id=label,cif=xyz,band_gap=gap_hse"),
        ] {
            let read = of(name, text, map);
            assert_eq!(read.len(), 1, "{name}: {read:?}");
            let record = read[0].as_ref().unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!((record.id.as_str(), record.properties.band_gap), ("mp-1", Some(2.5)), "{name}");
            assert!(!record.properties.extra.contains_key("gap_hse"), "{name}");
        }
    }

    fn to_cif() -> String {
        let lattice = crystal::Lattice::from_parameters(3.0, 3.0, 3.0, 90.0, 90.0, 90.0).unwrap();
        let po = crystal::Element::from_symbol("Po").unwrap();
        let structure = crystal::Structure::new(lattice, vec![po], vec![[0.0; 3]]).unwrap();
        crate::to_cif(&structure, "po")
    }

    #[test]
    fn a_name_that_nothing_has_is_said() {
        let said = |name: &str, text: &str, map: &str| {
            let read = of(name, text, map);
            let reasons: Vec<String> = read.into_iter().filter_map(Result::err).map(|r| r.to_string()).collect();
            assert_eq!(reasons.len(), 1, "{name} {map}: {reasons:?}");
            reasons[0].clone()
        };
        assert!(said("a.xyz", FRAME, "id=mpdi").contains("it has no 'mpdi' to name it"));
        assert!(
            said("a.xyz", FRAME, "band_gap=gap")
                .contains("no record of the file has 'gap'; properties of the first: energy")
        );
        assert!(said("a.xyz", FRAME, "band_gap=mpid").contains("band_gap is 'mp-1'"));
        assert!(said("a.xyz", FRAME, "lattice=cell").contains("stands in no column"));
        assert!(said("a.cif", &to_cif(), "id=name").contains("no 'name' to name it"));
        assert!(said("a.json", DOCUMENT, "id=label,lattice=cell").contains("no 'label' to name it"));
        assert!(said("a.csv", "x,cif\n1,2\n", "id=label").contains("no column 'label'"));
        assert!("id=a,id=b".parse::<Mapping>().unwrap_err().contains("two columns"));
        assert!("id=a".parse::<Mapping>().unwrap().with_id("b").is_err());
    }
}
