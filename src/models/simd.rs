//! Vectors of single-precision numbers, as wide as the processor has them.
//!
//! A kernel is written once, over a [`Simd`] that names its instruction set, and compiled once for each by [`kernels!`]; which
//! of them runs is found out when the program does. The operations are intrinsics, because a plain loop becomes vector code
//! only at the compiler's highest optimisation levels, and the program is fast at the first. A kernel of plain loops, which names
//! no instruction set, is compiled for each of them too.

/// One instruction set.
///
/// # Safety
/// All functions may be called only on a processor that has it, which [`kernels!`] sees to; `load` and `store` touch
/// [`LANES`](Simd::LANES) numbers from the pointer on.
pub(super) trait Simd: Copy {
    /// A vector.
    type V: Copy;
    /// Numbers in a vector.
    const LANES: usize;
    /// Rows of a product that are held in registers at a time.
    const ROWS: usize;
    /// The same number in every lane.
    unsafe fn splat(x: f32) -> Self::V;
    /// Numbers from memory.
    unsafe fn load(from: *const f32) -> Self::V;
    /// Numbers to memory.
    unsafe fn store(to: *mut f32, x: Self::V);
    /// a + b.
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    /// a - b.
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V;
    /// a b.
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V;
    /// a / b.
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V;
    /// a b + c, rounded once where the processor can.
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// The larger; b where one is NaN.
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V;
    /// The smaller; b where one is NaN.
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V;
    /// |x|.
    unsafe fn abs(x: Self::V) -> Self::V;
    /// 1 / x to 2e-7 relative, for x of at least 1.
    unsafe fn recip(x: Self::V) -> Self::V;
    /// (n, x - n) for the integer n nearest to x.
    unsafe fn round(x: Self::V) -> (Self::V, Self::V);
    /// x 2ⁿ for integers n within [-126, 127].
    unsafe fn scale(x: Self::V, n: Self::V) -> Self::V;
    /// Sum of the lanes.
    unsafe fn sum(x: Self::V) -> f32;
}

/// Numbers one by one, in loops that a compiler may turn into vector code.
#[derive(Clone, Copy)]
pub(super) struct One;

impl Simd for One {
    type V = f32;
    const LANES: usize = 1;
    const ROWS: usize = 1;
    #[inline(always)]
    unsafe fn splat(x: f32) -> f32 {
        x
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> f32 {
        // SAFETY: the caller has a number there.
        unsafe { *from }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, x: f32) {
        // SAFETY: as above.
        unsafe { *to = x }
    }
    #[inline(always)]
    unsafe fn add(a: f32, b: f32) -> f32 {
        a + b
    }
    #[inline(always)]
    unsafe fn sub(a: f32, b: f32) -> f32 {
        a - b
    }
    #[inline(always)]
    unsafe fn mul(a: f32, b: f32) -> f32 {
        a * b
    }
    #[inline(always)]
    unsafe fn div(a: f32, b: f32) -> f32 {
        a / b
    }
    #[inline(always)]
    unsafe fn fma(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }
    #[inline(always)]
    unsafe fn max(a: f32, b: f32) -> f32 {
        if a > b { a } else { b }
    }
    #[inline(always)]
    unsafe fn min(a: f32, b: f32) -> f32 {
        if a < b { a } else { b }
    }
    #[inline(always)]
    unsafe fn abs(x: f32) -> f32 {
        x.abs()
    }
    #[inline(always)]
    unsafe fn recip(x: f32) -> f32 {
        1.0 / x
    }
    #[inline(always)]
    unsafe fn round(x: f32) -> (f32, f32) {
        let n = x.round_ties_even();
        (n, x - n)
    }
    #[inline(always)]
    unsafe fn scale(x: f32, n: f32) -> f32 {
        // SAFETY: n lies within [-126, 127].
        x * f32::from_bits(((unsafe { n.to_int_unchecked::<i32>() } + 127) << 23) as u32)
    }
    #[inline(always)]
    unsafe fn sum(x: f32) -> f32 {
        x
    }
}

/// Arrays of sixteen: what every processor has, and compilers may turn into more.
#[derive(Clone, Copy)]
pub(super) struct Plain;

#[inline(always)]
fn each(f: impl Fn(usize) -> f32) -> [f32; 16] {
    std::array::from_fn(f)
}

impl Simd for Plain {
    type V = [f32; 16];
    const LANES: usize = 16;
    const ROWS: usize = 2;
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self::V {
        [x; 16]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self::V {
        // SAFETY: the caller has sixteen numbers there.
        unsafe { from.cast::<[f32; 16]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, x: Self::V) {
        // SAFETY: as above.
        unsafe { to.cast::<[f32; 16]>().write_unaligned(x) }
    }
    #[inline(always)]
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
        each(|k| a[k] + b[k])
    }
    #[inline(always)]
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V {
        each(|k| a[k] - b[k])
    }
    #[inline(always)]
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V {
        each(|k| a[k] * b[k])
    }
    #[inline(always)]
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V {
        each(|k| a[k] / b[k])
    }
    #[inline(always)]
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        // Not `mul_add`, which is a call of a function where the processor has no such instruction.
        each(|k| a[k] * b[k] + c[k])
    }
    #[inline(always)]
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
        each(|k| if a[k] > b[k] { a[k] } else { b[k] })
    }
    #[inline(always)]
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V {
        each(|k| if a[k] < b[k] { a[k] } else { b[k] })
    }
    #[inline(always)]
    unsafe fn abs(x: Self::V) -> Self::V {
        each(|k| x[k].abs())
    }
    #[inline(always)]
    unsafe fn recip(x: Self::V) -> Self::V {
        each(|k| 1.0 / x[k])
    }
    #[inline(always)]
    unsafe fn round(x: Self::V) -> (Self::V, Self::V) {
        let n = each(|k| x[k].round_ties_even());
        (n, each(|k| x[k] - n[k]))
    }
    #[inline(always)]
    unsafe fn scale(x: Self::V, n: Self::V) -> Self::V {
        each(|k| x[k] * f32::from_bits(((n[k] as i32 + 127) << 23) as u32))
    }
    #[inline(always)]
    unsafe fn sum(x: Self::V) -> f32 {
        x.iter().sum()
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::Simd;

    /// AVX-512: sixteen numbers, and 32 registers of them.
    #[derive(Clone, Copy)]
    pub struct Avx512;

    impl Simd for Avx512 {
        type V = __m512;
        const LANES: usize = 16;
        const ROWS: usize = 12;
        #[inline(always)]
        unsafe fn splat(x: f32) -> __m512 {
            unsafe { _mm512_set1_ps(x) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> __m512 {
            unsafe { _mm512_loadu_ps(from) }
        }
        #[inline(always)]
        unsafe fn store(to: *mut f32, x: __m512) {
            unsafe { _mm512_storeu_ps(to, x) }
        }
        #[inline(always)]
        unsafe fn add(a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_add_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn sub(a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_sub_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn mul(a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_mul_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn div(a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_div_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn fma(a: __m512, b: __m512, c: __m512) -> __m512 {
            unsafe { _mm512_fmadd_ps(a, b, c) }
        }
        #[inline(always)]
        unsafe fn max(a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_max_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn min(a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_min_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn abs(x: __m512) -> __m512 {
            unsafe { _mm512_abs_ps(x) }
        }
        #[inline(always)]
        unsafe fn recip(x: __m512) -> __m512 {
            // Fourteen bits, and one step of Newton's method: r (2 - x r).
            unsafe {
                let r = _mm512_rcp14_ps(x);
                _mm512_mul_ps(r, _mm512_fnmadd_ps(x, r, _mm512_set1_ps(2.0)))
            }
        }
        #[inline(always)]
        unsafe fn round(x: __m512) -> (__m512, __m512) {
            unsafe {
                let n = _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x);
                (n, _mm512_sub_ps(x, n))
            }
        }
        #[inline(always)]
        unsafe fn scale(x: __m512, n: __m512) -> __m512 {
            unsafe { _mm512_scalef_ps(x, n) }
        }
        #[inline(always)]
        unsafe fn sum(x: __m512) -> f32 {
            unsafe { _mm512_reduce_add_ps(x) }
        }
    }

    /// AVX2 with fused multiplication and addition: eight numbers, and 16 registers of them.
    #[derive(Clone, Copy)]
    pub struct Avx2;

    impl Simd for Avx2 {
        type V = __m256;
        const LANES: usize = 8;
        const ROWS: usize = 6;
        #[inline(always)]
        unsafe fn splat(x: f32) -> __m256 {
            unsafe { _mm256_set1_ps(x) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> __m256 {
            unsafe { _mm256_loadu_ps(from) }
        }
        #[inline(always)]
        unsafe fn store(to: *mut f32, x: __m256) {
            unsafe { _mm256_storeu_ps(to, x) }
        }
        #[inline(always)]
        unsafe fn add(a: __m256, b: __m256) -> __m256 {
            unsafe { _mm256_add_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn sub(a: __m256, b: __m256) -> __m256 {
            unsafe { _mm256_sub_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn mul(a: __m256, b: __m256) -> __m256 {
            unsafe { _mm256_mul_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn div(a: __m256, b: __m256) -> __m256 {
            unsafe { _mm256_div_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn fma(a: __m256, b: __m256, c: __m256) -> __m256 {
            unsafe { _mm256_fmadd_ps(a, b, c) }
        }
        #[inline(always)]
        unsafe fn max(a: __m256, b: __m256) -> __m256 {
            unsafe { _mm256_max_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn min(a: __m256, b: __m256) -> __m256 {
            unsafe { _mm256_min_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn abs(x: __m256) -> __m256 {
            unsafe { _mm256_andnot_ps(_mm256_set1_ps(-0.0), x) }
        }
        #[inline(always)]
        unsafe fn recip(x: __m256) -> __m256 {
            unsafe {
                let r = _mm256_rcp_ps(x);
                _mm256_mul_ps(r, _mm256_fnmadd_ps(x, r, _mm256_set1_ps(2.0)))
            }
        }
        #[inline(always)]
        unsafe fn round(x: __m256) -> (__m256, __m256) {
            unsafe {
                let n = _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x);
                (n, _mm256_sub_ps(x, n))
            }
        }
        #[inline(always)]
        unsafe fn scale(x: __m256, n: __m256) -> __m256 {
            unsafe {
                let exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
                _mm256_mul_ps(x, _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent)))
            }
        }
        #[inline(always)]
        unsafe fn sum(x: __m256) -> f32 {
            unsafe {
                let four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
                let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
                _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512};

/// The instruction sets that kernels are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Isa {
    /// AVX-512 with its F, DQ, BW and VL parts, as every processor has it but for the first of all.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// None in particular.
    Plain,
}

/// The widest instruction set of this processor.
#[inline]
pub(super) fn isa() -> Isa {
    #[cfg(target_arch = "x86_64")]
    {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let foundation = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq");
        if avx2 && foundation && is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vl") {
            return Isa::Avx512;
        }
        if avx2 {
            return Isa::Avx2;
        }
    }
    Isa::Plain
}

/// Defines functions whose body is written over an instruction set `S`, each of which runs on the widest at hand. A module
/// of the function's name has it for every one of them.
macro_rules! kernels {
    ($($(#[$attribute:meta])* $vis:vis fn $name:ident<$S:ident>($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)? $body:block)*) => {
        $(
            #[allow(clippy::too_many_arguments, reason = "what a kernel reads and writes are plain slices")]
            mod $name {
                #[allow(unused_imports, reason = "not every kernel names what is around it")]
                use super::*;

                #[inline(always)]
                #[allow(unused_unsafe, clippy::extra_unused_type_parameters, reason = "plain loops need neither")]
                pub unsafe fn on<$S: $crate::simd::Simd>($($arg: $type),*) $(-> $out)? {
                    // SAFETY: the caller has made sure of the instruction set; lengths are the body's own care.
                    unsafe { $body }
                }

                #[cfg(target_arch = "x86_64")]
                #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
                pub unsafe fn avx512($($arg: $type),*) $(-> $out)? {
                    // SAFETY: the features are those of the function.
                    unsafe { on::<$crate::simd::Avx512>($($arg),*) }
                }

                #[cfg(target_arch = "x86_64")]
                #[target_feature(enable = "avx2,fma")]
                pub unsafe fn avx2($($arg: $type),*) $(-> $out)? {
                    // SAFETY: as above.
                    unsafe { on::<$crate::simd::Avx2>($($arg),*) }
                }
            }

            $(#[$attribute])*
            #[allow(clippy::too_many_arguments, reason = "as above")]
            $vis fn $name($($arg: $type),*) $(-> $out)? {
                // SAFETY: the processor has been asked for what it can.
                unsafe {
                    match $crate::simd::isa() {
                        #[cfg(target_arch = "x86_64")]
                        $crate::simd::Isa::Avx512 => $name::avx512($($arg),*),
                        #[cfg(target_arch = "x86_64")]
                        $crate::simd::Isa::Avx2 => $name::avx2($($arg),*),
                        $crate::simd::Isa::Plain => $name::on::<$crate::simd::Plain>($($arg),*),
                    }
                }
            }
        )*
    };
    ($($(#[$attribute:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) $body:block)*) => {
        kernels! { $($(#[$attribute])* $vis fn $name<Any>($($arg: $type),*) $body)* }
    };
}
pub(super) use kernels;

/// Calls a kernel on every instruction set that this processor has, for tests, and looks after each at
/// what it did.
#[cfg(test)]
macro_rules! each_isa {
    ($name:ident($($arg:expr),* $(,)?), $check:expr) => {{
        unsafe { $name::on::<$crate::simd::Plain>($($arg),*) };
        $check;
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            unsafe { $name::avx2($($arg),*) };
            $check;
        }
        $name($($arg),*);
        $check;
    }};
}
#[cfg(test)]
pub(super) use each_isa;
