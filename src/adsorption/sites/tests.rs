use proptest::prelude::*;

use super::*;
use crystal::testing::wo3;
use formats::hosts::host;

fn sites(structure: &Structure, ion: &str, within: Within) -> Vec<InsertionSite> {
    insertion_sites(structure, &Ion::parse(ion).unwrap(), within).unwrap()
}

fn close(a: [f64; 3], b: [f64; 3]) -> bool {
    (0..3).all(|k| (a[k] - b[k] - (a[k] - b[k]).round()).abs() < 1e-3)
}

#[test]
fn the_a_site_of_reo3_is_the_one_site() {
    let found = sites(&wo3(), "Na", Within::Everywhere);
    let [site] = &found[..] else { panic!("{found:?}") };
    assert!(close(site.frac, [0.5; 3]));
    assert!((site.radius - (3.8 / 2.0_f64.sqrt() - 1.36)).abs() < 1e-9);
    assert_eq!((site.channel, site.ring, site.multiplicity, site.coordination), (Some(0), Some(4), 1, 12));
    // The square windows of radius 0.54 Å hold sodium back and let aluminium pass.
    assert!(!site.passes && sites(&wo3(), "Al", Within::Everywhere)[0].passes);
    assert!(sites(&wo3(), "Na", Within::Passing).is_empty() && sites(&wo3(), "Na", Within::Cavities).is_empty());
    assert_eq!(sites(&wo3(), "Na", Within::Ring(4)), found);
    assert_eq!(sites(&wo3(), "Na", Within::Channel(0)), found);
    assert!(sites(&wo3(), "Na", Within::Channel(1)).is_empty() && sites(&wo3(), "Na", Within::Ring(6)).is_empty());
}

#[test]
fn the_sites_that_refinements_found_occupied() {
    // Potassium in hollandite on 2b, in the middle of eight oxygens; lithium in the manganese spinel on 8a, four oxygens,
    // before 16c; potassium in the hexagonal bronze on the axis of the six-rings; sodium between the layers of V2O5 above
    // the squares of the ladder, alpha'-NaV2O5.
    let hollandite = sites(&host("hollandite-mno2").unwrap(), "K", Within::Channels);
    assert!(close(hollandite[0].frac, [0.0, 0.0, 0.5]) || close(hollandite[0].frac, [0.5, 0.5, 0.0]), "{hollandite:?}");
    assert_eq!((hollandite[0].ring, hollandite[0].coordination, hollandite[0].multiplicity), (Some(8), 8, 2));

    let spinel = sites(&host("lambda-mno2").unwrap(), "Li", Within::Everywhere);
    assert!((spinel[0].coordination, spinel[0].multiplicity) == (4, 8), "{spinel:?}");
    assert!((spinel[1].coordination, spinel[1].multiplicity) == (6, 16), "{spinel:?}");

    let bronze = sites(&host("h-wo3").unwrap(), "K", Within::Everywhere);
    assert!(
        bronze[0].frac[0].abs() < 1e-3 && bronze[0].frac[1].abs() < 1e-3 && bronze[0].ring == Some(6),
        "{bronze:?}"
    );
}

#[test]
fn distinct_sites_stand_for_all_of_them() {
    for id in ["hollandite-mno2", "vanadium-pentoxide", "molybdite", "lambda-mno2", "ramsdellite"] {
        let structure = host(id).unwrap();
        let ion = Ion::parse("Li").unwrap();
        let all = Sites::new(&structure, &ion, Within::Everywhere).unwrap();
        let distinct = sites(&structure, "Li", Within::Everywhere);
        assert_eq!(distinct.iter().map(|site| site.multiplicity).sum::<usize>(), all.sites.len(), "{id}");
        for (site, &orbit) in all.sites.iter().zip(&all.orbit) {
            let first = &all.sites[orbit];
            assert!(
                (site.radius - first.radius).abs() < 1e-6 && (site.score - first.score).abs() < 1e-3,
                "{id} {site:?}"
            );
            assert_eq!(site.coordination, first.coordination, "{id}");
        }
        let (held, floating): (Vec<_>, Vec<_>) = distinct.iter().partition(|site| !site.floats(&ion));
        assert!([&held[..], &floating].iter().all(|part| part.is_sorted_by(|a, b| a.score <= b.score + 1e-3)), "{id}");
        assert!(distinct.iter().map(|site| site.floats(&ion)).is_sorted(), "{id}");
    }
}

#[test]
fn channels_are_asked_for_by_name_and_number() {
    for (text, want) in [
        ("everywhere", Within::Everywhere),
        ("Passing", Within::Passing),
        ("channels", Within::Channels),
        ("cavities", Within::Cavities),
        ("2", Within::Channel(1)),
        ("hexagonal", Within::Ring(6)),
        ("triangular", Within::Ring(3)),
        ("square", Within::Ring(4)),
    ] {
        assert_eq!(Within::parse(text).unwrap(), want);
    }
    for text in ["0", "1.5", "-1", "round", ""] {
        assert!(Within::parse(text).unwrap_err().to_string().contains("no channel"), "{text}");
    }
}

/// What does not depend on how a crystal is listed.
fn summary(sites: &[InsertionSite], copies: usize) -> Vec<[i64; 6]> {
    let step = |x: f64, unit: f64| (x / unit).round() as i64;
    let mut rows: Vec<[i64; 6]> = sites
        .iter()
        .map(|s| {
            let ring = s.ring.map_or(-1, |r| r as i64);
            let count = (s.multiplicity / copies) as i64;
            [step(s.score, 0.01), step(s.radius, 1e-3), ring, s.coordination as i64, count, i64::from(s.passes)]
        })
        .collect();
    rows.sort_unstable();
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn neither_origin_nor_order_nor_supercell_matter(
        which in 0..3_usize, shift in prop::array::uniform3(-1.0..1.0_f64), double in 0..3_usize, turn in 0..20_usize,
    ) {
        let structure = [wo3(), host("hollandite-mno2").unwrap(), host("lambda-mno2").unwrap()][which].clone();
        // Scores next to a step could round either way.
        let wanted = summary(&sites(&structure, "Li", Within::Everywhere), 1);
        let mut n = [1; 3];
        n[double] = if which == 2 { 1 } else { 2 };
        let big = structure.supercell(n).unwrap();
        let (mut species, mut frac) = (big.species().to_vec(), big.frac_coords().to_vec());
        species.rotate_left(turn % big.len());
        frac.rotate_left(turn % big.len());
        let frac = frac.iter().map(|x| std::array::from_fn(|k| x[k] + shift[k])).collect();
        let other = Structure::new(*big.lattice(), species, frac).unwrap().wrapped();
        let got = summary(&sites(&other, "Li", Within::Everywhere), n.iter().product());
        prop_assert_eq!(got.len(), wanted.len());
        for (a, b) in got.iter().zip(&wanted) {
            prop_assert!((0..6).all(|k| (a[k] - b[k]).abs() <= i64::from(k < 2)), "{:?} {:?}", got, wanted);
        }
    }
}

#[test]
fn a_host_too_large_for_its_potentials_is_refused_at_once() {
    let error = insertion_sites(&wo3().supercell([7, 6, 6]).unwrap(), &Ion::parse("Li").unwrap(), Within::Everywhere);
    let message = error.unwrap_err().to_string();
    assert!(message.contains("1008 sites is larger than the 1000"), "{message}");
}
