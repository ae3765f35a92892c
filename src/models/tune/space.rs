//! What a search may choose: named settings, each from its domain, some of them only where an earlier one needs them (the filters of a
//! second convolution exist where there are two).
//!
//! A search works on points of the unit cube, one coordinate a setting. Several points may mean the same settings (a width is
//! one of eight numbers, a setting that does not apply is anything); [`Space::point`] gives the one that stands for them all,
//! in the middle where the coordinate says nothing, so that a model of the error sees as equal what is equal (Garrido-Merchán
//! & Hernández-Lobato, *Neurocomputing* **380** (2020) 20).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The value of a setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A width, a number of layers.
    Whole(i64),
    /// A rate, a length.
    Real(f64),
    /// One of several kinds.
    Name(String),
}

impl Value {
    /// As a number, where it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Whole(n) => Some(*n as f64),
            Self::Real(x) => Some(*x),
            Self::Name(_) => None,
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(n) => write!(f, "{n}"),
            Self::Real(x) => write!(f, "{x}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// Chosen values by name, those that apply only.
pub type Settings = BTreeMap<String, Value>;

/// A chosen number.
pub fn number(settings: &Settings, name: &str) -> Option<f64> {
    settings.get(name)?.number()
}

/// A chosen number, as a count.
pub fn whole(settings: &Settings, name: &str) -> Option<usize> {
    number(settings, name).map(|x| x as usize)
}

/// `low`, `low + step`, ... `high`.
pub fn steps(low: i64, high: i64, step: i64) -> Domain {
    Domain::Steps { low, high, step }
}

/// What a setting may be.
#[derive(Debug, Clone, PartialEq)]
pub enum Domain {
    /// `low`, `low + step`, ... `high`.
    Steps {
        /// Smallest.
        low: i64,
        /// Largest, a whole number of steps above.
        high: i64,
        /// From one to the next, positive.
        step: i64,
    },
    /// Any number of the range, to three digits.
    Real {
        /// Smallest.
        low: f64,
        /// Largest.
        high: f64,
    },
    /// Any number of the range, to three digits; each ratio as likely wherever it lies.
    Log {
        /// Smallest, positive.
        low: f64,
        /// Largest.
        high: f64,
    },
    /// Numbers in order, each as far from the next.
    Levels(Vec<f64>),
    /// Kinds without an order.
    Names(Vec<&'static str>),
}

impl Domain {
    /// How many values there are; `None` of a range.
    fn len(&self) -> Option<usize> {
        match self {
            Self::Steps { low, high, step } => Some(((high - low) / step) as usize + 1),
            Self::Levels(levels) => Some(levels.len()),
            Self::Names(names) => Some(names.len()),
            Self::Real { .. } | Self::Log { .. } => None,
        }
    }

    /// The value at a coordinate.
    fn value(&self, at: f64) -> Value {
        let place = |n: usize| ((at * n as f64) as usize).min(n - 1);
        match self {
            Self::Steps { low, step, .. } => Value::Whole(low + place(self.len().unwrap_or(1)) as i64 * step),
            Self::Real { low, high } => Value::Real(three_digits(low + at * (high - low)).clamp(*low, *high)),
            Self::Log { low, high } => Value::Real(three_digits(low * (high / low).powf(at)).clamp(*low, *high)),
            Self::Levels(levels) => Value::Real(levels[place(levels.len())]),
            Self::Names(names) => Value::Name(names[place(names.len())].to_owned()),
        }
    }

    /// The coordinate that stands for a value; `None` where it is not of the domain.
    fn at(&self, value: &Value) -> Option<f64> {
        let middle = |k: usize| Some((k as f64 + 0.5) / self.len()? as f64);
        match (self, value) {
            (Self::Steps { low, high, step }, Value::Whole(n))
                if (low..=high).contains(&n) && (n - low) % step == 0 =>
            {
                middle(((n - low) / step) as usize)
            }
            (Self::Levels(levels), value) => middle(levels.iter().position(|l| value.number() == Some(*l))?),
            (Self::Names(names), Value::Name(name)) => middle(names.iter().position(|n| n == name)?),
            (Self::Real { low, high }, value) => {
                value.number().filter(|x| (low..=high).contains(&x)).map(|x| (x - low) / (high - low))
            }
            (Self::Log { low, high }, value) => {
                value.number().filter(|x| (low..=high).contains(&x)).map(|x| (x / low).ln() / (high / low).ln())
            }
            _ => None,
        }
    }
}

/// A number to three significant digits: as typed by users, and shown in tables.
fn three_digits(x: f64) -> f64 {
    format!("{x:.2e}").parse().unwrap_or(x)
}

/// One setting of a space.
#[derive(Debug, Clone, PartialEq)]
pub struct Dimension {
    /// Its name.
    pub name: String,
    /// What it may be.
    pub domain: Domain,
    /// It applies only where that earlier setting, in whole steps, is at least this.
    pub when: Option<(&'static str, i64)>,
}

/// Everything that a search may choose.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Space(Vec<Dimension>);

impl Space {
    /// The space with one more setting, which always applies.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, domain: Domain) -> Self {
        self.0.push(Dimension { name: name.into(), domain, when: None });
        self
    }

    /// The space with the settings that every training has: rate, batch and loss.
    #[must_use]
    pub fn fitted(self) -> Self {
        self.with("learning_rate", Domain::Log { low: 1e-4, high: 1e-2 })
            .with("batch", Domain::Levels(vec![16.0, 32.0, 64.0, 128.0]))
            .with("loss", Domain::Names(vec!["mse", "mae", "huber"]))
    }

    /// The space with one more setting, which applies where `count` is at least `least`.
    #[must_use]
    pub fn with_where(mut self, (count, least): (&'static str, i64), name: impl Into<String>, domain: Domain) -> Self {
        self.0.push(Dimension { name: name.into(), domain, when: Some((count, least)) });
        self
    }

    /// Number of settings, those that may not apply included.
    pub fn dimensions(&self) -> usize {
        self.0.len()
    }

    /// What a point of the unit cube means.
    pub fn settings(&self, point: &[f64]) -> Settings {
        let mut chosen = Settings::new();
        for (dimension, &at) in self.0.iter().zip(point) {
            if applies(dimension, &chosen) {
                chosen.insert(dimension.name.clone(), dimension.domain.value(at));
            }
        }
        chosen
    }

    /// The point that stands for settings; `None` where one is missing, or not of its domain.
    pub fn point(&self, settings: &Settings) -> Option<Vec<f64>> {
        let coordinate = |dimension: &Dimension| match applies(dimension, settings) {
            true => settings.get(&dimension.name).and_then(|value| dimension.domain.at(value)),
            false => Some(0.5),
        };
        self.0.iter().map(coordinate).collect()
    }

    /// The coordinates by which points are compared: kinds without an order lie at one distance from each other, and a setting
    /// that does not apply is nowhere in particular. As many as [`Space::owners`] has.
    pub(super) fn embedded(&self, point: &[f64], settings: &Settings) -> Vec<f64> {
        let mut row = Vec::with_capacity(point.len());
        for (dimension, &at) in self.0.iter().zip(point) {
            match &dimension.domain {
                Domain::Names(names) => {
                    let chosen = settings.get(&dimension.name);
                    let is = |name: &&str| matches!(chosen, Some(Value::Name(n)) if n == name);
                    row.extend(names.iter().map(|name| if is(name) { std::f64::consts::FRAC_1_SQRT_2 } else { 0.0 }));
                }
                _ => row.push(at),
            }
        }
        row
    }

    /// Which setting each coordinate of [`Space::embedded`] belongs to.
    pub(super) fn owners(&self) -> Vec<usize> {
        let width = |dimension: &Dimension| match &dimension.domain {
            Domain::Names(names) => names.len(),
            _ => 1,
        };
        self.0.iter().enumerate().flat_map(|(k, dimension)| std::iter::repeat_n(k, width(dimension))).collect()
    }
}

fn applies(dimension: &Dimension, chosen: &Settings) -> bool {
    dimension.when.is_none_or(|(count, least)| matches!(chosen.get(count), Some(Value::Whole(n)) if *n >= least))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space() -> Space {
        Space::default()
            .with("layers", Domain::Steps { low: 1, high: 2, step: 1 })
            .with("width_1", Domain::Steps { low: 32, high: 256, step: 32 })
            .with_where(("layers", 2), "width_2", Domain::Steps { low: 32, high: 256, step: 32 })
            .with("dropout", Domain::Real { low: 0.3, high: 0.5 })
            .with("rate", Domain::Log { low: 1e-4, high: 1e-2 })
            .with("level", Domain::Levels(vec![1e-4, 1e-3, 1e-2, 1e-1]))
            .with("loss", Domain::Names(vec!["mse", "mae"]))
    }

    #[test]
    fn a_coordinate_reaches_every_value_of_its_domain() {
        let space = space();
        let corner = |at: f64| space.settings(&[at; 7]);
        let (low, high) = (corner(0.0), corner(1.0));
        assert_eq!((&low["width_1"], &high["width_1"]), (&Value::Whole(32), &Value::Whole(256)));
        assert_eq!((&low["dropout"], &high["dropout"]), (&Value::Real(0.3), &Value::Real(0.5)));
        assert_eq!((&low["rate"], &high["rate"]), (&Value::Real(1e-4), &Value::Real(1e-2)));
        assert_eq!((&low["level"], &high["level"]), (&Value::Real(1e-4), &Value::Real(1e-1)));
        assert_eq!((&low["loss"], &high["loss"]), (&Value::Name("mse".into()), &Value::Name("mae".into())));
        assert!(!low.contains_key("width_2") && high.contains_key("width_2"));
        let widths: std::collections::BTreeSet<_> =
            (0..1000).map(|k| space.settings(&[f64::from(k) / 1000.0; 7])["width_1"].to_string()).collect();
        assert_eq!(widths.len(), 8);
    }

    #[test]
    fn settings_survive_json_and_stand_for_one_point() {
        let space = space();
        for k in 0..200 {
            let point: Vec<f64> = (1..=7).map(|d| (f64::from(k * d) * 0.618).fract()).collect();
            let settings = space.settings(&point);
            let canonical = space.point(&settings).unwrap();
            assert_eq!(space.settings(&canonical), settings);
            let text = serde_json::to_string(&settings).unwrap();
            let read: Settings = serde_json::from_str(&text).unwrap();
            assert_eq!((&read, space.point(&read).unwrap()), (&settings, canonical), "{text}");
        }
        // Where there is one layer, the settings of the second do not matter.
        let [mut a, mut b] = [[0.3; 7]; 2];
        (a[2], b[2]) = (0.1, 0.9);
        assert_eq!(space.point(&space.settings(&a)), space.point(&space.settings(&b)));
    }

    #[test]
    fn what_is_not_of_the_space_has_no_point() {
        let space = space();
        let good = space.settings(&[0.9; 7]);
        for (name, value) in [("width_1", Value::Whole(33)), ("loss", Value::Whole(1)), ("rate", Value::Real(1.0))] {
            let mut bad = good.clone();
            bad.insert(name.into(), value);
            assert_eq!(space.point(&bad), None, "{name}");
        }
        let mut short = good;
        short.remove("width_2");
        assert_eq!(space.point(&short), None);
    }
}
