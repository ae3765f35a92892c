//! The energy of an ion on a grid over the cell.

use std::collections::HashMap;

use super::{CORE, Interaction, REACH};
use crate::FeatureError;
use crystal::{Element, Structure, dot};

/// The most points of a grid: a quarter of a gigabyte with what is kept of each.
const MOST_POINTS: usize = 2_000_000;
/// The most terms of the sum over points and atoms: some ten seconds.
const MOST_TERMS: f64 = 4e9;
/// Steps of squared distance in which energies are tabulated, Å².
const SQUARES: f64 = 0.01;

/// Energies on a grid.
pub(super) struct Landscape {
    /// Points along each axis of the cell.
    pub size: [usize; 3],
    /// eV, the last axis fastest.
    pub energy: Vec<f64>,
}

impl Landscape {
    /// Of an ion with these `interactions` with the elements of `framework`, with points at most `step` Å apart along each axis.
    ///
    /// # Errors
    /// A cell of more than [`MOST_POINTS`], or of so many sites that the sum has more than [`MOST_TERMS`].
    pub fn new(
        framework: &Structure,
        interactions: &HashMap<Element, Interaction>,
        step: f64,
    ) -> Result<Self, FeatureError> {
        let [a, b, c, ..] = framework.lattice().parameters();
        let size = [a, b, c].map(|length| (length / step).ceil().max(1.0) as usize);
        let points = size.iter().product::<usize>();
        if points > MOST_POINTS {
            return Err(FeatureError::Undefined(format!(
                "a cell of {:.0} Å³ has {points} points {step} Å apart, over {MOST_POINTS}",
                framework.volume()
            )));
        }
        let reached = 4.0 / 3.0 * std::f64::consts::PI * REACH.powi(3) * points as f64 / framework.volume();
        if reached * framework.len() as f64 > MOST_TERMS {
            return Err(FeatureError::Undefined(format!(
                "{} sites contribute at {reached:.0e} grid points each, over {MOST_TERMS:.0e} together",
                framework.len()
            )));
        }
        let mut landscape = Self { size, energy: vec![0.0; points] };
        let tables: HashMap<Element, Vec<f64>> =
            interactions.iter().map(|(&element, &of)| (element, tabulated(of))).collect();
        for (element, &x) in framework.species().iter().zip(framework.frac_coords()) {
            landscape.add(framework, x, &tables[element]);
        }
        Ok(landscape)
    }

    /// Adds the energy of an atom and all its images.
    fn add(&mut self, framework: &Structure, x: [f64; 3], table: &[f64]) {
        let lattice = framework.lattice();
        let spacings = lattice.plane_spacings();
        let n = self.size.map(|n| n as f64);
        // A reach of points around the atom, whatever cells they lie in.
        let range = |k: usize| {
            let (low, high) = (x[k] - REACH / spacings[k], x[k] + REACH / spacings[k]);
            (low * n[k]).ceil() as i64..=(high * n[k]).floor() as i64
        };
        let within = |i: i64, k: usize| i.rem_euclid(self.size[k] as i64) as usize;
        let along = lattice.to_cartesian([0.0, 0.0, 1.0 / n[2]]);
        let stride = dot(along, along);
        for i in range(0) {
            for j in range(1) {
                let row = (within(i, 0) * self.size[1] + within(j, 1)) * self.size[2];
                let from = [i as f64 / n[0] - x[0], j as f64 / n[1] - x[1], -x[2]];
                let from = lattice.to_cartesian(from);
                // The squared distance along the row is a parabola; what is beyond reach is left out at once.
                let (square, slope) = (dot(from, from), dot(from, along));
                let reached = slope * slope - stride * (square - REACH * REACH);
                if reached <= 0.0 {
                    continue;
                }
                let (middle, half) = (-slope / stride, reached.sqrt() / stride);
                for k in (middle - half).ceil() as i64..=(middle + half).floor() as i64 {
                    let t = k as f64;
                    let place = (square + t * (2.0 * slope + t * stride)) / SQUARES;
                    let cell = place as usize;
                    if let [low, high] = table[cell.min(table.len() - 2)..][..2] {
                        self.energy[row + within(k, 2)] += low + (place - cell as f64) * (high - low);
                    }
                }
            }
        }
    }
}

/// Energies by the squared distance, from 0 to a little more than [`REACH`].
fn tabulated(interaction: Interaction) -> Vec<f64> {
    let last = (REACH * REACH / SQUARES).ceil() as usize + 1;
    (0..=last).map(|i| interaction.energy((i as f64 * SQUARES).sqrt().max(CORE))).collect()
}
