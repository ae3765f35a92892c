//! One document, deserialized straight into numbers: no tree in between, strings borrowed where the text allows it.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use super::values::{Numbers, Rows, Scalar, Text};
use crate::{
    crystal::{Composition, Element, Lattice, Structure},
    error::{CrystalError, FormatError},
    formats::{MAX_ATOMS, Properties, at_line, species::element_of_symbol},
};

/// Occupancies nearer to 1 than this are full.
const FULL: f64 = 1e-3;
/// The cell's formula and the one beside it may differ by this share of all atoms.
const FORMULA_TOLERANCE: f64 = 5e-4;

/// What a document may say, in any of the three shapes.
#[derive(Default)]
pub(super) struct Document<'a> {
    pub id: Option<String>,
    pub properties: Properties,
    formula: Option<Text<'a>>,
    lattice: Option<Rows>,
    species: Option<Vec<Text<'a>>>,
    numbers: Option<Vec<i64>>,
    frac_coords: Option<Vec<f64>>,
    sites: Option<Vec<Site<'a>>>,
    inner: Option<Box<Document<'a>>>,
}

impl Document<'_> {
    /// The crystal; `line` is where the document begins.
    pub fn structure(self, line: usize) -> Result<Structure, FormatError> {
        let syntax = |message: String| FormatError::syntax(line, 0, message);
        if let Some(inner) = self.inner {
            return agree(inner.structure(line)?, self.formula.as_ref(), line);
        }
        let lattice = match self.lattice {
            Some(Rows::Vectors(rows)) => Lattice::new(rows),
            Some(Rows::Parameters([a, b, c, alpha, beta, gamma])) => {
                Lattice::from_parameters(a, b, c, alpha, beta, gamma)
            }
            None => {
                return Err(syntax("no 'lattice' and no 'structure'; expected the three lattice vectors in Å".into()));
            }
        };
        let lattice = lattice.map_err(at_line(line))?;
        let natoms = self.sites.as_ref().map(Vec::len).or(self.frac_coords.as_ref().map(|x| x.len() / 3)).unwrap_or(0);
        if natoms > MAX_ATOMS {
            return Err(syntax(format!("{natoms} atoms, more than the {MAX_ATOMS} accepted")));
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
            (species.map_err(at_line(line))?, sites.iter().enumerate().map(place).collect::<Result<Vec<_>, _>>()?)
        } else {
            let species: Result<Vec<_>, _> = match (&self.species, &self.numbers) {
                (Some(species), _) => species.iter().map(|s| element_of_symbol(&s.0)).collect(),
                (None, Some(numbers)) => numbers.iter().map(|&z| Element::from_z(z)).collect(),
                (None, None) => return Err(syntax("no 'species', 'numbers' or 'sites'; expected the atoms".into())),
            };
            let species = species.map_err(at_line(line))?;
            let flat = self
                .frac_coords
                .ok_or_else(|| syntax("no 'frac_coords'; expected three fractions for each atom".into()))?;
            if flat.len() != 3 * species.len() {
                let (n, m) = (species.len(), flat.len());
                return Err(syntax(format!("{n} species but {m} numbers in 'frac_coords'; expected three for each")));
            }
            (species, flat.chunks_exact(3).map(|x| [x[0], x[1], x[2]]).collect())
        };
        let structure = Structure::new(lattice, species, frac_coords).map_err(at_line(line))?;
        agree(structure, self.formula.as_ref(), line)
    }
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
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Document<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object that holds a structure")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document<'de>, A::Error> {
                let mut document = Document::default();
                while let Some(Text(key)) = map.next_key()? {
                    document.field(key, &mut map)?;
                }
                Ok(document)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

impl<'de> Document<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: Cow<'de, str>, map: &mut A) -> Result<(), A::Error> {
        let properties = &mut self.properties;
        match key.as_ref() {
            "lattice" => self.lattice = map.next_value()?,
            "sites" => self.sites = map.next_value()?,
            "species" => self.species = map.next_value()?,
            "numbers" => self.numbers = map.next_value()?,
            "frac_coords" => self.frac_coords = map.next_value::<Option<Numbers>>()?.map(|n| n.0),
            "structure" => self.inner = map.next_value()?,
            "formula" | "formula_pretty" | "pretty_formula" => self.formula = map.next_value()?,
            "id" | "material_id" => self.id = map.next_value::<Scalar>()?.text(),
            "formation_energy_per_atom" => properties.formation_energy_per_atom = map.next_value()?,
            "e_above_hull" | "energy_above_hull" => properties.e_above_hull = map.next_value()?,
            "band_gap" => properties.band_gap = map.next_value()?,
            "correction_scheme" => properties.correction_scheme = map.next_value::<Scalar>()?.text(),
            "source" => properties.source = map.next_value::<Scalar>()?.text(),
            "seed_split" | "split" => properties.split = map.next_value::<Scalar>()?.text(),
            _ => {
                if let Some(value) = map.next_value::<Scalar>()?.0 {
                    properties.extra.insert(key.into_owned(), value);
                }
            }
        }
        Ok(())
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
