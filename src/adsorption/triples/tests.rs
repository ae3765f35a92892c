//! Triples among the hand-written runs of fixtures/vasp/insertion, and of what is left when their settings are changed.

use std::path::Path;

use super::*;
use formats::vasp::{calculations, read_calculation};

fn fixtures() -> Vec<Run> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/vasp/insertion");
    calculations(&folder).unwrap().iter().map(|c| read_calculation(c).run.unwrap()).collect()
}

fn number(runs: &[Run], name: &str) -> usize {
    runs.iter().position(|r| r.name == name).unwrap()
}

fn element(symbol: &str) -> Element {
    Element::from_symbol(symbol).unwrap()
}

fn pbe(ion: &str, energy: f64, source: &str) -> Reference {
    Reference { ion: element(ion), energy, functional: "PBE".into(), potential: None, source: source.into() }
}

fn stated(references: &[Reference]) -> References {
    References { stated: references.to_vec(), stated_only: false }
}

/// Host, inserted, ion, n.
type Named = (String, String, &'static str, u32);

/// Triples by name, and what was refused as (run, reason).
fn names(runs: &[Run], triples: &Triples) -> (Vec<Named>, Vec<(String, String)>) {
    let name = |k: usize| runs[k].name.clone();
    let mut found: Vec<_> =
        triples.found.iter().map(|t| (name(t.host), name(t.inserted), t.ion.symbol(), t.n)).collect();
    found.sort();
    (found, triples.refused.iter().map(|r| (name(r.run), r.reason.clone())).collect())
}

fn triple_of(host: &str, inserted: &str, ion: &'static str, n: u32) -> Named {
    (host.into(), inserted.into(), ion, n)
}

#[test]
fn what_belongs_together_is_found_and_the_rest_named() {
    let runs = fixtures();
    let triples = find(&runs, &stated(&[pbe("Ca", -1.98, "a paper")]));
    let (found, refused) = names(&runs, &triples);
    assert_eq!(
        found,
        [
            triple_of("mno2", "mno2-2li", "Li", 2),
            triple_of("mno2", "mno2-ca", "Ca", 1),
            triple_of("mno2", "mno2-li", "Li", 1)
        ]
    );
    let reason = |name: &str| &refused.iter().find(|(n, _)| n == name).unwrap().1;
    assert!(reason("mno2-mg").contains("did not converge in 60 steps"), "{refused:?}");
    assert!(reason("mno2-al").contains("mno2 was computed otherwise: ENCUT 520 eV there, 400 eV here"), "{refused:?}");
    assert_eq!(refused.len(), 2, "{refused:?}");
    let li = triples.found.iter().find(|t| t.inserted == number(&runs, "mno2-li")).unwrap();
    assert_eq!((li.e_host, li.e_inserted, li.e_ion, li.cells), (-47.5, -52.6, -1.9, 1.0));
    assert_eq!((li.ion_run, li.note.as_deref()), (Some(number(&runs, "metals/li")), None));
    let ca = triples.found.iter().find(|t| t.ion.symbol() == "Ca").unwrap();
    assert_eq!((ca.e_ion, ca.ion_run), (-1.98, None));
    assert_eq!(ca.note.as_deref(), Some("e_ion: a paper, pseudopotential not stated"));
}

#[test]
fn a_reference_is_never_assumed() {
    let runs = fixtures();
    let refused = |references: &[Reference]| {
        let triples = find(&runs, &stated(references));
        assert!(triples.found.iter().all(|t| t.ion.symbol() != "Ca"));
        let reason = triples.refused.into_iter().find(|r| r.run == number(&runs, "mno2-ca"));
        reason.unwrap().reason
    };
    assert!(refused(&[]).contains("no reference energy of Ca for PBE with PAW_PBE Ca_sv 06Sep2000: add a calculation"));
    assert!(refused(&[pbe("Li", -1.9, "x")]).contains("no reference energy of Ca"));
    let other = Reference { functional: "PBEsol".into(), ..pbe("Ca", -1.98, "x") };
    assert!(refused(&[other]).contains("no reference energy of Ca for PBE"));
    let potential = Reference { potential: Some("PAW_PBE Ca_pv 06Sep2000".into()), ..pbe("Ca", -1.98, "x") };
    assert!(refused(&[potential]).contains("no reference energy of Ca for PBE"));
    let reason = refused(&[pbe("Ca", -1.98, "x"), pbe("Ca", -2.0, "y")]);
    assert!(
        reason.contains("contradict") && reason.contains("-2 eV (y)") && reason.contains("--reference"),
        "{reason}"
    );
    // One that names its pseudopotential decides.
    let named = Reference { potential: Some("PAW_PBE Ca_sv 06Sep2000".into()), ..pbe("Ca", -2.0, "y") };
    let triples = find(&runs, &stated(&[pbe("Ca", -1.98, "x"), named]));
    assert!(triples.found.iter().any(|t| t.e_ion == -2.0));
    // Where the user has chosen, calculations of the metal do not count.
    let chosen = References { stated: vec![pbe("Li", -1.8978, "a paper")], stated_only: true };
    let triples = find(&runs, &chosen);
    assert!(triples.found.iter().all(|t| t.e_ion == -1.8978 && t.ion_run.is_none()) && triples.found.len() == 2);
    // A metal that was computed otherwise is not passed over for a number from elsewhere.
    let mut runs = fixtures();
    let li = number(&runs, "metals/li");
    runs[li].settings.encut = 400.0;
    let triples = find(&runs, &stated(&[pbe("Li", -1.9, "x")]));
    assert!(triples.found.is_empty());
    let reason = &triples.refused.iter().find(|r| r.run == number(&runs, "mno2-li")).unwrap().reason;
    assert!(reason.contains("metals/li: ENCUT 400 eV there, 520 eV here"), "{reason}");
}

#[test]
fn every_setting_that_moves_the_zero_is_compared() {
    type Change = fn(&mut Run);
    let change: [(&str, Change); 7] = [
        ("functional PBE+U there, PBEsol+U here", |r| r.settings.functional = "PBEsol+U".into()),
        ("ENCUT 520 eV there, 500 eV here", |r| r.settings.encut = 500.0),
        ("ISPIN 2 there, 1 here", |r| r.settings.ispin = 1),
        ("LASPH T there, F here", |r| r.settings.lasph = false),
        ("U of Mn 3.9 eV (J 0 eV, l 2, LDAUTYPE 2) there, 4.5 eV", |r| r.settings.hubbard[0].u = 4.5),
        ("U of Mn 3.9 eV (J 0 eV, l 2, LDAUTYPE 2) there, none here", |r| r.settings.hubbard.clear()),
        ("pseudopotential of O PAW_PBE O 08Apr2002 there, PAW_PBE O_s 07Sep2000 here", |r| {
            r.settings.species.last_mut().unwrap().potcar = "PAW_PBE O_s 07Sep2000".into();
        }),
    ];
    for (reason, change) in change {
        let mut runs = fixtures();
        let li = number(&runs, "mno2-li");
        change(&mut runs[li]);
        let triples = find(&runs, &References::default());
        assert!(triples.found.iter().all(|t| t.inserted != li), "{reason}");
        let said = triples.refused.iter().find(|r| r.run == li).unwrap();
        assert!(said.reason.contains(reason), "{reason}: {said:?}");
    }
}

#[test]
fn a_larger_cell_takes_as_much_host_as_it_holds() {
    let mut runs = fixtures();
    let (host, li) = (number(&runs, "mno2"), number(&runs, "mno2-li"));
    // Two cells of the filled crystal side by side: two ions, twice the energy.
    runs[li].structure = runs[li].structure.supercell([1, 1, 2]).unwrap();
    runs[li].energy *= 2.0;
    let triples = find(&runs, &References::default());
    let found = triples.found.iter().find(|t| t.inserted == li).unwrap();
    assert_eq!((found.n, found.cells, found.e_host), (2, 2.0, 2.0 * runs[host].energy));
    assert!((found.e_inserted - found.e_host - 2.0 * found.e_ion - 2.0 * (-52.6 + 47.5 + 1.9)).abs() < 1e-9);
}

#[test]
fn of_one_crystal_computed_twice_the_lower_counts() {
    let mut runs = fixtures();
    for name in ["mno2", "mno2-li"] {
        let mut again = runs[number(&runs, name)].clone();
        again.name = format!("{name}/again");
        again.energy -= 0.01;
        runs.push(again);
    }
    let (found, refused) = names(&runs, &find(&runs, &References::default()));
    assert!(found.contains(&triple_of("mno2/again", "mno2-li/again", "Li", 1)), "{found:?}");
    assert!(!found.iter().any(|(host, inserted, ..)| host == "mno2" || inserted == "mno2-li"), "{found:?}");
    assert!(
        refused.iter().any(|(name, reason)| name == "mno2-li" && reason.contains("the same crystal as mno2-li/again"))
    );
}

#[test]
fn another_framework_of_the_same_formula_is_no_host() {
    let mut runs = fixtures();
    let host = number(&runs, "mno2");
    // The formula of pyrolusite in a cell and an arrangement that are not its own.
    let s = &runs[host].structure;
    let frac = s.frac_coords().iter().enumerate().map(|(i, x)| [x[0], x[1], 0.13 * i as f64]).collect();
    let rows = s.lattice().rows();
    let lattice = crystal::Lattice::new([rows[0], rows[1], rows[2].map(|x| 3.0 * x)]).unwrap();
    runs[host].structure = Structure::new(lattice, s.species().to_vec(), frac).unwrap();
    let triples = find(&runs, &References::default());
    // The fewer ions are then the host of the more.
    let (found, refused) = names(&runs, &triples);
    assert!(found.iter().all(|(host, ..)| host == "mno2-li"), "{found:?}");
    assert!(refused.iter().any(|(name, why)| name == "mno2-li" && why.contains("its framework is not that of mno2")));
}

#[test]
fn a_person_may_name_them() {
    let runs = fixtures();
    let table = "host,inserted,ion,n,channel\n# a comment\nmno2,mno2-li,Li,1,1x1\nmno2,mno2-2li,Li,,\nmno2,mno2-li,Li,2,\n\
                 mno2,mno2-ca,Li,,\nmno2,nothing,Li,,\nmno2,mno2-mg,Mg,,\nmno2,mno2-al,Al,,\nmno2-2li,mno2-li,Li,,\n";
    let rows = read_triples(table).unwrap();
    let (triples, refused) = given(&runs, &References::default(), &rows);
    let (found, _) = names(&runs, &triples);
    assert_eq!(found, [triple_of("mno2", "mno2-2li", "Li", 2), triple_of("mno2", "mno2-li", "Li", 1)]);
    assert_eq!(triples.found[0].channel.as_deref(), Some("1x1"));
    assert_eq!(triples.found[1].channel, None);
    let reasons: Vec<(usize, &str)> = refused.iter().map(|(line, reason)| (*line, reason.as_str())).collect();
    for (line, words) in [
        (5, "n is 2, and mno2-li holds 1 Li more than mno2"),
        (6, "Mn2O4 and CaMn2O4 differ by more than Li"),
        (7, "no calculation is called nothing"),
        (8, "mno2-mg: the electronic loop did not converge"),
        (9, "ENCUT 520 eV there, 400 eV here"),
        (10, "which makes -1 Li"),
    ] {
        assert!(reasons.iter().any(|(l, r)| *l == line && r.contains(words)), "{words}: {reasons:?}");
    }
    assert_eq!(refused.len(), 6);
    for (table, line) in
        [("host,ion\na,b\n", 2), ("host,inserted,ion,n\na,b,Li,one\n", 2), ("host,inserted,ion,x\na,b,Li,1\n", 2)]
    {
        let error = read_triples(table).unwrap_err();
        assert_eq!(error.position().map(|p| p.line), Some(line), "{error}");
        assert!(error.to_string().contains("expected the columns"), "{error}");
    }
}
