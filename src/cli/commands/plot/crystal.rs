//! The one crystal of a picture: by its id in a table, or out of a file.

use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray};
use datafusion::prelude::{cast, col};

use crate::cli::CliError;
use crate::cli::args::OneCrystal;
use crate::cli::commands::session;
use crate::cli::console::note;
use crate::columns::StructureColumn;
use crate::crystal::{DEFAULT_SYMPREC, Structure, Symmetry};
use crate::formats;
use crate::report::plots::labels;
use crate::sql::{quoted_name, quoted_text};

/// A crystal and what it is called.
pub struct Named {
    /// Its id.
    pub id: String,
    /// The crystal as it stands in its table or file.
    pub structure: Structure,
    /// Its symmetry at 0.1 Å, where there is a consistent one.
    pub symmetry: Option<Symmetry>,
}

impl Named {
    fn new(id: String, structure: Structure) -> Self {
        let symmetry = Symmetry::of(&structure, DEFAULT_SYMPREC).ok();
        Self { id, structure, symmetry }
    }

    /// `rutile · TiO₂ · P4₂/mnm`.
    pub(crate) fn title(&self) -> String {
        let formula = labels::formula(&self.structure.composition().reduced_formula());
        let group = self.symmetry.as_ref().map(|s| format!(" · {}", labels::spacegroup(&s.symbol))).unwrap_or_default();
        format!("{} · {formula}{group}", self.id)
    }

    /// The file asked for; else `ID-structure.svg` in the current folder, with `_` for what file systems do not take.
    pub(crate) fn out(&self, args: &OneCrystal, picture: &str) -> PathBuf {
        let usual = || {
            let keep = |c: char| if c.is_alphanumeric() || "-.".contains(c) { c } else { '_' };
            format!("{}-{picture}.svg", self.id.chars().map(keep).collect::<String>()).into()
        };
        args.out.clone().unwrap_or_else(usual)
    }
}

/// The crystal that the command names.
///
/// # Errors
/// Neither a file nor an id of the table, in which case the ids most like it are named; a file without a crystal or with
/// several.
pub(crate) async fn find(store: Option<&Path>, args: &OneCrystal) -> Result<Named, CliError> {
    let path = Path::new(&args.id);
    if path.is_file() {
        return from_file(path);
    }
    let (_, session) = session(store, args.at).await?;
    let table = quoted_name(&args.table);
    let id = quoted_text(&args.id);
    let query =
        format!("SELECT structure FROM {table} WHERE id = {id} AND structure IS NOT NULL ORDER BY structure_hash");
    let batches = session.sql(&query).await?.collect().await?;
    let rows: usize = batches.iter().map(arrow::array::RecordBatch::num_rows).sum();
    if let Some(batch) = batches.iter().find(|b| b.num_rows() > 0) {
        if rows > 1 {
            note(&format!(
                "{rows} crystals of {} have the id {}: this is the first by structure_hash",
                args.table, args.id
            ));
        }
        let column = StructureColumn::try_new(batch.column(0).as_ref()).map_err(CliError::Failed)?;
        if let Some(structure) = column.get(0) {
            return Ok(Named::new(args.id.clone(), structure.map_err(|e| CliError::Below(e.into()))?));
        }
    }
    let query = format!("SELECT id FROM {table} ORDER BY levenshtein(lower(id), lower({id})), id LIMIT 3");
    let frame = session.sql(&query).await?.with_column("id", cast(col("id"), arrow::datatypes::DataType::Utf8))?;
    let mut close = Vec::new();
    for batch in frame.collect().await? {
        let ids = batch.column(0).as_string::<i32>();
        close.extend((0..ids.len()).map(|i| ids.value(i).to_string()));
    }
    let close =
        if close.is_empty() { "the table is empty".into() } else { format!("most like it: {}", close.join(", ")) };
    Err(CliError::Failed(format!(
        "no crystal of {} has the id '{}', and no file that name; {close}",
        args.table, args.id
    )))
}

fn from_file(path: &Path) -> Result<Named, CliError> {
    let mut records = formats::read_file(path);
    let first = match records.next() {
        Some(Ok(record)) => record,
        Some(Err(rejection)) => return Err(CliError::Failed(rejection.to_string())),
        None => return Err(CliError::Failed(format!("{}: there is no crystal in it", path.display()))),
    };
    if records.next().is_some() {
        return Err(CliError::Failed(format!(
            "{}: there are several crystals in it: import them, and name one by its id",
            path.display()
        )));
    }
    Ok(Named::new(first.id, first.structure))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::At;
    use crate::crystal::{Element, Lattice};

    #[test]
    fn a_crystal_is_titled_and_its_file_named_safely() {
        let lattice = Lattice::from_parameters(3.905, 3.905, 3.905, 90.0, 90.0, 90.0).unwrap();
        let species = ["Sr", "Ti", "O", "O", "O"].map(|s| Element::from_symbol(s).unwrap()).to_vec();
        let places = vec![[0.5; 3], [0.0; 3], [0.5, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.5]];
        let crystal = Named::new("a/b c".into(), Structure::new(lattice, species, places).unwrap());
        assert_eq!(crystal.title(), "a/b c · SrTiO₃ · Pm3\u{305}m");
        let mut args = OneCrystal { id: "x".into(), table: "tmo".into(), out: None, at: At { snapshot: None } };
        assert_eq!(crystal.out(&args, "xrd"), PathBuf::from("a_b_c-xrd.svg"));
        args.out = Some("y.png".into());
        assert_eq!(crystal.out(&args, "xrd"), PathBuf::from("y.png"));
    }
}
