use std::ops::ControlFlow;

use super::*;
use crate::Round;
use crystal::{Lattice, norm, testing::reo3};
use features::{Tolerances, same_structure};
use formats::hosts::host;
use models::ModelError;
use models::potential::SinglePoint;

/// Lithium in a lattice of wells of these edges, Å, with minima in the middle of the boxes that sites 0 begins, and passes of these
/// heights, eV, along the three axes; nothing else feels anything.
struct Boxes {
    edges: [f64; 3],
    heights: [f64; 3],
}

const EDGE: f64 = 3.8;
/// Alike in all directions.
const CUBES: Boxes = Boxes { edges: [EDGE; 3], heights: [0.6; 3] };

impl Potential for Boxes {
    fn name(&self) -> &str {
        "boxes"
    }

    fn id(&self) -> &str {
        "boxes"
    }

    fn single_points(&self, structures: &[&Structure]) -> Vec<Result<SinglePoint, ModelError>> {
        let turn = self.edges.map(|edge| std::f64::consts::TAU / edge);
        let of = |s: &&Structure| {
            let at = s.cart_coords();
            let (mut energy, mut forces) = (-(s.len() as f64), vec![[0.0; 3]; s.len()]);
            for (i, x) in at.iter().enumerate().filter(|(i, _)| s.species()[*i].symbol() == "Li") {
                energy += (0..3).map(|k| self.heights[k] * (1.0 + (turn[k] * x[k]).cos()) / 2.0).sum::<f64>();
                forces[i] = std::array::from_fn(|k| self.heights[k] * turn[k] * (turn[k] * x[k]).sin() / 2.0);
            }
            SinglePoint { energy, forces, stress: [[0.0; 3]; 3], magmoms: None }
        };
        structures.iter().map(|s| Ok(of(s))).collect()
    }
}

fn journey<'a>(host: &'a Structure, ion: &str, within: Within, spacing: f64) -> Journey<'a> {
    Journey { host, ion: Ion::parse(ion).unwrap(), within, spacing, images: 3, starts: 2 }
}

fn answers(potential: &Boxes, journeys: &[Journey<'_>]) -> Vec<Result<Migration, AdsorptionError>> {
    let mut watch = |_: Round| ControlFlow::Continue(());
    let end = migrate(potential, journeys, &RelaxOptions::default(), &mut watch);
    let ControlFlow::Continue(answers) = end else { panic!("no follower broke off") };
    answers
}

#[test]
fn an_ion_goes_over_the_lowest_pass_to_the_next_cube() {
    let host = reo3("W", EDGE);
    let manganosite = host_of("manganosite");
    let journeys = [
        journey(&host, "Li", Within::Channels, 5.0),
        journey(&manganosite, "K", Within::Channels, 3.0),
        journey(&host, "Li", Within::Channels, EDGE),
        Journey { images: 0, ..journey(&host, "Li", Within::Channels, 5.0) },
        journey(&host, "Li", Within::Ring(6), 5.0),
    ];
    let found = answers(&CUBES, &journeys);
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

#[test]
fn without_a_channel_the_lowest_of_three_ways_is_taken() {
    // The widest window is that along the first axis, and the lowest pass that along the second.
    let edges = [EDGE, 3.9, 4.0];
    let lattice = Lattice::from_parameters(edges[0], edges[1], edges[2], 90.0, 90.0, 90.0).unwrap();
    let cube = reo3("W", EDGE);
    let host = Structure::new(lattice, cube.species().to_vec(), cube.frac_coords().to_vec()).unwrap();
    let boxes = Boxes { edges, heights: [0.6, 0.3, 0.9] };
    let ways = [Within::Channels, Within::Everywhere].map(|within| journey(&host, "Li", within, 5.0));
    let found = answers(&boxes, &ways);
    for (found, (axis, channel)) in found.iter().zip([(0, Some(0)), (1, None)]) {
        let found = found.as_ref().unwrap();
        assert!(found.converged && (found.barrier - boxes.heights[axis]).abs() < 5e-3, "{found:?}");
        assert_eq!((found.channel, found.hops.len()), (channel, 1));
        let hop = &found.hops[0];
        assert!((hop.distances[hop.distances.len() - 1] - edges[axis]).abs() < 1e-3, "{:?}", hop.distances);
    }
    // In the cube the three ways are one.
    let cube_way = &answers(&CUBES, &[journey(&cube, "Li", Within::Everywhere, 5.0)])[0];
    let cube_way = cube_way.as_ref().unwrap();
    assert!((cube_way.barrier - 0.6).abs() < 5e-3 && cube_way.hops.len() == 1, "{cube_way:?}");
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
        let end = migrate(&CUBES, &journeys, &RelaxOptions::default(), &mut watch);
        assert!(end.is_break(), "after {after} rounds");
    }
}
