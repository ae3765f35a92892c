//! The length of a bond in smooth spherical Bessel functions (Kocer, Mason & Erturk, AIP Adv. 2019, 9, 015021), and how bonds fade
//! out towards the cutoff.

use std::f64::consts::PI;

/// So many functions of a length, each 0 at the cutoff with its derivative.
#[derive(Debug, Clone)]
pub struct Basis {
    cutoff: f64,
    /// Of each function: what it has of the sum of two sines, and of the function before it.
    steps: Vec<[f64; 2]>,
}

impl Basis {
    /// `count` functions of lengths up to `cutoff` Å.
    pub fn new(cutoff: f64, count: usize) -> Self {
        let mut before = 1.0;
        let step = |n: usize| {
            let m = n as f64;
            let overlap = (m * (m + 2.0)).powi(2) / (4.0 * (m + 1.0).powi(4) + 1.0);
            let rest = if n == 0 { 1.0 } else { 1.0 - overlap / before };
            let of_last = (overlap / before).sqrt();
            before = rest;
            let (a, b) = (m + 1.0, m + 2.0);
            let size = PI * (2.0 / cutoff.powi(3)).sqrt() * a * b / (a * a + b * b).sqrt();
            let sign = if n.is_multiple_of(2) { 1.0 } else { -1.0 };
            [sign * size / rest.sqrt(), of_last / rest.sqrt()]
        };
        Self { cutoff, steps: (0..count).map(step).collect() }
    }

    /// The functions of a length, Å.
    pub fn expand(&self, length: f64) -> Vec<f64> {
        let wave = |n: f64| {
            let x = n * PI * length / self.cutoff;
            // sin(x) / x, whose first terms are all there is of it where the quotient has no digits.
            if x < 1e-4 { 1.0 - x * x / 6.0 } else { x.sin() / x }
        };
        let mut last = 0.0;
        let functions = self.steps.iter().enumerate().map(|(n, [own, of_last])| {
            let n = n as f64;
            last = own * (wave(n + 1.0) + wave(n + 2.0)) + of_last * last;
            last
        });
        functions.collect()
    }

    /// The factor of a bond of that length, Å: 1 at no length, 0 at the cutoff with its derivative.
    pub fn fading(&self, length: f64) -> f64 {
        if length < self.cutoff { 0.5 * ((PI * length / self.cutoff).cos() + 1.0) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_orthonormal_and_end_with_their_derivative_at_the_cutoff() {
        let basis = Basis::new(5.0, 4);
        let steps = 4000;
        let mut products = [[0.0; 4]; 4];
        for k in 0..steps {
            let r = 5.0 * (f64::from(k) + 0.5) / f64::from(steps);
            let f = basis.expand(r);
            for (i, row) in products.iter_mut().enumerate() {
                for (j, product) in row.iter_mut().enumerate() {
                    *product += f[i] * f[j] * r * r * 5.0 / f64::from(steps);
                }
            }
        }
        for (i, row) in products.iter().enumerate() {
            for (j, product) in row.iter().enumerate() {
                assert!((product - f64::from(u8::from(i == j))).abs() < 1e-5, "{i} {j}: {product}");
            }
        }
        let (end, near) = (basis.expand(5.0), basis.expand(5.0 - 1e-4));
        assert!(end.iter().zip(&near).all(|(a, b)| a.abs() < 1e-12 && b.abs() < 1e-6), "{end:?} {near:?}");
        let (none, little) = (basis.expand(0.0), basis.expand(1e-3));
        assert!(none.iter().zip(&little).all(|(a, b)| (a - b).abs() < 1e-5));
        assert_eq!((basis.fading(0.0), basis.fading(5.0), basis.fading(6.0)), (1.0, 0.0, 0.0));
    }
}
