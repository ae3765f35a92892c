//! The volume of a union of balls in a periodic cell, exactly.
//!
//! Space is divided among the balls by power distance |p - x_j|² - R_j². A point of the union lies in the ball whose
//! power cell it is in, so the union is the sum of (ball ∩ its own power cell), and only balls that overlap a ball cut
//! it. Seen from its centre, ball i cut by planes j at signed height h_j has the volume
//!
//! ```text
//! V_i = 1/3 (R³ Ω₀ + Σ_j h_j F_j),     Ω₀ = 4π [centre kept] - Σ_j sign(h_j) Ω_j
//! ```
//!
//! where F_j is the area and Ω_j the solid angle of face j: the disc in which plane j meets the ball, clipped to a
//! polygon by the other planes. Both have closed forms, edge by edge. Every term is continuous in the coordinates: planes
//! that meet in one point, the rule in symmetric crystals, need no special case.

use std::f64::consts::PI;

use super::environment::pairs_within;
use crate::FeatureError;
use crystal::{Structure, dot};

/// A centre nearer to a plane than this fraction of its radius is moved off it: where two planes pass through the
/// centre, a solid angle depends on how the limit is taken.
const OFF_CENTRE: f64 = 1e-7;
/// Two unit normals are parallel where the sine of their angle is below this.
const PARALLEL: f64 = 1e-9;

/// A plane `normal · x = height` (x from the ball's centre); the side `<=` is kept.
#[derive(Clone, Copy)]
struct Plane {
    normal: [f64; 3],
    height: f64,
}

/// Volume of the union of all balls of `radii` (one per site, Å, >= 0) and their periodic images, within one cell, Å³.
/// Exact but for rounding.
///
/// # Errors
/// So many balls that meet that they cannot be listed.
pub(super) fn union_volume(structure: &Structure, radii: &[f64]) -> Result<f64, FeatureError> {
    let largest = radii.iter().copied().fold(0.0, f64::max);
    let pairs = pairs_within(structure, 2.0 * largest)?;
    let (lattice, frac) = (structure.lattice(), structure.frac_coords());
    let mut planes = Vec::new();
    let mut scratch = Polygon::default();
    let (mut total, mut next) = (0.0, 0);
    for (i, &r) in radii.iter().enumerate() {
        planes.clear();
        let mut buried = false;
        while next < pairs.len() && pairs.center[next] as usize == i {
            let (j, image, d) = (pairs.neighbor[next] as usize, pairs.image[next], pairs.distance[next]);
            next += 1;
            let other = radii[j];
            if d >= r + other {
                continue;
            }
            if d < 1e-9 {
                // One point entered twice (a structure with overlaps): the larger ball counts, or else the first.
                buried |= other > r || (other == r && j < i);
                continue;
            }
            let height = (d * d + r * r - other * other) / (2.0 * d);
            buried |= height <= -r;
            if height < r {
                let height = if height.abs() < OFF_CENTRE * r { OFF_CENTRE * r } else { height };
                let step = std::array::from_fn(|k| frac[j][k] + f64::from(image[k]) - frac[i][k]);
                planes.push(Plane { normal: lattice.to_cartesian(step).map(|x| x / d), height });
            }
        }
        if !buried {
            planes.sort_by(|a, b| a.height.total_cmp(&b.height));
            total += cut_ball(r, &planes, &mut scratch);
        }
    }
    Ok(total)
}

/// Volume of a ball of radius `r` cut by `planes`, Å³.
fn cut_ball(r: f64, planes: &[Plane], polygon: &mut Polygon) -> f64 {
    let centre_kept = planes.iter().all(|p| p.height > 0.0);
    let mut solid_angle = if centre_kept { 4.0 * PI } else { 0.0 };
    let mut cones = 0.0;
    for (a, plane) in planes.iter().enumerate() {
        let (area, angle) = face(r, plane, a, planes, polygon);
        solid_angle -= plane.height.signum() * angle;
        cones += plane.height * area;
    }
    (r * r * r * solid_angle + cones) / 3.0
}

/// Area and solid angle (unsigned) of face `a`: its disc, clipped by every other plane.
fn face(r: f64, plane: &Plane, a: usize, planes: &[Plane], polygon: &mut Polygon) -> (f64, f64) {
    let Plane { normal: n, height: h } = *plane;
    let rho = (r * r - h * h).max(0.0).sqrt();
    let [e1, e2] = plane_axes(n);
    polygon.reset(rho);
    for (b, other) in planes.iter().enumerate().filter(|&(b, _)| b != a) {
        // In the plane's own coordinates (u, v) about the disc's centre, plane b keeps t·(u, v) <= c.
        let cosine = dot(n, other.normal);
        let c = other.height - h * cosine;
        let t = [dot(other.normal, e1), dot(other.normal, e2)];
        let length = (t[0] * t[0] + t[1] * t[1]).sqrt();
        if length < PARALLEL {
            // The same plane twice counts once.
            if c < -PARALLEL || (c < PARALLEL && cosine > 0.0 && b < a) {
                return (0.0, 0.0);
            }
        } else if c < rho * length {
            if c <= -rho * length {
                return (0.0, 0.0);
            }
            polygon.clip(t, c);
            if polygon.corners.is_empty() {
                return (0.0, 0.0);
            }
        }
    }
    polygon.meet_disc(rho, h.abs(), r)
}

/// A convex polygon, corners counter-clockwise.
#[derive(Default)]
struct Polygon {
    corners: Vec<[f64; 2]>,
    clipped: Vec<[f64; 2]>,
}

impl Polygon {
    /// The square around a disc of radius `rho` at the origin.
    fn reset(&mut self, rho: f64) {
        let x = 1.001 * rho;
        self.corners.clear();
        self.corners.extend([[x, x], [-x, x], [-x, -x], [x, -x]]);
    }

    /// Keeps the part where t·p <= c.
    fn clip(&mut self, t: [f64; 2], c: f64) {
        let excess = |p: [f64; 2]| t[0] * p[0] + t[1] * p[1] - c;
        self.clipped.clear();
        let Some(&last) = self.corners.last() else { return };
        let (mut p, mut at_p) = (last, excess(last));
        for &q in &self.corners {
            let at_q = excess(q);
            if (at_p <= 0.0) != (at_q <= 0.0) {
                let s = at_p / (at_p - at_q);
                self.clipped.push([p[0] + s * (q[0] - p[0]), p[1] + s * (q[1] - p[1])]);
            }
            if at_q <= 0.0 {
                self.clipped.push(q);
            }
            (p, at_p) = (q, at_q);
        }
        std::mem::swap(&mut self.corners, &mut self.clipped);
    }

    /// Area of polygon ∩ disc (radius `rho`, centred at the origin), and its solid angle from a point at height `h` over
    /// the origin, where `r`² = `h`² + `rho`². Each edge adds a signed triangle inside the disc and signed sectors outside.
    fn meet_disc(&self, rho: f64, h: f64, r: f64) -> (f64, f64) {
        let (mut area, mut angle) = (0.0, 0.0);
        let Some(&last) = self.corners.last() else { return (0.0, 0.0) };
        let mut p = last;
        for &q in &self.corners {
            let d = [q[0] - p[0], q[1] - p[1]];
            let length = (d[0] * d[0] + d[1] * d[1]).sqrt();
            if length > 0.0 {
                // The edge lies on a line at signed distance e; s runs along it from the foot of the origin.
                let e = (p[0] * q[1] - p[1] * q[0]) / length;
                let [s0, s1] = [p, q].map(|x| (x[0] * d[0] + x[1] * d[1]) / length);
                let mut sector = 0.0;
                if e.abs() >= rho {
                    sector = turn(e, s0, s1);
                } else {
                    let w = (rho * rho - e * e).sqrt();
                    if s0 < -w {
                        sector += turn(e, s0, s1.min(-w));
                    }
                    if s1 > w {
                        sector += turn(e, s0.max(w), s1);
                    }
                    let (from, to) = (s0.max(-w), s1.min(w));
                    if from < to && e != 0.0 {
                        area += 0.5 * e * (to - from);
                        // ∫ (1 - h / √(h² + e² + s²)) dφ along the edge, with φ = atan(s/e).
                        let tilt = |s: f64| (h * s / (e * (h * h + e * e + s * s).sqrt())).atan();
                        angle += turn(e, from, to) - (tilt(to) - tilt(from));
                    }
                }
                area += 0.5 * rho * rho * sector;
                angle += (1.0 - h / r) * sector;
            }
            p = q;
        }
        (area, angle)
    }
}

/// The signed angle under which the stretch from `s0` to `s1` of a line at signed distance `e` is seen from the origin.
fn turn(e: f64, s0: f64, s1: f64) -> f64 {
    (e * (s1 - s0)).atan2(e * e + s0 * s1)
}

/// Two unit vectors that make a right-handed system with `n`.
fn plane_axes(n: [f64; 3]) -> [[f64; 3]; 2] {
    // Duff et al., Journal of Computer Graphics Techniques 6 (2017) 1: no branch, no cancellation.
    let sign = 1.0_f64.copysign(n[2]);
    let a = -1.0 / (sign + n[2]);
    let b = n[0] * n[1] * a;
    [[1.0 + sign * n[0] * n[0] * a, sign * b, -sign * n[0]], [b, sign + n[1] * n[1] * a, -n[1]]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::{Element, Lattice};

    fn cubic(a: f64, sites: &[[f64; 3]]) -> Structure {
        let lattice = Lattice::from_parameters(a, a, a, 90.0, 90.0, 90.0).unwrap();
        Structure::with_overlaps(lattice, vec![Element::O; sites.len()], sites.to_vec()).unwrap()
    }

    fn assert_volume(structure: &Structure, radii: &[f64], want: f64) {
        let got = union_volume(structure, radii).unwrap();
        assert!((got - want).abs() < 1e-9 * want.max(1.0), "{got}, expected {want}");
    }

    fn ball(r: f64) -> f64 {
        4.0 / 3.0 * PI * r.powi(3)
    }

    /// Volume of a cap of height `t` of a ball.
    fn cap(r: f64, t: f64) -> f64 {
        PI * t * t * (3.0 * r - t) / 3.0
    }

    #[test]
    fn separate_balls_add_up() {
        assert_volume(&cubic(10.0, &[[0.0; 3], [0.5, 0.5, 0.4]]), &[1.0, 2.0], ball(1.0) + ball(2.0));
    }

    #[test]
    fn two_overlapping_balls_of_unlike_size() {
        // Centres 2 Å apart, radii 1 and 2: the radical plane lies 0.25 Å from the small ball's centre.
        let want = ball(1.0) - cap(1.0, 0.75) + ball(2.0) - cap(2.0, 0.25);
        assert_volume(&cubic(20.0, &[[0.0; 3], [0.1, 0.0, 0.0]]), &[1.0, 2.0], want);
    }

    #[test]
    fn a_small_ball_with_its_centre_inside_the_large_one() {
        // d = 1.2, radii 1 and 1.8: the plane lies beyond the small ball's centre, h = (1.44 + 1 - 3.24) / 2.4 < 0.
        let h = (1.44 + 1.0 - 3.24) / 2.4;
        let want = cap(1.0, 1.0 + h) + ball(1.8) - cap(1.8, 1.8 - (1.2 - h));
        assert_volume(&cubic(20.0, &[[0.0; 3], [0.06, 0.0, 0.0]]), &[1.0, 1.8], want);
    }

    #[test]
    fn a_ball_inside_another_adds_nothing_and_a_ball_entered_twice_counts_once() {
        assert_volume(&cubic(20.0, &[[0.0; 3], [0.05, 0.0, 0.0]]), &[3.0, 1.0], ball(3.0));
        assert_volume(&cubic(20.0, &[[0.3; 3], [0.3; 3]]), &[2.0, 2.0], ball(2.0));
    }

    #[test]
    fn simple_cubic_balls_lose_six_caps_until_the_cell_is_full() {
        let a = 2.0;
        for r in [1.1, 1.2, 1.4] {
            // Up to r = a/√2 the caps on the six faces do not touch.
            assert_volume(&cubic(a, &[[0.0; 3]]), &[r], ball(r) - 6.0 * cap(r, r - a / 2.0));
        }
        assert_volume(&cubic(a, &[[0.1, 0.2, 0.3]]), &[1.74], 8.0);
        assert_volume(&cubic(a, &[[0.1, 0.2, 0.3]]), &[5.0], 8.0);
    }

    #[test]
    fn coinciding_planes_count_once() {
        // From the ball at the origin (r = 2), the balls at 1 Å (r = 2) and at 3 Å (r = √10) share the plane x = 0.5.
        let sites = [[0.0; 3], [0.05, 0.0, 0.0], [0.15, 0.0, 0.0]];
        let third = 10.0_f64.sqrt();
        // Along x: ball 0 up to 0.5; ball 1's cell from 0.5 to its plane with ball 2, at 1 + (4 + 4 - 10) / 4 = 0.5: nothing.
        let want = ball(2.0) - cap(2.0, 1.5) + ball(third) - cap(third, third - 2.5);
        assert_volume(&cubic(20.0, &sites), &[2.0, 2.0, third], want);
    }

    /// The union by brute force on a grid of midpoints.
    fn by_grid(structure: &Structure, radii: &[f64], n: usize) -> f64 {
        let centres = structure.cart_coords();
        let images: Vec<[f64; 3]> = (0..343)
            .map(|m| structure.lattice().to_cartesian([m / 49, m / 7 % 7, m % 7].map(|x| x as f64 - 3.0)))
            .collect();
        let inside = |p: [f64; 3]| {
            centres
                .iter()
                .zip(radii)
                .any(|(c, r)| images.iter().any(|t| (0..3).map(|k| (p[k] - c[k] - t[k]).powi(2)).sum::<f64>() < r * r))
        };
        let point = |m: usize| [m / (n * n), m / n % n, m % n].map(|x| (x as f64 + 0.5) / n as f64);
        let count = (0..n * n * n).filter(|&m| inside(structure.lattice().to_cartesian(point(m)))).count();
        structure.volume() * count as f64 / (n * n * n) as f64
    }

    #[test]
    fn a_crowded_triclinic_cell_agrees_with_a_grid() {
        let lattice = Lattice::from_parameters(4.1, 5.0, 4.6, 75.0, 98.0, 110.0).unwrap();
        let sites = vec![[0.1, 0.2, 0.3], [0.62, 0.71, 0.9], [0.3, 0.8, 0.55], [0.8, 0.15, 0.6]];
        let s = Structure::new(lattice, vec![Element::O; 4], sites).unwrap();
        for radii in [[1.4, 0.7, 1.1, 0.9], [2.0, 1.2, 1.6, 0.9], [0.9, 1.9, 0.4, 1.5]] {
            let (exact, grid) = (union_volume(&s, &radii).unwrap() / s.volume(), by_grid(&s, &radii, 48) / s.volume());
            // 110 592 midpoints resolve a smooth surface to better than 1e-3 of the cell.
            assert!((exact - grid).abs() < 1e-3, "{exact} {grid}");
        }
    }
}
