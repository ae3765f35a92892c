//! How the errors of a model are distributed, as in Fig. 10b of Datta *et al.*, Energy Adv. **3** (2024) 968.

use plotters::prelude::*;

use super::chart::{Axis, FIRST, INK, SECOND, chart, frame, legend, line, px, titled};
use super::{Picture, labels};
use crate::models::Metrics;

/// Width of a bar, eV/atom.
const BIN: f64 = 0.02;
/// Where the axis ends; what errs by more is counted in the small print.
const LAST: f64 = 0.6;
/// Errors that the paper counts by, eV/atom.
const MARKS: [f64; 2] = [0.2, 0.4];

/// The share of the crystals by their absolute error, in bars, and the share that errs by less, as a line. Pairs are
/// (prediction, label), eV/atom.
pub fn errors(title: &str, pairs: &[(f64, f64)]) -> Picture {
    let errors: Vec<f64> = pairs.iter().map(|(predicted, label)| (predicted - label).abs()).collect();
    let n = errors.len().max(1) as f64;
    let below = |limit: f64| 100.0 * errors.iter().filter(|e| **e < limit).count() as f64 / n;
    let edges: Vec<f64> = (0..=(LAST / BIN).round() as usize).map(|k| k as f64 * BIN).collect();
    let panel = chart([720.0, 460.0], |canvas| {
        let mut chart = frame(
            canvas,
            Axis { name: "absolute error, eV/atom", range: (0.0, LAST), decimals: 2 },
            Axis { name: "share of the crystals, %", range: (0.0, 100.0), decimals: 0 },
        )?;
        let bars = edges.windows(2).map(|ends| (ends[0], ends[1], below(ends[1]) - below(ends[0])));
        chart
            .draw_series(
                bars.filter(|(.., share)| *share > 0.0)
                    .map(|(left, right, share)| Rectangle::new([(left, 0.0), (right, share)], FIRST.mix(0.6).filled())),
            )?
            .label(format!("in steps of {BIN} eV/atom"))
            .legend(|(x, y)| {
                let half = px(4.5) as i32;
                Rectangle::new([(x, y - half), (x + px(18.0) as i32, y + half)], FIRST.mix(0.6).filled())
            });
        line(&mut chart, "that err by less", SECOND, edges.iter().map(|&edge| (edge, below(edge))))?;
        for mark in MARKS {
            let style = INK.mix(0.5).stroke_width(px(0.8));
            chart.draw_series([PathElement::new([(mark, 0.0), (mark, 100.0)], style)])?;
        }
        legend(&mut chart, SeriesLabelPosition::MiddleRight)
    });
    let numbers = Metrics::of(pairs, 0.0).map_or_else(
        || "no crystal".into(),
        |m| {
            let share = |limit: f64| format!("{} % below {limit}", labels::number(below(limit), 1));
            format!(
                "{} crystals; MAE {:.3}, RMSE {:.3}; {} eV/atom; {} beyond the axis",
                labels::count(m.count as u64),
                m.mae,
                m.rmse,
                MARKS.map(share).join(", "),
                errors.iter().filter(|e| **e >= LAST).count()
            )
        },
    );
    titled(title, &numbers, &panel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_those_of_the_errors() {
        let pairs = [(0.0, 0.01), (0.0, -0.1), (1.0, 1.3), (0.0, 5.0)];
        let svg = errors("megnet", &pairs).svg();
        for text in ["4 crystals", "50 % below 0.2, 75 % below 0.4 eV/atom", "1 beyond the axis", "megnet"] {
            assert!(svg.contains(text), "{text}");
        }
        // A bar for each of the three errors on the axis, and one in the legend.
        let bars = svg.matches("opacity=\"0.6\"").count();
        assert_eq!(bars, 4, "{svg}");
        assert!(errors("none", &[]).svg().contains("no crystal"));
    }
}
