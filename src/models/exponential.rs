//! eˣ and what is made of it, a vector at a time: one branch-free polynomial arithmetic for every instruction set, and for
//! single numbers.

use super::simd::Simd;

const LOWEST: f32 = -126.0;
const HIGHEST: f32 = 127.0;
/// Coefficients of (2ᶠ - 1) / f on [-1/2, 1/2], highest power first; error of 2ᶠ: 1e-7.
const EXP2: [f32; 5] = [1.330_060_5e-3, 9.669_691e-3, 5.550_558_5e-2, 2.402_228_3e-1, std::f32::consts::LN_2];
/// Coefficients of ln(1 + t) / t on [0, 1], highest power first; error of ln(1 + t): 3e-8.
const LN_1P: [f32; 8] = [
    -6.452_618e-3,
    3.608_454e-2,
    -9.532_253e-2,
    1.676_478_8e-1,
    -2.407_307_6e-1,
    3.317_982_6e-1,
    -4.998_740_6e-1,
    9.999_964e-1,
];

/// 2ˣ, between 2⁻¹²⁶ and 2¹²⁷; NaN gives 2⁻¹²⁶.
#[inline(always)]
unsafe fn exp2<S: Simd>(x: S::V) -> S::V {
    unsafe {
        // Of two numbers of which one is NaN, max and min return the second.
        let x = S::min(S::max(x, S::splat(LOWEST)), S::splat(HIGHEST));
        let (n, f) = S::round(x);
        let mut p = S::splat(EXP2[0]);
        p = S::fma(p, f, S::splat(EXP2[1]));
        p = S::fma(p, f, S::splat(EXP2[2]));
        p = S::fma(p, f, S::splat(EXP2[3]));
        p = S::fma(p, f, S::splat(EXP2[4]));
        S::scale(S::fma(p, f, S::splat(1.0)), n)
    }
}

/// eˣ, to |x| 6e-8 relative.
#[inline(always)]
pub(super) unsafe fn exp<S: Simd>(x: S::V) -> S::V {
    unsafe { exp2::<S>(S::mul(x, S::splat(std::f32::consts::LOG2_E))) }
}

/// 1 / (1 + e⁻ˣ).
#[inline(always)]
pub(super) unsafe fn sigmoid<S: Simd>(x: S::V) -> S::V {
    unsafe { S::recip(S::add(S::splat(1.0), exp2::<S>(S::mul(x, S::splat(-std::f32::consts::LOG2_E))))) }
}

/// ln(1 + eˣ).
#[inline(always)]
pub(super) unsafe fn softplus<S: Simd>(x: S::V) -> S::V {
    unsafe {
        // ln(1 + eˣ) = max(x, 0) + ln(1 + e⁻ˡˣˡ), and the argument of that logarithm lies between 1 and 2.
        let t = exp2::<S>(S::mul(S::abs(x), S::splat(-std::f32::consts::LOG2_E)));
        let mut p = S::splat(LN_1P[0]);
        p = S::fma(p, t, S::splat(LN_1P[1]));
        p = S::fma(p, t, S::splat(LN_1P[2]));
        p = S::fma(p, t, S::splat(LN_1P[3]));
        p = S::fma(p, t, S::splat(LN_1P[4]));
        p = S::fma(p, t, S::splat(LN_1P[5]));
        p = S::fma(p, t, S::splat(LN_1P[6]));
        p = S::fma(p, t, S::splat(LN_1P[7]));
        S::fma(p, t, S::max(x, S::splat(0.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{One, each_isa, kernels};

    kernels! {
        #[allow(dead_code, reason = "each instruction set is asked by name")]
        fn softplus_of<S>(x: f32, out: &mut [f32; 16]) {
            S::store(out.as_mut_ptr(), softplus::<S>(S::splat(x)));
        }
        #[allow(dead_code, reason = "as above")]
        fn sigmoid_of<S>(x: f32, out: &mut [f32; 16]) {
            S::store(out.as_mut_ptr(), sigmoid::<S>(S::splat(x)));
        }
    }

    #[test]
    fn functions_agree_with_double_precision() {
        let mut out = [0.0; 16];
        for k in -4000..4000 {
            let x = k as f32 * 0.01;
            let exact = f64::from(x);
            // SAFETY: single numbers need nothing of the processor.
            let (e, s, p) = unsafe { (exp::<One>(x), sigmoid::<One>(x), softplus::<One>(x)) };
            assert!((f64::from(e) / exact.exp() - 1.0).abs() < 3e-6, "exp({x}) = {e}");
            assert!((f64::from(s) - 1.0 / (1.0 + (-exact).exp())).abs() < 2e-7, "sigmoid({x}) = {s}");
            let want = exact.max(0.0) + (-exact.abs()).exp().ln_1p();
            assert!((f64::from(p) - want).abs() < 3e-7 * want.max(1.0), "softplus({x}) = {p}");
            each_isa!(
                softplus_of(x, &mut out),
                assert!((out[0] - p).abs() <= 3e-7 * p.max(1.0), "softplus({x}), {out:?}")
            );
            each_isa!(sigmoid_of(x, &mut out), assert!((out[0] - s).abs() <= 3e-7, "sigmoid({x}), {out:?}"));
        }
    }
}
