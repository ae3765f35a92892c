//! Published crystal structures in a compact notation, `.hosts`: space group, cell, Wyckoff sites, density and citation.
//! The program expands each to its cell. More than a hundred transition-metal oxides are embedded; a user's own file is read in the same
//! way.
//!
//! ```text
//! # A host begins in the first column: id, formula, name. Its fields are indented. '#' begins a comment.
//! pyrolusite  MnO2  beta-MnO2, rutile type: 1 x 1 tunnels
//!     group    P 42/m n m (136)
//!     cell     a 4.3983  c 2.8730
//!     Mn  2a   0       0       0
//!     O   4f   0.3046  0.3046  0
//!     density  5.19
//!     cite     Baur, Acta Crystallogr. B 32 (1976) 2200
//! ```
//!
//! | field | content |
//! |---|---|
//! | `group` | Hermann-Mauguin symbol of the setting, then the number. Where one symbol leaves the origin or the axes open it says which: `F d -3 m :2`, `R -3 m :H` |
//! | `cell` | exactly the free parameters of the crystal system, Å and degrees: `a`; `a c`; `a b c`; `a b c beta`; all six; `a alpha` on rhombohedral axes |
//! | a site | element with an optional running number, multiplicity and Wyckoff letter, then x y z as decimals or fractions |
//! | `density` | stated density, g/cm³: of the publication or a handbook, else Z·M/V of the published cell |
//! | `cite` | authors, journal volume (year) page |
//! | `note` | optional: what a reader must know, for instance that the coordinates are relaxed by DFT |
//!
//! Reading checks that each site has as many images as its multiplicity says, that they lie on the stated Wyckoff position
//! of the stated setting, that no two atoms overlap and that the cell holds the stated formula. Facts only: one line per fact,
//! each host with the publication that it is from.

mod parser;

use std::fmt;

use crystal::{Element, Setting, Structure};

pub use parser::parse;

/// One atom of the asymmetric unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// Element and running number, for instance `O2`.
    pub label: String,
    /// The element.
    pub element: Element,
    /// Number of images in the cell.
    pub multiplicity: usize,
    /// Wyckoff letter in the host's setting.
    pub letter: char,
    /// Fractional coordinates as published.
    pub position: [f64; 3],
}

/// A published structure.
#[derive(Debug, Clone, PartialEq)]
pub struct Host {
    /// Short unique name, for instance `pyrolusite`.
    pub id: String,
    /// Mineral or phase, and what it is known for.
    pub name: String,
    /// Formula as stated.
    pub formula: String,
    /// Space-group number, 1 to 230.
    pub spacegroup: u16,
    /// Short Hermann-Mauguin symbol of the setting, for instance `P4_2/mnm` or `Pbnm`.
    pub symbol: String,
    /// Density as stated with the structure, g/cm³.
    pub density_stated: f64,
    /// Authors, journal, year, page.
    pub citation: String,
    /// A caution, where there is one.
    pub note: Option<String>,
    /// The setting of the cell and the sites.
    pub setting: &'static Setting,
    /// The asymmetric unit.
    pub sites: Vec<Site>,
    /// The whole cell.
    pub structure: Structure,
}

/// The embedded files, by name.
pub const FILES: &[(&str, &str)] = &[
    ("chromium", include_str!("../../fixtures/hosts/chromium.hosts")),
    ("cobalt-nickel", include_str!("../../fixtures/hosts/cobalt-nickel.hosts")),
    ("copper-zinc", include_str!("../../fixtures/hosts/copper-zinc.hosts")),
    ("iron", include_str!("../../fixtures/hosts/iron.hosts")),
    ("manganese", include_str!("../../fixtures/hosts/manganese.hosts")),
    ("molybdenum", include_str!("../../fixtures/hosts/molybdenum.hosts")),
    ("niobium", include_str!("../../fixtures/hosts/niobium.hosts")),
    ("noble", include_str!("../../fixtures/hosts/noble.hosts")),
    ("titanium", include_str!("../../fixtures/hosts/titanium.hosts")),
    ("tungsten", include_str!("../../fixtures/hosts/tungsten.hosts")),
    ("vanadium", include_str!("../../fixtures/hosts/vanadium.hosts")),
    ("zirconium", include_str!("../../fixtures/hosts/zirconium.hosts")),
];

/// Every embedded host, file by file. A test parses each file, so none is lost here.
pub fn embedded() -> Vec<Host> {
    FILES.iter().filter_map(|(_, text)| parse(text).ok()).flatten().collect()
}

/// The embedded crystal of that id.
pub fn host(id: &str) -> Option<crystal::Structure> {
    embedded().into_iter().find(|host| host.id == id).map(|host| host.structure)
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}  {}  {}", self.id, self.formula, self.name)?;
        writeln!(f, "    group    {} ({})", symbol(self.setting), self.spacegroup)?;
        write!(f, "    cell    ")?;
        let values = self.structure.lattice().parameters();
        for (name, value) in parser::CELL.iter().zip(values).filter(|(name, _)| parser::free(self.setting, name)) {
            // Ten digits hide the rounding of the way through the lattice's Cartesian rows.
            write!(f, " {name} {}", (value * 1e10).round() / 1e10)?;
        }
        for site in &self.sites {
            let [x, y, z] = site.position.map(coordinate);
            write!(f, "\n    {:<3} {:<4}  {x}  {y}  {z}", site.label, format!("{}{}", site.multiplicity, site.letter))?;
        }
        writeln!(f, "\n    density  {}\n    cite     {}", self.density_stated, self.citation)?;
        self.note.iter().try_for_each(|note| writeln!(f, "    note     {note}"))
    }
}

/// The symbol that names a setting and no other: full where the group is monoclinic, with the choice of origin or axes.
pub(super) fn symbol(setting: &Setting) -> String {
    let name = if (3..=15).contains(&setting.number) { setting.full } else { setting.short };
    match (setting.choice, setting.origin()) {
        (axes @ ("H" | "R"), _) => format!("{name} :{axes}"),
        (_, "") => name.to_owned(),
        (_, origin) => format!("{name} :{origin}"),
    }
}

/// A coordinate as a fraction where it is exactly one of a special position, else as a decimal.
fn coordinate(x: f64) -> String {
    let exact = |d: f64| ((x * d).round() / d == x).then(|| format!("{}/{d}", (x * d).round()));
    match x.fract() == 0.0 {
        true => format!("{x}"),
        false => [2.0, 3.0, 4.0, 6.0, 8.0].into_iter().find_map(exact).unwrap_or_else(|| format!("{x}")),
    }
}
