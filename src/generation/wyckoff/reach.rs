//! What can still end charge-neutral: for each total charge, how many more orbits and atoms it takes at least to bring it to zero.
//!
//! An orbit of n ions of charge q changes the total by n·q, one of mixed valence by anything between n·low and n·high. Positions without a
//! free coordinate are used once, so that there is a table for each set of them that is left; of those alike only the number
//! counts. The first is filled as shortest paths are: orbits on free positions are added to what is known as long as it becomes
//! shorter.

use super::places::Place;
use super::written::Written;
use crate::Charge;

/// Larger totals, e, count as out of reach.
const LARGEST: i64 = 900;
/// Number of totals.
const TOTALS: usize = 2 * LARGEST as usize + 1;
/// No number of orbits or atoms suffices.
const NEVER: u16 = u16::MAX / 2;

/// The least that changes the total charge by each amount.
#[derive(Debug, Clone)]
struct Least {
    orbits: Vec<u16>,
    atoms: Vec<u16>,
}

/// What can still end neutral in one space group, of ions of given charges.
#[derive(Debug)]
pub(super) struct Reach {
    /// Multiplicities of the fixed positions, each once, ascending, and how many there are of each.
    fixed: Vec<(i64, usize)>,
    /// By how many of each are left, in the order of [`all_up_to`].
    least: Vec<Least>,
}

impl Reach {
    /// The tables of a group with `places`, for ions of `charges`, up to `orbits` more of them.
    pub fn new(places: &[Place], charges: &[Charge], orbits: usize) -> Self {
        let distinct = |fixed: bool| {
            let mut all: Vec<i64> = places.iter().filter(|p| p.fixed == fixed).map(|p| p.multiplicity).collect();
            all.sort_unstable();
            all.dedup();
            all
        };
        let count = |m: i64| places.iter().filter(|p| p.fixed && p.multiplicity == m).count();
        let fixed = distinct(true).into_iter().map(|m| (m, count(m))).collect();
        let (free, intervals) = (distinct(false), merged(charges));
        let mut reach = Self { fixed, least: Vec::new() };
        // By free positions alone.
        let mut free_alone = Least { orbits: vec![NEVER; TOTALS], atoms: vec![NEVER; TOTALS] };
        free_alone.orbits[LARGEST as usize] = 0;
        free_alone.atoms[LARGEST as usize] = 0;
        for _ in 0..orbits {
            let known = free_alone.clone();
            if !free.iter().map(|&m| free_alone.shorten(&known, m, &intervals)).fold(false, |a, b| a | b) {
                break;
            }
        }
        // One more fixed orbit on what fewer of them reach with any number of free ones.
        for left in all_up_to(&reach.fixed) {
            let mut own = free_alone.clone();
            for k in (0..left.len()).filter(|&k| left[k] > 0) {
                let mut fewer = left.clone();
                fewer[k] -= 1;
                own.shorten(&reach.least[reach.place(&fewer)], reach.fixed[k].0, &intervals);
            }
            reach.least.push(own);
        }
        reach
    }

    /// Where the table of what is left stands.
    fn place(&self, left: &[usize]) -> usize {
        self.fixed.iter().zip(left).fold(0, |place, ((_, count), left)| place * (count + 1) + left)
    }

    /// Whether what is written can end neutral with so many more orbits and atoms.
    #[cfg(test)]
    pub fn allows(&self, written: &Written, orbits: usize, atoms: i64) -> bool {
        self.allows_with(&self.left(written), written.charge, orbits, atoms)
    }

    /// Whether what is written can end neutral with an ion of `charge` on one of its places, which has room, and so many orbits and atoms,
    /// this one among them.
    pub fn allows_on(&self, written: &Written, charge: Charge, place: usize, orbits: usize, atoms: i64) -> bool {
        let Some(orbits) = orbits.checked_sub(1) else { return false };
        let place = &written.places()[place];
        let mut left = self.left(written);
        if let Some(k) = self.fixed.iter().position(|(m, _)| place.fixed && *m == place.multiplicity) {
            left[k] -= 1;
        }
        let n = place.multiplicity;
        let (low, high) = written.charge;
        let total = (low + n * i64::from(charge.low), high + n * i64::from(charge.high));
        self.allows_with(&left, total, orbits, atoms - n)
    }

    /// How many fixed positions of each multiplicity are left.
    fn left(&self, written: &Written) -> Vec<usize> {
        let open = |m: i64| {
            let all = written.places().iter().enumerate();
            all.filter(|(k, place)| place.fixed && place.multiplicity == m && written.has_room(*k)).count()
        };
        self.fixed.iter().map(|(m, _)| open(*m)).collect()
    }

    fn allows_with(&self, left: &[usize], (low, high): (i64, i64), orbits: usize, atoms: i64) -> bool {
        let least = &self.least[self.place(left)];
        // A total between the two is brought to zero by its opposite.
        let (first, last) = ((-high).max(-LARGEST), (-low).min(LARGEST));
        (first..=last)
            .map(|total| (total + LARGEST) as usize)
            .any(|k| usize::from(least.orbits[k]) <= orbits && i64::from(least.atoms[k]) <= atoms)
    }
}

impl Least {
    /// Adds an orbit of multiplicity `m` to what is `known`; whether anything became shorter.
    fn shorten(&mut self, known: &Self, m: i64, intervals: &[(i64, i64)]) -> bool {
        let mut shorter = false;
        for &(low, high) in intervals {
            let of = |own: &mut [u16], known: &[u16], cost: u16| {
                let nearest = window_minimum(known, m * low, m * high);
                own.iter_mut().zip(nearest).fold(false, |shorter, (own, near)| {
                    let through = near.saturating_add(cost).min(NEVER);
                    let better = through < *own;
                    *own = (*own).min(through);
                    shorter | better
                })
            };
            shorter |= of(&mut self.orbits, &known.orbits, 1);
            shorter |= of(&mut self.atoms, &known.atoms, m as u16);
        }
        shorter
    }
}

/// For each total t the least of `known` at t - high to t - low.
fn window_minimum(known: &[u16], low: i64, high: i64) -> Vec<u16> {
    let length = (high - low + 1) as usize;
    let at = |k: i64| usize::try_from(k).ok().and_then(|k| known.get(k).copied()).unwrap_or(NEVER);
    // What the windows of all totals cover together, one after another.
    let mut least: Vec<u16> = (-high..known.len() as i64 - low).map(at).collect();
    // The minimum over a window that doubles until it is more than half of the wanted width: two of them cover that.
    let mut reached = 1;
    while 2 * reached <= length {
        least = least.iter().zip(&least[reached..]).map(|(here, ahead)| *here.min(ahead)).collect();
        reached *= 2;
    }
    least.iter().zip(&least[length - reached..]).map(|(first, last)| *first.min(last)).take(known.len()).collect()
}

/// The charges of some ions as few intervals of whole charges, where those that touch are one: half way from 3 to 4 and from 4 to 5 is
/// anywhere from 3 to 5.
fn merged(charges: &[Charge]) -> Vec<(i64, i64)> {
    let mut all: Vec<(i64, i64)> = charges.iter().map(|c| (i64::from(c.low), i64::from(c.high))).collect();
    all.sort_unstable();
    all.dedup();
    // Single states within an interval say nothing new.
    let mixed: Vec<(i64, i64)> = all.iter().copied().filter(|(low, high)| low < high).collect();
    let mut merged: Vec<(i64, i64)> = Vec::new();
    for (low, high) in mixed {
        match merged.last_mut().filter(|last| last.1 >= low) {
            Some(last) => last.1 = last.1.max(high),
            None => merged.push((low, high)),
        }
    }
    let single = all.into_iter().filter(|(low, high)| low == high);
    let new: Vec<(i64, i64)> =
        single.filter(|(q, _)| !merged.iter().any(|(low, high)| low <= q && q <= high)).collect();
    merged.extend(new);
    merged
}

/// What may be left of so many of each, each after those that are nowhere larger.
fn all_up_to(fixed: &[(i64, usize)]) -> Vec<Vec<usize>> {
    fixed.iter().fold(vec![Vec::new()], |all, &(_, count)| {
        all.iter().flat_map(|left| (0..=count).map(move |n| [left.as_slice(), &[n]].concat())).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wyckoff::places::WORDS;

    #[test]
    fn the_minimum_over_a_window_is_that_of_each_of_its_numbers() {
        let known: Vec<u16> = (0..60).map(|k: u16| (k * 37) % 61 + 1).collect();
        for (low, high) in [(0, 0), (-3, -3), (2, 5), (-8, 8), (-40, -4), (16, 33)] {
            let found = window_minimum(&known, low, high);
            for t in 0..known.len() as i64 {
                let all = (t - high..=t - low).filter_map(|k| known.get(usize::try_from(k).ok()?).copied());
                assert_eq!(found[t as usize], all.min().unwrap_or(NEVER), "{t} {low} {high}");
            }
        }
    }

    #[test]
    fn charges_that_touch_are_one() {
        let charge = |low, high| Charge { low, high };
        let all = [charge(-2, -2), charge(3, 4), charge(4, 5), charge(4, 4), charge(1, 1)];
        assert_eq!(merged(&all), [(3, 5), (-2, -2), (1, 1)]);
    }

    #[test]
    fn rock_salt_is_completed_by_the_position_that_is_left() {
        let places = WORDS.of_group(225);
        let reach = Reach::new(places, &[Charge::whole(-2), Charge::whole(2)], 32);
        let at = |letter: char| places.iter().position(|p| p.letter == letter).unwrap();
        let mut written = Written::new(225);
        written.add(crate::tokens::tests::species("O", -2), at('a'));
        assert!(reach.allows(&written, 1, 4) && !reach.allows(&written, 0, 400) && !reach.allows(&written, 3, 3));
        // Both are taken: of what is left the eight ions of 8c are the nearest.
        written.add(crate::tokens::tests::species("O", -2), at('b'));
        assert!(reach.allows(&written, 1, 8) && reach.allows(&written, 32, 400));
        written.add(crate::tokens::tests::species("Zn", 2), at('c'));
        assert!(written.is_neutral() && reach.allows(&written, 0, 0));
    }

    #[test]
    fn mixed_valence_reaches_what_whole_charges_do_not() {
        let places = WORDS.of_group(87);
        let h = places.iter().position(|p| p.letter == 'h').unwrap();
        let mut written = Written::new(87);
        for _ in 0..2 {
            written.add(crate::tokens::tests::species("O", -2), h);
        }
        written.add(crate::tokens::tests::species("K", 1), places.iter().position(|p| p.letter == 'a').unwrap());
        // -30 by one orbit of eight.
        let of = |charge: Charge| Reach::new(places, &[charge], 32).allows(&written, 1, 8);
        assert!(of(Charge { low: 3, high: 4 }) && !of(Charge::whole(4)));
    }
}
