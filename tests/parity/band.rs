//! Nudged elastic bands against ASE's, on the same surface.

use std::ops::ControlFlow;

use hollandite::adsorption::{Path, Round, band};
use hollandite::crystal::{Element, Lattice, Structure, neighbors};
use hollandite::error::ModelError;
use hollandite::models::Model;
use hollandite::models::potential::{Potential, SinglePoint};
use hollandite::models::weights;

use serde_json::Value;

use crate::data::{golden, numbers, shared};

/// Lennard-Jones as ASE has it: energies are shifted to 0 at the cutoff, forces are not.
struct LennardJones {
    sigma: f64,
    epsilon: f64,
    cutoff: f64,
}

impl LennardJones {
    /// Energy of a pair, eV, and its derivative, eV/Å.
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

    fn single_points(&self, structures: &[&Structure]) -> Vec<Result<SinglePoint, ModelError>> {
        let of = |s: &&Structure| {
            let (mut energy, mut forces) = (0.0, vec![[0.0; 3]; s.len()]);
            let near = neighbors(s, self.cutoff);
            for k in 0..near.len() {
                let (i, j) = (near.center[k] as usize, near.neighbor[k] as usize);
                let (e, derivative) = self.pair(near.distance[k]);
                energy += e / 2.0;
                let x = s.frac_coords();
                let step = std::array::from_fn(|m| x[j][m] + f64::from(near.image[k][m]) - x[i][m]);
                let step = s.lattice().to_cartesian(step);
                (0..3).for_each(|m| forces[i][m] += derivative * step[m] / near.distance[k]);
            }
            SinglePoint { energy, forces, stress: [[0.0; 3]; 3], magmoms: None }
        };
        structures.iter().map(|s| Ok(of(s))).collect()
    }
}

/// ASE's band in a golden file, and ours of the same images on `surface`: their energies, eV.
fn bands(file: &Value, surface: &dyn Potential) -> [Vec<f64>; 2] {
    let (settings, values) = (&file["meta"]["settings"], &file["values"]);
    let fmax = settings["fmax"].as_f64().unwrap();
    let lattice = Lattice::new(serde_json::from_value(values["lattice"].clone()).unwrap()).unwrap();
    let points = |name: &str| -> Vec<[f64; 3]> { serde_json::from_value(values[name].clone()).unwrap() };
    let (first, last, bends) = (points("first"), points("last"), numbers(&values["bends"]));
    let symbols: Vec<&str> = match values["species"].as_array() {
        Some(all) => all.iter().map(|symbol| symbol.as_str().unwrap()).collect(),
        None => vec!["Cu"; first.len()],
    };
    let species: Vec<Element> = symbols.into_iter().map(|symbol| Element::from_symbol(symbol).unwrap()).collect();
    let moving = bends.len();
    let image = |i: usize| {
        let t = i as f64 / (moving + 1) as f64;
        let between = |(a, b): (&[f64; 3], &[f64; 3])| std::array::from_fn(|k| a[k] + t * (b[k] - a[k]));
        let mut frac: Vec<[f64; 3]> = first.iter().zip(&last).map(between).collect();
        if let Some(bend) = i.checked_sub(1).and_then(|i| bends.get(i)) {
            frac[0][2] += bend / lattice.rows()[2][2];
        }
        Structure::with_overlaps(lattice, species.clone(), frac).unwrap()
    };
    let images: Vec<Structure> = (0..moving + 2).map(image).collect();
    let energy = |s: &Structure| surface.single_points(&[s]).remove(0).unwrap().energy;
    let ends = [energy(&images[0]), energy(&images[moving + 1])];
    let mut watch = |_: Round| ControlFlow::Continue(());
    let ControlFlow::Continue(mut bands) = band(surface, vec![Path { images, ends }], (fmax, 1000), &mut watch) else {
        panic!("no follower broke off")
    };
    let found = bands.remove(0).unwrap();
    assert!(found.converged, "{} steps, {} eV/Å", found.steps, found.fmax);
    [found.energies, numbers(&values["energies"])]
}

/// The highest energy above that of the first image, eV.
fn barrier(energies: &[f64]) -> f64 {
    energies.iter().copied().fold(f64::NEG_INFINITY, f64::max) - energies[0]
}

#[test]
fn a_vacancy_hops_over_the_barrier_that_ase_finds() {
    let file = golden("band.json");
    let setting = |name: &str| file["meta"]["settings"][name].as_f64().unwrap();
    let surface = LennardJones { sigma: setting("sigma"), epsilon: setting("epsilon"), cutoff: setting("cutoff") };
    let [ours, ase] = bands(&file, &surface);
    let last = ours.len() - 1;
    assert!((ours[0] - ase[0]).abs() < 1e-6 && (ours[last] - ase[last]).abs() < 1e-6, "{ours:?}, ASE {ase:?}");
    assert!((barrier(&ours) - barrier(&ase)).abs() < 1e-4, "{ours:?}, ASE {ase:?}");
    // On the slopes an image may still slide a little along the path.
    for (got, want) in ours.iter().zip(&ase) {
        assert!((got - want).abs() < 0.01, "{ours:?}, ASE {ase:?}");
    }
}

/// Lithium in the tunnel of rutile VO2 on the surface of CHGNet: what ASE finds with the package of its authors, to 0.01 eV.
#[test]
fn an_ion_hops_over_the_barrier_that_ase_finds_with_chgnet() {
    let Some(weights) = shared("weights/chgnet/chgnet_0.3.0_e29f68s314m37.pth.tar") else { return };
    let imported = weights::import(&weights, &weights::Claims::default()).unwrap();
    let surface = Model::new(imported.net, imported.card).potential().unwrap();
    let [ours, ase] = bands(&golden("band_chgnet.json"), &surface);
    println!("barrier {:.4} eV, ASE {:.4} eV", barrier(&ours), barrier(&ase));
    for (got, want) in ours.iter().zip(&ase) {
        assert!((got - want).abs() < 0.01, "{ours:?}, ASE {ase:?}");
    }
    assert!((barrier(&ours) - barrier(&ase)).abs() < 0.01, "{ours:?}, ASE {ase:?}");
}
