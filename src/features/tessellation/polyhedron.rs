//! A convex polyhedron that planes cut, one after the other.
//!
//! Corners lie below a plane, above it, or on it within a tolerance. A plane that passes through corners, the rule in
//! symmetric crystals, reuses them: no edge shorter than the tolerance comes into being from rounding, and a plane that
//! only touches leaves no face. What is above is cut off face by face; the cuts chain up to the new face. Where they do
//! not chain up, two features of the polyhedron lie on either side of the tolerance, and the caller tries another one.
//! Two sets of buffers are swapped at each cut, so that cutting does not allocate.

use std::f64::consts::PI;

use crystal::{cross, dot, norm};

/// The tolerance tore a face apart.
#[derive(Debug)]
pub(super) struct Torn;

/// What a plane did.
#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    /// Nothing.
    Missed,
    /// It cut a part off.
    Cut,
    /// It left nothing.
    Emptied,
}

#[derive(Clone, Copy)]
pub(super) struct Corner {
    pub at: [f64; 3],
    /// Known to be a corner of the finished cell, if no known plane cuts it off.
    pub sealed: bool,
}

/// A face: the plane's label and the range of its loop of corners, counter-clockwise seen from outside.
#[derive(Clone, Copy)]
struct Side {
    label: u32,
    start: u32,
    end: u32,
}

#[derive(Clone, Default)]
struct Shape {
    corners: Vec<Corner>,
    sides: Vec<Side>,
    loops: Vec<u32>,
}

impl Shape {
    fn clear(&mut self) {
        self.corners.clear();
        self.sides.clear();
        self.loops.clear();
    }

    /// Closes the loop begun at `start`; fewer than three corners are no face.
    fn close(&mut self, label: u32, start: usize) {
        if self.loops.len() < start + 3 {
            self.loops.truncate(start);
        } else {
            self.sides.push(Side { label, start: start as u32, end: self.loops.len() as u32 });
        }
    }
}

#[derive(Default)]
pub(super) struct Polyhedron {
    shape: Shape,
    next: Shape,
    /// Height of each corner over the plane.
    heights: Vec<f64>,
    /// Name in `next` of each corner kept.
    renamed: Vec<u32>,
    /// Edges that were cut: the end below, the end above, the corner between.
    edges: Vec<(u32, u32, u32)>,
    /// Directed edges of the new face.
    rim: Vec<(u32, u32)>,
    farthest: f64,
}

impl Polyhedron {
    /// The cube of half-width `x` about the origin; no plane is labelled [`u32::MAX`], its sides' label.
    pub fn cube(x: f64) -> Self {
        let mut shape = Shape::default();
        let corner =
            |m: i32| Corner { at: [m & 1, m >> 1 & 1, m >> 2 & 1].map(|b| f64::from(2 * b - 1) * x), sealed: false };
        shape.corners.extend((0..8).map(corner));
        for side in [[0, 4, 6, 2], [1, 3, 7, 5], [0, 1, 5, 4], [2, 6, 7, 3], [0, 2, 3, 1], [4, 5, 7, 6]] {
            let start = shape.loops.len();
            shape.loops.extend(side);
            shape.close(u32::MAX, start);
        }
        Self { shape, farthest: 3.0_f64.sqrt() * x, ..Self::default() }
    }

    /// Takes the shape of another, keeping the buffers.
    pub fn copy(&mut self, other: &Self) {
        self.shape.corners.clone_from(&other.shape.corners);
        self.shape.sides.clone_from(&other.shape.sides);
        self.shape.loops.clone_from(&other.shape.loops);
        self.farthest = other.farthest;
    }

    pub fn clear(&mut self) {
        self.shape.clear();
        self.farthest = 0.0;
    }

    pub fn corners_mut(&mut self) -> &mut [Corner] {
        &mut self.shape.corners
    }

    /// Distance of the farthest corner from the origin.
    pub fn farthest(&self) -> f64 {
        self.farthest
    }

    /// The labels and loops of the faces.
    pub fn faces(&self) -> impl Iterator<Item = (u32, &[u32])> {
        self.shape.sides.iter().map(|s| (s.label, &self.shape.loops[s.start as usize..s.end as usize]))
    }

    pub fn at(&self, corner: u32) -> [f64; 3] {
        self.shape.corners[corner as usize].at
    }

    pub fn len(&self) -> usize {
        self.shape.corners.len()
    }

    /// Keeps the side `normal · x <= height` (unit normal); corners within `tolerance` (a part of the farthest corner's
    /// distance) of the plane are on it.
    ///
    /// # Errors
    /// [`Torn`].
    pub fn cut(&mut self, normal: [f64; 3], height: f64, label: u32, tolerance: f64) -> Result<Outcome, Torn> {
        if height >= self.farthest {
            return Ok(Outcome::Missed);
        }
        let near = tolerance * self.farthest;
        self.heights.clear();
        self.heights.extend(self.shape.corners.iter().map(|c| dot(normal, c.at) - height));
        if self.heights.iter().all(|&h| h <= near) {
            return Ok(Outcome::Missed);
        }
        if self.heights.iter().all(|&h| h >= -near) {
            self.clear();
            return Ok(Outcome::Emptied);
        }
        self.next.clear();
        self.edges.clear();
        self.rim.clear();
        self.renamed.clear();
        for (corner, &height) in self.shape.corners.iter().zip(&self.heights) {
            self.renamed.push(self.next.corners.len() as u32);
            if height <= near {
                self.next.corners.push(*corner);
            }
        }
        for s in 0..self.shape.sides.len() {
            self.cut_side(self.shape.sides[s], near)?;
        }
        self.close_rim(label)?;
        std::mem::swap(&mut self.shape, &mut self.next);
        self.farthest = self.shape.corners.iter().map(|c| dot(c.at, c.at)).fold(0.0, f64::max).sqrt();
        Ok(Outcome::Cut)
    }

    fn cut_side(&mut self, side: Side, near: f64) -> Result<(), Torn> {
        let (first, start) = (side.start as usize, self.next.loops.len());
        let (mut leaves, mut enters) = (None, None);
        let mut p = self.shape.loops[side.end as usize - 1];
        for k in first..side.end as usize {
            let q = self.shape.loops[k];
            let [over_p, over_q] = [p, q].map(|c| self.heights[c as usize] > near);
            if over_p != over_q {
                let (kept, lost) = if over_p { (q, p) } else { (p, q) };
                let at = if self.heights[kept as usize] >= -near {
                    self.renamed[kept as usize]
                } else {
                    let at = self.cut_edge(kept, lost);
                    self.next.loops.push(at);
                    at
                };
                if (if over_q { &mut leaves } else { &mut enters }).replace(at).is_some() {
                    return Err(Torn);
                }
            }
            if !over_q {
                self.next.loops.push(self.renamed[q as usize]);
            }
            p = q;
        }
        self.next.close(side.label, start);
        if let (Some(leaves), Some(enters)) = (leaves, enters)
            && leaves != enters
        {
            self.rim.push((enters, leaves));
        }
        Ok(())
    }

    /// The corner where the plane cuts the edge from `below` to `above`; both faces of the edge get the same.
    fn cut_edge(&mut self, below: u32, above: u32) -> u32 {
        if let Some(&(_, _, at)) = self.edges.iter().find(|e| (e.0, e.1) == (below, above)) {
            return at;
        }
        let [(x, hx), (y, hy)] = [below, above].map(|c| (self.at(c), self.heights[c as usize]));
        let s = hx / (hx - hy);
        let at = self.next.corners.len() as u32;
        self.next.corners.push(Corner { at: std::array::from_fn(|k| x[k] + s * (y[k] - x[k])), sealed: false });
        self.edges.push((below, above, at));
        at
    }

    /// Chains the directed edges of the new face to one loop.
    fn close_rim(&mut self, label: u32) -> Result<(), Torn> {
        let &(first, mut to) = self.rim.first().ok_or(Torn)?;
        let start = self.next.loops.len();
        self.next.loops.push(first);
        let mut length = 1;
        while to != first {
            self.next.loops.push(to);
            length += 1;
            to = self.rim.iter().find(|e| e.0 == to).filter(|_| length <= self.rim.len()).ok_or(Torn)?.1;
        }
        if length != self.rim.len() {
            return Err(Torn);
        }
        self.next.close(label, start);
        Ok(())
    }

    /// Volume over a face as seen from the origin, signed, by triangles from its first corner.
    pub fn cone(&self, ring: &[u32]) -> f64 {
        let a = self.at(ring[0]);
        ring.windows(2).skip(1).map(|bc| dot(a, cross(self.at(bc[0]), self.at(bc[1]))) / 6.0).sum()
    }

    /// Area of a face.
    pub fn area(&self, ring: &[u32]) -> f64 {
        let a = self.at(ring[0]);
        let spread = |b: u32| -> [f64; 3] { std::array::from_fn(|k| self.at(b)[k] - a[k]) };
        let sum = ring.windows(2).skip(1).fold([0.0; 3], |sum: [f64; 3], bc| {
            let n = cross(spread(bc[0]), spread(bc[1]));
            std::array::from_fn(|k| sum[k] + n[k])
        });
        norm(sum) / 2.0
    }

    /// Solid angle of a face from the origin, sr; negative where its outer side is seen.
    pub fn solid_angle(&self, ring: &[u32]) -> f64 {
        // Van Oosterom & Strackee, IEEE Trans. Biomed. Eng. 30 (1983) 125.
        let a = self.at(ring[0]);
        let la = norm(a);
        let halves = ring.windows(2).skip(1).map(|bc| {
            let [b, c] = [self.at(bc[0]), self.at(bc[1])];
            let (lb, lc) = (norm(b), norm(c));
            let cosines = la * lb * lc + dot(a, b) * lc + dot(a, c) * lb + dot(b, c) * la;
            dot(a, cross(b, c)).atan2(cosines)
        });
        (2.0 * halves.sum::<f64>()).clamp(-4.0 * PI, 4.0 * PI)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLERANCE: f64 = 1e-11;

    fn volume(p: &Polyhedron) -> f64 {
        p.faces().map(|(_, ring)| p.cone(ring)).sum()
    }

    #[test]
    fn a_cube_has_its_volume_area_and_solid_angle() {
        let cube = Polyhedron::cube(1.5);
        assert!((volume(&cube) - 27.0).abs() < 1e-12);
        for (_, ring) in cube.faces() {
            assert!((cube.area(ring) - 9.0).abs() < 1e-12);
            assert!((cube.solid_angle(ring) - 4.0 * PI / 6.0).abs() < 1e-12);
        }
    }

    #[test]
    fn planes_that_touch_a_corner_an_edge_or_a_side_miss() {
        let mut cube = Polyhedron::cube(1.0);
        for (n, h) in [([1.0, 1.0, 1.0], 3.0), ([1.0, 1.0, 0.0], 2.0), ([1.0, 0.0, 0.0], 1.0)] {
            let length = norm(n);
            let height = h / length * (1.0 - 1e-15);
            assert_eq!(cube.cut(n.map(|x: f64| x / length), height, 0, TOLERANCE).unwrap(), Outcome::Missed);
        }
        assert_eq!(cube.cut([-1.0, 0.0, 0.0], -1.0, 0, TOLERANCE).unwrap(), Outcome::Emptied);
        assert_eq!((cube.len(), cube.faces().count()), (0, 0));
    }

    #[test]
    fn a_plane_through_four_corners_reuses_them() {
        let mut cube = Polyhedron::cube(1.0);
        let s = 0.5_f64.sqrt();
        assert_eq!(cube.cut([s, s, 0.0], 0.0, 7, TOLERANCE).unwrap(), Outcome::Cut);
        assert_eq!((cube.len(), cube.faces().count()), (6, 5));
        assert!((volume(&cube) - 4.0).abs() < 1e-12);
        assert!(cube.faces().any(|(label, ring)| label == 7 && (cube.area(ring) - 32.0_f64.sqrt()).abs() < 1e-12));
    }

    #[test]
    fn corners_off_a_cube_leave_an_octahedron() {
        // The eight planes |x| + |y| + |z| <= 1 meet four at a time in the centres of the sides.
        let mut p = Polyhedron::cube(1.0);
        let s = 1.0 / 3.0_f64.sqrt();
        for m in 0..8 {
            let normal = [m & 1, m >> 1 & 1, m >> 2].map(|b| s * f64::from(2 * b - 1));
            assert_eq!(p.cut(normal, s, m as u32, TOLERANCE).unwrap(), Outcome::Cut);
        }
        assert_eq!((p.len(), p.faces().count()), (6, 8));
        assert!((volume(&p) - 4.0 / 3.0).abs() < 1e-12);
        assert!((p.farthest() - 1.0).abs() < 1e-12);
    }
}
