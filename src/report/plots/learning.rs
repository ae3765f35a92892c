//! The course of a training.

use plotters::prelude::*;

use super::Picture;
use super::chart::{Axis, FIRST, SECOND, chart, frame, legend, line};
use models::axis;
use models::train::Epoch;

/// Validation errors by epoch, in the unit of the label.
pub fn learning_curve(history: &[Epoch], unit: &str) -> Picture {
    let top = history.iter().map(|e| e.validation_rmse).fold(0.0, f64::max) * 1.05;
    chart([720.0, 480.0], |canvas| {
        let epochs = (1.0, history.len().max(2) as f64);
        let mut chart = frame(
            canvas,
            Axis { name: "epoch", range: epochs, decimals: 0 },
            Axis { name: &axis("validation error", unit), range: (0.0, top.max(1e-3)), decimals: 3 },
        )?;
        let of = |value: fn(&Epoch) -> f64| history.iter().map(move |e| (e.epoch as f64, value(e)));
        line(&mut chart, "RMSE", SECOND, of(|e| e.validation_rmse))?;
        line(&mut chart, "MAE", FIRST, of(|e| e.validation_mae))?;
        legend(&mut chart, SeriesLabelPosition::UpperRight)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_learning_curve_has_two_lines() {
        let epoch = |epoch| Epoch {
            epoch,
            train_loss: 0.1,
            validation_rmse: 1.0 / epoch as f64,
            validation_mae: 0.5 / epoch as f64,
            learning_rate: 1e-3,
            seconds: 1.0,
        };
        let svg = learning_curve(&[epoch(1), epoch(2), epoch(3)], "eV/atom").svg();
        assert!(svg.matches("<polyline").count() >= 2 && svg.contains("MAE"));
    }
}
