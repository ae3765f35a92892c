//! What a training minimises.

use std::{fmt, str::FromStr};

use burn::prelude::*;

use crate::ModelError;

/// The loss, in units of the labels' standard deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    /// Mean square error: the original's.
    Mse,
    /// Mean absolute error.
    Mae,
    /// Square below `delta` standard deviations, linear above (Huber 1964): wrong labels pull less.
    Huber {
        /// Where the square ends, above 0.
        delta: f64,
    },
}

impl Loss {
    /// Huber's loss with the δ of MEGNet's fits here, a quarter of a standard deviation.
    pub const HUBER: Self = Self::Huber { delta: 0.25 };

    /// The loss of one (prediction - label), standardised, and its derivative.
    pub(super) fn of(self, error: f64) -> (f64, f64) {
        match self {
            Self::Mse => (error * error, 2.0 * error),
            Self::Mae => (error.abs(), if error == 0.0 { 0.0 } else { error.signum() }),
            Self::Huber { delta } => {
                let near = error.clamp(-delta, delta);
                (near * (error - 0.5 * near), near)
            }
        }
    }

    /// Sum over a batch of (prediction - label), both standardised.
    pub(super) fn sum(self, error: Tensor<1>) -> Tensor<1> {
        match self {
            Self::Mse => (error.clone() * error).sum(),
            Self::Mae => error.abs().sum(),
            Self::Huber { delta } => {
                let size = error.abs();
                let near = size.clone().clamp_max(delta as f32);
                // δ|e| - δ²/2 beyond δ, e²/2 before: with n = min(|e|, δ) both are n (|e| - n/2).
                (near.clone() * (size - near * 0.5)).sum()
            }
        }
    }
}

/// As on the command line and in cards: `mse`, `mae`, `huber:0.25`.
impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mse => write!(f, "mse"),
            Self::Mae => write!(f, "mae"),
            Self::Huber { delta } => write!(f, "huber:{delta}"),
        }
    }
}

impl FromStr for Loss {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        let (name, delta) = text.split_once(':').map_or((text, None), |(name, delta)| (name, Some(delta)));
        match (name, delta.map(str::parse::<f64>)) {
            ("mse", None) => Ok(Self::Mse),
            ("mae" | "l1", None) => Ok(Self::Mae),
            ("huber", None) => Ok(Self::HUBER),
            ("huber", Some(Ok(delta))) if delta > 0.0 && delta.is_finite() => Ok(Self::Huber { delta }),
            _ => Err(ModelError::Training(format!(
                "loss '{text}': expected mse, mae (or l1), huber or huber:DELTA with DELTA above 0, in standard deviations"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_of_known_errors() {
        let errors = || Tensor::<1>::from_floats([0.1, -0.25, 2.0], &Device::flex());
        let alone = |loss: Loss| [0.1, -0.25, 2.0].map(|e| loss.of(e).0).iter().sum::<f64>();
        let of = |loss: Loss| {
            let sum = loss.sum(errors()).into_scalar::<f32>();
            assert!((f64::from(sum) - alone(loss)).abs() < 1e-6, "{loss}");
            for e in [0.1, -0.2, 2.0] {
                let difference = (loss.of(e + 1e-6).0 - loss.of(e - 1e-6).0) / 2e-6;
                assert!((loss.of(e).1 - difference).abs() < 1e-6, "{loss} at {e}");
            }
            sum
        };
        assert!((of(Loss::Mse) - (0.01 + 0.0625 + 4.0)).abs() < 1e-5);
        assert!((of(Loss::Mae) - 2.35).abs() < 1e-6);
        // Below δ half the square, above it δ (|e| - δ/2).
        assert!((of(Loss::HUBER) - (0.005 + 0.031_25 + 0.25 * 1.875)).abs() < 1e-6);
        assert!((of(Loss::Huber { delta: 1.0 }) - (0.005 + 0.031_25 + 1.5)).abs() < 1e-6);
    }

    #[test]
    fn names_are_read_back() {
        for loss in [Loss::Mse, Loss::Mae, Loss::HUBER, Loss::Huber { delta: 0.1 }] {
            assert_eq!(loss.to_string().parse::<Loss>().unwrap(), loss);
        }
        assert_eq!(("l1".parse::<Loss>().unwrap(), "huber".parse::<Loss>().unwrap()), (Loss::Mae, Loss::HUBER));
        for wrong in ["", "rmse", "huber:0", "huber:x", "mse:1", "huber:inf"] {
            assert!(wrong.parse::<Loss>().unwrap_err().to_string().contains("huber:DELTA"), "{wrong}");
        }
    }
}
