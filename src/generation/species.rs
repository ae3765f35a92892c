//! An element with its oxidation state: what stands on an orbit.

use std::fmt;

use crystal::{Composition, Element};
use features::neutral_states;

/// Charges nearer to a whole number than this are that number.
const WHOLE: f64 = 1e-6;

/// The oxidation state of an ion, e. In a compound of mixed valence ions of one place may be of two states: a hollandite's manganese,
/// +3.75 on average, is between 3 and 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Charge {
    /// The lower state, or the only one.
    pub low: i8,
    /// The higher state, or the only one.
    pub high: i8,
}

impl Charge {
    /// A single state.
    pub const fn whole(state: i8) -> Self {
        Self { low: state, high: state }
    }

    /// The state or the two states whose average is `q`, e.
    pub fn of_average(q: f64) -> Self {
        if (q - q.round()).abs() < WHOLE {
            return Self::whole(q.round() as i8);
        }
        Self { low: q.floor() as i8, high: q.ceil() as i8 }
    }

    /// Half way between both states, e.
    pub fn middle(self) -> f64 {
        f64::from(self.low + self.high) / 2.0
    }

    /// The state whose radius the ion takes: the one further from zero, since the smaller ion builds the framework.
    pub fn of_radius(self) -> i8 {
        if self.middle() < 0.0 { self.low } else { self.high }
    }

    /// By how much an average `q` lies outside of both states, e.
    pub fn misses(self, q: f64) -> f64 {
        (f64::from(self.low) - q).max(q - f64::from(self.high)).max(0.0)
    }
}

/// An element in an oxidation state: `Ti4+`, `O2-`, `Mn3+/4+`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Species {
    /// The element.
    pub element: Element,
    /// Its oxidation state.
    pub charge: Charge,
}

impl Species {
    /// The species of a composition, in its order; `None` where no choice of states is neutral, as [`neutral_states`].
    pub fn of(composition: &Composition) -> Option<Vec<Self>> {
        let states = neutral_states(composition)?;
        Some(states.into_iter().map(|(element, q)| Self { element, charge: Charge::of_average(q) }).collect())
    }

    /// Whether it is negative.
    pub fn is_anion(self) -> bool {
        self.charge.middle() < 0.0
    }
}

impl fmt::Display for Species {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Charge { low, high } = self.charge;
        let state = |q: i8| match (q.unsigned_abs(), if q < 0 { '-' } else { '+' }) {
            (0, _) => "0".to_owned(),
            (1, sign) => sign.to_string(),
            (n, sign) => format!("{n}{sign}"),
        };
        write!(f, "{}{}", self.element, state(low))?;
        if low == high { Ok(()) } else { write!(f, "/{}", state(high)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(formula: &str) -> String {
        let species = Species::of(&Composition::parse(formula).unwrap()).unwrap();
        species.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn species_of_compositions() {
        assert_eq!(words("TiO2"), "O2- Ti4+");
        assert_eq!(words("KMn8O16"), "O2- K+ Mn3+/4+");
        assert_eq!(words("Fe3O4"), "O2- Fe2+/3+");
        assert!(Species::of(&Composition::parse("CaAl").unwrap()).is_none());
    }

    #[test]
    fn what_an_average_misses() {
        let mixed = Charge::of_average(3.75);
        assert_eq!((mixed, mixed.middle(), mixed.of_radius()), (Charge { low: 3, high: 4 }, 3.5, 4));
        assert_eq!((mixed.misses(3.2), mixed.misses(4.5), mixed.misses(2.0)), (0.0, 0.5, 1.0));
        assert_eq!(Charge::of_average(-1.5).of_radius(), -2);
        assert_eq!(Charge::of_average(2.000_000_1), Charge::whole(2));
    }
}
