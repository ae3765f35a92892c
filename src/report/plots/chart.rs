//! Charts with axes, by plotters, in one style.
//!
//! plotters places everything on whole pixels, which shows as steps in a curve: it is given a canvas of [`FINE`] units to the
//! px, and what it draws is scaled down.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::Picture;

/// Units of the canvas to one px.
const FINE: f64 = 8.0;

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
/// The first of two series. Blue and vermilion of Okabe and Ito's palette (2008), which colour-blind readers tell apart.
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
