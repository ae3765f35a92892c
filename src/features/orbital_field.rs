//! Orbital-field matrices: which valence subshell of a site meets which of its neighbours (Lam Pham et al., *Sci. Technol.
//! Adv. Mater.* **18** (2017) 756).
//!
//! An element is a vector of 32 zeros and ones: s¹ s², p¹ to p⁶, d¹ to d¹⁰, f¹ to f¹⁴, with ones at the subshells it holds
//! and their electrons. The matrix of site p is Σ_k w_k / r_pk · (vector of neighbour k) (vector of p)ᵀ over the faces of
//! its Voronoi cell, w_k being the face's solid angle over the largest of the cell, r_pk the distance in bohr. The matrix
//! of a crystal is the mean over its sites. It is matminer's `OrbitalFieldMatrix`. Its size is fixed, so it needs no form
//! without the order of sites; and it is not symmetric.

use std::sync::LazyLock;

use super::{coulomb::MATMINER_BOHR_PER_ANGSTROM, tessellate};
use crate::FeatureError;
use crystal::{Element, Structure};

const CONFIGURATIONS: &str = include_str!("../../schema/elements/configurations.csv");

/// Numbers in the vector of an element.
pub const ORBITALS: usize = 32;

/// Rows: orbitals of the neighbours; columns: of the site.
pub type OrbitalFieldMatrix = [[f64; ORBITALS]; ORBITALS];

/// Which subshells count as valence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ValenceShells {
    /// As matminer 0.10 and pymatgen 2026 have it: with subshells in the order of filling, n is the shell of the last one,
    /// and all of shells n and above, d and f of n-1 and f of n-2 count. For titanium 3d² is the last, so the full 3p⁶
    /// counts too.
    #[default]
    Matminer,
    /// As published: the same with n the outermost shell. For titanium 4s² and 3d².
    Outermost,
}

impl ValenceShells {
    /// Every convention, as SQL names it.
    pub const NAMES: [(&'static str, Self); 2] = [("matminer", Self::Matminer), ("outermost", Self::Outermost)];
}

/// The matrix of each site, in the crystal's order.
///
/// # Errors
/// An element beyond plutonium, or as [`tessellate`].
pub fn site_orbital_field_matrices(
    structure: &Structure,
    shells: ValenceShells,
) -> Result<Vec<OrbitalFieldMatrix>, FeatureError> {
    let mut all = vec![[[0.0; ORBITALS]; ORBITALS]; structure.len()];
    each(structure, shells, |site, row, column, value| all[site][row][column] += value)?;
    Ok(all)
}

/// The mean matrix of the crystal.
///
/// # Errors
/// As [`site_orbital_field_matrices`].
pub fn orbital_field_matrix(structure: &Structure, shells: ValenceShells) -> Result<OrbitalFieldMatrix, FeatureError> {
    let mut mean = [[0.0; ORBITALS]; ORBITALS];
    let share = 1.0 / structure.len() as f64;
    each(structure, shells, |_, row, column, value| mean[row][column] += share * value)?;
    Ok(mean)
}

/// Calls `add(site, row, column, value)` for every term.
fn each(
    structure: &Structure,
    shells: ValenceShells,
    mut add: impl FnMut(usize, usize, usize, f64),
) -> Result<(), FeatureError> {
    let vectors: Vec<&[usize]> = structure.species().iter().map(|&e| orbitals(e, shells)).collect::<Result<_, _>>()?;
    for cell in tessellate(structure, &vec![0.0; structure.len()])?.cells {
        let largest = cell.faces.iter().map(|f| f.solid_angle).fold(0.0, f64::max);
        for face in &cell.faces {
            let value = face.solid_angle / largest / (face.distance * MATMINER_BOHR_PER_ANGSTROM);
            for &row in vectors[face.neighbor] {
                for &column in vectors[cell.center] {
                    add(cell.center, row, column, value);
                }
            }
        }
    }
    Ok(())
}

/// Where the vector of an element has its ones.
fn orbitals(element: Element, shells: ValenceShells) -> Result<&'static [usize], FeatureError> {
    static TABLES: LazyLock<[Vec<Vec<usize>>; 2]> = LazyLock::new(|| {
        [ValenceShells::Matminer, ValenceShells::Outermost]
            .map(|shells| configurations().into_iter().map(|c| valence(c, shells)).collect())
    });
    let table = &TABLES[usize::from(shells == ValenceShells::Outermost)];
    table.get(usize::from(element.z()) - 1).map(Vec::as_slice).ok_or_else(|| {
        FeatureError::Argument(format!(
            "{} has no electron configuration in schema/elements/configurations.csv",
            element.symbol()
        ))
    })
}

/// A subshell: n, l and its electrons.
type Subshell = (usize, usize, usize);

/// The whole configuration of every element of the table, by atomic number.
fn configurations() -> Vec<Vec<Subshell>> {
    let mut known: Vec<(&str, Vec<Subshell>)> = vec![];
    for line in CONFIGURATIONS.lines().filter(|l| !l.starts_with('#')).skip(1) {
        let mut fields = line.split(',').skip(1);
        let (symbol, text) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        let mut whole = vec![];
        for part in text.split('.') {
            if let Some(core) = part.strip_prefix('[').and_then(|p| p.strip_suffix(']')) {
                whole.extend(known.iter().filter(|(s, _)| *s == core).flat_map(|(_, c)| c));
            } else {
                let l = part[1..2].chars().next().and_then(|l| "spdf".find(l));
                let subshell = (part[..1].parse().ok(), l, part[2..].parse().ok());
                let (Some(n), Some(l), Some(electrons)) = subshell else {
                    unreachable!("schema/elements/configurations.csv has a subshell '{part}'")
                };
                whole.push((n, l, electrons));
            }
        }
        known.push((symbol, whole));
    }
    known.into_iter().map(|(_, whole)| whole).collect()
}

/// The places of the ones for a configuration.
fn valence(mut configuration: Vec<Subshell>, shells: ValenceShells) -> Vec<usize> {
    configuration.sort_unstable_by_key(|&(n, l, _)| match shells {
        ValenceShells::Matminer => (n + l, n),
        ValenceShells::Outermost => (n, l),
    });
    let last = configuration.last().map_or(0, |s| s.0);
    let counts = |&&(n, l, _): &&Subshell| n >= last || (n + 1 == last && l >= 2) || (n + 2 == last && l == 3);
    // Subshells s, p, d and f start at 0, 2, 8 and 18: 2 l² places come before those of l.
    let mut places: Vec<usize> =
        configuration.iter().filter(counts).map(|&(_, l, electrons)| 2 * l * l + electrons - 1).collect();
    places.sort_unstable();
    places.dedup();
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crystal::testing::srtio3;

    #[test]
    fn vectors_of_elements() {
        let of = |symbol: &str, shells| orbitals(Element::from_symbol(symbol).unwrap(), shells).unwrap().to_vec();
        // Hydrogen s¹; oxygen s² p⁴; titanium s² d², with p⁶ in matminer; cerium s² d¹ f¹ of 6s² 5d¹ 4f¹.
        for (symbol, outermost, matminer) in [
            ("H", vec![0], vec![0]),
            ("O", vec![1, 5], vec![1, 5]),
            ("Ti", vec![1, 9], vec![1, 7, 9]),
            ("Mo", vec![0, 12], vec![0, 1, 7, 12, 17]),
            ("Ce", vec![1, 8, 18], vec![1, 7, 8, 17, 18]),
        ] {
            assert_eq!(of(symbol, ValenceShells::Outermost), outermost, "{symbol}");
            assert_eq!(of(symbol, ValenceShells::Matminer), matminer, "{symbol}");
        }
        let error = orbitals(Element::from_symbol("Am").unwrap(), ValenceShells::Matminer).unwrap_err();
        assert!(error.to_string().contains("Am has no electron configuration"), "{error}");
    }

    #[test]
    fn every_configuration_has_as_many_electrons_as_protons() {
        let all = configurations();
        assert_eq!(all.len(), 94);
        for (i, configuration) in all.iter().enumerate() {
            assert_eq!(configuration.iter().map(|s| s.2).sum::<usize>(), i + 1);
            assert!(configuration.iter().all(|&(n, l, electrons)| l < n && electrons <= 4 * l + 2));
        }
    }

    #[test]
    fn the_mean_is_that_of_the_sites() {
        let s = srtio3();
        let (sites, mean) = (
            site_orbital_field_matrices(&s, ValenceShells::Outermost).unwrap(),
            orbital_field_matrix(&s, ValenceShells::Outermost).unwrap(),
        );
        for row in 0..ORBITALS {
            for column in 0..ORBITALS {
                let of_sites = sites.iter().map(|m| m[row][column]).sum::<f64>() / 5.0;
                assert!((of_sites - mean[row][column]).abs() < 1e-14);
            }
        }
        // Titanium's cell in SrTiO3 has six faces to O, which count whole; smaller ones to Sr.
        let ti = s.species().iter().position(|e| e.symbol() == "Ti").unwrap();
        let want = 6.0 / (3.905 / 2.0 * MATMINER_BOHR_PER_ANGSTROM);
        assert!((sites[ti][5][9] - want).abs() < 1e-9, "{} {want}", sites[ti][5][9]);
    }
}
