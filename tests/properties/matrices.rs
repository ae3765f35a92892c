//! What must hold for the matrices and fingerprints of every crystal: they do not depend on how it is listed.

use hollandite::{
    crystal::{Element, Lattice, Structure},
    features::{
        Average, CONVERGED, Channels, CoulombConvention, SoapOptions, SymmetryFunctionOptions, ValenceShells,
        coulomb_matrix, ewald_sum_matrix, orbital_field_matrix, sine_coulomb_matrix, soap, symmetry_functions,
    },
};
use proptest::prelude::*;

/// Crystals of 1 to 5 atoms, oxygen among three metals, coordinates also outside the cell.
fn structures() -> impl Strategy<Value = Structure> {
    let length = || 3.5..7.0_f64;
    let angle = || 65.0..110.0_f64;
    let symbol = prop::sample::select(vec!["O", "Ti", "Mo", "Sr"]);
    let site = (symbol, prop::array::uniform3(-1.5..2.5_f64));
    let cell = (length(), length(), length(), angle(), angle(), angle());
    (cell, prop::collection::vec(site, 1..6)).prop_filter_map("no crystal", |((a, b, c, alpha, beta, gamma), sites)| {
        let lattice = Lattice::from_parameters(a, b, c, alpha, beta, gamma).ok().filter(|l| l.volume() > 40.0)?;
        let (symbols, coords): (Vec<_>, Vec<_>) = sites.into_iter().unzip();
        let species = symbols.into_iter().map(|s| Element::from_symbol(s).unwrap()).collect();
        Structure::new(lattice, species, coords).ok().filter(|s| s.distance_min() > 1.0)
    })
}

/// The sites in reverse, moved, and turned about z and x.
fn relisted(structure: &Structure, shift: [f64; 3], [z, x]: [f64; 2]) -> Structure {
    let turn = |[a, b, c]: [f64; 3]| {
        let [a, b] = [a * z.cos() - b * z.sin(), a * z.sin() + b * z.cos()];
        [a, b * x.cos() - c * x.sin(), b * x.sin() + c * x.cos()]
    };
    let lattice = Lattice::new(structure.lattice().rows().map(turn)).unwrap();
    let species = structure.species().iter().rev().copied().collect();
    let moved = |x: &[f64; 3]| std::array::from_fn(|k| x[k] + shift[k]);
    Structure::new(lattice, species, structure.frac_coords().iter().rev().map(moved).collect()).unwrap()
}

/// The same crystal with a + b and c - b for a and c.
fn in_another_basis(structure: &Structure) -> Structure {
    let [a, b, c] = *structure.lattice().rows();
    let rows = [std::array::from_fn(|k| a[k] + b[k]), b, std::array::from_fn(|k| c[k] - b[k])];
    let coords = structure.frac_coords().iter().map(|&[x, y, z]| [x, y - x + z, z]).collect();
    Structure::new(Lattice::new(rows).unwrap(), structure.species().to_vec(), coords).unwrap()
}

fn alike(a: &[f64], b: &[f64]) -> bool {
    let size = a.iter().fold(1e-3_f64, |m, x| m.max(x.abs()));
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| (x - y).abs() < 1e-8 * size)
}

fn small() -> SoapOptions {
    SoapOptions { r_cut: 3.0, n_max: 3, l_max: 3, sigma: 0.5, ..SoapOptions::default() }
}

/// What is known of each site: SOAP, symmetry functions.
fn of_sites(structure: &Structure) -> Vec<Vec<f64>> {
    let spectra = soap(structure, &small()).unwrap();
    let functions = symmetry_functions(structure, &SymmetryFunctionOptions::with_cutoff(4.0)).unwrap();
    spectra.spectra().zip(functions.sites()).map(|(a, b)| [a, b].concat()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn eigenvalues_do_not_depend_on_order_origin_wrap_and_rotation(
        s in structures(), shift in prop::array::uniform3(-2.0..2.0_f64), angles in prop::array::uniform2(0.0..3.0_f64)
    ) {
        let other = relisted(&s, shift, angles);
        let sine = |s: &Structure| sine_coulomb_matrix(s, CoulombConvention::Dscribe).unwrap().eigenvalues();
        prop_assert!(alike(&sine(&s), &sine(&other)));
        prop_assert!(alike(&sine(&s), &sine(&other.wrapped())));
        let cluster = |s: &Structure| coulomb_matrix(s, CoulombConvention::Dscribe).unwrap().eigenvalues();
        prop_assert!(alike(&cluster(&s), &cluster(&other)));
        let nearest = |s: &Structure| coulomb_matrix(s, CoulombConvention::Matminer).unwrap().eigenvalues();
        prop_assert!(alike(&nearest(&s), &nearest(&other.wrapped())));
        prop_assert!(alike(&nearest(&s), &nearest(&in_another_basis(&s))));
        let ewald = |s: &Structure| ewald_sum_matrix(s, CONVERGED).unwrap().eigenvalues();
        prop_assert!(alike(&ewald(&s), &ewald(&other.wrapped())));
        prop_assert!(alike(&ewald(&s), &ewald(&in_another_basis(&s))));
    }

    #[test]
    fn fingerprints_do_not_depend_on_how_a_crystal_is_listed(
        s in structures(), shift in prop::array::uniform3(-2.0..2.0_f64), angles in prop::array::uniform2(0.0..3.0_f64)
    ) {
        let reversed = relisted(&s, shift, angles);
        for (other, backwards) in [(reversed.wrapped(), true), (reversed, true), (in_another_basis(&s), false)] {
            let (sites, mut others) = (of_sites(&s), of_sites(&other));
            if backwards {
                others.reverse();
            }
            prop_assert!(sites.iter().zip(&others).all(|(a, b)| alike(a, b)));
            let orbitals = |s: &Structure| orbital_field_matrix(s, ValenceShells::Matminer).unwrap().concat();
            prop_assert!(alike(&orbitals(&s), &orbitals(&other)));
        }
    }

    #[test]
    fn averages_are_those_of_a_supercell(s in structures()) {
        let large = s.supercell([2, 1, 2]).unwrap();
        for average in [Average::Inner, Average::Outer] {
            for channels in [Channels::Own, Channels::Blind, Channels::Electronegativity] {
                let of = |s: &Structure| soap(s, &SoapOptions { average, channels: channels.clone(), ..small() }).unwrap();
                prop_assert!(alike(&of(&s).values, &of(&large).values));
            }
        }
        let orbitals = |s: &Structure| orbital_field_matrix(s, ValenceShells::Outermost).unwrap().concat();
        prop_assert!(alike(&orbitals(&s), &orbitals(&large)));
    }
}
