//! The domain of a model: the kinds of crystals that it was trained on.

use serde::{Deserialize, Serialize};

use crystal::Structure;
use features::volume_per_atom;

/// Translations that map a crystal onto itself within this many Å make its cell smaller.
const TOLERANCE: f64 = 0.1;

/// Least and greatest sizes among the training crystals. Elements stand in the card beside it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Domain {
    /// Atoms in the cell.
    pub atoms: (usize, usize),
    /// Volume of the cell over its atoms, Å³.
    pub volume_per_atom: (f64, f64),
    /// Shortest distance between two atoms, Å.
    pub distance_min: (f64, f64),
}

impl Domain {
    /// Of the training crystals; `None` of none.
    pub fn of<'a>(training: impl Iterator<Item = &'a Structure>) -> Option<Self> {
        let one = |structure: &Structure| {
            let (n, volume, distance) = (structure.len(), volume_per_atom(structure), structure.distance_min());
            Self { atoms: (n, n), volume_per_atom: (volume, volume), distance_min: (distance, distance) }
        };
        training.map(one).reduce(|all, one| all.and(&one))
    }

    /// What either covers.
    pub fn and(&self, other: &Self) -> Self {
        let wider = |a: (f64, f64), b: (f64, f64)| (a.0.min(b.0), a.1.max(b.1));
        Self {
            atoms: (self.atoms.0.min(other.atoms.0), self.atoms.1.max(other.atoms.1)),
            volume_per_atom: wider(self.volume_per_atom, other.volume_per_atom),
            distance_min: wider(self.distance_min, other.distance_min),
        }
    }

    /// Why the crystal is outside; `None` where it is inside. A supercell is as large as the crystal it repeats.
    pub fn outside(&self, structure: &Structure) -> Option<String> {
        let beyond = |what: &str, unit: &str, x: f64, (low, high): (f64, f64)| {
            // Training crystals must be inside despite the rounding of the numbers in the card.
            let slack = 1e-6 * high.abs();
            (x < low - slack || x > high + slack)
                .then(|| format!("{what} of {x:.2} {unit}: the model saw {low:.2} to {high:.2}"))
        };
        let (fewest, most) = self.atoms;
        let mut atoms = structure.len();
        if atoms > most {
            atoms = structure.primitive(TOLERANCE).len();
        }
        if atoms < fewest || atoms > most {
            return Some(format!("{atoms} atoms in the cell: the model saw {fewest} to {most}"));
        }
        beyond("a volume per atom", "Å³", volume_per_atom(structure), self.volume_per_atom)
            .or_else(|| beyond("a shortest distance", "Å", structure.distance_min(), self.distance_min))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::testing::cscl;

    #[test]
    fn crystals_of_sizes_never_seen_are_outside_with_the_reason() {
        let seen = [cscl("Ni", 2.5), cscl("Ni", 2.8)];
        let domain = Domain::of(seen.iter()).unwrap();
        assert_eq!(domain.atoms, (2, 2));
        for structure in &seen {
            assert_eq!(domain.outside(structure), None);
        }
        let reason = domain.outside(&cscl("Ni", 9.0)).unwrap();
        assert!(reason.contains("volume per atom of 364.50 Å³") && reason.contains("7.81 to 10.98"), "{reason}");
        assert!(domain.outside(&cscl("Ni", 1.0)).is_some());
        assert_eq!(Domain::of(std::iter::empty()), None);
        // A card that is read back gives the same answers.
        let read: Domain = serde_json::from_str(&serde_json::to_string(&domain).unwrap()).unwrap();
        assert_eq!(read, domain);
    }

    #[test]
    fn a_supercell_is_no_larger_than_its_crystal() {
        let domain = Domain::of(std::iter::once(&cscl("Ni", 2.6))).unwrap();
        assert_eq!(domain.outside(&cscl("Ni", 2.6).supercell([2, 1, 3]).unwrap()), None);
        let mut sites = cscl("Ni", 2.6).supercell([2, 1, 1]).unwrap().frac_coords().to_vec();
        sites[0][0] += 0.1;
        let double = cscl("Ni", 2.6).supercell([2, 1, 1]).unwrap();
        let moved = Structure::new(*double.lattice(), double.species().to_vec(), sites).unwrap();
        assert!(domain.outside(&moved).unwrap().contains("4 atoms"));
    }
}
