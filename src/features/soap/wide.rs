//! Arithmetic on four numbers at once, which a compiler turns into vector instructions.

/// Four numbers: two SSE2 registers, one of AVX2.
pub(super) type Four = [f64; 4];

/// a b + c, rounded once where the processor does that in one instruction (`FUSED`).
#[inline(always)]
pub(super) fn add_product<const FUSED: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// The exponentials of four x <= 0, to 4·10⁻¹⁶: 2^k times a polynomial of the rest, without a branch or a call.
#[inline(always)]
pub(super) fn exp_of_negatives<const FUSED: bool>(x: Four) -> Four {
    /// Below this the result is 10⁻³⁰⁷ or less, which changes no sum.
    const LEAST: f64 = -707.0;
    /// 1.5 · 2⁵²: a sum with it leaves the rounded number in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    /// ln 2 in two parts; the first has 32 trailing zeros, so that its product with k is exact.
    const LN2: [f64; 2] = [6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10];
    /// 1 / n! for n = 12 down to 0.
    const TAYLOR: [f64; 13] = [
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
    ];
    let (mut scale, mut rest) = ([0; 4], [0.0; 4]);
    for i in 0..4 {
        let x = if x[i] > LEAST { x[i] } else { LEAST };
        let shifted = add_product::<FUSED>(x, std::f64::consts::LOG2_E, ROUND);
        let k = shifted - ROUND;
        rest[i] = add_product::<FUSED>(-k, LN2[1], add_product::<FUSED>(-k, LN2[0], x));
        scale[i] = (shifted.to_bits() << 52).wrapping_add(1023 << 52);
    }
    // Taylor's series to r¹³ on |r| <= ln 2 / 2.
    let mut sum = [1.0 / 6_227_020_800.0; 4];
    for coefficient in TAYLOR {
        for i in 0..4 {
            sum[i] = add_product::<FUSED>(sum[i], rest[i], coefficient);
        }
    }
    for i in 0..4 {
        sum[i] *= f64::from_bits(scale[i]);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_to_the_last_digit() {
        for i in 0..20_000 {
            let x = -0.035 * f64::from(i);
            for got in [exp_of_negatives::<false>([x; 4])[3], exp_of_negatives::<true>([x; 4])[1]] {
                assert!((got / x.exp() - 1.0).abs() < 5e-16, "exp({x}) = {got:e}");
            }
        }
        assert!(exp_of_negatives::<true>([-1e9; 4])[0] < 1e-300);
    }
}
