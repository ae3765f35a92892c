//! Verdicts on pairs of crystals against pymatgen's `StructureMatcher`, over the hosts that come with the program. The
//! golden file says which version and settings gave them.

use std::collections::HashMap;
use std::path::Path;

use hollandite::crystal::{DEFAULT_SYMPREC, Lattice, Structure, Symmetry};
use hollandite::features::{Tolerances, fingerprint, match_structures, same_arrangement, same_structure, similarity};
use hollandite::formats::hosts::embedded;

fn hosts() -> HashMap<String, Structure> {
    embedded().into_iter().map(|host| (host.id, host.structure)).collect()
}

/// As the head of the golden file says.
fn deformed(structure: &Structure) -> Structure {
    let lattice = structure.lattice();
    let move_site = |(i, x): (usize, [f64; 3])| {
        let step = |k: f64| 0.15 * (k * (i + 1) as f64).sin();
        lattice.to_fractional([x[0] + step(1.0), x[1] + step(2.0), x[2] + step(3.0)])
    };
    let frac = structure.cart_coords().into_iter().enumerate().map(move_site).collect();
    let [a, b, c] = *lattice.rows();
    let rows = [a.map(|x| 1.02 * x), b.map(|x| 0.99 * x), c.map(|x| 1.01 * x)];
    Structure::new(Lattice::new(rows).unwrap(), structure.species().to_vec(), frac).unwrap()
}

#[test]
fn verdicts_are_those_of_structure_matcher() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/golden/structure_matcher.tsv");
    let golden = std::fs::read_to_string(golden).unwrap();
    let (hosts, tolerances) = (hosts(), Tolerances::default());
    let (mut pairs, mut other) = (0, Vec::new());
    for row in golden.lines().filter(|l| !l.starts_with('#')).skip(1) {
        let [a, b, fit, rms, anonymous] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let x = &hosts[a];
        let y = &if b.is_empty() { deformed(x) } else { hosts[b].clone() };
        pairs += 1;
        let found = match_structures(x, y, &tolerances);
        assert_eq!(found.is_some_and(|m| m.same), same_structure(x, y, &tolerances), "{a} {b}");
        if (fit == "1") != same_structure(x, y, &tolerances) {
            other.push(format!("{a} {b}: fit {fit}, ours {found:?}"));
        }
        // Printed to six digits. The least rms of both directions can only be lower than that of one.
        let same_rms = match (rms.parse::<f64>().ok(), found) {
            (Some(theirs), Some(ours)) => ours.rms < theirs + 2e-5 && ours.rms > theirs - 0.06,
            (theirs, ours) => theirs.is_none() && ours.is_none(),
        };
        if !same_rms {
            other.push(format!("{a} {b}: rms {rms}, ours {found:?}"));
        }
        if (anonymous == "1") != same_arrangement(x, y, &tolerances).unwrap() {
            other.push(format!("{a} {b}: anonymous {anonymous}"));
        }
    }
    assert!(pairs > 100, "only {pairs} pairs");
    assert!(other.is_empty(), "{} of {pairs} pairs: {other:#?}", other.len());
}

#[test]
fn the_nearest_neighbours_of_rutile_are_rutiles() {
    let hosts = hosts();
    let label = |s: &Structure| Symmetry::of(s, DEFAULT_SYMPREC).unwrap().prototype(s);
    let prints: Vec<_> = hosts.iter().map(|(id, s)| (id, label(s), fingerprint(s).unwrap())).collect();
    let is_rutile = |label: &str| label == "AB2_tP6_136_a_f";
    let (id, _, rutile) = prints
        .iter()
        .find(|(id, label, _)| is_rutile(label) && hosts[*id].composition().reduced_formula() == "TiO2")
        .unwrap();
    let rutiles = prints.iter().filter(|(other, label, _)| is_rutile(label) && other != id).count();
    assert!(rutiles >= 2, "{rutiles}");
    let mut others: Vec<_> = prints.iter().filter(|(other, ..)| other != id).collect();
    others.sort_by(|a, b| similarity(rutile, &b.2).unwrap().total_cmp(&similarity(rutile, &a.2).unwrap()));
    let nearest: Vec<_> = others.iter().take(rutiles).map(|(id, label, _)| format!("{id} {label}")).collect();
    // NbO2 is rutile with its metal atoms in pairs: another space group, nearly the same distances.
    let kin = |(id, label, _): &&(&String, String, Vec<f64>)| is_rutile(label) || *id == "niobium-dioxide";
    assert!(others[..rutiles].iter().all(kin), "{nearest:#?}");
}
