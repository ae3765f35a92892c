//! Room for names: beside each mark a place where its name covers no other name and, if possible, no mark and no line.

use super::svg::{Anchor, HALO, Picture};

/// A rectangle on the page: left, top, right and bottom, px.
pub(super) type Area = [f64; 4];

/// Room between two names, px.
const GAP: f64 = 2.0;
/// Directions that are tried, and how far from the mark, px.
const DIRECTIONS: usize = 24;
const DISTANCES: [f64; 10] = [3.0, 8.0, 14.0, 22.0, 32.0, 44.0, 58.0, 76.0, 100.0, 130.0];
/// What it costs, in px farther from the mark, to cover a mark or a line.
const MARK: f64 = 40.0;
const LINE: f64 = 9.0;
/// And to lead there through another name.
const CROSSED: f64 = 90.0;
/// A name farther than this from its mark, px, has a line that leads there.
const NEAR: f64 = 9.0;

/// The names of a picture. What is placed first is in the way of what is placed later.
pub(super) struct Places {
    page: Area,
    names: Vec<Area>,
    marks: Vec<([f64; 2], f64)>,
    lines: Vec<[[f64; 2]; 2]>,
}

impl Places {
    /// None yet, on a page.
    pub fn new(page: Area) -> Self {
        Self { page, names: Vec::new(), marks: Vec::new(), lines: Vec::new() }
    }

    /// An area where no name may stand.
    pub fn keep(&mut self, area: Area) {
        self.names.push(area);
    }

    /// A mark that a name should leave in sight.
    pub fn mark(&mut self, at: [f64; 2], radius: f64) {
        self.marks.push((at, radius));
    }

    /// A line that a name should leave in sight.
    pub fn line(&mut self, from: [f64; 2], to: [f64; 2]) {
        self.lines.push([from, to]);
    }

    /// Writes a name near a mark; nowhere, where there is no room at all. To stand opposite to `towards` costs twice its length, in
    /// px farther from the mark.
    pub fn name(&mut self, picture: &mut Picture, text: &str, size: f64, at: [f64; 2], radius: f64, towards: [f64; 2]) {
        let extent = [width(text, size), size];
        let best = (0..DIRECTIONS)
            .flat_map(|k| {
                let (y, x) = (std::f64::consts::TAU * k as f64 / DIRECTIONS as f64).sin_cos();
                DISTANCES.map(|distance| ([x, y], distance))
            })
            .filter_map(|(direction, distance)| {
                let area = beside(at, direction, radius + distance, extent);
                let leads = (distance > NEAR).then(|| [at, nearest(area, at)]);
                let wanted = direction[0] * towards[0] + direction[1] * towards[1];
                let cost = self.cost(area, leads, at)? + distance - wanted;
                Some((cost, area, leads))
            })
            .min_by(|a, b| a.0.total_cmp(&b.0));
        let Some((_, area, leads)) = best else { return };
        if let Some([from, to]) = leads {
            let length = (to[0] - from[0]).hypot(to[1] - from[1]);
            let start = [0, 1].map(|i| from[i] + (to[i] - from[i]) * (radius + 1.0) / length.max(radius + 1.0));
            picture.line(start, to, "stroke=\"#555555\" stroke-width=\"0.7\"");
            self.lines.push([from, to]);
        }
        let halo = format!("fill=\"#111111\" {HALO}");
        let baseline = [(area[0] + area[2]) / 2.0, area[3] - 0.2 * size];
        picture.text(baseline, size, Anchor::Middle, &halo, text);
        self.names.push(area);
    }

    /// What a place costs beside its distance; `None` where a name has none.
    fn cost(&self, area: Area, leads: Option<[[f64; 2]; 2]>, own: [f64; 2]) -> Option<f64> {
        let [left, top, right, bottom] = self.page;
        let inside = area[0] >= left && area[1] >= top && area[2] <= right && area[3] <= bottom;
        let covers = |name: &Area| {
            area[0] < name[2] + GAP && name[0] < area[2] + GAP && area[1] < name[3] + GAP && name[1] < area[3] + GAP
        };
        if !inside || self.names.iter().any(covers) {
            return None;
        }
        let crosses = |name: &&Area| leads.is_some_and(|[from, to]| length_within(**name, from, to) > 0.0);
        let near = |place: [f64; 2], from: [f64; 2], to: [f64; 2]| {
            let along = [to[0] - from[0], to[1] - from[1]];
            let t = ((place[0] - from[0]) * along[0] + (place[1] - from[1]) * along[1])
                / (along[0] * along[0] + along[1] * along[1]).max(1e-9);
            let t = t.clamp(0.0, 1.0);
            (place[0] - from[0] - t * along[0]).hypot(place[1] - from[1] - t * along[1])
        };
        let mut cost = CROSSED * self.names.iter().filter(crosses).count() as f64;
        for (place, radius) in &self.marks {
            let to = nearest(area, *place);
            let hidden = (to[0] - place[0]).hypot(to[1] - place[1]) < *radius;
            let crossed = *place != own && leads.is_some_and(|[from, to]| near(*place, from, to) < *radius);
            cost += if hidden { MARK } else { 0.0 } + if crossed { MARK / 2.0 } else { 0.0 };
        }
        for [from, to] in &self.lines {
            let hidden = length_within(area, *from, *to);
            cost += if hidden > 0.0 { LINE + 0.4 * hidden } else { 0.0 };
        }
        Some(cost)
    }
}

/// Width of a formula, px: figures below the line are narrower than letters.
fn width(text: &str, size: f64) -> f64 {
    text.chars().map(|c| if ('₀'..='₉').contains(&c) { 0.42 } else { 0.66 }).sum::<f64>() * size
}

/// The place of a box of this width and height whose edge is `distance` from a point in a direction.
fn beside(at: [f64; 2], direction: [f64; 2], distance: f64, [width, height]: [f64; 2]) -> Area {
    // From the middle of a box to its edge, along the direction.
    let half = [width / 2.0, height / 2.0];
    let reach = (half[0] / direction[0].abs().max(1e-9)).min(half[1] / direction[1].abs().max(1e-9));
    let middle = [0, 1].map(|i| at[i] + direction[i] * (distance + reach));
    [middle[0] - half[0], middle[1] - half[1], middle[0] + half[0], middle[1] + half[1]]
}

/// The point of a rectangle that is nearest to another.
fn nearest(area: Area, at: [f64; 2]) -> [f64; 2] {
    [at[0].clamp(area[0], area[2]), at[1].clamp(area[1], area[3])]
}

/// Length of a line's part inside a rectangle (Liang & Barsky).
fn length_within(area: Area, from: [f64; 2], to: [f64; 2]) -> f64 {
    let (mut enters, mut leaves) = (0.0_f64, 1.0_f64);
    for i in 0..2 {
        let along = to[i] - from[i];
        if along.abs() < 1e-12 {
            if from[i] <= area[i] || from[i] >= area[i + 2] {
                return 0.0;
            }
            continue;
        }
        let [a, b] = [(area[i] - from[i]) / along, (area[i + 2] - from[i]) / along];
        (enters, leaves) = (enters.max(a.min(b)), leaves.min(a.max(b)));
    }
    (leaves - enters).max(0.0) * (to[0] - from[0]).hypot(to[1] - from[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_measured_inside_a_rectangle() {
        let area = [0.0, 0.0, 4.0, 3.0];
        assert!((length_within(area, [-4.0, -3.0], [8.0, 6.0]) - 5.0).abs() < 1e-12);
        assert!((length_within(area, [1.0, 1.0], [1.0, 9.0]) - 2.0).abs() < 1e-12);
        assert_eq!(length_within(area, [5.0, 0.0], [5.0, 3.0]), 0.0);
        assert_eq!(length_within(area, [0.0, 8.0], [8.0, 4.0]), 0.0);
    }

    #[test]
    fn names_of_marks_in_a_heap_stand_apart_and_none_leaves_the_page() {
        let mut places = Places::new([0.0, 0.0, 300.0, 300.0]);
        let mut picture = Picture::new(300.0, 300.0);
        let marks: Vec<[f64; 2]> = (0..12).map(|k| [140.0 + 4.0 * f64::from(k), 150.0]).collect();
        marks.iter().for_each(|at| places.mark(*at, 4.0));
        marks.iter().for_each(|at| places.name(&mut picture, "Ti₂O₃", 11.0, *at, 4.0, [0.0, 8.0]));
        assert_eq!(places.names.len(), 12);
        for (i, a) in places.names.iter().enumerate() {
            assert!(a[0] >= 0.0 && a[1] >= 0.0 && a[2] <= 300.0 && a[3] <= 300.0);
            assert!(places.names[..i].iter().all(|b| a[0] >= b[2] || b[0] >= a[2] || a[1] >= b[3] || b[1] >= a[3]));
            assert!(marks.iter().all(|at| nearest(*a, *at) != *at), "no name covers a mark");
        }
        // The first found the side that it wanted.
        assert!(places.names[0][1] > 150.0);
        assert_eq!(picture.svg().matches("Ti₂O₃").count(), 12);
    }

    #[test]
    fn a_name_without_room_is_left_out() {
        let mut places = Places::new([0.0, 0.0, 20.0, 20.0]);
        let mut picture = Picture::new(20.0, 20.0);
        places.name(&mut picture, "Nb₁₂WO₃₃", 11.0, [10.0, 10.0], 4.0, [0.0, 8.0]);
        assert!(places.names.is_empty());
    }
}
