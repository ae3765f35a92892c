//! Readings of the hand-written runs of fixtures/vasp/insertion.

use super::*;
use crate::vasp::HubbardU;

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/vasp/insertion").join(name)
}

#[test]
fn a_relaxation_of_pyrolusite() {
    let run = read(&fixture("mno2/vasprun.xml"), "mno2").unwrap();
    assert_eq!(
        (run.version.as_deref(), run.structure.composition().formula().as_str()),
        (Some("5.4.4.18Apr17"), "Mn2O4")
    );
    // The file labels the entropy as E(σ→0), as VASP 5 does: 0.0012 eV.
    assert!((run.energy + 47.5).abs() < 1e-8 && (run.free_energy + 47.5006).abs() < 1e-8, "{}", run.energy);
    assert_eq!((run.ionic_steps, run.electronic_steps), (2, 5));
    assert!(run.electronic_converged && run.ionic_converged && run.fault().is_none());
    // The crystal of the last step, and the one before it 0.5 % smaller.
    assert!((run.structure.lattice().parameters()[0] - 4.3983).abs() < 1e-8);
    assert!((run.initial.lattice().parameters()[0] - 4.3983 * 0.995).abs() < 1e-6);
    assert!((run.max_force().unwrap() - 0.004 * 1.25_f64.sqrt()).abs() < 1e-9);
    assert!((run.stress.unwrap()[2][2] + 1.25 / 1602.176634).abs() < 1e-12);
    let s = &run.settings;
    assert_eq!((s.functional.as_str(), s.encut, s.ispin, s.nsw, s.nelm), ("PBE+U", 520.0, 2, 40, 60));
    assert_eq!(s.hubbard, [HubbardU { element: Element::from_symbol("Mn").unwrap(), l: 2, u: 3.9, j: 0.0 }]);
    assert_eq!((s.kpoints.mesh, s.kpoints.count, s.kpoints.scheme.as_deref()), (Some([4, 4, 6]), 2, Some("Gamma")));
    assert_eq!(s.species[0].potcar, "PAW_PBE Mn_pv 02Aug2007");
    assert!(s.charge().abs() < 1e-9 && s.lasph && !s.noncollinear);
}

#[test]
fn the_same_bytes_are_the_same_calculation_packed_or_not() {
    let packed = read(&fixture("mno2-li/vasprun.xml.gz"), "li").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let plain = dir.path().join("vasprun.xml");
    std::fs::write(&plain, source::read_text(&fixture("mno2-li/vasprun.xml.gz")).unwrap()).unwrap();
    assert_eq!(read(&plain, "li").unwrap().hash, packed.hash);
    assert_ne!(packed.hash, read(&fixture("mno2/vasprun.xml"), "x").unwrap().hash);
}

#[test]
fn a_loop_that_ran_out_of_steps_has_not_converged() {
    let run = read(&fixture("mno2-mg/vasprun.xml.gz"), "mg").unwrap();
    assert!(!run.electronic_converged && run.ionic_converged);
    assert!(run.fault().unwrap().contains("did not converge in 60 steps (NELM 60)"));
}

#[test]
fn whatever_is_cut_off_is_refused_and_never_read_as_less() {
    let text = source::read_text(&fixture("mno2/vasprun.xml")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vasprun.xml");
    let end = text.trim_end().len();
    for part in (1..end).step_by(97).chain([end - 1]) {
        let Some(text) = text.get(..part) else { continue };
        std::fs::write(&path, text).unwrap();
        let error = read(&path, "cut").expect_err("a part is no whole");
        assert!(error.position().is_some_and(|at| at.line >= 1) || matches!(error, FormatError::Io { .. }), "{error}");
    }
}
