//! Conditions on a crystal before it is written: how open it is, how dense, how stable, and of what it is made.

use crystal::random::Stream;
use crystal::{Composition, Element, Radii, Structure};
use features::{default_void, site_radii, spheres, volume_per_atom};
use serde::{Deserialize, Serialize};

use super::vocabulary::Vocabulary;

/// Spheres of this diameter, Å, pass through what is called a channel here.
const CHANNEL: f64 = 1.0;
/// Share of the crystals of an epoch whose condition is left out, for each condition apart: so that a network also learns without it.
const DROPPED: f32 = 0.2;
/// The same of amounts, without which the elements may still be given.
const DROPPED_AMOUNTS: f32 = 0.5;

/// A property that can be requested of crystals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Condition {
    /// Its name: that of the function, argument or column which measures it.
    pub name: &'static str,
    /// What it means, with its unit, in a sentence.
    pub text: &'static str,
    /// Least and largest value that can be requested.
    range: [f64; 2],
    /// Whether it is a number of something.
    whole: bool,
    /// Upper ends of its bins for a network that is trained now; the last is open. Each holds a fair share of the oxides, except those of
    /// the energy above hull, and those of the void fraction, which resolve open frameworks.
    bins: &'static [f64],
}

impl Condition {
    /// [`Conditions::free_sphere`]
    pub const FREE_SPHERE: Self = Self {
        name: "largest_free_sphere",
        text: "Wanted diameter of the largest sphere that passes among the ions (Shannon radii), Å.",
        range: [0.0, 50.0],
        whole: false,
        bins: &[0.6, 1.0, 1.4],
    };
    /// [`Conditions::channels`]
    pub const DIMENSIONS: Self = Self {
        name: "dimensions",
        text: "Wanted number of independent directions, 0 to 3, in which a sphere of 1 Å passes.",
        range: [0.0, 3.0],
        whole: true,
        bins: &[0.5, 1.5, 2.5],
    };
    /// [`Conditions::void`]
    pub const VOID: Self = Self {
        name: "void",
        text: "Wanted void fraction, 0 to 1, outside the atoms (Slater radii).",
        range: [0.0, 1.0],
        whole: false,
        bins: &[0.3, 0.42, 0.52, 0.6, 0.7],
    };
    /// [`Conditions::volume`]
    pub const VOLUME: Self = Self {
        name: "volume_per_atom",
        text: "Wanted volume of the cell for each atom, Å³.",
        range: [1.0, 200.0],
        whole: false,
        bins: &[10.2, 11.5, 12.6, 14.0, 16.0],
    };
    /// [`Conditions::hull`]
    pub const HULL: Self = Self {
        name: "e_above_hull",
        text: "Wanted DFT energy above the convex hull, eV/atom.",
        range: [0.0, 10.0],
        whole: false,
        bins: &[0.001, 0.03, 0.08, 0.2],
    };
    /// All of them, in the order of the network's input.
    pub const ALL: [Self; 5] = [Self::FREE_SPHERE, Self::DIMENSIONS, Self::VOID, Self::VOLUME, Self::HULL];

    /// Whether `x` can be requested.
    ///
    /// # Errors
    /// A value that no crystal has, with the range that can be requested.
    pub fn check(self, x: f64) -> Result<f64, String> {
        let [least, most] = self.range;
        let number = if self.whole { "whole number" } else { "number" };
        match (least..=most).contains(&x) && !(self.whole && x.fract() != 0.0) {
            true => Ok(x),
            false => Err(format!("{} = {x}; it must be a {number} from {least} to {most}", self.name)),
        }
    }
}

/// Requested properties of crystals, each optional. A sampler that was trained on such properties uses them; they are no guarantee, and the
/// crystals are measured afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Conditions {
    /// Diameter of the widest sphere that passes through, Å, as `largest_free_sphere`: among Shannon's ions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_sphere: Option<f64>,
    /// Number of directions, 0 to 3, in which a sphere of 1 Å passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<u8>,
    /// Void fraction, as the column `void`: among Slater's atoms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub void: Option<f64>,
    /// Volume per atom, Å³.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<f64>,
    /// Energy above the convex hull, eV/atom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hull: Option<f64>,
}

impl Conditions {
    /// What can be measured of a crystal; what is not defined for it is left open. The spheres are those of Zeo++'s approximation, by one
    /// tessellation.
    pub fn of(structure: &Structure) -> Self {
        let spheres = site_radii(structure, Radii::Shannon).and_then(|radii| spheres(structure, &radii)).ok();
        let directions = |df: &[f64; 3]| df.iter().filter(|df| **df >= CHANNEL).count() as u8;
        Self {
            free_sphere: spheres.as_ref().map(|s| s.df),
            channels: spheres.as_ref().map(|s| directions(&s.df_by_dimension)),
            void: default_void(structure).ok(),
            volume: Some(volume_per_atom(structure)),
            hull: None,
        }
    }

    /// These conditions, each left open as often as [`DROPPED`] says.
    pub(super) fn thinned(self, random: &mut Stream) -> Self {
        let mut said = || random.uniform() >= DROPPED;
        Self {
            free_sphere: self.free_sphere.filter(|_| said()),
            channels: self.channels.filter(|_| said()),
            void: self.void.filter(|_| said()),
            volume: self.volume.filter(|_| said()),
            hull: self.hull.filter(|_| said()),
        }
    }

    /// Those of these values, in the order of [`Condition::ALL`].
    pub fn of_values([free_sphere, channels, void, volume, hull]: [Option<f64>; 5]) -> Self {
        Self { free_sphere, channels: channels.map(|n| n as u8), void, volume, hull }
    }

    fn values(&self) -> [Option<f64>; 5] {
        [self.free_sphere, self.channels.map(f64::from), self.void, self.volume, self.hull]
    }

    /// Those that are requested, with their values.
    pub fn asked(&self) -> impl Iterator<Item = (Condition, f64)> {
        Condition::ALL.into_iter().zip(self.values()).filter_map(|(condition, value)| Some((condition, value?)))
    }
}

/// Upper ends of the bins of each condition, in the order of [`Condition::ALL`]. The card keeps them: with other bins the weights would
/// mean something else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bins([Vec<f64>; 5]);

impl Bins {
    /// Those of a network that is trained now.
    pub(super) fn usual() -> Self {
        Self(Condition::ALL.map(|condition| condition.bins.to_vec()))
    }

    /// Those of a network whose card has none, as the one that ships: the first ever used.
    pub(super) fn first() -> Self {
        let ends: [&[f64]; 5] = [
            &[0.6, 1.0, 1.4],
            &[0.5, 1.5, 2.5],
            &[0.3, 0.4, 0.47, 0.53, 0.6],
            &[10.2, 11.5, 12.6, 14.0, 16.0],
            &[0.001, 0.03, 0.08, 0.2],
        ];
        Self(ends.map(<[f64]>::to_vec))
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.iter().map(|ends| ends.len() + 1).sum()
    }
}

/// The input that describes a crystal to a network: its elements, their amounts and the conditions.
pub(super) struct Prompt<'a> {
    /// The words, among them the elements and the bins.
    pub words: &'a Vocabulary,
    /// Of which the crystal is made, where that is given.
    pub made_of: Option<&'a [Element]>,
    /// In which amounts, where that is given.
    pub amounts: Option<&'a Composition>,
    /// The rest.
    pub conditions: &'a Conditions,
}

impl<'a> Prompt<'a> {
    /// All of a crystal, or less of it by chance, for training.
    pub fn thinned(
        words: &'a Vocabulary,
        made_of: &'a [Element],
        amounts: &'a Composition,
        conditions: &'a Conditions,
        random: &mut Stream,
    ) -> Self {
        let (said, counted) = (random.uniform() >= DROPPED, random.uniform() >= DROPPED_AMOUNTS);
        Self { words, made_of: said.then_some(made_of), amounts: (said && counted).then_some(amounts), conditions }
    }

    /// The numbers, zero for what is not given.
    pub fn write(&self, into: &mut [f32]) {
        into.fill(0.0);
        let all = self.words.elements();
        let (elements, bins) = into.split_at_mut(2 * all.len());
        let (made_of, amounts) = elements.split_at_mut(all.len());
        for (k, element) in all.iter().enumerate() {
            made_of[k] = f32::from(self.made_of.is_some_and(|all| all.contains(element)));
            amounts[k] = self.amounts.map_or(0.0, |all| (all.amount(*element) / all.natoms()) as f32);
        }
        let mut first = 0;
        for (ends, value) in self.words.bins().0.iter().zip(self.conditions.values()) {
            if let Some(value) = value {
                bins[first + ends.partition_point(|end| *end <= value)] = 1.0;
            }
            first += ends.len() + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::tests::species;
    use formats::hosts::host;

    #[test]
    fn conditions_are_measured_of_published_crystals() {
        let [hollandite, rutile] = ["hollandite-mno2", "pyrolusite"].map(|id| Conditions::of(&host(id).unwrap()));
        assert!(hollandite.free_sphere > rutile.free_sphere && hollandite.volume > rutile.volume);
        assert!(hollandite.void > rutile.void && hollandite.channels >= Some(1) && rutile.hull.is_none());
    }

    /// The words of oxides of titanium and vanadium.
    fn words() -> Vocabulary {
        Vocabulary::new([("O", -2), ("Ti", 4), ("V", 5)].map(|(symbol, charge)| species(symbol, charge)).to_vec())
    }

    #[test]
    fn a_network_is_told_in_the_bins_that_it_has_learned() {
        let said = |words: &Vocabulary, void: f64| {
            let conditions = Conditions { void: Some(void), ..Conditions::default() };
            let mut numbers = vec![0.0; words.prompt_len()];
            Prompt { words, made_of: None, amounts: None, conditions: &conditions }.write(&mut numbers);
            numbers
        };
        let (now, first) = (words(), words().in_bins(Bins::first()));
        // What is one bin now was two at first, and the other way round.
        assert!(said(&now, 0.43) == said(&now, 0.5) && said(&first, 0.43) != said(&first, 0.5));
        assert!(said(&now, 0.65) != said(&now, 0.75) && said(&first, 0.65) == said(&first, 0.75));
        assert_eq!(now.bins(), &Bins::usual());
        // Fewer bins are fewer numbers.
        let fewer = Bins([vec![1.0], vec![], vec![], vec![], vec![]]);
        assert_eq!((fewer.count(), words().in_bins(fewer).prompt_len()), (6, 12));
    }

    #[test]
    fn each_value_is_said_by_one_number_of_its_bins() {
        let words = words();
        let of = |conditions: &Conditions, amounts: Option<&Composition>| {
            let mut numbers = vec![7.0; words.prompt_len()];
            Prompt { words: &words, made_of: amounts.map(|_| &words.elements()[..2]), amounts, conditions }
                .write(&mut numbers);
            numbers
        };
        assert!(of(&Conditions::default(), None).iter().all(|x| *x == 0.0));
        let rutile = Composition::parse("TiO2").unwrap();
        let numbers = of(&Conditions::default(), Some(&rutile));
        let share = |n: f32| n / 3.0;
        assert_eq!(numbers[..6], [1.0, 1.0, 0.0, share(2.0), share(1.0), 0.0]);
        for (free_sphere, bin) in [(0.0, 0), (0.59, 0), (0.6, 1), (1.2, 2), (1.4, 3), (9.0, 3)] {
            let numbers = of(&Conditions { free_sphere: Some(free_sphere), ..Conditions::default() }, None);
            let said: Vec<usize> = (0..numbers.len()).filter(|&k| numbers[k] == 1.0).collect();
            assert_eq!(said, [6 + bin], "{free_sphere} Å");
        }
        let all = Conditions {
            free_sphere: Some(9.0),
            channels: Some(3),
            void: Some(0.9),
            volume: Some(90.0),
            hull: Some(9.0),
        };
        let numbers = of(&all, Some(&rutile));
        assert_eq!((numbers.iter().filter(|x| **x == 1.0).count(), numbers.last()), (2 + 5, Some(&1.0)));
    }

    #[test]
    fn values_that_no_crystal_has_are_refused() {
        for (condition, fine, refused) in [
            (Condition::FREE_SPHERE, 0.0, -0.1),
            (Condition::DIMENSIONS, 3.0, 1.5),
            (Condition::VOID, 1.0, f64::NAN),
            (Condition::VOLUME, 12.5, 0.0),
            (Condition::HULL, 0.0, f64::INFINITY),
        ] {
            assert_eq!(condition.check(fine), Ok(fine));
            let message = condition.check(refused).unwrap_err();
            assert!(message.starts_with(&format!("{} = {refused}; it must be a ", condition.name)), "{message}");
        }
        let asked = Conditions { channels: Some(2), hull: Some(0.1), ..Conditions::default() };
        assert_eq!(asked.asked().collect::<Vec<_>>(), [(Condition::DIMENSIONS, 2.0), (Condition::HULL, 0.1)]);
        assert_eq!(Conditions::of_values(asked.values()), asked);
    }

    #[test]
    fn a_fifth_of_each_condition_is_left_open() {
        let all = Conditions {
            free_sphere: Some(1.0),
            channels: Some(1),
            void: Some(0.3),
            volume: Some(10.0),
            hull: Some(0.0),
        };
        let random = &mut Stream::new(5);
        let mut open = [0; 5];
        for _ in 0..10_000 {
            for (n, value) in open.iter_mut().zip(all.thinned(random).values()) {
                *n += usize::from(value.is_none());
            }
        }
        assert!(open.iter().all(|n| (1_850..2_150).contains(n)), "{open:?}");
    }
}
