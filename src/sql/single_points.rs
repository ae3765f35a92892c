//! Single-point calculations of the last rows: energy, forces, stress and magnetic moments come from one pass through the network,
//! whichever of them a query asks for first.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crystal::{ContentHash, Structure, content_hash};
use models::ModelError;
use models::potential::{Potential, SinglePoint};

/// Crystals that are kept at least: the last ones, those of one block. At most there are as many again.
const KEPT: usize = 256;

#[derive(Default)]
pub(super) struct SinglePoints(Mutex<Recent>);

/// By the model's id and the crystal's content; the very crystal beside it, for forces belong to its axes and its order of sites.
type Points = HashMap<(String, ContentHash), (Structure, SinglePoint)>;

/// The points of the last crystals, and of those before them.
#[derive(Default)]
struct Recent {
    last: Points,
    before: Points,
}

impl SinglePoints {
    /// What `model` says of a crystal.
    ///
    /// # Errors
    /// As [`Potential::single_points`].
    pub fn of(&self, model: &dyn Potential, structure: &Structure) -> Result<SinglePoint, ModelError> {
        if let Some(known) = self.known(model, structure) {
            return Ok(known);
        }
        let found = model.single_points(&[structure]).remove(0)?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.last.len() >= KEPT {
            kept.before = std::mem::take(&mut kept.last);
        }
        kept.last.insert(key(model, structure), (structure.clone(), found.clone()));
        Ok(found)
    }

    /// Its total energy, eV, by the cheaper pass without gradients where nothing else was asked of it.
    ///
    /// # Errors
    /// As [`Potential::energies`].
    pub fn energy(&self, model: &dyn Potential, structure: &Structure) -> Result<f64, ModelError> {
        match self.known(model, structure) {
            Some(known) => Ok(known.energy),
            None => model.energies(&[structure]).remove(0),
        }
    }

    fn known(&self, model: &dyn Potential, structure: &Structure) -> Option<SinglePoint> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.last.is_empty() {
            return None;
        }
        let key = key(model, structure);
        let mut found = [&kept.last, &kept.before].into_iter().filter_map(|points| points.get(&key));
        found.find(|(of, _)| of == structure).map(|(_, found)| found.clone())
    }
}

fn key(model: &dyn Potential, structure: &Structure) -> (String, ContentHash) {
    (model.id().to_owned(), content_hash(structure))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crystal::{Element, Lattice};

    /// Counts its passes, with gradients and without.
    #[derive(Default)]
    struct Counting([AtomicUsize; 2]);

    impl Potential for Counting {
        fn name(&self) -> &str {
            "counting"
        }

        fn id(&self) -> &str {
            "counting-1"
        }

        fn single_points(&self, structures: &[&Structure]) -> Vec<Result<SinglePoint, ModelError>> {
            self.0[0].fetch_add(1, Ordering::Relaxed);
            let zero = |s: &&Structure| SinglePoint {
                energy: s.lattice().volume(),
                forces: s.frac_coords().to_vec(),
                stress: [[0.0; 3]; 3],
                magmoms: None,
            };
            structures.iter().map(|s| Ok(zero(s))).collect()
        }

        fn energies(&self, structures: &[&Structure]) -> Vec<Result<f64, ModelError>> {
            self.0[1].fetch_add(1, Ordering::Relaxed);
            structures.iter().map(|s| Ok(s.lattice().volume())).collect()
        }
    }

    #[test]
    fn what_gradients_brought_along_is_not_computed_again() {
        let cell = |a: f64, at: [[f64; 3]; 2]| {
            let lattice = Lattice::from_parameters(a, a, a, 90.0, 90.0, 90.0).unwrap();
            Structure::new(lattice, vec![Element::O, Element::O], at.to_vec()).unwrap()
        };
        let (one, turned) = (cell(4.0, [[0.0; 3], [0.5; 3]]), cell(4.0, [[0.5; 3], [0.0; 3]]));
        let (points, model) = (SinglePoints::default(), Counting::default());
        let passes = || [0, 1].map(|i| model.0[i].load(Ordering::Relaxed));
        assert!((points.energy(&model, &one).unwrap() - 64.0).abs() < 1e-9);
        assert_eq!(passes(), [0, 1], "an energy alone takes no gradients");
        let found = points.of(&model, &one).unwrap();
        assert_eq!(points.of(&model, &one).unwrap(), found);
        assert_eq!(points.energy(&model, &one).unwrap(), found.energy);
        assert_eq!(passes(), [1, 1]);
        // The same crystal with its sites in another order has its forces in that order.
        assert_eq!(content_hash(&one), content_hash(&turned));
        assert_ne!(points.of(&model, &turned).unwrap().forces, found.forces);
        // However many there were before, the last ones are there.
        let ask = |crystals: std::ops::Range<usize>| {
            for i in crystals {
                points.of(&model, &cell(5.0 + i as f64 * 0.01, [[0.0; 3], [0.5; 3]])).unwrap();
            }
            passes()[0]
        };
        let other = 3 * KEPT + KEPT / 2;
        let asked = ask(0..other);
        assert_eq!(ask(other - KEPT..other), asked);
        assert_eq!(ask(0..1), asked + 1, "the first is kept for ever");
    }
}
