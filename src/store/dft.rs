//! Calculations come in: folders of VASP become rows of `dft_runs`, and what belongs together rows of `adsorption`.
//!
//! One import is one snapshot of both tables. It reads every calculation, also those that the store has, because triples
//! are looked for among all calculations of the folders; rows that are there already are left out. So an import that was
//! killed is made good by the next, and one that is repeated adds nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use datafusion_ducklake::SnapshotCommitMetadata;
use rayon::prelude::*;

use super::import::{ImportOptions, ImportSummary, Running, Step, mark, remember_paths};
use super::lake::Store;
use super::quarantine;
use super::results::{AdsorptionRow, DftRunRow, ReferenceEnergy, ResultRow};
use super::tables::Shape;
use crate::StoreError;
use adsorption::triples::{Asked, Reference, References, Triple, Triples, find, given, read_triples, working_charge};
use adsorption::{adsorption_potential, insertion_voltage};
use crystal::progress::Progress;
use crystal::{Element, content_hash};
use formats::FormatError;
use formats::Rejection;
use formats::vasp::{Calculation, Reading, Run, calculations, read_calculation};

/// Calculations that are read side by side.
const CHUNK: usize = 16;
/// The table whose quarantine names calculations that could not be part of a triple.
const TRIPLES: &str = AdsorptionRow::TABLE;

/// What an import of calculations should do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DftOptions {
    /// Table of triples, where the user names one; else they are looked for.
    pub triples: Option<PathBuf>,
    /// Part of the source of the reference energies that count; calculations of metals then do not.
    pub reference: Option<String>,
    /// Read and check everything, write nothing.
    pub dry_run: bool,
}

/// What an import of calculations did.
#[derive(Debug, Clone, PartialEq)]
pub struct DftSummary {
    /// Calculations found in the folders.
    pub calculations: u64,
    /// Rows added to `dft_runs`.
    pub added: u64,
    /// Calculations that the store had.
    pub present: u64,
    /// Files that were refused; they are in the quarantine.
    pub refused_files: Vec<Rejection>,
    /// Rows of `adsorption` that follow, whether new or not.
    pub potentials: Vec<AdsorptionRow>,
    /// How many of these are new.
    pub potentials_added: u64,
    /// Calculations that would have been part of a triple and are not; they are in the quarantine.
    pub refused_triples: Vec<Rejection>,
    /// Wall time.
    pub seconds: f64,
    /// The snapshot of the rows; `None` where none was added.
    pub snapshot: Option<i64>,
    /// Whether nothing was written on request.
    pub dry_run: bool,
}

impl std::fmt::Display for DftSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let s = |n: u64| if n == 1 { "" } else { "s" };
        let verb = if self.dry_run { "would add" } else { "added" };
        let Self { added, calculations: read, seconds, .. } = self;
        write!(f, "{verb} {added} row{} to dft_runs from {read} calculation{}", s(*added), s(*read))?;
        if let Some(snapshot) = self.snapshot {
            write!(f, " (snapshot {snapshot})")?;
        }
        write!(f, " in {seconds:.1} s")?;
        if self.present > 0 {
            write!(f, "; {} already in dft_runs", self.present)?;
        }
        let files = self.refused_files.len() as u64;
        if files > 0 {
            write!(f, "; {files} file{} refused, in quarantine", s(files))?;
        }
        let present = self.potentials.len() as u64 - self.potentials_added;
        write!(f, "\n{verb} {} row{} to adsorption", self.potentials_added, s(self.potentials_added))?;
        if present > 0 {
            write!(f, "; {present} already there")?;
        }
        let refused = self.refused_triples.len() as u64;
        if refused > 0 {
            write!(f, "; {refused} refused, in quarantine")?;
        }
        Ok(())
    }
}

impl Store {
    /// Imports the calculations below `folders` in one snapshot, and the potentials that follow from them.
    ///
    /// # Errors
    /// A folder without calculations, a table of triples that cannot be read, a store that cannot be written. Faults in the
    /// files of calculations are no errors.
    pub async fn import_dft(
        &self,
        folders: &[PathBuf],
        options: &DftOptions,
        progress: &dyn Progress,
    ) -> Result<DftSummary, StoreError> {
        let begun = Instant::now();
        let mut found = Vec::new();
        for folder in folders {
            // Absolute, because the quarantine outlives the working directory.
            let folder = std::path::absolute(folder).map_err(|e| StoreError::io(folder, e))?;
            found.extend(calculations(&folder)?);
        }
        let asked = match &options.triples {
            Some(path) => Some((path.as_path(), read_triples(&text(path)?).map_err(|e| at(path, e))?)),
            None => None,
        };
        self.writer()?;
        let _turn = self.lock().await?;
        self.settle()?;
        let import =
            ImportOptions { into: DftRunRow::TABLE.into(), dry_run: options.dry_run, ..ImportOptions::default() };
        if !options.dry_run {
            self.grow::<DftRunRow>().await?;
        }
        let running = Running::begin(self, Shape::wide(&[]), &import)?;
        let summary = self.read_and_write(found, asked, options, &running, progress).await;
        match summary {
            Ok(mut summary) => {
                summary.seconds = begun.elapsed().as_secs_f64();
                running.end(&summary.registered())?;
                if let Some(import) = running.import() {
                    quarantine::supersede(&self.connect()?, import, TRIPLES)?;
                }
                Ok(summary)
            }
            Err(error) => {
                self.settle()?;
                Err(error)
            }
        }
    }

    async fn read_and_write(
        &self,
        found: Vec<Calculation>,
        asked: Option<(&Path, Vec<Asked>)>,
        options: &DftOptions,
        running: &Running<'_>,
        progress: &dyn Progress,
    ) -> Result<DftSummary, StoreError> {
        let mut summary = DftSummary {
            calculations: found.len() as u64,
            added: 0,
            present: 0,
            refused_files: Vec::new(),
            potentials: Vec::new(),
            potentials_added: 0,
            refused_triples: Vec::new(),
            seconds: 0.0,
            snapshot: None,
            dry_run: options.dry_run,
        };
        let files: Vec<_> = found.iter().flat_map(Calculation::files).map(|path| (Arc::new(path.clone()), 0)).collect();
        let runs = read_all(found, &mut summary.refused_files, progress).await?;
        let stated = self.results::<ReferenceEnergy>().await?.into_iter().filter_map(reference).collect();
        let mut references = References { stated, stated_only: options.reference.is_some() };
        if let Some(source) = &options.reference {
            references.stated.retain(|r| r.source.to_lowercase().contains(&source.to_lowercase()));
        }
        let (triples, unnamed) = match &asked {
            None => (find(&runs, &references), Vec::new()),
            Some((_, rows)) => given(&runs, &references, rows),
        };
        let refused = |run: usize, reason: String| {
            Rejection::plain(runs[run].path.clone(), 0, Some(runs[run].name.clone()), reason)
        };
        let Triples { found: triples, refused: left_out } = triples;
        summary.refused_triples = left_out.into_iter().map(|r| refused(r.run, r.reason)).collect();
        if let Some((path, _)) = asked {
            let path = std::path::absolute(path).map_err(|e| StoreError::io(path, e))?;
            let row = |(line, reason): (usize, String)| Rejection::plain(path.clone(), line, None, reason);
            summary.refused_triples.extend(unnamed.into_iter().map(row));
        }
        summary.potentials = triples.iter().map(|triple| potential(&runs, triple)).collect::<Result<_, _>>()?;
        let rows: Vec<DftRunRow> = runs.iter().map(DftRunRow::from).collect();
        let parts = [self.fresh(&rows).await?, self.fresh(&summary.potentials).await?];
        (summary.added, summary.potentials_added) = (parts[0].rows(), parts[1].rows());
        summary.present = rows.len() as u64 - summary.added;
        let Some(import) = running.import() else { return Ok(summary) };
        let mut registry = self.connect()?;
        quarantine::write(&mut registry, import, DftRunRow::TABLE, &summary.refused_files)?;
        quarantine::write(&mut registry, import, TRIPLES, &summary.refused_triples)?;
        let tables = summary.refused_triples.iter().map(|r| (Arc::new(r.path.clone()), 0));
        remember_paths(&mut registry, import, &files.into_iter().chain(tables).collect::<Vec<_>>())?;
        let message = format!("import {} calculations, {} potentials", summary.added, summary.potentials_added);
        let commit = SnapshotCommitMetadata::new().with_message(message).with_extra_info(mark(import));
        summary.snapshot = self.commit_fresh(&parts, commit, Some(running.base())).await?;
        Ok(summary)
    }
}

impl DftSummary {
    /// As the registry of imports has it.
    fn registered(&self) -> ImportSummary {
        ImportSummary {
            table: DftRunRow::TABLE.into(),
            added: self.added,
            present: self.present,
            skipped: self.refused_triples.len() as u64,
            quarantined: self.refused_files.len() as u64,
            files: self.calculations,
            seconds: self.seconds,
            snapshot: self.snapshot,
            dry_run: self.dry_run,
            ..ImportSummary::default()
        }
    }
}

/// A stated energy of an ion, where it says enough to be compared.
fn reference(row: ReferenceEnergy) -> Option<Reference> {
    let functional = row.functional?;
    let functional = match row.dispersion.filter(|d| !functional.ends_with(&format!("-{d}"))) {
        Some(dispersion) => format!("{functional}-{dispersion}"),
        None => functional,
    };
    let ion = Element::from_symbol(&row.ion).ok()?;
    Some(Reference { ion, energy: row.energy, functional, potential: row.potential, source: row.source })
}

/// Reads calculations on all cores, in their order.
async fn read_all(
    found: Vec<Calculation>,
    refused: &mut Vec<Rejection>,
    progress: &dyn Progress,
) -> Result<Vec<Run>, StoreError> {
    let bytes = |c: &Calculation| c.files().map(|p| std::fs::metadata(p).map_or(0, |m| m.len())).sum::<u64>();
    let mut step = Step { bytes: found.iter().map(bytes).sum(), ..Step::default() };
    let mut runs = Vec::with_capacity(found.len());
    for chunk in found.chunks(CHUNK) {
        let calculations = chunk.to_vec();
        let read = move || calculations.par_iter().map(read_calculation).collect::<Vec<Reading>>();
        let readings = tokio::task::spawn_blocking(read).await;
        let readings = readings.map_err(StoreError::lake("reading calculations"))?;
        for reading in readings {
            refused.extend(reading.refused);
            runs.extend(reading.run);
        }
        step.bytes_done += chunk.iter().map(bytes).sum::<u64>();
        (step.records, step.refused) = (runs.len() as u64, refused.len() as u64);
        progress.step(&step.done("calculations"));
    }
    Ok(runs)
}

/// The row of a triple.
fn potential(runs: &[Run], triple: &Triple) -> Result<AdsorptionRow, StoreError> {
    let (host, inserted) = (&runs[triple.host], &runs[triple.inserted]);
    let n = f64::from(triple.n);
    let undefined = StoreError::lake("computing potentials");
    let Triple { e_inserted, e_host, e_ion, .. } = *triple;
    let potential = adsorption_potential(e_inserted, e_host, e_ion, n).map_err(undefined)?;
    let voltage = |charge: u8| insertion_voltage(e_inserted, e_host, e_ion, n, f64::from(charge));
    let cells = (triple.cells != 1.0).then(|| format!("e_host: {} cells of the host", triple.cells));
    let notes: Vec<String> = triple.note.iter().cloned().chain(cells).collect();
    Ok(AdsorptionRow {
        host: host.name.clone(),
        host_formula: Some(host.structure.composition().reduced_formula()),
        structure_hash: Some(content_hash(&host.structure).to_string()),
        ion: triple.ion.symbol().into(),
        n: i32::try_from(triple.n).unwrap_or(i32::MAX),
        channel: triple.channel.clone(),
        area: None,
        adsorption_potential: Some(potential),
        voltage: working_charge(triple.ion).map(voltage).transpose().map_err(undefined)?,
        e_host: Some(e_host),
        e_inserted: Some(e_inserted),
        e_ion: Some(e_ion),
        functional: Some(inserted.settings.functional.clone()),
        source: inserted.version.as_ref().map_or("VASP".into(), |version| format!("VASP {version}")),
        where_in_paper: None,
        host_run: Some(host.hash.to_string()),
        inserted_run: Some(inserted.hash.to_string()),
        ion_run: triple.ion_run.map(|k| runs[k].hash.to_string()),
        note: (!notes.is_empty()).then(|| notes.join("; ")),
    })
}

fn text(path: &Path) -> Result<String, StoreError> {
    std::fs::read_to_string(path).map_err(|e| StoreError::io(path, e))
}

/// A fault of the table of triples, with its name.
fn at(path: &Path, error: FormatError) -> StoreError {
    StoreError::io(path, error)
}
