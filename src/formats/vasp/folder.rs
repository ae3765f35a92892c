//! Folders of calculations: which files belong together, and the calculation that they describe.
//!
//! `vasprun.xml`, `OUTCAR` and `CONTCAR` of one folder are one calculation. Where a folder keeps several, a part that their names add
//! distinguishes them: `vasprun.relax1.xml.gz` belongs with `OUTCAR.relax1.gz`. Files that do not agree are not of one calculation: the one
//! with less information is refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Run;
use crate::FormatError;
use crate::{Rejection, outcar, poscar, source, vasprun};
use crystal::Structure;

/// Most that the free energies of one calculation's files differ, eV: the older OUTCAR has six decimals.
const SAME_ENERGY: f64 = 1e-5;
/// Most that a coordinate of CONTCAR differs from OUTCAR's, which has five decimals, Å.
const SAME_POSITION: f64 = 1e-4;

/// The files of one calculation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calculation {
    /// Its folder as seen from the one that was searched, with what its files' names add.
    pub name: String,
    /// `vasprun.xml`.
    pub vasprun: Option<PathBuf>,
    /// `OUTCAR`.
    pub outcar: Option<PathBuf>,
    /// `CONTCAR`, where one of the others is there.
    pub contcar: Option<PathBuf>,
}

impl Calculation {
    /// Its files.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.vasprun, &self.outcar, &self.contcar].into_iter().flatten()
    }
}

/// What was read of a calculation.
#[derive(Debug)]
pub struct Reading {
    /// Its result; `None` where no file could be read.
    pub run: Option<Run>,
    /// Files that were refused.
    pub refused: Vec<Rejection>,
}

/// What a file is, by its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Vasprun,
    Outcar,
    Contcar,
}

/// What a file is, and what its name adds: `vasprun.relax1.xml.gz` adds `relax1`.
fn kind(name: &str) -> Option<(Kind, String)> {
    let plain = name.strip_suffix(".gz").or(name.strip_suffix(".zst")).unwrap_or(name);
    let (kind, rest) = match plain {
        _ if plain.starts_with("vasprun") && plain.contains(".xml") => {
            (Kind::Vasprun, plain["vasprun".len()..].replacen(".xml", "", 1))
        }
        _ if plain.starts_with("OUTCAR") => (Kind::Outcar, plain["OUTCAR".len()..].to_owned()),
        _ if plain.starts_with("CONTCAR") => (Kind::Contcar, plain["CONTCAR".len()..].to_owned()),
        _ => return None,
    };
    Some((kind, rest.trim_start_matches(['.', '_', '-']).to_owned()))
}

/// The calculations below `root`, which may be one itself, in alphabetical order. Hidden folders are passed over, links to
/// folders are not followed.
///
/// # Errors
/// A folder that cannot be read, or without a calculation.
pub fn calculations(root: &Path) -> Result<Vec<Calculation>, FormatError> {
    if !root.is_dir() {
        return Err(FormatError::io(root, "no such folder; name one that holds folders of VASP calculations"));
    }
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        let mut entries = entries.map_err(|e| FormatError::io(&folder, e))?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        let mut here: BTreeMap<String, Calculation> = BTreeMap::new();
        for entry in &entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            if entry.file_type().is_ok_and(|t| t.is_dir()) {
                folders.push(entry.path());
            } else if let Some((kind, label)) = kind(&name).filter(|_| entry.path().is_file()) {
                let calculation = here.entry(label.clone()).or_insert_with(|| Calculation {
                    name: called(root, &folder, &label),
                    vasprun: None,
                    outcar: None,
                    contcar: None,
                });
                let place = match kind {
                    Kind::Vasprun => &mut calculation.vasprun,
                    Kind::Outcar => &mut calculation.outcar,
                    Kind::Contcar => &mut calculation.contcar,
                };
                // The plain file stands before its packed copy.
                place.get_or_insert_with(|| entry.path());
            }
        }
        found.extend(here.into_values().filter(|c| c.vasprun.is_some() || c.outcar.is_some()));
    }
    if found.is_empty() {
        return Err(FormatError::io(
            root,
            "no calculation here or below; expected vasprun.xml or OUTCAR (plain, .gz or .zst)",
        ));
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// A calculation's name: its folder below the root, or the root's own, and the label.
fn called(root: &Path, folder: &Path, label: &str) -> String {
    let below = folder.strip_prefix(root).unwrap_or(folder).to_string_lossy().replace('\\', "/");
    let own = || std::path::absolute(root).ok().and_then(|p| Some(p.file_name()?.to_string_lossy().into_owned()));
    match (below.is_empty(), label.is_empty()) {
        (true, true) => own().unwrap_or_else(|| "calculation".into()),
        (true, false) => label.to_owned(),
        (false, true) => below,
        (false, false) => format!("{below}/{label}"),
    }
}

/// Reads a calculation.
pub fn read_calculation(calculation: &Calculation) -> Reading {
    let name = &calculation.name;
    let mut refused = Vec::new();
    let mut refuse = |path: &Path, error: &FormatError| {
        refused.push(Rejection::new(path, Some(name.clone()), error, "", 1));
    };
    let mut run = None;
    if let Some(path) = &calculation.vasprun {
        match vasprun::read(path, name) {
            Ok(read) => run = Some(read),
            Err(error) => refuse(path, &error),
        }
    }
    if let Some(path) = &calculation.outcar {
        match (outcar::read(path, name), &mut run) {
            (Ok(report), None) => run = Some(report.run),
            (Ok(report), Some(run)) => {
                if let Err(message) = complete(run, report) {
                    refuse(path, &FormatError::syntax(0, 0, message));
                }
            }
            (Err(error), _) => refuse(path, &error),
        }
    }
    if let (Some(path), Some(run)) = (&calculation.contcar, &mut run) {
        match source::read_text(path).and_then(|text| poscar::parse(&text)) {
            Ok(structure) => {
                if let Err(message) = refine(run, structure) {
                    refuse(path, &FormatError::syntax(0, 0, message));
                }
            }
            Err(error) => refuse(path, &error),
        }
    }
    Reading { run, refused }
}

/// Adds what OUTCAR has and vasprun.xml lacks.
fn complete(run: &mut Run, report: outcar::Report) -> Result<(), String> {
    let other = report.run;
    if other.structure.species() != run.structure.species() || (other.free_energy - run.free_energy).abs() > SAME_ENERGY
    {
        return Err(format!(
            "not of the calculation of {} beside it: {} with a free energy of {} eV here, {} with {} eV there; give each \
             calculation a folder of its own",
            run.path.file_name().unwrap_or_default().to_string_lossy(),
            other.structure.composition(),
            other.free_energy,
            run.structure.composition(),
            run.free_energy
        ));
    }
    run.magmoms = other.magmoms;
    run.magnetization = other.magnetization;
    run.ionic_converged &= !report.stopped;
    if let Some(name) = &other.settings.dispersion {
        run.settings.name_dispersion(name);
    }
    Ok(())
}

/// Takes the positions of CONTCAR, which have more digits than those of OUTCAR, where they are the same.
fn refine(run: &mut Run, structure: Structure) -> Result<(), String> {
    if structure.species() != run.structure.species() {
        return Err(format!(
            "it holds {}, and the calculation beside it {}; give each calculation a folder of its own",
            structure.composition(),
            run.structure.composition()
        ));
    }
    let same = |a: &[f64; 3], b: &[f64; 3]| a.iter().zip(b).all(|(x, y)| (x - y).abs() < SAME_POSITION);
    let rows = run.structure.lattice().rows().iter().zip(structure.lattice().rows()).all(|(a, b)| same(a, b));
    // Whole lattice vectors apart is the same place.
    let near = |a: &[f64; 3], b: &[f64; 3]| {
        let apart: [f64; 3] = std::array::from_fn(|k| (a[k] - b[k]) - (a[k] - b[k]).round());
        same(&structure.lattice().to_cartesian(apart), &[0.0; 3])
    };
    let sites = run.structure.frac_coords().iter().zip(structure.frac_coords()).all(|(a, b)| near(a, b));
    // After a relaxation that was stopped, CONTCAR is where the ions would have gone next.
    if rows && sites {
        run.structure = structure;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_a_file_is() {
        let of = |name: &str| kind(name).map(|(_, label)| label);
        assert_eq!(of("vasprun.xml").as_deref(), Some(""));
        assert_eq!(of("vasprun.relax1.xml.gz").as_deref(), Some("relax1"));
        assert_eq!(of("vasprun.xml.relax1.gz").as_deref(), Some("relax1"));
        assert_eq!(of("OUTCAR.relax1.gz").as_deref(), Some("relax1"));
        assert_eq!(of("OUTCAR").as_deref(), Some(""));
        assert_eq!((of("vasprun.h5"), of("POSCAR"), of("outcar.py")), (None, None, None));
    }

    #[test]
    fn folders_become_calculations() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let files =
            ["host/vasprun.xml.gz", "host/OUTCAR", "host/CONTCAR", "li/1/OUTCAR.gz", "li/2/POSCAR", ".old/OUTCAR"];
        for name in files {
            std::fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            std::fs::write(at(name), "x").unwrap();
        }
        std::fs::write(at("host/vasprun.xml"), "x").unwrap();
        let found = calculations(dir.path()).unwrap();
        let names: Vec<_> = found.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["host", "li/1"]);
        assert_eq!(found[0].vasprun, Some(at("host/vasprun.xml")), "the plain file, and not its packed copy");
        assert_eq!(found[0].files().count(), 3);
        let own = calculations(&at("host")).unwrap();
        assert_eq!(own[0].name, "host");
        assert!(calculations(&at("li/2")).unwrap_err().to_string().contains("expected vasprun.xml or OUTCAR"));
        assert!(calculations(&at("nothing")).unwrap_err().to_string().contains("no such folder"));
    }
}
