//! Shifted softplus, `ln(1 + eˣ) - ln 2`, related functions and Gaussians, in SIMD.
//!
//! burn's CPU backend evaluates transcendental functions one libm call at a time; in MEGNet they cost more than the matrix
//! products. Largest error against `f64`: 3e-7, tested.

use super::{
    exponential,
    simd::{One, kernels},
};

/// 1 / (1 + e⁻ˣ).
#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    // SAFETY: single numbers need no instruction set.
    unsafe { exponential::sigmoid::<One>(x) }
}

/// (softplus(x) - ln 2, its derivative sigmoid(x)).
#[inline(always)]
pub(super) fn softplus(x: f32) -> (f32, f32) {
    // SAFETY: as above.
    (unsafe { exponential::softplus::<One>(x) } - std::f32::consts::LN_2, sigmoid(x))
}

/// Subtracted from every Gaussian, below the rounding of any that counts. Far from its centre a Gaussian would otherwise lie
/// at the lower end of what a float holds; products with it are subnormal numbers, on which processors are a hundred times
/// slower, and the matrix products of a training would spend most of their time there.
const NOTHING: f32 = 1e-18;
/// `f` of every number of `$x`, in place, a vector at a time; the rest of less than a vector goes through one of its own.
macro_rules! in_place {
    ($S:ident, $x:ident, |$v:ident| $f:expr) => {{
        let mut chunks = $x.chunks_exact_mut($S::LANES);
        for chunk in &mut chunks {
            let $v = $S::load(chunk.as_ptr());
            $S::store(chunk.as_mut_ptr(), $f);
        }
        let rest = chunks.into_remainder();
        if !rest.is_empty() {
            let mut last = [0.0_f32; 16];
            last[..rest.len()].copy_from_slice(rest);
            let $v = $S::load(last.as_ptr());
            $S::store(last.as_mut_ptr(), $f);
            rest.copy_from_slice(&last[..rest.len()]);
        }
    }};
}

kernels! {
    /// Replaces every x by softplus(x) - ln 2.
    pub(super) fn softplus_in_place<S>(x: &mut [f32]) {
        in_place!(S, x, |v| S::sub(exponential::softplus::<S>(v), S::splat(std::f32::consts::LN_2)));
    }

    /// Replaces every x by ln(1 + eˣ).
    pub(super) fn plain_softplus_in_place<S>(x: &mut [f32]) {
        in_place!(S, x, |v| exponential::softplus::<S>(v));
    }

    /// Replaces every x by x / (1 + e⁻ˣ).
    pub(super) fn silu_in_place<S>(x: &mut [f32]) {
        in_place!(S, x, |v| S::mul(v, exponential::sigmoid::<S>(v)));
    }

    /// Gradients in silu(x) become those in x; whole panels.
    pub(super) fn silu_back<S>(x: &[f32], gradients: &mut [f32]) {
        assert!(x.len() == gradients.len() && x.len().is_multiple_of(16));
        let one = S::splat(1.0);
        let mut k = 0;
        while k < x.len() {
            let (v, gradient) = (S::load(x.as_ptr().add(k)), gradients.as_mut_ptr().add(k));
            let s = exponential::sigmoid::<S>(v);
            S::store(gradient, S::mul(S::load(gradient), S::mul(s, S::fma(v, S::sub(one, s), one))));
            k += S::LANES;
        }
    }

    /// Replaces every x by eˣ.
    pub(super) fn exp_in_place<S>(x: &mut [f32]) {
        in_place!(S, x, |v| exponential::exp::<S>(v));
    }

    /// Replaces every c by exp(-gamma (distance - c)²), or zero where that is below [`NOTHING`].
    fn gaussian_in_place<S>(c: &mut [f32], distance: f32, gamma: f32) {
        let gamma = S::splat(-gamma);
        let distance = S::splat(distance);
        in_place!(S, c, |v| {
            let d = S::sub(distance, v);
            S::max(S::sub(exponential::exp::<S>(S::mul(S::mul(gamma, d), d)), S::splat(NOTHING)), S::splat(0.0))
        });
    }
}

/// Row i of `out` becomes exp(-gamma (d_i - c)²) over the centres c, zero where that is below [`NOTHING`].
pub(super) fn gaussians(distances: &[f32], centers: &[f32], gamma: f32, out: &mut [f32]) {
    for (&d, row) in distances.iter().zip(out.chunks_exact_mut(centers.len())) {
        row.copy_from_slice(centers);
        gaussian_in_place(row, d, gamma);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softplus_and_derivative_agree_with_double_precision() {
        for k in -4000..4000 {
            let x = k as f32 * 0.01;
            let (value, derivative) = softplus(x);
            let exact = f64::from(x);
            let want = exact.max(0.0) + (-exact.abs()).exp().ln_1p() - std::f64::consts::LN_2;
            assert!(
                (f64::from(value) - want).abs() < 3e-7 * want.abs().max(1.0),
                "softplus({x}) = {value}, want {want}"
            );
            assert!((f64::from(derivative) - 1.0 / (1.0 + (-exact).exp())).abs() < 2e-7, "derivative at {x}");
        }
    }

    #[test]
    fn a_value_does_not_depend_on_its_place() {
        // 1003 values: whole vectors and a rest.
        let x: Vec<f32> = (0..1003).map(|k| (k as f32 - 500.0) * 0.25).collect();
        let mut fast = x.clone();
        softplus_in_place(&mut fast);
        for (k, &x) in x.iter().enumerate() {
            let mut alone = [x];
            softplus_in_place(&mut alone);
            assert_eq!(fast[k], alone[0], "at {x}");
            let value = softplus(x).0;
            assert!((fast[k] - value).abs() <= 1e-6 * value.abs().max(1.0), "softplus({x}): {} {value}", fast[k]);
        }
        let centers: Vec<f32> = (0..37).map(|k| k as f32 * 0.1).collect();
        let mut out = vec![0.0; 2 * 37];
        gaussians(&[1.3, 2.9], &centers, 4.0, &mut out);
        for (k, got) in out.iter().enumerate() {
            let d = f64::from([1.3_f32, 2.9][k / 37]) - f64::from(centers[k % 37]);
            assert!((f64::from(*got) - (-4.0 * d * d).exp()).abs() < 1e-6);
        }
    }

    #[test]
    fn far_from_its_centre_a_gaussian_is_nothing() {
        let centers: Vec<f32> = (0..37).map(|k| k as f32 * 0.2).collect();
        let mut out = vec![1.0; 37];
        gaussians(&[0.0], &centers, 25.0, &mut out);
        assert!(out.iter().all(|x| *x == 0.0 || *x > 1e-30) && out[10..].iter().all(|x| *x == 0.0), "{out:?}");
    }

    #[test]
    fn extremes_stay_finite_and_nan_does_no_harm() {
        let mut x = [f32::NEG_INFINITY, -1e30, -100.0, 100.0, 1e30, f32::NAN].repeat(6);
        softplus_in_place(&mut x);
        assert!((x[0] + std::f32::consts::LN_2).abs() < 1e-6 && (x[3] - 99.306_85).abs() < 1e-4 && x[4] == 1e30);
    }
}
