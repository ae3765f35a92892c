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

use super::SoapOptions;
use crate::error::FeatureError;

/// What a primitive has decayed to at its radius, and a neighbour's Gaussian at the end of the padding.
const THRESHOLD: f64 = 1e-3;

/// The basis of one set of options.
#[derive(Debug)]
pub(super) struct Radial {
    pub n_max: usize,
    pub l_max: usize,
    /// Exponent of each (l, k) after the integral, Å⁻²: α η / (η + α).
    pub decay: Vec<f64>,
    /// Weight of primitive k in orbital n with the prefactors of the integral, at (l, n, k).
    pub weight: Vec<f64>,
    /// Neighbours count up to here, Å: `r_cut` and the reach of a neighbour's Gaussian.
    pub reach: f64,
}

impl Radial {
    /// # Errors
    /// Primitives too alike to be told apart in double precision.
    pub fn new(options: &SoapOptions) -> Result<Self, FeatureError> {
        let &SoapOptions { r_cut, n_max, l_max, sigma, .. } = options;
        let eta = 0.5 / (sigma * sigma);
        let radius = |k: usize| 1.0 + (r_cut - 1.0) * k as f64 / (n_max.max(2) - 1) as f64;
        let mut basis = Self { n_max, l_max, decay: vec![], weight: vec![], reach: r_cut + padding(sigma) };
        for l in 0..=l_max {
            let power = l as f64 + 1.5;
            let alpha: Vec<f64> =
                (0..n_max).map(radius).map(|a| -(THRESHOLD / a.powi(l as i32)).ln() / (a * a)).collect();
            let half_gamma = 0.5 * gamma_of_half(l);
            let overlap = DMatrix::from_fn(n_max, n_max, |i, j| half_gamma * (alpha[i] + alpha[j]).powf(-power));
            let beta = inverse_root(overlap).ok_or_else(|| {
                FeatureError::Argument(format!(
                    "n_max = {n_max} orbitals up to r_cut = {r_cut} Å cannot be told apart in double precision; \
                     lower n_max or raise r_cut"
                ))
            })?;
            basis.decay.extend(alpha.iter().map(|a| a * eta / (eta + a)));
            for n in 0..n_max {
                let scale =
                    |a: f64| std::f64::consts::PI.powf(1.5) * (eta + a).powf(-1.5) * (eta / (eta + a)).powi(l as i32);
                basis.weight.extend((0..n_max).map(|k| beta[(n, k)] * scale(alpha[k])));
            }
        }
        Ok(basis)
    }
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

/// Replaces every x <= 0 by exp(x), to 2·10⁻¹⁶: 2^k times a polynomial of the rest, without a branch or a call, so that
/// the compiler may take several at once.
pub(super) fn exp_of_negatives(values: &mut [f64]) {
    /// Below this the result is 10⁻³⁰⁷ or less, which no sum notices.
    const LEAST: f64 = -707.0;
    /// 1.5 · 2⁵²: a sum with it leaves the rounded number in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    /// ln 2 in two parts; the first has 32 trailing zeros, so that its product with k is exact.
    const LN2: [f64; 2] = [6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10];
    for value in values {
        let x = value.max(LEAST);
        let shifted = x * std::f64::consts::LOG2_E + ROUND;
        let k = shifted - ROUND;
        let r = (x - k * LN2[0]) - k * LN2[1];
        // Taylor's series to r¹³ on |r| <= ln 2 / 2.
        let mut p = 1.0 / 6_227_020_800.0;
        for coefficient in [
            1.0 / 479_001_600.0,
            1.0 / 39_916_800.0,
            1.0 / 3_628_800.0,
            1.0 / 362_880.0,
            1.0 / 40_320.0,
            1.0 / 5_040.0,
            1.0 / 720.0,
            1.0 / 120.0,
            1.0 / 24.0,
            1.0 / 6.0,
            0.5,
            1.0,
            1.0,
        ] {
            p = p * r + coefficient;
        }
        *value = p * f64::from_bits((shifted.to_bits() << 52).wrapping_add(1023 << 52));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_to_the_last_digit() {
        let mut x: Vec<f64> = (0..20_000).map(|i| -0.035 * f64::from(i)).collect();
        let want: Vec<f64> = x.iter().map(|x| x.exp()).collect();
        exp_of_negatives(&mut x);
        let worst = x.iter().zip(&want).map(|(x, y)| (x - y).abs() / y).fold(0.0, f64::max);
        assert!(worst < 4e-16, "{worst:e}");
    }

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
                        let decay = basis.decay[l * 5 + k];
                        let a = decay * eta / (eta - decay);
                        let scale =
                            std::f64::consts::PI.powf(1.5) * (eta + a).powf(-1.5) * (eta / (eta + a)).powi(l as i32);
                        basis.weight[(l * 5 + n) * 5 + k] / scale * r.powi(l as i32) * (-a * r * r).exp()
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
