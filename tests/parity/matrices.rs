//! Structure matrices and fingerprints against dscribe's and matminer's: four oxides of our own, and the sixty of the
//! larger set.

use hollandite::features::{
    Average, CONVERGED, Channels, CoulombConvention, ORBITALS, OrbitalFieldMatrix, SiteMatrix, SoapOptions,
    SymmetryFunctionOptions, ValenceShells, coulomb_matrix, ewald_sum_matrix, orbital_field_matrix,
    sine_coulomb_matrix, site_orbital_field_matrices, soap, symmetry_functions,
};
use serde_json::Value;

use crate::data::{golden_crystals, larger, numbers, sixty};

/// Equal within 1e-6 of the largest number of the reference.
fn assert_close(what: &str, got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len(), "{what}: length");
    let size = want.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    for (k, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((g - w).abs() <= 1e-6 * size, "{what}, number {k}: {g}, peer {w} of at most {size}");
    }
}

fn first_row(matrix: &SiteMatrix) -> &[f64] {
    matrix.rows().next().unwrap()
}

#[test]
fn matrices_equal_those_of_dscribe() {
    for (name, s, want) in golden_crystals("dscribe_matrices.json") {
        let matrices = [
            ("coulomb", coulomb_matrix(&s, CoulombConvention::Dscribe)),
            ("sine_coulomb", sine_coulomb_matrix(&s, CoulombConvention::Dscribe)),
            ("ewald_sum", ewald_sum_matrix(&s, CONVERGED)),
            ("ewald_sum_1e-5", ewald_sum_matrix(&s, 1e-5)),
        ];
        for (key, matrix) in matrices {
            let matrix = matrix.unwrap();
            let what = format!("{name}, {key}");
            assert_close(&what, first_row(&matrix), &numbers(&want[format!("{key}_first_row")]));
            assert_close(&what, &matrix.eigenvalues(), &numbers(&want[format!("{key}_eigenvalues")]));
        }
    }
    let Some(peer) = larger("sine_eigenspectrum.json") else { return };
    for (id, structure) in &sixty() {
        let got = sine_coulomb_matrix(structure, CoulombConvention::Dscribe).unwrap().eigenvalues();
        assert_close(id, &got, &numbers(&peer["values"][id]));
    }
}

#[test]
fn matrices_equal_those_of_matminer() {
    for (name, s, want) in golden_crystals("matminer_matrices.json") {
        let matrices = [
            ("coulomb", coulomb_matrix(&s, CoulombConvention::Matminer)),
            ("sine_coulomb", sine_coulomb_matrix(&s, CoulombConvention::Matminer)),
        ];
        for (key, matrix) in matrices {
            let matrix = matrix.unwrap();
            let what = format!("{name}, {key}");
            assert_close(&what, first_row(&matrix), &numbers(&want[format!("{key}_first_row")]));
            assert_close(&what, &matrix.eigenvalues(), &numbers(&want[format!("{key}_eigenvalues")]));
        }
    }
}

#[test]
fn orbital_field_matrices_equal_those_of_matminer() {
    let dense = |entries: &Value| {
        let entries: Vec<(usize, usize, f64)> = serde_json::from_value(entries.clone()).unwrap();
        let mut all = vec![0.0; ORBITALS * ORBITALS];
        entries.into_iter().for_each(|(row, column, value)| all[row * ORBITALS + column] = value);
        all
    };
    let flat = |matrix: &OrbitalFieldMatrix| matrix.concat();
    for (name, s, want) in golden_crystals("matminer_matrices.json") {
        let mean = orbital_field_matrix(&s, ValenceShells::Matminer).unwrap();
        assert_close(&name, &flat(&mean), &dense(&want["orbital_field_matrix"]));
        let sites = site_orbital_field_matrices(&s, ValenceShells::Matminer).unwrap();
        assert_close(&name, &flat(sites.last().unwrap()), &dense(&want["orbital_field_matrix_last_site"]));
    }
}

#[test]
fn symmetry_functions_equal_those_of_dscribe_and_their_sums_those_of_matminer() {
    let options = SymmetryFunctionOptions::default();
    for (name, s, want) in golden_crystals("dscribe_matrices.json") {
        let got = symmetry_functions(&s, &options).unwrap();
        for (key, site) in [("first", 0), ("last", s.len() - 1)] {
            let want = numbers(&want[format!("symmetry_functions_{key}_site")]);
            assert_close(&format!("{name}, {key} site"), got.sites().nth(site).unwrap(), &want);
        }
    }
    for (name, s, want) in golden_crystals("matminer_matrices.json") {
        let got = symmetry_functions(&s, &options).unwrap();
        let (kinds, g2, g4) = (got.elements.len(), options.g2.len(), options.g4.len());
        for (key, site) in [("first", 0), ("last", s.len() - 1)] {
            let (radial, angular) = got.sites().nth(site).unwrap().split_at(kinds * (1 + g2));
            let over_elements = |all: &[f64], size: usize, at: usize| all.iter().skip(at).step_by(size).sum::<f64>();
            let sums: Vec<f64> = (1..=g2)
                .map(|at| over_elements(radial, 1 + g2, at))
                .chain((0..g4).map(|at| over_elements(angular, g4, at)))
                .collect();
            let want = numbers(&want[format!("gaussian_symm_func_{key}_site")]);
            assert_close(&format!("{name}, {key} site"), &sums, &want);
        }
    }
}

#[test]
fn soap_equals_that_of_dscribe_in_every_mode() {
    let narrow = SoapOptions { r_cut: 5.0, n_max: 4, l_max: 3, sigma: 0.5, ..SoapOptions::default() };
    let wide = SoapOptions { r_cut: 4.0, n_max: 3, l_max: 2, sigma: 1.0, ..SoapOptions::default() };
    for (name, s, want) in golden_crystals("dscribe_matrices.json") {
        let sites = soap(&s, &narrow).unwrap();
        let [first, last] = ["first", "last"].map(|k| numbers(&want[format!("soap_r5_n4_l3_sigma0.5_{k}_site")]));
        assert_close(&name, sites.spectra().next().unwrap(), &first);
        assert_close(&name, sites.spectra().last().unwrap(), &last);
        for (key, average, channels) in [
            ("inner", Average::Inner, Channels::Own),
            ("outer", Average::Outer, Channels::Own),
            ("inner_mu2", Average::Inner, Channels::Blind),
            ("inner_mu2_electronegativity", Average::Inner, Channels::Electronegativity),
        ] {
            let got = soap(&s, &SoapOptions { average, channels, ..wide.clone() }).unwrap();
            let what = format!("{name}, {key}");
            assert_close(&what, &got.values, &numbers(&want[format!("soap_r4_n3_l2_sigma1_{key}")]));
        }
        let default = soap(&s, &SoapOptions::default()).unwrap();
        let first = default.spectra().next().unwrap();
        let size = first.iter().map(|x| x * x).sum::<f64>().sqrt();
        assert_close(&name, &[size], &numbers(&Value::from(vec![want["soap_default_first_site_norm"].clone()])));
        let some: Vec<f64> = first.iter().step_by(97).copied().collect();
        assert_close(&name, &some, &numbers(&want["soap_default_first_site_every_97th"]));
    }
    let Some(peer) = larger("soap_r5_n4_l3.json") else { return };
    let mut compared = 0;
    for (id, structure) in &sixty() {
        let want = &peer["values"][id];
        if want.is_null() {
            continue;
        }
        let got = soap(structure, &narrow).unwrap();
        assert_close(&format!("{id}, first site"), got.spectra().next().unwrap(), &numbers(&want["first_site"]));
        assert_close(&format!("{id}, last site"), got.spectra().last().unwrap(), &numbers(&want["last_site"]));
        compared += 1;
    }
    assert_eq!(compared, 20);
}
