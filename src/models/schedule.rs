//! The learning rate over a training.
//!
//! A rate is a function of how far the run is, in epochs, and of the validation errors so far. Nothing else needs to be
//! kept, and a run that goes on from a checkpoint goes on with the same rates.

use std::{fmt, ops::Range, str::FromStr};

use crate::ModelError;

/// The learning-rate schedule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Schedule {
    /// A linear rise to the peak, then half a cosine down to a hundredth of it at the last epoch.
    OneCycle {
        /// Length of the rise, epochs.
        warm_up: f64,
    },
    /// The peak, multiplied by `factor` whenever the validation error has not fallen for more than `patience` epochs.
    Plateau {
        /// Below 1.
        factor: f64,
        /// Epochs that are waited.
        patience: usize,
        /// Lowest rate.
        minimum: f64,
    },
    /// The peak throughout.
    Constant,
}

/// A fall of the validation error by less than this share is none.
const THRESHOLD: f64 = 2e-4;
/// Where one cycle ends, as a share of the peak.
const LAST: f64 = 0.01;

impl Schedule {
    /// A rise over the first epoch, then the cosine.
    pub const ONE_CYCLE: Self = Self::OneCycle { warm_up: 1.0 };
    /// DeeperGATGNN's: x 0.8 after more than 10 epochs, not below 1e-5.
    pub const PLATEAU: Self = Self::Plateau { factor: 0.8, patience: 10, minimum: 1e-5 };

    /// Learning rate of a step that takes a run of `epochs` from `step.start` to `step.end`, both in epochs; `errors` are the
    /// validation errors of the epochs that are over.
    pub(super) fn rate(&self, peak: f64, epochs: usize, step: Range<f64>, errors: impl Iterator<Item = f64>) -> f64 {
        match *self {
            Self::Constant => peak,
            Self::OneCycle { warm_up } if step.start < warm_up => peak * (step.end / warm_up).min(1.0),
            Self::OneCycle { warm_up } => {
                let progress = ((step.start - warm_up) / (epochs as f64 - warm_up).max(f64::MIN_POSITIVE)).min(1.0);
                peak * (LAST + (1.0 - LAST) * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()))
            }
            Self::Plateau { factor, patience, minimum } => {
                let (mut rate, mut best, mut waited) = (peak, f64::INFINITY, 0);
                for error in errors {
                    if error < best * (1.0 - THRESHOLD) {
                        (best, waited) = (error, 0);
                    } else {
                        waited += 1;
                    }
                    if waited > patience {
                        (rate, waited) = ((rate * factor).max(minimum).min(rate), 0);
                    }
                }
                rate
            }
        }
    }
}

/// As on the command line and in cards: `one-cycle:1`, `plateau:0.8:10:0.00001`, `constant`.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneCycle { warm_up } => write!(f, "one-cycle:{warm_up}"),
            Self::Plateau { factor, patience, minimum } => write!(f, "plateau:{factor}:{patience}:{minimum}"),
            Self::Constant => write!(f, "constant"),
        }
    }
}

impl FromStr for Schedule {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        let wrong = || {
            ModelError::Training(format!(
                "schedule '{text}': expected one-cycle, one-cycle:WARM_UP_EPOCHS, plateau, plateau:FACTOR:PATIENCE:MINIMUM \
                 or constant"
            ))
        };
        let parts: Vec<&str> = text.split(':').collect();
        let number = |k: usize| parts[k].parse::<f64>().ok().filter(|x| x.is_finite() && *x >= 0.0).ok_or_else(wrong);
        match (parts[0], parts.len()) {
            ("one-cycle", 1) => Ok(Self::ONE_CYCLE),
            ("one-cycle", 2) => Ok(Self::OneCycle { warm_up: number(1)? }),
            ("plateau", 1) => Ok(Self::PLATEAU),
            ("plateau", 4) => {
                let patience = parts[2].parse().map_err(|_| wrong())?;
                let (factor, minimum) = (number(1)?, number(3)?);
                if factor < 1.0 { Ok(Self::Plateau { factor, patience, minimum }) } else { Err(wrong()) }
            }
            ("constant", 1) => Ok(Self::Constant),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cycle_rises_to_its_peak_and_falls_to_a_hundredth() {
        // Ten steps an epoch, eleven epochs.
        let at = |step: usize| {
            let of = |s: usize| s as f64 / 10.0;
            Schedule::ONE_CYCLE.rate(1e-3, 11, of(step)..of(step + 1), [].into_iter())
        };
        assert!((at(0) - 1e-4).abs() < 1e-12 && (at(9) - 1e-3).abs() < 1e-12 && (at(10) - 1e-3).abs() < 1e-12);
        assert!((10..110).all(|k| at(k + 1) < at(k)));
        assert!((at(60) - 1e-3 * 0.505).abs() < 1e-9, "half way down the cosine");
        assert!((at(110) - 1e-5).abs() < 1e-12 && (at(1000) - 1e-5).abs() < 1e-12);
    }

    #[test]
    fn a_plateau_lowers_the_rate_and_progress_keeps_it() {
        let schedule = Schedule::Plateau { factor: 0.5, patience: 2, minimum: 1e-4 };
        let after = |errors: &[f64]| schedule.rate(1e-3, 100, 0.0..1.0, errors.iter().copied());
        assert_eq!(after(&[]), 1e-3);
        assert_eq!(after(&[5.0, 4.0, 3.0, 2.0, 1.0]), 1e-3);
        // Two epochs without a fall are waited, the third lowers.
        assert_eq!(after(&[1.0, 1.0, 1.0]), 1e-3);
        assert_eq!(after(&[1.0, 1.0, 1.0, 1.0]), 5e-4);
        // A fall below the threshold is none; a NaN is none.
        assert_eq!(after(&[1.0, 0.9999, 0.9999, f64::NAN]), 5e-4);
        assert_eq!(after(&[1.0; 50]), 1e-4);
    }

    #[test]
    fn names_are_read_back() {
        for schedule in
            [Schedule::ONE_CYCLE, Schedule::PLATEAU, Schedule::Constant, Schedule::OneCycle { warm_up: 0.5 }]
        {
            assert_eq!(schedule.to_string().parse::<Schedule>().unwrap(), schedule);
        }
        for wrong in ["", "cosine", "plateau:1:5:0", "plateau:0.5:5", "one-cycle:-1", "constant:1"] {
            assert!(wrong.parse::<Schedule>().unwrap_err().to_string().contains("one-cycle"), "{wrong}");
        }
    }
}
