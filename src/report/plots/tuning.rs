//! The course of a search for settings.

use plotters::prelude::*;

use super::Picture;
use super::chart::{Axis, FIRST, SECOND, chart, frame, legend, line, px, titled};
use models::axis;
use models::tune::{State, Trial};

/// The lowest validation error of each trial, in the unit of the label: filled where it was fitted to its end, open where it was
/// pruned or failed; and the lowest so far of those fitted. What is far above the others is drawn at the upper edge.
pub fn tuning(title: &str, unit: &str, trials: &[Trial]) -> Picture {
    let points: Vec<(f64, f64, bool)> = trials
        .iter()
        .filter_map(|trial| Some((trial.number as f64, trial.error()?, trial.state == State::Done)))
        .collect();
    let mut lowest = f64::INFINITY;
    let mut best: Vec<(f64, f64)> = Vec::new();
    for &(number, error, _) in points.iter().filter(|(.., done)| *done) {
        if error < lowest {
            // A step: the error so far holds until the trial that beats it.
            best.extend(best.last().map(|&(_, before)| (number, before)));
            best.push((number, error));
            lowest = error;
        }
    }
    let last = trials.len().max(2) as f64;
    best.extend(best.last().map(|&(_, error)| (last, error)));
    let (low, high) = range(points.iter().map(|&(_, error, _)| error).collect());
    let panel = chart([720.0, 480.0], |canvas| {
        let mut chart = frame(
            canvas,
            Axis { name: "trial", range: (0.5, last + 0.5), decimals: 0 },
            Axis { name: &axis("lowest validation RMSE", unit), range: (low, high), decimals: 3 },
        )?;
        line(&mut chart, "lowest so far", SECOND, best)?;
        for (name, wanted) in [("completed", true), ("stopped early", false)] {
            let style = if wanted { FIRST.filled() } else { FIRST.stroke_width(px(1.2)) };
            let marks = points.iter().filter(|(.., done)| *done == wanted);
            chart
                .draw_series(marks.map(|&(n, error, _)| Circle::new((n, error.min(high)), px(3.2), style)))?
                .label(name)
                .legend(move |(x, y)| Circle::new((x + px(9.0) as i32, y), px(3.2), style));
        }
        legend(&mut chart, SeriesLabelPosition::UpperRight)
    });
    let done = points.iter().filter(|(.., done)| *done).count();
    let small = format!("{} trials: {done} completed, the others stopped early or failed", trials.len());
    titled(title, &small, &panel)
}

/// From a little below the lowest error to thrice the spread of the better half above it, or to the highest error where that
/// is less.
fn range(mut errors: Vec<f64>) -> (f64, f64) {
    errors.sort_by(f64::total_cmp);
    let (Some(&low), Some(&high)) = (errors.first(), errors.last()) else { return (0.0, 1.0) };
    let spread = (errors[errors.len() / 2] - low).max(0.05 * low).max(1e-3);
    (low - 0.3 * spread, (low + 3.0 * spread).min(high + 0.3 * spread))
}

#[cfg(test)]
mod tests {
    use super::*;
    use models::tune::Settings;

    #[test]
    fn every_trial_is_a_mark_and_the_best_a_falling_line() {
        let trial = |number: usize, error: f64, state| Trial {
            number,
            settings: Settings::new(),
            state,
            curve: vec![error + 1.0, error],
            seconds: 1.0,
            reason: None,
        };
        let trials = [
            trial(1, 0.4, State::Done),
            trial(2, 0.3, State::Done),
            trial(3, 90.0, State::Failed),
            trial(4, 0.25, State::Pruned),
            trial(5, 0.35, State::Done),
        ];
        let svg = tuning("megnet", "eV", &trials).svg();
        // Five marks and two of the legend.
        assert_eq!(svg.matches("<circle").count(), 7, "{svg}");
        assert!(svg.contains("lowest so far") && svg.contains("stopped early"));
        assert!(svg.contains("lowest validation RMSE, eV\n"), "{svg}");
        // Under the trials stand their numbers, each once.
        let number = |n: &usize| svg.lines().filter(|line| line.trim() == n.to_string()).count();
        assert_eq!((0..=6).map(|n| number(&n)).collect::<Vec<_>>(), [0, 1, 1, 1, 1, 1, 0], "{svg}");
        // The line has its points at trials 1, 2 (twice) and the end.
        let line = svg.split("<polyline").find(|part| part.contains("#D55E00")).unwrap();
        let points = line.split("points=\"").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!(points.split_whitespace().count(), 4, "{points}");
        assert_eq!(tuning("none", "", &[]).svg().matches("<circle").count(), 2);
        assert_eq!(range(vec![]), (0.0, 1.0));
        assert!(range(vec![0.3, 0.4, 90.0]).1 < 1.0);
    }
}
