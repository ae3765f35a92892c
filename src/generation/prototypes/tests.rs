//! Built crystals against published ones, and against the functions that measure channels.

use super::*;
use crystal::{Radii, Symmetry, neighbors};
use features::{Tolerances, largest_free_sphere, match_structures, site_radii, tunnels};
use formats::hosts::host;

fn element(symbol: &str) -> Element {
    Element::from_symbol(symbol).unwrap()
}

fn built(prototype: Prototype, metal: &str, ion: Option<&str>) -> Structure {
    let build = Build { metals: vec![element(metal)], anion: Element::O, ion: ion.map(element) };
    prototype.build(&build).unwrap()
}

fn group(structure: &Structure) -> u16 {
    Symmetry::of(structure, 0.01).unwrap().number
}

/// Asserts that both are one structure, and that their volumes differ by no more than a share.
fn alike(made: &Structure, known: &Structure, share: f64) {
    let formula = known.composition().reduced_formula();
    let found = match_structures(made, known, &Tolerances::default());
    assert!(found.is_some_and(|found| found.same), "{formula}: {found:?} {:?}", made.lattice().parameters());
    let volume = |s: &Structure| s.volume() / s.len() as f64;
    let ratio = volume(made) / volume(known);
    assert!((ratio - 1.0).abs() < share, "{formula}: {ratio}");
}

/// Rutile's own group is 136: its octahedra lie on two mirror planes more, which walls of stretched ones miss by a little.
#[test]
fn tunnels_are_those_of_published_crystals() {
    for (m, n, id, number) in
        [(1, 1, "pyrolusite", 84), (2, 2, "hollandite-mno2", 87), (3, 3, "todorokite-framework", 84)]
    {
        let made = built(Prototype::Tunnels(m, n), "Mn", None);
        alike(&made, &host(id).unwrap(), 0.05);
        assert_eq!(group(&made), number, "{m} x {n}");
    }
    let titanium = built(Prototype::Tunnels(1, 1), "Ti", None);
    alike(&titanium, &host("rutile").unwrap(), 0.05);
}

#[test]
fn romanechite_has_the_cell_of_turner_and_post() {
    // C2/m, a = 13.929, b = 2.8459, c = 9.678 Å, beta = 92.39 degrees, two formulas of (Ba, H2O)2 Mn5O10: Am. Mineral. 73 (1988) 1155.
    let made = built(Prototype::Tunnels(2, 3), "Mn", Some("Ba"));
    assert_eq!(made.composition().formula(), "BaMn5O10");
    assert_eq!(group(&built(Prototype::Tunnels(2, 3), "Mn", None)), 12);
    let volume = 13.929 * 2.8459 * 9.678 * 92.39_f64.to_radians().sin() / 2.0;
    assert!((made.volume() / volume - 1.0).abs() < 0.03, "{} {volume}", made.volume());
    let conventional = Symmetry::of(&made, 0.01).unwrap().conventional().unwrap();
    let mut lengths = conventional.lattice().parameters()[..3].to_vec();
    lengths.sort_by(f64::total_cmp);
    assert!(lengths.iter().zip([2.8459, 9.678, 13.929]).all(|(x, y)| (x / y - 1.0).abs() < 0.05), "{lengths:?}");
}

#[test]
fn barium_sits_in_the_wide_tunnel() {
    let made = built(Prototype::Tunnels(2, 2), "Mn", Some("Ba"));
    assert_eq!((made.composition().formula().as_str(), group(&made)), ("BaMn4O8", 87));
    let around = neighbors_of(&made, made.len() - 1, 3.2);
    // Eight anions, and barium above and below.
    let oxygen = (0..around.len()).filter(|&k| made.species()[around.neighbor[k] as usize] == Element::O).count();
    assert_eq!(oxygen, 8, "{:?}", around.distance);
}

#[test]
fn octahedra_keep_their_bonds() {
    for (m, n) in [(1, 1), (2, 2), (2, 3), (3, 3), (2, 5)] {
        let made = built(Prototype::Tunnels(m, n), "Mn", None);
        // Mn4+ 0.53 Å, O2- 1.36 Å.
        let bonds = neighbors(&made, 2.2);
        let of = |site: usize| (0..bonds.len()).filter(|&k| bonds.center[k] as usize == site).collect::<Vec<_>>();
        for site in 0..made.len() {
            let own = of(site);
            assert_eq!(own.len(), if made.species()[site] == Element::O { 3 } else { 6 }, "{m} x {n} site {site}");
            assert!(own.iter().all(|&k| (bonds.distance[k] - 1.89).abs() < 1e-6), "{m} x {n} site {site}");
        }
    }
}

#[test]
fn wider_tunnels_let_wider_spheres_pass_one_way() {
    let mut widest = 0.0;
    for (m, n) in [(1, 1), (2, 2), (2, 3), (3, 3)] {
        let made = built(Prototype::Tunnels(m, n), "Mn", None);
        let radii = site_radii(&made, Radii::Shannon).unwrap();
        let free = largest_free_sphere(&made, &radii, 1).unwrap();
        assert!(free > widest, "{m} x {n}: {free} after {widest}");
        widest = free;
        let channel = &tunnels(&made, &radii).unwrap()[0];
        let along = made.lattice().to_cartesian(channel.axis.map(f64::from));
        assert!(channel.dimensionality == 1 && along[0].abs() + along[1].abs() < 1e-6, "{m} x {n}: {channel:?}");
    }
}

#[test]
fn blocks_are_those_of_published_crystals() {
    let niobium = host("nb12o29").unwrap();
    let made = built(Prototype::Blocks(3, 4), "Nb", None);
    assert_eq!((made.composition().formula().as_str(), group(&made)), ("Nb12O29", 12));
    alike(&made, &niobium, 0.05);
    // One order of titanium and niobium among many: the framework without it.
    let titanium = host("tinb2o7").unwrap().relabelled(|_, e| if e == Element::O { e } else { element("Nb") });
    let made = built(Prototype::Blocks(3, 3), "Nb", None);
    assert_eq!((made.composition().formula().as_str(), group(&made)), ("Nb9O21", 12));
    alike(&made, &titanium, 0.06);
}

#[test]
fn blocks_are_open_along_their_columns_alone() {
    let made = built(Prototype::Blocks(4, 4), "Nb", None);
    let radii = site_radii(&made, Radii::Shannon).unwrap();
    let channel = &tunnels(&made, &radii).unwrap()[0];
    let along = made.lattice().to_cartesian(channel.axis.map(f64::from));
    assert!(channel.dimensionality == 1 && along[0].abs() + along[1].abs() < 1e-6, "{channel:?}");
}

#[test]
fn what_cannot_be_built_is_said() {
    let with = |metals: &[&str], anion: &str, ion: Option<&str>| Build {
        metals: metals.iter().map(|m| element(m)).collect(),
        anion: element(anion),
        ion: ion.map(element),
    };
    let refused = |prototype: Prototype, build: &Build| prototype.build(build).unwrap_err().to_string();
    let hollandite = Prototype::Tunnels(2, 2);
    assert!(refused(Prototype::Tunnels(0, 2), &with(&["Mn"], "O", None)).contains("outside 1 x 1 to 12 x 12"));
    assert!(refused(Prototype::Blocks(1, 3), &with(&["Nb"], "O", None)).contains("outside 2 x 2"));
    assert!(refused(hollandite, &with(&["Mn", "Ti"], "O", None)).contains("2 metals for 4 octahedra"));
    assert!(refused(hollandite, &with(&["Al"], "O", None)).contains("not charge-neutral"));
    assert!(refused(Prototype::Blocks(3, 3), &with(&["Nb"], "O", Some("Li"))).contains("built empty"));
    // Elements that are neutral the other way round.
    let swapped = refused(hollandite, &with(&["O"], "Ti", None));
    assert!(swapped.contains("not charge-neutral") || swapped.contains("no anion"), "{swapped}");
}

#[test]
fn elements_are_free() {
    // K hollandite of titanium and aluminium, K(AlTi3)O8, one order of it.
    let metals = ["Al", "Ti", "Ti", "Ti"].map(element).to_vec();
    let build = Build { metals, anion: Element::O, ion: Some(element("K")) };
    let made = Prototype::Tunnels(2, 2).build(&build).unwrap();
    assert_eq!(made.composition().formula(), "KTi3AlO8");
    // Tunnels of fluoride.
    let fluoride = Build { metals: vec![element("Fe")], anion: Element::F, ion: None };
    assert_eq!(Prototype::Tunnels(3, 3).build(&fluoride).unwrap().composition().reduced_formula(), "FeF2");
}
