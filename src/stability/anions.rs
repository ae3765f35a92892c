//! What the oxygen and the sulfur of a compound are, by the distances to their neighbours: O²⁻, or O₂²⁻, O₂⁻ and O₃⁻, which energy
//! corrections distinguish.
//!
//! An O-O bond is 1.49 Å long in a peroxide and 1.35 Å in a superoxide, an O-H bond 0.93 Å; a pair up to [`SLACK`] times as far apart
//! is bonded. Rules and lengths are those of pymatgen 2026.10 (`oxide_type(structure, 1.05)` and `sulfide_type`; Jain *et al.*, Phys.
//! Rev. B 84 (2011) 045115), on which the published corrections stand: one bond decides for all oxygen of the crystal, and O-H goes
//! before O-O.

use crystal::{Element, Neighbors, Structure, neighbors, neighbors_of};

/// How much longer than usual a bond may be.
const SLACK: f64 = 1.05;
/// O-O in a peroxide, Å.
const PEROXIDE: f64 = 1.49;
/// O-O in a superoxide or an ozonide, Å.
const SUPEROXIDE: f64 = 1.35;
/// O-H, Å.
const HYDROXIDE: f64 = 0.93;
/// Where the neighbours of sulfur are looked for, Å; twice as far while there is none.
const NEAR: f64 = 4.0;
/// Atoms no farther than the nearest by this, Å, are neighbours of sulfur, at most [`MOST`].
const SHELL: f64 = 0.4;
const MOST: usize = 4;

/// What the oxygen of a compound is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OxideType {
    /// O²⁻: no bonds among oxygen.
    Oxide,
    /// OH⁻ or water somewhere.
    Hydroxide,
    /// O₂²⁻.
    Peroxide,
    /// O₂⁻.
    Superoxide,
    /// O₃⁻: an atom with two such short bonds.
    Ozonide,
}

impl OxideType {
    /// In the words of the field.
    pub fn name(self) -> &'static str {
        match self {
            Self::Oxide => "oxide",
            Self::Hydroxide => "hydroxide",
            Self::Peroxide => "peroxide",
            Self::Superoxide => "superoxide",
            Self::Ozonide => "ozonide",
        }
    }
}

/// What the oxygen of a crystal is; `None` without oxygen, and for the element.
pub fn oxide_type(structure: &Structure) -> Option<OxideType> {
    let species = structure.species();
    compound_of(structure, Element::O).then_some(())?;
    let bonds = neighbors(structure, SLACK * PEROXIDE);
    let from_oxygen = |k: usize| species[bonds.center[k] as usize] == Element::O;
    let to = |k: usize| species[bonds.neighbor[k] as usize];
    let pairs: Vec<usize> = (0..bonds.len()).filter(|&k| from_oxygen(k)).collect();
    if pairs.iter().any(|&k| to(k) == Element::H && bonds.distance[k] < SLACK * HYDROXIDE) {
        return Some(OxideType::Hydroxide);
    }
    // An atom's own image is no partner, and a partner counts once however many of its images are near.
    let bonded = |longest: f64| -> Vec<(u32, u32)> {
        let near = |&k: &usize| bonds.distance[k] < longest && bonds.center[k] != bonds.neighbor[k];
        let oxygen = pairs.iter().copied().filter(|&k| to(k) == Element::O).filter(near);
        let mut found: Vec<_> = oxygen.map(|k| (bonds.center[k], bonds.neighbor[k])).collect();
        found.dedup();
        found
    };
    let short = bonded(SLACK * SUPEROXIDE);
    Some(match short.as_slice() {
        [] if bonded(SLACK * PEROXIDE).is_empty() => OxideType::Oxide,
        [] => OxideType::Peroxide,
        pairs if pairs.windows(2).any(|two| two[0].0 == two[1].0) => OxideType::Ozonide,
        _ => OxideType::Superoxide,
    })
}

/// What the sulfur of a compound is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SulfideType {
    /// S²⁻: among less electronegative atoms.
    Sulfide,
    /// S-S bonds and nothing else around an atom.
    Polysulfide,
    /// Among more electronegative atoms, as in a sulfate: a cation.
    Sulfate,
}

/// What the sulfur of a crystal is; `None` without sulfur, and for the element. Sulfur atoms of several kinds: one in a sulfate
/// decides, then one in a polysulfide.
pub fn sulfide_type(structure: &Structure) -> Option<SulfideType> {
    let species = structure.species();
    let sulfur = Element::S;
    compound_of(structure, sulfur).then_some(())?;
    let near = neighbors(structure, NEAR);
    let mut found = SulfideType::Sulfide;
    for site in (0..species.len()).filter(|&site| species[site] == sulfur) {
        let mut cutoff = NEAR;
        let mut around = shell(&near, site);
        while around.is_empty() {
            cutoff *= 2.0;
            around = shell(&neighbors_of(structure, site, cutoff), site);
        }
        match of_shell(around.iter().map(|&neighbor| species[neighbor])) {
            SulfideType::Sulfate => return Some(SulfideType::Sulfate),
            SulfideType::Polysulfide => found = SulfideType::Polysulfide,
            SulfideType::Sulfide => {}
        }
    }
    Some(found)
}

/// The neighbours of a site, nearest first.
fn shell(near: &Neighbors, site: usize) -> Vec<usize> {
    let first = near.center.partition_point(|&center| (center as usize) < site);
    let last = near.center.partition_point(|&center| (center as usize) <= site);
    let mut around: Vec<usize> = (first..last).collect();
    around.sort_by(|&a, &b| near.distance[a].total_cmp(&near.distance[b]));
    let limit = around.first().map_or(0.0, |&k| near.distance[k] + SHELL);
    around.into_iter().take(MOST).filter(|&k| near.distance[k] < limit).map(|k| near.neighbor[k] as usize).collect()
}

/// Whether the mean electronegativity around sulfur lies above its own, at it, or below.
fn of_shell(around: impl Iterator<Item = Element> + Clone) -> SulfideType {
    let own = Element::S.electronegativity();
    let sum = around.clone().map(Element::electronegativity).try_fold(0.0, |sum, x| Some(sum + x?));
    let count = around.clone().count() as f64;
    match sum.map(|sum: f64| sum / count).zip(own) {
        Some((mean, own)) if mean > own => SulfideType::Sulfate,
        Some((mean, own)) if mean == own && around.clone().any(|e| e == Element::S) => SulfideType::Polysulfide,
        _ => SulfideType::Sulfide,
    }
}

/// Whether the crystal has `element` and another.
fn compound_of(structure: &Structure, element: Element) -> bool {
    structure.species().contains(&element) && structure.species().iter().any(|&other| other != element)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::Lattice;

    /// Atoms at Cartesian places in a wide cube.
    fn atoms(list: &[(&str, [f64; 3])]) -> Structure {
        let a = 20.0;
        let lattice = Lattice::from_parameters(a, a, a, 90.0, 90.0, 90.0).unwrap();
        let species = list.iter().map(|(symbol, _)| Element::from_symbol(symbol).unwrap()).collect();
        Structure::new(lattice, species, list.iter().map(|(_, x)| x.map(|x| x / a)).collect()).unwrap()
    }

    #[test]
    fn bonds_among_oxygen_tell_its_kinds_apart() {
        let pair = |d: f64| oxide_type(&atoms(&[("K", [5.0; 3]), ("O", [0.0; 3]), ("O", [d, 0.0, 0.0])]));
        assert_eq!(pair(1.28), Some(OxideType::Superoxide));
        assert_eq!(pair(1.41), Some(OxideType::Superoxide));
        assert_eq!(pair(1.42), Some(OxideType::Peroxide));
        assert_eq!(pair(1.56), Some(OxideType::Peroxide));
        assert_eq!(pair(1.57), Some(OxideType::Oxide));
        let bent = [("K", [5.0; 3]), ("O", [0.0; 3]), ("O", [1.34, 0.0, 0.0]), ("O", [-0.6, 1.2, 0.0])];
        assert_eq!(oxide_type(&atoms(&bent)), Some(OxideType::Ozonide));
        // Two superoxide ions are no ozonide.
        let two = [("K", [5.0; 3]), ("O", [0.0; 3]), ("O", [1.3, 0.0, 0.0]), ("O", [9.0; 3]), ("O", [9.0, 9.0, 10.3])];
        assert_eq!(oxide_type(&atoms(&two)), Some(OxideType::Superoxide));
        assert_eq!(oxide_type(&atoms(&[("O", [0.0; 3]), ("O", [1.2, 0.0, 0.0])])), None, "the element");
        assert_eq!(oxide_type(&atoms(&[("K", [0.0; 3]), ("F", [3.0, 0.0, 0.0])])), None);
    }

    #[test]
    fn hydrogen_on_oxygen_goes_first() {
        let with = |d: f64| atoms(&[("O", [0.0; 3]), ("O", [1.45, 0.0, 0.0]), ("H", [0.0, d, 0.0])]);
        assert_eq!(oxide_type(&with(0.97)), Some(OxideType::Hydroxide));
        assert_eq!(oxide_type(&with(0.98)), Some(OxideType::Peroxide));
    }

    #[test]
    fn the_neighbours_of_sulfur_tell_its_kinds_apart() {
        let with = |list: &[(&'static str, [f64; 3])]| sulfide_type(&atoms(list));
        let s = ("S", [0.0; 3]);
        assert_eq!(with(&[s, ("Na", [2.8, 0.0, 0.0])]), Some(SulfideType::Sulfide));
        assert_eq!(
            with(&[s, ("S", [2.1, 0.0, 0.0]), ("Na", [-2.8, 0.0, 0.0]), ("Na", [4.9, 0.0, 0.0])]),
            Some(SulfideType::Polysulfide)
        );
        // As in pyrite: iron is hardly farther than sulfur, and lowers the mean.
        assert_eq!(with(&[s, ("S", [2.2, 0.0, 0.0]), ("Fe", [1.1, 2.0, 0.0])]), Some(SulfideType::Sulfide));
        assert_eq!(with(&[s, ("O", [1.5, 0.0, 0.0]), ("Na", [0.0, 2.9, 0.0])]), Some(SulfideType::Sulfate));
        // Nothing within 4 Å.
        assert_eq!(with(&[s, ("Na", [7.0, 0.0, 0.0])]), Some(SulfideType::Sulfide));
        assert_eq!(with(&[s, ("S", [2.1, 0.0, 0.0])]), None, "the element");
    }
}
