//! The errors of a model over a set of crystals.

use serde::{Deserialize, Serialize};

use super::quantity::behind;

/// Root mean square and mean absolute error over a set of crystals, in the unit of the label, beside the error of always
/// answering with the training set's mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Number of crystals.
    pub count: usize,
    /// Root mean square error.
    pub rmse: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// Root mean square error of predicting the training mean.
    pub baseline_rmse: f64,
    /// Mean absolute error of predicting the training mean.
    pub baseline_mae: f64,
}

impl Metrics {
    /// Metrics of (prediction, label) pairs; `None` of no pair. `mean` is the training set's mean label.
    pub fn of(pairs: &[(f64, f64)], mean: f64) -> Option<Self> {
        if pairs.is_empty() {
            return None;
        }
        let n = pairs.len() as f64;
        let rms = |f: &dyn Fn(&(f64, f64)) -> f64| (pairs.iter().map(|p| f(p).powi(2)).sum::<f64>() / n).sqrt();
        let abs = |f: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(|p| f(p).abs()).sum::<f64>() / n;
        let error = |(predicted, label): &(f64, f64)| predicted - label;
        let baseline = |(_, label): &(f64, f64)| mean - label;
        Some(Self {
            count: pairs.len(),
            rmse: rms(&error),
            mae: abs(&error),
            baseline_rmse: rms(&baseline),
            baseline_mae: abs(&baseline),
        })
    }

    /// The errors in words. `unit`: of the label, empty where it has none.
    pub fn described(&self, unit: &str) -> String {
        format!(
            "RMSE {:.4}, MAE {:.4}{} over {} crystals (predicting the mean: {:.4}, {:.4})",
            self.rmse,
            self.mae,
            behind(unit),
            self.count,
            self.baseline_rmse,
            self.baseline_mae
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_of_known_pairs() {
        let m = Metrics::of(&[(1.0, 0.0), (0.0, 1.0), (2.0, 2.0), (3.0, 5.0)], 2.0).unwrap();
        assert!((m.rmse - 1.5_f64.sqrt()).abs() < 1e-12 && (m.mae - 1.0).abs() < 1e-12);
        assert!((m.baseline_rmse - 3.5_f64.sqrt()).abs() < 1e-12 && (m.baseline_mae - 1.5).abs() < 1e-12);
        assert!(Metrics::of(&[], 0.0).is_none());
        assert!(m.described("eV").contains(" eV over 4 crystals") && m.described("").contains("MAE 1.0000 over"));
    }
}
