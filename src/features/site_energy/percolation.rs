//! The rising level: points of a grid join their neighbours from the lowest on, until a connected part is endless.

use super::landscape::Landscape;
use crate::channels::Components;

/// Levels rise to this above the lowest point, eV.
const CEILING: f64 = 10.0;

/// A pass over which the ion gets into another cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pass {
    /// Energy of the pass, eV.
    pub height: f64,
    /// Energy of the lowest point of the valley that it makes endless, eV.
    pub floor: f64,
}

/// The lowest passes that make a valley endless along one, two and three independent directions.
pub(super) fn passes(landscape: &Landscape) -> [Option<Pass>; 3] {
    let Landscape { size, energy } = landscape;
    let lowest = energy.iter().copied().fold(f64::INFINITY, f64::min);
    let mut order: Vec<u32> = (0..energy.len() as u32).filter(|&p| energy[p as usize] <= lowest + CEILING).collect();
    order.sort_unstable_by(|&p, &q| energy[p as usize].total_cmp(&energy[q as usize]));
    let mut components = Components::new(energy.len());
    let mut flooded = vec![false; energy.len()];
    // Of each root, the lowest point of its valley.
    let mut floor = energy.clone();
    let mut found = [None; 3];
    for p in order {
        flooded[p as usize] = true;
        for step in NEIGHBOURS {
            let (q, image) = beside(p, step, size);
            if !flooded[q as usize] {
                continue;
            }
            let [from, to] = [p, q].map(|point| components.find(point).0);
            let low = floor[from as usize].min(floor[to as usize]);
            components.join(p, q, image);
            let root = components.find(p).0;
            floor[root as usize] = low;
            for place in &mut found[..components.loops(root).rank()] {
                place.get_or_insert(Pass { height: energy[p as usize], floor: low });
            }
        }
        if found[2].is_some() {
            break;
        }
    }
    found
}

/// The steps to the 26 points around one.
const NEIGHBOURS: [[i64; 3]; 26] = {
    let mut steps = [[0; 3]; 26];
    let (mut code, mut next) = (0, 0);
    while code < 27 {
        if code != 13 {
            steps[next] = [code / 9 - 1, code / 3 % 3 - 1, code % 3 - 1];
            next += 1;
        }
        code += 1;
    }
    steps
};

/// The point one step from `p`, and how many cells away it lies.
fn beside(p: u32, step: [i64; 3], size: &[usize; 3]) -> (u32, [i32; 3]) {
    let n = size.map(|n| n as i64);
    let p = i64::from(p);
    let at = [p / (n[1] * n[2]) + step[0], p / n[2] % n[1] + step[1], p % n[2] + step[2]];
    let [i, j, k] = std::array::from_fn(|axis| at[axis].rem_euclid(n[axis]));
    let image = std::array::from_fn(|axis| at[axis].div_euclid(n[axis]) as i32);
    (((i * n[1] + j) * n[2] + k) as u32, image)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn landscape(size: [usize; 3], energy: impl Fn([usize; 3]) -> f64) -> Landscape {
        let [n, m, l] = size;
        let points = (0..n).flat_map(move |i| (0..m).flat_map(move |j| (0..l).map(move |k| [i, j, k])));
        Landscape { size, energy: points.map(energy).collect() }
    }

    #[test]
    fn a_valley_along_one_axis_joins_over_its_pass_and_over_the_ridge() {
        // A valley along the last axis with a pass of 1 eV above its floor of -2, walls of 3 eV between valleys along the second axis,
        // and of 20 eV along the first.
        let wall = |i: usize, j: usize| match (i, j) {
            (2, 2) => 0.0,
            (2, _) => 4.0,
            _ => 21.0,
        };
        let found = passes(&landscape([5, 5, 6], |[i, j, k]| wall(i, j) - if k < 5 { 2.0 } else { 1.0 }));
        assert_eq!(found[0], Some(Pass { height: -1.0, floor: -2.0 }));
        assert_eq!(found[1], Some(Pass { height: 2.0, floor: -2.0 }));
        assert_eq!(found[2], None, "above the ceiling");
    }

    #[test]
    fn the_floor_is_that_of_the_valley_and_not_of_a_closed_hole() {
        let found = passes(&landscape([7, 7, 4], |[i, j, k]| match [i, j, k] {
            [1, 1, 1] => -5.0,
            [4, 4, 2] => -1.0,
            [4, 4, _] => -1.5,
            _ => 4.0,
        }));
        assert_eq!(found[0], Some(Pass { height: -1.0, floor: -1.5 }));
    }

    #[test]
    fn a_single_point_along_an_axis_is_its_own_neighbour() {
        assert_eq!(passes(&landscape([1, 1, 1], |_| 0.5)), [Some(Pass { height: 0.5, floor: 0.5 }); 3]);
        assert_eq!(NEIGHBOURS.iter().collect::<std::collections::HashSet<_>>().len(), 26);
    }
}
