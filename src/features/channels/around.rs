//! The atoms around a point.

use super::{minus, norm};
use crate::crystal::Structure;

/// Every periodic image of a site within `reach` Å of `point` (Cartesian): site, image, Cartesian position.
pub(super) fn images_near(structure: &Structure, point: [f64; 3], reach: f64) -> Vec<(usize, [i32; 3], [f64; 3])> {
    let lattice = structure.lattice();
    let at = lattice.to_fractional(point);
    let spacings = lattice.plane_spacings();
    let mut found = Vec::new();
    for (site, x) in structure.frac_coords().iter().enumerate() {
        let range = |k: usize| {
            let (low, high) = (at[k] - x[k] - reach / spacings[k], at[k] - x[k] + reach / spacings[k]);
            low.ceil() as i32..=high.floor() as i32
        };
        for i in range(0) {
            for j in range(1) {
                for k in range(2) {
                    let image = [i, j, k];
                    let position = lattice.to_cartesian(std::array::from_fn(|m| x[m] + f64::from(image[m])));
                    if norm(minus(position, point)) <= reach {
                        found.push((site, image, position));
                    }
                }
            }
        }
    }
    found
}
