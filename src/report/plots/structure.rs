//! A crystal as balls and sticks, seen down a lattice direction.
//!
//! Every atom in the cells is drawn, those on a face, an edge or a corner at each of their places; atoms outside complete the
//! polyhedra of the metals inside and the rings of channels. Shapes are painted from the back to the front, and the further
//! back, the paler.

use std::collections::BTreeSet;

use super::atoms::{Atoms, cartesian};
use super::bonds;
use super::channels::{Page, Tunnels};
use super::colors::{Rgb, of_element};
use super::labels;
use super::svg::{Anchor, Picture, text_width};
use super::trail::Trail;
use super::view::View;
use crate::ReportError;
use crystal::{Element, Structure};

/// What to draw.
#[derive(Debug, Clone)]
pub struct Scene<'a> {
    /// The crystal; its cell is the one that is outlined.
    pub crystal: &'a Structure,
    /// First line over the picture.
    pub title: String,
    /// What the cell is (`conventional cell`), for the second line.
    pub cell: &'static str,
    /// Direction `[uvw]` that points at the eye.
    pub axis: [i32; 3],
    /// Cells along a, b and c.
    pub cells: [usize; 3],
    /// Channels to lay over it.
    pub tunnels: Option<Tunnels>,
    /// The way of an ion to lay over it.
    pub trail: Option<Trail>,
}

/// More atoms than this make no readable picture.
const MOST_ATOMS: usize = 20_000;
/// Radius of a ball as a share of the covalent radius.
const BALL: f64 = 0.4;
/// Radius of a stick, Å.
pub(super) const STICK: f64 = 0.09;
/// Steps in which colours fade with depth, and the share of white at the last.
const FADES: usize = 8;
const PALEST: f64 = 0.6;

/// The picture of a scene.
///
/// # Errors
/// The direction `[000]`, no cell, or more atoms than fit a picture.
pub fn structure(scene: &Scene) -> Result<Picture, ReportError> {
    picture(scene, true)
}

/// The crystal and its channels alone, for a page that has its own words.
///
/// # Errors
/// As [`structure`].
pub fn drawing(scene: &Scene) -> Result<Picture, ReportError> {
    picture(scene, false)
}

fn picture(scene: &Scene, worded: bool) -> Result<Picture, ReportError> {
    let Layout { view, crystal, atoms } = Layout::new(scene)?;
    let mut spheres = scene.tunnels.as_ref().map(|t| t.spheres(&crystal, scene.cells)).unwrap_or_default();
    spheres.extend(scene.trail.iter().flat_map(Trail::spheres));
    let frame = Frame::new(&crystal, &atoms, &spheres, &view, scene.cells, worded);
    Ok(frame.draw(&crystal, &atoms, scene))
}

/// What of a scene is drawn, and from where it is seen.
pub(super) struct Layout {
    pub view: View,
    /// The crystal with its sites moved into the cell.
    pub crystal: Structure,
    pub atoms: Atoms,
}

impl Layout {
    /// # Errors
    /// As [`structure`].
    pub fn new(scene: &Scene) -> Result<Self, ReportError> {
        let view = View::down(scene.crystal.lattice(), scene.axis).ok_or_else(|| {
            ReportError::Format("the direction 0,0,0 leads nowhere; look down a, b, c or u,v,w".into())
        })?;
        let cells: usize = scene.cells.iter().product();
        if cells == 0 || cells.saturating_mul(scene.crystal.len()) > MOST_ATOMS {
            let [a, b, c] = scene.cells;
            return Err(ReportError::Format(format!(
                "{a}x{b}x{c} cells of {} atoms make no picture: draw 1 to {MOST_ATOMS} atoms",
                scene.crystal.len()
            )));
        }
        let crystal = scene.crystal.wrapped();
        // The same places, counted from the sites moved into the cell.
        let into_cell = |(site, image): (usize, [i32; 3])| {
            let x = scene.crystal.frac_coords()[site];
            (site, std::array::from_fn(|k| image[k] + (x[k] - crystal.frac_coords()[site][k]).round() as i32))
        };
        let rings = scene.tunnels.as_ref().map(|t| t.ring_sites(scene.crystal, scene.cells, scene.axis));
        let rings = rings.unwrap_or_default().into_iter().map(into_cell);
        let atoms = Atoms::new(&crystal, scene.cells, rings);
        Ok(Self { view, crystal, atoms })
    }
}

/// One shape, with the depth by which it is sorted.
enum Shape {
    Ball { element: Element, at: [f64; 2], radius: f64 },
    HalfStick { element: Element, from: [f64; 2], to: [f64; 2] },
    Edge { from: [f64; 2], to: [f64; 2] },
}

/// The layout: sizes of the page in px, and the projection.
struct Frame<'a> {
    view: &'a View,
    /// px to the Å.
    scale: f64,
    /// Place on the page, in Å, of the left upper corner of the drawing.
    corner: [f64; 2],
    /// Size of the drawing in px.
    size: [f64; 2],
    /// Depth of the back, and from there to the front, Å.
    depth: (f64, f64),
    /// Whether words stand around the drawing.
    worded: bool,
}

const MARGIN: f64 = 28.0;
/// Margin of a drawing without words.
const NARROW: f64 = 4.0;
const HEADER: f64 = 76.0;
const FOOTER: f64 = 120.0;
const LEGEND: f64 = 92.0;
/// Height of a line about a channel.
const LINE: f64 = 17.0;
/// Room for the drawing, px, and the most px that an Å gets.
const ROOM: [f64; 2] = [640.0, 600.0];
const MOST_SCALE: f64 = 56.0;
/// Least width of the page, for its lines of text.
const LEAST_WIDTH: f64 = 640.0;

impl<'a> Frame<'a> {
    fn new(
        crystal: &Structure,
        atoms: &Atoms,
        spheres: &[([f64; 3], f64)],
        view: &'a View,
        cells: [usize; 3],
        worded: bool,
    ) -> Self {
        let mut low = [f64::INFINITY; 2];
        let mut high = [f64::NEG_INFINITY; 2];
        let mut depth = (f64::INFINITY, f64::NEG_INFINITY);
        let mut hold = |cartesian: [f64; 3], radius: f64| {
            let (at, z) = view.project(cartesian);
            for k in 0..2 {
                low[k] = low[k].min(at[k] - radius);
                high[k] = high[k].max(at[k] + radius);
            }
            depth = (depth.0.min(z), depth.1.max(z));
        };
        for &place in &atoms.places {
            hold(cartesian(crystal, place), ball(crystal.species()[place.0]));
        }
        for &(centre, radius) in spheres {
            hold(centre, radius);
        }
        for corner in 0..8_usize {
            let frac = std::array::from_fn(|k| if corner >> k & 1 == 1 { cells[k] as f64 } else { 0.0 });
            hold(crystal.lattice().to_cartesian(frac), 0.0);
        }
        let wide = [high[0] - low[0], high[1] - low[1]];
        let scale = (ROOM[0] / wide[0]).min(ROOM[1] / wide[1]).min(MOST_SCALE);
        Self {
            view,
            scale,
            corner: [low[0], high[1]],
            size: wide.map(|w| w * scale),
            depth: (depth.0, depth.1 - depth.0),
            worded,
        }
    }

    /// Place on the page in px, from the left upper corner of the picture, and depth in Å.
    fn place(&self, cartesian: [f64; 3], left: f64) -> ([f64; 2], f64) {
        let ([x, y], z) = self.view.project(cartesian);
        ([left + (x - self.corner[0]) * self.scale, self.top() + (self.corner[1] - y) * self.scale], z)
    }

    /// Height of what stands over the drawing, px.
    fn top(&self) -> f64 {
        if self.worded { HEADER } else { NARROW }
    }

    /// The step of fading at a depth: 0 in front.
    fn fade(&self, depth: f64) -> usize {
        if self.depth.1 < 1.0 {
            return 0;
        }
        let behind = 1.0 - (depth - self.depth.0) / self.depth.1;
        ((behind * FADES as f64) as usize).min(FADES - 1)
    }

    fn draw(&self, crystal: &Structure, atoms: &Atoms, scene: &Scene) -> Picture {
        let lines = scene.tunnels.as_ref().map(Tunnels::words).unwrap_or_default();
        let [mut left, mut width, mut height] = [NARROW, self.size[0] + 2.0 * NARROW, self.size[1] + 2.0 * NARROW];
        if self.worded {
            width = (self.size[0] + 2.0 * MARGIN + LEGEND).max(LEAST_WIDTH);
            left = MARGIN + ((width - 2.0 * MARGIN - LEGEND) - self.size[0]) / 2.0;
            height = HEADER + self.size[1] + FOOTER + LINE * lines.len() as f64;
        }
        let mut picture = Picture::new(width, height);
        let mut shapes = self.edges(crystal, scene.cells, left);
        for &(i, j) in &atoms.sticks {
            self.stick(crystal, [atoms.places[i], atoms.places[j]], left, &mut shapes);
        }
        for &place in &atoms.places {
            let element = crystal.species()[place.0];
            let (at, z) = self.place(cartesian(crystal, place), left);
            shapes.push((z, Shape::Ball { element, at, radius: ball(element) * self.scale }));
        }
        shapes.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        self.gradients(&mut picture, &shapes);
        for (z, shape) in &shapes {
            self.paint(&mut picture, *z, shape);
        }
        if let Some(tunnels) = &scene.tunnels {
            let place = |cartesian: [f64; 3]| self.place(cartesian, left).0;
            let drawn: Vec<[f64; 2]> = atoms.places.iter().map(|&at| place(cartesian(crystal, at))).collect();
            // The rings name their sites as the crystal was given.
            let (crystal, cells, axis) = (scene.crystal, scene.cells, scene.axis);
            let page = Page { crystal, cells, axis, scale: self.scale, place: &place, atoms: &drawn };
            page.draw(&mut picture, &tunnels.kinds());
        }
        if let Some(trail) = &scene.trail {
            trail.draw(&mut picture, &|cartesian| self.place(cartesian, left).0, self.scale);
        }
        if self.worded {
            self.words(&mut picture, crystal, scene, &lines);
        }
        picture
    }

    /// The edges of every cell, in pieces, so that atoms may stand before and behind them.
    fn edges(&self, crystal: &Structure, cells: [usize; 3], left: f64) -> Vec<(f64, Shape)> {
        const PIECES: usize = 8;
        let mut shapes = Vec::new();
        for k in 0..3 {
            let (m, n) = ((k + 1) % 3, (k + 2) % 3);
            for i in 0..=cells[m] {
                for j in 0..=cells[n] {
                    let at = |step: usize| {
                        let mut frac = [0.0; 3];
                        (frac[m], frac[n]) = (i as f64, j as f64);
                        frac[k] = step as f64 / PIECES as f64;
                        self.place(crystal.lattice().to_cartesian(frac), left)
                    };
                    for step in 0..PIECES * cells[k] {
                        let ((from, z0), (to, z1)) = (at(step), at(step + 1));
                        if (from[0] - to[0]).hypot(from[1] - to[1]) > 1e-3 {
                            shapes.push(((z0 + z1) / 2.0, Shape::Edge { from, to }));
                        }
                    }
                }
            }
        }
        shapes
    }

    /// Two halves, each in the colour of its atom and beginning where it leaves the ball.
    fn stick(&self, crystal: &Structure, ends: [(usize, [i32; 3]); 2], left: f64, shapes: &mut Vec<(f64, Shape)>) {
        let [a, b] = ends.map(|place| cartesian(crystal, place));
        let middle = std::array::from_fn(|k| (a[k] + b[k]) / 2.0);
        let half = (0..3).map(|k| (b[k] - a[k]).powi(2)).sum::<f64>().sqrt() / 2.0;
        let (to, z) = self.place(middle, left);
        for (place, end) in ends.into_iter().zip([a, b]) {
            let element = crystal.species()[place.0];
            let share = 0.95 * ball(element) / half;
            if share < 1.0 {
                let surface = std::array::from_fn(|k| end[k] + share * (middle[k] - end[k]));
                let (from, z_from) = self.place(surface, left);
                shapes.push(((z + z_from) / 2.0, Shape::HalfStick { element, from, to }));
            }
        }
    }

    fn shade(&self, element: Element, fade: usize) -> Rgb {
        of_element(element).mixed(Rgb::WHITE, PALEST * fade as f64 / (FADES - 1) as f64)
    }

    /// Balls are lit from the upper left: one gradient for each element and step of fading that occurs.
    fn gradients(&self, picture: &mut Picture, shapes: &[(f64, Shape)]) {
        let used: BTreeSet<(Element, usize)> = shapes
            .iter()
            .filter_map(|(z, shape)| match shape {
                Shape::Ball { element, .. } => Some((*element, self.fade(*z))),
                _ => None,
            })
            .chain(shapes.iter().filter_map(|(_, shape)| match shape {
                Shape::Ball { element, .. } => Some((*element, 0)),
                _ => None,
            }))
            .collect();
        picture.raw("<defs>");
        for (element, fade) in used {
            let colour = self.shade(element, fade);
            picture.raw(&format!(
                "<radialGradient id=\"{element}{fade}\" cx=\"0.36\" cy=\"0.32\" r=\"0.72\"><stop offset=\"0\" stop-color=\"{}\"/>\
                 <stop offset=\"0.45\" stop-color=\"{colour}\"/><stop offset=\"1\" stop-color=\"{}\"/></radialGradient>",
                colour.mixed(Rgb::WHITE, 0.7),
                colour.mixed(Rgb::BLACK, 0.28),
            ));
        }
        picture.raw("</defs>");
    }

    fn paint(&self, picture: &mut Picture, depth: f64, shape: &Shape) {
        let fade = self.fade(depth);
        match *shape {
            Shape::Ball { element, at, radius } => {
                let rim = self.shade(element, fade).mixed(Rgb::BLACK, 0.5);
                let style = format!("fill=\"url(#{element}{fade})\" stroke=\"{rim}\" stroke-width=\"0.6\"");
                picture.circle(at, radius, &style);
            }
            Shape::HalfStick { element, from, to } => {
                let colour = self.shade(element, fade);
                let width = (2.0 * STICK * self.scale).max(1.6);
                let rim = colour.mixed(Rgb::BLACK, 0.45);
                picture.line(from, to, &format!("stroke=\"{rim}\" stroke-width=\"{:.2}\"", width + 1.0));
                picture.line(from, to, &format!("stroke=\"{colour}\" stroke-width=\"{width:.2}\""));
            }
            Shape::Edge { from, to } => {
                let grey = Rgb(70, 70, 70).mixed(Rgb::WHITE, 0.7 * fade as f64 / FADES as f64);
                picture.line(from, to, &format!("stroke=\"{grey}\" stroke-width=\"1\" stroke-linecap=\"round\""));
            }
        }
    }

    /// Title, legend, axes, scale and the rules by which the picture is drawn.
    fn words(&self, picture: &mut Picture, crystal: &Structure, scene: &Scene, lines: &[String]) {
        let (width, height) = (picture.width(), HEADER + self.size[1] + FOOTER);
        const GREY: &str = "fill=\"#555555\"";
        picture.text([MARGIN, 32.0], 17.0, Anchor::Start, "fill=\"#111111\"", &scene.title);
        let [a, b, c, alpha, beta, gamma] = crystal.lattice().parameters();
        let mut cell = format!("a = {a:.2}, b = {b:.2}, c = {c:.2} Å");
        if [alpha, beta, gamma].iter().any(|x| (x - 90.0).abs() > 0.05) {
            let [alpha, beta, gamma] = [alpha, beta, gamma].map(|x| labels::number(x, 1));
            cell += &format!("; α = {alpha}, β = {beta}, γ = {gamma}°");
        }
        let [na, nb, nc] = scene.cells;
        let cells = if [na, nb, nc] == [1; 3] { "1".into() } else { format!("{na} × {nb} × {nc}") };
        let many = if [na, nb, nc] == [1; 3] { "" } else { "s" };
        let direction = labels::indices(&scene.axis);
        let line = format!("down [{direction}], {cells} {}{many}: {cell}", scene.cell);
        picture.text([MARGIN, 54.0], 12.0, Anchor::Start, GREY, &line);

        let elements: BTreeSet<Element> = crystal.species().iter().copied().collect();
        let x = width - LEGEND;
        for (i, element) in elements.iter().enumerate() {
            let y = HEADER + 14.0 + 26.0 * i as f64;
            let rim = of_element(*element).mixed(Rgb::BLACK, 0.5);
            let style = format!("fill=\"url(#{element}0)\" stroke=\"{rim}\" stroke-width=\"0.6\"");
            picture.circle([x + 12.0, y], (ball(*element) * 26.0).clamp(5.0, 12.0), &style);
            picture.text([x + 32.0, y + 5.0], 14.0, Anchor::Start, "fill=\"#222222\"", element.symbol());
        }

        self.axes(picture, crystal, [MARGIN + 34.0, height - FOOTER + 62.0]);
        let bar = [10.0, 5.0, 2.0, 1.0].into_iter().find(|l| l * self.scale <= 160.0).unwrap_or(1.0);
        let (x0, x1, y) = (width - MARGIN - bar * self.scale, width - MARGIN, height - FOOTER + 72.0);
        for (from, to) in [([x0, y], [x1, y]), ([x0, y - 4.0], [x0, y + 4.0]), ([x1, y - 4.0], [x1, y + 4.0])] {
            picture.line(from, to, "stroke=\"#222222\" stroke-width=\"1.4\"");
        }
        let length = format!("{bar} Å");
        picture.text([(x0 + x1) / 2.0, y - 8.0], 12.0, Anchor::Middle, "fill=\"#222222\"", &length);
        let rules = format!(
            "Balls: {BALL} of the covalent radius. Sticks: up to the sum of covalent radii + {} Å, none between metals.",
            bonds::SLACK
        );
        picture.text([MARGIN, height - 14.0], 10.0, Anchor::Start, GREY, &rules);
        for (i, line) in lines.iter().enumerate() {
            let y = height - 14.0 + LINE * (i + 1) as f64;
            picture.text([MARGIN, y], 11.0, Anchor::Start, "fill=\"#003F66\"", line);
        }
        debug_assert!(text_width(&rules, 10.0) < LEAST_WIDTH + LEGEND);
    }

    /// The directions of a, b and c; one that points at the eye is a dot in a circle.
    fn axes(&self, picture: &mut Picture, crystal: &Structure, origin: [f64; 2]) {
        const LENGTH: f64 = 34.0;
        for (row, name) in crystal.lattice().rows().iter().zip(["a", "b", "c"]) {
            let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
            let ([x, y], z) = self.view.project(row.map(|x| x / length));
            let tip = [origin[0] + LENGTH * x, origin[1] - LENGTH * y];
            let flat = x.hypot(y);
            if flat < 0.08 {
                picture.circle(origin, 5.0, "fill=\"#FFFFFF\" stroke=\"#222222\" stroke-width=\"1.2\"");
                if z > 0.0 {
                    picture.circle(origin, 1.6, "fill=\"#222222\"");
                }
                let at = [origin[0] - 15.0, origin[1] + 16.0];
                picture.text(at, 13.0, Anchor::Middle, "fill=\"#222222\" font-style=\"italic\"", name);
                continue;
            }
            let (ux, uy) = (x / flat, -y / flat);
            let start = if flat > 0.3 { 5.0 } else { 0.0 };
            picture.line(
                [origin[0] + start * ux, origin[1] + start * uy],
                tip,
                "stroke=\"#222222\" stroke-width=\"1.4\"",
            );
            let wing = |side: f64| [tip[0] - 7.0 * ux + side * 3.0 * uy, tip[1] - 7.0 * uy - side * 3.0 * ux];
            let point = [tip[0] + 1.5 * ux, tip[1] + 1.5 * uy];
            picture.polygon(&[point, wing(1.0), wing(-1.0)], "fill=\"#222222\"");
            let at = [tip[0] + 11.0 * ux, tip[1] + 11.0 * uy + 4.5];
            picture.text(at, 13.0, Anchor::Middle, "fill=\"#222222\" font-style=\"italic\"", name);
        }
    }
}

/// Radius of the ball of an element, Å.
pub(super) fn ball(element: Element) -> f64 {
    BALL * bonds::radius(element)
}
