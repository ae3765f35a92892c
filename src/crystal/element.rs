//! The 118 elements: symbol, mass, electronegativity and four sets of radii, read from `schema/elements/*.csv`.

use std::{collections::HashMap, sync::LazyLock};

use crate::CrystalError;

const ELEMENTS: &str = include_str!("../../schema/elements/elements.csv");
const SHANNON: &str = include_str!("../../schema/elements/shannon.csv");

/// A chemical element, by atomic number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Element(u8);

/// A set of atomic radii, by convention. A radius is part of a number computed from it: name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Radii {
    /// Empirical atomic radii, Slater 1964. O is 0.60 Å.
    Atomic,
    /// Covalent radii, Cordero et al. 2008. O is 0.66 Å.
    Covalent,
    /// Ionic radii, Shannon 1976, by oxidation state and coordination. O2- is 1.40 Å in sixfold coordination.
    Shannon,
    /// Van der Waals radii, Bondi 1964 and Alvarez 2013. O is 1.52 Å.
    VanDerWaals,
}

impl Radii {
    /// Every set, as SQL and the command line name it.
    pub const NAMES: [(&'static str, Self); 4] =
        [("atomic", Self::Atomic), ("covalent", Self::Covalent), ("ionic", Self::Shannon), ("vdw", Self::VanDerWaals)];

    /// The set called `name` (`atomic`, `covalent`, `ionic`, `vdw`), in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|&(_, r)| r)
    }

    /// The name that [`Radii::from_name`] reads.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, r)| *r == self).map_or("", |(n, _)| n)
    }
}

/// One row of Shannon's table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShannonRadius {
    /// Oxidation state.
    pub charge: i8,
    /// Coordination as Shannon writes it: `VI`, `IVSQ`, `IIIPY` ...
    pub coordination: &'static str,
    /// `High Spin`, `Low Spin` or empty.
    pub spin: &'static str,
    /// Effective ionic radius, Å (based on r(O2-, VI) = 1.40 Å).
    pub ionic: f64,
    /// Crystal radius, Å (0.14 Å larger for cations).
    pub crystal: f64,
}

struct Row {
    symbol: &'static str,
    mass: f64,
    electronegativity: Option<f64>,
    atomic: Option<f64>,
    covalent: Option<f64>,
    vdw: Option<f64>,
}

static TABLE: LazyLock<Vec<Row>> = LazyLock::new(|| {
    rows(ELEMENTS)
        .map(|f| Row {
            symbol: f[1],
            mass: number(f[2]).expect("schema/elements/elements.csv gives every element a mass"),
            electronegativity: number(f[3]),
            atomic: number(f[4]),
            covalent: number(f[5]),
            vdw: number(f[6]),
        })
        .collect()
});

static BY_SYMBOL: LazyLock<HashMap<&'static str, u8>> =
    LazyLock::new(|| TABLE.iter().enumerate().map(|(i, row)| (row.symbol, i as u8 + 1)).collect());

static SHANNON_TABLE: LazyLock<HashMap<Element, Vec<ShannonRadius>>> = LazyLock::new(|| {
    let mut table: HashMap<Element, Vec<ShannonRadius>> = HashMap::new();
    for f in rows(SHANNON) {
        let element = Element::from_symbol(f[0]).expect("schema/elements/shannon.csv names elements");
        table.entry(element).or_default().push(ShannonRadius {
            charge: f[1].parse().expect("schema/elements/shannon.csv gives whole charges"),
            coordination: f[2],
            spin: f[3],
            ionic: number(f[4]).expect("schema/elements/shannon.csv gives ionic radii"),
            crystal: number(f[5]).expect("schema/elements/shannon.csv gives crystal radii"),
        });
    }
    table
});

/// Fields of the data lines of an embedded table: comment lines start with '#', the first other line is the header.
fn rows(csv: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    csv.lines().filter(|l| !l.starts_with('#') && !l.is_empty()).skip(1).map(|l| l.split(',').collect())
}

fn number(field: &str) -> Option<f64> {
    field.parse().ok()
}

impl Element {
    /// Oxygen, which every oxide contains.
    pub const O: Self = Self(8);
    /// Hydrogen.
    pub const H: Self = Self(1);
    /// Fluorine.
    pub const F: Self = Self(9);
    /// Sulfur.
    pub const S: Self = Self(16);

    /// Element of atomic number `z`.
    ///
    /// # Errors
    /// `z` outside 1..=118.
    pub fn from_z(z: i64) -> Result<Self, CrystalError> {
        if (1..=118).contains(&z) { Ok(Self(z as u8)) } else { Err(CrystalError::UnknownAtomicNumber(z)) }
    }

    /// Element of a symbol in its usual case (`Ti`, not `TI`).
    ///
    /// # Errors
    /// Anything else; D and T are not accepted as hydrogen.
    pub fn from_symbol(symbol: &str) -> Result<Self, CrystalError> {
        BY_SYMBOL.get(symbol).map(|&z| Self(z)).ok_or_else(|| CrystalError::UnknownElement(symbol.to_owned()))
    }

    /// Every element, hydrogen first.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..=118).map(Self)
    }

    /// Atomic number.
    #[inline]
    pub fn z(self) -> u8 {
        self.0
    }

    fn row(self) -> &'static Row {
        &TABLE[usize::from(self.0) - 1]
    }

    /// Symbol, for instance `Ti`.
    pub fn symbol(self) -> &'static str {
        self.row().symbol
    }

    /// Standard atomic weight, u.
    pub fn mass(self) -> f64 {
        self.row().mass
    }

    /// Pauling electronegativity, where one is published.
    pub fn electronegativity(self) -> Option<f64> {
        self.row().electronegativity
    }

    /// Slater's empirical atomic radius, Å.
    pub fn atomic_radius(self) -> Option<f64> {
        self.row().atomic
    }

    /// Covalent radius, Å.
    pub fn covalent_radius(self) -> Option<f64> {
        self.row().covalent
    }

    /// Van der Waals radius, Å.
    pub fn vdw_radius(self) -> Option<f64> {
        self.row().vdw
    }

    /// Shannon's radii of this element, all oxidation states and coordinations.
    pub fn shannon_radii(self) -> &'static [ShannonRadius] {
        SHANNON_TABLE.get(&self).map_or(&[], Vec::as_slice)
    }
}

impl std::fmt::Display for Element {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.symbol())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_answers_to_its_symbol() {
        assert_eq!(TABLE.len(), 118);
        for element in Element::all() {
            assert_eq!(Element::from_symbol(element.symbol()), Ok(element));
            assert!(element.mass() > 1.0);
        }
        assert!(Element::from_symbol("ti").is_err());
        assert!(Element::from_z(0).is_err() && Element::from_z(119).is_err());
    }

    #[test]
    fn radii_of_the_published_tables() {
        let [o, ti, ca] = ["O", "Ti", "Ca"].map(|s| Element::from_symbol(s).unwrap());
        assert_eq!((o.atomic_radius(), ti.atomic_radius()), (Some(0.60), Some(1.40)));
        assert_eq!((o.covalent_radius(), o.vdw_radius()), (Some(0.66), Some(1.52)));
        let shannon = |element: Element, charge, coordination| {
            element
                .shannon_radii()
                .iter()
                .find(|r| (r.charge, r.coordination) == (charge, coordination))
                .map(|r| r.ionic)
        };
        assert_eq!((shannon(o, -2, "VI"), shannon(ti, 4, "VI")), (Some(1.40), Some(0.605)));
        assert_eq!((shannon(ca, 2, "VI"), shannon(ca, 2, "VIII")), (Some(1.00), Some(1.12)));
    }
}
