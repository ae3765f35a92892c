use std::ops::ControlFlow;

use super::*;
use crate::Round;
use crystal::{norm, testing::reo3};
use features::{Tolerances, same_structure};
use formats::hosts::host;
use models::ModelError;
use models::potential::SinglePoint;

/// Lithium in a lattice of cubic wells of an edge of 3.8 Å and a depth of `height` eV, with minima in the middle of the cubes that
/// sites 0 begins; nothing else feels anything.
struct Cubes {
    height: f64,
}

const EDGE: f64 = 3.8;

impl Potential for Cubes {
    fn name(&self) -> &str {
        "cubes"
    }

    fn id(&self) -> &str {
        "cubes"
    }

    fn single_points(&self, structures: &[&Structure]) -> Vec<Result<SinglePoint, ModelError>> {
        let turn = std::f64::consts::TAU / EDGE;
        let of = |s: &&Structure| {
            let at = s.cart_coords();
            let (mut energy, mut forces) = (-(s.len() as f64), vec![[0.0; 3]; s.len()]);
            for (i, x) in at.iter().enumerate().filter(|(i, _)| s.species()[*i].symbol() == "Li") {
                energy += x.iter().map(|x| self.height * (1.0 + (turn * x).cos()) / 2.0).sum::<f64>();
                forces[i] = x.map(|x| self.height * turn * (turn * x).sin() / 2.0);
            }
            SinglePoint { energy, forces, stress: [[0.0; 3]; 3], magmoms: None }
        };
        structures.iter().map(|s| Ok(of(s))).collect()
    }
}

fn journey<'a>(host: &'a Structure, ion: &str, within: Within, spacing: f64) -> Journey<'a> {
    Journey { host, ion: Ion::parse(ion).unwrap(), within, spacing, images: 3, starts: 2 }
}

fn answers(journeys: &[Journey<'_>]) -> Vec<Result<Migration, AdsorptionError>> {
    let mut watch = |_: Round| ControlFlow::Continue(());
    let end = migrate(&Cubes { height: 0.6 }, journeys, &RelaxOptions::default(), &mut watch);
    let ControlFlow::Continue(answers) = end else { panic!("nobody broke off") };
    answers
}

#[test]
fn an_ion_goes_over_the_lowest_pass_to_the_next_cube() {
    let host = reo3("W", EDGE);
    let manganosite = host_of("manganosite");
    let found = answers(&[
        journey(&host, "Li", Within::Channels, 5.0),
        journey(&manganosite, "K", Within::Channels, 3.0),
        journey(&host, "Li", Within::Channels, EDGE),
        Journey { images: 0, ..journey(&host, "Li", Within::Channels, 5.0) },
        journey(&host, "Li", Within::Ring(6), 5.0),
    ]);
    let one = found[0].as_ref().unwrap();
    assert!(one.converged && (one.barrier - 0.6).abs() < 5e-3, "{one:?}");
    // Two cells in a checkerboard; one hop of one edge, for the others are alike.
    assert!((one.spacing - EDGE * 2.0_f64.sqrt()).abs() < 1e-6 && one.hops.len() == 1);
    let hop = &one.hops[0];
    assert_eq!((hop.images.len(), hop.energies.len(), hop.images[0].len()), (5, 5, 9));
    assert!((hop.distances[4] - EDGE).abs() < 1e-9 && hop.energies[0] == 0.0, "{hop:?}");
    // The far end is the near one a cell on: every atom on the place of its like.
    assert!(one.uneven == 0.0 && hop.energies[4] == 0.0, "{one:?}");
    assert!(same_structure(&hop.images[0], &hop.images[4], &Tolerances::default()));
    let moved = |k: usize| {
        let [a, b] = [&hop.images[0], &hop.images[4]].map(|s| s.cart_coords()[k]);
        norm(std::array::from_fn(|i| b[i] - a[i]))
    };
    assert!((0..8).all(|k| moved(k) < 0.1), "the host stays where it is: {hop:?}");
    assert!(found[1].as_ref().unwrap_err().to_string().contains("no channel with a site for K"));
    assert!((found[2].as_ref().unwrap().spacing - EDGE).abs() < 1e-6);
    assert!(found[3].as_ref().unwrap_err().to_string().contains("0 images"));
    assert!(found[4].is_err(), "no hexagonal channel");
}

fn host_of(id: &str) -> Structure {
    host(id).unwrap()
}

#[test]
fn whoever_watches_may_break_off_in_any_part() {
    let host = reo3("W", EDGE);
    for after in 0..3 {
        let mut left = after;
        let mut watch = |_: Round| {
            left -= 1;
            if left < 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let journeys = [journey(&host, "Li", Within::Channels, 5.0)];
        let end = migrate(&Cubes { height: 0.6 }, &journeys, &RelaxOptions::default(), &mut watch);
        assert!(end.is_break(), "after {after} rounds");
    }
}
