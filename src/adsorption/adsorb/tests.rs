use std::ops::ControlFlow;

use super::*;
use crate::{Round, Within, flat::Flat, parse_sites};
use crystal::testing::wo3;
use features::Ion;
use models::ModelError;
use models::potential::SinglePoint;

fn request<'a>(host: &'a Structure, ion: &str, n: usize, place: Place) -> Request<'a> {
    let ion = Ion::parse(ion).unwrap();
    Request { host, ion, n, place, spacing: None, freedom: Freedom::All, starts: 4 }
}

const EVERYWHERE: Place = Place::Within(Within::Everywhere);

fn references() -> BTreeMap<String, f64> {
    BTreeMap::from([("Li".to_owned(), -1.5)])
}

/// The answers of `potential`, without reports of progress.
fn answers_of(potential: &dyn Potential, requests: &[Request<'_>]) -> Vec<Answers> {
    let mut watch = |_: Round| ControlFlow::Continue(());
    let end = adsorb(potential, &references(), requests, &RelaxOptions::default(), &mut watch, |_, _| {});
    let ControlFlow::Continue(answers) = end else { panic!("no follower broke off") };
    answers
}

/// The only place of the only request.
fn only(potential: &dyn Potential, request: Request<'_>) -> Answer {
    answers_of(potential, &[request]).remove(0).unwrap().remove(0)
}

#[test]
fn a_flat_surface_gives_what_its_atoms_have() {
    let host = wo3();
    let requests = [
        request(&host, "Li", 1, EVERYWHERE),
        request(&host, "Li", 1, Place::EachChannel),
        request(&host, "Ca", 1, Place::EachChannel),
        request(&host, "Li", 40, EVERYWHERE),
    ];
    let mut reported = Vec::new();
    let mut rounds = Vec::new();
    let mut watch = |round: Round| {
        rounds.push((round.active, round.of));
        ControlFlow::Continue(())
    };
    let end = adsorb(&Flat, &references(), &requests, &RelaxOptions::default(), &mut watch, |number, answers| {
        reported.push((number, answers.as_ref().map_or(0, Vec::len)));
    });
    let ControlFlow::Continue(given) = end else { panic!("no follower broke off") };
    reported.sort_unstable();
    let each: Vec<_> = given.iter().map(|a| a.as_ref().map_or(0, Vec::len)).enumerate().collect();
    assert_eq!(reported, each, "each request is reported once");
    // The one host; a place for each of the three requests of Li, of which one has no room for so many; the two hosts without it.
    assert_eq!(rounds, [(4, 5), (2, 5), (0, 5)]);
    let one = given[0].as_ref().unwrap()[0].as_ref().unwrap();
    // The centre of the cube, 12 O around it: -((-6) - (-4) - (-1.5)).
    assert!((one.potential - 0.5).abs() < 1e-12 && one.converged && one.n == 1);
    assert!(one.sites[0].iter().all(|x| (x - 0.5).abs() < 1e-6), "{:?}", one.sites);
    assert_eq!((one.structure.len(), one.e_host, one.e_inserted), (5, -4.0, -6.0));
    // There is one site, the ions form a cube, and the host is recovered.
    assert_eq!((one.starts, one.spread, one.emptied.unwrap().kept), (1, 0.0, true));
    assert!((one.spacing - 3.8).abs() < 1e-6, "{}", one.spacing);
    // The tunnels of the three directions are one channel.
    let each = given[1].as_ref().unwrap();
    assert_eq!((each.len(), each[0].as_ref().unwrap().channel), (1, Some(0)));
    let calcium = given[2].as_ref().unwrap()[0].as_ref().unwrap_err().to_string();
    assert!(calcium.contains("elemental reference energy of Ca"), "{calcium}");
    assert!(given[3].as_ref().unwrap()[0].as_ref().unwrap_err().to_string().contains("no room"));
}

#[test]
fn whoever_watches_may_break_off() {
    let host = wo3();
    let mut watch = |_: Round| ControlFlow::Break(());
    let requests = [request(&host, "Li", 1, Place::EachChannel)];
    let end = adsorb(&Flat, &references(), &requests, &RelaxOptions::default(), &mut watch, |_, _| {});
    assert!(end.is_break());
}

#[test]
fn a_spacing_dilutes_and_an_ion_is_an_ion_whatever_the_cell() {
    let host = wo3();
    let long = host.supercell([1, 1, 3]).unwrap();
    for host in [&host, &long] {
        let found = only(&Flat, Request { spacing: Some(5.0), ..request(host, "Li", 1, EVERYWHERE) }).unwrap();
        // Two cells in a checkerboard, 3.8 √2 Å.
        assert_eq!((found.structure.len(), found.n, found.e_host), (9, 1, -8.0));
        assert!((found.spacing - 3.8 * 2.0_f64.sqrt()).abs() < 1e-6, "{}", found.spacing);
        assert!((found.potential - 0.5).abs() < 1e-12);
    }
    let far = Request { spacing: Some(100.0), ..request(&host, "Li", 1, EVERYWHERE) };
    assert!(answers_of(&Flat, &[far])[0].as_ref().unwrap_err().to_string().contains("more than 400 atoms"));
}

#[test]
fn stated_sites_are_filled_as_they_are() {
    let host = wo3();
    let ask = |text: &str, n, freedom| {
        let place = Place::Sites(parse_sites(text).unwrap());
        only(&Flat, Request { freedom, ..request(&host, "Li", n, place) })
    };
    for (name, freedom) in Freedom::NAMES {
        let found = ask("0.5 0.5 0.25; 0.5, 0.5, 0.75", 2, freedom).unwrap();
        assert_eq!(found.sites, [[0.5, 0.5, 0.25], [0.5, 0.5, 0.75]], "{name}");
        assert!((found.spacing - 1.9).abs() < 0.1 && found.converged && found.channel.is_none(), "{name}: {found:?}");
        assert_eq!(found.emptied.is_some(), freedom == Freedom::All, "{name}");
        if matches!(freedom, Freedom::Host | Freedom::Nothing) {
            assert_eq!(&found.structure.frac_coords()[4..], found.sites);
        }
    }
    let message = ask("0.5 0.5 0.5", 2, Freedom::All).unwrap_err().to_string();
    assert!(message.contains("1 sites for 2 ions"), "{message}");
    let spaced = Request { spacing: Some(8.0), ..request(&host, "Li", 1, Place::Sites(vec![[0.5; 3]])) };
    assert!(answers_of(&Flat, &[spaced])[0].is_err());
}

/// As [`Flat`], with a well for lithium, and a framework that `sinks` once lithium has been there.
struct Wells {
    /// Deeper by so much, eV, with lithium in the corner of the cube, where a metal was, than in its middle.
    depth: f64,
    /// What an empty cell gains that has been filled before, eV.
    sinks: f64,
}

impl Potential for Wells {
    fn name(&self) -> &str {
        "wells"
    }

    fn id(&self) -> &str {
        "wells"
    }

    fn single_points(&self, structures: &[&Structure]) -> Vec<Result<SinglePoint, ModelError>> {
        let answer = |(s, point): (&&Structure, Result<SinglePoint, ModelError>)| {
            let mut point = point?;
            let lithium = s.species().iter().zip(s.frac_coords()).find(|(e, _)| e.symbol() == "Li");
            point.energy -= match lithium {
                Some((_, x)) if (x[0] - x[0].round()).abs() < 0.25 => self.depth,
                Some(_) => 0.0,
                // A host that was nudged once is never quite in place.
                None if s.frac_coords()[0][0].abs() > 1e-9 => self.sinks,
                None => 0.0,
            };
            Ok(point)
        };
        structures.iter().zip(Flat.single_points(structures)).map(answer).collect()
    }
}

/// A host with two kinds of sites: the cube with one corner metal gone in every second cell along c.
fn two_cavities() -> Structure {
    let long = wo3().supercell([1, 1, 2]).unwrap();
    let (species, frac) = (long.species()[1..].to_vec(), long.frac_coords()[1..].to_vec());
    Structure::with_overlaps(*long.lattice(), species, frac).unwrap()
}

#[test]
fn the_best_of_several_starts_is_the_answer_and_the_spread_is_reported() {
    let host = two_cavities();
    let one =
        |starts, depth| only(&Wells { depth, sinks: 0.0 }, Request { starts, ..request(&host, "Li", 1, EVERYWHERE) });
    let alone = one(1, 0.7).unwrap();
    assert_eq!((alone.starts, alone.spread), (1, 0.0));
    let several = one(6, 0.7).unwrap();
    assert!(several.starts > 1 && several.potential >= alone.potential, "{several:?}");
    assert!((several.spread - 0.7).abs() < 1e-9 && (several.potential - 1.2).abs() < 1e-9, "{several:?}");
    // Uphill as well as downhill: the best is the best, not the first or last.
    let other = one(6, -0.7).unwrap();
    assert!((other.potential - 0.5).abs() < 1e-9 && (other.spread - 0.7).abs() < 1e-9, "{other:?}");
}

#[test]
fn a_host_that_does_not_come_back_is_reported() {
    let host = wo3();
    let emptied =
        |sinks| only(&Wells { depth: 0.0, sinks }, request(&host, "Li", 1, EVERYWHERE)).unwrap().emptied.unwrap();
    assert_eq!(emptied(0.0), Emptied { energy_change: 0.0, kept: true });
    // Lower by 0.8 eV for four atoms: a phase transition that lithium has set off. Higher: a host that is broken.
    for (sinks, change) in [(0.8, -0.2), (-0.8, 0.2)] {
        let found = emptied(sinks);
        assert!((found.energy_change - change).abs() < 1e-9 && !found.kept, "{found:?}");
    }
}
