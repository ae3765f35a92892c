//! Nudged elastic bands against ASE's, on the same surface.

use std::ops::ControlFlow;

use hollandite::adsorption::{Path, Round, band};
use hollandite::crystal::{Element, Lattice, Structure, neighbors};
use hollandite::error::ModelError;
use hollandite::models::potential::{Evaluation, Potential};

use crate::data::{golden, numbers};

/// Lennard-Jones as ASE has it: energies are shifted to 0 at the cutoff, forces are not.
struct LennardJones {
    sigma: f64,
    epsilon: f64,
    cutoff: f64,
}

impl LennardJones {
    /// Energy of a pair, eV, and its slope, eV/Å.
    fn pair(&self, r: f64) -> (f64, f64) {
        let sixth = |r: f64| (self.sigma / r).powi(6);
        let energy = |c: f64| 4.0 * self.epsilon * (c * c - c);
        (energy(sixth(r)) - energy(sixth(self.cutoff)), -24.0 * self.epsilon * (2.0 * sixth(r).powi(2) - sixth(r)) / r)
    }
}

impl Potential for LennardJones {
    fn name(&self) -> &str {
        "lj"
    }

    fn id(&self) -> &str {
        "lj"
    }

    fn evaluate(&self, structures: &[&Structure]) -> Vec<Result<Evaluation, ModelError>> {
        let of = |s: &&Structure| {
            let (mut energy, mut forces) = (0.0, vec![[0.0; 3]; s.len()]);
            let near = neighbors(s, self.cutoff);
            for k in 0..near.len() {
                let (i, j) = (near.center[k] as usize, near.neighbor[k] as usize);
                let (e, slope) = self.pair(near.distance[k]);
                energy += e / 2.0;
                let x = s.frac_coords();
                let step = std::array::from_fn(|m| x[j][m] + f64::from(near.image[k][m]) - x[i][m]);
                let step = s.lattice().to_cartesian(step);
                (0..3).for_each(|m| forces[i][m] += slope * step[m] / near.distance[k]);
            }
            Evaluation { energy, forces, stress: [[0.0; 3]; 3], magmoms: None }
        };
        structures.iter().map(|s| Ok(of(s))).collect()
    }
}

#[test]
fn a_vacancy_hops_over_the_barrier_that_ase_finds() {
    let file = golden("band.json");
    let (settings, values) = (&file["meta"]["settings"], &file["values"]);
    let setting = |name: &str| settings[name].as_f64().unwrap();
    let surface = LennardJones { sigma: setting("sigma"), epsilon: setting("epsilon"), cutoff: setting("cutoff") };
    let lattice = Lattice::new(serde_json::from_value(values["lattice"].clone()).unwrap()).unwrap();
    let points = |name: &str| -> Vec<[f64; 3]> { serde_json::from_value(values[name].clone()).unwrap() };
    let (first, last, bends) = (points("first"), points("last"), numbers(&values["bends"]));
    let copper = vec![Element::from_symbol("Cu").unwrap(); first.len()];
    let moving = bends.len();
    let image = |i: usize| {
        let t = i as f64 / (moving + 1) as f64;
        let between = |(a, b): (&[f64; 3], &[f64; 3])| std::array::from_fn(|k| a[k] + t * (b[k] - a[k]));
        let mut frac: Vec<[f64; 3]> = first.iter().zip(&last).map(between).collect();
        if let Some(bend) = i.checked_sub(1).and_then(|i| bends.get(i)) {
            frac[0][2] += bend / lattice.rows()[2][2];
        }
        Structure::with_overlaps(lattice, copper.clone(), frac).unwrap()
    };
    let images: Vec<Structure> = (0..moving + 2).map(image).collect();
    let energy = |s: &Structure| surface.evaluate(&[s]).remove(0).unwrap().energy;
    let want = numbers(&values["energies"]);
    let ends = [energy(&images[0]), energy(&images[moving + 1])];
    assert!((ends[0] - want[0]).abs() < 1e-6 && (ends[1] - want[moving + 1]).abs() < 1e-6, "{ends:?} {want:?}");
    let mut watch = |_: Round| ControlFlow::Continue(());
    let ControlFlow::Continue(mut bands) =
        band(&surface, vec![Path { images, ends }], (setting("fmax"), 1000), &mut watch)
    else {
        panic!("nobody broke off")
    };
    let found = bands.remove(0).unwrap();
    assert!(found.converged, "{} steps, {} eV/Å", found.steps, found.fmax);
    let top = |energies: &[f64]| energies.iter().copied().fold(f64::NEG_INFINITY, f64::max) - energies[0];
    assert!((top(&found.energies) - top(&want)).abs() < 1e-4, "{:?}, ASE {want:?}", found.energies);
    // On the slopes an image may still slide a little along the path.
    for (got, want) in found.energies.iter().zip(&want) {
        assert!((got - want).abs() < 0.01, "{:?}, ASE {want:?}", found.energies);
    }
}
