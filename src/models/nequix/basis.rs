//! The length of a bond in Bessel functions that fade out towards the cutoff (Gasteiger, Groß & Günnemann, ICLR 2020,
//! arXiv:2003.03123).

use std::f64::consts::PI;

/// So many functions of a length.
#[derive(Debug, Clone)]
pub struct Basis {
    cutoff: f64,
    count: usize,
    power: f64,
}

impl Basis {
    /// `count` functions of lengths up to `cutoff` Å, which fade by a polynomial of that power and the two above it.
    pub fn new(cutoff: f64, count: usize, power: f64) -> Self {
        Self { cutoff, count, power }
    }

    /// The functions of a length, Å.
    pub fn expand(&self, length: f64) -> Vec<f64> {
        let fading = self.fading(length);
        let wave = |n: usize| {
            let rate = n as f64 * PI / self.cutoff;
            let x = rate * length;
            // sin(x) / x, whose first terms are all there is of it where the quotient has no digits.
            let quotient = if x < 1e-4 { 1.0 - x * x / 6.0 } else { x.sin() / x };
            2.0 / self.cutoff * rate * quotient * fading
        };
        (1..=self.count).map(wave).collect()
    }

    /// The factor of a bond of that length, Å: 1 at no length, 0 at the cutoff with its derivative and the derivative's.
    fn fading(&self, length: f64) -> f64 {
        let (x, p) = (length / self.cutoff, self.power);
        if x >= 1.0 {
            return 0.0;
        }
        let [first, second, third] = [(p + 1.0) * (p + 2.0) / 2.0, p * (p + 2.0), p * (p + 1.0) / 2.0];
        1.0 - x.powf(p) * (first - x * (second - third * x))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_end_with_two_derivatives_at_the_cutoff_and_are_finite_at_no_length() {
        let basis = Basis::new(6.0, 8, 6.0);
        assert!(basis.expand(6.0).iter().all(|x| *x == 0.0));
        assert!(basis.expand(6.0 - 1e-3).iter().all(|x| x.abs() < 1e-10));
        let (none, little) = (basis.expand(0.0), basis.expand(1e-3));
        assert!(none.iter().zip(&little).all(|(a, b)| (a - b).abs() < 1e-4), "{none:?} {little:?}");
        // At half the cutoff: 1 - 28 / 64 + 48 / 128 - 21 / 256, times 2 / 6 sin(n π / 2) / 3.
        let middle = basis.expand(3.0);
        assert!((middle[0] - 0.855_468_75 / 9.0).abs() < 1e-12 && middle[1].abs() < 1e-12, "{middle:?}");
    }
}
