//! The lengths at which filters are tabulated. Between two of them a filter is interpolated; beyond the ends it stays.

use crate::batch::GaussianBasis;

/// Evenly spaced lengths.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    first: f32,
    step: f32,
    points: usize,
}

/// Where a length lies: between a point and the next, at this fraction of the way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    pub below: u32,
    pub fraction: f32,
}

impl Grid {
    /// So many lengths over the reach of a basis.
    pub fn new(basis: &GaussianBasis, points: usize) -> Self {
        Self { first: basis.first, step: (basis.last - basis.first) / (points - 1) as f32, points }
    }

    /// The lengths, Å.
    pub fn lengths(&self) -> Vec<f32> {
        (0..self.points).map(|k| self.first + self.step * k as f32).collect()
    }

    /// Where a length lies, Å.
    pub fn place(&self, length: f32) -> Place {
        let at = ((length - self.first) / self.step).clamp(0.0, (self.points - 1) as f32);
        let below = (at as usize).min(self.points - 2);
        Place { below: below as u32, fraction: at - below as f32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_lie_between_their_points_and_beyond_the_ends_at_them() {
        let grid = Grid::new(&GaussianBasis { first: 1.0, last: 3.0, count: 8, gamma: 1.0 }, 5);
        assert_eq!(grid.lengths(), [1.0, 1.5, 2.0, 2.5, 3.0]);
        let of = |length| {
            let Place { below, fraction } = grid.place(length);
            (below, fraction)
        };
        assert_eq!([of(0.2), of(1.0), of(1.75), of(2.0)], [(0, 0.0), (0, 0.0), (1, 0.5), (2, 0.0)]);
        assert_eq!([of(3.0), of(40.0)], [(3, 1.0), (3, 1.0)]);
    }
}
