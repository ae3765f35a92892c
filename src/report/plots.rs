//! Pictures of numbers, as SVG: predictions against labels, and the course of a training.

use std::path::Path;

use plotters::prelude::*;

use crate::error::ReportError;
use crate::models::train::Epoch;

const SIZE: (u32, u32) = (720, 600);

/// Predictions (vertical) against labels (horizontal), eV/atom, with the diagonal on which a perfect model would lie.
///
/// # Errors
/// A file that cannot be written.
pub fn parity(path: &Path, title: &str, pairs: &[(f64, f64)]) -> Result<(), ReportError> {
    let all = || pairs.iter().flat_map(|&(a, b)| [a, b]).filter(|x| x.is_finite());
    let (low, high) = padded(all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    let drawn = (|| {
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .caption(title, ("sans-serif", 20))
            .margin(16)
            .x_label_area_size(44)
            .y_label_area_size(60)
            .build_cartesian_2d(low..high, low..high)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_desc("label, eV/atom")
            .y_desc("prediction, eV/atom")
            .draw()?;
        chart.draw_series(
            pairs.iter().map(|&(predicted, label)| Circle::new((label, predicted), 2, BLUE.mix(0.35).filled())),
        )?;
        chart.draw_series(LineSeries::new([(low, low), (high, high)], BLACK.stroke_width(1)))?;
        root.present()
    })();
    drawn.map_err(|e| picture(path, &e))
}

/// Validation errors (eV/atom) by epoch.
///
/// # Errors
/// A file that cannot be written.
pub fn learning_curve(path: &Path, history: &[Epoch]) -> Result<(), ReportError> {
    let top = history.iter().map(|e| e.validation_rmse).fold(0.0, f64::max) * 1.05;
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    let drawn = (|| {
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .margin(16)
            .x_label_area_size(44)
            .y_label_area_size(60)
            .build_cartesian_2d(1.0..history.len().max(2) as f64, 0.0..top.max(1e-3))?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_desc("epoch")
            .y_desc("validation error, eV/atom")
            .draw()?;
        let of = |value: fn(&Epoch) -> f64| history.iter().map(move |e| (e.epoch as f64, value(e)));
        let series = [("RMSE", RED, of(|e| e.validation_rmse)), ("MAE", BLUE, of(|e| e.validation_mae))];
        for (name, colour, points) in series {
            chart
                .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour));
        }
        chart.configure_series_labels().background_style(WHITE).draw()?;
        root.present()
    })();
    drawn.map_err(|e| picture(path, &e))
}

/// A range a little wider than the data; one around a single value, and a plain one around none.
fn padded(low: f64, high: f64) -> (f64, f64) {
    if low > high {
        return (-1.0, 1.0);
    }
    let margin = (0.03 * (high - low)).max(0.05);
    (low - margin, high + margin)
}

fn picture(path: &Path, error: &impl std::fmt::Display) -> ReportError {
    ReportError::io(path, &std::io::Error::other(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parity_plot_has_a_mark_for_every_pair() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("parity.svg");
        parity(&file, "test", &[(-1.0, -1.1), (-2.0, -2.2), (0.5, 0.4)]).unwrap();
        let svg = std::fs::read_to_string(&file).unwrap();
        assert_eq!(svg.matches("<circle").count(), 3);
        assert!(svg.contains("eV/atom"));
        parity(&file, "empty", &[]).unwrap();
        assert!(parity(&folder.path().join("no/such/folder.svg"), "x", &[]).is_err());
    }

    #[test]
    fn a_learning_curve_has_two_lines() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("learning.svg");
        let epoch = |epoch| Epoch {
            epoch,
            train_loss: 0.1,
            validation_rmse: 1.0 / epoch as f64,
            validation_mae: 0.5 / epoch as f64,
            learning_rate: 1e-3,
            seconds: 1.0,
        };
        learning_curve(&file, &[epoch(1), epoch(2), epoch(3)]).unwrap();
        let svg = std::fs::read_to_string(&file).unwrap();
        assert!(svg.matches("<polyline").count() >= 2 && svg.contains("MAE"));
    }
}
