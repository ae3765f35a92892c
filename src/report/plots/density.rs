//! A field over the cell of a crystal: a slice through it as a map with contours, and its average over planes.
//!
//! The slice is the plane of grid points itself, one cell of it, drawn with its true angles; colours change at the levels that
//! the bar beside it names. A density spans orders of magnitude, and its levels go 1, 2, 5, 10; a difference has equal steps
//! about zero, red where electrons gather and blue where they leave.

use super::chart::{Axis, FIRST, INK, SECOND, chart, frame, px};
use super::colors::{Rgb, of_element};
use super::contours::Plane;
use super::labels;
use super::levels::{Levels, level};
use super::svg::{Anchor, Picture};
use crate::ReportError;
use adsorption::charge::planar_average;
use crystal::{dot, norm};
use formats::Volumetric;
use plotters::prelude::*;

/// What to draw.
#[derive(Debug, Clone)]
pub struct Slice<'a> {
    /// The field; its first is drawn.
    pub field: &'a Volumetric,
    /// Whether it is a difference of two: its sign means something.
    pub difference: bool,
    /// First line over the picture.
    pub title: String,
    /// What else to say of the field.
    pub note: String,
    /// Lattice vector that the slice does not hold: 0, 1 or 2.
    pub axis: usize,
    /// Fraction of that vector at which it lies; `None` for the plane that holds the highest magnitude.
    pub at: Option<f64>,
    /// The value at the end of the scale of a difference; `None` for one that a hundredth of the slice exceeds.
    pub limit: Option<f64>,
}

const WIDTH: f64 = 760.0;
const MARGIN: f64 = 28.0;
const HEADER: f64 = 92.0;
const PROFILE: f64 = 260.0;
/// Room for the slice, px, and for the bar beside it.
const ROOM: [f64; 2] = [560.0, 480.0];
const BAR: f64 = 110.0;
/// Room for the names of the vectors.
const NAMES: f64 = 30.0;
/// Points across the slice at least.
const FINE: usize = 160;
/// Atoms this near the slice are shown on it, Å.
const NEAR: f64 = 0.5;
/// Radius of an atom's mark and size of its symbol, px.
const MARK: f64 = 9.5;

/// The picture of a slice, and where it lies: the fraction of the axis.
///
/// # Errors
/// An axis other than 0, 1 and 2, or a fraction or a limit that is not a number.
pub fn density(slice: &Slice) -> Result<(Picture, f64), ReportError> {
    let format = |e: adsorption::AdsorptionError| ReportError::Format(e.to_string());
    let profile = planar_average(slice.field, slice.axis).map_err(format)?;
    if slice.at.is_some_and(|x| !x.is_finite()) || slice.limit.is_some_and(|x| !(x.is_finite() && x > 0.0)) {
        return Err(ReportError::Format("a slice lies at a number, and a scale ends at one above 0".into()));
    }
    let sheet = Sheet::cut(slice);
    let levels = match slice.difference {
        true => Levels::difference(&sheet.values, slice.limit),
        false => Levels::of(slice.field.quantity, &sheet.values),
    };
    let height = HEADER + sheet.size[1] + NAMES + 18.0 + PROFILE;
    let mut picture = Picture::new(WIDTH, height);
    let grey = "fill=\"#555555\"";
    picture.text([MARGIN, 32.0], 17.0, Anchor::Start, "fill=\"#111111\"", &slice.title);
    let [u, v, w] = [1, 2, 0].map(|k| ["a", "b", "c"][(slice.axis + k) % 3]);
    let above = profile[sheet.layer].0;
    let [n, m] = [sheet.grid[0], sheet.grid[1]];
    let line = format!(
        "slice through {u} and {v} at {} {w} ({} Å above the first plane), {n} × {m} points",
        labels::number(sheet.fraction, 4),
        labels::number(above, 2)
    );
    picture.text([MARGIN, 54.0], 12.0, Anchor::Start, grey, &line);
    picture.text([MARGIN, 73.0], 12.0, Anchor::Start, grey, &slice.note);
    sheet.draw(&mut picture, slice, &levels, [u, v]);
    bar(&mut picture, &levels, unit(slice), [WIDTH - BAR, HEADER + 22.0], sheet.size[1] - 22.0);
    let below = HEADER + sheet.size[1] + NAMES;
    let (symbol, unit) = unit(slice);
    let name = format!("mean {symbol}{}{unit} over planes", if unit.is_empty() { "" } else { ", " });
    picture.text([MARGIN, below + 18.0], 12.0, Anchor::Start, "fill=\"#222222\"", &name);
    picture.embed([0.0, below + 18.0], &averages(slice, &profile, above));
    Ok((picture, sheet.fraction))
}

/// Symbol and unit, as on the axis.
fn unit(slice: &Slice) -> (String, &'static str) {
    let delta = if slice.difference { "Δ" } else { "" };
    (format!("{delta}{}", slice.field.quantity.symbol()), slice.field.quantity.unit())
}

/// One cell of the plane, laid on the page.
struct Sheet {
    /// Number of the plane along the axis, and its fraction.
    layer: usize,
    fraction: f64,
    /// Points along the two vectors, and the values on them.
    grid: [usize; 2],
    values: Vec<f64>,
    /// The two vectors on the page, px, y up; the left end of the origin's edge.
    across: [[f64; 2]; 2],
    origin: [f64; 2],
    /// Height (and width) of the drawing, px.
    size: [f64; 2],
}

impl Sheet {
    fn cut(slice: &Slice) -> Self {
        let (field, axis) = (slice.field, slice.axis);
        let n = field.shape[axis];
        let plane = |layer: usize| -> Vec<f64> {
            let [nu, nv] = [1, 2].map(|k| field.shape[(axis + k) % 3]);
            let [na, nb, _] = field.shape;
            (0..nu * nv)
                .map(|at| {
                    let mut point = [0; 3];
                    point[axis] = layer;
                    (point[(axis + 1) % 3], point[(axis + 2) % 3]) = (at % nu, at / nu);
                    field.total()[point[0] + na * (point[1] + nb * point[2])]
                })
                .collect()
        };
        let layer = match slice.at {
            Some(at) => ((at - at.floor()) * n as f64).round() as usize % n,
            None => {
                let size = |layer: &usize| plane(*layer).iter().map(|x| x.abs()).fold(0.0, f64::max);
                (0..n).rev().max_by(|a, b| size(a).total_cmp(&size(b))).unwrap_or(0)
            }
        };
        let rows = field.structure.lattice().rows();
        let [u, v] = [1, 2].map(|k| rows[(axis + k) % 3]);
        let along = dot(u, v) / norm(u);
        let (v, u) = ([along, (dot(v, v) - along * along).sqrt()], [norm(u), 0.0]);
        let left = v[0].min(0.0);
        let wide = u[0].max(v[0]).max(u[0] + v[0]) - left;
        let fit = (ROOM[0] / wide).min(ROOM[1] / v[1]);
        let size = [wide * fit, v[1] * fit];
        let margin = MARGIN + 22.0 + (ROOM[0] - size[0]) / 2.0;
        Self {
            layer,
            fraction: layer as f64 / n as f64,
            grid: [1, 2].map(|k| field.shape[(axis + k) % 3]),
            values: plane(layer),
            across: [u, v].map(|x| x.map(|x| x * fit)),
            origin: [margin - left * fit, HEADER + size[1]],
            size,
        }
    }

    /// The place on the page of fractions along the two vectors.
    fn place(&self, [s, t]: [f64; 2]) -> [f64; 2] {
        let [u, v] = self.across;
        [self.origin[0] + s * u[0] + t * v[0], self.origin[1] - s * u[1] - t * v[1]]
    }

    fn draw(&self, picture: &mut Picture, slice: &Slice, levels: &Levels, names: [&str; 2]) {
        let corners = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]].map(|x| self.place(x));
        let colour = |k: usize| levels.colours.get(k).copied().unwrap_or(Rgb::WHITE);
        picture.polygon(&corners, &format!("fill=\"{}\"", colour(0)));
        let finer = self.grid.map(|n| FINE.div_ceil(n));
        let plane = Plane::periodic(&self.values, self.grid, finer);
        let [width, height] = [plane.width - 1, plane.height - 1].map(|n| n as f64);
        for (k, bound) in levels.bounds.iter().enumerate() {
            let path: String = plane
                .above(*bound)
                .iter()
                .map(|curve| {
                    let points: Vec<String> = curve
                        .iter()
                        .map(|[x, y]| self.place([x / width, y / height]))
                        .map(|[x, y]| format!("{x:.1} {y:.1}"))
                        .collect();
                    format!("M{}Z", points.join("L"))
                })
                .collect();
            if !path.is_empty() {
                let fill = colour(k + 1);
                let line = fill.mixed(Rgb::BLACK, 0.35);
                picture.raw(&format!(
                    "<path d=\"{path}\" fill=\"{fill}\" fill-rule=\"evenodd\" stroke=\"{line}\" stroke-width=\"0.5\"/>"
                ));
            }
        }
        picture.polygon(&corners, "fill=\"none\" stroke=\"#222222\" stroke-width=\"1.2\"");
        self.atoms(picture, slice);
        let name = "fill=\"#222222\" font-style=\"italic\"";
        let [[x, y], [z, w]] = [self.place([0.5, 0.0]), self.place([0.0, 0.5])];
        picture.text([x, y + 20.0], 14.0, Anchor::Middle, name, names[0]);
        picture.text([z - 12.0, w + 5.0], 14.0, Anchor::End, name, names[1]);
    }

    /// Atoms near the slice, those on an edge at each of their places.
    fn atoms(&self, picture: &mut Picture, slice: &Slice) {
        let (structure, axis) = (&slice.field.structure, slice.axis);
        let spacing = structure.lattice().plane_spacings()[axis];
        let edge = 1e-3;
        let mut taken: Vec<[f64; 2]> = Vec::new();
        for (element, x) in structure.species().iter().zip(structure.frac_coords()) {
            let off = x[axis] - self.fraction;
            if (off - off.round()).abs() * spacing > NEAR {
                continue;
            }
            let [s, t] =
                [1, 2].map(|k| x[(axis + k) % 3]).map(|x| if x - x.floor() > 1.0 - edge { 0.0 } else { x - x.floor() });
            for (i, j) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
                if s + i > 1.0 + edge || t + j > 1.0 + edge {
                    continue;
                }
                let at = self.place([s + i, t + j]);
                if taken.iter().any(|other| (other[0] - at[0]).hypot(other[1] - at[1]) < 2.0 * MARK) {
                    continue;
                }
                taken.push(at);
                let fill = of_element(*element).mixed(Rgb::WHITE, 0.35);
                picture.circle(at, MARK, &format!("fill=\"{fill}\" stroke=\"#222222\" stroke-width=\"1\""));
                let ink = if fill.luminance() < 0.3 { "fill=\"#FFFFFF\"" } else { "fill=\"#111111\"" };
                picture.text([at[0], at[1] + 3.6], 10.0, Anchor::Middle, ink, element.symbol());
            }
        }
    }
}

/// The colours with the levels between them.
fn bar(picture: &mut Picture, levels: &Levels, (symbol, unit): (String, &str), [x, y]: [f64; 2], height: f64) {
    let cell = (height / levels.colours.len() as f64).min(34.0);
    let title = if unit.is_empty() { symbol } else { format!("{symbol}, {unit}") };
    picture.text([x, y - 10.0], 12.0, Anchor::Start, "fill=\"#222222\"", &title);
    for (k, colour) in levels.colours.iter().rev().enumerate() {
        let style = format!("fill=\"{colour}\" stroke=\"#222222\" stroke-width=\"0.5\"");
        picture.rect([x, y + k as f64 * cell], [20.0, cell], &style);
    }
    for (k, bound) in levels.bounds.iter().rev().enumerate() {
        let at = y + (k + 1) as f64 * cell;
        picture.text([x + 26.0, at + 4.0], 11.0, Anchor::Start, "fill=\"#222222\"", &level(*bound));
    }
}

/// The average over planes, with the height of the slice and of the atoms.
fn averages(slice: &Slice, profile: &[(f64, f64)], above: f64) -> Picture {
    let spacing = slice.field.structure.lattice().plane_spacings()[slice.axis];
    let [u, v] = [1, 2].map(|k| ["a", "b", "c"][(slice.axis + k) % 3]);
    let closed = profile.iter().copied().chain(profile.first().map(|p| (spacing, p.1)));
    let means = || profile.iter().map(|p| p.1);
    let (low, high) = means().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
    let margin = (0.08 * (high - low)).max(1e-9 + 1e-3 * high.abs());
    let floor = if low >= 0.0 && !slice.difference { 0.0 } else { low - margin };
    let decimals = (2.0 - (high - floor).log10().floor()).clamp(0.0, 9.0) as usize;
    chart([WIDTH, PROFILE], |canvas| {
        let along = format!("height over the first {u}{v} plane, Å");
        let x = Axis { name: &along, range: (0.0, spacing), decimals: 2 };
        let y = Axis { name: "", range: (floor, high + margin), decimals };
        let mut chart = frame(canvas, x, y)?;
        if floor < 0.0 && high + margin > 0.0 {
            chart.draw_series(LineSeries::new([(0.0, 0.0), (spacing, 0.0)], INK.mix(0.4).stroke_width(px(0.8))))?;
        }
        let mark = [(above, floor), (above, high + margin)];
        chart.draw_series(LineSeries::new(mark, SECOND.stroke_width(px(1.2))))?;
        chart.draw_series(LineSeries::new(closed, FIRST.stroke_width(px(1.8))))?;
        let atoms = slice.field.structure.species().iter().zip(slice.field.structure.frac_coords());
        chart.draw_series(atoms.map(|(element, x)| {
            let Rgb(r, g, b) = of_element(*element);
            let at = ((x[slice.axis] - x[slice.axis].floor()) * spacing, floor);
            Circle::new(at, px(4.5), RGBColor(r, g, b).filled())
        }))?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::{Element, Lattice, Structure};
    use formats::Quantity;

    fn field(quantity: Quantity) -> Volumetric {
        let lattice = Lattice::from_parameters(4.0, 5.0, 6.0, 90.0, 90.0, 120.0).unwrap();
        let structure =
            Structure::new(lattice, vec![Element::from_symbol("O").unwrap()], vec![[0.0, 0.5, 0.25]]).unwrap();
        let wave = |i: usize, n: usize| 1.0 + (std::f64::consts::TAU * i as f64 / n as f64).cos();
        // Highest at (0, 0, 1/2).
        let values =
            (0..12 * 10 * 8).map(|p| wave(p % 12, 12) * wave(p / 12 % 10, 10) * (2.0 - wave(p / 120, 8))).collect();
        Volumetric { structure, quantity, shape: [12, 10, 8], fields: vec![values] }
    }

    fn slice(field: &Volumetric) -> Slice<'_> {
        Slice { field, difference: false, title: "t".into(), note: "n".into(), axis: 2, at: None, limit: None }
    }

    #[test]
    fn the_slice_goes_through_the_highest_value_by_default() {
        let field = field(Quantity::Density);
        let (picture, at) = density(&slice(&field)).unwrap();
        assert_eq!(at, 0.5);
        let svg = picture.svg();
        assert!(
            svg.contains("at 0.5 c (3 Å above the first plane), 12 × 10 points") && svg.contains(">ρ, e/Å³<"),
            "{svg}"
        );
        // The oxygen lies 1.5 Å below it.
        assert!(!svg.contains(">O<"));
        let (picture, at) = density(&Slice { at: Some(-0.74), ..slice(&field) }).unwrap();
        assert_eq!(at, 0.25);
        // On an edge: at both of its places.
        assert_eq!(picture.svg().matches(">O<").count(), 2);
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let field = field(Quantity::Localisation);
        for bad in [
            Slice { axis: 3, ..slice(&field) },
            Slice { at: Some(f64::NAN), ..slice(&field) },
            Slice { limit: Some(0.0), ..slice(&field) },
        ] {
            assert!(density(&bad).is_err());
        }
    }
}
