//! From lengths and angles to vectors, and back to gradients: sines of a length that fade out at the cutoff, sines and cosines of
//! an angle.

use super::super::ChgnetConfig;

use crate::fused::linear::padded;

/// `sqrt(2 / r) sin(w d / r) / d`, times a polynomial that leads to 0 at d = r with its derivative (Gasteiger et al., arXiv:2003.03123).
#[derive(Debug)]
pub struct Bessel {
    cutoff: f64,
    exponent: i32,
    frequencies: Vec<f64>,
}

impl Bessel {
    /// For bonds of up to `cutoff` Å.
    pub fn new(cutoff: f64, config: &ChgnetConfig, frequencies: &[f32]) -> Self {
        let frequencies = frequencies.iter().map(|&w| f64::from(w)).collect();
        Self { cutoff, exponent: config.cutoff_exponent, frequencies }
    }

    /// Numbers of a bond, whole panels.
    pub fn width(&self) -> usize {
        padded(self.frequencies.len())
    }

    /// The factor that fades out and its derivative.
    fn fading(&self, length: f64) -> (f64, f64) {
        let x = length / self.cutoff;
        if x >= 1.0 {
            return (0.0, 0.0);
        }
        let p = f64::from(self.exponent);
        let [a, b, c] = [-(p + 1.0) * (p + 2.0) / 2.0, p * (p + 2.0), -p * (p + 1.0) / 2.0];
        let power = x.powi(self.exponent - 1);
        let derivative = power * (p * a + x * ((p + 1.0) * b + x * (p + 2.0) * c));
        (1.0 + power * x * (a + x * (b + x * c)), derivative / self.cutoff)
    }

    /// The numbers of a bond of `length` Å.
    pub fn expand(&self, length: f64, out: &mut [f32]) {
        let factor = (2.0 / self.cutoff).sqrt() * self.fading(length).0 / length;
        for (out, w) in out.iter_mut().zip(&self.frequencies) {
            *out = (factor * (w * length / self.cutoff).sin()) as f32;
        }
        out[self.frequencies.len()..].fill(0.0);
    }

    /// The derivative in the length of what has these gradients in its numbers.
    pub fn back(&self, length: f64, gradients: &[f32]) -> f64 {
        let (fading, derivative) = self.fading(length);
        let factor = (2.0 / self.cutoff).sqrt() / length;
        let mut sum = 0.0;
        for (g, w) in gradients.iter().zip(&self.frequencies) {
            let (sin, cos) = (w * length / self.cutoff).sin_cos();
            sum += f64::from(*g) * factor * ((derivative - fading / length) * sin + fading * cos * w / self.cutoff);
        }
        sum
    }
}

/// `1/sqrt(2)`, `sin(w a)`, `cos(w a)`, over `sqrt(π)`.
#[derive(Debug)]
pub struct Fourier {
    frequencies: Vec<f32>,
}

impl Fourier {
    /// Of these frequencies.
    pub fn new(frequencies: Vec<f32>) -> Self {
        Self { frequencies }
    }

    /// Numbers of an angle, whole panels.
    pub fn width(&self) -> usize {
        padded(1 + 2 * self.frequencies.len())
    }

    /// The numbers of an angle in radians.
    pub fn expand(&self, angle: f64, out: &mut [f32]) {
        let n = self.frequencies.len();
        let scale = std::f32::consts::FRAC_1_PI.sqrt();
        out[0] = std::f32::consts::FRAC_1_SQRT_2 * scale;
        let (sines, cosines) = out[1..].split_at_mut(n);
        for ((sine, cosine), w) in sines.iter_mut().zip(cosines.iter_mut()).zip(&self.frequencies) {
            let (sin, cos) = (angle as f32 * w).sin_cos();
            (*sine, *cosine) = (sin * scale, cos * scale);
        }
        out[1 + 2 * n..].fill(0.0);
    }

    /// The derivative in the angle of what has `gradients` in the numbers `expanded`.
    pub fn back(&self, expanded: &[f32], gradients: &[f32]) -> f64 {
        let n = self.frequencies.len();
        let mut sum = 0.0;
        for (k, w) in self.frequencies.iter().enumerate() {
            let (sin, cos) = (1 + k, 1 + n + k);
            sum += f64::from(w * (gradients[sin] * expanded[cos] - gradients[cos] * expanded[sin]));
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_are_those_of_differences() {
        let config = ChgnetConfig::published();
        let frequencies: Vec<f32> = (1..=31).map(|k| k as f32 * 3.1).collect();
        let bessel = Bessel::new(6.0, &config, &frequencies);
        let weights: Vec<f32> = (0..32).map(|k| ((k * 7) % 11) as f32 - 5.0).collect();
        let sum = |row: &[f32]| row.iter().zip(&weights).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        let of_length = |length: f64| {
            let mut row = vec![0.0; bessel.width()];
            bessel.expand(length, &mut row);
            sum(&row)
        };
        for length in [0.9, 2.1, 4.4, 5.9] {
            let want = (of_length(length + 1e-3) - of_length(length - 1e-3)) / 2e-3;
            let got = bessel.back(length, &weights);
            assert!((got - want).abs() < 2e-3 * want.abs().max(1.0), "{length}: {got}, {want}");
        }
        assert_eq!((of_length(6.0), bessel.back(6.1, &weights)), (0.0, 0.0));

        let fourier = Fourier::new((1..=15).map(|k| k as f32).collect());
        let of_angle = |angle: f64| {
            let mut row = vec![0.0; fourier.width()];
            fourier.expand(angle, &mut row);
            (sum(&row), row)
        };
        for angle in [0.1, 1.3, 3.0] {
            let want = (of_angle(angle + 1e-3).0 - of_angle(angle - 1e-3).0) / 2e-3;
            let got = fourier.back(&of_angle(angle).1, &weights);
            assert!((got - want).abs() < 5e-3 * want.abs().max(1.0), "{angle}: {got}, {want}");
        }
    }
}
