//! A directory with one file per crystal: the name is the row's `id`, made safe for a file system and unique in the directory.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::Exporter;
use super::crystals::{Crystal, Crystals};
use crate::ReportError;
use formats::{to_cif, to_poscar, to_symmetrised_cif};

/// What the files of a directory are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    /// CIF in P1, every atom listed.
    Cif,
    /// CIF of the asymmetric unit, its symmetry found with this tolerance, Å.
    SymmetrisedCif(f64),
    /// POSCAR of VASP 5.
    Poscar,
}

/// Writes each row's structure to `DIR/<id>.cif` or `DIR/<id>.vasp`. A row whose structure is NULL is passed over.
pub(super) struct Folder {
    kind: Kind,
    folder: PathBuf,
    crystals: Crystals,
    used: HashMap<String, usize>,
}

impl Folder {
    /// The name of a file comes from column `id`.
    ///
    /// # Errors
    /// No column holds a structure, or the folder cannot be made.
    pub fn create(kind: Kind, folder: &Path, schema: &SchemaRef) -> Result<Self, ReportError> {
        let crystals = Crystals::of(schema)?;
        std::fs::create_dir_all(folder).map_err(|e| ReportError::io(folder, e))?;
        Ok(Self { kind, folder: folder.into(), crystals, used: HashMap::new() })
    }
}

/// `id` as the name of a file that is not yet among those `used`.
fn file_name(used: &mut HashMap<String, usize>, id: &str, extension: &str) -> String {
    let safe: String =
        id.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect();
    let safe = match safe.trim_start_matches('.') {
        "" => "structure".to_string(),
        name => name.to_string(),
    };
    // Folded to lower case, because some file systems do not distinguish `A.cif` from `a.cif`.
    let n = used.entry(safe.to_lowercase()).and_modify(|n| *n += 1).or_insert(1);
    if *n == 1 { format!("{safe}.{extension}") } else { format!("{safe}-{n}.{extension}") }
}

impl Exporter for Folder {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        let Self { kind, folder, crystals, used } = self;
        crystals.each(batch, |Crystal { id, structure, .. }| {
            let (extension, text) = match *kind {
                Kind::Cif => ("cif", to_cif(&structure, &id)),
                Kind::SymmetrisedCif(symprec) => {
                    let text = to_symmetrised_cif(&structure, &id, symprec);
                    ("cif", text.map_err(|e| ReportError::Format(format!("{id}: {e}")))?)
                }
                Kind::Poscar => ("vasp", to_poscar(&structure, &id)),
            };
            let path = folder.join(file_name(used, &id, extension));
            std::fs::write(&path, text).map_err(|e| ReportError::io(&path, e))
        })
    }

    fn finish(self: Box<Self>) -> Result<(), ReportError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};

    use super::*;
    use columns::StructureBuilder;
    use crystal::{Structure, content_hash};
    use formats::{hosts::host, parse_structure};

    fn rutile() -> Structure {
        host("rutile").unwrap()
    }

    /// The names of the files that three rutiles and a NULL become, and the text of the file of `a`.
    fn written(kind: Kind, extension: &str) -> (Vec<String>, String) {
        let mut column = StructureBuilder::new(4);
        (0..3).for_each(|_| column.append(&rutile()));
        column.append_null();
        let ids = StringArray::from(vec![Some("../mp 2657"), Some("a"), Some("A"), Some("none")]);
        let batch = RecordBatch::try_from_iter_with_nullable([
            ("id", Arc::new(ids) as ArrayRef, true),
            ("s", Arc::new(column.finish()) as ArrayRef, true),
        ])
        .unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut folder = Box::new(Folder::create(kind, dir.path(), &batch.schema()).unwrap());
        folder.write(&batch).unwrap();
        folder.finish().unwrap();
        let mut names: Vec<_> =
            std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        (names, std::fs::read_to_string(dir.path().join(format!("a.{extension}"))).unwrap())
    }

    #[test]
    fn rows_become_files_with_safe_unique_names() {
        let (names, cif) = written(Kind::Cif, "cif");
        assert_eq!(names, ["A-2.cif", "_mp_2657.cif", "a.cif"]);
        let (names, poscar) = written(Kind::Poscar, "vasp");
        assert_eq!(names, ["A-2.vasp", "_mp_2657.vasp", "a.vasp"]);
        for text in [cif, poscar] {
            assert_eq!(content_hash(&parse_structure(&text).unwrap()), content_hash(&rutile()));
        }
        let (_, symmetrised) = written(Kind::SymmetrisedCif(0.01), "cif");
        assert!(symmetrised.contains("'P 42/m n m'") && symmetrised.lines().count() < 45, "{symmetrised}");
        assert_eq!(parse_structure(&symmetrised).unwrap().len(), 6);
    }

    #[test]
    fn a_result_without_structures_is_refused() {
        let batch = RecordBatch::try_from_iter([("id", Arc::new(StringArray::from(vec!["a"])) as ArrayRef)]).unwrap();
        let error = Folder::create(Kind::Cif, Path::new("unused"), &batch.schema()).err().unwrap().to_string();
        assert!(error.contains("select one"), "{error}");
    }
}
