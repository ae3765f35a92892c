//! A crystal seen along a lattice direction from far away: Å in space to Å on the page, and a depth.

use crystal::{Lattice, Structure, cross, dot, norm};

/// An orthographic projection. The page has x to the right and y up; depth grows towards the eye.
#[derive(Debug, Clone, Copy)]
pub struct View {
    right: [f64; 3],
    up: [f64; 3],
    towards: [f64; 3],
}

impl View {
    /// The view down the direction [uvw], which points at the eye. Down an axis the next axis lies to the right (a for c);
    /// down any other direction c points up.
    ///
    /// `None` for [000].
    pub fn down(lattice: &Lattice, uvw: [i32; 3]) -> Option<Self> {
        if uvw == [0; 3] {
            return None;
        }
        let towards = unit(lattice.to_cartesian(uvw.map(f64::from)))?;
        let rows = lattice.rows();
        let along = (0..3).find(|&k| (0..3).all(|m| (m == k) == (uvw[m] != 0)));
        let flat = |v: [f64; 3]| {
            let height = dot(v, towards);
            unit(std::array::from_fn(|i| v[i] - height * towards[i]))
        };
        let right = match along {
            Some(k) => flat(rows[(k + 1) % 3])?,
            None => {
                let up = flat(rows[2]).or_else(|| flat(rows[0]))?;
                cross(up, towards)
            }
        };
        Some(Self { right, up: cross(towards, right), towards })
    }

    /// Place on the page (Å right, Å up) and depth (Å towards the eye) of a point in Cartesian Å.
    pub fn project(&self, at: [f64; 3]) -> ([f64; 2], f64) {
        ([dot(at, self.right), dot(at, self.up)], dot(at, self.towards))
    }
}

/// Cells along each axis so that the picture is at least 8 Å wide and high, and one cell deep where `axis` is an axis.
pub fn usual_cells(crystal: &Structure, axis: [i32; 3]) -> [usize; 3] {
    let lengths = crystal.lattice().parameters();
    std::array::from_fn(|k| {
        let seen_along = (0..3).all(|m| (m == k) == (axis[m] != 0));
        if seen_along { 1 } else { ((8.0 / lengths[k]).ceil() as usize).max(1) }
    })
}

/// The axis that tunnels of oxides usually follow: the shortest, the last of several.
pub fn usual_axis(crystal: &Structure) -> [i32; 3] {
    let lengths = &crystal.lattice().parameters()[..3];
    let shortest = (0..3).fold(2, |best, k| if lengths[k] < lengths[best] - 1e-3 { k } else { best });
    std::array::from_fn(|k| i32::from(k == shortest))
}

fn unit(a: [f64; 3]) -> Option<[f64; 3]> {
    let length = norm(a);
    (length > 1e-6).then(|| a.map(|x| x / length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn down_c_a_lies_to_the_right_and_b_above() {
        let lattice = Lattice::from_parameters(4.0, 5.0, 6.0, 90.0, 90.0, 120.0).unwrap();
        let view = View::down(&lattice, [0, 0, 1]).unwrap();
        let [a, b, c] = *lattice.rows();
        let near = |x: f64, y: f64| (x - y).abs() < 1e-9;
        let ([x, y], z) = view.project(a);
        assert!(near(x, 4.0) && near(y, 0.0) && near(z, 0.0));
        let ([x, y], _) = view.project(b);
        assert!(near(x, -2.5) && y > 4.0);
        let ([x, y], z) = view.project(c);
        assert!(near(x, 0.0) && near(y, 0.0) && near(z, 6.0), "c points at the eye");
        assert!(View::down(&lattice, [0; 3]).is_none());
    }

    #[test]
    fn distances_survive_and_c_points_up_from_the_side() {
        let lattice = Lattice::from_parameters(4.0, 5.0, 6.0, 80.0, 95.0, 100.0).unwrap();
        let view = View::down(&lattice, [1, 1, 0]).unwrap();
        let p = [1.0, -2.0, 0.5];
        let ([x, y], z) = view.project(p);
        assert!((x * x + y * y + z * z - dot(p, p)).abs() < 1e-9);
        let ([x, y], _) = view.project(lattice.rows()[2]);
        assert!(x.abs() < 1e-9 && y > 5.0);
    }
}
