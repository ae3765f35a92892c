//! A directory of CIFs, one per row: the name is the row's `id`, made safe for a file system and unique in the directory.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::SchemaRef;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::Exporter;
use crate::columns::StructureColumn;
use crate::error::ReportError;
use crate::formats::to_cif;

/// Writes each row's structure to `DIR/<id>.cif`. A row whose structure is NULL has nothing to write and is passed over.
pub(super) struct CifFolder {
    folder: PathBuf,
    structure: usize,
    id: Option<usize>,
    used: HashMap<String, usize>,
    row: usize,
}

impl CifFolder {
    /// The structure is that of [`structure_column`]; the name comes from column `id`.
    pub fn create(folder: &Path, schema: &SchemaRef) -> Result<Self, ReportError> {
        let structure = structure_column(schema).ok_or_else(|| {
            ReportError::Format(
                "no column holds a structure; select one, for instance SELECT id, structure FROM tmo".into(),
            )
        })?;
        std::fs::create_dir_all(folder).map_err(|e| ReportError::io(folder, &e))?;
        Ok(Self { folder: folder.into(), structure, id: schema.index_of("id").ok(), used: HashMap::new(), row: 0 })
    }

    fn file_name(&mut self, id: &str) -> String {
        let safe: String =
            id.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect();
        let safe = match safe.trim_start_matches('.') {
            "" => "structure".to_string(),
            name => name.to_string(),
        };
        // Folded to lower case, because some file systems do not tell `A.cif` from `a.cif`.
        let n = self.used.entry(safe.to_lowercase()).and_modify(|n| *n += 1).or_insert(1);
        if *n == 1 { format!("{safe}.cif") } else { format!("{safe}-{n}.cif") }
    }
}

/// The column with the crystals: that of the name `structure`, else the first of that type.
pub fn structure_column(schema: &SchemaRef) -> Option<usize> {
    let fits =
        |i: &usize| StructureColumn::try_new(&arrow::array::new_empty_array(schema.field(*i).data_type())).is_ok();
    schema.index_of("structure").ok().filter(fits).or_else(|| (0..schema.fields().len()).find(fits))
}

impl Exporter for CifFolder {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        let structures = StructureColumn::try_new(batch.column(self.structure)).map_err(ReportError::Format)?;
        let options = FormatOptions::default();
        let ids = self.id.map(|i| ArrayFormatter::try_new(batch.column(i), &options)).transpose()?;
        for row in 0..batch.num_rows() {
            self.row += 1;
            let Some(structure) = structures.get(row) else { continue };
            let id = match (&ids, self.id) {
                (Some(ids), Some(i)) if !batch.column(i).is_null(row) => ids.value(row).try_to_string()?,
                _ => format!("row-{}", self.row),
            };
            let structure = structure.map_err(|e| ReportError::Format(format!("{id}: {e}")))?;
            let name = self.file_name(&id);
            let path = self.folder.join(name);
            std::fs::write(&path, to_cif(&structure, &id)).map_err(|e| ReportError::io(&path, &e))?;
        }
        Ok(())
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
    use crate::columns::StructureBuilder;
    use crate::crystal::{Element, Lattice, Structure};

    #[test]
    fn rows_become_files_with_safe_unique_names() {
        let lattice = Lattice::from_parameters(4.594, 4.594, 2.959, 90.0, 90.0, 90.0).unwrap();
        let (ti, o) = (Element::from_symbol("Ti").unwrap(), Element::from_symbol("O").unwrap());
        let rutile = Structure::new(
            lattice,
            vec![ti, ti, o, o, o, o],
            vec![
                [0.0; 3],
                [0.5; 3],
                [0.305, 0.305, 0.0],
                [0.695, 0.695, 0.0],
                [0.195, 0.805, 0.5],
                [0.805, 0.195, 0.5],
            ],
        )
        .unwrap();
        let mut column = StructureBuilder::new(4);
        (0..3).for_each(|_| column.append(&rutile));
        column.append_null();
        let ids = StringArray::from(vec![Some("../mp 2657"), Some("a"), Some("A"), Some("none")]);
        let batch = RecordBatch::try_from_iter_with_nullable([
            ("id", Arc::new(ids) as ArrayRef, true),
            ("s", Arc::new(column.finish()) as ArrayRef, true),
        ])
        .unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut folder = Box::new(CifFolder::create(dir.path(), &batch.schema()).unwrap());
        folder.write(&batch).unwrap();
        folder.finish().unwrap();
        let mut names: Vec<_> =
            std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names, ["A-2.cif", "_mp_2657.cif", "a.cif"]);
        let text = std::fs::read_to_string(dir.path().join("a.cif")).unwrap();
        let back = crate::formats::parse_structure(&text).unwrap();
        assert_eq!(crate::crystal::content_hash(&back), crate::crystal::content_hash(&rutile));
    }

    #[test]
    fn a_result_without_structures_is_refused() {
        let batch = RecordBatch::try_from_iter([("id", Arc::new(StringArray::from(vec!["a"])) as ArrayRef)]).unwrap();
        let error = CifFolder::create(Path::new("unused"), &batch.schema()).err().unwrap().to_string();
        assert!(error.contains("select one"), "{error}");
    }
}
