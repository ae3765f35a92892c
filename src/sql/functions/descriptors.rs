//! Descriptors of structures for machine learning: matrices of pairs of sites, and vectors of their surroundings.

use super::arguments::{choice, named, structure, whole};
use super::kernel::{Answer, Kernel, Row, Rows, crystals};
use super::{Function, Kind, Omitted, Parameter, number, optional};
use crate::cost::Cost;
use crystal::{Element, Structure};
use features::FeatureError;
use features::{
    self, Average, CONVERGED, Channels, CoulombConvention, ORBITALS, SiteMatrix, SoapOptions, SymmetryFunctionOptions,
    ValenceShells,
};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function {
            name: "coulomb_eigenvalues",
            text: "Eigenvalues of `coulomb_matrix`, largest magnitude first: they do not depend on the order of the \
                   sites.",
            parameters: vec![structure(), convention()],
            unit: None,
            example: "SELECT id, coulomb_eigenvalues(structure) FROM tmo",
            kernel: eigenvalues(|row, s| by_convention(row, s, features::coulomb_matrix)),
        },
        Function {
            name: "coulomb_matrix",
            text: "Coulomb matrix: the repulsion Z_i Z_j / d of each pair of nuclei, and 0.5 Z^2.4 on the diagonal. \
                   Rows and columns follow the order of the sites, of which there may be at most 1000.",
            parameters: vec![structure(), convention()],
            unit: None,
            example: "SELECT id, coulomb_matrix(structure)[1] FROM tmo",
            kernel: matrix(Cost::Crystal, |row, s| by_convention(row, s, features::coulomb_matrix)),
        },
        Function {
            name: "ewald_sum_eigenvalues",
            text: "Eigenvalues of `ewald_sum_matrix`, largest magnitude first: they do not depend on the order of \
                   the sites.",
            parameters: vec![structure(), accuracy()],
            unit: Some("e²/Å"),
            example: "SELECT id, ewald_sum_eigenvalues(structure) FROM tmo",
            kernel: eigenvalues(|row, s| Ok(features::ewald_sum_matrix(s, row.number(1))?)),
        },
        Function {
            name: "ewald_sum_matrix",
            text: "Ewald sum matrix, as dscribe's: the Coulomb energy of each pair of nuclei, with all periodic \
                   images, in a neutralising background. The upper triangle sums to the energy of the cell.",
            parameters: vec![structure(), accuracy()],
            unit: Some("e²/Å"),
            example: "SELECT id, ewald_sum_matrix(structure, 1e-5) FROM tmo",
            kernel: matrix(Cost::Costly, |row, s| Ok(features::ewald_sum_matrix(s, row.number(1))?)),
        },
        Function {
            name: "orbital_field_matrix",
            text: "Orbital-field matrix, 32 x 32, averaged over the sites, as matminer's: which valence subshells of \
                   the neighbours (rows: s1, s2, p1 .. p6, d1 .. d10, f1 .. f14) meet which of a site (columns), \
                   weighted by solid angle and distance.",
            parameters: vec![structure(), shells()],
            unit: None,
            example: "SELECT id, flatten(orbital_field_matrix(structure)) FROM tmo",
            kernel: crystals(Cost::Costly, |row, s| {
                let shells = named(row.text(1), &ValenceShells::NAMES)?;
                Ok(Rows { width: ORBITALS, values: features::orbital_field_matrix(s, shells)?.concat() })
            }),
        },
        Function {
            name: "sine_coulomb_eigenvalues",
            text: "Eigenvalues of `sine_coulomb_matrix`, largest magnitude first: they do not depend on the order of \
                   the sites.",
            parameters: vec![structure(), convention()],
            unit: None,
            example: "SELECT id, sine_coulomb_eigenvalues(structure) FROM tmo",
            kernel: eigenvalues(|row, s| by_convention(row, s, features::sine_coulomb_matrix)),
        },
        Function {
            name: "sine_coulomb_matrix",
            text: "Sine Coulomb matrix: the Coulomb matrix with a distance that is periodic in the lattice. Rows and \
                   columns follow the order of the sites, of which there may be at most 1000.",
            parameters: vec![structure(), convention()],
            unit: None,
            example: "SELECT id, sine_coulomb_matrix(structure)[1] FROM tmo",
            kernel: matrix(Cost::Crystal, |row, s| by_convention(row, s, features::sine_coulomb_matrix)),
        },
        Function {
            name: "site_orbital_field_matrices",
            text: "Orbital-field matrix of each site, row after row: 1024 numbers per site.",
            parameters: vec![structure(), shells()],
            unit: None,
            example: "SELECT id, site_orbital_field_matrices(structure)[1] FROM tmo",
            kernel: crystals(Cost::Costly, |row, s| {
                let sites = features::site_orbital_field_matrices(s, named(row.text(1), &ValenceShells::NAMES)?)?;
                let values = sites.into_iter().flat_map(|matrix| matrix.concat()).collect();
                Ok(Rows { width: ORBITALS * ORBITALS, values })
            }),
        },
        Function {
            name: "soap",
            text: "SOAP power spectrum of each site, with dscribe's radial basis, order and normalisation: for each \
                   pair of elements by atomic number, then l, n, n'. Vectors of crystals with different elements can \
                   be compared only with the channels blind or electronegativity, or one list of elements.",
            parameters: [vec![structure()], soap_parameters()].concat(),
            unit: None,
            example: "SELECT id, soap(structure, 'blind', 5, 4, 3, 0.5)[1] FROM tmo",
            kernel: crystals(Cost::Costly, |row, s| {
                let found = features::soap(s, &soap_options(row, 1, Average::Off)?)?;
                Ok(Rows { width: found.features, values: found.values })
            }),
        },
        Function {
            name: "soap_average",
            text: "SOAP power spectrum of the crystal, averaged over its sites: one vector, where `soap` has one per \
                   site.",
            parameters: [
                vec![
                    structure(),
                    choice(
                        "average",
                        AVERAGES,
                        "What is averaged: inner, the expansion coefficients; outer, the spectra.",
                    ),
                ],
                soap_parameters(),
            ]
            .concat(),
            unit: None,
            example: "SELECT id, soap_average(structure, 'inner', 'blind') FROM tmo",
            kernel: crystals(Cost::Costly, |row, s| {
                let average = named(row.text(1), AVERAGES)?;
                Ok(features::soap(s, &soap_options(row, 2, average)?)?.values)
            }),
        },
        Function {
            name: "symmetry_functions",
            text: "Atom-centred symmetry functions of each site, in dscribe's order: for each element by atomic \
                   number, G1 and four G2 (eta r_cut² = 0.05, 4, 20, 80), then for each pair of elements four G4 \
                   (eta r_cut² = 0.005; zeta, lambda = 1, 1; 1, -1; 4, 1; 4, -1).",
            parameters: vec![
                structure(),
                number("r_cut", SymmetryFunctionOptions::default().r_cut, "Cutoff, Å, at most 15."),
            ],
            unit: None,
            example: "SELECT id, symmetry_functions(structure)[1] FROM tmo",
            kernel: crystals(Cost::Costly, |row, s| {
                let found = features::symmetry_functions(s, &SymmetryFunctionOptions::with_cutoff(row.number(1)))?;
                Ok(Rows { width: found.features, values: found.values })
            }),
        },
    ]
}

fn matrix(cost: Cost, of: fn(Row, &Structure) -> Answer<SiteMatrix>) -> Kernel {
    crystals(cost, move |row, s| Ok(Rows::from(of(row, s)?)))
}

fn eigenvalues(of: fn(Row, &Structure) -> Answer<SiteMatrix>) -> Kernel {
    crystals(Cost::Costly, move |row, s| Ok(of(row, s)?.eigenvalues()))
}

fn convention() -> Parameter {
    let text = "dscribe: distances in Å, and in the Coulomb matrix atoms at their given coordinates. matminer: \
                distances in bohr, and nearest periodic images.";
    choice("convention", &CoulombConvention::NAMES, text)
}

/// A matrix by the convention that argument 1 names.
fn by_convention(
    row: Row,
    structure: &Structure,
    matrix: fn(&Structure, CoulombConvention) -> Result<SiteMatrix, FeatureError>,
) -> Answer<SiteMatrix> {
    Ok(matrix(structure, named(row.text(1), &CoulombConvention::NAMES)?)?)
}

fn accuracy() -> Parameter {
    let text = "Where the sums are cut, relative to their first term: 1e-12 gives ten digits, 1e-5 is the default of \
                dscribe.";
    number("accuracy", CONVERGED, text)
}

fn shells() -> Parameter {
    let text = "Which subshells are valence: matminer, as matminer 0.10 counts them, or outermost, as published.";
    choice("shells", &ValenceShells::NAMES, text)
}

/// What `soap_average` averages.
const AVERAGES: &[(&str, Average)] = &[("inner", Average::Inner), ("outer", Average::Outer)];

fn soap_parameters() -> Vec<Parameter> {
    let usual = SoapOptions::default();
    let text = "Which atoms share an expansion: own (each element of the crystal has its own), blind (all atoms \
                alike), electronegativity (all, weighted by it), or a list of elements such as 'O Ti V'.";
    vec![
        optional("channels", Kind::Text, Omitted::Text("own"), text).parsed(channels),
        number("r_cut", usual.r_cut, "Radius of the outermost orbital, Å, above 1."),
        number("n_max", usual.n_max as f64, "Number of radial orbitals, 1 to 20."),
        number("l_max", usual.l_max as f64, "Highest degree of the spherical harmonics, 0 to 20."),
        number("sigma", usual.sigma, "Width of the Gaussian of an atom, Å."),
    ]
}

/// The options of a row, from argument `first` on.
fn soap_options(row: Row, first: usize, average: Average) -> Answer<SoapOptions> {
    // How large they may be is SOAP's to say.
    let count = |k: usize, name: &str| whole(name, row.number(first + k), 0.0, f64::INFINITY);
    Ok(SoapOptions {
        r_cut: row.number(first + 1),
        n_max: count(2, "n_max")?,
        l_max: count(3, "l_max")?,
        sigma: row.number(first + 4),
        average,
        channels: channels(row.text(first))?,
    })
}

/// The channels that a text names.
fn channels(text: &str) -> Result<Channels, String> {
    let is = |name: &str| text.trim().eq_ignore_ascii_case(name);
    if is("own") {
        return Ok(Channels::Own);
    }
    if is("blind") {
        return Ok(Channels::Blind);
    }
    if is("electronegativity") {
        return Ok(Channels::Electronegativity);
    }
    let symbols = text.split([',', ' ']).filter(|s| !s.is_empty());
    let elements: Vec<Element> = symbols.map(Element::from_symbol).collect::<Result<_, _>>().map_err(|e| {
        format!("channels '{text}': {e}; give own, blind, electronegativity, or symbols such as 'O Ti V'")
    })?;
    if elements.is_empty() {
        return Err("channels names no element".into());
    }
    Ok(Channels::Elements(elements))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_by_name_and_by_elements() {
        let of = |symbols: &[&str]| symbols.iter().map(|s| Element::from_symbol(s).unwrap()).collect::<Vec<_>>();
        assert_eq!(channels("Blind"), Ok(Channels::Blind));
        assert_eq!(channels("O, Ti V"), Ok(Channels::Elements(of(&["O", "Ti", "V"]))));
        assert!(channels("blnd").unwrap_err().contains("give own, blind"));
        assert!(channels(" ").is_err());
    }
}
