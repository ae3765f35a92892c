//! The radial basis of SOAP: Gaussian-type orbitals made orthonormal, and the integral of each with the Gaussian density of
//! a neighbour, in closed form.
//!
//! Primitive k of degree l is r^l exp(-α_lk r²), with α_lk such that the primitive has decayed to 10⁻³ at the k-th of
//! `n_max` radii spread evenly from 1 Å to `r_cut`. The orbitals are g_nl = Σ_k β_nk r^l exp(-α_lk r²), β = S^(-1/2) being
//! Löwdin's symmetric orthonormalisation of the primitives' overlaps S. A Gaussian of width σ (η = 1 / 2σ²) centred at R
//! then has the coefficient
//!
//! c_nlm = π^(3/2) Σ_k β_nk (η + α_lk)^(-3/2) (η / (η + α_lk))^l · exp(-R² α_lk η / (η + α_lk)) · R^l Y_lm(R)
//!
//! so that a neighbour costs one exponential per (l, k) and nothing is integrated on a grid. Himanen et al., *Comput. Phys.
//! Commun.* **247** (2020) 106949.

use nalgebra::{DMatrix, SymmetricEigen};

use super::{SoapOptions, wide::Four};
use crate::FeatureError;

/// What a primitive has decayed to at its radius, and a neighbour's Gaussian at the end of the padding.
const THRESHOLD: f64 = 1e-3;

/// The basis of one set of options.
#[derive(Debug)]
pub(super) struct Radial {
    pub n_max: usize,
    pub l_max: usize,
    /// Primitives by fours, the last four filled up by some of no weight.
    pub fours: usize,
    /// Exponent of each (l, four of k) after the integral, Å⁻²: -α η / (η + α).
    pub decay: Vec<Four>,
    /// Weight of primitive k in orbital n with the prefactors of the integral, at (l, n, four of k).
    pub weight: Vec<Four>,
    /// Neighbours count up to here, Å: `r_cut` and the reach of a neighbour's Gaussian.
    pub reach: f64,
}

impl Radial {
    /// # Errors
    /// Primitives that are linearly dependent in double precision.
    pub fn new(options: &SoapOptions) -> Result<Self, FeatureError> {
        let &SoapOptions { r_cut, n_max, l_max, sigma, .. } = options;
        let eta = 0.5 / (sigma * sigma);
        let radius = |k: usize| 1.0 + (r_cut - 1.0) * k as f64 / (n_max.max(2) - 1) as f64;
        let reach = r_cut + padding(sigma);
        let mut basis = Self { n_max, l_max, fours: n_max.div_ceil(4), decay: vec![], weight: vec![], reach };
        for l in 0..=l_max {
            let power = l as f64 + 1.5;
            let alpha: Vec<f64> =
                (0..n_max).map(radius).map(|a| -(THRESHOLD / a.powi(l as i32)).ln() / (a * a)).collect();
            let half_gamma = 0.5 * gamma_of_half(l);
            let overlap = DMatrix::from_fn(n_max, n_max, |i, j| half_gamma * (alpha[i] + alpha[j]).powf(-power));
            let beta = inverse_root(overlap).ok_or_else(|| {
                FeatureError::Argument(format!(
                    "n_max = {n_max} orbitals up to r_cut = {r_cut} Å are linearly dependent in double precision; \
                     lower n_max or raise r_cut"
                ))
            })?;
            basis.decay.extend(by_fours(alpha.iter().map(|a| -a * eta / (eta + a))));
            for n in 0..n_max {
                let scale =
                    |a: f64| std::f64::consts::PI.powf(1.5) * (eta + a).powf(-1.5) * (eta / (eta + a)).powi(l as i32);
                basis.weight.extend(by_fours((0..n_max).map(|k| beta[(n, k)] * scale(alpha[k]))));
            }
        }
        Ok(basis)
    }
}

/// The numbers four by four, zeros after the last.
fn by_fours(mut numbers: impl ExactSizeIterator<Item = f64>) -> impl Iterator<Item = Four> {
    (0..numbers.len().div_ceil(4)).map(move |_| std::array::from_fn(|_| numbers.next().unwrap_or(0.0)))
}

/// Distance over which a Gaussian of width `sigma` decays to [`THRESHOLD`], Å.
pub(super) fn padding(sigma: f64) -> f64 {
    sigma * (-2.0 * THRESHOLD.ln()).sqrt()
}

/// Γ(l + 3/2).
fn gamma_of_half(l: usize) -> f64 {
    (0..=l).map(|i| i as f64 + 0.5).product::<f64>() * std::f64::consts::PI.sqrt()
}

/// S^(-1/2) of a symmetric positive matrix; `None` where rounding has made it singular.
fn inverse_root(s: DMatrix<f64>) -> Option<DMatrix<f64>> {
    let SymmetricEigen { eigenvectors, eigenvalues } = SymmetricEigen::new(s);
    if eigenvalues.min() <= eigenvalues.max() * f64::EPSILON {
        return None;
    }
    let root = DMatrix::from_diagonal(&eigenvalues.map(|x| 1.0 / x.sqrt()));
    Some(&eigenvectors * root * eigenvectors.transpose())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orbitals_are_orthonormal() {
        let options = SoapOptions { n_max: 5, l_max: 3, ..SoapOptions::default() };
        let basis = Radial::new(&options).unwrap();
        let eta = 0.5 / (options.sigma * options.sigma);
        for l in 0..=3 {
            // Undo the integral's prefactors and integrate g_n g_n' r² with the trapezoidal rule.
            let orbital = |n: usize, r: f64| -> f64 {
                (0..5)
                    .map(|k| {
                        let decay = -basis.decay[l * 2 + k / 4][k % 4];
                        let a = decay * eta / (eta - decay);
                        let scale =
                            std::f64::consts::PI.powf(1.5) * (eta + a).powf(-1.5) * (eta / (eta + a)).powi(l as i32);
                        basis.weight[(l * 5 + n) * 2 + k / 4][k % 4] / scale * r.powi(l as i32) * (-a * r * r).exp()
                    })
                    .sum()
            };
            for (n, m) in [(0, 0), (0, 1), (2, 2), (1, 4), (4, 4)] {
                let sum: f64 =
                    (1..20_000).map(|i| f64::from(i) * 1e-3).map(|r| orbital(n, r) * orbital(m, r) * r * r).sum();
                assert!((sum * 1e-3 - f64::from(n == m)).abs() < 1e-8, "l {l}: <{n}|{m}> = {}", sum * 1e-3);
            }
        }
    }

    #[test]
    fn orbitals_too_alike_are_refused() {
        let error = Radial::new(&SoapOptions { r_cut: 1.01, n_max: 20, ..SoapOptions::default() }).unwrap_err();
        assert!(error.to_string().contains("lower n_max or raise r_cut"), "{error}");
    }
}
