//! The convex hull of a chemical system: of two elements over an axis of composition, of three over the Gibbs triangle.
//!
//! What both share is here: the phases, stable ones in vermilion and the others by their energy above the hull, dark where it is small,
//! and the bar that says which colour is how much.

use super::axis::axis;
use super::chart::{MARGIN, titled};
use super::colors::{Rgb, scale};
use super::gibbs::triangle;
use super::levels::{level, round_up};
use super::svg::{Anchor, Picture, shortened};
use crystal::Composition;
use stability::Surface;

/// A crystal: what it is made of, its formation energy and its energy above the hull, eV/atom.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Composition.
    pub composition: Composition,
    /// Formation energy.
    pub energy: f64,
    /// How far above the hull it lies; 0 on it.
    pub above: f64,
}

/// Radius of a stable phase and of others, px.
pub(super) const STABLE: f64 = 4.8;
pub(super) const OTHER: f64 = 3.4;
/// Size of a formula, px.
pub(super) const NAME: f64 = 12.0;
/// How a stable phase is drawn.
pub(super) const STABLE_STYLE: &str = "fill=\"#D55E00\" stroke=\"#222222\" stroke-width=\"0.9\"";
/// Room for the bar beside the axes or the triangle, px.
pub(super) const BAR: f64 = 130.0;

/// The picture of the hull of two elements or three, and of the crystals over it. `note` ends the small print, and is cut where
/// it is too long.
pub fn hull(title: &str, subtitle: &str, note: &str, surface: &Surface, entries: &[Entry]) -> Picture {
    let colours = Colours::of(entries);
    let (panel, beyond) = match surface.elements.len() {
        2 => axis(surface, entries, &colours),
        _ => (triangle(surface, entries, &colours), 0),
    };
    let beyond = if beyond > 0 { format!("; {beyond} above the picture") } else { String::new() };
    let subtitle = format!("{subtitle}{beyond}{note}");
    titled(title, &shortened(&subtitle, 11.5, panel.width() - 2.0 * MARGIN), &panel)
}

/// Colours by energy above the hull.
pub(super) struct Colours {
    /// Energy of the palest colour, eV/atom.
    limit: f64,
}

impl Colours {
    /// Up to what nine in ten of the unstable ones have, and no further than anyone would hope to make one.
    fn of(entries: &[Entry]) -> Self {
        let mut above: Vec<f64> = entries.iter().map(|entry| entry.above).filter(|above| *above > 0.0).collect();
        above.sort_by(f64::total_cmp);
        let most = above.get(above.len() * 9 / 10).or(above.last()).copied().unwrap_or(0.1);
        Self { limit: round_up(most.clamp(0.02, 0.2)) }
    }

    /// How a phase that is not stable is drawn.
    pub fn style(&self, above: f64) -> String {
        let fill = self.colour(above / self.limit);
        format!("fill=\"{fill}\" stroke=\"{}\" stroke-width=\"0.7\"", fill.mixed(Rgb::BLACK, 0.45))
    }

    fn colour(&self, share: f64) -> Rgb {
        scale(1.0 - share.clamp(0.0, 1.0))
    }

    /// What the marks mean: the stable one, and the colours of the others on a bar with its upper left corner at `corner`.
    pub fn bar(&self, picture: &mut Picture, [x, y]: [f64; 2], height: f64) {
        const STEPS: usize = 100;
        let ink = "fill=\"#222222\"";
        picture.circle([x + 8.0, y], STABLE, STABLE_STYLE);
        picture.text([x + 22.0, y + 4.0], 11.5, Anchor::Start, ink, "on the hull");
        picture.text([x, y + 32.0], 11.5, Anchor::Start, ink, "above it, eV/atom");
        let (top, step) = (y + 44.0, height / STEPS as f64);
        for i in 0..STEPS {
            let fill = self.colour(1.0 - (i as f64 + 0.5) / STEPS as f64);
            // A little higher than a step, so that no seam shows.
            let high = step + if i + 1 < STEPS { 0.6 } else { 0.0 };
            picture.rect([x, top + i as f64 * step], [16.0, high], &format!("fill=\"{fill}\""));
        }
        picture.rect([x, top], [16.0, height], "fill=\"none\" stroke=\"#222222\" stroke-width=\"0.6\"");
        // Steps as round as the limit, which begins with 1, 2 or 5.
        let ticks = if (self.limit * 20.0).log10().fract().abs() < 1e-6 { 5 } else { 4 };
        for k in 0..=ticks {
            let share = f64::from(k) / f64::from(ticks);
            let at = top + height * (1.0 - share);
            let more = if k == ticks { "≥ " } else { "" };
            picture.line([x + 16.0, at], [x + 20.0, at], "stroke=\"#222222\" stroke-width=\"0.8\"");
            let text = format!("{more}{}", level(share * self.limit));
            picture.text([x + 25.0, at + 4.0], 11.0, Anchor::Start, ink, &text);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crystal::Element;
    use stability::PhaseDiagram;

    /// The hull over elements of phases with their energies.
    pub fn system(symbols: &[&str], phases: &[(&str, f64)]) -> (Surface, Vec<Entry>) {
        let mut diagram = PhaseDiagram::default();
        let read = |text: &str| Composition::parse(text).unwrap();
        phases.iter().for_each(|(formula, energy)| diagram.add(&read(formula), *energy).unwrap());
        let elements: Vec<Element> = symbols.iter().map(|s| Element::from_symbol(s).unwrap()).collect();
        let entry = |(formula, energy): &(&str, f64)| Entry {
            composition: read(formula),
            energy: *energy,
            above: diagram.e_above_hull(&read(formula), *energy).unwrap(),
        };
        (Surface::new(&diagram, &elements).unwrap(), phases.iter().map(entry).collect())
    }

    #[test]
    fn the_scale_ends_where_most_do_and_is_darkest_at_the_hull() {
        let (_, entries) = system(&["Ti", "O"], &[("TiO2", -3.0), ("TiO2", -2.94), ("TiO2", -2.93)]);
        let colours = Colours::of(&entries);
        assert!((colours.limit - 0.1).abs() < 1e-12, "{}", colours.limit);
        assert_eq!((colours.colour(0.0), colours.colour(3.0)), (scale(1.0), scale(0.0)));
        assert!((Colours::of(&[]).limit - 0.1).abs() < 1e-12);
        let mut picture = Picture::new(100.0, 200.0);
        colours.bar(&mut picture, [0.0, 10.0], 100.0);
        for text in [">0<", ">0.05<", ">≥ 0.1<"] {
            assert!(picture.svg().contains(text), "{text}");
        }
    }
}
