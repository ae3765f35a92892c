//! Intervals with a guaranteed coverage: split-conformal prediction.
//!
//! Of crystals that the weights were not fitted to, the residuals |label - prediction| are sorted. The residual of one more
//! crystal of the same kind is equally likely to fall into any of the n + 1 gaps between them, so that it is at most the
//! k-th smallest with a probability of at least k / (n + 1): prediction ± that residual holds the label with that
//! probability, for any model and any distribution of its errors. For a coverage c, k is ⌈(n + 1) c⌉. (Vovk, Gammerman & Shafer,
//! *Algorithmic Learning in a Random World*, 2005; Lei *et al.*, *J. Am. Stat. Assoc.* **113** (2018) 1094.)
//!
//! Where the members of an ensemble disagree, an error is more likely: there the score is the residual divided by the spread
//! of the members and a constant, and the interval widens with the spread.

use serde::{Deserialize, Serialize};

/// Coverages for which the score is kept are multiples of 1 / `LEVELS`.
const LEVELS: usize = 200;
/// Scores are rounded up to this, which keeps a card short.
const RESOLUTION: f64 = 1e6;

/// Scores of held-out crystals, which bound the error of the next one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Number of crystals whose residuals were taken.
    pub count: usize,
    /// The ⌈(count + 1) k / 200⌉-th smallest score for k = 1, 2, ... as far as there are so many scores. eV/atom, or without
    /// unit where there is a `floor`.
    pub scores: Vec<f64>,
    /// eV/atom that are added to the spread of an ensemble before a residual is divided by it; `None`: scores are the
    /// residuals themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<f64>,
}

impl Calibration {
    /// Of plain residuals, eV/atom, whatever their sign. `None` of no finite one.
    pub fn of(residuals: impl IntoIterator<Item = f64>) -> Option<Self> {
        Self::build(residuals.into_iter().map(f64::abs).collect(), None)
    }

    /// Of (residual, spread of the ensemble), eV/atom. The constant added to the spread is its median: a crystal on which all members agree
    /// has half the interval of a typical one.
    pub fn of_ensemble(residuals: &[(f64, f64)]) -> Option<Self> {
        let mut spreads: Vec<f64> = residuals.iter().map(|&(_, spread)| spread).filter(|s| s.is_finite()).collect();
        spreads.sort_by(f64::total_cmp);
        let floor = spreads.get(spreads.len() / 2).copied().filter(|median| *median > 0.0)?;
        Self::build(residuals.iter().map(|(residual, spread)| residual.abs() / (spread + floor)).collect(), Some(floor))
    }

    fn build(mut scores: Vec<f64>, floor: Option<f64>) -> Option<Self> {
        scores.retain(|score| score.is_finite());
        scores.sort_by(f64::total_cmp);
        let count = scores.len();
        let rank = |k: usize| ((count + 1) * k).div_ceil(LEVELS);
        let kept = (1..=LEVELS).map(rank).take_while(|&rank| rank <= count);
        let scores: Vec<f64> = kept.map(|rank| (scores[rank - 1] * RESOLUTION).ceil() / RESOLUTION).collect();
        (count > 0).then_some(Self { count, scores, floor })
    }

    /// Half the width, eV/atom, of an interval that holds the label with a probability of at least `coverage`. `spread`:
    /// that of the ensemble, 0 for a single model. `None` where there are too few crystals for a finite width.
    pub fn radius(&self, coverage: f64, spread: f64) -> Option<f64> {
        // The next level up; a coverage that is one but for rounding is that one.
        let level = (coverage * LEVELS as f64 - 1e-9).ceil().max(1.0) as usize;
        let score = *self.scores.get(level - 1)?;
        Some(self.floor.map_or(score, |floor| score * (spread + floor)))
    }

    /// The largest coverage for which there is an interval; 0 where there is none.
    pub fn largest_coverage(&self) -> f64 {
        self.scores.len() as f64 / LEVELS as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of [0, 1), the same in every run (Knuth's MMIX constants).
    fn uniform(state: &mut u64) -> f64 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Errors with heavy tails (Student, two degrees of freedom), as those of models are.
    fn error(state: &mut u64) -> f64 {
        let u = 2.0 * uniform(state) - 1.0;
        u * (2.0 / (1.0 - u * u).max(1e-12)).sqrt()
    }

    #[test]
    fn the_rank_has_the_correction_for_a_finite_sample() {
        let calibration = Calibration::of((1..=99).map(f64::from)).unwrap();
        assert_eq!(calibration.radius(0.9, 0.0), Some(90.0), "⌈100 · 0.9⌉ = 90th of 99");
        assert_eq!(calibration.radius(0.905, 0.0), Some(91.0));
        assert_eq!(calibration.radius(0.99, 0.0), Some(99.0));
        assert_eq!((calibration.radius(0.995, 0.0), calibration.largest_coverage()), (None, 0.99));
        assert_eq!(calibration.radius(0.001, 0.0), Some(1.0));
        let few = Calibration::of([-3.0, 1.0]).unwrap();
        assert_eq!((few.radius(0.66, 0.0), few.radius(0.7, 0.0)), (Some(3.0), None));
        assert_eq!(Calibration::of([]), None);
        assert_eq!(Calibration::of([f64::NAN, f64::INFINITY]), None);
    }

    /// Over many draws of calibration and test, the mean coverage lies in [c, c + 1 / (n + 1) + half a level].
    #[test]
    fn stated_coverage_is_observed_coverage() {
        let mut state = 7;
        let (draws, n, tests) = (400, 120, 50);
        for coverage in [0.5, 0.8, 0.9, 0.95] {
            let mut held = 0;
            for _ in 0..draws {
                let calibration = Calibration::of((0..n).map(|_| error(&mut state))).unwrap();
                let radius = calibration.radius(coverage, 0.0).unwrap();
                held += (0..tests).filter(|_| error(&mut state).abs() <= radius).count();
            }
            let observed = held as f64 / f64::from(draws * tests);
            // The coverage of one draw varies by sqrt(c (1 - c) / n); 4 standard errors of the mean over the draws.
            let slack = 4.0 * (coverage * (1.0 - coverage) / 120.0_f64).sqrt() / f64::from(draws).sqrt() + 0.006;
            assert!(observed >= coverage - slack, "{coverage}: {observed}");
            assert!(observed <= coverage + 1.0 / 121.0 + 1.0 / LEVELS as f64 + slack, "{coverage}: {observed}");
        }
    }

    #[test]
    fn intervals_of_an_ensemble_widen_where_its_members_disagree() {
        let mut state = 3;
        // The error is in proportion to the spread, which differs by a factor of ten from crystal to crystal.
        let mut draw = || {
            let spread = 0.02 + 0.18 * uniform(&mut state);
            (spread * error(&mut state), spread)
        };
        let normalised = Calibration::of_ensemble(&(0..999).map(|_| draw()).collect::<Vec<_>>()).unwrap();
        let plain = Calibration::of((0..999).map(|_| draw().0)).unwrap();
        assert!(normalised.radius(0.9, 0.2) > normalised.radius(0.9, 0.02));
        let tests: Vec<_> = (0..4000).map(|_| draw()).collect();
        let coverage = |radius: &dyn Fn(f64) -> f64, wide: bool| {
            let chosen: Vec<_> = tests.iter().filter(|(_, spread)| (*spread > 0.15) == wide).collect();
            chosen.iter().filter(|(e, spread)| e.abs() <= radius(*spread)).count() as f64 / chosen.len() as f64
        };
        let ours = |spread: f64| normalised.radius(0.9, spread).unwrap();
        let theirs = |_: f64| plain.radius(0.9, 0.0).unwrap();
        // Where the members disagree most, a width that is the same for all falls short of 0.9 by more.
        assert!(coverage(&ours, true) > coverage(&theirs, true) + 0.02);
        let all = (coverage(&ours, true) + 3.0 * coverage(&ours, false)) / 4.0;
        assert!((all - 0.9).abs() < 0.03, "{all}");
        assert_eq!(Calibration::of_ensemble(&[(0.1, 0.0), (0.2, 0.0)]), None, "members that never differ");
    }

    #[test]
    fn a_card_keeps_it_in_a_few_numbers() {
        let calibration = Calibration::of((0..5000).map(|k| f64::from(k) * 1e-4)).unwrap();
        let text = serde_json::to_string(&calibration).unwrap();
        assert!(text.len() < 2500 && !text.contains("floor"), "{} bytes", text.len());
        assert_eq!(serde_json::from_str::<Calibration>(&text).unwrap(), calibration);
    }
}
