//! A powder pattern: the curve that a diffractometer would draw, a stick for every peak, and the indices of the strongest.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::chart::{FIRST, INK, SECOND, chart, font, px};
use super::svg::{Anchor, text_width};
use super::{Picture, labels};
use features::{Peak, Profile, WAVELENGTHS};

const WIDTH: f64 = 960.0;
const PANEL_TOP: f64 = 66.0;
const PANEL: [f64; 2] = [WIDTH, 430.0];
const MARGIN: f64 = 28.0;
/// Size of an index in px, and the least distance of two along the axis.
const INDEX: f64 = 10.5;
const APART: f64 = 13.0;
/// How far from above its peak an index may stand, px.
const SHIFTS: [f64; 5] = [0.0, 7.0, -7.0, 13.0, -13.0];
/// Most indices, and the weakest peak that gets one.
const MOST: usize = 24;
const WEAKEST: f64 = 1.5;

/// The pattern of `peaks` and `curve` (2θ in degrees, intensity up to 100), which `profile` says how they were computed;
/// `cell` is the cell that the indices refer to.
pub fn xrd(title: &str, cell: &str, profile: &Profile, peaks: &[Peak], curve: &[[f64; 2]]) -> Picture {
    let mut picture = Picture::new(WIDTH, PANEL_TOP + PANEL[1] + 8.0);
    picture.text([MARGIN, 32.0], 17.0, Anchor::Start, "fill=\"#111111\"", title);
    let line = format!(
        "{}λ = {} Å; peaks {}° wide at half height; Miller indices of the {cell}, of one family where several coincide",
        radiation(profile.wavelength),
        labels::number(profile.wavelength, 6),
        labels::number(profile.fwhm, 3),
    );
    picture.text([MARGIN, 54.0], 12.0, Anchor::Start, "fill=\"#555555\"", &line);
    let texts: Vec<String> =
        peaks.iter().map(|p| p.families.first().map(|f| labels::indices(f.indices())).unwrap_or_default()).collect();
    let longest = texts.iter().map(|t| text_width(t, INDEX)).fold(0.0, f64::max);
    // Room over 100 for the indices of the strongest peak.
    let top = 100.0 * (1.0 + (longest + 14.0) / (PANEL[1] - 90.0 - longest));
    let panel = chart(PANEL, |canvas| {
        let mut chart = ChartBuilder::on(canvas)
            .margin_right(px(MARGIN))
            .margin_left(px(MARGIN - 12.0))
            .x_label_area_size(px(46.0))
            .y_label_area_size(px(56.0))
            .build_cartesian_2d(profile.low..profile.high, 0.0..top)?;
        chart
            .configure_mesh()
            .disable_mesh()
            .x_labels(12)
            .y_labels(6)
            .axis_style(INK.stroke_width(px(1.0)))
            .set_all_tick_mark_size(px(5.0))
            .label_style(font(12.0))
            .axis_desc_style(font(13.0))
            .x_desc("2θ, degrees")
            .y_desc("intensity, strongest peak = 100")
            .x_label_formatter(&|x| labels::number(*x, 2))
            .y_label_formatter(&|y| if *y > 100.5 { String::new() } else { labels::number(*y, 0) })
            .draw()?;
        let inside = |p: &&Peak| (profile.low..=profile.high).contains(&p.two_theta);
        chart.draw_series(LineSeries::new(thinned(curve), FIRST.stroke_width(px(1.2))))?;
        chart.draw_series(peaks.iter().filter(inside).map(|p| {
            PathElement::new([(p.two_theta, 0.0), (p.two_theta, p.intensity)], SECOND.stroke_width(px(0.9)))
        }))?;
        let mut taken: Vec<i32> = Vec::new();
        let mut strongest: Vec<usize> = (0..peaks.len()).filter(|&i| inside(&&peaks[i])).collect();
        strongest.sort_by(|&a, &b| peaks[b].intensity.total_cmp(&peaks[a].intensity));
        let upright = font(INDEX).transform(FontTransform::Rotate270).pos(Pos::new(HPos::Left, VPos::Center));
        for i in strongest {
            let peak = &peaks[i];
            if peak.intensity < WEAKEST || taken.len() == MOST {
                break;
            }
            let (x, summit) =
                chart.backend_coord(&(peak.two_theta, peak.intensity.max(highest(curve, peak.two_theta, 0.0))));
            // Above its peak; where that place is taken a little aside, with a line that leads there.
            let free = SHIFTS.map(|shift| x + (shift * f64::from(px(1.0))) as i32).into_iter();
            let Some(place) = free.into_iter().find(|at| taken.iter().all(|t| t.abs_diff(*at) >= px(APART))) else {
                continue;
            };
            taken.push(place);
            let degrees = (profile.high - profile.low) / (PANEL[0] - 100.0);
            let over = peak.two_theta + f64::from(place - x) / f64::from(px(1.0)) * degrees;
            let tallest = peak.intensity.max(highest(curve, over, 0.5 * APART * degrees));
            let (_, base) = chart.backend_coord(&(peak.two_theta, tallest));
            let base = base.min(summit);
            let base = base - px(if place == x { 5.0 } else { 10.0 }) as i32;
            if place != x || base + (px(8.0) as i32) < summit {
                let leader = [(x, summit - px(2.0) as i32), (place, base + px(2.0) as i32)];
                canvas.draw(&PathElement::new(leader, INK.mix(0.5).stroke_width(px(0.6))))?;
            }
            canvas.draw_text(&texts[i], &upright, (place, base))?;
        }
        Ok(())
    });
    picture.embed([0.0, PANEL_TOP], &panel);
    picture
}

/// `Cu Kα, ` where the wavelength has a name.
fn radiation(wavelength: f64) -> String {
    let name = WAVELENGTHS.iter().find(|(_, x)| (x - wavelength).abs() < 1e-9).map(|&(name, _)| name);
    name.and_then(|n| n.split_at_checked(2)).map_or_else(String::new, |(element, line)| {
        let line: String = line
            .chars()
            .map(|c| match c {
                'a' => 'α',
                'b' => 'β',
                '1' => '₁',
                '2' => '₂',
                c => c,
            })
            .collect();
        format!("{element} {line}, ")
    })
}

/// The curve without the points that change nothing the eye can see.
fn thinned(curve: &[[f64; 2]]) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for (i, &[x, y]) in curve.iter().enumerate() {
        let next = curve.get(i + 1).map_or(f64::INFINITY, |p| p[1]);
        if kept.last().is_none_or(|&(_, last)| (y - last).abs() > 0.04 || (next - last).abs() > 0.04) {
            kept.push((x, y));
        }
    }
    kept
}

/// Highest point of the curve up to `near` degrees from an angle, and one step further.
fn highest(curve: &[[f64; 2]], angle: f64, near: f64) -> f64 {
    let first = curve.partition_point(|p| p[0] < angle - near).saturating_sub(1);
    let last = curve.partition_point(|p| p[0] <= angle + near);
    curve[first..(last + 1).min(curve.len())].iter().map(|p| p[1]).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_radiation_is_named() {
        let line = |name: &str| features::wavelength(name).unwrap();
        assert_eq!(radiation(line("CuKa")), "Cu Kα, ");
        assert_eq!(radiation(line("MoKa1")), "Mo Kα₁, ");
        assert_eq!(radiation(1.0), "");
    }

    #[test]
    fn thinning_keeps_every_visible_point() {
        let curve: Vec<[f64; 2]> = (0..1000)
            .map(|i| {
                let x = 0.1 * f64::from(i);
                [x, 100.0 * (-(x - 50.0).powi(2)).exp()]
            })
            .collect();
        let thin = thinned(&curve);
        assert!(thin.len() < 100);
        assert!(thin.contains(&(50.0, 100.0)), "the summit");
        assert!((highest(&curve, 50.02, 0.0) - 100.0).abs() < 1.0);
        assert_eq!(highest(&curve, 45.0, 5.0), 100.0);
    }
}
