//! The hull of two elements: formation energies over the atomic fraction of the second.

use super::chart::{Axis, FINE, INK, chart, frame, px};
use super::hull::{BAR, Colours, Entry, NAME, OTHER, STABLE, STABLE_STYLE};
use super::labels;
use super::places::Places;
use super::svg::Picture;
use plotters::prelude::*;
use stability::Surface;

const SIZE: [f64; 2] = [720.0, 540.0];
/// Room under the hull for names and over the elements for phases that cannot exist, as shares of the hull's depth.
const BELOW: f64 = 0.2;
const OVER: f64 = 0.2;

/// The picture, and how many crystals lie above it.
pub(super) fn axis(surface: &Surface, entries: &[Entry], colours: &Colours) -> (Picture, usize) {
    let lowest = surface.corners.iter().map(|corner| corner.energy).fold(0.0, f64::min);
    let depth = if lowest < 0.0 { -lowest } else { 0.5 };
    let highest = entries.iter().map(|entry| entry.energy).fold(0.04 * depth, f64::max).min(OVER * depth);
    let range = (-depth * (1.0 + BELOW), highest + 0.04 * depth);
    let second = surface.elements[1];
    let mut ends = [[0.0; 2]; 2];
    let panel = chart(SIZE, |canvas| {
        let name = format!("atomic fraction of {second}");
        let mut chart = frame(
            canvas,
            Axis { name: &name, range: (-0.02, 1.02), decimals: 1 },
            Axis { name: "formation energy, eV/atom", range, decimals: 2 },
        )?;
        let zero = LineSeries::new([(-0.02, 0.0), (1.02, 0.0)], INK.mix(0.25).stroke_width(px(0.8)));
        chart.draw_series(zero)?;
        ends = [(0.0, 0.0), (1.0, -depth)].map(|at| {
            let (x, y) = chart.backend_coord(&at);
            [x, y].map(|x| f64::from(x) / FINE)
        });
        Ok(())
    });
    let place = |x: f64, energy: f64| {
        [ends[0][0] + x * (ends[1][0] - ends[0][0]), ends[0][1] - energy / depth * (ends[1][1] - ends[0][1])]
    };
    let mut picture = Picture::new(SIZE[0] + BAR, SIZE[1]);
    picture.embed([0.0, 0.0], &panel);
    let [left, top] = place(-0.02, range.1);
    let [right, bottom] = place(1.02, range.0);
    let mut places = Places::new([left + 3.0, top, right, bottom - 3.0]);
    places.line(place(0.0, 0.0), place(1.0, 0.0));
    for facet in &surface.facets {
        let [from, to] = [0, 1].map(|i| {
            let corner = &surface.corners[facet[i]];
            place(corner.fractions[1], corner.energy)
        });
        picture.line(from, to, "stroke=\"#222222\" stroke-width=\"1.6\"");
        places.line(from, to);
    }
    let (shown, beyond): (Vec<_>, Vec<_>) =
        entries.iter().filter(|entry| entry.above > 0.0).partition(|entry| entry.energy <= range.1);
    let mut shown = shown;
    // The nearest to the hull on top.
    shown.sort_by(|a, b| b.above.total_cmp(&a.above));
    for entry in shown {
        let at = place(entry.composition.amount(second) / entry.composition.natoms(), entry.energy);
        picture.circle(at, OTHER, &colours.style(entry.above));
        places.mark(at, OTHER);
    }
    let at: Vec<[f64; 2]> = surface.corners.iter().map(|corner| place(corner.fractions[1], corner.energy)).collect();
    at.iter().for_each(|at| places.mark(*at, STABLE));
    // From the deepest, which has the most room below it and shares it with its neighbours.
    let mut order: Vec<usize> = (0..at.len()).collect();
    order.sort_by(|&a, &b| at[b][1].total_cmp(&at[a][1]));
    for &k in &order {
        picture.circle(at[k], STABLE, STABLE_STYLE);
    }
    for k in order {
        let corner = &surface.corners[k];
        let element = k < surface.elements.len();
        // Under the hull there is nothing; beside an element the hull itself is under it.
        let side = 2.0 * corner.fractions[1] - 1.0;
        let towards = if element { [-6.0 * side, -12.0] } else { [12.0 * side, 24.0] };
        places.name(&mut picture, &labels::formula(&corner.formula), NAME, at[k], STABLE, towards);
    }
    colours.bar(&mut picture, [SIZE[0] + 4.0, top + 12.0], 200.0);
    (picture, beyond.len())
}

#[cfg(test)]
mod tests {
    use super::super::hull::hull;
    use super::super::hull::tests::system;

    #[test]
    fn the_hull_is_drawn_through_stable_phases_and_the_others_lie_over_it() {
        let phases =
            [("TiO2", -3.31), ("TiO2", -3.25), ("Ti2O3", -3.09), ("TiO", -2.6), ("Ti3O5", -3.1), ("TiO3", 2.0)];
        let (surface, entries) = system(&["Ti", "O"], &phases);
        let svg = hull("Ti-O", "of some", "; a note", &surface, &entries).svg();
        for text in [
            ">Ti<",
            ">O<",
            ">TiO<",
            ">Ti₂O₃<",
            ">TiO₂<",
            "atomic fraction of O",
            "of some; 1 above the picture; a note",
        ] {
            assert!(svg.contains(text), "{text}: {svg}");
        }
        assert!(!svg.contains("Ti₃O₅"), "what is not stable has no name");
        // Three compounds, two elements and the one of the legend; two others, as the third lies above the picture.
        assert_eq!(svg.matches("r=\"4.80\" fill=\"#D55E00\"").count(), 6);
        assert_eq!(svg.matches("r=\"3.40\"").count(), 2);
    }

    #[test]
    fn two_elements_without_compounds_have_a_flat_hull() {
        let (surface, entries) = system(&["Ag", "Fe"], &[("AgFe", 0.3)]);
        let svg = hull("Ag-Fe", "", "", &surface, &entries).svg();
        assert!(svg.contains(">Ag<") && svg.contains(">Fe<"), "{svg}");
    }
}
