//! Predictions against labels, as in Figs. 8 and 9 of Datta *et al.*, Energy Adv. **3** (2024) 968.

use plotters::prelude::*;

use super::chart::{Axis, FIRST, INK, SECOND, chart, frame, legend, line, padded, px, titled};
use super::{Picture, labels};
use models::{Metrics, axis, behind};

/// Predictions (vertical) against labels (horizontal), in the unit of the label, with the diagonal on which a perfect model would
/// lie and the line of least squares. Pairs are (prediction, label).
pub fn parity(title: &str, unit: &str, pairs: &[(f64, f64)]) -> Picture {
    let ends = padded(pairs.iter().flat_map(|&(a, b)| [a, b]));
    let (low, high) = ends;
    let trend = trend(pairs);
    let panel = chart([640.0, 600.0], |canvas| {
        let mut chart = frame(
            canvas,
            Axis { name: &axis("label", unit), range: ends, decimals: 2 },
            Axis { name: &axis("prediction", unit), range: ends, decimals: 2 },
        )?;
        chart.draw_series(
            pairs.iter().map(|&(predicted, label)| Circle::new((label, predicted), px(2.2), FIRST.mix(0.35).filled())),
        )?;
        line(&mut chart, "prediction = label", INK, [(low, low), (high, high)])?;
        if let Some((slope, intercept)) = trend {
            // No further than the chart: a line that leaves it through top or bottom ends there.
            let end = |x: f64| {
                let y = slope * x + intercept;
                if (low..=high).contains(&y) {
                    (x, y)
                } else {
                    ((y.clamp(low, high) - intercept) / slope, y.clamp(low, high))
                }
            };
            line(&mut chart, "least squares", SECOND, [end(low), end(high)])?;
        }
        legend(&mut chart, SeriesLabelPosition::UpperLeft)
    });
    let numbers = Metrics::of(pairs, 0.0).map_or_else(
        || "no crystal".into(),
        |m| {
            let s = if m.count == 1 { "" } else { "s" };
            let line = trend.map_or_else(String::new, |(slope, intercept)| {
                let sign = if intercept < 0.0 { "−" } else { "+" };
                format!("; least squares: {} x {sign} {:.3}", labels::number(slope, 3), intercept.abs())
            });
            format!(
                "RMSE {:.3}, MAE {:.3}{} over {} crystal{s}{line}",
                m.rmse,
                m.mae,
                behind(unit),
                labels::count(m.count as u64)
            )
        },
    );
    titled(title, &numbers, &panel)
}

/// Slope and intercept of the predictions as a linear function of the labels; `None` where the labels do not differ.
fn trend(pairs: &[(f64, f64)]) -> Option<(f64, f64)> {
    let n = pairs.len() as f64;
    let (y, x) = pairs.iter().fold((0.0, 0.0), |(y, x), pair| (y + pair.0 / n, x + pair.1 / n));
    let variance: f64 = pairs.iter().map(|pair| (pair.1 - x).powi(2)).sum();
    let covariance: f64 = pairs.iter().map(|pair| (pair.1 - x) * (pair.0 - y)).sum();
    (variance > 1e-12).then(|| (covariance / variance, y - x * covariance / variance))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_mark_for_every_pair() {
        let svg = parity("a < b", "eV/atom", &[(-1.0, -1.1), (-2.0, -2.2), (0.5, 0.4)]).svg();
        assert_eq!(svg.matches("<circle").count(), 3);
        assert!(
            svg.contains("label, eV/atom")
                && svg.contains("0.133 eV/atom over")
                && svg.contains("a &lt; b")
                && svg.contains("MAE 0.133")
        );
        assert_eq!(parity("none", "", &[]).svg().matches("<circle").count(), 0);
    }

    #[test]
    fn the_trend_is_that_of_least_squares() {
        let (slope, intercept) = trend(&[(1.0, 0.0), (3.0, 1.0), (5.0, 2.0), (6.0, 3.0)]).unwrap();
        assert!((slope - 1.7).abs() < 1e-12 && (intercept - 1.2).abs() < 1e-12);
        assert_eq!(trend(&[(1.0, 2.0), (3.0, 2.0)]), None);
        assert!(parity("one", "", &[(1.0, 2.0)]).svg().contains("over 1 crystal<"));
    }
}
