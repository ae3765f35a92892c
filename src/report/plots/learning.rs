//! The course of a training.

use plotters::prelude::*;

use super::chart::{FIRST, INK, SECOND, chart, font, px};
use super::{Picture, labels};
use crate::models::train::Epoch;

/// Validation errors (eV/atom) by epoch.
pub fn learning_curve(history: &[Epoch]) -> Picture {
    let top = history.iter().map(|e| e.validation_rmse).fold(0.0, f64::max) * 1.05;
    chart([720.0, 480.0], |canvas| {
        let mut chart = ChartBuilder::on(canvas)
            .margin(px(18.0))
            .x_label_area_size(px(44.0))
            .y_label_area_size(px(56.0))
            .build_cartesian_2d(1.0..history.len().max(2) as f64, 0.0..top.max(1e-3))?;
        chart
            .configure_mesh()
            .disable_mesh()
            .axis_style(INK.stroke_width(px(1.0)))
            .set_all_tick_mark_size(px(5.0))
            .label_style(font(12.0))
            .axis_desc_style(font(13.0))
            .x_desc("epoch")
            .y_desc("validation error, eV/atom")
            .x_label_formatter(&|x| labels::number(*x, 1))
            .y_label_formatter(&|y| labels::number(*y, 3))
            .draw()?;
        let of = |value: fn(&Epoch) -> f64| history.iter().map(move |e| (e.epoch as f64, value(e)));
        let series = [("RMSE", SECOND, of(|e| e.validation_rmse)), ("MAE", FIRST, of(|e| e.validation_mae))];
        for (name, colour, points) in series {
            let line = colour.stroke_width(px(1.8));
            chart
                .draw_series(LineSeries::new(points, line))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + px(18.0) as i32, y)], line));
        }
        chart
            .configure_series_labels()
            .label_font(font(12.0))
            .legend_area_size(px(22.0))
            .margin(px(8.0))
            .background_style(WHITE)
            .draw()?;
        Ok(())
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
        let svg = learning_curve(&[epoch(1), epoch(2), epoch(3)]).svg();
        assert!(svg.matches("<polyline").count() >= 2 && svg.contains("MAE"));
    }
}
