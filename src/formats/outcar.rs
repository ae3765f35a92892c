//! `OUTCAR`: VASP's report, read line by line.
//!
//! It has what `vasprun.xml` lacks, magnetic moments and whether the user stopped the run, and fewer digits elsewhere:
//! positions to 1e-5 Å, forces to 1e-6 eV/Å. One without its last lines (the timing) is of a run that has not ended, or a
//! copy that was cut short, and is refused. Of two statements the last counts: VASP 6 begins with the settings requested and goes on with
//! those used.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::vasp::{self, Geometry, Kpoints, Run, Settings, Species, Tags};
use super::{at_line, source};
use crate::FormatError;
use crystal::ContentHash;

/// Tags that are taken where a line begins with them or they follow a semicolon.
const TAGS: [&str; 23] = [
    "ISPIN",
    "LNONCOLLINEAR",
    "LSORBIT",
    "LASPH",
    "METAGGA",
    "ENCUT",
    "NELM",
    "EDIFF",
    "EDIFFG",
    "NSW",
    "IBRION",
    "ISIF",
    "NELECT",
    "ISMEAR",
    "SIGMA",
    "GGA",
    "LHFCALC",
    "AEXX",
    "HFSCREEN",
    "LUSE_VDW",
    "IVDW",
    "LVDW",
    "ICHARG",
];

/// Lines within which VASP prints its version.
const FIRST_LINES: usize = 20;

/// The content of an OUTCAR.
pub(super) struct Report {
    /// The calculation.
    pub run: Run,
    /// Whether the user stopped it (STOPCAR).
    pub stopped: bool,
}

/// Reads a calculation under a name.
///
/// # Errors
/// Line and reason: where the text ends early, or lacks what a calculation has.
pub(super) fn read(path: &Path, name: &str) -> Result<Report, FormatError> {
    let mut lines = source::Lines::open(path)?;
    let (mut found, mut hash) = (Found::default(), Sha256::new());
    while let Some(advanced) = lines.advance() {
        advanced?;
        hash.update(lines.bytes());
        // Nothing is taken from lines that are not ASCII; were one of a table damaged, its rows would be too few.
        if let Ok(line) = lines.current() {
            let number = lines.number();
            found.line(line.trim_end(), number).map_err(|message| FormatError::syntax(number, 0, message))?;
        }
    }
    found.report(path, name, vasp::hash(hash), lines.number())
}

/// A table whose rows are being read.
#[derive(Default, Clone, Copy, PartialEq)]
enum Table {
    #[default]
    None,
    Cell,
    Fractions,
    /// Rows follow its second line of dashes.
    Forces {
        dashes: usize,
    },
    Moments {
        dashes: usize,
    },
}

#[derive(Default)]
struct Found {
    version: Option<String>,
    /// Whether a line was of VASP.
    known: bool,
    tags: Tags,
    potcars: Vec<String>,
    valences: Vec<f64>,
    counts: Vec<usize>,
    kpoints: Kpoints,
    table: Table,
    initial: Option<Geometry>,
    geometry: Geometry,
    forces: Vec<[f64; 3]>,
    moments: Vec<f64>,
    noncollinear: bool,
    magnetization: Option<f64>,
    stress: Option<[[f64; 3]; 3]>,
    inner: Option<f64>,
    free: Option<f64>,
    zero: Option<f64>,
    ionic: usize,
    electronic: usize,
    converged: bool,
    at_rest: bool,
    stopped: bool,
    ended: bool,
}

impl Found {
    fn line(&mut self, line: &str, number: usize) -> Result<(), String> {
        if self.version.is_none() && self.ionic == 0 {
            let version = line.trim().strip_prefix("vasp.").and_then(|rest| rest.split_whitespace().next());
            self.version = version.map(str::to_owned);
            // A custom build may not name its version.
            self.known |= version.is_some() || line.trim_start().starts_with("executed on");
            if !self.known && number >= FIRST_LINES {
                return Err(format!("none of the first {FIRST_LINES} lines is VASP's; this is not an OUTCAR"));
            }
        }
        if self.table != Table::None && self.row(line, number)? {
            return Ok(());
        }
        let text = line.trim_start();
        if text.starts_with("direct lattice vectors") {
            self.table = Table::Cell;
            self.geometry.rows.clear();
        } else if text.starts_with("position of ions in fractional coordinates") && self.ionic == 0 {
            self.table = Table::Fractions;
            self.initial = Some(Geometry { rows: Vec::new(), sites: Vec::new(), line: number });
        } else if text.starts_with("POSITION ") && text.contains("TOTAL-FORCE") {
            self.table = Table::Forces { dashes: 0 };
            self.geometry.line = number;
            self.geometry.sites.clear();
            self.forces.clear();
        } else if text.starts_with("magnetization (x)") {
            self.table = Table::Moments { dashes: 0 };
            self.moments.clear();
        } else if text.starts_with("magnetization (y)") {
            self.noncollinear = true;
        } else {
            self.say(text)?;
        }
        Ok(())
    }

    /// A row of the table that is being read; `false` where the line is none of its rows and ends it.
    fn row(&mut self, line: &str, number: usize) -> Result<bool, String> {
        let rule = line.trim_start().starts_with("-----");
        match &mut self.table {
            Table::Cell => {
                // The reciprocal vectors stand beside them.
                let [a, b, c, ..] = vasp::exactly::<6>(line).map_err(|e| format!("lattice vector: {e}"))?;
                if self.geometry.rows.is_empty() {
                    self.geometry.line = number;
                }
                self.geometry.rows.push([a, b, c]);
                if self.geometry.rows.len() == 3 {
                    self.table = Table::None;
                }
            }
            Table::Fractions => match (&mut self.initial, line.trim().is_empty()) {
                (Some(initial), false) => {
                    initial.sites.push(vasp::exactly(line).map_err(|e| format!("position: {e}"))?)
                }
                (_, _) => {
                    if let Some(initial) = &mut self.initial {
                        initial.rows.clone_from(&self.geometry.rows);
                    }
                    self.table = Table::None;
                    return Ok(false);
                }
            },
            Table::Forces { dashes } => {
                if rule {
                    *dashes += 1;
                    if *dashes == 2 {
                        self.table = Table::None;
                    }
                } else {
                    let [x, y, z, u, v, w] = vasp::exactly(line).map_err(|e| format!("position and force: {e}"))?;
                    self.geometry.sites.push([x, y, z]);
                    self.forces.push([u, v, w]);
                }
            }
            Table::Moments { dashes } => {
                if rule {
                    *dashes += 1;
                    if *dashes == 2 {
                        self.table = Table::None;
                    }
                } else if *dashes == 1 {
                    let row = vasp::numbers(line).map_err(|e| format!("magnetic moment: {e}"))?;
                    self.moments.extend(row.last());
                    // The table of a single atom has no sum, and no second line of dashes.
                    if self.moments.len() == self.counts.iter().sum::<usize>() {
                        self.table = Table::None;
                    }
                }
            }
            Table::None => return Ok(false),
        }
        Ok(true)
    }

    /// A line outside tables.
    fn say(&mut self, text: &str) -> Result<(), String> {
        let after = |name: &str| text.split_once(name).map(|(_, rest)| rest);
        let first = |rest: &str| -> Result<f64, String> {
            let rest = rest.split("eV").next().unwrap_or(rest);
            let word = rest.split_whitespace().next().unwrap_or("");
            vasp::exactly::<1>(word).map(|[x]| x)
        };
        if let Some(title) = text.strip_prefix("TITEL  =") {
            self.potcars.push(title.trim().to_owned());
        } else if text.starts_with("POMASS =") && text.contains("ZVAL") {
            self.valences.push(first(after("ZVAL   =").unwrap_or_default()).map_err(|e| format!("ZVAL: {e}"))?);
        } else if let Some(counts) = text.strip_prefix("ions per type =") {
            let counts = counts.split_whitespace().map(str::parse);
            self.counts = counts.collect::<Result<_, _>>().map_err(|_| format!("ions per type: '{text}'"))?;
        } else if let Some(mesh) = text.strip_prefix("generate k-points for:") {
            self.kpoints.mesh = Some(vasp::exactly::<3>(mesh)?.map(|n| n as i32));
        } else if let Some(rest) = after("NKPTS =").filter(|_| text.starts_with("k-points")) {
            self.kpoints.count = first(rest)? as usize;
        } else if let Some(rest) = after("LDAUTYPE =").filter(|_| text.starts_with("LDA+U is selected")) {
            self.tags.enter("LDAU", "T");
            self.tags.enter("LDAUTYPE", rest);
        } else if let Some((name, rest)) =
            text.split_once("for each species ").and_then(|(_, rest)| rest.split_once('='))
        {
            self.tags.enter(name, rest);
        } else if let Some(step) = after("Iteration").filter(|_| text.starts_with("-----")) {
            let step = step.trim_end_matches(['-', ' ']).trim_end_matches(')');
            let pair = step.split_once('(').and_then(|(i, e)| Some((i.trim().parse().ok()?, e.trim().parse().ok()?)));
            (self.ionic, self.electronic) = pair.ok_or_else(|| format!("iteration '{}'", step.trim()))?;
            self.converged = false;
        } else if text.contains("aborting loop because EDIFF is reached") {
            self.converged = true;
        } else if let Some(rest) = text.strip_prefix("free energy    TOTEN  =") {
            self.inner = first(rest).ok();
        } else if let Some(rest) = text.strip_prefix("free  energy   TOTEN  =") {
            self.free = Some(first(rest).map_err(|e| format!("TOTEN: {e}"))?);
        } else if let Some(rest) = after("energy(sigma->0) =").filter(|_| text.starts_with("energy  without entropy="))
        {
            self.zero = Some(first(rest).map_err(|e| format!("energy(sigma->0): {e}"))?);
        } else if let Some(rest) = text.strip_prefix("number of electron").and_then(|r| r.split_once("magnetization")) {
            // Three numbers where spins may point anywhere.
            self.magnetization = vasp::exactly::<1>(rest.1).ok().map(|[x]| x);
        } else if let Some(rest) = text.strip_prefix("in kB ") {
            let [xx, yy, zz, xy, yz, zx] = vasp::exactly(rest).map_err(|e| format!("stress: {e}"))?;
            self.stress = Some(vasp::stress([[xx, xy, zx], [xy, yy, yz], [zx, yz, zz]]));
        } else if text.starts_with("reached required accuracy - stopping structural") {
            self.at_rest = true;
        } else if text.contains("soft stop encountered") || text.contains("hard stop encountered") {
            self.stopped = true;
        } else if text.starts_with("General timing and accounting") {
            self.ended = true;
        } else if text.starts_with(|c: char| c.is_ascii_uppercase()) {
            for part in text.split(';') {
                let Some((name, rest)) = part.split_once('=') else { continue };
                let (name, value) = (name.trim(), rest.split_whitespace().next().unwrap_or(""));
                let logical = name == "METAGGA" && matches!(value, "T" | "F");
                if TAGS.contains(&name) && !logical {
                    self.tags.0.insert(name.to_owned(), value.to_owned());
                }
            }
        }
        Ok(())
    }

    fn report(mut self, path: &Path, name: &str, hash: ContentHash, end: usize) -> Result<Report, FormatError> {
        let fault = |message: String| FormatError::syntax(end, 0, message);
        if !self.known {
            return Err(fault("no line is VASP's; this is not an OUTCAR".into()));
        }
        if !self.ended {
            let message = "the file ends before its timing: the run goes on, was stopped, or the copy was cut short; finish \
                           the run or copy the file again";
            return Err(fault(message.into()));
        }
        let (n, m, k) = (self.counts.len(), self.potcars.len(), self.valences.len());
        if n == 0 || m < n || k < n {
            return Err(fault(format!("{m} pseudopotentials with {k} valences for {n} kinds of atoms")));
        }
        let kinds = self.potcars.iter().zip(&self.counts).zip(&self.valences);
        let species = kinds.map(|((potcar, count), valence)| Species::new(potcar, *count, *valence));
        let species: Vec<Species> = species.collect::<Result<_, _>>().map_err(at_line(end))?;
        let elements = vasp::sites(&species, end)?;
        let (Some(free_energy), Some(energy)) = (self.free, self.zero) else {
            return Err(fault("no total energy; VASP stopped before the end of its first step".into()));
        };
        let natoms = elements.len();
        let of_all = |rows: usize, what: &str| match rows == natoms {
            true => Ok(()),
            false => Err(fault(format!("the last table of {what} has {rows} rows for {natoms} atoms"))),
        };
        of_all(self.forces.len(), "forces")?;
        if !self.moments.is_empty() {
            of_all(self.moments.len(), "magnetic moments")?;
        }
        let added = self.inner.map_or(0.0, |inner| free_energy - inner);
        let mut settings =
            Settings::new(&self.tags, species, std::mem::take(&mut self.kpoints), added).map_err(fault)?;
        settings.noncollinear |= self.noncollinear;
        let structure = vasp::structure(&self.geometry, &elements, true)?;
        // Positions are nine digits of fractions in the beginning, and five of Å at the end.
        let initial = match &self.initial {
            Some(initial) if !initial.rows.is_empty() => vasp::structure(initial, &elements, false)?,
            _ => structure.clone(),
        };
        let at_rest = match settings.is_dynamics() || settings.ediffg == 0.0 || settings.nsw <= 1 {
            true => vasp::ions_at_rest(&settings, self.ionic, self.stopped),
            false => self.at_rest && !self.stopped,
        };
        let collinear = settings.ispin == 2 && !settings.noncollinear;
        Ok(Report {
            run: Run {
                name: name.to_owned(),
                path: path.to_owned(),
                hash,
                version: self.version,
                initial,
                structure,
                energy,
                free_energy,
                forces: Some(self.forces),
                stress: self.stress,
                magmoms: Some(self.moments).filter(|m| collinear && !m.is_empty()),
                magnetization: self.magnetization.filter(|_| collinear),
                ionic_steps: self.ionic,
                electronic_steps: self.electronic,
                electronic_converged: self.converged,
                ionic_converged: at_rest,
                settings,
            },
            stopped: self.stopped,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vasp::{Calculation, read_calculation};

    fn fixture(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/vasp/insertion").join(name)
    }

    #[test]
    fn both_files_of_a_calculation_say_the_same() {
        let report = read(&fixture("mno2/OUTCAR"), "mno2").unwrap();
        let other = super::super::vasprun::read(&fixture("mno2/vasprun.xml"), "mno2").unwrap();
        let run = report.run;
        assert_eq!((run.energy, run.free_energy), (other.energy, other.free_energy));
        assert_eq!((run.ionic_steps, run.electronic_steps, run.ionic_converged), (2, 5, true));
        let (mut ours, mut theirs) = (run.settings.clone(), other.settings.clone());
        // Only vasprun.xml says how the mesh was made.
        (ours.kpoints.scheme, theirs.kpoints.scheme) = (None, None);
        assert_eq!(ours, theirs);
        assert_eq!((run.forces, run.stress), (other.forces, other.stress));
        let apart = run.structure.distance_min() - other.structure.distance_min();
        assert!(apart.abs() < 1e-4, "{apart}");
        assert!((run.initial.volume() - other.initial.volume()).abs() < 1e-6);
        assert_eq!(run.magmoms.unwrap(), [3.0, 3.0, 0.02, 0.02, 0.02, 0.02]);
        assert!((run.magnetization.unwrap() - 6.08).abs() < 1e-6 && !report.stopped);
    }

    #[test]
    fn a_calculation_takes_from_each_file_what_it_has() {
        let folder = |name: &str| Calculation {
            name: name.into(),
            vasprun: Some(fixture(name).join("vasprun.xml")).filter(|p| p.exists()),
            outcar: Some(fixture(name).join("OUTCAR")).filter(|p| p.exists()),
            contcar: Some(fixture(name).join("CONTCAR")),
        };
        let reading = read_calculation(&folder("mno2"));
        assert!(reading.refused.is_empty(), "{:?}", reading.refused);
        let run = reading.run.unwrap();
        assert!(run.path.ends_with("vasprun.xml") && run.magmoms.is_some());
        // Without vasprun.xml the positions are those of CONTCAR, all their digits.
        let run = read_calculation(&folder("mno2-2li")).run.unwrap();
        assert!(run.path.ends_with("OUTCAR"));
        assert_eq!(run.structure.frac_coords()[0], [0.0, 0.5, 0.25]);
        // Files of two calculations in one folder.
        let mixed = Calculation { outcar: Some(fixture("mno2-2li/OUTCAR")), contcar: None, ..folder("mno2") };
        let reading = read_calculation(&mixed);
        assert!(reading.run.unwrap().magmoms.is_none());
        assert!(reading.refused[0].reason.contains("not of the calculation of vasprun.xml"), "{:?}", reading.refused);
        let mixed = Calculation { contcar: Some(fixture("mno2-2li/CONTCAR")), ..folder("mno2") };
        assert!(read_calculation(&mixed).refused[0].reason.contains("it holds Li2Mn2O4"));
    }

    #[test]
    fn a_run_that_the_user_stopped_is_not_at_rest() {
        let text = source::read_text(&fixture("mno2/OUTCAR")).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("OUTCAR");
        let read_as = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read(&path, "x").unwrap()
        };
        let stopped =
            read_as(&text.replace(" reached required", " soft stop encountered!  aborting job ...\n reached required"));
        assert!(stopped.stopped && !stopped.run.ionic_converged);
        let gone_on = read_as(&text.replace(" reached required accuracy", " "));
        assert!(!gone_on.run.ionic_converged && gone_on.run.electronic_converged);
    }
}
