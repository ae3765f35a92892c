//! Vectors of single-precision numbers, as wide as the processor has them.
//!
//! A kernel is written once, over a [`Simd`] that names its instruction set, and compiled once for each by [`kernels!`]; which of them runs
//! is decided at run time. The operations are intrinsics, because a plain loop becomes vector code only at the compiler's highest
//! optimisation levels, and the program is fast at the first. A kernel of plain loops, which names no instruction set, is compiled for each
//! of them too.
//!
//! The instruction sets (SSE4.2, AVX2, AVX-512, NEON, and plain numbers where there is none) and the choice among them are those of
//! `macerator`, which burn's backend brings along. It costs nothing: on an AMD EPYC with AVX-512 a product of 64 rows with a layer of
//! 128 by 128 takes 18.05 µs and 18.02 µs with intrinsics written here, and 18.2 µs both ways with AVX2; 8192 softplus take 2.4 and
//! 2.3 µs; the numbers are the same to the bit. Its reciprocal alone was slower, 2.07 and 1.69 µs for 8192 silu: it handles zero and
//! infinity, which our arguments never are, so that [`Simd::recip`] is our own.

use macerator::{Scalar, Vector};

/// What kernels need of an instruction set.
///
/// # Safety
/// All functions may be called only on a processor that has it, which [`kernels!`] sees to; `load` and `store` touch
/// [`LANES`](Simd::LANES) numbers from the pointer on.
pub(super) trait Simd {
    /// A vector.
    type V: Copy;
    /// Numbers in a vector: a divisor of sixteen.
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
    /// The larger; any number where one is NaN.
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V;
    /// The smaller; any number where one is NaN.
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

impl<S: macerator::Simd> Simd for S {
    type V = Vector<S, f32>;
    const LANES: usize = size_of::<S::Register>() / size_of::<f32>();
    /// Two vectors of sums for each row, two of weights and one of inputs: of 32 registers, and of 16 where vectors are of eight numbers or
    /// the processor is older.
    const ROWS: usize = if Self::LANES == 16 || cfg!(target_arch = "aarch64") { 12 } else { 6 };
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self::V {
        x.splat()
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self::V {
        // SAFETY: the caller has the numbers there.
        unsafe { macerator::vload_unaligned(from) }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, x: Self::V) {
        // SAFETY: as above.
        unsafe { macerator::vstore_unaligned(to, x) }
    }
    #[inline(always)]
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
        a + b
    }
    #[inline(always)]
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V {
        a - b
    }
    #[inline(always)]
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V {
        a * b
    }
    #[inline(always)]
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V {
        a / b
    }
    #[inline(always)]
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        a.mul_add(b, c)
    }
    #[inline(always)]
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
        a.max(b)
    }
    #[inline(always)]
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V {
        a.min(b)
    }
    #[inline(always)]
    unsafe fn abs(x: Self::V) -> Self::V {
        x.abs()
    }
    #[inline(always)]
    unsafe fn recip(x: Self::V) -> Self::V {
        // An estimate, and one step of Newton's method: r (2 - x r). That of AVX2 has 12 bits, which one step does not make single
        // precision: the error, always to one side, adds up to 1e-4 eV/Å in CHGNet's forces. It divides.
        // SAFETY: registers of this width are those of AVX-512, which the caller has made sure of.
        #[cfg(target_arch = "x86_64")]
        if Self::LANES == 16 {
            use std::arch::x86_64::*;
            use std::mem::transmute_copy;
            unsafe {
                let x: __m512 = transmute_copy(&x);
                let r = _mm512_rcp14_ps(x);
                return transmute_copy(&_mm512_mul_ps(r, _mm512_fnmadd_ps(x, r, _mm512_set1_ps(2.0))));
            }
        }
        1.0.splat() / x
    }
    #[inline(always)]
    unsafe fn round(x: Self::V) -> (Self::V, Self::V) {
        let n = x.round_ties_even();
        (n, x - n)
    }
    #[inline(always)]
    unsafe fn scale(x: Self::V, n: Self::V) -> Self::V {
        /// 1.5 · 2²³: a sum with it leaves a small integer in the low bits.
        const ROUND: f32 = 12_582_912.0;
        let shifted = n + (ROUND + 127.0).splat();
        // SAFETY: vectors of equally many numbers of 32 bits.
        let exponent = unsafe { std::mem::transmute_copy::<Self::V, Vector<S, u32>>(&shifted) } << 23;
        x * unsafe { std::mem::transmute_copy::<Vector<S, u32>, Self::V>(&exponent) }
    }
    #[inline(always)]
    unsafe fn sum(x: Self::V) -> f32 {
        x.reduce_add()
    }
}

/// Numbers one by one, in loops that a compiler may turn into vector code.
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
                unsafe fn body<$S: $crate::simd::Simd>($($arg: $type),*) $(-> $out)? {
                    // SAFETY: the caller has made sure of the instruction set; lengths are the body's own care.
                    unsafe { $body }
                }

                /// Where the arguments are.
                struct Call(*mut ());

                impl macerator::WithSimd for Call {
                    type Output = $crate::simd::output!($($out)?);

                    #[inline(always)]
                    fn with_simd<Set: macerator::Simd>(self) -> Self::Output {
                        // SAFETY: `on` has put arguments of these types there, and leaves them to us.
                        let ($($arg,)*) = unsafe { self.0.cast::<($($type,)*)>().read() };
                        // SAFETY: `on` was given an instruction set that is there.
                        unsafe { body::<Set>($($arg),*) }
                    }
                }

                /// # Safety
                /// The processor has the instruction set.
                #[inline]
                pub unsafe fn on(set: macerator::Arch, $($arg: $type),*) $(-> $out)? {
                    let mut arguments = std::mem::ManuallyDrop::new(($($arg,)*));
                    // SAFETY: of the caller.
                    unsafe { set.dispatch(Call((&raw mut arguments).cast())) }
                }
            }

            $(#[$attribute])*
            #[allow(clippy::too_many_arguments, reason = "as above")]
            $vis fn $name($($arg: $type),*) $(-> $out)? {
                // SAFETY: the processor was checked for the instruction set.
                unsafe { $name::on(macerator::Arch::detect(), $($arg),*) }
            }
        )*
    };
    ($($(#[$attribute:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) $body:block)*) => {
        kernels! { $($(#[$attribute])* $vis fn $name<Any>($($arg: $type),*) $body)* }
    };
}
pub(super) use kernels;

/// What a kernel returns.
macro_rules! output {
    () => {
        ()
    };
    ($out:ty) => {
        $out
    };
}
pub(super) use output;

/// Calls a kernel on every instruction set that this processor has, for tests, and looks after each at
/// what it did.
#[cfg(test)]
macro_rules! each_isa {
    ($name:ident($($arg:expr),* $(,)?), $check:expr) => {
        for set in $crate::simd::sets() {
            // SAFETY: the processor has it.
            unsafe { $name::on(set, $($arg),*) };
            $check;
        }
    };
}
#[cfg(test)]
pub(super) use each_isa;

/// The instruction sets of this processor.
#[cfg(test)]
pub(super) fn sets() -> Vec<macerator::Arch> {
    use macerator::Arch;
    let widest = Arch::detect();
    #[cfg(target_arch = "x86_64")]
    let all = [Arch::Scalar, Arch::V2, Arch::V3].into_iter().filter(|set| (*set as u8) < widest as u8);
    #[cfg(not(target_arch = "x86_64"))]
    let all = [Arch::Scalar].into_iter();
    all.chain([widest]).collect()
}
