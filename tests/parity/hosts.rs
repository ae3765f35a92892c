//! The embedded published structures: each is what it states, and has the volume of its relaxed counterpart in the
//! labelled sample, or in the larger set where that lies beside the repository.

use std::collections::HashSet;

use hollandite::{
    crystal::{Composition, Structure, Symmetry, neighbors},
    formats::hosts::{FILES, Host, embedded, parse},
};

use crate::data::{beside, read, sample};

/// g/cm³ of one unified atomic mass unit per Å³ (CODATA 2018).
const AMU_PER_A3: f64 = 1.660_539_066_60;

fn density(structure: &Structure) -> f64 {
    structure.composition().mass() * AMU_PER_A3 / structure.volume()
}

#[test]
fn every_file_reads_and_none_is_lost() {
    let mut hosts = 0;
    for (name, text) in FILES {
        hosts += parse(text).unwrap_or_else(|e| panic!("fixtures/hosts/{name}.hosts: {e}")).len();
    }
    assert_eq!(hosts, embedded().len());
    assert!(hosts >= 110, "{hosts} hosts");
    let on_disk = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/hosts")).unwrap();
    let files: HashSet<_> = on_disk
        .filter_map(|entry| entry.unwrap().path().file_name()?.to_str()?.strip_suffix(".hosts").map(str::to_owned))
        .collect();
    assert_eq!(files, FILES.iter().map(|(name, _)| (*name).to_owned()).collect(), "a file is not embedded");
}

#[test]
fn ids_are_unique_words_and_citations_have_a_year() {
    let mut seen = HashSet::new();
    for host in embedded() {
        assert!(host.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{}", host.id);
        assert!(seen.insert(host.id.clone()), "{} twice", host.id);
        let years = host.citation.split(|c: char| !c.is_ascii_digit()).filter(|w| w.len() == 4);
        let year = years.filter_map(|w| w.parse::<u32>().ok()).find(|y| (1900..=2030).contains(y));
        assert!(year.is_some(), "{}: no year in '{}'", host.id, host.citation);
    }
}

#[test]
fn each_host_has_its_stated_space_group_at_both_tolerances() {
    for host in embedded() {
        for symprec in [0.01, 0.1] {
            let found = Symmetry::of(&host.structure, symprec).unwrap_or_else(|e| panic!("{}: {e}", host.id));
            assert_eq!(found.number, host.spacegroup, "{} at {symprec} Å: {}", host.id, found.symbol);
        }
    }
}

#[test]
fn each_host_has_its_stated_formula_and_density() {
    for host in embedded() {
        let stated = Composition::parse(&host.formula).unwrap();
        assert_eq!(stated.reduced_formula(), host.structure.composition().reduced_formula(), "{}", host.id);
        let found = density(&host.structure);
        let deviation = (found / host.density_stated - 1.0).abs();
        assert!(deviation < 0.01, "{}: {} stated, {found:.3} g/cm³ computed", host.id, host.density_stated);
    }
}

/// The shortest bonds of oxides as refined, Å: O-H 0.88, P-O 1.5, and the double bonds Cr=O, V=O and Ti=O
/// (five-coordinate) near 1.55 to 1.6. Nothing else comes nearer than 1.6.
#[test]
fn no_bond_is_shorter_than_chemistry_allows() {
    for host in embedded() {
        let species = host.structure.species();
        let found = neighbors(&host.structure, 1.6);
        for k in 0..found.len() {
            let (i, j, d) = (found.center[k], found.neighbor[k], found.distance[k]);
            let mut pair = [species[i as usize].symbol(), species[j as usize].symbol()];
            pair.sort_unstable();
            let limit = match pair {
                ["H", "O"] => 0.85,
                ["O", "P"] => 1.47,
                ["Cr", "O"] | ["O", "V"] | ["O", "Ti"] => 1.53,
                _ => 1.6,
            };
            assert!(d >= limit, "{}: {}-{} at {d:.3} Å", host.id, pair[0], pair[1]);
        }
    }
}

#[test]
fn every_host_prints_and_reads_back() {
    for host in embedded() {
        let text = host.to_string();
        let again = parse(&text).unwrap_or_else(|e| panic!("{}: {e}\n{text}", host.id));
        assert_eq!(again.len(), 1);
        let again = &again[0];
        assert_eq!(
            (&again.id, &again.name, &again.sites, &again.note),
            (&host.id, &host.name, &host.sites, &host.note)
        );
        assert_eq!((again.setting, &again.citation), (host.setting, &host.citation));
        assert_eq!(again.to_string(), text);
        for (a, b) in again.structure.lattice().parameters().iter().zip(host.structure.lattice().parameters()) {
            assert!((a - b).abs() < 1e-9, "{}", host.id);
        }
    }
}

/// Where the same phase was relaxed by DFT its cell is near in volume: a cell or a formula unit off would be far more. Of the
/// many calculations of a phase one is within 8 %; of the sample's one, whose magnetic order may be another, within 15 %
/// (LiMn2O4: 12 %).
#[test]
fn volumes_agree_with_relaxed_counterparts() {
    let of_sample = |s: &Structure| {
        let group = Symmetry::of(s, 0.1).ok()?.number;
        Some((s.composition().reduced_formula(), group, s.volume() / s.len() as f64))
    };
    // (formula, space group, volume per atom)
    let mut relaxed: Vec<(String, u16, f64)> = sample().values().filter_map(of_sample).collect();
    let index = beside("data/hosts/index.tsv");
    let text = index.as_ref().map_or_else(String::new, |path| read(path));
    relaxed.extend(text.lines().skip(1).filter_map(|line| {
        let fields: Vec<_> = line.split('\t').collect();
        let formula = Composition::parse(fields[2]).ok()?.reduced_formula();
        Some((formula, fields[4].parse().ok()?, fields[6].parse().ok()?))
    }));
    let within = if index.is_some() { 0.08 } else { 0.15 };
    let mut compared = 0;
    for host in embedded() {
        let formula = host.structure.composition().reduced_formula();
        let own = host.structure.volume() / host.structure.len() as f64;
        let same = relaxed.iter().filter(|(f, number, _)| *f == formula && *number == host.spacegroup);
        let ratios: Vec<f64> = same.map(|(_, _, volume)| own / volume).collect();
        if ratios.is_empty() {
            continue;
        }
        compared += 1;
        assert!(ratios.iter().any(|r| (r - 1.0).abs() < within), "{}: volume ratios {ratios:.3?}", host.id);
    }
    println!("{compared} hosts compared with relaxed counterparts");
    assert!(compared >= if index.is_some() { 20 } else { 10 }, "only {compared} hosts have a relaxed counterpart");
}

#[test]
fn a_user_file_is_read_alike() {
    let hosts: Vec<Host> = parse("# nothing but comments\n\n").unwrap();
    assert!(hosts.is_empty());
}
