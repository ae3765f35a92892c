//! The Wyckoff positions of all space groups in the words that groups share: site symmetry, and number among those alike.

use std::sync::LazyLock;

use crystal::Setting;

/// Number of space groups.
pub(super) const GROUPS: usize = 230;

/// A Wyckoff position in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Its letter in the usual setting.
    pub letter: char,
    /// Its site symmetry, as a place in [`Words::symmetries`].
    pub symmetry: usize,
    /// Which of the group's positions of that symmetry it is, from 0, the last letter first.
    pub number: usize,
    /// Number of its points in the conventional cell.
    pub multiplicity: i64,
    /// Whether it has no free coordinate, and so holds one orbit.
    pub fixed: bool,
}

/// The positions of all groups.
pub(super) struct Words {
    /// Site symmetries of all groups, in order.
    pub symmetries: Vec<&'static str>,
    /// How many positions of one group are alike at most.
    pub numbers: usize,
    groups: Vec<Vec<Place>>,
}

impl Words {
    /// The positions of a group, 1 to 230, the general one first.
    pub fn of_group(&self, group: u16) -> &[Place] {
        &self.groups[usize::from(group) - 1]
    }
}

/// The positions of all groups, which weights are made for.
pub(super) static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let positions = |group: usize| Setting::usual(group as u16).map_or(&[][..], Setting::wyckoff_positions);
    let all = || (1..=GROUPS).map(positions);
    let mut symmetries: Vec<&'static str> = all().flatten().map(|p| p.site_symmetry).collect();
    symmetries.sort_unstable();
    symmetries.dedup();
    let of_group = |positions: &'static [crystal::WyckoffPosition]| -> Vec<Place> {
        let place = |(k, p): (usize, &crystal::WyckoffPosition)| Place {
            letter: p.letter,
            symmetry: symmetries.binary_search(&p.site_symmetry).unwrap_or_default(),
            number: positions[..k].iter().filter(|q| q.site_symmetry == p.site_symmetry).count(),
            multiplicity: p.multiplicity as i64,
            fixed: p.free() == [false; 3],
        };
        positions.iter().enumerate().map(place).collect()
    };
    let groups: Vec<Vec<Place>> = all().map(of_group).collect();
    let numbers = groups.iter().flatten().map(|place| place.number + 1).max().unwrap_or_default();
    Words { symmetries, numbers, groups }
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Orbit, Tokens, tokens::tests::species};

    #[test]
    fn words_name_positions_as_tokens_do() {
        for group in 1..=GROUPS as u16 {
            let places = WORDS.of_group(group);
            let mut named = std::collections::BTreeSet::new();
            for place in places {
                assert!(named.insert((place.symmetry, place.number)), "{group} {}", place.letter);
                let orbit = |symbol, charge| Orbit { letter: place.letter, species: species(symbol, charge) };
                // Neutral on every position that can be taken twice; of the others one ion without a charge.
                let orbits = match place.fixed {
                    true => vec![orbit("Pd", 0)],
                    false => vec![orbit("Zn", 2), orbit("O", -2)],
                };
                let tokens = Tokens::new(group, orbits).unwrap();
                let words = tokens.site_symmetry(&tokens.orbits()[0]).unwrap();
                assert_eq!((WORDS.symmetries[place.symmetry], place.number), words, "{group} {}", place.letter);
            }
            assert!(!places[0].fixed && places.iter().all(|p| p.multiplicity <= places[0].multiplicity), "{group}");
        }
    }

    #[test]
    fn weights_are_made_for_so_many_words() {
        // Another table of positions would give the numbers of the weights another meaning.
        assert_eq!((WORDS.symmetries.len(), WORDS.numbers), (78, 8));
    }
}
