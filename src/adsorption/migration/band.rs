//! Nudged elastic bands: images of a crystal between two minima, moved until they lie on the path of least energy.
//!
//! An image feels its true force across the path and springs along it; the tangent is that of Henkelman & Jónsson, *J. Chem. Phys.*
//! **113** (2000) 9978, which looks to the higher neighbour. Once the longest force is below [`CLIMBS`], the highest image climbs: its
//! force along the path is turned round and no spring holds it (Henkelman, Uberuaga & Jónsson, *J. Chem. Phys.* **113** (2000)
//! 9901), so it ends on the saddle. All images of a band move as one by FIRE (see `relax`). The cell is held. These are the forces
//! and the steps of ASE's `NEB(method='improvedtangent')`, and so are the barriers.

use std::ops::ControlFlow;

use crate::{
    AdsorptionError,
    relax::{Fire, Follower, Round, longest, unanswered},
};
use crystal::Structure;
use models::potential::{Potential, SinglePoint};

/// Stiffness of the springs, eV/Å².
const SPRING: f64 = 0.1;
/// The highest image climbs once the longest force is below this, eV/Å.
const CLIMBS: f64 = 0.5;

/// The path before it is moved.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// At least three crystals of the same cell and atoms, the first and the last of which are held. From one to the next each atom
    /// moves as its coordinates say, whole cells included.
    pub images: Vec<Structure>,
    /// Energy of the first and of the last, eV.
    pub ends: [f64; 2],
}

/// A path that was moved.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// The images, ends included.
    pub images: Vec<Structure>,
    /// Energy of each, eV.
    pub energies: Vec<f64>,
    /// The longest force left on an atom of a moving image, eV/Å.
    pub fmax: f64,
    /// Whether it is below the requested one, while the highest image climbed.
    pub converged: bool,
    /// Steps taken.
    pub steps: usize,
}

/// Moves `paths` on the surface of `potential` until no force is longer than `fmax`, eV/Å, or `steps` are taken, each path an answer of
/// its own. The follower is called at every round, and may break off.
///
/// # Errors
/// Per path: as [`Potential::single_points`]; fewer than three images, or images of different crystals; an energy or force that is not a
/// number.
pub fn band(
    potential: &dyn Potential,
    paths: Vec<Path>,
    (fmax, steps): (f64, usize),
    follower: &mut impl Follower,
) -> ControlFlow<(), Vec<Result<Band, AdsorptionError>>> {
    let of = paths.len();
    let mut ends: Vec<Option<Result<Band, AdsorptionError>>> = paths.iter().map(|_| None).collect();
    let mut moving: Vec<(usize, Moving)> = Vec::new();
    for (number, path) in paths.into_iter().enumerate() {
        match Moving::new(path) {
            Ok(band) => moving.push((number, band)),
            Err(error) => ends[number] = Some(Err(error)),
        }
    }
    for step in 0.. {
        if moving.is_empty() {
            break;
        }
        let crystals: Vec<&Structure> = moving.iter().flat_map(|(_, band)| band.inner()).collect();
        let mut answers = potential.single_points(&crystals).into_iter();
        let mut left = Vec::with_capacity(moving.len());
        for (number, mut band) in moving {
            let all = (0..band.inner().len()).map(|_| Ok(answers.next().ok_or_else(|| unanswered(potential))??));
            // Every answer is taken, even where the first is an error.
            let all: Vec<Result<SinglePoint, AdsorptionError>> = all.collect();
            match all.into_iter().collect::<Result<Vec<_>, _>>().and_then(|all| band.advance(&all, fmax, steps)) {
                Ok(None) => left.push((number, band)),
                Ok(Some(end)) => ends[number] = Some(Ok(end)),
                Err(error) => ends[number] = Some(Err(error)),
            }
        }
        moving = left;
        follower.round(Round { step, active: moving.len(), of })?;
    }
    ControlFlow::Continue(ends.into_iter().map(|end| end.unwrap_or_else(|| Err(unanswered(potential)))).collect())
}

/// A band on its way.
struct Moving {
    images: Vec<Structure>,
    /// Cartesian coordinates of every image, Å.
    at: Vec<Vec<f64>>,
    energies: Vec<f64>,
    fire: Fire,
    climbs: bool,
    steps: usize,
}

impl Moving {
    fn new(path: Path) -> Result<Self, AdsorptionError> {
        let Path { images, ends } = path;
        let alike = |a: &Structure, b: &Structure| a.species() == b.species() && a.lattice() == b.lattice();
        if images.len() < 3 || !images.windows(2).all(|pair| alike(&pair[0], &pair[1])) {
            return Err(AdsorptionError::Undefined(format!(
                "a band of {} images; it needs three or more, with the same atoms in the same cell",
                images.len()
            )));
        }
        let at: Vec<Vec<f64>> = images.iter().map(|image| image.cart_coords().into_flattened()).collect();
        let mut energies = vec![0.0; images.len()];
        (energies[0], energies[images.len() - 1]) = (ends[0], ends[1]);
        Ok(Self { images, at, energies, fire: Fire::default(), climbs: false, steps: 0 })
    }

    /// The images that move.
    fn inner(&self) -> &[Structure] {
        &self.images[1..self.images.len() - 1]
    }

    /// Takes the potential's answers for the moving images: ends, or makes a step.
    fn advance(&mut self, answers: &[SinglePoint], fmax: f64, steps: usize) -> Result<Option<Band>, AdsorptionError> {
        let inner = 1..self.images.len() - 1;
        for (energy, answer) in self.energies[inner.clone()].iter_mut().zip(answers) {
            *energy = answer.energy;
        }
        let forces: Vec<&[f64]> = answers.iter().map(|answer| answer.forces.as_flattened()).collect();
        if !(self.energies.iter().chain(forces.iter().copied().flatten()).all(|x| x.is_finite())) {
            return Err(AdsorptionError::Undefined(format!(
                "the energy or a force of an image is not a number after {} steps",
                self.steps
            )));
        }
        let highest = inner.clone().max_by(|&a, &b| self.energies[a].total_cmp(&self.energies[b])).unwrap_or(1);
        let moves_with = |climber| nudged(&self.at, &self.energies, &forces, climber);
        let mut moves = moves_with(self.climbs.then_some(highest));
        if !self.climbs && longest(&moves) < CLIMBS {
            self.climbs = true;
            moves = moves_with(Some(highest));
        }
        let left = longest(&moves);
        if (self.climbs && left < fmax) || self.steps == steps {
            return Ok(Some(Band {
                images: self.images.clone(),
                energies: self.energies.clone(),
                fmax: left,
                converged: self.climbs && left < fmax,
                steps: self.steps,
            }));
        }
        let mut all: Vec<f64> = self.at[inner.clone()].concat();
        self.fire.step(&mut all, &moves);
        let numbers = self.at[0].len();
        for (image, x) in inner.zip(all.chunks_exact(numbers)) {
            self.at[image].copy_from_slice(x);
            self.images[image] = placed(&self.images[0], x)?;
        }
        self.steps += 1;
        Ok(None)
    }
}

/// The crystal with its atoms at other Cartesian coordinates, Å.
pub(super) fn placed(crystal: &Structure, at: &[f64]) -> Result<Structure, AdsorptionError> {
    let frac = at.chunks_exact(3).map(|x| crystal.lattice().to_fractional([x[0], x[1], x[2]])).collect();
    Ok(Structure::with_overlaps(*crystal.lattice(), crystal.species().to_vec(), frac)?)
}

/// What moves the inner images of a path, one after the other: the true forces across it, springs along it, and for the climber the
/// true force turned round along it.
fn nudged(at: &[Vec<f64>], energies: &[f64], forces: &[&[f64]], climber: Option<usize>) -> Vec<f64> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let from = |i: usize| -> Vec<f64> { at[i + 1].iter().zip(&at[i]).map(|(b, a)| b - a).collect() };
    let steps: Vec<Vec<f64>> = (0..at.len() - 1).map(from).collect();
    let lengths: Vec<f64> = steps.iter().map(|step| dot(step, step).sqrt()).collect();
    let mut moves = Vec::with_capacity(forces.len() * at[0].len());
    for i in 1..at.len() - 1 {
        let (before, after) = (&steps[i - 1], &steps[i]);
        let [a, b] = shares([energies[i - 1], energies[i], energies[i + 1]]);
        let mut tangent: Vec<f64> = before.iter().zip(after).map(|(x, y)| a * x + b * y).collect();
        let length = dot(&tangent, &tangent).sqrt().max(f64::MIN_POSITIVE);
        tangent.iter_mut().for_each(|x| *x /= length);
        let along = dot(forces[i - 1], &tangent);
        let added = if climber == Some(i) { -2.0 * along } else { SPRING * (lengths[i] - lengths[i - 1]) - along };
        moves.extend(forces[i - 1].iter().zip(&tangent).map(|(f, t)| f + added * t));
    }
    moves
}

/// How much of the step before and of the one after makes the tangent at the middle one of three images.
fn shares([before, here, after]: [f64; 3]) -> [f64; 2] {
    if after > here && here > before {
        return [0.0, 1.0];
    }
    if after < here && here < before {
        return [1.0, 0.0];
    }
    let changes = [(after - here).abs(), (before - here).abs()];
    let (most, least) = (changes[0].max(changes[1]), changes[0].min(changes[1]));
    if after > before { [least, most] } else { [most, least] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::{Element, Lattice};
    use models::ModelError;

    /// One atom in a square well of waves, E = h (2 - cos 2πx - cos 2πy)/2 + tilt · x, in a cell of 4 Å: minima at the corners, saddles
    /// of height h in the middle of the sides, tops of 2 h in the middle.
    struct Waves {
        height: f64,
    }

    impl Potential for Waves {
        fn name(&self) -> &str {
            "waves"
        }

        fn id(&self) -> &str {
            "waves"
        }

        fn single_points(&self, structures: &[&Structure]) -> Vec<Result<SinglePoint, ModelError>> {
            let turn = std::f64::consts::TAU;
            let of = |s: &&Structure| {
                let x = s.frac_coords()[0];
                let gradient = |x: f64| -self.height * turn / 4.0 / 2.0 * (turn * x).sin();
                SinglePoint {
                    energy: self.height * (2.0 - (turn * x[0]).cos() - (turn * x[1]).cos()) / 2.0,
                    forces: vec![[gradient(x[0]), gradient(x[1]), 0.0]],
                    stress: [[0.0; 3]; 3],
                    magmoms: None,
                }
            };
            structures.iter().map(|s| Ok(of(s))).collect()
        }
    }

    fn atom(x: [f64; 3]) -> Structure {
        let lattice = Lattice::from_parameters(4.0, 4.0, 4.0, 90.0, 90.0, 90.0).unwrap();
        Structure::with_overlaps(lattice, vec![Element::from_symbol("Li").unwrap()], vec![x]).unwrap()
    }

    fn watch(_: Round) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn one(path: Path, height: f64) -> Result<Band, AdsorptionError> {
        let ControlFlow::Continue(mut bands) = band(&Waves { height }, vec![path], (0.01, 400), &mut watch) else {
            panic!("no follower broke off")
        };
        bands.remove(0)
    }

    #[test]
    fn the_highest_image_ends_on_the_saddle() {
        // A detour, with an even number of moving images, of which none begins on the saddle.
        let points =
            [[0.0, 0.0, 0.5], [0.2, 0.15, 0.5], [0.4, 0.25, 0.5], [0.7, 0.2, 0.5], [0.9, 0.1, 0.5], [1.0, 0.0, 0.5]];
        let band = one(Path { images: points.map(atom).to_vec(), ends: [0.0, 0.0] }, 0.8).unwrap();
        assert!(band.converged && band.steps > 3, "{band:?}");
        let top = band.energies.iter().copied().fold(0.0, f64::max);
        assert!((top - 0.8).abs() < 1e-3, "{:?}", band.energies);
        // All lie on the straight line, and the ends have not moved.
        for image in &band.images {
            assert!(image.frac_coords()[0][1].abs() < 0.02, "{:?}", band.images);
        }
        assert_eq!((&band.images[0], &band.images[5]), (&atom(points[0]), &atom(points[5])));
    }

    #[test]
    fn the_tangent_looks_to_the_higher_neighbour() {
        assert_eq!(shares([0.0, 1.0, 2.0]), [0.0, 1.0]);
        assert_eq!(shares([2.0, 1.0, 0.0]), [1.0, 0.0]);
        // At a maximum and at a minimum both, the higher one more.
        assert_eq!(shares([0.0, 2.0, 1.0]), [1.0, 2.0]);
        assert_eq!(shares([1.0, 2.0, 0.0]), [2.0, 1.0]);
        assert_eq!(shares([3.0, 1.0, 2.0]), [2.0, 1.0]);
    }

    #[test]
    fn what_is_no_band_is_said_and_a_watcher_may_break_off() {
        let short = Path { images: vec![atom([0.0; 3]), atom([1.0, 0.0, 0.0])], ends: [0.0; 2] };
        assert!(one(short, 1.0).unwrap_err().to_string().contains("2 images"));
        let broken = Path { images: [0.0, 0.3, 1.0].map(|x| atom([x, 0.0, 0.0])).to_vec(), ends: [0.0; 2] };
        assert!(one(broken.clone(), f64::NAN).unwrap_err().to_string().contains("not a number"));
        let mut stop = |_: Round| ControlFlow::Break(());
        assert!(band(&Waves { height: 1.0 }, vec![broken], (0.01, 100), &mut stop).is_break());
    }
}
