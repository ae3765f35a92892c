//! The window of a channel: what is open to a straight line of sight along the axis.
//!
//! Every atom casts its whole disc on a plane normal to the axis. What stays open around the bottleneck, as far as it is
//! seen from there, is bounded by arcs of the nearest discs and by straight shadow lines between them, and its area is
//! summed in closed form.

use std::f64::consts::{PI, TAU};

use super::{around::images_near, cross, dot, minus, norm};
use crystal::Structure;

/// Up to where atoms are looked for, Å, until the view is closed. A window wider than the last is a gap between layers,
/// which has no area.
const REACHES: [f64; 3] = [4.0, 8.0, 16.0];

/// A view along a period longer than this, Å, is not looked for: atoms of the whole period may stand in it. Channels of crystals
/// repeat within some tens of Å.
pub(super) const LONGEST: f64 = 200.0;

/// The shadow of an atom, its centre relative to the bottleneck.
#[derive(Clone, Copy)]
struct Disc {
    site: usize,
    at: [f64; 2],
    distance: f64,
    direction: f64,
    radius: f64,
}

impl Disc {
    /// Distance to the near side in the direction `angle`, infinite where the disc is not met.
    fn near_side(&self, angle: f64) -> f64 {
        let (sin, cos) = (angle - self.direction).sin_cos();
        let under = self.radius * self.radius - self.distance * self.distance * sin * sin;
        if cos <= 0.0 || under < 0.0 { f64::INFINITY } else { self.distance * cos - under.sqrt() }
    }

    /// Distance to where a tangent from the origin touches: no point of the near side is farther.
    fn tangent(&self) -> f64 {
        (self.distance.powi(2) - self.radius.powi(2)).sqrt()
    }

    /// The area between the origin and the near side, from angle `a` to `b`.
    fn area(&self, a: f64, b: f64) -> f64 {
        // Green's theorem along the arc: x = at + radius (cos t, sin t).
        let [from, to] = [a, b].map(|angle| {
            let reach = self.near_side(angle);
            let reach = if reach.is_finite() { reach } else { self.tangent() };
            [reach * angle.cos() - self.at[0], reach * angle.sin() - self.at[1]]
        });
        let [t0, t1] = [from, to].map(|p: [f64; 2]| p[1].atan2(p[0]));
        let turn = (t1 - t0 + PI).rem_euclid(TAU) - PI;
        0.5 * (self.radius * self.radius * turn + self.at[0] * (to[1] - from[1]) - self.at[1] * (to[0] - from[0]))
    }
}

/// What is seen from the centre of a window.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct View {
    /// Å².
    pub area: f64,
    /// The sites that bound it, in the order in which they are seen; a site that is seen twice is there twice.
    pub sites: Vec<usize>,
}

/// An atom seen under a smaller angle than this, rad, is not counted among those that bound the view.
const SLIVER: f64 = 1e-3;

/// The view from `centre` (Cartesian) across the lattice vector `axis`. `None` where an atom covers the centre (the channel
/// winds), the view is not closed all around, or the axis is longer than [`LONGEST`].
pub(super) fn view(structure: &Structure, radii: &[f64], centre: [f64; 3], axis: [i32; 3]) -> Option<View> {
    let along = structure.lattice().to_cartesian(axis.map(f64::from));
    let (n, e1, e2) = frame(along);
    let length = norm(along);
    if length > LONGEST {
        return None;
    }
    let largest = radii.iter().copied().fold(0.0, f64::max);
    for reach in REACHES {
        let mut discs = Vec::new();
        for (site, _, x) in images_near(structure, centre, (reach + largest).hypot(0.51 * length)) {
            let step = minus(x, centre);
            // One of the images along the axis, or both at the ends: a disc too many is not seen.
            if dot(step, n).abs() > 0.5 * length + 1e-6 {
                continue;
            }
            let at = [dot(step, e1), dot(step, e2)];
            let (distance, radius) = (at[0].hypot(at[1]), radii[site]);
            if distance <= radius {
                return None;
            }
            if distance - radius < reach && radius > 0.0 {
                discs.push(Disc { site, at, distance, direction: at[1].atan2(at[0]), radius });
            }
        }
        // Atoms in one column cast one shadow, and the largest of them is named.
        discs.sort_by(|a, b| b.radius.total_cmp(&a.radius));
        let mut apart: Vec<Disc> = Vec::new();
        for disc in discs {
            let inside = |d: &Disc| (d.at[0] - disc.at[0]).hypot(d.at[1] - disc.at[1]) <= d.radius - disc.radius + 1e-6;
            if !apart.iter().any(inside) {
                apart.push(disc);
            }
        }
        // No atom farther off than what is seen stands before it.
        if let Some((view, farthest)) = seen(&apart)
            && farthest <= reach
        {
            return Some(view);
        }
    }
    None
}

/// The view from the origin among `discs` and the distance of the farthest point of its border; `None` where a direction
/// meets no disc.
fn seen(discs: &[Disc]) -> Option<(View, f64)> {
    // The nearest disc changes only at a tangent of a disc or where two circles meet.
    let mut angles = Vec::new();
    for (i, a) in discs.iter().enumerate() {
        let half = (a.radius / a.distance).asin();
        angles.extend([a.direction - half, a.direction + half]);
        for b in &discs[i + 1..] {
            let between = [b.at[0] - a.at[0], b.at[1] - a.at[1]];
            let d = between[0].hypot(between[1]);
            if d < a.radius + b.radius && d > (a.radius - b.radius).abs() {
                let along = (d * d + a.radius.powi(2) - b.radius.powi(2)) / (2.0 * d);
                let across = (a.radius.powi(2) - along * along).max(0.0).sqrt();
                for side in [-across, across] {
                    let p = [
                        a.at[0] + (along * between[0] - side * between[1]) / d,
                        a.at[1] + (along * between[1] + side * between[0]) / d,
                    ];
                    angles.push(p[1].atan2(p[0]));
                }
            }
        }
    }
    angles.iter_mut().for_each(|a| *a = a.rem_euclid(TAU));
    angles.sort_by(f64::total_cmp);
    let first = *angles.first()?;
    angles.push(first + TAU);
    let mut view = View { area: 0.0, sites: Vec::new() };
    let mut farthest = 0.0_f64;
    let mut angle_of = vec![0.0; discs.len()];
    for pair in angles.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        if b - a < 1e-12 {
            continue;
        }
        let middle = 0.5 * (a + b);
        let (which, nearest) =
            discs.iter().enumerate().min_by(|(_, p), (_, q)| p.near_side(middle).total_cmp(&q.near_side(middle)))?;
        if nearest.near_side(middle) == f64::INFINITY {
            return None;
        }
        view.area += nearest.area(a, b);
        farthest = farthest.max(nearest.tangent());
        angle_of[which] += b - a;
    }
    // In order of direction, each disc once.
    let mut bounding: Vec<&Disc> = discs.iter().zip(&angle_of).filter(|(_, a)| **a > SLIVER).map(|(d, _)| d).collect();
    bounding.sort_by(|a, b| a.direction.total_cmp(&b.direction));
    view.sites = bounding.iter().map(|d| d.site).collect();
    Some((view, farthest))
}

/// A unit vector along `axis` and two across it.
pub(super) fn frame(axis: [f64; 3]) -> ([f64; 3], [f64; 3], [f64; 3]) {
    let length = norm(axis);
    let n = axis.map(|x| x / length);
    let smallest = (0..3).min_by(|&i, &j| n[i].abs().total_cmp(&n[j].abs())).unwrap_or(0);
    let mut e = [0.0; 3];
    e[smallest] = 1.0;
    let e1 = cross(n, e);
    let length = norm(e1);
    let e1 = e1.map(|x| x / length);
    (n, e1, cross(n, e1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disc(x: f64, y: f64, radius: f64) -> Disc {
        Disc { site: 0, at: [x, y], distance: x.hypot(y), direction: y.atan2(x), radius }
    }

    #[test]
    fn a_square_of_touching_discs_leaves_the_curved_square_between_them() {
        let discs = [disc(1.0, 1.0, 1.0), disc(-1.0, 1.0, 1.0), disc(-1.0, -1.0, 1.0), disc(1.0, -1.0, 1.0)];
        let got = seen(&discs).unwrap().0.area;
        assert!((got - (4.0 - PI)).abs() < 1e-12, "{got}");
    }

    #[test]
    fn overlapping_discs_and_hidden_ones() {
        // Four discs of radius 1.2 at (±1, ±1): the square minus four quarter discs, plus the lenses counted twice.
        let r: f64 = 1.2;
        let mut discs: Vec<Disc> =
            [(1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0), (1.0, -1.0)].iter().map(|&(x, y)| disc(x, y, r)).collect();
        let lens = 2.0 * r * r * (1.0 / r).acos() - 2.0 * (r * r - 1.0).sqrt();
        let want = 4.0 - PI * r * r + 4.0 * lens / 2.0;
        let (View { area: got, sites }, _) = seen(&discs).unwrap();
        assert_eq!(sites.len(), 4);
        assert!((got - want).abs() < 1e-12, "{got} {want}");
        // A disc behind the others is not seen.
        discs.push(disc(2.5, 2.4, 1.0));
        let (more, _) = seen(&discs).unwrap();
        assert!(more.sites.len() == 4 && (more.area - want).abs() < 1e-12);
    }

    #[test]
    fn a_view_with_a_gap_has_no_area() {
        assert_eq!(seen(&[disc(1.0, 1.0, 1.0), disc(-1.0, 1.0, 1.0)]), None);
        assert_eq!(seen(&[]), None);
    }
}
