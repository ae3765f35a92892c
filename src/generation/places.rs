//! Where the atoms of tokens may be: from free coordinates and a shape of the cell to a crystal of exactly that symmetry.

use std::f64::consts::PI;

use crystal::random::Stream;
use crystal::{Lattice, Structure, SymOp, WyckoffPosition};
use features::ionic_radius;

use super::{GenerationError, Species, Tokens};

/// Volume of the ions over that of the cell: the median of published transition-metal oxides, which a test measures.
const PACKING: f64 = 0.64;
/// Natural logarithm of the largest ratio of a length of a drawn cell to their mean.
const LENGTHS: f64 = 0.8;
/// Largest cosine of an angle of a drawn cell.
const COSINE: f64 = 0.4;
/// Volumes of cells, over those of [`PACKING`].
const VOLUMES: [f64; 2] = [0.85, 1.5];

/// An orbit that waits for its coordinates.
pub(crate) struct Place {
    pub species: Species,
    pub position: &'static WyckoffPosition,
    /// Operations that lead from its first point to each of its points, once.
    images: Vec<SymOp>,
}

/// The orbits of some tokens, with all that does not depend on coordinates.
pub(crate) struct Places {
    pub places: Vec<Place>,
    rotations: Vec<[[f64; 3]; 3]>,
    /// Volume of the conventional cell, Å³, that draws begin with: as requested, or at [`PACKING`].
    volume: f64,
    /// Least and largest volume of a draw over that.
    volumes: [f64; 2],
}

/// The numbers that tokens leave free.
#[derive(Debug, Clone)]
pub(crate) struct Draw {
    /// Volume of the cell over that of [`Places`].
    volume: f64,
    /// Logarithms of the lengths of the cell, up to one summand.
    lengths: [f64; 3],
    /// Cosines of b c, a c, a b.
    cosines: [f64; 3],
    /// x, y, z of each orbit.
    parameters: Vec<[f64; 3]>,
}

impl Places {
    /// The places of `tokens`, in cells of the given volume per atom, Å³, if any.
    ///
    /// # Errors
    /// An ion of which Shannon lists no radius.
    pub fn of(tokens: &Tokens, per_atom: Option<f64>) -> Result<Self, GenerationError> {
        let operations = tokens.setting().operations();
        let (mut places, mut volume) = (Vec::new(), 0.0);
        for (orbit, position) in tokens.positions() {
            volume += position.multiplicity as f64 * 4.0 / 3.0 * PI * radius(orbit.species)?.powi(3);
            places.push(Place { species: orbit.species, position, images: images(position, operations) });
        }
        let mut rotations: Vec<[[i8; 3]; 3]> = operations.iter().map(|op| op.rotation).collect();
        rotations.sort_unstable();
        rotations.dedup();
        let rotations = rotations.into_iter().map(|r| r.map(|row| row.map(f64::from))).collect();
        let (volume, volumes) = match per_atom {
            Some(per_atom) => (per_atom * tokens.sites() as f64, [1.0; 2]),
            None => (volume / PACKING, VOLUMES),
        };
        Ok(Self { places, rotations, volume, volumes })
    }

    /// Free numbers, drawn evenly.
    pub fn draw(&self, random: &mut Stream) -> Draw {
        let mut even = |most: f64| most * (2.0 * f64::from(random.uniform()) - 1.0);
        Draw {
            volume: 1.0,
            lengths: std::array::from_fn(|_| even(LENGTHS)),
            cosines: std::array::from_fn(|_| even(COSINE)),
            parameters: self.places.iter().map(|_| std::array::from_fn(|_| even(0.5))).collect(),
        }
    }

    /// Free numbers near `draw`, at most `step` of their ranges away: those of the cell, or of one orbit.
    pub fn near(&self, draw: &Draw, step: f64, random: &mut Stream) -> Draw {
        let mut near = draw.clone();
        let which = random.below(self.places.len() + 1);
        let mut even = |most: f64| step * most * (2.0 * f64::from(random.uniform()) - 1.0);
        match near.parameters.get_mut(which) {
            Some(parameters) => parameters.iter_mut().for_each(|x| *x += even(0.5)),
            None => {
                near.lengths.iter_mut().for_each(|x| *x += even(LENGTHS));
                near.cosines.iter_mut().for_each(|x| *x = (*x + even(COSINE)).clamp(-COSINE, COSINE));
                near.volume = (near.volume * (1.0 + even(0.3))).clamp(self.volumes[0], self.volumes[1]);
            }
        }
        near
    }

    /// The crystal of `draw`, orbit after orbit, in the conventional cell. Sites are not searched for overlaps.
    ///
    /// # Errors
    /// Lengths and angles that make no lattice, or sites that make no crystal.
    pub fn crystal(&self, draw: &Draw) -> Result<Structure, GenerationError> {
        let lattice = self.lattice(draw)?;
        let (mut species, mut frac) = (Vec::new(), Vec::new());
        for (place, &parameters) in self.places.iter().zip(&draw.parameters) {
            let first = place.position.at(parameters);
            species.extend(std::iter::repeat_n(place.species.element, place.images.len()));
            frac.extend(place.images.iter().map(|op| op.apply(first).map(|x| x - x.floor())));
        }
        Ok(Structure::with_overlaps(lattice, species, frac)?)
    }

    /// The cell of `draw`. The metric tensor of any cell, averaged over the rotations of the group, is one that they leave unchanged:
    /// the cell has the shape of the crystal system.
    fn lattice(&self, draw: &Draw) -> Result<Lattice, GenerationError> {
        let length = draw.lengths.map(f64::exp);
        let cosine = |i: usize, j: usize| if i == j { 1.0 } else { draw.cosines[3 - i - j] };
        let any: [[f64; 3]; 3] = std::array::from_fn(|i| std::array::from_fn(|j| length[i] * length[j] * cosine(i, j)));
        let mut metric = [[0.0; 3]; 3];
        for r in &self.rotations {
            for (i, row) in metric.iter_mut().enumerate() {
                for (j, g) in row.iter_mut().enumerate() {
                    *g += (0..3).map(|k| (0..3).map(|l| r[k][i] * any[k][l] * r[l][j]).sum::<f64>()).sum::<f64>();
                }
            }
        }
        let [a, b, c] = std::array::from_fn(|k| metric[k][k].sqrt());
        let angle = |i: usize, j: usize| {
            let cosine = metric[i][j] / (metric[i][i] * metric[j][j]).sqrt();
            let degrees = cosine.clamp(-1.0, 1.0).acos().to_degrees();
            // Right angles and those of hexagonal axes are exact.
            [90.0, 120.0].into_iter().find(|exact| (degrees - exact).abs() < 1e-9).unwrap_or(degrees)
        };
        let [alpha, beta, gamma] = [angle(1, 2), angle(0, 2), angle(0, 1)];
        let unit = Lattice::from_parameters(10.0, 10.0 * b / a, 10.0 * c / a, alpha, beta, gamma)?;
        let scale = (self.volume * draw.volume / unit.volume()).cbrt();
        Ok(Lattice::new(unit.rows().map(|row| row.map(|x| x * scale)))?)
    }
}

/// Shannon's radius of an ion, Å, as [`ionic_radius`].
pub(crate) fn radius(species: Species) -> Result<f64, GenerationError> {
    let charge = species.charge.of_radius();
    let unknown = GenerationError::Radius { element: species.element.symbol(), charge };
    ionic_radius(species.element, charge).ok_or(unknown)
}

/// The operations, one of each coset, that lead from a point of the position to its other points.
fn images(position: &WyckoffPosition, operations: &[SymOp]) -> Vec<SymOp> {
    let first = position.generic();
    let mut found: Vec<(SymOp, [f64; 3])> = Vec::with_capacity(position.multiplicity);
    for op in operations {
        let image = op.apply(first);
        let same = |(_, known): &(SymOp, [f64; 3])| {
            (0..3).all(|k| (image[k] - known[k] - (image[k] - known[k]).round()).abs() < 1e-6)
        };
        if !found.iter().any(same) {
            found.push((*op, image));
        }
    }
    found.into_iter().map(|(op, _)| op).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::random::mix;
    use crystal::{Setting, Symmetry};
    use formats::hosts::embedded;

    #[test]
    fn every_position_of_every_group_has_its_points() {
        for number in 1..=230 {
            let setting = Setting::usual(number).unwrap();
            for position in setting.wyckoff_positions() {
                let images = images(position, setting.operations());
                assert_eq!(images.len(), position.multiplicity, "{number} {}", position.letter);
            }
        }
    }

    #[test]
    fn tokens_survive_the_way_through_coordinates() {
        let (mut groups, mut count) = (std::collections::BTreeSet::new(), 0);
        for (n, host) in embedded().into_iter().enumerate() {
            let Ok(tokens) = Tokens::of(&host.structure, 0.01) else { continue };
            let places = Places::of(&tokens, None).unwrap();
            let draw = places.draw(&mut Stream::new(mix(&[n as u64])));
            let made = places.crystal(&draw).unwrap();
            assert_eq!(made.len(), tokens.sites(), "{}", host.id);
            assert_eq!(Symmetry::of(&made, 1e-3).unwrap().number, tokens.group(), "{}: {tokens}", host.id);
            assert_eq!(Tokens::of(&made, 1e-3).unwrap(), tokens, "{}", host.id);
            groups.insert(tokens.group());
            count += 1;
        }
        assert!(count > 100 && groups.len() > 30, "{count} crystals of {} space groups", groups.len());
    }

    #[test]
    fn ions_fill_cells_as_they_do_in_published_crystals() {
        let of = |structure: &Structure| {
            let tokens = Tokens::of(structure, 0.01).ok()?;
            let conventional = Symmetry::of(structure, 0.01).ok()?.conventional().ok()?;
            Some(PACKING * Places::of(&tokens, None).ok()?.volume / conventional.volume())
        };
        let mut packing: Vec<f64> = embedded().iter().filter_map(|host| of(&host.structure)).collect();
        packing.sort_by(f64::total_cmp);
        let median = packing[packing.len() / 2];
        assert!((median - PACKING).abs() < 0.01, "{median} of {} crystals", packing.len());
    }
}
