//! What a table of oxides holds, as in Fig. 2 of Datta *et al.*, Energy Adv. **3** (2024) 968: how many crystals there are of
//! each class of composition and how their formation energies are distributed, training and test set apart, and with which
//! elements.

use std::collections::BTreeMap;

use plotters::prelude::*;

use super::chart::{FIRST, INK, SECOND, chart, font, px};
use super::labels;
use super::periodic::{self, periodic_table};
use super::svg::{Anchor, Picture, shortened};
use crystal::Element;

/// Which part of the data a crystal belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The column `split` says `train`.
    Train,
    /// It says `test`.
    Test,
    /// It says something else or nothing.
    Other,
}

impl Part {
    /// Of what the column `split` says.
    pub fn of(split: Option<&str>) -> Self {
        match split {
            Some("train") => Self::Train,
            Some("test") => Self::Test,
            _ => Self::Other,
        }
    }

    fn colour(self) -> RGBColor {
        match self {
            Self::Train => FIRST,
            Self::Test => SECOND,
            Self::Other => RGBColor(0x99, 0x99, 0x99),
        }
    }
}

/// The numbers of the picture.
#[derive(Debug, Clone, Default)]
pub struct Distribution {
    /// Crystals by number of elements and part.
    pub classes: BTreeMap<(u32, Part), u64>,
    /// Crystals that contain an element.
    pub elements: Vec<(Element, u64)>,
    /// Formation energies, eV/atom.
    pub energies: BTreeMap<Part, Vec<f64>>,
}

const WIDTH: f64 = 1090.0;
const PANEL: [f64; 2] = [506.0, 360.0];
const HEADER: f64 = 84.0;
const MARGIN: f64 = (WIDTH - periodic::SIZE[0]) / 2.0;
/// Width of the bins of formation energy, eV/atom.
const BIN: f64 = 0.25;

impl Distribution {
    /// The picture; `class` names a class by its number of elements.
    pub fn draw(&self, title: &str, subtitle: &str, class: fn(usize) -> String) -> Picture {
        let table_top = HEADER + PANEL[1] + 52.0;
        let mut picture = Picture::new(WIDTH, table_top + periodic::SIZE[1] + MARGIN);
        picture.text([MARGIN, 32.0], 17.0, Anchor::Start, "fill=\"#111111\"", title);
        let subtitle = shortened(subtitle, 12.0, WIDTH - 2.0 * MARGIN);
        picture.text([MARGIN, 54.0], 12.0, Anchor::Start, "fill=\"#555555\"", &subtitle);
        let right = WIDTH - MARGIN - PANEL[0] + 14.0;
        for (x, text) in [(MARGIN, "(a) classes of composition"), (right, "(b) formation energies")] {
            picture.text([x, HEADER], 13.0, Anchor::Start, "fill=\"#222222\"", text);
        }
        picture.embed([MARGIN - 8.0, HEADER + 8.0], &self.draw_classes(class));
        picture.embed([right - 8.0, HEADER + 8.0], &self.draw_energies());
        picture.text([MARGIN, table_top - 14.0], 13.0, Anchor::Start, "fill=\"#222222\"", "(c) elements");
        picture.embed([MARGIN, table_top], &periodic_table(&self.elements, "crystals with the element"));
        picture
    }

    /// The parts that occur, with what they are called here: all rows, where there is no split.
    fn parts(&self) -> Vec<(Part, &'static str)> {
        let occurs = |part| self.classes.keys().any(|&(_, p)| p == part);
        let split = occurs(Part::Train) || occurs(Part::Test);
        let name = |part| match part {
            Part::Train => "train",
            Part::Test => "test",
            Part::Other if split => "neither",
            Part::Other => "all",
        };
        [Part::Train, Part::Test, Part::Other].into_iter().filter(|&p| occurs(p)).map(|p| (p, name(p))).collect()
    }

    /// Bars of crystals by class, one a part.
    fn draw_classes(&self, class: fn(usize) -> String) -> Picture {
        let parts = self.parts();
        let numbers = self.classes.keys().map(|&(n, _)| n);
        let (first, last) = (numbers.clone().min().unwrap_or(2), numbers.max().unwrap_or(6));
        let top = self.classes.values().copied().max().unwrap_or(1).max(1) as f64;
        chart(PANEL, |canvas| {
            let mut chart = ChartBuilder::on(canvas)
                .margin(px(8.0))
                .margin_top(px(14.0))
                .x_label_area_size(px(44.0))
                .y_label_area_size(px(64.0))
                .build_cartesian_2d(f64::from(first) - 0.5..f64::from(last) + 0.5, 0.0..top * 1.1)?;
            chart
                .configure_mesh()
                .disable_mesh()
                .x_labels(0)
                .y_labels(6)
                .axis_style(INK.stroke_width(px(1.0)))
                .set_all_tick_mark_size(px(5.0))
                .label_style(font(11.5))
                .axis_desc_style(font(12.5))
                .y_desc("crystals")
                .y_label_formatter(&|y| labels::count(*y as u64))
                .draw()?;
            let width = 0.84 / parts.len().max(1) as f64;
            for (i, (part, name)) in parts.iter().enumerate() {
                let bars = (first..=last).map(|n| {
                    let left = f64::from(n) - 0.42 + i as f64 * width;
                    let count = self.classes.get(&(n, *part)).copied().unwrap_or(0);
                    (left, left + width * 0.94, count)
                });
                let colour = part.colour();
                chart
                    .draw_series(
                        bars.clone().map(|(l, r, n)| Rectangle::new([(l, 0.0), (r, n as f64)], colour.filled())),
                    )?
                    .label(*name)
                    .legend(move |(x, y)| {
                        let half = px(4.5) as i32;
                        Rectangle::new([(x, y - half), (x + 2 * half, y + half)], colour.filled())
                    });
                for (l, r, n) in bars.filter(|(.., n)| *n > 0) {
                    let (x, y) = chart.backend_coord(&((l + r) / 2.0, n as f64));
                    let style = font(9.0).pos(plotters::style::text_anchor::Pos::new(
                        plotters::style::text_anchor::HPos::Center,
                        plotters::style::text_anchor::VPos::Bottom,
                    ));
                    canvas.draw_text(&labels::count(n), &style, (x, y - px(1.0) as i32))?;
                }
            }
            for n in first..=last {
                let (x, y) = chart.backend_coord(&(f64::from(n), 0.0));
                let style = font(12.0).pos(plotters::style::text_anchor::Pos::new(
                    plotters::style::text_anchor::HPos::Center,
                    plotters::style::text_anchor::VPos::Top,
                ));
                canvas.draw_text(&class(n as usize), &style, (x, y + px(7.0) as i32))?;
            }
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::UpperRight)
                .label_font(font(11.5))
                .legend_area_size(px(14.0))
                .margin(px(4.0))
                .draw()?;
            Ok(())
        })
    }

    /// Outlines of the distribution of formation energies, each part's of area 1.
    fn draw_energies(&self) -> Picture {
        let parts: Vec<_> = self.parts().into_iter().filter(|(p, _)| !self.energies(*p).is_empty()).collect();
        let all = parts.iter().flat_map(|(p, _)| self.energies(*p));
        let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &e| (l.min(e), h.max(e)));
        if parts.is_empty() {
            let mut empty = Picture::new(PANEL[0], PANEL[1]);
            let middle = PANEL.map(|s| s / 2.0);
            empty.text(middle, 12.5, Anchor::Middle, "fill=\"#777777\"", "no row has a formation energy");
            return empty;
        }
        let (low, high) = ((low / BIN).floor() * BIN, ((high / BIN).floor() + 1.0) * BIN);
        let bins = ((high - low) / BIN).round() as usize;
        let shares = |part: Part| {
            let energies = self.energies(part);
            let mut counts = vec![0_u64; bins];
            for e in energies {
                counts[(((e - low) / BIN) as usize).min(bins - 1)] += 1;
            }
            counts.into_iter().map(|n| n as f64 / (energies.len() as f64 * BIN)).collect::<Vec<f64>>()
        };
        let outlines: Vec<_> = parts.iter().map(|&(part, name)| (part, name, shares(part))).collect();
        let top = outlines.iter().flat_map(|(.., s)| s).copied().fold(0.0, f64::max);
        chart(PANEL, |canvas| {
            let mut chart = ChartBuilder::on(canvas)
                .margin(px(8.0))
                .margin_top(px(14.0))
                .x_label_area_size(px(44.0))
                .y_label_area_size(px(64.0))
                .build_cartesian_2d(low..high, 0.0..top * 1.28)?;
            chart
                .configure_mesh()
                .disable_mesh()
                .y_labels(6)
                .axis_style(INK.stroke_width(px(1.0)))
                .set_all_tick_mark_size(px(5.0))
                .label_style(font(11.5))
                .axis_desc_style(font(12.5))
                .x_desc("formation energy, eV/atom")
                .y_desc("share of the crystals per eV/atom")
                .x_label_formatter(&|x| labels::number(*x, 1))
                .y_label_formatter(&|y| labels::number(*y, 2))
                .draw()?;
            for (part, name, shares) in outlines {
                let edge = |i: usize| low + i as f64 * BIN;
                let steps = shares.iter().enumerate().flat_map(|(i, &s)| [(edge(i), s), (edge(i + 1), s)]);
                let outline: Vec<_> = [(low, 0.0)].into_iter().chain(steps).chain([(high, 0.0)]).collect();
                let (colour, line) = (part.colour(), part.colour().stroke_width(px(1.6)));
                chart.draw_series([Polygon::new(outline.clone(), colour.mix(0.15))])?;
                let energies = self.energies(part);
                let (mean, deviation) = moments(energies);
                let text = format!(
                    "{name}: {}, mean {}, deviation {deviation:.2}",
                    labels::count(energies.len() as u64),
                    labels::number(mean, 2),
                );
                chart
                    .draw_series([PathElement::new(outline, line)])?
                    .label(text)
                    .legend(move |(x, y)| PathElement::new([(x, y), (x + px(14.0) as i32, y)], line));
            }
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::UpperRight)
                .label_font(font(11.0))
                .legend_area_size(px(20.0))
                .margin(px(4.0))
                .draw()?;
            Ok(())
        })
    }

    fn energies(&self, part: Part) -> &[f64] {
        self.energies.get(&part).map_or(&[], Vec::as_slice)
    }
}

/// Mean and standard deviation (of the population).
fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(n: usize) -> String {
        format!("{n}-ary")
    }

    #[test]
    fn a_bar_and_an_outline_for_every_part() {
        let data = Distribution {
            classes: [((2, Part::Train), 248), ((3, Part::Train), 2720), ((3, Part::Test), 600)].into(),
            elements: vec![(Element::O, 3568)],
            energies: [(Part::Train, vec![-1.0, -2.0, -3.0]), (Part::Test, vec![-2.5])].into(),
        };
        let svg = data.draw("tmo", "", name).svg();
        for text in ["2-ary", "3-ary", "248", "2\u{a0}720", "train: 3, mean −2, deviation 0.82", "test: 1, mean −2.5"]
        {
            assert!(svg.contains(text), "{text}");
        }
        assert!(!svg.contains("neither"));
        assert_eq!(svg.matches("<polygon").count(), 2);
    }

    #[test]
    fn a_table_without_split_and_labels_is_one_part() {
        let data = Distribution { classes: [((2, Part::Other), 7)].into(), ..Distribution::default() };
        let svg = data.draw("hosts", "", name).svg();
        assert!(svg.contains("all") && svg.contains("no row has a formation energy"));
        Distribution::default().draw("empty", "", name);
    }

    #[test]
    fn what_split_says() {
        let parts = [Some("train"), Some("test"), Some("test_probable"), None].map(Part::of);
        assert_eq!(parts, [Part::Train, Part::Test, Part::Other, Part::Other]);
    }
}
