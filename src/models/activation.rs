//! Shifted softplus, `ln(1 + eˣ) - ln 2`, written so that the compiler turns it into SIMD code.
//!
//! burn's CPU backend evaluates transcendental functions one libm call at a time; in MEGNet they cost more than the matrix
//! products. The loops below are branch-free polynomials, compiled once for AVX-512, once for AVX2 and once portably, and
//! chosen by what the processor has. Largest error against `f64`: 3e-7, tested.

use std::mem::MaybeUninit;

use burn::tensor::{Tensor, TensorData};

/// eˣ to 2e-7 relative. NaN maps to e^-87.3: the first comparison is written so that NaN takes the bound.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    let x = if x > -87.3 { x } else { -87.3 };
    let x = if x > 88.3 { 88.3 } else { x };
    // Adding and subtracting 1.5 * 2^23 rounds to the nearest whole number.
    let n = (x * std::f32::consts::LOG2_E + 12_582_912.0) - 12_582_912.0;
    let r = x - n * 0.693_359_4 - n * -2.121_944_4e-4;
    let p = 1.987_569_1e-4_f32;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 5e-1;
    // SAFETY: n lies in [-126, 128] by the two bounds above, so it fits an i32 and is finite.
    let exponent = unsafe { n.to_int_unchecked::<i32>() };
    // The sum cannot overflow; wrapping says so to a build that checks, which would otherwise not vectorise.
    f32::from_bits((exponent.wrapping_add(127) << 23) as u32) * (p * r * r + r + 1.0)
}

/// (softplus(x) - ln 2, its derivative sigmoid(x)).
#[inline(always)]
fn softplus(x: f32) -> (f32, f32) {
    let t = exp(-x.abs());
    // ln((1 + t) / 2) by the series of 2 artanh(s): |s| <= 1/3, so eight terms give full single precision.
    let s = (t - 1.0) / (t + 3.0);
    let s2 = s * s;
    let p = 1.0 / 13.0_f32;
    let p = p * s2 + 1.0 / 11.0;
    let p = p * s2 + 1.0 / 9.0;
    let p = p * s2 + 1.0 / 7.0;
    let p = p * s2 + 1.0 / 5.0;
    let p = p * s2 + 1.0 / 3.0;
    let half_log = s + s * s2 * p;
    let positive = 1.0 / (1.0 + t);
    (x.max(0.0) + 2.0 * half_log, if x >= 0.0 { positive } else { 1.0 - positive })
}

#[inline(always)]
fn value_loop(x: &mut [f32]) {
    for x in x {
        *x = softplus(*x).0;
    }
}

/// Slope into `slope`, `value - slope * x` into `offset`: with these two, the tangent line at x is an ordinary product.
#[inline(always)]
fn tangent_loop(x: &[f32], slope: &mut [MaybeUninit<f32>], offset: &mut [MaybeUninit<f32>]) {
    for ((&x, slope), offset) in x.iter().zip(slope).zip(offset) {
        let (value, s) = softplus(x);
        slope.write(s);
        offset.write(value - s * x);
    }
}

#[inline(always)]
fn gaussian_loop(distances: &[f32], centers: &[f32], gamma: f32, out: &mut [f32]) {
    for (&d, row) in distances.iter().zip(out.chunks_exact_mut(centers.len())) {
        for (&c, out) in centers.iter().zip(row) {
            *out = exp(-gamma * (d - c) * (d - c));
        }
    }
}

/// Compiles `$body` for three instruction sets and calls the widest one the processor has.
macro_rules! simd {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),*) = $body:ident) => {
        $(#[$doc])*
        $vis fn $name($($arg: $ty),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,fma")]
                fn avx512($($arg: $ty),*) { $body($($arg),*) }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $ty),*) { $body($($arg),*) }
                if is_x86_feature_detected!("avx512dq") && is_x86_feature_detected!("avx512vl") && is_x86_feature_detected!("avx512bw") {
                    // SAFETY: the features were detected on this processor a line above.
                    return unsafe { avx512($($arg),*) };
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: as above.
                    return unsafe { avx2($($arg),*) };
                }
            }
            $body($($arg),*)
        }
    };
}

simd!(
    /// Replaces every x by softplus(x) - ln 2.
    pub(super) fn softplus_in_place(x: &mut [f32]) = value_loop
);
simd!(fn tangent(x: &[f32], slope: &mut [MaybeUninit<f32>], offset: &mut [MaybeUninit<f32>]) = tangent_loop);
simd!(
    /// Row i of `out` becomes exp(-gamma (d_i - c)²) over the centres c.
    pub(super) fn gaussians(distances: &[f32], centers: &[f32], gamma: f32, out: &mut [f32]) = gaussian_loop
);

/// Shifted softplus of a tensor of floats; differentiable where the tensor's device is.
///
/// # Panics
/// Never: the tensor is of f32 on a CPU device by construction of the models.
pub(super) fn shifted_softplus<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let device = x.device();
    if device.is_autodiff() {
        let data = x.clone().inner().into_data();
        let shape = data.shape();
        let values: &[f32] = data.as_slice().expect("activations are f32");
        let n = values.len();
        let (mut slope, mut offset) = (Vec::with_capacity(n), Vec::with_capacity(n));
        tangent(values, &mut slope.spare_capacity_mut()[..n], &mut offset.spare_capacity_mut()[..n]);
        // SAFETY: the loop wrote the first n values of both.
        unsafe {
            slope.set_len(n);
            offset.set_len(n);
        }
        // Slope and offset are constants to the autodiff graph: value and derivative are those of softplus at x.
        let slope = Tensor::from_data(TensorData::new(slope, shape.clone()), &device);
        let offset = Tensor::from_data(TensorData::new(offset, shape), &device);
        x * slope + offset
    } else {
        let mut data = x.into_data();
        softplus_in_place(data.as_mut_slice().expect("activations are f32"));
        Tensor::from_data(data, &device)
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
            assert!((f64::from(value) - want).abs() < 3e-7 * want.abs().max(1.0), "softplus({x}) = {value}, want {want}");
            assert!((f64::from(slope) - 1.0 / (1.0 + (-exact).exp())).abs() < 2e-7, "slope at {x}");
        }
    }

    #[test]
    fn every_instruction_set_gives_the_plain_loop() {
        let x: Vec<f32> = (0..1000).map(|k| (k as f32 - 500.0) * 0.05).collect();
        let (mut fast, mut plain) = (x.clone(), x);
        softplus_in_place(&mut fast);
        value_loop(&mut plain);
        assert!(fast.iter().zip(&plain).all(|(a, b)| (a - b).abs() < 1e-5));
    }

    #[test]
    fn gradient_is_the_sigmoid() {
        let device = burn::prelude::Device::flex().autodiff();
        let x = Tensor::<1>::from_floats([-3.0, -0.1, 0.0, 0.2, 5.0], &device).require_grad();
        let grads = shifted_softplus(x.clone()).sum().backward();
        let got: Vec<f32> = x.grad(&grads).unwrap().into_data().try_to_vec().unwrap();
        for (g, x) in got.iter().zip([-3.0_f32, -0.1, 0.0, 0.2, 5.0]) {
            assert!((g - 1.0 / (1.0 + (-x).exp())).abs() < 1e-6);
        }
    }
}
