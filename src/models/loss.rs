//! What a training minimises, and how fast it steps.

use burn::prelude::*;

/// What is minimised, in units of the labels' standard deviation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Mean square error: the original's.
    Mse,
    /// Mean absolute error.
    Mae,
    /// Square below 0.25 standard deviations, linear above: wrong labels pull less.
    Huber,
}

impl Loss {
    /// Every loss with its name on the command line.
    pub const NAMES: [(&'static str, Self); 3] = [("mse", Self::Mse), ("mae", Self::Mae), ("huber", Self::Huber)];

    /// Name on the command line and in model cards.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, loss)| *loss == self).map_or("", |(name, _)| name)
    }

    /// Sum over a batch of (prediction - label), both standardised.
    pub(super) fn sum(self, error: Tensor<1>) -> Tensor<1> {
        const DELTA: f32 = 0.25;
        match self {
            Self::Mse => (error.clone() * error).sum(),
            Self::Mae => error.abs().sum(),
            Self::Huber => {
                let size = error.abs();
                let near = size.clone().clamp_max(DELTA);
                // δ|e| - δ²/2 beyond δ, e²/2 before: with n = min(|e|, δ) both are n (|e| - n/2).
                (near.clone() * (size - near * 0.5)).sum()
            }
        }
    }
}

/// Linear warm-up, then half a cosine down to a hundredth of the peak.
pub(super) struct Schedule {
    /// Highest rate.
    pub peak: f64,
    /// Steps until it is reached.
    pub warm_up: usize,
    /// Steps in all.
    pub total: usize,
}

impl Schedule {
    /// Learning rate of a step, counted from 0.
    pub fn at(&self, step: usize) -> f64 {
        if step < self.warm_up {
            return self.peak * (step + 1) as f64 / self.warm_up as f64;
        }
        let rest = (self.total.saturating_sub(self.warm_up)).max(1) as f64;
        let progress = ((step - self.warm_up) as f64 / rest).min(1.0);
        self.peak * (0.01 + 0.99 * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_of_known_errors() {
        let errors = || Tensor::<1>::from_floats([0.1, -0.25, 2.0], &Device::flex());
        let of = |loss: Loss| loss.sum(errors()).into_scalar::<f32>();
        assert!((of(Loss::Mse) - (0.01 + 0.0625 + 4.0)).abs() < 1e-5);
        assert!((of(Loss::Mae) - 2.35).abs() < 1e-6);
        // Below 0.25 half the square, above it 0.25 (|e| - 0.125).
        assert!((of(Loss::Huber) - (0.005 + 0.031_25 + 0.25 * 1.875)).abs() < 1e-6);
    }

    #[test]
    fn the_rate_rises_to_its_peak_and_falls_to_a_hundredth() {
        let schedule = Schedule { peak: 1e-3, warm_up: 10, total: 110 };
        assert!((schedule.at(0) - 1e-4).abs() < 1e-12 && (schedule.at(9) - 1e-3).abs() < 1e-12);
        assert!((10..110).all(|k| schedule.at(k + 1) <= schedule.at(k)));
        assert!((schedule.at(110) - 1e-5).abs() < 1e-12 && (schedule.at(1000) - 1e-5).abs() < 1e-12);
    }
}
