//! Predictions against labels.

use plotters::prelude::*;

use super::chart::{FIRST, INK, chart, font, padded, px};
use super::{Picture, labels};

/// Predictions (vertical) against labels (horizontal), eV/atom, with the diagonal on which a perfect model would lie.
pub fn parity(title: &str, pairs: &[(f64, f64)]) -> Picture {
    let (low, high) = padded(pairs.iter().flat_map(|&(a, b)| [a, b]));
    chart([640.0, 620.0], |canvas| {
        let mut chart = ChartBuilder::on(canvas)
            .caption(title, font(15.0))
            .margin(px(18.0))
            .x_label_area_size(px(44.0))
            .y_label_area_size(px(56.0))
            .build_cartesian_2d(low..high, low..high)?;
        chart
            .configure_mesh()
            .disable_mesh()
            .axis_style(INK.stroke_width(px(1.0)))
            .set_all_tick_mark_size(px(5.0))
            .label_style(font(12.0))
            .axis_desc_style(font(13.0))
            .x_desc("label, eV/atom")
            .y_desc("prediction, eV/atom")
            .x_label_formatter(&|x| labels::number(*x, 2))
            .y_label_formatter(&|y| labels::number(*y, 2))
            .draw()?;
        chart.draw_series(
            pairs.iter().map(|&(predicted, label)| Circle::new((label, predicted), px(2.2), FIRST.mix(0.35).filled())),
        )?;
        chart.draw_series(LineSeries::new([(low, low), (high, high)], INK.stroke_width(px(1.0))))?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_mark_for_every_pair() {
        let svg = parity("a < b", &[(-1.0, -1.1), (-2.0, -2.2), (0.5, 0.4)]).svg();
        assert_eq!(svg.matches("<circle").count(), 3);
        assert!(svg.contains("eV/atom") && svg.contains("a &lt; b"));
        assert_eq!(parity("none", &[]).svg().matches("<circle").count(), 0);
    }
}
