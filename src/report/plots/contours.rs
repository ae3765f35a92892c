//! Where a field on a plane is above a level, as closed curves (marching squares).

use std::collections::BTreeMap;

/// A field at the points (0, 0) to (width - 1, height - 1), the first coordinate running fastest.
pub(super) struct Plane {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f64>,
}

impl Plane {
    /// A periodic field on a finer grid of the same cell, with its first row and column again at the end: cubic between
    /// points (Catmull-Rom), exact at them.
    pub fn periodic(values: &[f64], [width, height]: [usize; 2], finer: [usize; 2]) -> Self {
        let wide: Vec<f64> = values.chunks(width).flat_map(|row| refined(row, finer[0])).collect();
        let across = width * finer[0];
        let columns: Vec<Vec<f64>> = (0..across)
            .map(|x| refined(&(0..height).map(|y| wide[x + across * y]).collect::<Vec<_>>(), finer[1]))
            .collect();
        let (width, height) = (across + 1, height * finer[1] + 1);
        let values = (0..width * height).map(|at| columns[at % width % across][at / width % (height - 1)]).collect();
        Self { width, height, values }
    }

    /// The value at a point; below every level outside.
    fn at(&self, x: usize, y: usize) -> f64 {
        // Points count from 1: around them lies a rim.
        let inside = (1..=self.width).contains(&x) && (1..=self.height).contains(&y);
        if inside { self.values[x - 1 + self.width * (y - 1)] } else { f64::NEG_INFINITY }
    }

    /// The closed curves around the parts of the plane where the field is above `level`: outer ones run one way, holes the
    /// other. Along the rim they follow it.
    pub fn above(&self, level: f64) -> Vec<Vec<[f64; 2]>> {
        // From the side of a square where the region ends, along its boundary inside the square, to where it begins again.
        let mut next: BTreeMap<Side, Side> = BTreeMap::new();
        for y in 0..=self.height {
            for x in 0..=self.width {
                let corners = [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)];
                let inside = corners.map(|(x, y)| self.at(x, y) > level);
                let turn = |k: usize| Side::between(corners[k], corners[(k + 1) % 4]);
                let ends: Vec<usize> = (0..4).filter(|&k| inside[k] && !inside[(k + 1) % 4]).collect();
                let begins: Vec<usize> = (0..4).filter(|&k| !inside[k] && inside[(k + 1) % 4]).collect();
                // A saddle: the middle decides whether the two corners are one region.
                let middle = corners.iter().map(|&(x, y)| self.at(x, y)).sum::<f64>() / 4.0 > level;
                for &end in &ends {
                    let after = |begin: &&usize| (**begin + 4 - end) % 4;
                    let begin = if middle { begins.iter().min_by_key(after) } else { begins.iter().max_by_key(after) };
                    if let Some(&begin) = begin {
                        next.insert(turn(end), turn(begin));
                    }
                }
            }
        }
        let mut curves = Vec::new();
        while let Some((first, mut side)) = next.pop_first() {
            let mut curve = vec![self.crossing(first, level)];
            while side != first {
                curve.push(self.crossing(side, level));
                let Some(following) = next.remove(&side) else { break };
                side = following;
            }
            curves.push(curve);
        }
        curves
    }

    /// Where the field crosses the level between two neighbouring points.
    fn crossing(&self, Side([x, y], along): Side, level: f64) -> [f64; 2] {
        let end = if along == 0 { [x + 1, y] } else { [x, y + 1] };
        let (a, b) = (self.at(x, y), self.at(end[0], end[1]));
        // Beyond the rim there is nothing to interpolate.
        let t = if a.is_finite() && b.is_finite() { (level - a) / (b - a) } else { 0.0 };
        let place = |point: [usize; 2]| {
            [(point[0], self.width), (point[1], self.height)].map(|(p, n)| p.clamp(1, n) as f64 - 1.0)
        };
        let (from, to) = (place([x, y]), place(end));
        std::array::from_fn(|k| from[k] + t * (to[k] - from[k]))
    }
}

/// The side of a square from a point to the next along x (0) or y (1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Side([usize; 2], u8);

impl Side {
    fn between(a: (usize, usize), b: (usize, usize)) -> Self {
        Self([a.0.min(b.0), a.1.min(b.1)], u8::from(a.0 == b.0))
    }
}

/// A periodic row at `finer` times as many points.
fn refined(row: &[f64], finer: usize) -> Vec<f64> {
    let n = row.len();
    let at = |i: usize, step: usize| row[(i + n + step - 1) % n];
    (0..n * finer)
        .map(|k| {
            let (i, t) = (k / finer, (k % finer) as f64 / finer as f64);
            let [a, b, c, d] = std::array::from_fn(|step| at(i, step));
            b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(curves: &[Vec<[f64; 2]>]) -> f64 {
        let of = |curve: &Vec<[f64; 2]>| -> f64 {
            let next = curve.iter().cycle().skip(1);
            curve.iter().zip(next).map(|(a, b)| 0.5 * (a[0] * b[1] - b[0] * a[1])).sum()
        };
        curves.iter().map(of).sum::<f64>().abs()
    }

    fn plane(n: usize, f: impl Fn(f64, f64) -> f64) -> Plane {
        let at = |i: usize| i as f64 / (n - 1) as f64 * 2.0 - 1.0;
        Plane { width: n, height: n, values: (0..n * n).map(|p| f(at(p % n), at(p / n))).collect() }
    }

    #[test]
    fn a_disc_a_ring_and_the_whole_plane_have_their_areas() {
        let scale = 50.0_f64.powi(2);
        let disc = plane(101, |x, y| -(x * x + y * y)).above(-0.25);
        assert!(disc.len() == 1 && (area(&disc) / scale - std::f64::consts::PI * 0.25).abs() < 1e-3);
        let ring = plane(101, |x, y| -(x * x + y * y - 0.25).abs()).above(-0.11);
        assert!(ring.len() == 2 && (area(&ring) / scale - std::f64::consts::PI * 0.22).abs() < 2e-3, "{}", ring.len());
        let whole = plane(11, |_, _| 1.0).above(0.0);
        assert!(whole.len() == 1 && (area(&whole) - 100.0).abs() < 1e-12);
        assert!(plane(11, |_, _| 1.0).above(2.0).is_empty());
        // Half of it, up to the rim.
        let half = plane(11, |x, _| x).above(0.0);
        assert!(half.len() == 1 && (area(&half) - 50.0).abs() < 1e-12);
    }

    #[test]
    fn at_a_saddle_the_middle_decides() {
        let saddle = |middle: f64| Plane { width: 2, height: 2, values: vec![1.0, middle, middle, 1.0] };
        assert_eq!((saddle(-0.5).above(0.0).len(), saddle(-2.0).above(0.0).len()), (1, 2));
    }

    #[test]
    fn a_finer_field_goes_through_its_points_and_closes() {
        let wave = |i: usize| (std::f64::consts::TAU * i as f64 / 12.0).sin();
        let values: Vec<f64> = (0..12 * 6).map(|p| wave(p % 12) + 0.1 * (p / 12 % 2) as f64).collect();
        let fine = Plane::periodic(&values, [12, 6], [5, 3]);
        assert_eq!((fine.width, fine.height, fine.values.len()), (61, 19, 61 * 19));
        for y in 0..=6 {
            for x in 0..=12 {
                assert!((fine.values[x * 5 + 61 * y * 3] - values[x % 12 + 12 * (y % 6)]).abs() < 1e-12);
            }
        }
        // Between the points of a sine it is a sine to a percent.
        assert!((fine.values[7] - (std::f64::consts::TAU * 7.0 / 60.0).sin()).abs() < 0.01);
    }
}
