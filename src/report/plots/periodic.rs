//! Counts on the periodic table, by a logarithmic scale of colour.

use std::collections::HashMap;

use super::colors::scale;
use super::labels;
use super::svg::{Anchor, Picture};
use crystal::Element;

/// Width and height of the field of an element, px.
const FIELD: [f64; 2] = [57.0, 49.0];
/// Between the table and the two rows of f elements under it.
const GAP: f64 = 14.0;

/// Size of the table in px.
pub const SIZE: [f64; 2] = [18.0 * FIELD[0], 9.0 * FIELD[1] + GAP];

/// Column and row from 0. Rows 7 and 8 are those of the lanthanides and actinides.
fn place(element: Element) -> (u8, u8) {
    match element.z() {
        1 => (0, 0),
        2 => (17, 0),
        z @ 3..=4 => (z - 3, 1),
        z @ 5..=10 => (z + 7, 1),
        z @ 11..=12 => (z - 11, 2),
        z @ 13..=18 => (z - 1, 2),
        z @ 19..=36 => (z - 19, 3),
        z @ 37..=54 => (z - 37, 4),
        z @ 55..=56 => (z - 55, 5),
        z @ 57..=71 => (z - 55, 7),
        z @ 72..=86 => (z - 69, 5),
        z @ 87..=88 => (z - 87, 6),
        z @ 89..=103 => (z - 87, 8),
        z => (z - 101, 6),
    }
}

fn corner((column, row): (u8, u8)) -> [f64; 2] {
    let gap = if row > 6 { GAP } else { 0.0 };
    [f64::from(column) * FIELD[0], f64::from(row) * FIELD[1] + gap]
}

/// The table with `counts`, and the scale with what is counted in the room over the transition metals.
pub fn periodic_table(counts: &[(Element, u64)], what: &str) -> Picture {
    let counts: HashMap<Element, u64> = counts.iter().copied().filter(|&(_, n)| n > 0).collect();
    let most = counts.values().copied().max().unwrap_or(1);
    // 1 is the pale end, the most frequent element the dark one.
    let share = |n: f64| if most > 1 { n.ln() / (most as f64).ln() } else { 1.0 };
    let mut picture = Picture::new(SIZE[0], SIZE[1]);
    for element in Element::all() {
        let at @ [x, y] = corner(place(element));
        let size = [FIELD[0] - 2.0, FIELD[1] - 2.0];
        let middle = x + size[0] / 2.0;
        match counts.get(&element) {
            Some(&n) => {
                let colour = scale(share(n as f64));
                picture.rect(at, size, &format!("fill=\"{colour}\""));
                let ink = if colour.luminance() < 0.3 { "fill=\"#FFFFFF\"" } else { "fill=\"#111111\"" };
                picture.text([middle, y + 23.0], 16.0, Anchor::Middle, ink, element.symbol());
                picture.text([middle, y + 39.0], 10.5, Anchor::Middle, ink, &labels::count(n));
            }
            None => {
                let inset = [x + 0.5, y + 0.5];
                picture.rect(inset, size.map(|s| s - 1.0), "fill=\"none\" stroke=\"#DDDDDD\"");
                picture.text([middle, y + 29.0], 14.0, Anchor::Middle, "fill=\"#AAAAAA\"", element.symbol());
            }
        }
    }
    for (row, range) in [(5, "57–71"), (6, "89–103")] {
        let [x, y] = corner((2, row));
        picture.text([x + FIELD[0] / 2.0 - 1.0, y + 28.0], 10.5, Anchor::Middle, "fill=\"#888888\"", range);
    }
    draw_scale(&mut picture, most, share, what);
    picture
}

fn draw_scale(picture: &mut Picture, most: u64, share: impl Fn(f64) -> f64, what: &str) {
    const STEPS: usize = 120;
    let (left, top) = (2.9 * FIELD[0], 1.35 * FIELD[1]);
    let (width, height) = (8.4 * FIELD[0], 13.0);
    picture.text([left, top - 10.0], 12.5, Anchor::Start, "fill=\"#222222\"", what);
    for i in 0..STEPS {
        let step = width / STEPS as f64;
        // A little wider than a step, so that no seam shows.
        let style = format!("fill=\"{}\"", scale((i as f64 + 0.5) / STEPS as f64));
        picture.rect([left + i as f64 * step, top], [step + if i + 1 < STEPS { 0.6 } else { 0.0 }, height], &style);
    }
    let tens = (0..19).map(|k| 10_u64.pow(k)).take_while(|&n| n <= most);
    // The last power of ten steps aside where the greatest count stands.
    let ticks = tens.filter(|&n| most == 1 || n == 1 || share(n as f64) < 0.9).chain((most > 1).then_some(most));
    for n in ticks {
        let x = left + width * share(n as f64).clamp(0.0, 1.0);
        let x = if most == 1 { left + width } else { x };
        picture.line([x, top + height], [x, top + height + 4.0], "stroke=\"#222222\" stroke-width=\"1\"");
        picture.text([x, top + height + 17.0], 11.0, Anchor::Middle, "fill=\"#222222\"", &labels::count(n));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_has_a_field_of_its_own() {
        let mut places: Vec<_> = Element::all().map(place).collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), 118);
        assert!(places.iter().all(|&(column, row)| column < 18 && row < 9));
        let of = |symbol| place(Element::from_symbol(symbol).unwrap());
        assert_eq!(
            [of("Sc"), of("Hf"), of("O"), of("La"), of("Lr"), of("Og")],
            [(2, 3), (3, 5), (15, 1), (2, 7), (16, 8), (17, 6)]
        );
    }

    #[test]
    fn counts_stand_in_their_fields_and_the_scale_ends_at_the_greatest() {
        let of = |symbol| Element::from_symbol(symbol).unwrap();
        let svg = periodic_table(&[(of("O"), 1234), (of("Mo"), 5)], "crystals").svg();
        assert_eq!(svg.matches(">1\u{a0}234<").count(), 2, "the field and the scale");
        assert!(svg.contains(">5<") && svg.contains(">100<"));
        assert!(periodic_table(&[], "crystals").svg().contains("#AAAAAA"));
    }
}
