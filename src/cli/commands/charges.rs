//! `hollandite charges FILE`: whose the electrons of a density are, as a table, and as rows of `charges`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, RecordBatch, StringArray};

use crate::adsorption::charge::{self, Transfer, charges, difference, moved, planar_average, valence_electrons};
use crate::cli::CliError;
use crate::cli::args::Charges;
use crate::cli::console::note;
use crate::cli::render::{self, Printer};
use crate::crystal::{Structure, content_hash};
use crate::error::AdsorptionError;
use crate::formats::{Quantity, Volumetric, read_valences, read_volumetric};
use crate::store::ChargeRow;

pub(crate) async fn run(store: Option<&Path>, args: &Charges) -> Result<(), CliError> {
    if let Some(axis) = args.average {
        return average(args, axis);
    }
    let cell = Analysis::of(&args.file, &args.reference, args)?;
    let host = args.host.as_ref().map(|host| Analysis::of(host, &[], args)).transpose()?;
    let gave = match &host {
        Some(host) => Some(charge::transfer(&cell.charges, &host.charges).map_err(below)?),
        None => args.ion.map(|ion| given_by(ion, &cell.charges)),
    };
    if let Some(ion) = args.ion.filter(|ion| !cell.charges.structure.species().contains(ion)) {
        return Err(CliError::Usage(format!("--ion {ion}: there is no {ion} in {}", args.file.display())));
    }
    Printer::new(&args.output)?.print_batch(&batch(&cell.charges, gave.as_deref())?)?;
    note(&cell.summary());
    if let Some(name) = &args.keep {
        let rows = cell.rows(name, args, host.as_ref(), gave.as_deref())?;
        let store = super::open(store).await?;
        let added = store.append(&rows, &format!("charges of {name}")).await?;
        let known = rows.len() as u64 - added;
        let known = if known == 0 { String::new() } else { format!("; {known} already there") };
        render::print(&format!("added {added} row{} to charges{known}\n", if added == 1 { "" } else { "s" }))?;
    }
    Ok(())
}

fn below(error: AdsorptionError) -> CliError {
    CliError::Below(error.into())
}

/// Ions that have no host to compare with: each gave its net charge; of the other sites nothing is known.
fn given_by(ion: crate::crystal::Element, cell: &charge::Charges) -> Vec<Transfer> {
    let sites = cell.structure.species().iter().zip(&cell.sites);
    sites
        .map(|(element, site)| {
            let inserted = *element == ion;
            Transfer { inserted, charge: if inserted { site.net_charge } else { f64::NAN } }
        })
        .collect()
}

/// The names that a file may have in a folder.
fn beside(folder: &Path, name: &str) -> Option<PathBuf> {
    ["", ".gz", ".zst"].iter().map(|packed| folder.join(format!("{name}{packed}"))).find(|path| path.is_file())
}

/// A density by its name, or the CHGCAR of a folder.
pub(super) fn find(path: &Path) -> Result<PathBuf, CliError> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    beside(path, "CHGCAR").ok_or_else(|| CliError::Failed(format!("there is no CHGCAR in {}", path.display())))
}

/// A volumetric file.
pub(super) fn read(path: &Path) -> Result<Volumetric, CliError> {
    read_volumetric(path).map_err(|rejection| CliError::Failed(rejection.to_string()))
}

fn read_density(path: &Path) -> Result<Volumetric, CliError> {
    let field = read(path)?;
    match field.quantity {
        Quantity::Density => Ok(field),
        _ => Err(CliError::Failed(format!("{} is not an electron density; expected a CHGCAR", path.display()))),
    }
}

/// A density and what the atoms have of it.
struct Analysis {
    charges: charge::Charges,
    /// Which density decided the basins.
    basins: String,
    folder: PathBuf,
}

impl Analysis {
    fn of(path: &Path, reference: &[PathBuf], args: &Charges) -> Result<Self, CliError> {
        let path = find(path)?;
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
        let valence = read_density(&path)?;
        let electrons = valence_electrons(&valence.structure, &known(&folder, args)?).map_err(below)?;
        let all_electron = ["AECCAR0", "AECCAR2"].map(|name| beside(&folder, name));
        let reference = match (reference, all_electron) {
            ([], [Some(core), Some(rest)]) => vec![core, rest],
            (given, _) => given.to_vec(),
        };
        let name =
            |path: &PathBuf| path.file_name().map_or_else(Default::default, |n| n.to_string_lossy().into_owned());
        let basins = match reference.as_slice() {
            [] => name(&path),
            files => files.iter().map(name).collect::<Vec<_>>().join(" + "),
        };
        let reference = reference.iter().map(|path| read_density(path)).collect::<Result<Vec<_>, _>>()?;
        let charges = charges(&valence, &reference, &electrons, args.vacuum, args.reach).map_err(below)?;
        Ok(Self { charges, basins, folder })
    }

    /// Where all electrons are.
    fn summary(&self) -> String {
        let Self { charges, basins, .. } = self;
        let assigned: f64 = charges.sites.iter().map(|s| s.electrons).sum();
        let out: f64 = charges.unassigned_electrons() - charges.vacuum.0;
        let mut text = format!(
            "{:.4} electrons: {assigned:.4} in {} atoms, {:.4} in {:.2} Å³ of vacuum, {out:.4} out of reach; charge of the cell \
             {:+.4} e; basins of {basins}",
            charges.electrons,
            charges.sites.len(),
            charges.vacuum.0,
            charges.vacuum.1,
            charges.cell_charge,
        );
        for basin in &charges.unassigned {
            let [x, y, z] = basin.maximum;
            let electrons = basin.amounts.integrals.first().copied().unwrap_or(0.0);
            text += &format!(
                "\nwarning: {electrons:.4} electrons around ({x:.4}, {y:.4}, {z:.4}), {:.2} Å from the nearest atom (site {}): \
                 none has them (--reach)",
                basin.distance,
                basin.site + 1
            );
        }
        let empty = charges.sites.iter().filter(|s| s.volume == 0.0).count();
        if empty > 0 {
            text += &format!(
                "\nwarning: {empty} atoms have no maximum of the density: take the all-electron density as --reference \
                 (LAECHG = .TRUE. writes AECCAR0 and AECCAR2)"
            );
        }
        text
    }

    /// Rows of the table `charges`.
    fn rows(
        &self,
        name: &str,
        args: &Charges,
        host: Option<&Self>,
        gave: Option<&[Transfer]>,
    ) -> Result<Vec<ChargeRow>, CliError> {
        let structure = &self.charges.structure;
        let came = |i: usize| gave.is_some_and(|gave| gave[i].inserted);
        let ions: Vec<_> = (0..structure.len()).filter(|&i| came(i)).map(|i| structure.species()[i]).collect();
        if gave.is_some() && (ions.is_empty() || ions.iter().any(|ion| *ion != ions[0])) {
            return Err(CliError::Failed(
                "one kind of ion is kept at a time: this cell has none or several more than the host".into(),
            ));
        }
        let empty = match host {
            Some(host) => host.charges.structure.clone(),
            None => without(structure, came)?,
        };
        let folder =
            std::path::absolute(&self.folder).ok().and_then(|f| Some(f.file_name()?.to_string_lossy().into_owned()));
        let shared = ChargeRow {
            host: name.to_owned(),
            host_formula: Some(empty.composition().reduced_formula()),
            // Without its ions a cell is still strained by them, and no crystal of a table.
            structure_hash: (host.is_some() || ions.is_empty()).then(|| content_hash(&empty).to_string()),
            ion: ions.first().map(|ion| ion.symbol().to_owned()),
            n: gave.map(|_| ions.len() as i32),
            channel: args.channel.clone(),
            method: Some(format!("Bader, weight method, basins of {}", self.basins)),
            functional: args.functional.clone(),
            source: concat!("hollandite ", env!("CARGO_PKG_VERSION")).to_owned(),
            run: args.run.clone().or(folder),
            note: Some(format!(
                "{:.4} of {:.4} electrons unassigned; vacuum below {} e/Å³",
                self.charges.unassigned_electrons(),
                self.charges.electrons,
                args.vacuum
            )),
            ..ChargeRow::default()
        };
        let sites = self.charges.sites.iter().zip(structure.species()).enumerate();
        Ok(sites
            .map(|(i, (site, element))| ChargeRow {
                site: Some(i as i32 + 1),
                element: Some(element.symbol().to_owned()),
                net_charge: Some(site.net_charge),
                charge_transfer: gave.map(|gave| gave[i].charge).filter(|x| x.is_finite()),
                electrons: Some(site.electrons),
                volume: Some(site.volume),
                ..shared.clone()
            })
            .collect())
    }
}

/// The crystal without some of its sites.
fn without(structure: &Structure, out: impl Fn(usize) -> bool) -> Result<Structure, CliError> {
    let kept: Vec<usize> = (0..structure.len()).filter(|&i| !out(i)).collect();
    let species = kept.iter().map(|&i| structure.species()[i]).collect();
    let places = kept.iter().map(|&i| structure.frac_coords()[i]).collect();
    Structure::new(*structure.lattice(), species, places).map_err(|e| CliError::Below(e.into()))
}

/// Valence electrons: as given, and for the other elements from the potentials.
fn known(folder: &Path, args: &Charges) -> Result<Vec<(crate::crystal::Element, f64)>, CliError> {
    let mut known = args.valence.clone();
    let file = args.potcar.clone().or_else(|| beside(folder, "POTCAR").or_else(|| beside(folder, "OUTCAR")));
    if let Some(file) = file {
        let read = read_valences(&file).map_err(|rejection| CliError::Failed(rejection.to_string()))?;
        known.extend(read.into_iter().filter(|(element, _)| args.valence.iter().all(|(said, _)| said != element)));
    }
    Ok(known)
}

fn batch(cell: &charge::Charges, gave: Option<&[Transfer]>) -> Result<RecordBatch, CliError> {
    let numbers = |f: &dyn Fn(usize) -> Option<f64>| -> ArrayRef {
        Arc::new((0..cell.sites.len()).map(f).collect::<Float64Array>())
    };
    let sites: Int32Array = (1..=cell.sites.len() as i32).map(Some).collect();
    let elements: StringArray = cell.structure.species().iter().map(|e| Some(e.symbol())).collect();
    let mut columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("site", Arc::new(sites), false),
        ("element", Arc::new(elements), false),
        ("electrons", numbers(&|i| Some(cell.sites[i].electrons)), false),
        ("volume", numbers(&|i| Some(cell.sites[i].volume)), false),
        ("net_charge", numbers(&|i| Some(cell.sites[i].net_charge)), false),
    ];
    if let Some(gave) = gave {
        columns.push(("charge_transfer", numbers(&|i| Some(gave[i].charge).filter(|x| x.is_finite())), true));
    }
    if cell.sites.iter().any(|s| s.moment.is_some()) {
        columns.push(("moment", numbers(&|i| cell.sites[i].moment), true));
    }
    Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
}

/// `--average`: the mean over planes, of a difference where parts are given.
fn average(args: &Charges, axis: usize) -> Result<(), CliError> {
    let whole = read(&find(&args.file)?)?;
    let field = match args.minus.as_slice() {
        [] => whole,
        minus => {
            let parts = minus.iter().map(|path| read(&find(path)?)).collect::<Result<Vec<_>, _>>()?;
            let field = difference(&whole, &parts).map_err(below)?;
            let (count, net) = moved(&field);
            note(&format!("{count:.4} electrons moved (half the integral of |Δρ|); integral of Δρ {net:+.4}"));
            field
        }
    };
    let profile = planar_average(&field, axis).map_err(below)?;
    let column =
        |f: fn(&(f64, f64)) -> f64| -> ArrayRef { Arc::new(profile.iter().map(f).map(Some).collect::<Float64Array>()) };
    let batch = RecordBatch::try_from_iter([("height", column(|p| p.0)), ("mean", column(|p| p.1))])?;
    Printer::new(&args.output)?.print_batch(&batch)
}
