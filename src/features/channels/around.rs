//! The atoms around a point.

use super::{minus, norm, pores::Pores};
use crate::FeatureError;
use crystal::Structure;

/// Most images of sites that are looked at around the nodes of a crystal, once each; a search comes back to each
/// some dozen times, which takes half a minute. A zeolite of a thousand sites has a twentieth.
const MAX_VISITS: f64 = 4e8;

/// Refuses a search around every node that would not end in seconds: that of a wide void in a cell that is thin along an axis
/// goes through thousands of images of each site.
pub(super) fn bounded(structure: &Structure, radii: &[f64], pores: &Pores) -> Result<(), FeatureError> {
    let widest = pores.clearance.iter().copied().fold(0.0, f64::max);
    let reach = widest + radii.iter().copied().fold(0.0, f64::max);
    let images: f64 = structure.lattice().plane_spacings().iter().map(|h| 2.0 * reach / h + 1.0).product();
    let visits = pores.frac.len() as f64 * structure.len() as f64 * images;
    if visits > MAX_VISITS {
        return Err(FeatureError::Undefined(format!(
            "a sphere of {widest:.0} Å fits into this cell of {} sites: around its pores some {visits:.0e} images of sites would have to \
             be looked at, over {MAX_VISITS:.0e}",
            structure.len()
        )));
    }
    Ok(())
}

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
