//! The properties that have a column of their own: their names, what they mean, and where they stand.

use serde_json::Value;

use super::properties::{Properties, text};

/// Access to the field of a property.
pub enum Place {
    /// A number.
    Number(fn(&Properties) -> Option<f64>, fn(&mut Properties) -> &mut Option<f64>),
    /// A text.
    Text(fn(&Properties) -> Option<&str>, fn(&mut Properties) -> &mut Option<String>),
}

/// A property that a file may state of a crystal.
pub struct Stated {
    /// Its name, as columns have it.
    pub name: &'static str,
    /// Its other names in files.
    also: &'static [&'static str],
    /// Its unit; nothing where it has none.
    pub unit: Option<&'static str>,
    /// What it is, one sentence.
    pub summary: &'static str,
    /// Where it stands.
    pub place: Place,
}

macro_rules! number {
    ($field:ident) => {
        Place::Number(|p| p.$field, |p| &mut p.$field)
    };
}
macro_rules! text {
    ($field:ident) => {
        Place::Text(|p| p.$field.as_deref(), |p| &mut p.$field)
    };
}

/// All of them. Each is also a column of `tmo` in schema/lake.sql.
pub static STATED: [Stated; 6] = [
    Stated {
        name: "formation_energy_per_atom",
        also: &[],
        unit: Some("eV/atom"),
        summary: "Formation energy, if the file states it.",
        place: number!(formation_energy_per_atom),
    },
    Stated {
        name: "e_above_hull",
        also: &["energy_above_hull"],
        unit: Some("eV/atom"),
        summary: "Energy above the hull, if the file states it.",
        place: number!(e_above_hull),
    },
    Stated {
        name: "band_gap",
        also: &[],
        unit: Some("eV"),
        summary: "Band gap, if the file states it.",
        place: number!(band_gap),
    },
    Stated {
        name: "correction_scheme",
        also: &[],
        unit: None,
        summary: "Functional and correction scheme of the energy.",
        place: text!(correction_scheme),
    },
    Stated { name: "source", also: &[], unit: None, summary: "Where the data come from.", place: text!(source) },
    Stated {
        name: "split",
        also: &["seed_split"],
        unit: None,
        summary: "Part of the data set: train, validation or test.",
        place: text!(split),
    },
];

impl Stated {
    /// The property that files call so.
    pub fn called(name: &str) -> Option<&'static Self> {
        STATED.iter().find(|stated| stated.name == name || stated.also.contains(&name))
    }

    /// Whether files call a number so.
    pub(crate) fn is_number(name: &str) -> bool {
        Self::called(name).is_some_and(|stated| matches!(stated.place, Place::Number(..)))
    }

    /// Its value for a crystal.
    pub(crate) fn value(&self, properties: &Properties) -> Option<Value> {
        match self.place {
            Place::Number(of, _) => of(properties).map(Value::from),
            Place::Text(of, _) => of(properties).map(Value::from),
        }
    }

    /// Enters the value of a file, under the name that the file gives it.
    ///
    /// # Errors
    /// No number, where it is one.
    pub(crate) fn enter(&self, properties: &mut Properties, name: &str, value: &Value) -> Result<(), String> {
        match self.place {
            Place::Number(_, place) => {
                *place(properties) = Some(value.as_f64().ok_or_else(|| {
                    let said: String = text(value).chars().take(40).collect();
                    format!("{name} is '{said}', expected a finite number or nothing")
                })?);
            }
            Place::Text(_, place) => *place(properties) = Some(text(value)),
        }
        Ok(())
    }

    /// Removes the value of a file.
    pub(crate) fn forget(&self, properties: &mut Properties) {
        match self.place {
            Place::Number(_, place) => *place(properties) = None,
            Place::Text(_, place) => *place(properties) = None,
        }
    }
}
