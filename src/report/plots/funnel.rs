//! The steps of a screening, and how many rows each leaves.
//!
//! Bars whose lengths are in proportion where that shows them all; where the counts span more than [`SPAN`] times, on a
//! logarithmic scale that begins at one half, so that one row is still a bar. The picture says which.

use super::chart::{HEADER, MARGIN, titled};
use super::svg::{Anchor, HALO, Picture, shortened, text_width};
use super::{colors::Rgb, labels};

/// A step: what it keeps, and how many rows are left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The condition, in words.
    pub what: String,
    /// Rows left.
    pub count: u64,
}

const WIDTH: f64 = 860.0;
/// Room to the right of the longest bar for its count and share.
const NUMBERS: f64 = 190.0;
/// Height of a bar, and from one to the next.
const BAR: f64 = 24.0;
const PITCH: f64 = 60.0;
/// Room over the first step.
const TOP: f64 = 8.0;
/// Greatest ratio of two counts that lengths in proportion show.
const SPAN: f64 = 20.0;
const BLUE: &str = "#0072B2";
const VERMILION: &str = "#D55E00";

/// The picture; `rows` is what is counted, such as oxides.
pub fn funnel(rows: &str, steps: &[Step]) -> Picture {
    let (first, last) = (steps.first().map_or(0, |s| s.count), steps.last().map_or(0, |s| s.count));
    let most = steps.iter().map(|s| s.count).max().unwrap_or(0).max(1) as f64;
    let least = steps.iter().map(|s| s.count).filter(|n| *n > 0).min().unwrap_or(1) as f64;
    let logarithmic = most / least > SPAN;
    let room = WIDTH - MARGIN - NUMBERS;
    let length = |count: f64| match logarithmic {
        true if count > 0.0 => room * (2.0 * count).ln() / (2.0 * most).ln(),
        true => 0.0,
        false => room * count / most,
    };
    let height = TOP + PITCH * steps.len() as f64 + if logarithmic { 44.0 } else { 12.0 };
    let mut panel = Picture::new(WIDTH, height);
    if logarithmic {
        scale(&mut panel, rows, most, height - 44.0, length);
    }
    for (i, step) in steps.iter().enumerate() {
        let top = TOP + PITCH * i as f64;
        let (bar, end) = (top + 22.0, MARGIN + length(step.count as f64));
        if let Some(next) = steps.get(i + 1) {
            // What falls away on the way to the next bar.
            let below = MARGIN + length(next.count as f64);
            let slope = [[MARGIN, bar + BAR], [end, bar + BAR], [below, bar + PITCH], [MARGIN, bar + PITCH]];
            panel.polygon(&slope, "fill=\"#0072B2\" fill-opacity=\"0.10\"");
        }
        let colour = if i + 1 == steps.len() { VERMILION } else { BLUE };
        panel.rect([MARGIN, bar], [end - MARGIN, BAR], &format!("fill=\"{colour}\""));
        let what = shortened(&format!("{}. {}", i + 1, step.what), 12.5, WIDTH - 2.0 * MARGIN);
        panel.text([MARGIN, top + 15.0], 12.5, Anchor::Start, "fill=\"#222222\"", &what);
        let count = labels::count(step.count);
        panel.text([end + 8.0, bar + 17.0], 14.0, Anchor::Start, &format!("fill=\"#111111\" {HALO}"), &count);
        if let Some(share) = i.checked_sub(1).and_then(|before| share(step.count, steps[before].count)) {
            let (beside, grey) = (end + 20.0 + text_width(&count, 14.0), format!("fill=\"#555555\" {HALO}"));
            panel.text([beside, bar + 16.5], 12.0, Anchor::Start, &grey, &format!("{share} %"));
        }
    }
    let title = format!("{} of {} {rows} left", labels::count(last), labels::count(first));
    let scale = if logarithmic { "lengths on a logarithmic scale" } else { "lengths in proportion" };
    titled(&title, &format!("{scale}; % of the rows of the step before"), &panel)
}

/// Percent to two digits, or to the last before a hundred; none of none.
fn share(count: u64, before: u64) -> Option<String> {
    let percent = 100.0 * count as f64 / (before > 0).then_some(before as f64)?;
    let near = percent.min((100.0 - percent).abs());
    let decimals = if near == 0.0 { 0.0 } else { (1.0 - near.log10().floor()).clamp(0.0, 9.0) };
    Some(labels::number(percent, decimals as usize))
}

/// Powers of ten under the bars, with lines through them.
fn scale(panel: &mut Picture, rows: &str, most: f64, foot: f64, length: impl Fn(f64) -> f64) {
    let grid = Rgb::WHITE.mixed(Rgb::BLACK, 0.14);
    let tens: Vec<u32> = (0..20).take_while(|k| 10_f64.powi(*k as i32) <= most).collect();
    let every = tens.len().div_ceil(10);
    for power in tens.iter().filter(|k| (**k as usize).is_multiple_of(every)) {
        let x = MARGIN + length(10_f64.powi(*power as i32));
        panel.line([x, TOP + 20.0], [x, foot], &format!("stroke=\"{grid}\" stroke-width=\"1\""));
        panel.text([x, foot + 16.0], 11.0, Anchor::Middle, "fill=\"#555555\"", &labels::count(10_u64.pow(*power)));
    }
    panel.text([MARGIN, foot + 34.0], 11.0, Anchor::Start, "fill=\"#555555\"", rows);
    debug_assert!(foot + 34.0 < panel.height() + HEADER);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(counts: &[u64]) -> Vec<Step> {
        counts.iter().enumerate().map(|(i, &count)| Step { what: format!("what {i}"), count }).collect()
    }

    /// Widths of the bars.
    fn bars(svg: &str) -> Vec<f64> {
        let rects = svg.split("<rect x=").skip(1);
        rects.map(|r| r.split("width=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap()).collect()
    }

    #[test]
    fn a_million_and_one_are_on_one_picture() {
        let svg = funnel("candidates", &steps(&[1_000_000, 10_000, 1, 0])).svg();
        let bars = bars(&svg);
        assert!((bars[1] / bars[0] - 20_000_f64.ln() / 2_000_000_f64.ln()).abs() < 1e-4, "{bars:?}");
        assert!(bars[2] > 20.0 && bars[3] == 0.0, "{bars:?}");
        for text in
            ["0 of 1\u{a0}000\u{a0}000 candidates left", "logarithmic", ">1 %<", ">0.01 %<", ">0 %<", "4. what 3"]
        {
            assert!(svg.contains(text), "{text}: {svg}");
        }
    }

    #[test]
    fn near_counts_are_in_proportion() {
        let svg = funnel("oxides", &steps(&[400, 300, 100])).svg();
        let bars = bars(&svg);
        assert!((bars[1] / bars[0] - 0.75).abs() < 1e-4 && (bars[2] / bars[0] - 0.25).abs() < 1e-4);
        assert!(svg.contains("in proportion") && svg.contains(">33 %<"), "{svg}");
        funnel("oxides", &[]);
        funnel("oxides", &steps(&[0, 0]));
    }

    #[test]
    fn shares_are_to_two_digits() {
        let of = |count, before| share(count, before).unwrap_or_default();
        assert_eq!(
            [of(1, 3), of(3, 40_000), of(99_996, 100_000), of(5, 5), of(2, 1), of(1, 0)],
            ["33", "0.0075", "99.996", "100", "200", ""]
        );
    }
}
