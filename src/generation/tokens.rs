//! A crystal without its coordinates: the space group, and for each orbit of atoms its species and its Wyckoff position.

use std::fmt;

use crystal::{Composition, Element, Setting, Structure, Symmetry, WyckoffPosition};

use super::{GenerationError, Species};

/// The atoms of one orbit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Orbit {
    /// Letter of its Wyckoff position, in the usual setting of the space group.
    pub letter: char,
    /// What stands there.
    pub species: Species,
}

/// The part of a crystal that a sampler decides: valid by construction, each position one of the space group, those without a free
/// coordinate occupied once, the whole charge-neutral.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tokens {
    group: u16,
    /// In the order of letters, then species: a set, not a sequence.
    orbits: Vec<Orbit>,
}

impl Tokens {
    /// Tokens of a space group, by number, and orbits in any order.
    ///
    /// # Errors
    /// A group or a position that there is not, a position without a free coordinate that is occupied twice, no orbit, or orbits
    /// that are not charge-neutral.
    pub fn new(group: u16, mut orbits: Vec<Orbit>) -> Result<Self, GenerationError> {
        let setting = Setting::usual(group).ok_or(GenerationError::Group(group))?;
        orbits.sort_unstable();
        for orbit in &orbits {
            let Some(position) = position(setting, orbit.letter) else {
                let known = setting.wyckoff_positions().iter().rev().map(|p| p.letter).collect();
                return Err(GenerationError::Position { group, letter: orbit.letter, known });
            };
            let twice = orbits.iter().filter(|other| other.letter == orbit.letter).count() > 1;
            if twice && position.free() == [false; 3] {
                return Err(GenerationError::Occupied { group, letter: orbit.letter });
            }
        }
        let tokens = Self { group, orbits };
        if tokens.orbits.is_empty() || !tokens.is_neutral() {
            return Err(GenerationError::Charges(tokens.composition().reduced_formula()));
        }
        Ok(tokens)
    }

    /// The tokens of a crystal, distances up to `symprec` Å taken as equal: space group and orbits as [`Symmetry::of`], oxidation states
    /// as [`neutral_states`](features::neutral_states()). Of the names that a choice of origin and axes gives to positions the
    /// alphabetically first.
    ///
    /// # Errors
    /// A crystal whose symmetry is not found, or that is not charge-neutral.
    pub fn of(structure: &Structure, symprec: f64) -> Result<Self, GenerationError> {
        let composition = structure.composition();
        let charges = || GenerationError::Charges(composition.reduced_formula());
        let species = Species::of(&composition).ok_or_else(charges)?;
        let symmetry = Symmetry::of(structure, symprec)?;
        let of = |element: Element| species.iter().find(|s| s.element == element).copied();
        // The first site of each orbit stands for it, whatever the cell.
        let first = (0..structure.len()).filter(|&site| symmetry.orbits[site] == site);
        let orbit = |site| {
            let species = of(structure.species()[site]).ok_or_else(charges)?;
            Ok(Orbit { letter: symmetry.wyckoffs[site], species })
        };
        let orbits = first.map(orbit).collect::<Result<Vec<_>, GenerationError>>()?;
        Ok(Self::new(symmetry.number, orbits)?.canonical())
    }

    /// Number of the space group.
    pub fn group(&self) -> u16 {
        self.group
    }

    /// The orbits, in the order of letters.
    pub fn orbits(&self) -> &[Orbit] {
        &self.orbits
    }

    /// The usual setting of the space group.
    pub(crate) fn setting(&self) -> &'static Setting {
        usual(self.group)
    }

    /// Each orbit with its position, in the order of [`Tokens::orbits`].
    pub fn positions(&self) -> impl Iterator<Item = (&Orbit, &'static WyckoffPosition)> {
        let setting = self.setting();
        self.orbits.iter().filter_map(move |orbit| Some((orbit, position(setting, orbit.letter)?)))
    }

    /// Amounts in the conventional cell.
    pub fn composition(&self) -> Composition {
        self.positions().map(|(orbit, position)| (orbit.species.element, position.multiplicity as f64)).collect()
    }

    /// Atoms in the conventional cell.
    pub fn sites(&self) -> usize {
        self.positions().map(|(_, position)| position.multiplicity).sum()
    }

    /// Least and largest total charge of the conventional cell, e: those of the lower and of the higher states.
    pub fn charge(&self) -> (i64, i64) {
        self.positions().fold((0, 0), |(low, high), (orbit, position)| {
            let (n, charge) = (position.multiplicity as i64, orbit.species.charge);
            (low + n * i64::from(charge.low), high + n * i64::from(charge.high))
        })
    }

    /// Whether some division of the ions of mixed valence between their states is neutral.
    fn is_neutral(&self) -> bool {
        let (low, high) = self.charge();
        low <= 0 && high >= 0
    }

    /// The same tokens under every choice of origin and axes, each once, in order.
    pub fn equivalents(&self) -> Vec<Self> {
        let renamed = |renaming: &Vec<(char, char)>| {
            let new = |letter| renaming.iter().find(|(old, _)| *old == letter).map_or(letter, |(_, new)| *new);
            let mut orbits: Vec<Orbit> =
                self.orbits.iter().map(|orbit| Orbit { letter: new(orbit.letter), ..*orbit }).collect();
            orbits.sort_unstable();
            Self { group: self.group, orbits }
        };
        let mut all: Vec<Self> = self.setting().renamings().iter().map(renamed).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The first of [`Tokens::equivalents`]: the same for every choice of origin and axes.
    pub fn canonical(&self) -> Self {
        self.equivalents().into_iter().next().unwrap_or_else(|| self.clone())
    }

    /// The site symmetry of an orbit, and which of the group's positions of that symmetry it is on, from 0, the last letter first. This
    /// pair names a position as its letter does, in words that groups share.
    pub fn site_symmetry(&self, orbit: &Orbit) -> Option<(&'static str, usize)> {
        let setting = self.setting();
        let own = position(setting, orbit.letter)?;
        let alike = setting.wyckoff_positions().iter().filter(|p| p.site_symmetry == own.site_symmetry);
        Some((own.site_symmetry, alike.take_while(|p| p.letter != own.letter).count()))
    }
}

/// The usual setting of a space group that was checked.
fn usual(group: u16) -> &'static Setting {
    Setting::usual(group).expect("tokens are of a space group")
}

fn position(setting: &Setting, letter: char) -> Option<&'static WyckoffPosition> {
    setting.wyckoff_positions().iter().find(|p| p.letter == letter)
}

impl fmt::Display for Tokens {
    /// `136 Ti4+:2a O2-:4f`: the space group, then species and position of each orbit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.group)?;
        self.positions()
            .try_for_each(|(orbit, position)| write!(f, " {}:{}{}", orbit.species, position.multiplicity, orbit.letter))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::Charge;
    use formats::hosts::{embedded, host};

    pub(crate) fn species(symbol: &str, charge: i8) -> Species {
        Species { element: Element::from_symbol(symbol).unwrap(), charge: Charge::whole(charge) }
    }

    fn orbit(letter: char, symbol: &str, charge: i8) -> Orbit {
        Orbit { letter, species: species(symbol, charge) }
    }

    #[test]
    fn published_crystals_in_words() {
        for (id, words) in [
            ("pyrolusite", "136 Mn4+:2a O2-:4f"),
            ("hollandite-mno2", "87 O2-:8h O2-:8h Mn4+:8h"),
            ("manganosite", "225 O2-:4a Mn2+:4b"),
        ] {
            let tokens = Tokens::of(&host(id).unwrap(), 0.01).unwrap();
            assert_eq!(tokens.to_string(), words);
            assert_eq!(tokens.charge(), (0, 0));
        }
        let rutile = Tokens::of(&host("pyrolusite").unwrap(), 0.01).unwrap();
        let sites: Vec<_> = rutile.orbits().iter().filter_map(|o| rutile.site_symmetry(o)).collect();
        assert_eq!(sites, [("m.mm", 1), ("m.2m", 1)]);
    }

    #[test]
    fn a_crystal_has_one_description_whatever_its_cell() {
        for host in embedded().into_iter().step_by(7) {
            let Ok(tokens) = Tokens::of(&host.structure, 0.01) else { continue };
            let moved = host.structure.frac_coords().iter().map(|x| x.map(|x| x + 0.25)).collect();
            let moved = host.structure.in_basis(*host.structure.lattice(), moved).supercell([1, 2, 1]).unwrap();
            assert_eq!(Tokens::of(&moved, 0.01).unwrap(), tokens, "{}", host.id);
            assert!(tokens.equivalents().iter().all(|other| other.canonical() == tokens), "{}", host.id);
        }
    }

    #[test]
    fn published_crystals_are_charge_neutral() {
        let mut count = 0;
        for host in embedded() {
            let Ok(tokens) = Tokens::of(&host.structure, 0.01) else { continue };
            let (low, high) = tokens.charge();
            assert!(low <= 0 && high >= 0, "{}: {tokens}", host.id);
            assert!(tokens.composition().same_proportions(&host.structure.composition(), 1e-9), "{}", host.id);
            count += 1;
        }
        assert!(count > 100, "{count}");
    }

    #[test]
    fn what_is_no_crystal_is_refused() {
        let refused = |group, orbits| Tokens::new(group, orbits).unwrap_err().to_string();
        let (ti, o) = (orbit('a', "Ti", 4), orbit('f', "O", -2));
        assert!(Tokens::new(136, vec![o, ti]).is_ok());
        assert!(refused(231, vec![ti, o]).contains("outside 1 to 230"));
        assert!(refused(136, vec![ti, orbit('z', "O", -2)]).contains("its positions are abcdefghijk"));
        assert!(refused(136, vec![ti, ti, o, o]).contains("holds one ion"));
        assert!(refused(136, vec![orbit('a', "Al", 3), o]).contains("not charge-neutral"));
        assert!(refused(136, Vec::new()).contains("not charge-neutral"));
    }
}
