//! Charts with axes, by plotters, in one style.
//!
//! plotters places everything on whole pixels, which shows as steps in a curve: it is given a canvas of [`FINE`] units to the
//! px, and what it draws is scaled down.

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use super::svg::Anchor;
use super::{Picture, labels};

/// Units of the canvas to one px.
pub(super) const FINE: f64 = 8.0;
/// Room for a title and the small print under it, and where they begin, px.
pub(super) const HEADER: f64 = 60.0;
pub(super) const MARGIN: f64 = 24.0;

/// The canvas that a chart is drawn on.
pub(super) type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// px in units of the canvas.
pub(super) fn px(length: f64) -> u32 {
    (length * FINE).round() as u32
}

/// Text `size` px high. plotters divides sizes by 1.24 as it writes them.
pub(super) fn font(size: f64) -> TextStyle<'static> {
    ("sans-serif", size * FINE * 1.24).into_font().color(&INK)
}

/// Lines and text.
pub(super) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
/// The first of two series. Blue and vermilion of Okabe and Ito's palette (2008), which colour-blind readers can distinguish.
pub(super) const FIRST: RGBColor = RGBColor(0x00, 0x72, 0xB2);
/// The second of two series.
pub(super) const SECOND: RGBColor = RGBColor(0xD5, 0x5E, 0x00);

/// A picture drawn by plotters.
pub(super) fn chart(
    [width, height]: [f64; 2],
    draw: impl FnOnce(&Canvas) -> Result<(), Box<dyn std::error::Error>>,
) -> Picture {
    let mut svg = String::new();
    {
        let canvas = SVGBackend::with_string(&mut svg, (px(width), px(height))).into_drawing_area();
        // In memory nothing can fail but a chart that has no room, whose part is then left out.
        let drawn = draw(&canvas).and_then(|()| Ok(canvas.present()?));
        debug_assert!(drawn.is_ok(), "{drawn:?}");
    }
    let inner = svg.split_once('>').and_then(|(_, rest)| rest.rsplit_once("</svg>")).map_or("", |(inner, _)| inner);
    Picture::of(width, height, format!("<g transform=\"scale({})\">{inner}</g>\n", 1.0 / FINE))
}

/// A chart with two axes of numbers.
pub(super) type Frame<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// An axis: what it shows, from where to where, and with how many decimals.
pub(super) struct Axis<'a> {
    pub name: &'a str,
    pub range: (f64, f64),
    pub decimals: usize,
}

impl Axis<'_> {
    /// What stands at a tick: nothing where its number would have to be rounded to one that may stand at another.
    fn tick(&self, at: f64) -> String {
        let places = 10_f64.powi(self.decimals as i32);
        let rounded = (at * places).round() / places;
        if (at - rounded).abs() < 1e-3 / places { labels::number(rounded, self.decimals) } else { String::new() }
    }
}

/// The axes of a chart that fills the canvas, with ticks and names.
pub(super) fn frame<'a, 'b>(
    canvas: &'a Canvas<'b>,
    x: Axis,
    y: Axis,
) -> Result<Frame<'a, 'b>, Box<dyn std::error::Error>> {
    let mut chart = ChartBuilder::on(canvas)
        .margin(px(18.0))
        .x_label_area_size(px(44.0))
        .y_label_area_size(px(56.0))
        .build_cartesian_2d(x.range.0..x.range.1, y.range.0..y.range.1)?;
    let mut mesh = chart.configure_mesh();
    // A chart whose name stands above it has none along its axis: an empty one would be a text that shows nothing.
    if !y.name.is_empty() {
        mesh.y_desc(y.name);
    }
    mesh.disable_mesh()
        .axis_style(INK.stroke_width(px(1.0)))
        .set_all_tick_mark_size(px(5.0))
        .label_style(font(12.0))
        .axis_desc_style(font(13.0))
        .x_desc(x.name)
        .x_label_formatter(&|at| x.tick(*at))
        .y_label_formatter(&|at| y.tick(*at))
        .draw()?;
    Ok(chart)
}

/// A line with its name in the legend, which [`legend`] draws.
pub(super) fn line(
    chart: &mut Frame<'_, '_>,
    name: &str,
    colour: RGBColor,
    points: impl IntoIterator<Item = (f64, f64)>,
) -> Result<(), Box<dyn std::error::Error>> {
    let style = colour.stroke_width(px(1.8));
    chart
        .draw_series(LineSeries::new(points, style))?
        .label(name)
        .legend(move |(x, y)| PathElement::new([(x, y), (x + px(18.0) as i32, y)], style));
    Ok(())
}

/// The names of the lines.
pub(super) fn legend<'a, 'b: 'a>(
    chart: &mut Frame<'a, 'b>,
    position: SeriesLabelPosition,
) -> Result<(), Box<dyn std::error::Error>> {
    chart
        .configure_series_labels()
        .position(position)
        .label_font(font(12.0))
        .legend_area_size(px(22.0))
        .margin(px(8.0))
        .background_style(WHITE)
        .draw()?;
    Ok(())
}

/// A chart under a title and a line of small print.
pub(super) fn titled(title: &str, subtitle: &str, panel: &Picture) -> Picture {
    let (width, height) = (panel.width(), panel.height());
    let mut picture = Picture::new(width, height + HEADER);
    picture.text([MARGIN, 32.0], 15.0, Anchor::Start, "fill=\"#111111\"", title);
    picture.text([MARGIN, 52.0], 11.5, Anchor::Start, "fill=\"#555555\"", subtitle);
    picture.embed([0.0, HEADER], panel);
    picture
}

/// A range a little wider than the data; one around a single value, and a plain one around none.
pub(super) fn padded(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .filter(|x| x.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    if low > high {
        return (-1.0, 1.0);
    }
    let margin = (0.03 * (high - low)).max(0.05);
    (low - margin, high + margin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_stands_at_two_ticks() {
        let axis = |decimals| Axis { name: "", range: (0.0, 3.0), decimals };
        let ticks = |decimals| [0.5, 1.0, 1.5, 2.0, 2.5].map(|at| axis(decimals).tick(at));
        assert_eq!(ticks(0), ["", "1", "", "2", ""]);
        assert_eq!(ticks(1), ["0.5", "1", "1.5", "2", "2.5"]);
        assert_eq!(axis(2).tick(0.1 + 0.2), "0.3");
    }
}
