//! Walks through the pore network from a node to its own image in another cell.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use super::{
    norm,
    pores::{Pores, TIE},
};
use crystal::{Structure, add, sub};

/// A node in a cell.
type Place = (u32, [i32; 3]);

/// How a place was reached: from where, through which passage, and whether along its own direction.
type Step = (Place, u32, bool);

/// A closed walk, modulo the lattice.
pub(super) struct Walk {
    /// Å.
    pub length: f64,
    /// The narrowest passage.
    pub bottleneck: u32,
    /// The cell of that passage's `from`.
    pub bottleneck_cell: [i32; 3],
    pub nodes: Vec<([f64; 3], f64)>,
}

/// A length in units of 1e-6 Å, so that it can be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Millionths(u64);

impl Millionths {
    fn of(length: f64) -> Self {
        Self((length * 1e6) as u64)
    }
}

impl Pores {
    /// The shortest walk (Å) through passages of at least `width` from `start` in the home cell to itself in the cell
    /// `vector`: nodes and narrowest points in order, fractional, each with the sphere that fits there.
    pub fn walk(&self, structure: &Structure, start: u32, vector: [i32; 3], width: f64) -> Option<Walk> {
        let lattice = structure.lattice();
        let mut leaving: Vec<Vec<(u32, bool)>> = vec![Vec::new(); self.frac.len()];
        for (i, p) in self.passages.iter().enumerate().take_while(|(_, p)| p.clearance >= width - TIE) {
            leaving[p.from as usize].push((i as u32, true));
            leaving[p.to as usize].push((i as u32, false));
        }
        // A walk need not stray farther than a few cells beyond its ends.
        let near = |cell: [i32; 3]| (0..3).all(|k| cell[k] >= vector[k].min(0) - 2 && cell[k] <= vector[k].max(0) + 2);
        let goal = (start, vector);
        let mut reached: HashMap<Place, (f64, Option<Step>)> = HashMap::from([((start, [0; 3]), (0.0, None))]);
        let mut open = BinaryHeap::from([Reverse((Millionths::of(0.0), (start, [0; 3])))]);
        while let Some(Reverse((length, place))) = open.pop() {
            if place == goal {
                break;
            }
            if length > Millionths::of(reached[&place].0) {
                continue;
            }
            let (so_far, (node, cell)) = (reached[&place].0, place);
            for &(i, forward) in &leaving[node as usize] {
                let p = &self.passages[i as usize];
                let next = if forward { (p.to, add(cell, p.image)) } else { (p.from, sub(cell, p.image)) };
                let (a, b) = (self.frac[p.from as usize], self.frac[p.to as usize]);
                let step = lattice.to_cartesian(std::array::from_fn(|k| b[k] + f64::from(p.image[k]) - a[k]));
                let length = so_far + norm(step);
                if near(next.1) && reached.get(&next).is_none_or(|(old, _)| length < old - 1e-9) {
                    reached.insert(next, (length, Some((place, i, forward))));
                    open.push(Reverse((Millionths::of(length), next)));
                }
            }
        }
        let at = |(node, cell): Place| {
            let x = self.frac[node as usize];
            (std::array::from_fn(|k| x[k] + f64::from(cell[k])), self.clearance[node as usize])
        };
        let length = reached.get(&goal)?.0;
        let mut walk = Walk { length, bottleneck: u32::MAX, bottleneck_cell: [0; 3], nodes: vec![at(goal)] };
        let mut place = goal;
        let mut least = f64::INFINITY;
        while let Some((before, i, forward)) = reached[&place].1 {
            let p = &self.passages[i as usize];
            // The cell in which the passage's own `from` lies.
            let cell = if forward { before.1 } else { place.1 };
            if p.clearance < least - TIE {
                least = p.clearance;
                (walk.bottleneck, walk.bottleneck_cell) = (i, cell);
            }
            walk.nodes.push((std::array::from_fn(|k| p.narrowest[k] + f64::from(cell[k])), p.clearance));
            walk.nodes.push(at(before));
            place = before;
        }
        walk.nodes.reverse();
        (walk.bottleneck != u32::MAX).then_some(walk)
    }
}
