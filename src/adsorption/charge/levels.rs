//! Which of two neighbouring grid points is the higher.
//!
//! Points of equal density, which files of few digits have many of, are one level: it drains through those of its points that
//! have a higher neighbour, over the fewest steps, and has a single maximum where there are none.

use std::collections::{HashMap, VecDeque};

use rayon::prelude::*;

use super::voxels::Voxels;

/// Marks a point that is done, or excluded.
pub(super) const DONE: u8 = u8::MAX;
/// Most neighbours of a point.
pub(super) const MOST: usize = 14;

/// Which of two neighbouring points is the higher, and how many lower neighbours each has.
pub(super) struct Levels<'a> {
    pub density: &'a [f64],
    pub vacuum: f64,
    /// Lower neighbours that are not done; [`DONE`] in the vacuum.
    pub lower: Vec<u8>,
    /// Of points with an equal neighbour: steps along equal points to one with a higher neighbour, or to the one maximum.
    steps: HashMap<u32, u32>,
}

impl<'a> Levels<'a> {
    pub fn new(voxels: &Voxels, density: &'a [f64], vacuum: f64) -> Self {
        let mut lower = vec![DONE; density.len()];
        // In chunks of a fixed size, so that the result does not depend on the number of threads.
        let chunk = 1 << 14;
        let equal: Vec<u32> = lower
            .par_chunks_mut(chunk)
            .enumerate()
            .flat_map_iter(|(number, part)| {
                let mut equal = Vec::new();
                for (at, lower) in (number * chunk..).zip(part) {
                    let rho = density[at];
                    if rho < vacuum {
                        continue;
                    }
                    let (mut below, mut same) = (0, false);
                    for (q, _) in voxels.around(at, voxels.point(at)) {
                        let other = density[q];
                        below += u8::from(other < rho && other >= vacuum);
                        same |= other == rho && q != at;
                    }
                    *lower = below;
                    if same {
                        equal.push(at as u32);
                    }
                }
                equal
            })
            .collect();
        let mut levels = Self { density, vacuum, lower, steps: HashMap::new() };
        levels.drain(voxels, &equal);
        for &at in &equal {
            let p = at as usize;
            let below =
                voxels.around(p, voxels.point(p)).filter(|&(q, _)| density[q] == density[p] && levels.above(p, q));
            levels.lower[p] += below.count() as u8;
        }
        levels
    }

    /// Gives points with equal neighbours their steps.
    fn drain(&mut self, voxels: &Voxels, equal: &[u32]) {
        let density = self.density;
        let around = |p: u32| voxels.around(p as usize, voxels.point(p as usize)).map(|n| n.0);
        let climbs = |p: &u32| around(*p).any(|q| density[q] > density[*p as usize]);
        let mut queue: VecDeque<u32> = equal.iter().copied().filter(climbs).collect();
        self.steps.extend(queue.iter().map(|p| (*p, 0)));
        // What no exit drains is a flat summit: its first point is the maximum.
        for next in std::iter::once(None).chain(equal.iter().map(Some)) {
            if let Some(&summit) = next.filter(|p| !self.steps.contains_key(*p)) {
                self.steps.insert(summit, 0);
                queue.push_back(summit);
            }
            while let Some(p) = queue.pop_front() {
                let step = self.steps[&p] + 1;
                for q in around(p) {
                    if density[q] == density[p as usize] && !self.steps.contains_key(&(q as u32)) {
                        self.steps.insert(q as u32, step);
                        queue.push_back(q as u32);
                    }
                }
            }
        }
    }

    /// Whether `p` is above `q`, their densities being equal.
    pub fn above(&self, p: usize, q: usize) -> bool {
        let rank = |p: usize| (self.steps.get(&(p as u32)).copied().unwrap_or(0), p);
        rank(p) < rank(q)
    }
}
