//! The site nearest to a point of the cell.

use crystal::{Structure, Superbase, dot};

/// Sites of a crystal, to find the one nearest to a point.
pub(super) struct Sites {
    base: Superbase,
    fractions: Vec<[f64; 3]>,
}

impl Sites {
    pub fn new(structure: &Structure) -> Self {
        let base = Superbase::of(structure.lattice());
        Self { fractions: structure.frac_coords().iter().map(|&x| base.fractions(x)).collect(), base }
    }

    /// The site nearest to a point (fractional coordinates), and its distance in Å.
    pub fn nearest(&self, point: [f64; 3]) -> (usize, f64) {
        let at = self.base.fractions(point);
        let mut best = (0, f64::INFINITY);
        for (site, x) in self.fractions.iter().enumerate() {
            let near: [f64; 3] = std::array::from_fn(|k| x[k] - at[k] - (x[k] - at[k]).round());
            // In an obtuse basis no nearer image is further off than the cells around.
            for image in 0..27_i32 {
                let d = [image % 3 - 1, image / 3 % 3 - 1, image / 9 - 1];
                let d: [f64; 3] = std::array::from_fn(|k| near[k] + f64::from(d[k]));
                let d: [f64; 3] = std::array::from_fn(|m| (0..3).map(|k| d[k] * self.base.rows[k][m]).sum());
                let square = dot(d, d);
                if square < best.1 {
                    best = (site, square);
                }
            }
        }
        (best.0, best.1.sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::{Element, Lattice};

    #[test]
    fn the_nearest_site_is_found_in_a_skewed_cell() {
        let lattice = Lattice::new([[4.0, 0.0, 0.0], [11.0, 4.0, 0.0], [-9.0, 6.5, 4.0]]).unwrap();
        let h = Element::from_symbol("H").unwrap();
        let crystal = Structure::new(lattice, vec![h, h], vec![[0.1, 0.2, 0.3], [0.6, 0.7, 0.9]]).unwrap();
        let sites = Sites::new(&crystal);
        for (i, x) in crystal.frac_coords().iter().enumerate() {
            let moved =
                lattice.to_fractional(std::array::from_fn(|k| lattice.to_cartesian(*x)[k] + [0.1, -0.2, 0.2][k]));
            let (site, distance) = sites.nearest(moved.map(|x| x + 3.0));
            assert!(site == i && (distance - 0.3).abs() < 1e-9);
        }
    }
}
