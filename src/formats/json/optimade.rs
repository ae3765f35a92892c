//! Entries of OPTIMADE: reading their species, named mixtures of elements which the sites call by name, and [writing](writer).
//!
//! ```text
//! {"id": "mp-2657", "type": "structures", "attributes": {"lattice_vectors": [[..],[..],[..]], "cartesian_site_positions": [[..], ..],
//!  "species": [{"name": "Ti", "chemical_symbols": ["Ti"], "concentration": [1.0]}], "species_at_sites": ["Ti", ..]}}
//! ```
//! An answer of a server wraps entries in `{"data": [..]}`; the JSON lines of `optimade-maker` and `optimade-client` have one a line,
//! after a header. A species of several elements, of a vacancy, or with atoms attached is disorder and is refused.

mod space_group;
mod writer;

use std::{collections::HashMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Visitor, value::MapAccessDeserializer},
};

use super::{document::FULL, values::Text};
use crate::species::{element_of_symbol, is_isotope};
use crystal::CrystalError;
use crystal::Element;

pub use space_group::{SPACE_GROUP, optimade_space_group};
pub use writer::{PREFIX, optimade_attribute, optimade_name, to_optimade};

/// A species: an element by its symbol, or OPTIMADE's description of one.
pub(super) enum Kind<'a> {
    Symbol(Text<'a>),
    Species(Species<'a>),
}

/// OPTIMADE's `species`.
#[derive(Deserialize)]
pub(super) struct Species<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    chemical_symbols: Vec<Text<'a>>,
    concentration: Option<Vec<f64>>,
    #[serde(borrow)]
    attached: Option<Vec<Text<'a>>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Kind<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SymbolOrSpecies;
        impl<'de> Visitor<'de> for SymbolOrSpecies {
            type Value = Kind<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an element's symbol or a species of OPTIMADE")
            }

            fn visit_borrowed_str<E>(self, s: &'de str) -> Result<Kind<'de>, E> {
                Ok(Kind::Symbol(Text(s.into())))
            }

            fn visit_str<E>(self, s: &str) -> Result<Kind<'de>, E> {
                Ok(Kind::Symbol(Text(s.to_owned().into())))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Kind<'de>, A::Error> {
                Species::deserialize(MapAccessDeserializer::new(map)).map(Kind::Species)
            }
        }
        deserializer.deserialize_any(SymbolOrSpecies)
    }
}

impl Kind<'_> {
    /// Whether it is deuterium or tritium.
    pub fn is_isotope(&self) -> bool {
        match self {
            Self::Symbol(symbol) => is_isotope(&symbol.0),
            Self::Species(species) => species.chemical_symbols.iter().any(|symbol| is_isotope(&symbol.0)),
        }
    }

    /// The one element of the species of site `index`, from 0.
    ///
    /// # Errors
    /// A symbol that is none, a species of several atoms, of none or of an unknown one, a site that is not fully occupied.
    pub fn element(&self, index: usize) -> Result<Element, CrystalError> {
        match self {
            Self::Symbol(symbol) => element_of_symbol(&symbol.0),
            Self::Species(species) => species.element(index),
        }
    }
}

impl Species<'_> {
    fn element(&self, index: usize) -> Result<Element, CrystalError> {
        let site = || format!("{} ({})", index + 1, self.name.0);
        let share = |k: usize| self.concentration.as_ref().and_then(|c| c.get(k)).copied().unwrap_or(1.0);
        if let Some(attached) = self.attached.as_ref().and_then(|a| a.first()) {
            let message = format!(
                "site {} has {} attached at no position; only sites with one atom are accepted",
                site(),
                attached.0
            );
            return Err(CrystalError::Sites(message));
        }
        match self.chemical_symbols.as_slice() {
            [] => Err(CrystalError::Sites(format!("site {} holds no chemical symbol; expected one element", site()))),
            [only] if only.0 == "X" => {
                Err(CrystalError::Sites(format!("site {} is X, an unknown atom; expected an element", site())))
            }
            [only] if only.0 != "vacancy" && (share(0) - 1.0).abs() <= FULL => element_of_symbol(&only.0),
            // An atom and a vacancy: the atom's share is the occupancy.
            symbols => {
                let atom = symbols.iter().position(|s| s.0 != "vacancy");
                Err(CrystalError::PartialOccupancy { site: site(), occupancy: atom.map_or(0.0, share) })
            }
        }
    }
}

/// The elements of sites that name their species; without descriptions the names are symbols.
pub(super) fn elements_at_sites(names: &[Text], kinds: &[Kind]) -> Result<Vec<Element>, CrystalError> {
    let by_name: HashMap<&str, &Kind> = kinds
        .iter()
        .map(|kind| match kind {
            Kind::Symbol(symbol) => (symbol.0.as_ref(), kind),
            Kind::Species(species) => (species.name.0.as_ref(), kind),
        })
        .collect();
    let element = |(i, name): (usize, &Text)| match by_name.get(name.0.as_ref()) {
        Some(kind) => kind.element(i),
        None if kinds.is_empty() => element_of_symbol(&name.0),
        None => Err(CrystalError::Sites(format!(
            "site {} is of species '{}', which 'species' does not describe; fetch the entry again with both",
            i + 1,
            name.0
        ))),
    };
    names.iter().enumerate().map(element).collect()
}

#[cfg(test)]
mod tests {
    use crate::{Record, Rejection, read_file};

    const MGO: &str = r#"{"id": "mp-1265", "type": "structures", "attributes": {"chemical_formula_reduced": "MgO", "elements": ["Mg", "O"],
      "dimension_types": [1, 1, 1], "nperiodic_dimensions": 3, "lattice_vectors": [[4.2, 0, 0], [0, 4.2, 0], [0, 0, 4.2]],
      "cartesian_site_positions": [[0, 0, 0], [2.1, 2.1, 2.1]], "structure_features": [], "nsites": 2,
      "species": [{"name": "Mg1", "chemical_symbols": ["Mg"], "concentration": [1.0], "mass": null},
                  {"name": "O", "chemical_symbols": ["O"], "concentration": [1.0]}],
      "species_at_sites": ["Mg1", "O"], "last_modified": "2024-01-01T00:00:00Z", "_mp_chemical_system": "Mg-O",
      "_mp_stability": {"r2scan": {"formation_energy_per_atom": -3.1}, "gga_gga+u": {"formation_energy_per_atom": -3.05, "energy_above_hull": 0}}},
      "links": {"self": null}, "relationships": {}}"#;

    fn read(name: &str, text: &str) -> Vec<Result<Record, Rejection>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        read_file(&path).collect()
    }

    fn line(text: &str) -> String {
        text.replace('\n', " ") + "\n"
    }

    #[test]
    fn an_answer_of_entries_with_what_the_database_says_of_them() {
        let bare = MGO.replace("mp-1265", "mp-2");
        let records = read(
            "x.json",
            &format!("{{\"meta\": {{\"data_returned\": 2}}, \"data\": [{MGO},\n{bare}], \"links\": {{}}}}"),
        );
        let records: Vec<Record> = records.into_iter().map(Result::unwrap).collect();
        assert_eq!(records.iter().map(|r| (r.id.as_str(), r.line)).collect::<Vec<_>>(), [("mp-1265", 1), ("mp-2", 9)]);
        let Record { structure, properties, .. } = &records[0];
        assert_eq!(structure.composition().formula(), "MgO");
        assert_eq!(structure.frac_coords()[1], [0.5; 3]);
        assert_eq!((properties.formation_energy_per_atom, properties.e_above_hull), (Some(-3.05), Some(0.0)));
        assert_eq!(properties.correction_scheme.as_deref(), Some("GGA_GGA+U"));
        assert_eq!(properties.extra["_mp_chemical_system"], "Mg-O");
    }

    #[test]
    fn an_answer_of_one_entry_and_of_none() {
        let one = read("x.json", &format!("{{\"data\": {MGO}, \"meta\": {{}}}}"));
        assert!(one.len() == 1 && one[0].as_ref().unwrap().id == "mp-1265", "{one:?}");
        assert!(read("x.json", "{\"data\": [], \"meta\": {}}")[0].as_ref().unwrap_err().reason.contains("empty"));
        let refused = read(
            "x.json",
            r#"{"errors": [{"status": "400", "title": "Bad Request", "detail": "no such field"}], "meta": {}}"#,
        );
        assert!(refused[0].as_ref().unwrap_err().reason.ends_with("with an error, not with data: no such field"));
    }

    #[test]
    fn json_lines_with_their_header_and_descriptions() {
        let text = [
            r#"{"x-optimade": {"meta": {"api_version": "1.1.0"}}}"#.to_owned() + "\n",
            line(r#"{"type": "info", "id": "structures", "properties": {"_x_energy": {"unit": "eV"}}}"#),
            line(MGO),
            line(r#"{"type": "references", "id": "r", "attributes": {"title": "On MgO"}}"#),
            line(&MGO.replace("mp-1265", "mp-2")),
        ]
        .concat();
        let ids: Vec<_> = read("x.jsonl", &text).into_iter().map(|r| r.map(|r| (r.id, r.line)).unwrap()).collect();
        assert_eq!(ids, [("mp-1265".into(), 3), ("mp-2".into(), 5)]);
    }

    #[test]
    fn what_is_not_one_crystal_is_refused_with_its_reason() {
        for (from, to, said) in [
            (
                r#"["Mg"], "concentration": [1.0]"#,
                r#"["Mg", "vacancy"], "concentration": [0.9, 0.1]"#,
                "site 1 (Mg1) has occupancy 0.9",
            ),
            (r#"["Mg"], "concentration": [1.0]"#, r#"["Mg", "Ca"], "concentration": [0.5, 0.5]"#, "occupancy 0.5"),
            (r#"["Mg"], "concentration": [1.0]"#, r#"["vacancy"], "concentration": [1.0]"#, "occupancy 0;"),
            (r#"["Mg"], "concentration": [1.0]"#, r#"["Mg"], "concentration": [0.25]"#, "occupancy 0.25"),
            (r#"["Mg"], "concentration": [1.0]"#, r#"["X"], "concentration": [1.0]"#, "unknown atom"),
            (r#""mass": null"#, r#""attached": ["H"], "nattached": [1]"#, "has H attached"),
            ("[1, 1, 1]", "[1, 1, 0]", "periodic in 2 directions"),
            (r#""structure_features": []"#, r#""structure_features": ["implicit_atoms"]"#, "leaves out atoms"),
            (r#""structure_features": []"#, r#""structure_features": ["assemblies"]"#, "alternative sites"),
            (r#""species_at_sites": ["Mg1""#, r#""species_at_sites": ["Mg2""#, "species 'Mg2', which"),
            (r#""species_at_sites": ["Mg1", "O"]"#, r#""species_at_sites": ["Mg1"]"#, "1 species but 6 numbers"),
            ("[2.1, 2.1, 2.1]", "[2.1, null, 2.1]", "invalid type: null"),
            ("cartesian_site_positions", "positions", "ask the server for them"),
            (r#"reduced": "MgO""#, r#"reduced": "MgO2""#, "the formula is 'MgO2'"),
        ]
        .map(|(from, to, said)| (from, to, said))
        {
            assert!(MGO.contains(from), "{from}");
            let read = read("x.jsonl", &(line(&MGO.replacen(from, to, 1)) + &line(MGO)));
            assert!(read.len() == 2 && read[1].is_ok(), "{to}: {read:?}");
            let rejection = read[0].as_ref().unwrap_err();
            assert!(rejection.reason.contains(said) && rejection.line == 1, "{to}: {rejection}");
        }
    }
}
