//! Shifted softplus, `ln(1 + eˣ) - ln 2`, and Gaussians, in SIMD.
//!
//! burn's CPU backend evaluates transcendental functions one libm call at a time; in MEGNet they cost more than the matrix
//! products. Below is one branch-free polynomial arithmetic three times: plain, AVX2 and AVX-512, chosen by what the
//! processor has. Largest error against `f64`: 3e-7, tested.

/// eˣ to 2e-7 relative. NaN maps to e^-87.3: the first comparison is written so that NaN takes the bound.
#[inline(always)]
fn exp(x: f32) -> f32 {
    let x = if x > LOWEST { x } else { LOWEST };
    let x = if x > HIGHEST { HIGHEST } else { x };
    let n = (x * LOG2_E).round_ties_even();
    let r = n.mul_add(-LN2_HIGH, x);
    let r = n.mul_add(-LN2_LOW, r);
    let p = EXP[1..].iter().fold(EXP[0], |p, &c| p.mul_add(r, c));
    // n lies in [-126, 127] by the two bounds, so the exponent field does not overflow.
    f32::from_bits(((n as i32 + 127) << 23) as u32) * (p * r * r + r + 1.0)
}

/// 1 / (1 + e⁻ˣ).
#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    // As far above 1/2 for x as below it for -x.
    0.5 + (1.0 / (1.0 + exp(-x.abs())) - 0.5).copysign(x)
}

/// (softplus(x) - ln 2, its derivative sigmoid(x)).
#[inline(always)]
pub(super) fn softplus(x: f32) -> (f32, f32) {
    let t = exp(-x.abs());
    // ln((1 + t) / 2) = 2 artanh(s) with |s| <= 1/3: the series ARTANH gives full single precision.
    let s = (t - 1.0) / (t + 3.0);
    let s2 = s * s;
    let p = ARTANH[1..].iter().fold(ARTANH[0], |p, &c| p.mul_add(s2, c));
    let half_log = (s * s2).mul_add(p, s);
    // The sigmoid lies as far above 1/2 for x as below it for -x.
    let slope = 0.5 + (1.0 / (1.0 + t) - 0.5).copysign(x);
    (2.0_f32.mul_add(half_log, x.max(0.0)), slope)
}

/// Subtracted from every Gaussian, below the rounding of any that counts. Far from its centre a Gaussian would otherwise lie
/// at the lower end of what a float holds; products with it are subnormal numbers, on which processors are a hundred times
/// slower, and the matrix products of a training would spend most of their time there.
const NOTHING: f32 = 1e-18;
const LOWEST: f32 = -87.3;
const HIGHEST: f32 = 88.3;
const LOG2_E: f32 = std::f32::consts::LOG2_E;
/// ln 2 in two parts, of which the first has trailing zeros: n times it is exact.
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;
/// Coefficients of (eʳ - 1 - r) / r² on [-ln 2 / 2, ln 2 / 2], highest power first (Cephes `expf`).
const EXP: [f32; 6] = [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5];
/// Coefficients of (artanh(s) - s) / s³ in s², highest power first.
const ARTANH: [f32; 6] = [1.0 / 13.0, 1.0 / 11.0, 1.0 / 9.0, 1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0];

/// The same arithmetic on vectors of one instruction set, written with its intrinsics: a loop left to the compiler becomes
/// SIMD code only at its highest optimisation levels.
#[cfg(target_arch = "x86_64")]
macro_rules! vectors {
    ($module:ident, $features:literal, $vector:ident, $width:literal, $set:ident, $load:ident, $store:ident, $add:ident,
     $sub:ident, $mul:ident, $div:ident, $fma:ident, $max:ident, $min:ident, $or:ident, $andnot:ident,
     $to_int:ident, $to_float:ident, $set_int:ident, $add_int:ident, $shift:ident, $as_float:ident) => {
        mod $module {
            use std::arch::x86_64::*;

            use super::*;

            pub const WIDTH: usize = $width;

            #[inline]
            #[target_feature(enable = $features)]
            fn exp(x: $vector) -> $vector {
                // Of two numbers of which one is NaN, max and min return the second.
                let x = $min($max(x, $set(LOWEST)), $set(HIGHEST));
                let whole = $to_int($mul(x, $set(LOG2_E)));
                let n = $to_float(whole);
                let r = $fma(n, $set(-LN2_HIGH), x);
                let r = $fma(n, $set(-LN2_LOW), r);
                let mut p = $set(EXP[0]);
                for c in &EXP[1..] {
                    p = $fma(p, r, $set(*c));
                }
                let power = $as_float($shift::<23>($add_int(whole, $set_int(127))));
                $mul(power, $add($fma($mul(p, r), r, r), $set(1.0)))
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn softplus(x: $vector) -> $vector {
                let (sign, one) = ($set(-0.0), $set(1.0));
                let t = exp($or($andnot(sign, x), sign));
                let s = $div($sub(t, one), $add(t, $set(3.0)));
                let s2 = $mul(s, s);
                let mut p = $set(ARTANH[0]);
                for c in &ARTANH[1..] {
                    p = $fma(p, s2, $set(*c));
                }
                let half_log = $fma($mul(s, s2), p, s);
                $fma($set(2.0), half_log, $max(x, $set(0.0)))
            }

            /// # Safety
            /// Whole vectors only: the length of `x` is a multiple of [`WIDTH`].
            #[target_feature(enable = $features)]
            pub unsafe fn value(x: &mut [f32]) {
                for x in x.chunks_exact_mut(WIDTH) {
                    // SAFETY: the chunk is one vector long.
                    unsafe { $store(x.as_mut_ptr(), softplus($load(x.as_ptr()))) };
                }
            }

            /// # Safety
            /// `centers` and `out` of one length, a multiple of [`WIDTH`].
            #[target_feature(enable = $features)]
            pub unsafe fn gaussian(distance: f32, centers: &[f32], gamma: f32, out: &mut [f32]) {
                for (c, out) in centers.chunks_exact(WIDTH).zip(out.chunks_exact_mut(WIDTH)) {
                    // SAFETY: both chunks are one vector long.
                    unsafe {
                        let d = $sub($set(distance), $load(c.as_ptr()));
                        let bell = exp($mul($mul($set(-gamma), d), d));
                        $store(out.as_mut_ptr(), $max($sub(bell, $set(NOTHING)), $set(0.0)));
                    }
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
vectors!(
    avx512,
    "avx512f,avx512dq,fma",
    __m512,
    16,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_add_ps,
    _mm512_sub_ps,
    _mm512_mul_ps,
    _mm512_div_ps,
    _mm512_fmadd_ps,
    _mm512_max_ps,
    _mm512_min_ps,
    _mm512_or_ps,
    _mm512_andnot_ps,
    _mm512_cvtps_epi32,
    _mm512_cvtepi32_ps,
    _mm512_set1_epi32,
    _mm512_add_epi32,
    _mm512_slli_epi32,
    _mm512_castsi512_ps
);
#[cfg(target_arch = "x86_64")]
vectors!(
    avx2,
    "avx2,fma",
    __m256,
    8,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_add_ps,
    _mm256_sub_ps,
    _mm256_mul_ps,
    _mm256_div_ps,
    _mm256_fmadd_ps,
    _mm256_max_ps,
    _mm256_min_ps,
    _mm256_or_ps,
    _mm256_andnot_ps,
    _mm256_cvtps_epi32,
    _mm256_cvtepi32_ps,
    _mm256_set1_epi32,
    _mm256_add_epi32,
    _mm256_slli_epi32,
    _mm256_castsi256_ps
);

/// Runs a kernel of the widest instruction set this processor has over the whole vectors in `$n` values, and says how many
/// values that were; the rest is for the plain loop.
macro_rules! widest {
    ($n:expr, $kernel:ident, |$whole:ident| ($($arg:expr),*)) => {{
        #[allow(unused_mut, reason = "other processors have the plain loop only")]
        let mut done = 0;
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") && is_x86_feature_detected!("fma") {
            let $whole = $n / avx512::WIDTH * avx512::WIDTH;
            // SAFETY: the features were just detected; the slices are cut to whole vectors.
            unsafe { avx512::$kernel($($arg),*) };
            done = $whole;
        } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            let $whole = $n / avx2::WIDTH * avx2::WIDTH;
            // SAFETY: as above.
            unsafe { avx2::$kernel($($arg),*) };
            done = $whole;
        }
        done
    }};
}

/// Replaces every x by softplus(x) - ln 2.
pub(super) fn softplus_in_place(x: &mut [f32]) {
    let done = widest!(x.len(), value, |whole| (&mut x[..whole]));
    for x in &mut x[done..] {
        *x = softplus(*x).0;
    }
}

/// Row i of `out` becomes exp(-gamma (d_i - c)²) over the centres c, zero where that is below [`NOTHING`].
pub(super) fn gaussians(distances: &[f32], centers: &[f32], gamma: f32, out: &mut [f32]) {
    for (&d, row) in distances.iter().zip(out.chunks_exact_mut(centers.len())) {
        let done = widest!(centers.len(), gaussian, |whole| (d, &centers[..whole], gamma, &mut row[..whole]));
        for (&c, out) in centers[done..].iter().zip(&mut row[done..]) {
            *out = (exp(-gamma * (d - c) * (d - c)) - NOTHING).max(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softplus_and_slope_agree_with_double_precision() {
        for k in -4000..4000 {
            let x = k as f32 * 0.01;
            let (value, slope) = softplus(x);
            let exact = f64::from(x);
            let want = exact.max(0.0) + (-exact.abs()).exp().ln_1p() - std::f64::consts::LN_2;
            assert!(
                (f64::from(value) - want).abs() < 3e-7 * want.abs().max(1.0),
                "softplus({x}) = {value}, want {want}"
            );
            let want = 1.0 / (1.0 + (-exact).exp());
            assert!((f64::from(slope) - want).abs() < 2e-7, "slope at {x}");
            assert!((f64::from(sigmoid(x)) - want).abs() < 2e-7, "sigmoid({x})");
        }
    }

    #[test]
    fn vectors_give_what_the_plain_loop_gives() {
        // 1003 values: whole vectors and a rest.
        let x: Vec<f32> = (0..1003).map(|k| (k as f32 - 500.0) * 0.25).collect();
        let mut fast = x.clone();
        softplus_in_place(&mut fast);
        for (k, &x) in x.iter().enumerate() {
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
