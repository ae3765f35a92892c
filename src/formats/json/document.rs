//! One document, deserialized straight into numbers: no tree in between, strings borrowed where the text allows it.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::optimade::{Kind, elements_at_sites};
use super::values::{Numbers, Rows, Scalar, Text};
use crate::FormatError;
use crate::{
    MAX_ATOMS, Mapping, Note, Notes, Place, Properties, Refused, Stated, at_line, parse_noted,
    properties::IDS,
    species::{element_of_symbol, is_isotope},
};
use crystal::CrystalError;
use crystal::{Composition, Disordered, Element, Lattice, Structure};

/// Occupancies nearer to 1 than this are full.
pub(super) const FULL: f64 = 1e-3;
/// The cell's formula and the one beside it may differ by this share of all atoms.
const FORMULA_TOLERANCE: f64 = 5e-4;

/// The members of a document, in any of the three shapes.
#[derive(Default)]
pub(super) struct Document<'a> {
    pub id: Option<String>,
    pub properties: Properties,
    formula: Option<Text<'a>>,
    lattice: Option<Rows>,
    species: Option<Vec<Kind<'a>>>,
    /// Names of `species`, one a site, and Cartesian positions, Å, flat: OPTIMADE.
    species_at_sites: Option<Vec<Text<'a>>>,
    positions: Option<Vec<f64>>,
    /// What keeps an OPTIMADE entry from being one crystal.
    not_one: Option<String>,
    /// A line of OPTIMADE that is not about a crystal.
    aside: bool,
    entry: Option<Text<'a>>,
    numbers: Option<Vec<i64>>,
    frac_coords: Option<Vec<f64>>,
    sites: Option<Vec<Site<'a>>>,
    inner: Option<Inner<'a>>,
    /// CIF or POSCAR text beside the properties.
    text: Option<Text<'a>>,
}

/// A structure within a document: a document of its own, or text of any format.
pub(super) enum Inner<'a> {
    Document(Box<Document<'a>>),
    Text(Text<'a>),
}

impl Document<'_> {
    /// Whether this is a header, a description or a reference, as stand between the entries of OPTIMADE's JSON lines.
    pub fn is_aside(&self) -> bool {
        const ASIDES: [&str; 5] = ["info", "references", "links", "files", "calculations"];
        let of_kind = self.entry.as_ref().is_some_and(|kind| ASIDES.contains(&kind.0.as_ref()));
        (self.aside || of_kind) && self.lattice.is_none() && self.sites.is_none()
    }

    /// Whether a site holds deuterium or tritium.
    fn isotopes(&self) -> bool {
        let of_sites = |sites: &Vec<Site>| sites.iter().any(|s| s.species.iter().any(|o| is_isotope(&o.element.0)));
        let names = match &self.species {
            Some(kinds) if !kinds.is_empty() => kinds.iter().any(Kind::is_isotope),
            _ => self.species_at_sites.as_ref().is_some_and(|names| names.iter().any(|name| is_isotope(&name.0))),
        };
        self.sites.as_ref().map_or(names, of_sites)
    }

    /// The crystal, and how it differs from the text; `line` is where the document begins.
    ///
    /// # Errors
    /// Text that is no structure, parts that make no crystal, or a formula that the sites contradict.
    pub fn structure(mut self, line: usize) -> Result<(Structure, Notes), Refused> {
        let formula = self.formula.take();
        let of_text = |text: &str| {
            parse_noted(text).map_err(|e| FormatError::syntax(line, 0, format!("in the text of the structure, {e}")))
        };
        let (structure, notes) = match (self.inner.take(), self.text.take()) {
            (Some(Inner::Document(inner)), _) => inner.structure(line)?,
            (Some(Inner::Text(text)), _) => of_text(&text.0)?,
            (None, Some(text)) if self.lattice.is_none() => of_text(&text.0)?,
            _ => {
                let notes = self.isotopes().then_some(Note::Isotopes).into_iter().collect();
                (self.of_parts(line)?, notes)
            }
        };
        Ok((agree(structure, formula.as_ref(), line)?, notes))
    }

    /// The crystal of a lattice, species and coordinates.
    fn of_parts(self, line: usize) -> Result<Structure, Refused> {
        let syntax = |message: String| FormatError::syntax(line, 0, message);
        if let Some(message) = self.not_one {
            return Err(syntax(message).into());
        }
        let lattice = match self.lattice {
            Some(Rows::Vectors(rows)) => Lattice::new(rows),
            Some(Rows::Parameters([a, b, c, alpha, beta, gamma])) => {
                Lattice::from_parameters(a, b, c, alpha, beta, gamma)
            }
            None => {
                let message = "no 'lattice' and no 'structure'; expected the three lattice vectors in Å";
                return Err(syntax(message.into()).into());
            }
        };
        let lattice = lattice.map_err(at_line(line))?;
        let flat = self.frac_coords.as_ref().or(self.positions.as_ref());
        let natoms = self.sites.as_ref().map(Vec::len).or(flat.map(|x| x.len() / 3)).unwrap_or(0);
        if natoms > MAX_ATOMS {
            return Err(syntax(format!("{natoms} atoms, more than the {MAX_ATOMS} accepted")).into());
        }
        let (species, frac_coords) = if let Some(sites) = &self.sites {
            let species = sites.iter().enumerate().map(|(i, s)| s.element(i)).collect::<Result<Vec<_>, _>>();
            let place = |(i, site): (usize, &Site)| match (site.abc, site.xyz) {
                (Some(frac), _) => Ok(frac),
                (None, Some(cartesian)) => Ok(lattice.to_fractional(cartesian)),
                (None, None) => {
                    Err(syntax(format!("site {} has neither 'abc' nor 'xyz'; expected its coordinates", i + 1)))
                }
            };
            let places = sites.iter().enumerate().map(place).collect::<Result<Vec<_>, _>>()?;
            match species {
                Ok(species) => (species, places),
                Err(partial @ CrystalError::PartialOccupancy { .. }) => {
                    let crystal = shared(lattice, sites, &places).map_err(at_line(line))?;
                    return Err(Refused { error: at_line(line)(partial), disordered: Some(Box::new(crystal)) });
                }
                Err(other) => return Err(at_line(line)(other).into()),
            }
        } else {
            let species: Result<Vec<_>, _> = match (&self.species_at_sites, &self.species, &self.numbers) {
                (Some(names), kinds, _) => elements_at_sites(names, kinds.as_deref().unwrap_or_default()),
                (None, Some(species), _) => species.iter().enumerate().map(|(i, kind)| kind.element(i)).collect(),
                (None, None, Some(numbers)) => numbers.iter().map(|&z| Element::from_z(z)).collect(),
                (None, None, None) => {
                    return Err(syntax("no 'species', 'numbers' or 'sites'; expected the atoms".into()).into());
                }
            };
            let species = species.map_err(at_line(line))?;
            let (name, flat) = match (self.frac_coords, self.positions) {
                (Some(flat), _) => ("frac_coords", flat),
                (None, Some(positions)) => ("cartesian_site_positions", positions),
                (None, None) if self.species_at_sites.is_some() => {
                    return Err(syntax(
                        "no 'cartesian_site_positions'; ask the server for them in response_fields".into(),
                    )
                    .into());
                }
                (None, None) => {
                    return Err(syntax("no 'frac_coords'; expected three fractions for each atom".into()).into());
                }
            };
            if flat.len() != 3 * species.len() {
                let (n, m) = (species.len(), flat.len());
                return Err(syntax(format!("{n} species but {m} numbers in '{name}'; expected three for each")).into());
            }
            let (rows, _) = flat.as_chunks::<3>();
            match name {
                "frac_coords" => (species, rows.to_vec()),
                _ => (species, rows.iter().map(|&x| lattice.to_fractional(x)).collect()),
            }
        };
        Ok(Structure::new(lattice, species, frac_coords).map_err(at_line(line))?)
    }
}

/// The average crystal of sites that elements share.
fn shared(lattice: Lattice, sites: &[Site], places: &[[f64; 3]]) -> Result<Disordered, CrystalError> {
    let mut atoms = Vec::new();
    for (site, &place) in sites.iter().zip(places) {
        for occupant in &site.species {
            atoms.push((element_of_symbol(&occupant.element.0)?, place, occupant.occu));
        }
    }
    Disordered::new(lattice, &atoms)
}

/// The structure, if it is of the formula that stands beside it. Anonymous formulas such as `AB2` say nothing.
fn agree(structure: Structure, formula: Option<&Text>, line: usize) -> Result<Structure, FormatError> {
    let Some((text, stated)) = formula.and_then(|f| Some((&f.0, Composition::parse(&f.0).ok()?))) else {
        return Ok(structure);
    };
    let found = structure.composition();
    if found.same_proportions(&stated, FORMULA_TOLERANCE) {
        return Ok(structure);
    }
    let found = found.reduced_formula();
    Err(FormatError::syntax(
        line,
        0,
        format!("the formula is '{text}' but the sites make {found}; a site is missing or wrong"),
    ))
}

impl<'de: 'a, 'a> Deserialize<'de> for Document<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Named(&Mapping::default()).deserialize(deserializer)
    }
}

/// Reads a document whose members are called as a mapping says.
pub(super) struct Named<'m>(pub &'m Mapping);

impl<'de> DeserializeSeed<'de> for Named<'_> {
    type Value = Document<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Document<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Named<'_> {
    type Value = Document<'de>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object that holds a structure")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document<'de>, A::Error> {
        let (parts, id) = (self.0.parts(), self.0.column("id"));
        let mut document = Document::default();
        while let Some(Text(key)) = map.next_key()? {
            match id {
                Some(id) if id == key => document.id = map.next_value::<Scalar>()?.text(),
                // Another member names it.
                Some(_) if IDS.contains(&key.as_ref()) => document.keep(key, &mut map)?,
                _ => match parts.renamed(&key) {
                    Some(name) if name == key => document.field(key, &mut map)?,
                    Some(name) => document.field(Cow::Owned(name.to_owned()), &mut map)?,
                    None => drop(map.next_value::<IgnoredAny>()?),
                },
            }
        }
        Ok(document)
    }
}

impl<'de> Document<'de> {
    /// OPTIMADE's `dimension_types`: 1 for each direction that repeats.
    fn dimensions(&mut self, types: Option<Vec<Option<i64>>>) {
        if let Some(types) = types {
            self.periodic(Some(types.into_iter().flatten().sum()));
        }
    }

    fn periodic(&mut self, directions: Option<i64>) {
        if let Some(n) = directions.filter(|n| *n != 3) {
            self.not_one = Some(format!("periodic in {n} directions; only crystals, periodic in 3, are accepted"));
        }
    }

    /// What a server says in place of data.
    fn refusal(&mut self, errors: &serde_json::Value) {
        let first = errors.get(0).unwrap_or(errors);
        let said = ["detail", "title"].iter().find_map(|key| first.get(key)?.as_str());
        if let Some(said) = said {
            let said: String = said.chars().take(200).collect();
            self.not_one = Some(format!("the server answered with an error, not with data: {said}"));
        }
    }

    /// OPTIMADE's `structure_features`, of which two say that sites are missing or alternative. Disorder and attachments are seen
    /// in the species themselves, and `unknown_positions` in their coordinates.
    fn features(&mut self, features: &[Text]) {
        let said = features.iter().find_map(|feature| match feature.0.as_ref() {
            "implicit_atoms" => {
                Some("the entry leaves out atoms (implicit_atoms); only complete structures are accepted")
            }
            "assemblies" => Some("the entry has alternative sites (assemblies); order the structure first"),
            _ => None,
        });
        self.not_one = self.not_one.take().or(said.map(str::to_owned));
    }

    fn field<A: MapAccess<'de>>(&mut self, key: Cow<'de, str>, map: &mut A) -> Result<(), A::Error> {
        let properties = &mut self.properties;
        match key.as_ref() {
            "lattice" => self.lattice = map.next_value()?,
            "sites" => self.sites = map.next_value()?,
            "species" => self.species = map.next_value()?,
            "numbers" => self.numbers = map.next_value()?,
            "frac_coords" => self.frac_coords = map.next_value::<Option<Numbers>>()?.map(|n| n.0),
            "structure" => self.inner = map.next_value()?,
            "cif" | "poscar" => {
                let text: Option<Text> = map.next_value()?;
                self.text = self.text.take().or(text);
            }
            "lattice_vectors" => self.lattice = map.next_value()?,
            "species_at_sites" => self.species_at_sites = map.next_value()?,
            "cartesian_site_positions" => self.positions = map.next_value::<Option<Numbers>>()?.map(|n| n.0),
            "attributes" => {
                self.inner = map.next_value()?;
                if let Some(Inner::Document(inner)) = &mut self.inner {
                    std::mem::swap(&mut inner.properties.extra, &mut properties.extra);
                    inner.properties.extra.append(&mut properties.extra);
                    *properties = std::mem::take(&mut inner.properties);
                    self.id = self.id.take().or(inner.id.take());
                }
            }
            "dimension_types" => self.dimensions(map.next_value()?),
            "nperiodic_dimensions" => self.periodic(map.next_value()?),
            "structure_features" => self.features(&map.next_value::<Option<Vec<Text>>>()?.unwrap_or_default()),
            "type" => self.entry = map.next_value::<Scalar>()?.text().map(|t| Text(Cow::Owned(t))),
            "x-optimade" => {
                map.next_value::<serde::de::IgnoredAny>()?;
                self.aside = true;
            }
            "errors" => self.refusal(&map.next_value::<serde_json::Value>()?),
            "immutable_id" | "entry_id" => {
                let id = map.next_value::<Scalar>()?.text();
                self.id = self.id.take().or(id);
            }
            "chemical_formula_reduced" | "formula" | "formula_pretty" | "pretty_formula" => {
                self.formula = map.next_value()?
            }
            "id" | "material_id" => self.id = map.next_value::<Scalar>()?.text(),
            // Pymatgen's own, beside the sites.
            "properties" => {
                if let serde_json::Value::Object(entries) = map.next_value()? {
                    for (name, value) in entries {
                        properties.enter(&name, value).map_err(serde::de::Error::custom)?;
                    }
                    self.id = self.id.take().or_else(|| properties.take_id());
                }
            }
            name if name.starts_with('_') => properties.enter_of_provider(name, map.next_value()?),
            name => match Stated::called(name).map(|stated| &stated.place) {
                Some(Place::Number(_, place)) => *place(properties) = map.next_value()?,
                Some(Place::Text(_, place)) => *place(properties) = map.next_value::<Scalar>()?.text(),
                None => self.keep(key, map)?,
            },
        }
        Ok(())
    }

    /// Keeps a member that is not known by name.
    fn keep<A: MapAccess<'de>>(&mut self, key: Cow<'de, str>, map: &mut A) -> Result<(), A::Error> {
        if let Some(value) = map.next_value::<Scalar>()?.0 {
            self.properties.extra.insert(key.into_owned(), value);
        }
        Ok(())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Inner<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DocumentOrText;
        impl<'de> Visitor<'de> for DocumentOrText {
            type Value = Inner<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a structure, as an object or as text")
            }

            fn visit_borrowed_str<E>(self, s: &'de str) -> Result<Inner<'de>, E> {
                Ok(Inner::Text(Text(Cow::Borrowed(s))))
            }

            fn visit_str<E>(self, s: &str) -> Result<Inner<'de>, E> {
                Ok(Inner::Text(Text(Cow::Owned(s.to_owned()))))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Inner<'de>, A::Error> {
                Document::deserialize(MapAccessDeserializer::new(map)).map(|d| Inner::Document(Box::new(d)))
            }
        }
        deserializer.deserialize_any(DocumentOrText)
    }
}

/// A site of a pymatgen structure.
#[derive(Deserialize)]
struct Site<'a> {
    #[serde(borrow)]
    species: Vec<Occupant<'a>>,
    abc: Option<[f64; 3]>,
    xyz: Option<[f64; 3]>,
    #[serde(borrow)]
    label: Option<Text<'a>>,
}

/// One of the elements that share a site.
#[derive(Deserialize)]
struct Occupant<'a> {
    #[serde(borrow)]
    element: Text<'a>,
    #[serde(default = "full")]
    occu: f64,
}

fn full() -> f64 {
    1.0
}

impl Site<'_> {
    fn element(&self, index: usize) -> Result<Element, CrystalError> {
        match self.species.as_slice() {
            [only] if (only.occu - 1.0).abs() <= FULL => element_of_symbol(&only.element.0),
            [] => Err(CrystalError::Sites(format!("site {} holds no species; expected one element", index + 1))),
            [first, ..] => {
                let label = self.label.as_ref().map_or_else(|| first.element.0.to_string(), |l| l.0.to_string());
                Err(CrystalError::PartialOccupancy { site: format!("{} ({label})", index + 1), occupancy: first.occu })
            }
        }
    }
}
