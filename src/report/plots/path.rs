//! The energy of an ion along its path, and the path in the crystal.

use plotters::prelude::*;

use super::chart::{Axis, FIRST, MARGIN, chart, frame, line, padded, px, titled};
use super::{Anchor, Picture, labels};

/// Radius of a point, px.
const POINT: f64 = 3.4;
/// Room for the words over the crystal, px.
const WORDS: f64 = 36.0;

/// Energies, eV, by distance, Å, in the order of the way, under the height of the highest above the lowest; and below them the crystal
/// that the way leads `through`, and the direction down which it is seen (see [`through`](super::through())).
pub fn path(points: &[(f64, f64)], through: Option<&(Picture, [i32; 3])>) -> Picture {
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
    let panel = match through {
        Some((crystal, axis)) => over(panel, crystal, *axis),
        None => panel,
    };
    titled(&barrier, &format!("{} images", points.len()), &panel)
}

/// The chart over the crystal.
fn over(chart: Picture, crystal: &Picture, axis: [i32; 3]) -> Picture {
    let width = chart.width().max(crystal.width() + 2.0 * MARGIN);
    let mut both = Picture::new(width, chart.height() + WORDS + crystal.height() + MARGIN);
    both.embed([0.0, 0.0], &chart);
    let words = format!(
        "the ion at each image, from pale (lowest energy) to dark (highest), seen down [{}]",
        labels::indices(&axis)
    );
    both.text([MARGIN, chart.height() + 20.0], 11.5, Anchor::Start, "fill=\"#555555\"", &words);
    both.embed([(width - crystal.width()) / 2.0, chart.height() + WORDS], crystal);
    both
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_its_points_and_its_barrier() {
        let points = [(0.0, 0.0), (0.9, 0.25), (1.8, 0.4125), (2.8, 0.0)];
        let svg = path(&points, None).svg();
        assert!(svg.contains("barrier 0.412 eV") || svg.contains("barrier 0.413 eV"), "{svg}");
        assert_eq!(svg.matches("<circle").count(), 4);
        assert!(svg.contains("4 images") && svg.contains("distance (Å)"));
        assert!(!path(&[], None).svg().contains("barrier") && !svg.contains("seen down"));
        // With the crystal below, as wide as it asks.
        let both = path(&points, Some(&(Picture::new(900.0, 300.0), [0, 1, 0])));
        assert!(both.width() > 900.0 && both.height() > 700.0 && both.svg().contains("seen down [010]"), "{both:?}");
    }
}
