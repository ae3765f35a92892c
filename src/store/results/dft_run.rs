//! A calculation as a row.

use serde::Serialize;

use super::ResultRow;
use super::corrected::Corrected;
use super::crystal::Crystal;
use crystal::content_hash;
use formats::vasp::Run;

/// A row of `dft_runs`: what one calculation says. The columns are explained in `schema/lake.sql`.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct DftRunRow {
    pub(super) run: String,
    name: String,
    path: String,
    version: Option<String>,
    status: String,
    electronic_converged: bool,
    ionic_converged: bool,
    formula: String,
    natoms: i32,
    structure_hash: String,
    structure: Crystal,
    initial_structure: Crystal,
    energy: f64,
    free_energy: f64,
    forces: Option<Vec<f64>>,
    max_force: Option<f64>,
    stress: Option<Vec<f64>>,
    magmoms: Option<Vec<f64>>,
    magnetization: Option<f64>,
    functional: String,
    dispersion: Option<String>,
    hubbard: Vec<Hubbard>,
    hubbard_type: Option<i32>,
    encut: f64,
    kpoint_scheme: Option<String>,
    kpoint_mesh: Option<[i32; 3]>,
    nkpoints: i32,
    ispin: i32,
    noncollinear: bool,
    lasph: bool,
    potcars: Vec<String>,
    nelect: f64,
    charge: f64,
    ionic_steps: i32,
    electronic_steps: i32,
    ibrion: i32,
    nsw: i32,
    isif: Option<i32>,
    nelm: i32,
    ediff: f64,
    ediffg: f64,
    ismear: Option<i32>,
    sigma: Option<f64>,
    #[serde(flatten)]
    corrected: Corrected,
}

impl ResultRow for DftRunRow {
    const TABLE: &'static str = "dft_runs";
    const KEY: &'static [&'static str] = &["run"];
    const ADDED: usize = 8;
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Hubbard {
    element: String,
    l: i32,
    u: f64,
    j: f64,
}

impl From<&Run> for DftRunRow {
    fn from(run: &Run) -> Self {
        let s = &run.settings;
        // An element whose atoms are split over several kinds has one pseudopotential.
        let mut potcars: Vec<String> = s.species.iter().map(|kind| kind.potcar.clone()).collect();
        potcars.dedup();
        let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        Self {
            run: run.hash.to_string(),
            name: run.name.clone(),
            path: run.path.to_string_lossy().into_owned(),
            version: run.version.clone(),
            status: run.fault().unwrap_or_else(|| "converged".into()),
            electronic_converged: run.electronic_converged,
            ionic_converged: run.ionic_converged,
            formula: run.structure.composition().reduced_formula(),
            natoms: count(run.structure.len()),
            structure_hash: content_hash(&run.structure).to_string(),
            structure: Crystal::from(&run.structure),
            initial_structure: Crystal::from(&run.initial),
            energy: run.energy,
            free_energy: run.free_energy,
            forces: run.forces.as_ref().map(|f| f.as_flattened().to_vec()),
            max_force: run.max_force(),
            stress: run.stress.map(|s| s.as_flattened().to_vec()),
            magmoms: run.magmoms.clone(),
            magnetization: run.magnetization,
            functional: s.functional.clone(),
            dispersion: s.dispersion.clone(),
            hubbard: s
                .hubbard
                .iter()
                .map(|h| Hubbard { element: h.element.symbol().into(), l: h.l, u: h.u, j: h.j })
                .collect(),
            hubbard_type: s.hubbard_type,
            encut: s.encut,
            kpoint_scheme: s.kpoints.scheme.clone(),
            kpoint_mesh: s.kpoints.mesh,
            nkpoints: count(s.kpoints.count),
            ispin: s.ispin,
            noncollinear: s.noncollinear,
            lasph: s.lasph,
            potcars,
            nelect: s.nelect,
            charge: s.charge(),
            ionic_steps: count(run.ionic_steps),
            electronic_steps: count(run.electronic_steps),
            ibrion: s.ibrion,
            nsw: s.nsw,
            isif: s.isif,
            nelm: s.nelm,
            ediff: s.ediff,
            ediffg: s.ediffg,
            ismear: s.ismear,
            sigma: s.sigma,
            corrected: Corrected::of(run),
        }
    }
}
