//! The Voronoi cell of a grid point: which points it shares a face with, and the face's area over their distance.
//!
//! The points of a grid over a cell are a lattice, whose Voronoi cell has at most 14 faces whatever the angles; the flow from
//! a point to a neighbour is proportional to this ratio.

use crate::AdsorptionError;
use crystal::{Element, Lattice, Structure};
use features::FeatureError;
use features::voronoi;

/// Faces smaller than this part of the largest ratio are rounding.
const SLIVER: f64 = 1e-9;
/// Volume that a voxel is scaled to, Å³, so that no limit meant for crystals is met.
const SCALED: f64 = 30.0;

/// A neighbour of a grid point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    /// Points along each axis.
    pub shift: [i32; 3],
    /// Where it stands in the values, relative to the point, away from the border of the grid.
    pub offset: isize,
    /// Area of the common face over the distance, the largest being 1.
    pub weight: f64,
}

/// A periodic grid with its neighbours.
#[derive(Debug)]
pub(super) struct Voxels {
    shape: [usize; 3],
    pub steps: Vec<Step>,
    /// How far from the border a point's neighbours lie across it.
    margin: [usize; 3],
}

impl Voxels {
    /// The grid of `shape` over the cell of `lattice`.
    ///
    /// # Errors
    /// A grid whose points have no Voronoi cell, or a lattice that is none.
    pub fn new(lattice: &Lattice, shape: [usize; 3]) -> Result<Self, AdsorptionError> {
        let voxel = lattice.volume() / shape.iter().product::<usize>() as f64;
        let scale = (SCALED / voxel).cbrt();
        let rows = *lattice.rows();
        let rows = std::array::from_fn(|k| rows[k].map(|x| x * scale / shape[k] as f64));
        let point =
            Element::from_z(1).and_then(|e| Structure::with_overlaps(Lattice::new(rows)?, vec![e], vec![[0.0; 3]]))?;
        let mut cells = voronoi(&point)?.cells;
        let faces = cells.pop().map(|cell| cell.faces).unwrap_or_default();
        let largest = faces.iter().map(|f| f.area / f.distance).fold(0.0, f64::max);
        let [na, nb, _] = shape.map(|n| n as isize);
        // Each face with the one opposite, so that being neighbours is mutual.
        let steps: Vec<Step> = faces
            .iter()
            .filter(|f| f.image > [0; 3] && f.area / f.distance > SLIVER * largest)
            .flat_map(|f| [1, -1].map(|sign| (f.image.map(|n| sign * n), f.area / f.distance / largest)))
            .map(|(shift, weight)| {
                let [i, j, k] = shift.map(|n| n as isize);
                Step { shift, offset: i + na * (j + nb * k), weight }
            })
            .collect();
        if steps.len() < 6 {
            return Err(FeatureError::Undefined(format!("the grid {shape:?} has no Voronoi cell")).into());
        }
        let margin =
            std::array::from_fn(|k| steps.iter().map(|s| s.shift[k].unsigned_abs() as usize).max().unwrap_or(0));
        Ok(Self { shape, steps, margin })
    }

    /// The grid point at a place of the values.
    pub fn point(&self, at: usize) -> [usize; 3] {
        let [na, nb, _] = self.shape;
        [at % na, at / na % nb, at / na / nb]
    }

    /// The places of the neighbours of a point, and their weights.
    #[inline]
    pub fn around(&self, at: usize, point: [usize; 3]) -> impl Iterator<Item = (usize, f64)> {
        let inside = (0..3).all(|k| point[k] >= self.margin[k] && point[k] + self.margin[k] < self.shape[k]);
        self.steps.iter().map(move |step| {
            let place = if inside { at.wrapping_add_signed(step.offset) } else { self.across(point, step.shift) };
            (place, step.weight)
        })
    }

    #[cold]
    fn across(&self, point: [usize; 3], shift: [i32; 3]) -> usize {
        let [i, j, k]: [usize; 3] =
            std::array::from_fn(|m| (point[m] as i64 + i64::from(shift[m])).rem_euclid(self.shape[m] as i64) as usize);
        i + self.shape[0] * (j + self.shape[1] * k)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(lattice: Lattice, shape: [usize; 3]) -> Vec<([i32; 3], f64)> {
        let mut steps: Vec<_> =
            Voxels::new(&lattice, shape).unwrap().steps.iter().map(|s| (s.shift, s.weight)).collect();
        steps.sort_by_key(|s| s.0);
        steps
    }

    #[test]
    fn a_brick_has_six_neighbours_weighted_by_area_over_distance() {
        // Voxels of 0.1 x 0.2 x 0.2 Å: faces 0.04, 0.02, 0.02 Å² at 0.1, 0.2, 0.2 Å.
        let steps = weights(Lattice::new([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 4.0]]).unwrap(), [10, 10, 20]);
        assert_eq!(steps.len(), 6);
        for (shift, weight) in steps {
            let expected = if shift[0] != 0 { 1.0 } else { 0.25 };
            assert!((weight - expected).abs() < 1e-12, "{shift:?} {weight}");
        }
    }

    #[test]
    fn a_hexagonal_grid_has_eight_and_a_primitive_fcc_one_twelve_equal_neighbours() {
        let hexagonal = Lattice::from_parameters(3.0, 3.0, 5.0, 90.0, 90.0, 120.0).unwrap();
        let steps = weights(hexagonal, [12, 12, 20]);
        assert_eq!(steps.len(), 8);
        let fcc = Lattice::new([[0.0, 2.0, 2.0], [2.0, 0.0, 2.0], [2.0, 2.0, 0.0]]).unwrap();
        let steps = weights(fcc, [20, 20, 20]);
        assert!(steps.len() == 12 && steps.iter().all(|s| (s.1 - 1.0).abs() < 1e-9), "{steps:?}");
    }

    /// Σ w d dᵀ over the neighbours is the identity times twice the cell's volume: what makes the flow a gradient.
    #[test]
    fn weights_make_an_isotropic_gradient_on_a_triclinic_grid() {
        let lattice = Lattice::from_parameters(4.1, 5.2, 6.3, 75.0, 82.0, 110.0).unwrap();
        let shape = [20, 28, 32];
        let steps = weights(lattice, shape);
        assert_eq!(steps.len(), 14);
        let mut tensor = [[0.0; 3]; 3];
        for (shift, weight) in &steps {
            let d = lattice.to_cartesian(std::array::from_fn(|k| f64::from(shift[k]) / shape[k] as f64));
            for i in 0..3 {
                for j in 0..3 {
                    tensor[i][j] += weight * d[i] * d[j];
                }
            }
        }
        for i in 0..3 {
            for j in 0..3 {
                let expected = if i == j { tensor[0][0] } else { 0.0 };
                assert!((tensor[i][j] - expected).abs() < 1e-9 * tensor[0][0], "{tensor:?}");
            }
        }
    }

    #[test]
    fn neighbours_lie_across_the_border() {
        let voxels =
            Voxels::new(&Lattice::new([[3.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 3.0]]).unwrap(), [3, 4, 5])
                .unwrap();
        for at in 0..60 {
            let point = voxels.point(at);
            for (place, _) in voxels.around(at, point) {
                assert!(voxels.around(place, voxels.point(place)).any(|(back, _)| back == at));
            }
        }
        let mut corner: Vec<usize> = voxels.around(0, [0; 3]).map(|n| n.0).collect();
        corner.sort_unstable();
        assert_eq!(corner, [1, 2, 3, 9, 12, 48]);
    }
}
