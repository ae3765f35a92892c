//! Which trials to stop early: those whose validation error so far is hopeless compared with earlier trials at the same epoch.

use serde::{Deserialize, Serialize};

/// When a trial is pruned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pruning {
    /// Never.
    None,
    /// At any epoch after the first tenth where it is worse than the median of the trials that came as far (Golovin *et al.*,
    /// Google Vizier, KDD 2017).
    Median,
    /// At 1/27, 1/9 and 1/3 of the epochs where it is not among the best third of those that came as far: successive halving, one
    /// trial after the other (Li *et al.*, ASHA, MLSys 2020).
    Halving,
}

/// Trials that a median, and a third, are taken of at least.
const LEAST: usize = 3;

impl Pruning {
    /// Every rule with its name on the command line.
    pub const NAMES: [(&'static str, Self); 3] =
        [("none", Self::None), ("median", Self::Median), ("halving", Self::Halving)];

    /// Name on the command line and in the store.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, rule)| *rule == self).map_or("", |(name, _)| name)
    }

    /// Whether a trial with the errors `curve`, one for each epoch so far of `epochs`, should be pruned in view of the curves of
    /// earlier trials.
    pub fn prunes(self, curve: &[f64], epochs: usize, earlier: &[&[f64]]) -> bool {
        let epoch = curve.len();
        // An error that is not a number is none.
        let best = |curve: &[f64]| curve[..epoch].iter().copied().fold(f64::INFINITY, f64::min);
        let mut others: Vec<f64> = earlier.iter().filter(|c| c.len() >= epoch).map(|c| best(c)).collect();
        if epoch == 0 || epoch >= epochs || others.len() < LEAST {
            return false;
        }
        others.sort_by(f64::total_cmp);
        let worst_allowed = match self {
            Self::None => return false,
            Self::Median if epoch > epochs / 10 => others[others.len() / 2],
            Self::Halving if [27, 9, 3].iter().any(|part| (epochs / part).max(1) == epoch) => others[others.len() / 3],
            _ => return false,
        };
        best(curve) > worst_allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five trials that fall to 0.1, 0.2, .. 0.5 over 27 epochs, in a bad order.
    fn earlier() -> Vec<Vec<f64>> {
        [0.3, 0.5, 0.1, 0.4, 0.2].map(|end| (1..=27).map(|e| end + 1.0 / f64::from(e)).collect()).to_vec()
    }

    fn prunes(rule: Pruning, curve: &[f64], earlier: &[Vec<f64>]) -> bool {
        rule.prunes(curve, 27, &earlier.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    #[test]
    fn the_median_rule_gives_up_the_worse_half() {
        let curve = |end: f64, n: usize| (1..=n).map(|e| end + 1.0 / e as f64).collect::<Vec<_>>();
        let rule = |end, n| prunes(Pruning::Median, &curve(end, n), &earlier());
        assert!(rule(0.31, 3) && rule(0.31, 26) && !rule(0.29, 3) && !rule(0.3, 10));
        assert!(!rule(9.0, 2), "the first tenth is left alone");
        assert!(!rule(9.0, 27), "a trial that is over cannot be given up");
        assert!(!prunes(Pruning::Median, &curve(9.0, 9), &earlier()[..2]), "two trials have no median");
        assert!(!prunes(Pruning::None, &curve(9.0, 9), &earlier()));
    }

    #[test]
    fn halving_keeps_the_best_third_at_its_rungs_only() {
        let curve = |end: f64, n: usize| (1..=n).map(|e| end + 1.0 / e as f64).collect::<Vec<_>>();
        let rule = |end, n| prunes(Pruning::Halving, &curve(end, n), &earlier());
        for rung in [1, 3, 9] {
            assert!(rule(0.21, rung) && !rule(0.19, rung), "{rung}");
        }
        assert!([2, 4, 8, 10, 26].iter().all(|&n| !rule(9.0, n)));
    }

    #[test]
    fn earlier_trials_count_as_far_as_they_came_and_errors_that_are_no_numbers_are_worst() {
        let mut short = earlier();
        short.iter_mut().for_each(|curve| curve.truncate(8));
        assert!(prunes(Pruning::Median, &[9.0; 8], &short) && !prunes(Pruning::Median, &[9.0; 9], &short));
        assert!(prunes(Pruning::Median, &[f64::NAN; 5], &short));
        assert!(!prunes(Pruning::Median, &[f64::NAN, 0.1, f64::NAN, 0.3], &short));
    }
}
