//! The paths that a hop begins from.

use super::{
    band::{Path, placed},
    ends::Ends,
    way::{STRAYED, strayed},
    ways::Hop,
};
use crate::AdsorptionError;
use crystal::{Structure, norm};

/// A way that leaves the straight one by more than this, Å, is another.
const BENT: f64 = 0.3;
/// No atoms are nearer than this on a straight way that is tried, Å.
const CLEAR: f64 = 1.5;

/// The paths that a hop begins from: by the hollows, and straight on where that is another way and no atom stands in it. The middle of a
/// tunnel has most room, but small ions go along the walls.
pub(super) fn first_paths(hop: &Hop, ends: &Ends, images: usize) -> Result<Vec<Path>, AdsorptionError> {
    let by_hollows = first_path(hop, ends, images)?;
    let straight = Hop { points: vec![hop.points[0], hop.points[hop.points.len() - 1]] };
    let straight = first_path(&straight, ends, images)?;
    let ion = |image: &Structure| image.lattice().to_cartesian(image.frac_coords()[image.len() - 1]);
    let apart = |(a, b): (&Structure, &Structure)| {
        let (a, b) = (ion(a), ion(b));
        norm(std::array::from_fn(|k| b[k] - a[k]))
    };
    let bends = by_hollows.images.iter().zip(&straight.images).map(apart).fold(0.0, f64::max);
    let clear = straight.images.iter().all(|image| image.distance_min() > CLEAR);
    let also = (bends > BENT && clear).then_some(straight);
    Ok(std::iter::once(by_hollows).chain(also).collect())
}

/// The path before it is moved: the atoms of the host go straight from where they are at one end to where they are at the other, the ion by
/// the points of the hop.
fn first_path(hop: &Hop, [a, b]: &Ends, images: usize) -> Result<Path, AdsorptionError> {
    let lattice = a.structure.lattice();
    let near = |x: [f64; 3], to: [f64; 3]| -> [f64; 3] { std::array::from_fn(|k| x[k] + (to[k] - x[k]).round()) };
    let ion = a.structure.len() - 1;
    let mut points = hop.points.clone();
    let last = points.len() - 1;
    for (place, end) in [(0, a), (last, b)] {
        // The ion where it has relaxed to, in the cell that the hop names.
        let stated = lattice.to_fractional(points[place]);
        let relaxed = lattice.to_cartesian(near(end.structure.frac_coords()[ion], stated));
        if norm(std::array::from_fn(|k| relaxed[k] - points[place][k])) > STRAYED {
            return Err(strayed());
        }
        points[place] = relaxed;
    }
    let from = a.structure.cart_coords();
    let to: Vec<[f64; 3]> = a
        .structure
        .frac_coords()
        .iter()
        .zip(b.structure.frac_coords())
        .map(|(&x, &y)| lattice.to_cartesian(near(y, x)))
        .collect();
    let image = |i: usize| {
        let t = i as f64 / (images + 1) as f64;
        let mut at: Vec<[f64; 3]> =
            from.iter().zip(&to).map(|(a, b)| std::array::from_fn(|k| a[k] + t * (b[k] - a[k]))).collect();
        at[ion] = along(&points, t);
        placed(&a.structure, at.as_flattened())
    };
    Ok(Path { images: (0..=images + 1).map(image).collect::<Result<_, _>>()?, ends: [a.energy, b.energy] })
}

/// The point at a part t of the length of a line through `points`.
fn along(points: &[[f64; 3]], t: f64) -> [f64; 3] {
    let lengths: Vec<f64> =
        points.windows(2).map(|pair| norm(std::array::from_fn(|k| pair[1][k] - pair[0][k]))).collect();
    let mut left = t * lengths.iter().sum::<f64>();
    for (pair, &length) in points.windows(2).zip(&lengths) {
        if left <= length {
            let part = if length > 0.0 { left / length } else { 0.0 };
            return std::array::from_fn(|k| pair[0][k] + part * (pair[1][k] - pair[0][k]));
        }
        left -= length;
    }
    points[points.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_along_a_bent_line_is_given_by_its_length() {
        let points = [[0.0; 3], [3.0, 0.0, 0.0], [3.0, 1.0, 0.0]];
        assert_eq!(
            [0.0, 0.5, 0.75, 1.0].map(|t| along(&points, t)),
            [[0.0; 3], [2.0, 0.0, 0.0], [3.0, 0.0, 0.0], [3.0, 1.0, 0.0]]
        );
    }
}
