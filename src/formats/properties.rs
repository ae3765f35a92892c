//! Properties of a crystal in a file, and their names there.

use std::{collections::BTreeSet, fmt};

use serde_json::{Map, Value};

use crate::{OPTIMADE_PREFIX, stated::Stated};

/// Keys under which a record may name itself, the preferred first.
pub(crate) const IDS: [&str; 6] = ["id", "material_id", "mp_id", "immutable_id", "entry_id", "unique_id"];

/// A way in which a crystal that was read differs from its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Note {
    /// Deuterium or tritium became hydrogen.
    Isotopes,
    /// Of a magnetic crystal the atoms are read alone.
    Magnetic,
    /// Of a trajectory the last frame is read alone.
    LastFrame,
    /// Sites that were occupied in part are ordered.
    Ordered,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Isotopes => "deuterium or tritium read as hydrogen",
            Self::Magnetic => "magnetic moments are not kept",
            Self::LastFrame => "the last of several frames (--frames all reads each)",
            Self::Ordered => "ordered, from sites that are occupied in part; extra says of what",
        })
    }
}

/// The notes on one crystal, each once.
pub type Notes = BTreeSet<Note>;

/// Properties of a crystal in a file. All are optional.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Properties {
    /// Formation energy, eV/atom.
    pub formation_energy_per_atom: Option<f64>,
    /// Energy above the convex hull, eV/atom.
    pub e_above_hull: Option<f64>,
    /// Band gap, eV.
    pub band_gap: Option<f64>,
    /// The scheme of energy corrections, for instance `GGA_GGA+U`.
    pub correction_scheme: Option<String>,
    /// Where the crystal comes from, as the file states it.
    pub source: Option<String>,
    /// `train`, `test` or another part of a split.
    pub split: Option<String>,
    /// Every other number, text or truth value of the record, by name.
    pub extra: Map<String, Value>,
    /// How the crystal differs from the file.
    pub notes: Notes,
    /// The file, as it was given.
    pub path: Option<String>,
}

impl Properties {
    /// Enters one value under the name that the file gives it. NULL, lists and objects are passed over; what is not known by
    /// name goes into `extra`.
    ///
    /// # Errors
    /// A property that must be a number and is none.
    pub(crate) fn enter(&mut self, name: &str, value: Value) -> Result<(), String> {
        if matches!(value, Value::Null | Value::Array(_) | Value::Object(_)) {
            return Ok(());
        }
        match Stated::called(&name.to_ascii_lowercase()) {
            Some(stated) => stated.enter(self, name, &value),
            None => {
                self.extra.insert(name.to_owned(), value);
                Ok(())
            }
        }
    }

    /// Enters a value under a name that a database of the OPTIMADE federation gives it (`_oqmd_delta_e`, `_mp_stability`).
    /// Energies per atom that are known by name are entered as such, with the database, or its own word, as the scheme of
    /// their corrections.
    pub(crate) fn enter_of_provider(&mut self, name: &str, value: Value) {
        if let Some(own) = name.strip_prefix(OPTIMADE_PREFIX) {
            // Our own column; a wrong number here is no reason to refuse the crystal.
            let _ = self.enter(own, value);
            return;
        }
        let (provider, own) = name.strip_prefix('_').and_then(|n| n.split_once('_')).unwrap_or(("", name));
        match (own, &value) {
            ("formation_energy_per_atom" | "formation_energy_peratom", Value::Number(x)) => {
                self.formation_energy_per_atom = x.as_f64();
                self.correction_scheme.get_or_insert_with(|| provider.to_owned());
            }
            ("delta_e", Value::Number(x)) if provider == "oqmd" => {
                self.formation_energy_per_atom = x.as_f64();
                self.correction_scheme.get_or_insert_with(|| provider.to_owned());
            }
            ("stability", Value::Number(x)) if provider == "oqmd" => self.e_above_hull = x.as_f64(),
            ("hull_distance" | "energy_above_hull" | "e_above_hull", Value::Number(x)) => {
                self.e_above_hull = x.as_f64()
            }
            ("band_gap", Value::Number(x)) => self.band_gap = x.as_f64(),
            // The Materials Project gives one object a thermodynamic scheme: {"gga_gga+u": {..}, "r2scan": {..}}.
            ("stability", Value::Object(schemes)) => {
                let preferred = ["gga_gga+u", "gga_gga+u_r2scan", "r2scan"].iter().find(|s| schemes.contains_key(**s));
                if let Some((scheme, Value::Object(said))) = preferred.map(|s| (s, &schemes[*s])) {
                    self.correction_scheme = Some(scheme.to_ascii_uppercase());
                    for (key, value) in said {
                        // A number that is none here is no fault of the crystal's.
                        let _ = self.enter(key, value.clone());
                    }
                }
            }
            (_, Value::Null | Value::Array(_) | Value::Object(_)) => {}
            _ => drop(self.extra.insert(name.to_owned(), value)),
        }
    }

    /// Puts the notes in words among the other properties, so that they stay with the crystal; returns them.
    pub fn settle_notes(&mut self) -> Notes {
        let notes = std::mem::take(&mut self.notes);
        if !notes.is_empty() {
            let words: Vec<String> = notes.iter().map(Note::to_string).collect();
            self.extra.entry("note").or_insert_with(|| words.join("; ").into());
        }
        notes
    }

    /// Takes the record's own id out of the properties.
    pub(crate) fn take_id(&mut self) -> Option<String> {
        let key = IDS.into_iter().find(|key| self.extra.contains_key(*key))?;
        self.extra.remove(key).map(|value| text(&value)).filter(|id| !id.is_empty())
    }
}

/// A scalar as text, without quotes.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn known_names_find_their_place_and_the_rest_is_kept() {
        let mut properties = Properties::default();
        for (name, value) in [
            ("Formation_Energy_Per_Atom", json!(-1.5)),
            ("energy_above_hull", json!(0)),
            ("seed_split", json!("train")),
            ("energy", json!(-20.5)),
            ("forces", json!([0.0, 1.0])),
            ("nothing", json!(null)),
        ] {
            properties.enter(name, value).unwrap();
        }
        assert_eq!((properties.formation_energy_per_atom, properties.e_above_hull), (Some(-1.5), Some(0.0)));
        assert_eq!(properties.split.as_deref(), Some("train"));
        assert_eq!(Value::Object(properties.extra.clone()), json!({"energy": -20.5}));
        assert!(properties.enter("band_gap", json!("wide")).unwrap_err().contains("band_gap is 'wide'"));
    }

    #[test]
    fn databases_name_their_energies_each_in_its_way() {
        let of = |name: &str, value: Value| {
            let mut properties = Properties::default();
            properties.enter_of_provider(name, value);
            (properties.formation_energy_per_atom, properties.e_above_hull, properties.correction_scheme)
        };
        assert_eq!(of("_oqmd_delta_e", json!(-2.0)), (Some(-2.0), None, Some("oqmd".into())));
        assert_eq!(of("_oqmd_stability", json!(0.1)), (None, Some(0.1), None));
        assert_eq!(of("_alexandria_hull_distance", json!(0.1)), (None, Some(0.1), None));
        let stability =
            json!({"gga_gga+u": {"formation_energy_per_atom": -3.4, "energy_above_hull": 0.0, "last_updated": "x"}});
        assert_eq!(of("_mp_stability", stability), (Some(-3.4), Some(0.0), Some("GGA_GGA+U".into())));
        // A formation energy of another name may be of the whole cell: it is kept, not interpreted.
        assert_eq!(of("_odbx_formation_energy", json!(-9.0)), (None, None, None));
    }

    #[test]
    fn a_record_may_name_itself() {
        let mut properties = Properties::default();
        assert_eq!(properties.take_id(), None);
        properties.enter("unique_id", json!("u")).unwrap();
        properties.enter("material_id", json!(7)).unwrap();
        assert_eq!(properties.take_id().as_deref(), Some("7"));
        assert_eq!(properties.extra.len(), 1);
    }
}
