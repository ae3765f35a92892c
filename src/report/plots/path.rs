//! The energy of an ion along its path.

use plotters::prelude::*;

use super::chart::{Axis, FIRST, chart, frame, line, padded, px, titled};
use super::{Picture, labels};

/// Radius of a point, px.
const POINT: f64 = 3.4;

/// Energies, eV, by distance, Å, in the order of the way, under the height of the highest above the lowest.
pub fn path(points: &[(f64, f64)]) -> Picture {
    let energies = || points.iter().map(|point| point.1).filter(|e| e.is_finite());
    let (low, high) = energies().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), e| (l.min(e), h.max(e)));
    let panel = chart([720.0, 420.0], |canvas| {
        let mut chart = frame(
            canvas,
            Axis { name: "distance (Å)", range: padded(points.iter().map(|point| point.0)), decimals: 1 },
            Axis { name: "energy (eV)", range: padded(energies()), decimals: 2 },
        )?;
        line(&mut chart, "energy", FIRST, points.iter().copied())?;
        chart.draw_series(points.iter().map(|&point| Circle::new(point, px(POINT), FIRST.filled())))?;
        Ok(())
    });
    let barrier = if low <= high { format!("barrier {} eV", labels::number(high - low, 3)) } else { String::new() };
    titled(&barrier, &format!("{} images", points.len()), &panel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_its_points_and_its_barrier() {
        let svg = path(&[(0.0, 0.0), (0.9, 0.25), (1.8, 0.4125), (2.8, 0.0)]).svg();
        assert!(svg.contains("barrier 0.412 eV") || svg.contains("barrier 0.413 eV"), "{svg}");
        assert_eq!(svg.matches("<circle").count(), 4);
        assert!(svg.contains("4 images") && svg.contains("distance (Å)"));
        assert!(!path(&[]).svg().contains("barrier"));
    }
}
