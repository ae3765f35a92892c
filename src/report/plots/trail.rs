//! The way of an ion over the picture of the crystal that it goes through.

use super::colors::{Rgb, scale};
use super::structure::{Scene, ball, drawing};
use super::svg::Picture;
use super::view::View;
use crate::ReportError;
use crystal::{Element, Lattice, Structure};

/// An image of the way: the cell with the ion, which is its last atom.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// Which hop it belongs to: those of one hop are joined by a line.
    pub hop: i64,
    /// eV.
    pub energy: f64,
    /// The cell.
    pub structure: Structure,
}

/// Where the ion comes by, hop after hop.
#[derive(Debug, Clone, PartialEq)]
pub struct Trail {
    ion: Element,
    /// Cartesian points, Å, and energies, eV.
    hops: Vec<Vec<([f64; 3], f64)>>,
}

/// The crystal of `images` without the ion, and the ion on its way over it, as dark as its energy is high; and down which direction.
///
/// # Errors
/// No image, or images that are not of one cell with the same atoms.
pub fn through(images: &[Image]) -> Result<(Picture, [i32; 3]), ReportError> {
    let no = || {
        ReportError::Format(
            "the structures are not images of one path: give each the same cell and atoms, ion last".into(),
        )
    };
    let first = &images.first().ok_or_else(no)?.structure;
    let alike =
        |image: &Image| image.structure.species() == first.species() && image.structure.lattice() == first.lattice();
    if first.len() < 2 || !images.iter().all(alike) {
        return Err(no());
    }
    let ion = first.len() - 1;
    let host = (first.species()[..ion].to_vec(), first.frac_coords()[..ion].to_vec());
    let host = Structure::with_overlaps(*first.lattice(), host.0, host.1).map_err(|_| no())?;
    let trail = Trail::of(images, ion);
    let axis = trail.seen_from(first.lattice());
    let scene = Scene {
        crystal: &host,
        title: String::new(),
        cell: "cell",
        axis,
        cells: [1; 3],
        tunnels: None,
        trail: Some(trail),
    };
    Ok((drawing(&scene)?, axis))
}

impl Trail {
    /// From image to image the ion goes the short way, and the middle of each hop lies in the cell.
    fn of(images: &[Image], ion: usize) -> Self {
        let lattice = images[0].structure.lattice();
        let hops = images.chunk_by(|a, b| a.hop == b.hop).map(|hop| {
            let mut at = hop[0].structure.frac_coords()[ion];
            let points: Vec<[f64; 3]> = hop
                .iter()
                .map(|image| {
                    let next = image.structure.frac_coords()[ion];
                    at = std::array::from_fn(|k| next[k] - (next[k] - at[k]).round());
                    at
                })
                .collect();
            let middle: [f64; 3] =
                std::array::from_fn(|k| points.iter().map(|x| x[k]).sum::<f64>() / points.len() as f64);
            // A middle on a face of the cell stays where it is, with any last digit.
            let home = middle.map(|x| (x + 1e-6).floor());
            let placed = |x: &[f64; 3]| lattice.to_cartesian(std::array::from_fn(|k| x[k] - home[k]));
            points.iter().map(placed).zip(hop.iter().map(|image| image.energy)).collect()
        });
        Self { ion: images[0].structure.species()[ion], hops: hops.collect() }
    }

    /// The axis down which the way is longest; the shortest of several, down which the fewest atoms cover one another.
    fn seen_from(&self, lattice: &Lattice) -> [i32; 3] {
        let axes: [[i32; 3]; 3] = std::array::from_fn(|k| std::array::from_fn(|m| i32::from(k == m)));
        let lengths = lattice.parameters();
        let seen = |k: usize| {
            let view = View::down(lattice, axes[k])?;
            let step = |pair: &[([f64; 3], f64)]| {
                let [a, b] = [pair[0].0, pair[1].0].map(|x| view.project(x).0);
                (a[0] - b[0]).hypot(a[1] - b[1])
            };
            Some(self.hops.iter().flat_map(|hop| hop.windows(2)).map(step).sum::<f64>())
        };
        // To a tenth of an Å.
        let worth = |k: usize| ((10.0 * seen(k).unwrap_or_default()).round(), -lengths[k]);
        let best = (0..3).reduce(|best, k| if worth(k) > worth(best) { k } else { best }).unwrap_or(2);
        axes[best]
    }

    /// Where the ion is and how large it is drawn, Å.
    pub(super) fn spheres(&self) -> impl Iterator<Item = ([f64; 3], f64)> {
        self.hops.iter().flatten().map(|&(at, _)| (at, ball(self.ion)))
    }

    /// Draws it; `place` says where a point lies on the page, in px, of which an Å has `scale`.
    pub(super) fn draw(&self, picture: &mut Picture, place: &dyn Fn([f64; 3]) -> [f64; 2], px: f64) {
        let energies = || self.hops.iter().flatten().map(|&(_, energy)| energy);
        let (low, high) = energies().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), e| (l.min(e), h.max(e)));
        for hop in &self.hops {
            for pair in hop.windows(2) {
                let [from, to] = [place(pair[0].0), place(pair[1].0)];
                picture.line(from, to, "stroke=\"#222222\" stroke-width=\"2.4\" stroke-linecap=\"round\"");
            }
            for &(at, energy) in hop {
                let fill = scale(if high > low { (energy - low) / (high - low) } else { 0.0 });
                let rim = fill.mixed(Rgb::BLACK, 0.6);
                let style = format!("class=\"ion\" fill=\"{fill}\" stroke=\"{rim}\" stroke-width=\"1.2\"");
                picture.circle(place(at), 0.5 * ball(self.ion) * px, &style);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lithium on its way along c through a cell of one oxygen, through a face of the cell.
    fn images() -> Vec<Image> {
        let lattice = Lattice::from_parameters(4.0, 5.0, 6.0, 90.0, 90.0, 90.0).unwrap();
        let [o, li] = ["O", "Li"].map(|s| Element::from_symbol(s).unwrap());
        let at = |z: f64, energy| Image {
            hop: 1,
            energy,
            structure: Structure::with_overlaps(lattice, vec![o, li], vec![[0.0; 3], [0.5, 0.5, z]]).unwrap(),
        };
        vec![at(0.75, 0.0), at(0.95, 0.2), at(0.15, 0.4), at(0.3, 0.1)]
    }

    #[test]
    fn the_way_is_short_and_seen_from_the_side() {
        let images = images();
        let trail = Trail::of(&images, 1);
        let z: Vec<f64> = trail.hops[0].iter().map(|(x, _)| x[2] / 6.0).collect();
        assert!(z.windows(2).all(|pair| (pair[1] - pair[0] - 0.2).abs() < 0.051), "{z:?}");
        // Down a, the shorter of the two axes across it.
        let (picture, axis) = through(&images).unwrap();
        assert_eq!(axis, [1, 0, 0]);
        let svg = picture.svg();
        assert_eq!(svg.matches("class=\"ion\"").count(), 4);
        // The highest is the darkest, the lowest the palest.
        assert!(svg.contains(&scale(1.0).to_string()) && svg.contains(&scale(0.0).to_string()), "{svg}");
    }

    #[test]
    fn other_structures_are_no_way() {
        let mut images = images();
        images[1].structure = images[0].structure.supercell([1, 1, 2]).unwrap();
        assert!(through(&images).unwrap_err().to_string().contains("not images of one path"));
        assert!(through(&[]).is_err());
    }
}
