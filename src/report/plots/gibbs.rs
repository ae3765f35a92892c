//! The hull of three elements over the Gibbs triangle: each point is a composition, its distance from a side the atomic fraction
//! of the element at the corner opposite. The lines are the edges of the hull's facets: phases that a line joins coexist, and
//! what lies in a triangle falls apart into the phases at its corners.

use std::collections::BTreeMap;

use super::hull::{BAR, Colours, Entry, NAME, OTHER, STABLE, STABLE_STYLE};
use super::labels;
use super::places::Places;
use super::svg::{Anchor, Picture, text_width};
use stability::Surface;

const SIDE: f64 = 600.0;
/// Room around the triangle for the elements and for names, px.
const SIDES: f64 = 86.0;
const TOP: f64 = 34.0;
const BELOW: f64 = 56.0;
/// Size of an element's symbol, px.
const SYMBOL: f64 = 17.0;

/// The picture; the elements stand left, right and above.
pub(super) fn triangle(surface: &Surface, entries: &[Entry], colours: &Colours) -> Picture {
    let height = SIDE * 0.75_f64.sqrt();
    let (width, page) = (SIDE + 2.0 * SIDES, TOP + height + BELOW);
    let place = |x: [f64; 3]| [SIDES + SIDE * (x[1] + 0.5 * x[2]), TOP + height * (1.0 - x[2])];
    let mut picture = Picture::new(width + BAR, page);
    let mut places = Places::new([4.0, 4.0, width, page - 4.0]);
    let ends = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]].map(place);
    let at: Vec<[f64; 2]> = surface
        .corners
        .iter()
        .map(|corner| place([corner.fractions[0], corner.fractions[1], corner.fractions[2]]))
        .collect();
    for [a, b] in surface.tie_lines() {
        picture.line(at[a], at[b], "stroke=\"#7A7A7A\" stroke-width=\"1.1\"");
        places.line(at[a], at[b]);
    }
    picture.polygon(&ends, "fill=\"none\" stroke=\"#222222\" stroke-width=\"1.6\" stroke-linejoin=\"round\"");

    // Of a composition the lowest; those nearest to the hull on top.
    let mut lowest: BTreeMap<String, &Entry> = BTreeMap::new();
    for entry in entries {
        let least = lowest.entry(entry.composition.reduced_formula()).or_insert(entry);
        if entry.energy < least.energy {
            *least = entry;
        }
    }
    let mut others: Vec<&Entry> = lowest.into_values().filter(|entry| entry.above > 0.0).collect();
    others.sort_by(|a, b| b.above.total_cmp(&a.above));
    for entry in others.iter().filter(|entry| entry.composition.nelements() > 1) {
        let x = [0, 1, 2].map(|i| entry.composition.amount(surface.elements[i]) / entry.composition.natoms());
        let at = place(x);
        picture.circle(at, OTHER, &colours.style(entry.above));
        places.mark(at, OTHER);
    }
    for at in &at {
        picture.circle(*at, STABLE, STABLE_STYLE);
        places.mark(*at, STABLE);
    }
    for (k, element) in surface.elements.iter().enumerate() {
        let ([x, y], anchor) = match k {
            0 => ([ends[0][0] - 12.0, ends[0][1] + 16.0], Anchor::End),
            1 => ([ends[1][0] + 12.0, ends[1][1] + 16.0], Anchor::Start),
            _ => ([ends[2][0], ends[2][1] - 13.0], Anchor::Middle),
        };
        picture.text([x, y], SYMBOL, anchor, "fill=\"#111111\"", element.symbol());
        let wide = text_width(element.symbol(), SYMBOL);
        let left = match anchor {
            Anchor::End => x - wide,
            Anchor::Middle => x - wide / 2.0,
            Anchor::Start => x,
        };
        places.keep([left, y - SYMBOL, left + wide, y + 4.0]);
    }
    // Outside the triangle there is room for what lies on its sides; those inside go first, which have less.
    let mut order: Vec<usize> = (surface.elements.len()..at.len()).collect();
    let on_side = |k: usize| surface.corners[k].fractions.contains(&0.0);
    order.sort_by_key(|&k| on_side(k));
    for k in order {
        let outward = match surface.corners[k].fractions.iter().position(|x| *x == 0.0) {
            Some(0) => [7.0, -4.0],
            Some(1) => [-7.0, -4.0],
            Some(_) => [0.0, 8.0],
            None => [0.0, 0.0],
        };
        places.name(&mut picture, &labels::formula(&surface.corners[k].formula), NAME, at[k], STABLE, outward);
    }
    colours.bar(&mut picture, [width + 2.0 - SIDES / 2.0, TOP], 200.0);
    picture
}

#[cfg(test)]
mod tests {
    use super::super::hull::hull;
    use super::super::hull::tests::system;

    #[test]
    fn the_facets_are_drawn_with_every_phase_at_its_place() {
        let phases = [
            ("CaO", -3.3),
            ("MnO", -1.9),
            ("MnO2", -1.8),
            ("CaMnO3", -2.9),
            ("CaMnO3", -2.8),
            ("CaMn2O4", -2.0),
            ("Mn", 0.1),
        ];
        let (surface, entries) = system(&["Ca", "Mn", "O"], &phases);
        assert_eq!(surface.corners.len(), 3 + 4);
        let svg = hull("Ca-Mn-O", "", "", &surface, &entries).svg();
        for text in [">Ca<", ">Mn<", ">O<", ">CaO<", ">CaMnO₃<", ">MnO₂<"] {
            assert!(svg.contains(text), "{text}: {svg}");
        }
        // Seven stable ones and the legend's; CaMn2O4 alone above the hull: a second CaMnO3 is the same place.
        assert_eq!(svg.matches("r=\"4.80\"").count(), 8);
        assert_eq!(svg.matches("r=\"3.40\"").count(), 1);
        assert_eq!(svg.matches("stroke=\"#7A7A7A\"").count(), surface.tie_lines().len());
        // CaMnO3: a fifth Ca, a fifth Mn, three fifths O.
        let [x, y] = [86.0 + 600.0 * (0.2 + 0.3), 34.0 + 600.0 * 0.75_f64.sqrt() * 0.4];
        assert!(svg.contains(&format!("cx=\"{x:.2}\" cy=\"{y:.2}\"")), "{svg}");
    }
}
