//! Outputs of VASP against pymatgen: energies, versions, functionals, convergence, moments. The hand-written
//! calculations of fixtures/vasp, and real ones of VASP 5.2 to 6.4 of the larger set.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hollandite::crystal::Composition;
use hollandite::formats::vasp::{Calculation, Reading, Run, calculations, read_calculation};
use serde_json::Value;

use crate::data::{beside, golden, read as text, shared};

/// Files of fixtures/vasp whose name begins with `start`, and what pymatgen reads in them.
fn fixtures(start: &str) -> Vec<(PathBuf, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vasp");
    let golden = golden("vasp.json");
    let files = golden["values"].as_object().unwrap().iter();
    let of_kind = files.map(|(name, v)| (folder.join(name), v.clone()));
    let found: Vec<_> =
        of_kind.filter(|(path, _)| path.file_name().unwrap().to_str().unwrap().starts_with(start)).collect();
    assert!(found.len() >= 2, "{start}");
    found
}

/// One file read by itself.
fn read(path: &Path) -> Reading {
    let name = path.file_name().unwrap().to_string_lossy();
    let of = |start: &str| name.starts_with(start).then(|| path.to_owned());
    read_calculation(&Calculation {
        name: name.to_string(),
        vasprun: of("vasprun"),
        outcar: of("OUTCAR"),
        contcar: None,
    })
}

/// Rows of pymatgen's table whose file's name begins with `start`: the path, and the words after it.
fn rows(folder: &Path, start: &str) -> Vec<(PathBuf, Vec<String>)> {
    let table = text(&folder.join("parsed_by_pymatgen.txt"));
    let row = |line: &str| {
        let mut words = line.split_whitespace().map(str::to_owned);
        let path = folder.join(words.next()?);
        path.file_name()?.to_str()?.starts_with(start).then(|| (path, words.collect()))
    };
    table.lines().filter_map(row).collect()
}

fn good(path: &Path) -> Run {
    let reading = read(path);
    assert!(reading.refused.is_empty(), "{}: {:?}", path.display(), reading.refused);
    reading.run.unwrap()
}

#[test]
fn vasprun_says_what_pymatgen_reads() {
    for (path, want) in fixtures("vasprun") {
        let (run, name) = (good(&path), path.display());
        assert_eq!(
            run.structure.composition(),
            Composition::parse(want["formula"].as_str().unwrap()).unwrap(),
            "{name}"
        );
        assert!((run.structure.volume() - want["volume"].as_f64().unwrap()).abs() < 1e-6, "{name}");
        assert_eq!(run.ionic_steps as u64, want["steps"].as_u64().unwrap(), "{name}");
        let version = want["version"].as_str().unwrap();
        assert!(run.version.as_ref().is_some_and(|v| v.eq_ignore_ascii_case(version)), "{name}: {:?}", run.version);
        assert!((run.energy - want["energy"].as_f64().unwrap()).abs() < 1e-9, "{name}: {}", run.energy);
        assert_eq!(run.settings.functional.replace("PBE", "GGA"), want["functional"].as_str().unwrap(), "{name}");
        assert_eq!(run.electronic_converged && run.ionic_converged, want["converged"].as_bool().unwrap(), "{name}");
    }
    let Some(folder) = beside("vasp") else { return };
    let rows = rows(&folder, "vasprun");
    assert_eq!(rows.len(), 20);
    // Their name of a functional, and ours.
    let functionals = BTreeMap::from([
        ("GGA", "PBE"),
        ("GGA+U", "PBE+U"),
        ("GGA+vdW-DFT-D3", "PBE-D3"),
        // LUSE_VDW with revPBE exchange is the functional of Dion et al., which has no rVV10 in it.
        ("revPBE+rVV10", "revPBE-vdW-DF"),
    ]);
    for (path, words) in rows {
        let name = path.strip_prefix(&folder).unwrap().display().to_string();
        // Damaged, which pymatgen was told to overlook, and an element that is none.
        if name.ends_with("vasprun.bad.xml.gz") || words[0] == "ERR" {
            continue;
        }
        let run = good(&path);
        let n = words.len();
        let [steps, version, energy, functional, _, converged] = &words[n - 6..] else { panic!("{words:?}") };
        let composition = Composition::parse(&words[..n - 6].concat()).unwrap();
        assert_eq!(run.structure.composition(), composition, "{name}");
        assert_eq!(run.ionic_steps.to_string(), *steps, "{name}");
        assert!(run.version.as_ref().is_some_and(|v| v.eq_ignore_ascii_case(version)), "{name}: {:?}", run.version);
        assert!((run.energy - energy.parse::<f64>().unwrap()).abs() <= 5.1e-5, "{name}: {} {energy}", run.energy);
        let converged = converged == "True";
        assert_eq!(run.electronic_converged && run.ionic_converged, converged, "{name}");
        let expected = functionals.get(functional.as_str()).copied().unwrap_or(functional);
        // The dispersion of this run stands in its energy only.
        let expected = match name.as_str() {
            "chgnet/parse-vasp-no-magmoms/vasprun.xml.gz" => "PBE-dispersion",
            // GGA = PS: the screened hybrid is of PBEsol.
            "pymatgen-core/vasprun.hse06.xml.gz" => "HSEsol",
            _ => expected,
        };
        assert_eq!(run.settings.functional, expected, "{name}");
        println!("{name}: {} eV, {}, {:?}", run.energy, run.settings.functional, run.fault());
    }
}

#[test]
fn outcar_says_what_pymatgen_reads() {
    for (path, want) in fixtures("OUTCAR") {
        let (run, name) = (good(&path), path.display());
        assert!((run.energy - want["energy"].as_f64().unwrap()).abs() < 1e-9, "{name}: {}", run.energy);
        assert_eq!(run.magnetization, want["magnetization"].as_f64(), "{name}");
        assert_eq!(run.magmoms, serde_json::from_value(want["moments"].clone()).unwrap(), "{name}");
    }
    let Some(folder) = beside("vasp") else { return };
    let rows = rows(&folder, "OUTCAR");
    assert_eq!(rows.len(), 15);
    for (path, words) in rows {
        let name = path.strip_prefix(&folder).unwrap().display().to_string();
        let run = good(&path);
        let [_, _, _, energy, _, moment] = words.as_slice() else { panic!("{words:?}") };
        // Older files print six decimals in the one place and eight in the other.
        assert!((run.energy - energy.parse::<f64>().unwrap()).abs() <= 1e-6, "{name}: {} {energy}", run.energy);
        if !run.settings.noncollinear {
            assert_eq!(run.magnetization, moment.parse().ok(), "{name}");
        }
        println!("{name}: {} {} eV, {}", run.structure.composition(), run.energy, run.settings.functional);
    }
}

/// Energy, forces and stress are the same in both files of a run.
fn both_agree(folder: &Path, functional: &str) -> Run {
    let found = calculations(folder).unwrap();
    let Reading { run, refused } = read_calculation(&found[0]);
    assert!(refused.is_empty(), "{refused:?}");
    let (run, other) = (run.unwrap(), good(found[0].outcar.as_ref().unwrap()));
    assert_eq!(run.settings.functional, functional);
    assert!((run.energy - other.energy).abs() < 1e-6, "{} {}", run.energy, other.energy);
    for (a, b) in run.forces.as_ref().unwrap().iter().zip(other.forces.as_ref().unwrap()) {
        assert!((0..3).all(|k| (a[k] - b[k]).abs() < 1e-6), "{a:?} {b:?}");
    }
    for (a, b) in run.stress.unwrap().as_flattened().iter().zip(other.stress.unwrap().as_flattened()) {
        assert!((a - b).abs() < 1e-7, "{a} {b}");
    }
    run
}

#[test]
fn both_files_of_a_run_agree() {
    let pyrolusite = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vasp/insertion/mno2");
    assert!(both_agree(&pyrolusite, "PBE+U").magmoms.is_some());
    let Some(folder) = beside("vasp/chgnet") else { return };
    assert!(both_agree(&folder.join("parse-vasp-no-magmoms"), "PBE-TS").magmoms.is_none());
    assert!(both_agree(&folder.join("parse-vasp-with-magmoms"), "PBE-D3").magmoms.is_some());
}

/// A folder of real files, whole and damaged. Of each kind of damage fixtures/malformed/vasp has a file, which `tests/hostile` has refused
/// at its line, and files of two calculations are refused in the tests of `formats`.
#[test]
fn what_is_damaged_is_refused_by_name_and_the_rest_is_read() {
    let Some(folder) = shared("vasp") else { return };
    let found = calculations(&folder).unwrap();
    let (mut read, mut refused) = (0, BTreeMap::new());
    for calculation in &found {
        let reading = read_calculation(calculation);
        read += usize::from(reading.run.is_some());
        for rejection in reading.refused {
            let name = rejection.path.file_name().unwrap().to_string_lossy().into_owned();
            refused.insert(name, (rejection.line, rejection.reason));
        }
    }
    for (name, (line, reason)) in &refused {
        println!("{name}:{line}: {reason}");
    }
    let says = |name: &str, words: &str| refused.get(name).is_some_and(|(_, reason)| reason.contains(words));
    assert!(says("vasprun.bad.xml.gz", "the file ends inside <modeling>"), "{refused:?}");
    assert!(says("vasprun.wrong_sp.xml.gz", "'Z' is not a chemical element"), "{refused:?}");
    // Two that share a label with the vasprun.xml of another calculation.
    assert!(says("OUTCAR.Al", "not of the calculation of vasprun.Al.xml.gz"), "{refused:?}");
    assert!(says("OUTCAR.gz", "not of the calculation of vasprun.xml.gz"), "{refused:?}");
    assert_eq!(refused.len(), 4, "{refused:?}");
    assert_eq!(read, found.len() - 2);
}
