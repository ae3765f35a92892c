//! How the errors of a model are distributed, as in Fig. 10b of Datta *et al.*, Energy Adv. **3** (2024) 968.

use plotters::prelude::*;

use super::chart::{Axis, FIRST, INK, SECOND, chart, frame, legend, line, px, titled};
use super::{Picture, labels};
use models::{Metrics, Quantity, axis, behind};

/// Bars up to the end of the axis; what errs by more is counted in the small print.
const BARS: usize = 30;
/// Where the axis of formation energies ends, eV/atom.
const LAST: f64 = 0.6;
/// Bars to the errors that the paper counts by.
const MARKS: [f64; 2] = [10.0, 20.0];

/// Where the axis ends: for energies per atom where the paper's does, else at the round number that one in twenty exceeds.
fn end_of_axis(unit: &str, errors: &[f64]) -> f64 {
    if unit == Quantity::FORMATION_ENERGY.unit {
        return LAST;
    }
    let mut sorted: Vec<f64> = errors.iter().copied().filter(|e| e.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let Some(large) = sorted.get(sorted.len() * 19 / 20).map(|e| e.max(1e-12)) else { return LAST };
    // Three, six or fifteen times a power of ten: a third of it is round too.
    let ten = 10_f64.powf(large.log10().floor());
    [0.3, 0.6, 1.5, 3.0, 6.0, 15.0].into_iter().map(|f| f * ten).find(|end| *end > large).unwrap_or(15.0 * ten)
}

/// The share of the crystals by their absolute error, in bars, and the share that errs by less, as a line. Pairs are
/// (prediction, label), in `unit`.
pub fn errors(title: &str, unit: &str, pairs: &[(f64, f64)]) -> Picture {
    let errors: Vec<f64> = pairs.iter().map(|(predicted, label)| (predicted - label).abs()).collect();
    let last = end_of_axis(unit, &errors);
    let at = |bars: f64| last * bars / BARS as f64;
    // As many digits as distinguish two bars.
    let decimals = (2.0 - last.log10().floor() - 1.0).clamp(0.0, 9.0) as usize;
    let n = errors.len().max(1) as f64;
    let below = |limit: f64| 100.0 * errors.iter().filter(|e| **e < limit).count() as f64 / n;
    let edges: Vec<f64> = (0..=BARS).map(|k| at(k as f64)).collect();
    let panel = chart([720.0, 460.0], |canvas| {
        let mut chart = frame(
            canvas,
            Axis { name: &axis("absolute error", unit), range: (0.0, last), decimals },
            Axis { name: "share of the crystals, %", range: (0.0, 100.0), decimals: 0 },
        )?;
        let bars = edges.windows(2).map(|ends| (ends[0], ends[1], below(ends[1]) - below(ends[0])));
        chart
            .draw_series(
                bars.filter(|(.., share)| *share > 0.0)
                    .map(|(left, right, share)| Rectangle::new([(left, 0.0), (right, share)], FIRST.mix(0.6).filled())),
            )?
            .label(format!("in steps of {}{}", labels::number(at(1.0), decimals), behind(unit)))
            .legend(|(x, y)| {
                let half = px(4.5) as i32;
                Rectangle::new([(x, y - half), (x + px(18.0) as i32, y + half)], FIRST.mix(0.6).filled())
            });
        line(&mut chart, "that err by less", SECOND, edges.iter().map(|&edge| (edge, below(edge))))?;
        for mark in MARKS.map(at) {
            let style = INK.mix(0.5).stroke_width(px(0.8));
            chart.draw_series([PathElement::new([(mark, 0.0), (mark, 100.0)], style)])?;
        }
        legend(&mut chart, SeriesLabelPosition::MiddleRight)
    });
    let numbers = Metrics::of(pairs, 0.0).map_or_else(
        || "no crystal".into(),
        |m| {
            let share = |limit: f64| {
                format!("{} % below {}", labels::number(below(limit), 1), labels::number(limit, decimals.max(2) - 1))
            };
            format!(
                "{} crystals; MAE {:.3}, RMSE {:.3}; {}{}; {} beyond the axis",
                labels::count(m.count as u64),
                m.mae,
                m.rmse,
                MARKS.map(|bars| share(at(bars))).join(", "),
                behind(unit),
                errors.iter().filter(|e| **e >= last).count()
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
        let svg = errors("megnet", "eV/atom", &pairs).svg();
        for text in ["4 crystals", "50 % below 0.2, 75 % below 0.4 eV/atom", "1 beyond the axis", "megnet"] {
            assert!(svg.contains(text), "{text}");
        }
        // A bar for each of the three errors on the axis, and one in the legend.
        let bars = svg.matches("opacity=\"0.6\"").count();
        assert_eq!(bars, 4, "{svg}");
        assert!(errors("none", "", &[]).svg().contains("no crystal"));
    }

    #[test]
    fn the_axis_of_another_quantity_ends_where_its_errors_do() {
        let densities: Vec<(f64, f64)> = (0..100).map(|k| (f64::from(k) * 0.02, 0.0)).collect();
        let svg = errors("density", "g/cm³", &densities).svg();
        assert!(svg.contains("absolute error, g/cm³") && svg.contains("in steps of 0.1 g/cm³"), "{svg}");
        assert!(svg.contains("50 % below 1, 100 % below 2 g/cm³; 0 beyond"), "{svg}");
        assert_eq!(end_of_axis("eV/atom", &[9.0]), 0.6);
        assert!((end_of_axis("", &[0.02]) - 0.03).abs() < 1e-12);
    }
}
